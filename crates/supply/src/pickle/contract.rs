//! Whether an allowed name is used as its library uses it.

use bartizan_core::Rule;
use bartizan_formats::{
    Source,
    pickle::{Call, CallKind, Program, Stretch, Value},
};

use super::{
    names::{Contract, Standing, is_escape, standing},
    rules,
};

/// What a call of an allowed name comes to.
pub(super) enum Use {
    /// As its library writes it.
    Proper,
    /// Not so.
    Odd(&'static Rule),
    /// It loads these bytes.
    Loads(Stretch),
}

/// Values of arguments that are looked at: a few references make a walk without end.
const LOOKED_AT: usize = 256;

/// Codecs that change no text.
const CODECS: &[&str] = &[
    "latin1",
    "latin-1",
    "iso-8859-1",
    "ascii",
    "utf-8",
    "utf8",
    "utf_8",
];

/// Judges one call of something under `contract`.
pub(super) fn judge(
    program: &Program,
    source: &dyn Source,
    call: &Call,
    contract: Contract,
) -> Use {
    let arguments = program.arguments(call);
    let first = arguments.and_then(|all| all.first()).copied();
    let proper = match contract {
        Contract::Value => false,
        Contract::Call => true,
        Contract::New => {
            matches!(call.kind, CallKind::New | CallKind::NewKeywords)
                || arguments.is_some_and(<[Value]>::is_empty)
        }
        Contract::Literal => is_literal(program, call.arguments),
        Contract::Codec => is_plain_codec(program, source, arguments),
        Contract::Maker => first.is_some_and(|class| program.global(class).is_some()),
        Contract::Tensor => matches!(first, Some(Value::Persistent(_) | Value::Result(_))),
        Contract::Partial => first.is_some_and(|callee| is_listed(program, callee)),
        Contract::Bytes => {
            return match first {
                Some(Value::Bytes(bytes)) => Use::Loads(bytes),
                // Protocol 2 writes bytes as `_codecs.encode(text, "latin1")`.
                Some(Value::Result(_)) => Use::Odd(&rules::UNUSUAL),
                _ => Use::Odd(&rules::NESTED),
            };
        }
        Contract::Carries => return Use::Odd(&rules::CARRIES),
        Contract::Attribute if is_known_method(program, source, call) => true,
        Contract::Attribute => return Use::Odd(attribute(program, source, arguments)),
    };
    if proper {
        Use::Proper
    } else {
        Use::Odd(&rules::UNUSUAL)
    }
}

/// Methods that libraries write as `getattr(class, "name")`: they make an object from its arguments.
const METHODS: &[(&str, &str, &str)] = &[("zoneinfo", "ZoneInfo", "_unpickle")];

/// Whether a call looks up one of [`METHODS`].
pub(super) fn is_known_method(program: &Program, source: &dyn Source, call: &Call) -> bool {
    let Some(&[class, attribute]) = program.arguments(call) else {
        return false;
    };
    let (Some(class), Some(attribute)) = (program.global(class), program.text(source, attribute))
    else {
        return false;
    };
    METHODS.contains(&(&class.module, &class.name, &attribute))
}

/// `getattr` of a bound method is written by real libraries; what leads out of the object is not.
fn attribute(program: &Program, source: &dyn Source, arguments: Option<&[Value]>) -> &'static Rule {
    let Some(&[_, attribute, ..]) = arguments else {
        return &rules::INDIRECTION;
    };
    match program.text(source, attribute) {
        Some(attribute) if !is_escape(&attribute) => &rules::ATTRIBUTE,
        _ => &rules::INDIRECTION,
    }
}

fn is_plain_codec(program: &Program, source: &dyn Source, arguments: Option<&[Value]>) -> bool {
    let codec = match arguments {
        Some([_]) => return true,
        Some(&[_, codec, ..]) => codec,
        _ => return false,
    };
    program
        .text(source, codec)
        .is_some_and(|codec| CODECS.contains(&&*codec.to_ascii_lowercase()))
}

/// Whether a value is an import of the allow-list.
fn is_listed(program: &Program, value: Value) -> bool {
    program.global(value).is_some_and(|global| {
        matches!(
            standing(&global.module, &global.name),
            Standing::Allowed(contract) if contract != Contract::Attribute
        )
    })
}

/// Whether nothing in a value was imported or called.
fn is_literal(program: &Program, value: Value) -> bool {
    let mut left = vec![value];
    for _ in 0..LOOKED_AT {
        let Some(value) = left.pop() else { return true };
        match value {
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Number
            | Value::Text(_)
            | Value::Bytes(_) => {}
            Value::Collection(_) => match program.collection(value) {
                Some(collection) if collection.count <= LOOKED_AT as u64 => {
                    left.extend(&collection.items);
                }
                _ => return false,
            },
            Value::Global(_)
            | Value::Result(_)
            | Value::Extension(_)
            | Value::Persistent(_)
            | Value::Buffer => return false,
        }
        if left.len() > LOOKED_AT {
            return false;
        }
    }
    false
}
