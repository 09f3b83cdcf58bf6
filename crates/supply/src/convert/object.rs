//! Arrays of `NumPy` in a pickle (`numpy/_core/src/multiarray/methods.c`, `array_reduce`;
//! `numpy/_core/numeric.py`, `_frombuffer`).

use bartizan_formats::pickle::{PatchKind, Stretch, Value};

use super::{
    ConvertError,
    tensor::{Data, Tensor, Type, strides},
    walk::Walk,
};

const MODULES: &[&str] = &[
    "numpy.core.multiarray",
    "numpy._core.multiarray",
    "numpy.core.numeric",
    "numpy._core.numeric",
];

/// Whether a call makes an array.
pub(super) fn makes_array(module: &str, name: &str) -> bool {
    MODULES.contains(&module) && matches!(name, "_reconstruct" | "_frombuffer")
}

impl<'a> Walk<'a, '_> {
    pub(super) fn array(
        &mut self,
        number: usize,
        name: &str,
        arguments: &'a [Value],
        path: &str,
    ) -> Result<(), ConvertError> {
        let program = self.pickled.program;
        let parts = if name == "_frombuffer" {
            match arguments {
                [bytes, kind, shape, order] => {
                    let order = program.text(self.pickled.text, *order);
                    Some((*bytes, *kind, *shape, order.as_deref() == Some("F")))
                }
                _ => None,
            }
        } else {
            // (version, shape, type, is by columns, bytes)
            let patches = self.patches(number);
            let state = match patches.as_slice() {
                [patch] if patch.kind == PatchKind::Build => program.collection(patch.state),
                _ => None,
            };
            match state.map(|state| state.items.as_slice()) {
                Some(&[_, shape, kind, Value::Bool(by_columns), bytes]) => {
                    Some((bytes, kind, shape, by_columns))
                }
                _ => None,
            }
        };
        let Some((bytes, kind, shape, by_columns)) = parts else {
            self.plan.leave_out(path, "an array without its state");
            return Ok(());
        };
        let Some(kind) = self.kind(kind) else {
            let what = "an array of a type or byte order that is not converted";
            self.plan.leave_out(path, what);
            return Ok(());
        };
        let Value::Bytes(Stretch { at, length }) = bytes else {
            // Protocols 0 to 2 write them as text.
            self.use_up(bytes);
            let what = "an array whose bytes are not in the file as they are";
            self.plan.leave_out(path, what);
            return Ok(());
        };
        let name = if path.is_empty() { "tensor" } else { path };
        let wrong = |what| ConvertError::Tensor {
            name: name.to_owned(),
            what,
        };
        let shape = self
            .numbers(shape)
            .ok_or_else(|| wrong("its shape is none"))?;
        let strides = strides(&shape, by_columns);
        let at = self.pickled.base.saturating_add(at);
        let tensor = Tensor {
            name: name.to_owned(),
            kind,
            data: Data::Stored {
                at,
                strides: strides.ok_or_else(|| wrong("its shape cannot be counted"))?,
            },
            shape,
        };
        self.plan.stored(tensor, (at, length))
    }

    /// `numpy.dtype("f4", False, True)`, and the byte order that its state says.
    fn kind(&mut self, value: Value) -> Option<Type> {
        let program = self.pickled.program;
        let text = self.pickled.text;
        let (call, global) = self.use_up(value)?;
        let Value::Result(number) = value else {
            return None;
        };
        let code = program.text(text, *program.arguments(call)?.first()?)?;
        for patch in self.patches(number) {
            let state = program.collection(patch.state)?;
            let order = program.text(text, *state.items.get(1)?)?;
            if !matches!(&*order, "<" | "|" | "=") {
                return None;
            }
        }
        let is_dtype = global.module == "numpy" && global.name == "dtype";
        Type::of_numpy(&code).filter(|_| is_dtype)
    }
}
