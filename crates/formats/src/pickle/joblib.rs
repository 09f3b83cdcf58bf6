//! The arrays that `joblib` keeps between the instructions (`joblib/numpy_pickle.py`,
//! `NumpyArrayWrapper.read_array`).

use super::{Program, Value};
use crate::{ParseError, Source};

const MODULE: &str = "joblib.numpy_pickle";
const CLASS: &str = "NumpyArrayWrapper";

/// Whether a global is the class whose objects announce an array.
pub(super) fn is_wrapper_class(module: &str, name: &str) -> bool {
    let module = module.strip_prefix("sklearn.externals.").unwrap_or(module);
    module == MODULE && name == CLASS
}

/// Whether a value is an object that announces an array.
pub(crate) fn is_wrapper(program: &Program, value: Value) -> bool {
    let is_class = |value: Value| {
        program
            .global(value)
            .is_some_and(|global| is_wrapper_class(&global.module, &global.name))
    };
    program.call(value).is_some_and(|call| {
        // `copyreg._reconstructor(class, object, None)` in protocols 0 and 1.
        let first = program.arguments(call).and_then(|all| all.first());
        is_class(call.callee) || first.is_some_and(|&first| is_class(first))
    })
}

/// An array as its wrapper announces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Array {
    /// Bytes of one item; `None` for objects, which are a pickle.
    item: Option<u64>,
    /// How many items.
    count: u64,
    /// Whether the bytes stand behind padding.
    aligned: bool,
}

impl Array {
    /// How many bytes follow at `position`; `None` if it is a pickle.
    pub(crate) fn bytes(
        self,
        source: &dyn Source,
        position: u64,
    ) -> Result<Option<u64>, ParseError> {
        let Some(item) = self.item else {
            return Ok(None);
        };
        let mut bytes = item.saturating_mul(self.count);
        if self.aligned {
            let padding = source.read(position, 1)?;
            let padding = padding.first().copied().unwrap_or_default();
            bytes = bytes.saturating_add(1 + u64::from(padding));
        }
        Ok(Some(bytes))
    }
}

/// Reads the state of a wrapper: `shape`, `dtype`, and perhaps `numpy_array_alignment_bytes`.
pub(crate) fn array(
    program: &Program,
    source: &dyn Source,
    state: Value,
    at: u64,
) -> Result<Array, ParseError> {
    let odd = || ParseError::malformed(at, "an array without shape or type");
    // A wrapper has six attributes, an array at most 64 dimensions.
    let short = |value| {
        let collection = program.collection(value)?;
        (collection.is_whole() && collection.items.len() <= 64).then_some(collection)
    };
    let state = short(state).ok_or_else(odd)?;
    let get = |wanted: &str| {
        let (pairs, _) = state.items.as_chunks::<2>();
        let is_wanted = |key: Value| program.text(source, key).as_deref() == Some(wanted);
        let pair = pairs.iter().rfind(|[key, _]| is_wanted(*key));
        pair.map(|&[_, value]| value)
    };
    let shape = get("shape").and_then(short).ok_or_else(odd)?;
    let mut count: u64 = 1;
    for &length in &shape.items {
        let Value::Int(length) = length else {
            return Err(odd());
        };
        count = count.saturating_mul(u64::try_from(length).map_err(|_| odd())?);
    }
    let dtype = get("dtype").ok_or_else(odd)?;
    let aligned = get("numpy_array_alignment_bytes").is_some_and(|bytes| bytes != Value::None);
    let item = item_bytes(program, source, dtype).ok_or_else(odd)?;
    Ok(Array {
        item,
        count,
        aligned,
    })
}

/// The size of `numpy.dtype("…")`; `Some(None)` for objects.
#[expect(clippy::option_option, reason = "unknown, objects, or a size")]
fn item_bytes(program: &Program, source: &dyn Source, dtype: Value) -> Option<Option<u64>> {
    let call = program.call(dtype)?;
    let is_dtype = program
        .global(call.callee)
        .is_some_and(|global| global.module == "numpy" && global.name == "dtype");
    let &first = program.arguments(call)?.first()?;
    let text = program.text(source, first).filter(|_| is_dtype)?;
    let text = text.trim_start_matches(['<', '>', '=', '|']);
    let mut characters = text.chars();
    let kind = characters.next()?;
    let digits = characters.as_str();
    match (kind, digits) {
        ('O', _) => Some(None),
        ('?', "") => Some(Some(1)),
        ('U', digits) => Some(Some(digits.parse::<u64>().ok()?.checked_mul(4)?)),
        (_, digits) => Some(Some(digits.parse().ok()?)),
    }
}
