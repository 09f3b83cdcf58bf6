//! Calls of tools: judged as parsed wholes before any of it is released.

use std::ops::Range;

use bartizan_core::{Origin, Verdict};
use bartizan_guard::{
    Judgement,
    conversation::{Part, PartKind},
};

use super::{
    core::{Core, Stop},
    json::{Edits, Kind, Tape, Value, quote, unescape},
    leaves::{is_long_number, is_plain_key},
};

/// How often a string may hold JSON whose strings hold JSON.
const MAX_NESTED: usize = 3;

/// Judges a call of the tool `name` with `arguments`, which are JSON or any text; gives the
/// arguments as they may be released.
pub(super) fn judge(
    core: &mut Core,
    channel: &str,
    name: &str,
    arguments: &str,
) -> Result<String, Stop> {
    let mut parts = vec![Part::new(
        "name",
        Origin::Model,
        PartKind::Field,
        name.to_owned(),
    )];
    collect(arguments, 0, &mut parts);
    let against = core
        .setup
        .calls
        .as_ref()
        .map_or_else(Vec::new, |examine| examine(name, arguments));
    let judgement = core.judge_with(channel, parts, against);
    let verdict = judgement.decision.enforced();
    let name_is_clean = judgement.removals(0).is_empty();
    if verdict >= Verdict::Ask || !name_is_clean {
        core.outcome.verdict = core.outcome.verdict.join(Verdict::Block);
        return Err(Stop::Blocked);
    }
    if verdict == Verdict::Allow && core.setup.restore.is_none() {
        return Ok(arguments.to_owned());
    }
    Ok(safe(core, &judgement, arguments, 0, &mut 1))
}

/// A string, a key, or a long number of a document.
struct Leaf<'a> {
    range: Range<usize>,
    text: std::borrow::Cow<'a, str>,
    /// Whether JSON in it is read.
    is_value: bool,
}

/// Calls `each` for the leaves of `value` in order.
fn leaves<'a>(value: Value<'a>, each: &mut impl FnMut(Leaf<'a>)) {
    let key = value.key();
    if !key.is_empty() && !is_plain_key(key) {
        each(Leaf {
            range: value.key_range(),
            text: unescape(key),
            is_value: false,
        });
    }
    match value.kind() {
        Kind::Null | Kind::Bool => {}
        Kind::Number => {
            if is_long_number(value.raw()) {
                each(Leaf {
                    range: value.range(),
                    text: value.raw().into(),
                    is_value: false,
                });
            }
        }
        Kind::String => each(Leaf {
            range: value.range(),
            text: value.str().unwrap_or_default(),
            is_value: true,
        }),
        Kind::Array | Kind::Object => {
            for child in value.children() {
                leaves(child, each);
            }
        }
    }
}

/// Reads `text` as the JSON that it holds, if it does.
fn document<'a>(tape: &'a mut Tape, text: &'a str, nested: usize) -> Option<Value<'a>> {
    let looks = nested <= MAX_NESTED && text.trim_start().starts_with(['{', '[']);
    looks.then(|| tape.read(text).ok()).flatten()
}

fn part(text: &str) -> Part {
    Part::new(
        "arguments",
        Origin::Model,
        PartKind::ToolCallArguments,
        text.to_owned(),
    )
}

/// One part per leaf, in order.
fn collect(text: &str, nested: usize, parts: &mut Vec<Part>) {
    let mut tape = Tape::default();
    let Some(root) = document(&mut tape, text, nested) else {
        parts.push(part(text));
        return;
    };
    leaves(root, &mut |leaf| {
        if leaf.is_value {
            collect(&leaf.text, nested + 1, parts);
        } else {
            parts.push(part(&leaf.text));
        }
    });
}

/// `text` with every leaf made safe and its placeholders turned back; `at` counts parts as
/// [`collect`] made them.
fn safe(
    core: &mut Core,
    judgement: &Judgement,
    text: &str,
    nested: usize,
    at: &mut usize,
) -> String {
    let mut tape = Tape::default();
    let Some(root) = document(&mut tape, text, nested) else {
        let safe = judgement.safe_text(*at, text.as_bytes(), core.redactor());
        *at += 1;
        let safe = String::from_utf8_lossy(&safe).into_owned();
        return match &core.setup.restore {
            Some(vault) if safe.contains('[') => vault.restore(&safe),
            _ => safe,
        };
    };
    let mut edits = Edits::default();
    leaves(root, &mut |leaf| {
        let new = if leaf.is_value {
            safe(core, judgement, &leaf.text, nested + 1, at)
        } else {
            let safe = judgement.safe_text(*at, leaf.text.as_bytes(), core.redactor());
            *at += 1;
            String::from_utf8_lossy(&safe).into_owned()
        };
        if new != leaf.text {
            let mut quoted = String::new();
            quote(&mut quoted, &new);
            edits.replace(leaf.range, &quoted);
        }
    });
    edits.apply(text)
}
