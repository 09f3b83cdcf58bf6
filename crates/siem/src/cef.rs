//! ArcSight's Common Event Format, version 0 (Micro Focus, "Common Event Format", revision 25,
//! "Header Information" and "Extension Dictionary").

use std::fmt::Write as _;

use bartizan_core::Severity;

use crate::{Notice, notice::Facts};

/// Extensions beside those of every event: their key, and where an event may say it.
const EXTENSIONS: [(&str, &[&str]); 5] = [
    ("act", &["/details/action", "/action", "/decision"]),
    ("outcome", &["/outcome", "/status"]),
    ("reason", &["/reason"]),
    ("request", &["/endpoint"]),
    ("cat", &["/event_type", "/limit", "/detector", "/what"]),
];

/// Numbered extensions, which name themselves.
const LABELLED: [(&str, &str, &[&str]); 4] = [
    ("cs2", "rule", &["/details/rule", "/rule"]),
    ("cs3", "model", &["/details/model", "/model", "/resource"]),
    ("cs4", "layer", &["/details/layer"]),
    ("cs5", "policy", &["/policy_version"]),
];

/// An event as a line: `CEF:0|Bartizan|bartizan|VERSION|KIND|NAME|SEVERITY|EXTENSIONS`.
#[must_use]
pub fn line(notice: &Notice, version: &str) -> String {
    let facts = notice.facts();
    let mut line = String::from("CEF:0|Bartizan|bartizan|");
    header(version, &mut line);
    line.push('|');
    header(&notice.kind, &mut line);
    line.push('|');
    header(&notice.kind.replace('_', " "), &mut line);
    let _ = write!(
        line,
        "|{}|rt={} externalId={}",
        severity(notice.severity),
        notice.at_ms,
        notice.number
    );
    if !notice.principal.is_empty() {
        extension("suser", &notice.principal, &mut line);
    }
    direction(&facts, &mut line);
    for (key, pointers) in EXTENSIONS {
        if let Some(text) = facts.first(pointers) {
            extension(key, text, &mut line);
        }
    }
    if let Some(request) = &notice.request_id {
        labelled("cs1", "requestId", request, &mut line);
    }
    for (key, label, pointers) in LABELLED {
        if let Some(text) = facts.first(pointers) {
            labelled(key, label, text, &mut line);
        }
    }
    line
}

/// `deviceDirection`: 0 for what comes in, 1 for what goes out.
fn direction(facts: &Facts, line: &mut String) {
    match facts.text("/details/direction") {
        Some("input") => extension("deviceDirection", "0", line),
        Some("output") => extension("deviceDirection", "1", line),
        _ => {}
    }
}

/// 0 to 3 is low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

fn labelled(key: &str, label: &str, text: &str, line: &mut String) {
    extension(key, text, line);
    let _ = write!(line, " {key}Label={label}");
}

/// In extensions, `=`, `\`, and ends of lines are escaped.
fn extension(key: &str, text: &str, line: &mut String) {
    let _ = write!(line, " {key}=");
    for c in text.chars() {
        match c {
            '\\' | '=' => line.extend(['\\', c]),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            _ => line.push(c),
        }
    }
}

/// In the header, `|` and `\` are escaped, and ends of lines cannot stand.
fn header(text: &str, line: &mut String) {
    for c in text.chars() {
        match c {
            '\\' | '|' => line.extend(['\\', c]),
            '\n' | '\r' => line.push(' '),
            _ => line.push(c),
        }
    }
}
