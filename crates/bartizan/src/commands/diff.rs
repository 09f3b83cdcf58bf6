//! `bartizan diff`: what changed between two runs of `scan` or `deps`.

use std::fmt::Write as _;

use serde_json::json;

use crate::{
    cli::{Diff, PlainFormat},
    exit::Exit,
    findings::{Changes, Saved, Seen, changes},
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// Compares two runs. New findings end as findings do; what the later run did not look at keeps the
/// answer from being complete.
pub(crate) fn run(arguments: &Diff) -> Result<Exit, Problems> {
    let (old, new) = (Saved::read(&arguments.old)?, Saved::read(&arguments.new)?);
    if old.command != new.command {
        let message = format!(
            "the runs are of `{}` and of `{}`",
            safe::line(&old.command),
            safe::line(&new.command)
        );
        return Err(Problem::new(message)
            .help("compare runs of one command")
            .into());
    }
    let changes = changes(&old, &new);
    output::stdout(&match arguments.format {
        PlainFormat::Human => as_text(&changes, &old, &new),
        PlainFormat::Json => as_json(&changes, &old, &new),
    })?;
    Ok(if changes.new.iter().any(|seen| !seen.accepted) {
        Exit::Findings
    } else if changes.open.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

fn as_text(changes: &Changes<'_>, old: &Saved, new: &Saved) -> String {
    let mut text = String::new();
    let lists = [
        ("new", &changes.new),
        ("gone", &changes.gone),
        ("not looked at again", &changes.unknown),
    ];
    for (word, list) in lists {
        for seen in list {
            let accepted = if seen.accepted { ", accepted" } else { "" };
            let line = format!(
                "{word}: {}[{}] in {}: {}{accepted} ({})",
                seen.severity, seen.rule, seen.path, seen.message, seen.fingerprint
            );
            let _ = writeln!(text, "{}", safe::line(&line));
        }
    }
    for open in &changes.open {
        let line = format!(
            "incomplete: `{}` did not look at all of {}",
            open.check, open.path
        );
        let _ = writeln!(text, "{}", safe::line(&line));
    }
    let _ = writeln!(
        text,
        "{} new, {} gone, {} unchanged from {} to {}",
        changes.new.len(),
        changes.gone.len(),
        changes.unchanged,
        safe::line(&old.day),
        safe::line(&new.day)
    );
    text
}

fn as_json(changes: &Changes<'_>, old: &Saved, new: &Saved) -> String {
    let list = |seen: &[&Seen]| json!(seen);
    let said = json!({
        "version": 1,
        "command": new.command,
        "from": old.day,
        "to": new.day,
        "new": list(&changes.new),
        "gone": list(&changes.gone),
        "not_looked_at_again": list(&changes.unknown),
        "unchanged": changes.unchanged,
        "incomplete": changes.open,
    });
    format!("{said:#}\n")
}
