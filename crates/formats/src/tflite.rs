use std::collections::BTreeSet;

use crate::{ParseError, Source, Table};

/// How many operators and tensors one model may hold.
const MAX_PARTS: u64 = 5_000_000;

/// What a TensorFlow Lite model asks its runtime for.
///
/// Source: `tensorflow/compiler/mlir/lite/schema/schema.fbs`; indices are its fields in order.
#[derive(Debug, Default)]
pub struct TfLite {
    /// Names of operators that are not built in; those of TensorFlow itself begin with `Flex`.
    pub custom: BTreeSet<String>,
}

/// `BuiltinOperator.CUSTOM`.
const CUSTOM: u32 = 32;

impl TfLite {
    /// Walks the model and checks that every index and every offset stays inside it.
    ///
    /// # Errors
    /// When one does not, or a bound is reached.
    pub fn read(source: &dyn Source) -> Result<Self, ParseError> {
        let model = Table::root(source)?;
        let codes = model.vector(1, 4)?;
        let mut found = Self::default();
        for code in codes.tables() {
            let code = code?;
            let builtin = u32::from(code.u8(0)?).max(code.u32(3)?);
            let name = code.text(1)?;
            if builtin == CUSTOM || !name.is_empty() {
                found.custom.insert(name);
            }
        }
        let buffers = model.vector(4, 4)?;
        for buffer in buffers.tables() {
            let buffer = buffer?;
            buffer.vector(0, 1)?;
            let (offset, size) = (buffer.u64(1)?, buffer.u64(2)?);
            // Offset 1 stands for none: the schema says "values 0 or 1 are ignored".
            if offset > 1 && offset.saturating_add(size) > source.len() {
                return Err(ParseError::malformed(
                    offset,
                    "a buffer ends after the file",
                ));
            }
        }
        let mut parts = codes.len + buffers.len;
        for graph in model.vector(2, 4)?.tables() {
            let graph = graph?;
            let tensors = graph.vector(0, 4)?;
            let operators = graph.vector(3, 4)?;
            parts = parts.saturating_add(tensors.len + operators.len);
            if parts > MAX_PARTS {
                return Err(ParseError::Exhausted {
                    limit: "tflite parts",
                    max: MAX_PARTS,
                });
            }
            for tensor in tensors.tables() {
                within(u64::from(tensor?.u32(2)?), buffers.len, "a buffer")?;
            }
            for field in [1, 2] {
                let list = graph.vector(field, 4)?;
                for index in 0..list.len {
                    within(u64::from(list.u32(index)?), tensors.len, "a tensor")?;
                }
            }
            for operator in operators.tables() {
                let operator = operator?;
                within(u64::from(operator.u32(0)?), codes.len, "an operator")?;
                for field in [1, 2] {
                    let list = operator.vector(field, 4)?;
                    for index in 0..list.len {
                        let tensor = list.u32(index)?;
                        // -1 stands for an input that is left out.
                        if tensor != u32::MAX {
                            within(u64::from(tensor), tensors.len, "a tensor")?;
                        }
                    }
                }
            }
        }
        for note in model.vector(6, 4)?.tables() {
            within(u64::from(note?.u32(1)?), buffers.len, "a buffer")?;
        }
        Ok(found)
    }
}

fn within(index: u64, len: u64, what: &'static str) -> Result<(), ParseError> {
    if index < len {
        return Ok(());
    }
    Err(ParseError::malformed(
        0,
        format!("the model refers to {what} that it does not have"),
    ))
}
