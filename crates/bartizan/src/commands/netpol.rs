//! `bartizan netpol`: whether the network leaves a way around the gateway.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use bartizan_gateway::netpol::{Concern, Label, NetworkPolicy, lint_all};
use serde_json::{Value, json};

use crate::{
    cli::PlainFormat,
    config::yaml_problem,
    exit::Exit,
    input::{MAX_SETTINGS_BYTES, escaped, read_stdin, read_text},
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// Names what is wrong with the policies in some files.
pub(crate) fn lint(
    files: &[PathBuf],
    gateway: &Label,
    format: PlainFormat,
) -> Result<Exit, Problems> {
    let mut policies = Vec::new();
    for file in files {
        policies.extend(read(file)?);
    }
    if policies.is_empty() {
        let problem = Problem::new("there is no NetworkPolicy in what was given");
        return Err(problem
            .help("where no policy is, every pod reaches everything")
            .into());
    }
    let concerns = lint_all(&policies, gateway);
    output::stdout(&match format {
        PlainFormat::Json => as_json(&concerns, policies.len()),
        PlainFormat::Human => as_text(&concerns, policies.len()),
    })?;
    Ok(if concerns.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn as_text(concerns: &[Concern], policies: usize) -> String {
    let mut text = String::new();
    for concern in concerns {
        let _ = writeln!(text, "{}", safe::line(&concern.to_string()));
    }
    let _ = writeln!(text, "{policies} policies, {} concerns", concerns.len());
    text
}

fn as_json(concerns: &[Concern], policies: usize) -> String {
    let concerns: Vec<Value> = concerns
        .iter()
        .map(|concern| {
            json!({
                "policy": concern.policy,
                "place": concern.place,
                "kind": concern.kind.as_str(),
                "message": concern.kind.to_string(),
            })
        })
        .collect();
    json!({ "version": 1, "policies": policies, "concerns": concerns }).to_string() + "\n"
}

/// The policies in a file; also those in a list.
fn read(file: &Path) -> Result<Vec<NetworkPolicy>, Problems> {
    let name = escaped(file);
    let text = if file == Path::new("-") {
        read_stdin(MAX_SETTINGS_BYTES)?
    } else {
        read_text(file)?
    };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| yaml_problem(&name, &text, &error))?;
    let items = documents.into_iter().flat_map(|mut document| {
        match document.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => vec![document],
        }
    });
    items
        .filter(|item| item.get("kind").and_then(Value::as_str) == Some("NetworkPolicy"))
        .map(|item| {
            let metadata = item.pointer("/metadata/name").and_then(Value::as_str);
            let policy =
                metadata.map_or_else(String::new, |name| format!(" `{}`", safe::line(name)));
            serde_json::from_value(item).map_err(|error| {
                Problem::new(format!(
                    "{name}: the policy{policy} cannot be read: {error}"
                ))
                .into()
            })
        })
        .collect()
}
