//! `bartizan provenance`: how a model was made, recorded and signed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bartizan_supply::{
    bom::Inventory,
    digest::{Algorithm, Granularity, Selection, Tree, hash_tree},
    sign::{Bundle, Provenance, RunFacts, sign_statement},
};
use serde_json::{Map, Value, json};

use super::verify::{judge, signer_text};
use crate::{
    cli::{ProvenanceCommand, RecordRun, TrustPlace},
    clock,
    exit::Exit,
    files,
    input::{escaped, read_text},
    output,
    problem::{Problem, Problems},
    render::safe,
    signing::{self, bundle, digest_problem, sign_problem, signer, threads, trusted},
};

pub(crate) fn run(command: ProvenanceCommand) -> Result<Exit, Problems> {
    match command {
        ProvenanceCommand::Record(arguments) => record(&arguments),
        ProvenanceCommand::Verify { file, trust, model } => verify(&file, &trust, model.as_deref()),
    }
}

/// Runs the command, and signs a record if it ended well.
fn record(arguments: &RecordRun) -> Result<Exit, Problems> {
    // What can be wrong is found before the command works for a day.
    let signer = signer(&arguments.signer)?;
    let hyperparameters = object(arguments.hyperparameters.as_deref())?;
    let training_data_hash = match &arguments.data {
        Some(path) => folder_digest(path)?,
        None => String::new(),
    };
    let code_commit = git(&["rev-parse", "HEAD"]);
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let Some((program, rest)) = arguments.command.split_first() else {
        return Err(Problem::new("no command to run").into());
    };
    let training_started = clock::now();
    let status = signing::run(Command::new(program).args(rest))?;
    let training_completed = clock::now();
    if !status.success() {
        output::stderr("the command failed, so there is nothing to record\n");
        return Ok(Exit::of_command(status));
    }
    let given = |text: &str, otherwise: &dyn Fn() -> String| {
        if text.is_empty() {
            otherwise()
        } else {
            text.to_owned()
        }
    };
    let file_name = || {
        let name = arguments.model.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let provenance = Provenance {
        model_name: given(&arguments.name, &file_name),
        model_version: arguments.model_version.clone(),
        model_hash: folder_digest(&arguments.model)?,
        framework: arguments.framework.clone(),
        training_data_hash,
        training_data_uri: arguments.data_uri.clone(),
        code_repo: without_credentials(&git(&["config", "--get", "remote.origin.url"])),
        training_started,
        training_completed,
        hyperparameters,
        metrics: object(arguments.metrics.as_deref())?,
        dependencies: dependencies(&arguments.dependencies)?,
        environment: environment(changed && !code_commit.is_empty()),
        code_commit,
        author: given(&arguments.author, &|| {
            git(&["config", "--get", "user.name"])
        }),
        approvals: arguments
            .approval
            .iter()
            .map(|text| approval(text))
            .collect(),
        notes: arguments.notes.clone(),
    };
    let command = arguments.command.iter();
    let facts = RunFacts {
        command: command
            .map(|part| part.to_string_lossy().into_owned())
            .collect(),
        exit_code: status.code(),
        recorder: concat!("bartizan/", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let bundle = sign_statement(&provenance.to_statement(&facts), &signer);
    let bundle: Bundle = bundle.map_err(|error| sign_problem(&error))?;
    files::write(&arguments.output, &bundle.to_json())?;
    output::stderr(&format!("record in `{}`\n", escaped(&arguments.output)));
    Ok(Exit::Clean)
}

fn verify(file: &Path, trust: &TrustPlace, model: Option<&Path>) -> Result<Exit, Problems> {
    let trusted = trusted(trust)?;
    let refuse = |message: &str| {
        output::stderr(&format!("refused: {}\n", safe::line(message)));
        Ok(Exit::Findings)
    };
    let bundle = match bundle(file)? {
        None => return refuse("there is no record"),
        Some(Err(error)) => return refuse(&error.to_string()),
        Some(Ok(bundle)) => bundle,
    };
    let (statement, signed) = match judge(&bundle, &trusted, trust.accept_old) {
        Ok(judged) => judged,
        Err(finding) => return refuse(&finding.message),
    };
    let record = match Provenance::from_statement(&statement) {
        Ok(record) => record,
        Err(error) => return refuse(&error.to_string()),
    };
    if let Some(model) = model
        && folder_digest(model)? != record.model_hash
    {
        return refuse("the record is about another model");
    }
    output::stdout(&format!("{:#}\n", record.to_json()))?;
    output::stderr(&format!("verified: signed by {}\n", signer_text(&signed)));
    Ok(Exit::Clean)
}

/// What lock files and environments name, as `name==version`.
fn dependencies(paths: &[PathBuf]) -> Result<Vec<String>, Problem> {
    let mut all = Vec::new();
    for path in paths {
        let inventory = Inventory::packages(path).map_err(|error| digest_problem(&error))?;
        if let Some(gap) = inventory.gaps.first() {
            let why = safe::line(&format!("`{}`: {}", gap.path, gap.why));
            return Err(Problem::new(why));
        }
        all.extend(inventory.merged().into_iter().map(|(package, _)| {
            match (&package.version, &package.requirement) {
                (Some(version), _) => format!("{}=={version}", package.name),
                (None, Some(wanted)) => format!("{}{wanted}", package.name),
                (None, None) => package.name,
            }
        }));
    }
    Ok(all)
}

/// What `bartizan hash` says, without the algorithm's name.
fn folder_digest(path: &Path) -> Result<String, Problem> {
    let tree = Tree::walk(path, &Selection::default())
        .and_then(|tree| tree.complete(path))
        .map_err(|error| digest_problem(&error))?;
    let manifest = hash_tree(&tree, Algorithm::Sha256, Granularity::Files, threads(None));
    let manifest = manifest.map_err(|error| digest_problem(&error))?;
    Ok(manifest.digest_of(&tree, Algorithm::Sha256).to_hex())
}

fn object(path: Option<&Path>) -> Result<Map<String, Value>, Problems> {
    let Some(path) = path else {
        return Ok(Map::new());
    };
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Problem::new(format!("`{}` is no JSON object: {error}", escaped(path))).into()
    })
}

/// What Git says, empty if it says nothing.
fn git(arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => String::new(),
    }
}

/// An address without what stands before the `@`.
fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let host = rest.split('/').next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((credentials, _)) => {
            let start = credentials.len() + 1;
            format!("{scheme}://{}", rest.get(start..).unwrap_or_default())
        }
        None => address.to_owned(),
    }
}

fn environment(changed: bool) -> Map<String, Value> {
    let processors = threads(None).get();
    let mut environment = Map::new();
    let mut put = |name: &str, value: Value| environment.insert(name.to_owned(), value);
    put("os", std::env::consts::OS.into());
    put("architecture", std::env::consts::ARCH.into());
    put("processors", processors.into());
    put("uncommitted_changes", changed.into());
    environment
}

fn approval(text: &str) -> Value {
    match text.split_once('=') {
        Some((by, note)) => json!({ "by": by, "note": note }),
        None => json!({ "by": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_out_of_records() {
        for (address, expected) in [
            (
                "https://user:token@example.com/a@b",
                "https://example.com/a@b",
            ),
            ("https://example.com/a@b", "https://example.com/a@b"),
            ("git@example.com:a/b", "git@example.com:a/b"),
        ] {
            assert_eq!(without_credentials(address), expected);
        }
    }
}
