//! `bartizan verify`: whether a model is what somebody trusted signed.

use std::{
    ffi::OsString,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use bartizan_core::Finding;
use bartizan_supply::{
    digest::{Selection, Tree, hash_tree},
    sign::{
        Bundle, Comparison, Mismatch, ModelStatement, SharedKeyManifest, Statement, TrustPolicy,
        Verified, VerifyError, compare, invalid, seal_in_folder, untrusted, verify_blob,
    },
};
use serde_json::{Value, json};

use crate::{
    cli::{PlainFormat, Verify},
    clock, env,
    exit::Exit,
    input::{escaped, read_bytes, read_text},
    output,
    problem::{Problem, Problems},
    render::{
        human::{plural, severity_style, short},
        safe,
    },
    signing::{
        self, MAX_BLOB_BYTES, SIGNATURE, Trusted, bundle, digest_problem, plain, shared_key,
        threads, trusted,
    },
};

/// What came of it.
struct Outcome {
    signer: Option<Signed>,
    /// Files that hold, and what digested them.
    files: usize,
    findings: Vec<(Option<String>, Finding)>,
}

/// Who signed, as far as it is known.
pub(crate) struct Signed {
    name: Option<String>,
    verified: Verified,
}

/// Verifies a model, and runs a command on it if asked to.
pub(crate) fn run(arguments: &Verify) -> Result<Exit, Problems> {
    let signature = arguments.signature.clone();
    let signature = signature.unwrap_or_else(|| PathBuf::from(SIGNATURE));
    if let Some(key) = &arguments.shared_key {
        let outcome = shared(arguments, &signature, key)?;
        return finish(arguments, outcome);
    }
    let trusted = trusted(&arguments.trust)?;
    let bundle = match bundle(&signature)? {
        None => return finish(arguments, Outcome::refused(TrustPolicy::absent())),
        Some(Err(error)) => return finish(arguments, Outcome::refused(invalid(&error))),
        Some(Ok(bundle)) => bundle,
    };
    if arguments.blob {
        let outcome = blob(arguments, &bundle, trusted)?;
        return finish(arguments, outcome);
    }
    let (statement, signed) = match judge(&bundle, &trusted, arguments.trust.accept_old) {
        Ok(judged) => judged,
        Err(finding) => return finish(arguments, Outcome::refused(*finding)),
    };
    let model = match ModelStatement::from_statement(&statement, arguments.trust.accept_old) {
        Ok(model) => model,
        Err(error) => return finish(arguments, Outcome::refused(invalid(&error))),
    };
    let also: Vec<String> = arguments.ignore.iter().map(|name| plain(name)).collect();
    let comparison = Comparison {
        root: &arguments.path,
        statement: &model,
        signature: Some(&signature),
        also_ignored: &also,
        ignore_unsigned: arguments.ignore_unsigned_files,
        threads: threads(arguments.threads),
    };
    let outcome = |mismatches: Vec<Mismatch>| Outcome {
        signer: Some(signed),
        files: model.manifest.resources.len(),
        findings: mismatches
            .iter()
            .map(|mismatch| (Some(mismatch.file.clone()), mismatch.finding()))
            .collect(),
    };
    if arguments.exec {
        return exec(arguments, &comparison, outcome);
    }
    let mismatches = compare(&comparison).map_err(|error| digest_problem(&error))?;
    finish(arguments, outcome(mismatches))
}

/// The statement of a bundle, if somebody trusted signed it.
pub(crate) fn judge(
    bundle: &Bundle,
    trusted: &Trusted,
    accept_old: bool,
) -> Result<(Statement, Signed), Box<Finding>> {
    match trusted {
        Trusted::Policy(policy) => {
            let judged = policy.verify(bundle, clock::today(), accept_old);
            judged.map(|(statement, verified, signer)| {
                let name = Some(signer.name.clone());
                (statement, Signed { name, verified })
            })
        }
        Trusted::These { trust, identities } => {
            let (statement, verified) = bundle
                .verify(trust)
                .map_err(|error| Box::new(invalid(&error)))?;
            if !verified.bears(identities) {
                return Err(Box::new(untrusted(
                    "the certificate is under another identity",
                )));
            }
            Ok((
                statement,
                Signed {
                    name: None,
                    verified,
                },
            ))
        }
    }
}

fn blob(arguments: &Verify, bundle: &Bundle, trusted: Trusted) -> Result<Outcome, Problem> {
    let Trusted::These { trust, identities } = trusted else {
        return Err(
            Problem::new("a policy is about models, not about single files")
                .help("give `--key` or `--certificate-chain`"),
        );
    };
    let bytes = read_bytes(&arguments.path, MAX_BLOB_BYTES)?;
    Ok(match verify_blob(&bytes, bundle, &trust) {
        Ok(verified) if verified.bears(&identities) => Outcome {
            signer: Some(Signed {
                name: None,
                verified,
            }),
            files: 1,
            findings: Vec::new(),
        },
        Ok(_) => Outcome::refused(untrusted("the certificate is under another identity")),
        Err(error) => Outcome::refused(invalid(&error)),
    })
}

fn shared(arguments: &Verify, manifest: &Path, key: &Path) -> Result<Outcome, Problem> {
    if !manifest.exists() {
        return Ok(Outcome::refused(TrustPolicy::absent()));
    }
    let key = shared_key(key)?;
    let text = read_text(manifest).map_err(|mut problems| problems.remove(0))?;
    let selection = Selection {
        allow_symlinks: false,
        ignored: Selection::GIT
            .map(str::to_owned)
            .into_iter()
            .chain(arguments.ignore.iter().map(|name| plain(name)))
            .collect(),
    };
    let stated = SharedKeyManifest::parse(&text).and_then(|manifest| {
        let algorithm = manifest.algorithm()?;
        let tree = Tree::walk(&arguments.path, &selection)?.complete(&arguments.path)?;
        let threads = threads(arguments.threads);
        let files = hash_tree(&tree, algorithm, Default::default(), threads)?;
        let digest = files.digest_of(&tree, algorithm);
        manifest.verify(&digest, &key).map(|()| tree.files.len())
    });
    match stated {
        Ok(files) => Ok(Outcome {
            signer: None,
            files,
            findings: Vec::new(),
        }),
        Err(VerifyError::Digest(error)) => Err(digest_problem(&error)),
        Err(error) => Ok(Outcome::refused(invalid(&error))),
    }
}

/// Runs the command on copies of what was verified, so that nobody can swap a file in between.
fn exec(
    arguments: &Verify,
    comparison: &Comparison<'_>,
    outcome: impl FnOnce(Vec<Mismatch>) -> Outcome,
) -> Result<Exit, Problems> {
    let cannot =
        |error: std::io::Error| Problem::new(format!("cannot make a private folder: {error}"));
    // Made with mode 0700.
    let folder = tempfile::tempdir().map_err(cannot)?;
    let name = arguments.path.canonicalize().ok();
    let name = name
        .as_deref()
        .and_then(Path::file_name)
        .unwrap_or_default();
    let mut copy = folder.path().join(name);
    let is_file = arguments.path.is_file();
    let into = if is_file { folder.path() } else { &copy };
    std::fs::create_dir_all(into).map_err(cannot)?;
    let mismatches = seal_in_folder(comparison, into).map_err(|error| digest_problem(&error))?;
    if !mismatches.is_empty() {
        return finish(arguments, outcome(mismatches));
    }
    if is_file && let Some(given) = arguments.path.file_name() {
        copy = folder.path().join(given);
    }
    let Some((program, rest)) = arguments.command.split_first() else {
        return Err(Problem::new("no command to run").into());
    };
    let placed = |argument: &OsString| match argument.to_str() {
        Some(text) if text.contains("{}") => text.replace("{}", &copy.to_string_lossy()).into(),
        _ => argument.clone(),
    };
    let mut command = Command::new(placed(program));
    command.args(rest.iter().map(placed)).env(env::MODEL, &copy);
    Ok(Exit::of_command(signing::run(&mut command)?))
}

impl Outcome {
    fn refused(finding: Finding) -> Self {
        Self {
            signer: None,
            files: 0,
            findings: vec![(None, finding)],
        }
    }
}

fn finish(arguments: &Verify, outcome: Outcome) -> Result<Exit, Problems> {
    let text = match arguments.format {
        PlainFormat::Human => as_text(arguments, &outcome),
        PlainFormat::Json => as_json(arguments, &outcome),
    };
    if arguments.exec {
        // Standard output is the command's.
        output::stderr(&text);
    } else {
        output::stdout(&text)?;
    }
    Ok(if outcome.findings.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

/// Who signed, in words.
pub(crate) fn signer_text(signed: &Signed) -> String {
    let key = &signed.verified.key;
    let mut text = format!("{} key {}", key.scheme(), short(&key.hint()));
    if !signed.verified.names.is_empty() {
        let _ = write!(text, ", {}", signed.verified.names.join(", "));
    }
    if let Some(name) = &signed.name {
        text = format!("{name} ({text})");
    }
    if signed.verified.is_old {
        text.push_str(", in the form of before 1.0");
    }
    safe::line(&text)
}

fn as_text(arguments: &Verify, outcome: &Outcome) -> String {
    let path = escaped(&arguments.path);
    let mut text = String::new();
    for (_, finding) in &outcome.findings {
        let severity = finding.rule.severity;
        let style = severity_style(severity);
        let message = safe::line(&finding.message);
        let _ = writeln!(
            text,
            "{style}{severity}{style:#}[{}]: {message}",
            finding.rule.id
        );
    }
    let by = outcome.signer.as_ref().map(signer_text);
    let by = by.map_or_else(String::new, |by| format!(", signed by {by}"));
    let count = outcome.findings.len();
    let _ = if count == 0 {
        let files = outcome.files;
        writeln!(
            text,
            "verified: `{path}`, {files} {}{by}",
            plural(files, "digest")
        )
    } else {
        writeln!(
            text,
            "refused: `{path}`, {count} {}{by}",
            plural(count, "finding")
        )
    };
    text
}

fn as_json(arguments: &Verify, outcome: &Outcome) -> String {
    let findings: Vec<Value> = outcome
        .findings
        .iter()
        .map(|(file, finding)| {
            json!({
                "rule": finding.rule.id,
                "severity": finding.rule.severity,
                "file": file.as_deref().map(safe::line),
                "message": safe::line(&finding.message),
            })
        })
        .collect();
    let signer = outcome.signer.as_ref().map(|signed| {
        json!({
            "name": signed.name,
            "key": signed.verified.key.hint(),
            "scheme": signed.verified.key.scheme().as_str(),
            "identities": signed.verified.names,
            "old_form": signed.verified.is_old,
        })
    });
    let said = json!({
        "version": 1,
        "path": escaped(&arguments.path),
        "verified": findings.is_empty(),
        "digests": outcome.files,
        "signer": signer,
        "findings": findings,
    });
    said.to_string() + "\n"
}
