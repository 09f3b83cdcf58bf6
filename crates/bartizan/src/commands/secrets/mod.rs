//! `bartizan secrets`: keys, tokens, and passwords in files, in a history, and in what is about to
//! be committed.

mod git;

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
};

use bartizan_posture::secrets::{
    Baseline, Ignored, Known, SecretFiles, SecretScanner,
    gitleaks::{GitleaksConfig, GitleaksError},
};
use bartizan_supply::{ARCHIVES, Inspector, ScanLimits};

use super::{
    scan::{self, Look, Scanner},
    walk,
};
use crate::{
    cli::Secrets,
    exit::Exit,
    files,
    input::{escaped, read_text},
    key::Key,
    output,
    problem::{Problem, Problems},
    render::human::plural,
};

/// The name of the file of accepted fingerprints at the top of a tree.
const IGNORE_FILE: &str = ".gitleaksignore";

/// Looks, and reports.
pub(crate) fn run(arguments: &Secrets) -> Result<Exit, Problems> {
    let policy = scan::policy(arguments.config.clone(), arguments.policy.clone())?;
    let scanner = match &arguments.rules {
        None => scan::secret_scanner()?,
        Some(path) => {
            let config = rules(path)?;
            SecretScanner::with_rules(config)
                .map_err(|error| Problem::new(format!("a format of secrets: {error}")))?
        }
    };
    let (baseline, key) = baseline(arguments)?;
    let history = arguments.history || arguments.since.is_some();
    // Paths of a repository begin at its top.
    let root = if history || arguments.staged {
        String::new()
    } else {
        prefix(&arguments.path)
    };
    let known = Known::new(&key, baseline, ignored(&arguments.path)?, &root);
    let files = SecretFiles::everywhere(scanner, known);
    let (all, exit) = if history || arguments.staged {
        let seen = git::look(arguments, &files)?;
        let judged = seen.into_iter().map(|one| scan::judge(one, None, &policy));
        let all: Vec<_> = judged.collect();
        let exit = all
            .iter()
            .map(|one| one.exit())
            .fold(Exit::default(), Exit::join);
        (all, exit)
    } else {
        in_files(arguments, &files, &policy)?
    };
    if let (true, Some(path)) = (arguments.write_baseline, &arguments.baseline) {
        let baseline = files.known().baseline(&key);
        let text = baseline.to_json();
        let text = text.map_err(|error| Problem::new(format!("cannot write: {error}")))?;
        files::write(path, &text)?;
        let count = baseline.len();
        let findings = plural(count, "finding");
        output::note(&format!("`{}` accepts {count} {findings}", escaped(path)));
        return Ok(if exit == Exit::Findings {
            Exit::Clean
        } else {
            exit
        });
    }
    let look = Look {
        format: arguments.format,
        verbose: arguments.verbose,
        quiet: arguments.quiet,
    };
    scan::show("secrets", &all, &policy, look)?;
    let accepted = files.known().accepted();
    if accepted > 0 && !arguments.quiet {
        let count = usize::try_from(accepted).unwrap_or(usize::MAX);
        let findings = plural(count, "finding");
        output::note(&format!("{accepted} known {findings} accepted"));
    }
    Ok(exit)
}

/// Looks at the files as they stand, also inside archives.
fn in_files(
    arguments: &Secrets,
    files: &SecretFiles,
    policy: &bartizan_policy::Policy,
) -> Result<(Vec<crate::render::artifacts::Judged>, Exit), Problems> {
    let mut inspectors = ARCHIVES.to_vec();
    inspectors.push(files as &dyn Inspector);
    let scanner = Scanner {
        limits: ScanLimits::default(),
        inspectors: &inspectors,
        ring: None,
    };
    let kept: Option<HashSet<PathBuf>> = if arguments.respect_gitignore {
        Some(git::not_ignored(&arguments.path)?)
    } else {
        None
    };
    // A repository inside, and a submodule, is listed as a whole.
    let is_kept = |kept: &HashSet<PathBuf>, path: &Path| {
        path.is_dir() || path.ancestors().any(|part| kept.contains(part))
    };
    let wanted =
        |path: &Path| is_no_store(path) && kept.as_ref().is_none_or(|kept| is_kept(kept, path));
    let places = walk::places(std::slice::from_ref(&arguments.path), &wanted);
    Ok(scan::look_at_all(
        &places,
        &scanner,
        arguments.jobs,
        policy,
        &mut |_| {},
    ))
}

