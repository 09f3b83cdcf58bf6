//! What `git` tells about a repository.
//!
//! `git` is started rather than a library linked: whoever looks into a repository has it, and it
//! reads every repository that there is. What a repository's own settings could start is switched
//! off, nothing is fetched, and nothing is written.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{BufRead, BufReader, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bartizan_core::{CheckError, Confidence, Coverage, Finding, Layer, Report};
use bartizan_formats::Format;
use bartizan_posture::{
    history::{Change, FORMAT, OPTIONS, PatchError, Patches},
    secrets::{Added, SecretFiles, Where},
};
use bartizan_supply::Scanned;

use super::scan;
use crate::{
    cli::Secrets,
    input::escaped,
    problem::{Problem, Problems},
    render::safe,
};

/// How many commits one run of `git` is asked about.
const SLICE: usize = 500;

/// What a message is called in reports.
const MESSAGE: &str = "(commit message)";

/// What the repository as a whole is called in reports.
const REPOSITORY: &str = "(repository)";

/// Looks at the history, or at what is staged.
pub(super) fn look(arguments: &Secrets, files: &SecretFiles) -> Result<Vec<Scanned>, Problems> {
    let root = &arguments.path;
    let mut seen = History::default();
    if arguments.staged {
        let mut command = git(root);
        command.args(["diff", "--cached"]).args(OPTIONS);
        let changes = run(command, files)?;
        seen.add(changes);
        return Ok(seen.into_scanned());
    }
    let shallow = line(root, &["rev-parse", "--is-shallow-repository"])?;
    if shallow == "true" {
        seen.gap(
            REPOSITORY,
            "the history is shallow: its older commits are not here",
        );
    }
    let commits = commits(root, arguments.since.as_deref())?;
    let slices: Vec<&[String]> = commits.chunks(SLICE).collect();
    let outcomes = scan::side_by_side(&slices, arguments.jobs, |slice| {
        let mut command = git(root);
        command
            .args([
                "diff-tree",
                "--stdin",
                "--root",
                "--cc",
                "-r",
                "--always",
                FORMAT,
            ])
            .args(OPTIONS)
            .stdin(list(slice)?);
        run(command, files)
    });
    for outcome in outcomes {
        seen.add(outcome?);
    }
    seen.looked_at(REPOSITORY);
    Ok(seen.into_scanned())
}

/// The files below `root` that no `.gitignore` names, as they would be walked to.
pub(super) fn not_ignored(root: &Path) -> Result<HashSet<PathBuf>, Problems> {
    let folder = if root.is_dir() { root } else { Path::new(".") };
    let listed = output(
        folder,
        &[
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ],
    )?;
    let names = listed
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| folder.join(&*String::from_utf8_lossy(name)))
        .collect())
}

/// `git`, with nothing that the repository could have it start or fetch.
fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).arg("--no-pager");
    for setting in [
        "core.fsmonitor=false",
        "core.hooksPath=/dev/null",
        "core.quotePath=false",
        "log.showSignature=false",
        "protocol.allow=never",
        "diff.noprefix=false",
    ] {
        command.args(["-c", setting]);
    }
    command
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

fn not_started(error: &std::io::Error) -> Problem {
    Problem::new(format!("cannot start `git`: {error}"))
        .help("install git, or look at the files without `--history` and `--staged`")
}

