//! `bartizan rules`: packs of rules as data.

use std::{
    fmt::Write,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_text::{
    rules::{self, RuleSet, Trust, test_rules, test_survival},
    secrets::proof,
};

use crate::{
    cli::Setup,
    engine::{self, read_config},
    exit::Exit,
    input::{cannot_read, escaped, read_text},
    output,
    packs::{PackFiles, public_key},
    problem::{Problem, Problems},
    render::human::{plural, short},
};

/// Runs the examples of every rule in some folders.
pub(crate) fn test(folders: &[PathBuf], mutations: bool) -> Result<Exit, Problems> {
    let packs = PackFiles::read(folders)?;
    let set = RuleSet::load_trusted(&packs.files, &Trust::AllowUnsigned)
        .map_err(|errors| packs.problems(errors))?;
    let set = Arc::new(set);
    let unusable = |error: bartizan_text::scan::PatternError| Problem::new(error.to_string());
    let report = test_rules(&set).map_err(unusable)?;
    let mut out = String::new();
    for cross in &report.cross_hits {
        let _ = writeln!(
            out,
            "note: negative example {} of `{}` is hit by {}",
            cross.number,
            cross.rule,
            cross.hit_by.join(", ")
        );
    }
    if mutations {
        survival(&mut out, &test_survival(&set).map_err(unusable)?);
    }
    let failures = report.failures.len();
    let word = if failures == 0 { "passed" } else { "failed" };
    let _ = writeln!(
        out,
        "{word}: {} {}, {} {}, {failures} {}",
        report.rules,
        plural(report.rules, "rule"),
        report.examples,
        plural(report.examples, "example"),
        plural(failures, "failure")
    );
    output::stdout(&out)?;
    if failures == 0 {
        return Ok(Exit::Clean);
    }
    output::show_problems(&packs.problems(report.failures));
    Ok(Exit::Findings)
}

fn survival(out: &mut String, rules: &[rules::Survival]) {
    let _ = writeln!(
        out,
        "seen after a disguise, by the rule itself / by any rule / of all:"
    );
    for rule in rules {
        let (own, any, all) = rule.total();
        let _ = writeln!(out, "  {:<44} {own:>5} / {any:>5} / {all:>5}", rule.rule);
    }
    for mutation in rules::MUTATIONS {
        let counts = rules
            .iter()
            .filter_map(|rule| rule.by_mutation.get(mutation.name));
        let (own, any, all) = counts.fold((0, 0, 0), |sum, counts| {
            (sum.0 + counts.0, sum.1 + counts.1, sum.2 + counts.2)
        });
        let _ = writeln!(
            out,
            "  {:<44} {own:>5} / {any:>5} / {all:>5}",
            format!("({})", mutation.name)
        );
    }
}

/// Lists the packs that are loaded, with their rules.
pub(crate) fn list(setup: &Setup) -> Result<Exit, Problems> {
    let set = engine::rules(setup, &read_config(setup)?)?;
    let mut out = String::new();
    for pack in set.packs() {
        let info = &pack.info;
        let signer = match &info.signer {
            Some(key) => format!(", signed by {key}"),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "{} {} ({}{signer}): {}",
            info.name,
            info.version,
            short(&info.digest),
            info.title
        );
        for rule in pack.rules() {
            let languages = match rule.languages {
                [] => String::new(),
                languages => format!(" [{}]", languages.join(", ")),
            };
            let _ = writeln!(
                out,
                "  {:<8} {:<40} {}{languages}",
                rule.rule.severity.as_str(),
                rule.rule.id,
                rule.rule.title
            );
        }
    }
    let _ = writeln!(
        out,
        "{} rules in {} packs, version {}",
        set.len(),
        set.packs().count(),
        set.version()
    );
    output::stdout(&out)?;
    Ok(Exit::Clean)
}

/// Signs the pack in a folder.
pub(crate) fn sign(folder: &Path, key: &Path) -> Result<Exit, Problems> {
    let packs = one_pack(folder)?;
    // What cannot be loaded is not worth a signature.
    let set = RuleSet::load_trusted(&packs.files, &Trust::AllowUnsigned)
        .map_err(|errors| packs.problems(errors))?;
    let secret = secret_key(key)?;
    let comment = match set.packs().next() {
        Some(pack) => format!("pack {} {}", pack.info.name, pack.info.version),
        None => return Err(Problem::new(format!("no rules in `{}`", escaped(folder))).into()),
    };
    let signed = rules::sign(&packs.files, &secret, &comment)
        .map_err(|error| Problem::new(error.to_string()))?;
    for file in &signed {
        let name = file.name.rsplit('/').next().unwrap_or(&file.name);
        let path = folder.join(name);
        std::fs::write(&path, &file.text)
            .map_err(|error| Problem::new(format!("cannot write `{}`: {error}", escaped(&path))))?;
    }
    output::stdout(&format!("signed: {comment} in `{}`\n", escaped(folder)))?;
    Ok(Exit::Clean)
}

/// Says who signed the pack in a folder.
pub(crate) fn verify(folder: &Path, keys: &[String]) -> Result<Exit, Problems> {
    let packs = one_pack(folder)?;
    let keys = keys
        .iter()
        .map(|key| public_key(key))
        .collect::<Result<Vec<_>, _>>()?;
    match rules::verify(&packs.files, &keys) {
        Ok(signer) => {
            output::stdout(&format!(
                "verified: `{}`, signed by {signer}\n",
                escaped(folder)
            ))?;
            Ok(Exit::Clean)
        }
        Err(error) => {
            let problem = Problem::new(format!("`{}`: {error}", escaped(folder)));
            Err(problem.help("do not load the pack, ask its author").into())
        }
    }
}

fn one_pack(folder: &Path) -> Result<PackFiles, Problems> {
    if folder.join("pack.yaml").is_file() {
        return PackFiles::read(&[folder.to_owned()]);
    }
    let message = format!("`{}` is no pack, it has no `pack.yaml`", escaped(folder));
    Err(Problem::new(message)
        .help("give the folder of one pack")
        .into())
}

/// A secret key without password; a password would have to be asked for or given in the open.
fn secret_key(path: &Path) -> Result<minisign::SecretKey, Problem> {
    if !path.is_file() {
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(cannot_read(path, &error));
    }
    let text = read_text(path).map_err(|_| bad_key(path))?;
    minisign::SecretKeyBox::from_string(&text)
        .and_then(minisign::SecretKeyBox::into_unencrypted_secret_key)
        .ok()
        .or_else(|| key_without_checksum(&text))
        .ok_or_else(|| bad_key(path))
}

/// The key of `minisign -G -W`, which leaves the checksum out that the library asks for: zeroes
/// stand in its place (minisign 0.11).
fn key_without_checksum(text: &str) -> Option<minisign::SecretKey> {
    // Algorithms, parameters of the password, id, and key; then the checksum (minisign(1), "Secret
    // key format").
    const KEY: usize = 126;
    const CHECKSUM: [u8; 32] = [0; 32];
    let bytes = proof::base64(text.lines().nth(1)?.trim().as_bytes())?;
    let (key, checksum) = bytes.split_at_checked(KEY)?;
    if !key.starts_with(b"Ed\0\0") || checksum != CHECKSUM {
        return None;
    }
    let secret = minisign::SecretKey::from_bytes(&bytes).ok()?;
    // In place of the checksum: do its two halves belong together?
    let public = minisign::PublicKey::from_secret_key(&secret).ok()?;
    let signature = minisign::sign(None, &secret, Cursor::new(b""), None, None).ok()?;
    minisign::verify(&public, &signature, Cursor::new(b""), true, false, false).ok()?;
    Some(secret)
}

fn bad_key(path: &Path) -> Problem {
    Problem::new(format!(
        "`{}` is no secret key of minisign without password",
        escaped(path)
    ))
    .help("make one with `minisign -G -W`, and let the file be read by nobody else")
}
