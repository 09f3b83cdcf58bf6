//! `bartizan policy`: what findings lead to.

use std::{fmt::Write, path::Path};

use bartizan_core::Layer;
use bartizan_policy::{OnIncomplete, Policy, Row};

use crate::{
    cli::Setup,
    clock,
    config::read_policy,
    engine::{self, read_config},
    exit::Exit,
    input::escaped,
    output,
    problem::Problems,
    render::human::{short, wrapped},
};

/// Says whether a policy file is in order.
pub(crate) fn check(file: &Path) -> Result<Exit, Problems> {
    let policy = read_policy(file)?;
    let own = policy.rows().iter().filter(|row| is_own(row)).count();
    let mut out = format!(
        "`{}` is in order: {own} own and {} built-in rows, {} exceptions, version {}\n",
        escaped(file),
        policy.rows().len() - own,
        policy.exceptions().len(),
        short(policy.version())
    );
    for warning in policy.warnings(clock::today()) {
        let _ = writeln!(out, "warning: {warning}");
    }
    output::stdout(&out)?;
    Ok(Exit::Clean)
}

/// Shows the decision table as it is tried.
pub(crate) fn show(setup: &Setup) -> Result<Exit, Problems> {
    let policy = engine::policy(setup, &read_config(setup)?)?;
    output::stdout(&table(&policy, output::columns()))?;
    Ok(Exit::Clean)
}

fn is_own(row: &Row) -> bool {
    !row.name.starts_with("default.")
}

fn table(policy: &Policy, columns: usize) -> String {
    let rows = policy.rows();
    let name = rows
        .iter()
        .map(|row| row.name.len())
        .max()
        .unwrap_or(0)
        .max(3);
    let mut out = String::from(
        "The first row whose conditions all hold decides; numbers are confidences in percent.\n\n",
    );
    let _ = writeln!(
        out,
        "{:<name$}  {:>4} {:>6} {:>4} {:>5}  for",
        "row", "flag", "redact", "ask", "block"
    );
    for row in rows {
        let percent = |threshold: Option<f32>| {
            threshold.map_or_else(|| "-".to_owned(), |from| format!("{:.0}", from * 100.0))
        };
        let thresholds = row.thresholds;
        let _ = write!(
            out,
            "{:<name$}  {:>4} {:>6} {:>4} {:>5}  ",
            row.name,
            percent(thresholds.flag),
            percent(thresholds.redact),
            percent(thresholds.ask),
            percent(thresholds.block)
        );
        let indent = name + 26;
        let lines = wrapped(&conditions(row), columns.saturating_sub(indent).max(24));
        out.push_str(&lines.join(&format!("\n{:indent$}", "")));
        out.push('\n');
    }
    out.push('\n');
    let score = policy.score();
    let _ = writeln!(
        out,
        "score: serve from {:.2}, review from {:.2}, block below; enforced on {}",
        score.serve,
        score.review,
        list(&score.enforce, |direction| direction.as_str())
    );
    for layer in Layer::ALL {
        let settings = policy.layer(layer);
        let mut said = Vec::new();
        if !settings.enabled {
            said.push("off");
        }
        match settings.on_incomplete {
            OnIncomplete::Closed => {}
            OnIncomplete::Open => said.push("passes when incomplete"),
            OnIncomplete::Degrade => said.push("asks when incomplete and another layer flags"),
        }
        if settings.required {
            said.push("required");
        }
        if settings.shadow {
            said.push("in shadow");
        }
        if !said.is_empty() {
            let _ = writeln!(out, "layer {layer}: {}", said.join(", "));
        }
    }
    for exception in policy.exceptions() {
        let _ = writeln!(
            out,
            "allowed until {}: {} ({})",
            exception.expires,
            exception.rule,
            crate::render::safe::line(&exception.reason)
        );
    }
    if policy.is_shadow() {
        out.push_str("shadow: everything is reported and nothing is enforced\n");
    }
    let _ = writeln!(out, "version: {}", policy.version());
    out
}

/// What a row is about, in words.
fn conditions(row: &Row) -> String {
    let mut said = Vec::new();
    if !row.categories.is_empty() {
        said.push(list(&row.categories, |category| category.as_str()));
    }
    if !row.rules.is_empty() {
        said.push(row.rules.join(", "));
    }
    if !row.layers.is_empty() {
        said.push(format!(
            "layer {}",
            list(&row.layers, |layer| layer.as_str())
        ));
    }
    if let Some(severity) = row.min_severity {
        said.push(format!("{severity} or worse"));
    }
    if !row.origins.is_empty() {
        said.push(format!(
            "from {}",
            list(&row.origins, |origin| origin.as_str())
        ));
    }
    if let Some(direction) = row.direction {
        said.push(format!("on {direction}"));
    }
    if !row.routes.is_empty() {
        said.push(format!("route {}", row.routes.join(", ")));
    }
    if !row.tenants.is_empty() {
        said.push(format!("tenant {}", row.tenants.join(", ")));
    }
    if said.is_empty() {
        "everything else".to_owned()
    } else {
        said.join("; ")
    }
}

fn list<T>(items: &[T], name: impl Fn(&T) -> &'static str) -> String {
    let names: Vec<&str> = items.iter().map(name).collect();
    names.join(", ")
}
