//! A value as the calls that make it: names of imports only, never what is passed.

use bartizan_formats::pickle::{Program, Value};

/// Most characters of a chain.
const MOST: usize = 160;

/// How deep calls in calls are written.
const DEPTH: u32 = 6;

/// A name that is fit to be shown.
pub(super) fn shown(module: &str, name: &str) -> String {
    let whole = format!("{module}.{name}");
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' || c == '.' {
            c
        } else {
            '·'
        }
    };
    let mut text: String = whole.chars().take(MOST / 2).map(fit).collect();
    if whole.chars().nth(MOST / 2).is_some() {
        text.push('…');
    }
    text
}

/// `builtins.getattr(os)(…)`: how the value comes about.
pub(super) fn chain(program: &Program, value: Value) -> String {
    let mut out = String::new();
    write(program, value, DEPTH, &mut out);
    if out.chars().count() > MOST {
        out = out.chars().take(MOST).collect();
        out.push('…');
    }
    out
}

fn write(program: &Program, value: Value, depth: u32, out: &mut String) {
    if out.len() > 2 * MOST {
        return;
    }
    if let Some(global) = program.global(value) {
        out.push_str(&shown(&global.module, &global.name));
        return;
    }
    let Some(call) = program.call(value) else {
        out.push('…');
        return;
    };
    let Some(deeper) = depth.checked_sub(1) else {
        out.push('…');
        return;
    };
    write(program, call.callee, deeper, out);
    out.push('(');
    let collection = program.collection(call.arguments);
    let arguments = collection.map(|all| &*all.items).unwrap_or_default();
    for (number, &argument) in arguments.iter().take(4).enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        write(program, argument, deeper, out);
    }
    out.push(')');
}
