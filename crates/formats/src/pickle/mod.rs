//! Python's pickles: programs for a small stack machine, which loaders run.
//!
//! [`Program::read`] follows the instructions of protocols 0 to 5 as CPython's C unpickler reads
//! them (`Modules/_pickle.c`), which is more lenient than `pickletools`, and notes where the two
//! differ. It imports and calls nothing: what comes out is the list of what loading would do.

mod cursor;
mod joblib;
mod machine;
mod opcode;
mod program;
mod read;
mod value;

pub use program::{Dialect, End, PickleLimits, Program};
pub use value::{
    Call, CallKind, Collection, CollectionKind, Global, Patch, PatchKind, Quirk, Stretch, Text,
    Value,
};

use crate::{ParseError, Source};

/// Instructions that are read to tell a pickle from text.
const PROBE: PickleLimits = PickleLimits {
    max_instructions: 4 << 10,
    max_values: 16 << 10,
    max_items: 4 << 10,
};

/// Whether the bytes begin as a pickle does.
///
/// From protocol 2 on the first two bytes say so. Older ones are text, so they must do something: end
/// at their STOP, or call something before they break or go on for long.
#[must_use]
pub fn is_pickle(source: &dyn Source) -> bool {
    match source.read(0, 2).as_deref() {
        Ok([0x80, 0..=5]) => return true,
        Ok(&[first, _]) if opcode::Opcode::of(first).is_some() => {}
        _ => return false,
    }
    let program = Program::read(source, 0, Dialect::Plain, PROBE);
    match program.end {
        // One instruction and a full stop are a word of text.
        End::Stop => program.instructions > 1,
        End::Broken(ParseError::Exhausted { .. }) => program.instructions > 64,
        End::Broken(_) => !program.calls.is_empty() || !program.patches.is_empty(),
    }
}

/// Whether a global announces that the bytes of an array stand between the instructions.
#[must_use]
pub fn is_joblib(program: &Program) -> bool {
    let mut globals = program.globals.iter();
    globals.any(|global| joblib::is_wrapper_class(&global.module, &global.name))
}