/// Whether a path is not among the files in which git keeps what it knows: `--history` looks there.
/// Its settings and hooks are files like others.
fn is_no_store(path: &Path) -> bool {
    let mut parts = path.components().map(Component::as_os_str);
    let inside = parts.by_ref().find(|part| *part == ".git").is_some();
    let next = parts.next();
    !inside || next.is_none_or(|next| next == "config" || next == "hooks" || next == "info")
}

/// The rules of a file, over those of the one file that it extends.
fn rules(path: &Path) -> Result<GitleaksConfig, Problems> {
    let read = |path: &Path| -> Result<GitleaksConfig, Problems> {
        let text = read_text(path)?;
        GitleaksConfig::parse(&text).map_err(|error| rules_problems(path, &text, error))
    };
    let config = read(path)?;
    let Some(base) = config.extends() else {
        return Ok(config);
    };
    let base = path.parent().unwrap_or_else(|| Path::new("")).join(base);
    let extended = read(&base)?;
    if extended.extends().is_some() {
        let message = format!("`{}` extends a third file", escaped(&base));
        return Err(Problem::new(message)
            .help("a file of rules extends one that extends none")
            .into());
    }
    config
        .over(extended)
        .map_err(|error| Problem::new(format!("`{}`: {error}", escaped(path))).into())
}

fn rules_problems(path: &Path, text: &str, error: GitleaksError) -> Problems {
    let name = escaped(path);
    match error {
        GitleaksError::Mistakes(mistakes) => mistakes
            .into_iter()
            .map(|mistake| Problem::new(mistake.message).at(&name, text, mistake.line as u64, 1))
            .collect(),
        other => Problem::new(format!("`{name}`: {other}")).into(),
    }
}

/// The baseline, if there is one, and the key of hashes.
fn baseline(arguments: &Secrets) -> Result<(Option<Baseline>, [u8; 32]), Problems> {
    match &arguments.baseline {
        Some(path) if path.exists() || !arguments.write_baseline => {
            let text = read_text(path)?;
            let (baseline, key) = Baseline::parse(&text)
                .map_err(|error| Problem::new(format!("`{}`: {error}", escaped(path))))?;
            Ok((Some(baseline), key))
        }
        // Never the key of the environment: this one is written down.
        Some(_) => Ok((None, Key::fresh()?.bytes)),
        None => Ok((None, Key::get()?.bytes)),
    }
}

/// The fingerprints that a tree accepts.
fn ignored(path: &Path) -> Result<Ignored, Problems> {
    let file = path.join(IGNORE_FILE);
    if file.is_file() {
        return Ok(Ignored::parse(&read_text(&file)?));
    }
    Ok(Ignored::default())
}

/// What the names of files below a folder begin with.
fn prefix(path: &Path) -> String {
    if !path.is_dir() {
        return String::new();
    }
    let name = walk::name(path);
    if name.ends_with('/') {
        name
    } else {
        name + "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_passed_over_and_settings_are_not() {
        for (path, looked_at) in [
            ("a/.env", true),
            ("a/.git", true),
            ("a/.git/config", true),
            ("a/.git/hooks/pre-commit", true),
            ("a/.git/objects", false),
            ("a/.git/index", false),
            ("a/.github/x", true),
        ] {
            assert_eq!(is_no_store(Path::new(path)), looked_at, "{path}");
        }
    }
}