/// What `git` prints.
fn output(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, Problem> {
    let output = git(root).args(arguments).output();
    let output = output.map_err(|error| not_started(&error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or("it failed");
        let message = format!("git cannot read `{}`: {}", escaped(root), safe::line(first));
        return Err(Problem::new(message).help("give a folder of a repository"));
    }
    Ok(output.stdout)
}

fn line(root: &Path, arguments: &[&str]) -> Result<String, Problem> {
    let printed = output(root, arguments)?;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// The ids of the commits that are looked at, oldest first.
fn commits(root: &Path, since: Option<&str>) -> Result<Vec<String>, Problem> {
    let printed = match since {
        None => {
            // A head that no branch has counts too, if there is one.
            let head = line(root, &["rev-parse", "--verify", "--quiet", "HEAD"]);
            let mut arguments = vec!["rev-list", "--reverse", "--topo-order", "--all"];
            arguments.extend(head.as_deref());
            output(root, &arguments)?
        }
        Some(revision) => {
            let commit = format!("{revision}^{{commit}}");
            let arguments = [
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &commit,
            ];
            let Ok(from) = line(root, &arguments) else {
                let revision = safe::line(revision);
                let problem = Problem::new(format!("there is no commit `{revision}`"));
                return Err(problem.help("a shallow clone may lack it"));
            };
            let range = format!("{from}..HEAD");
            output(root, &["rev-list", "--reverse", "--topo-order", &range])?
        }
    };
    let text = String::from_utf8_lossy(&printed);
    Ok(text.lines().map(str::to_owned).collect())
}

/// A file with ids, from which `git` reads without anybody writing meanwhile.
fn list(ids: &[String]) -> Result<File, Problem> {
    let written = || {
        let mut file = tempfile::tempfile()?;
        file.write_all((ids.join("\n") + "\n").as_bytes())?;
        file.rewind()?;
        Ok(file)
    };
    written().map_err(|error: std::io::Error| {
        Problem::new(format!("cannot write a temporary file: {error}"))
    })
}

/// What a run of `git` told, in order.
type Changes = Vec<(Change, Vec<Added>, Result<(), CheckError>)>;

fn run(mut command: Command, files: &SecretFiles) -> Result<Changes, Problem> {
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| not_started(&error))?;
    let read = match child.stdout.take() {
        Some(stdout) => changes(BufReader::new(stdout), files),
        None => Ok(Vec::new()),
    };
    if read.is_err() {
        // It may still have much to say.
        let _ = child.kill();
    }
    let status = child.wait();
    let changes =
        read.map_err(|error| Problem::new(format!("cannot read the history: {error}")))?;
    match status {
        Ok(status) if status.success() => Ok(changes),
        _ => Err(Problem::new("git broke off while it told the history")
            .help("`git fsck` says whether the repository is whole")),
    }
}

fn changes(input: impl BufRead, files: &SecretFiles) -> Result<Changes, PatchError> {
    let mut changes = Vec::new();
    for change in Patches::new(input) {
        let mut change = change?;
        let mut found = Vec::new();
        let place = Where {
            path: &change.path,
            commit: change.commit.as_ref().map(|commit| commit.id.as_str()),
        };
        let line = |line| change.line(line);
        let mut outcome = files.inspect_lines(&change.added, place, line, &mut found);
        if change.is_cut {
            let why = "a change is longer than what is read of one";
            outcome = outcome.and(Err(CheckError::Unavailable(why.into())));
        }
        if change.is_submodule {
            let why = "a submodule has a history of its own, which was not looked at";
            outcome = Err(CheckError::Unavailable(why.into()));
        }
        change.added = Vec::new();
        if !found.is_empty() || outcome.is_err() {
            changes.push((change, found, outcome));
        }
    }
    Ok(changes)
}

/// What was seen so far, by path.
#[derive(Default)]
struct History {
    paths: BTreeMap<String, Report>,
    /// Secrets that an older commit already had at the same path.
    seen: HashSet<(String, String)>,
}

impl History {
    fn gap(&mut self, path: &str, why: &'static str) {
        self.outcome(path, Err(CheckError::Unavailable(why.into())));
    }

    fn looked_at(&mut self, path: &str) {
        self.outcome(path, Ok(()));
    }

    fn outcome(&mut self, path: &str, outcome: Result<(), CheckError>) {
        let report = self.paths.entry(path.to_owned()).or_default();
        let entry = Coverage {
            check: "secrets",
            layer: Layer::Artifact,
            outcome,
        };
        if !report.coverage.contains(&entry) {
            report.coverage.push(entry);
        }
    }

    fn add(&mut self, changes: Changes) {
        for (change, found, outcome) in changes {
            let path = match change.path.as_str() {
                "" => MESSAGE.to_owned(),
                path => safe::line(path),
            };
            self.outcome(&path, outcome);
            for added in found {
                let identity = (path.clone(), added.hash.clone());
                if !self.seen.insert(identity) {
                    continue;
                }
                let finding = finding(&change, &added);
                self.paths
                    .entry(path.clone())
                    .or_default()
                    .findings
                    .push(finding);
            }
        }
    }

    fn into_scanned(mut self) -> Vec<Scanned> {
        if self.paths.is_empty() {
            self.looked_at(REPOSITORY);
        }
        let paths = self.paths.into_iter();
        paths
            .map(|(path, report)| Scanned {
                path,
                formats: vec![Format::Text],
                bytes: 0,
                report,
            })
            .collect()
    }
}

fn finding(change: &Change, added: &Added) -> Finding {
    let commit = change.commit.as_ref().map_or_else(String::new, |commit| {
        format!(
            "commit {} of {}, ",
            safe::line(&commit.id),
            safe::line(&commit.date)
        )
    });
    let (line, bytes, hash) = (added.leak.line, added.bytes, &added.hash);
    Finding {
        rule: added.leak.rule.clone(),
        layer: Layer::Artifact,
        confidence: Confidence::clamped(added.leak.confidence),
        span: None,
        via: Vec::new(),
        message: format!("{commit}line {line}: {bytes} bytes, keyed hash {hash}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_repository_start_nothing() {
        let command = git(Path::new("."));
        let arguments: Vec<&std::ffi::OsStr> = command.get_args().collect();
        assert!(arguments.contains(&std::ffi::OsStr::new("core.fsmonitor=false")));
        assert!(OPTIONS.contains(&"--no-ext-diff") && OPTIONS.contains(&"--no-textconv"));
    }
}
