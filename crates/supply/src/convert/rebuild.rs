//! What PyTorch rebuilds tensors with (`torch/_utils.py`, `torch/_tensor.py`).

use bartizan_formats::pickle::{CollectionKind, Value};

use super::{
    ConvertError,
    tensor::{Data, Tensor, Type},
    walk::Walk,
};

impl<'a> Walk<'a, '_> {
    /// Adds the tensor that a call gives back; false if it gives none.
    pub(super) fn rebuilt(
        &mut self,
        module: &str,
        name: &str,
        arguments: &'a [Value],
        path: &str,
    ) -> Result<bool, ConvertError> {
        match (module, name, arguments) {
            (
                "torch._utils",
                "_rebuild_tensor_v2",
                [storage, offset, shape, strides, _, hooks, ..],
            ) => {
                self.hooks(*hooks, path);
                self.tensor([*storage, *offset, *shape, *strides], None, path)?;
            }
            ("torch._utils", "_rebuild_tensor", [storage, offset, shape, strides]) => {
                self.tensor([*storage, *offset, *shape, *strides], None, path)?;
            }
            (
                "torch._utils",
                "_rebuild_tensor_v3",
                [storage, offset, shape, strides, _, hooks, kind, ..],
            ) => {
                self.hooks(*hooks, path);
                self.tensor([*storage, *offset, *shape, *strides], Some(*kind), path)?;
            }
            ("torch._utils", "_rebuild_parameter", [data, _, hooks]) => {
                self.hooks(*hooks, path);
                self.visit(*data, path)?;
            }
            ("torch._utils", "_rebuild_parameter_with_state", [data, _, hooks, state]) => {
                self.hooks(*hooks, path);
                self.visit(*data, path)?;
                self.plan.leave_out(path, "attributes of a parameter");
                self.forget(*state, 0);
            }
            ("torch._tensor", "_rebuild_from_type_v2", [function, _, inner, state]) => {
                let program = self.pickled.program;
                let (Some(global), Some(inner)) =
                    (program.global(*function), program.collection(*inner))
                else {
                    return Ok(false);
                };
                let is_own = (&*global.module, &*global.name) == (module, name);
                if is_own || !self.rebuilt(&global.module, &global.name, &inner.items, path)? {
                    return Ok(false);
                }
                if *state != Value::None {
                    self.plan.leave_out(path, "attributes of a tensor");
                    self.forget(*state, 0);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Hooks are code; an empty table of them stands beside every tensor.
    fn hooks(&mut self, hooks: Value, path: &str) {
        let is_empty = match self.use_up(hooks) {
            Some((call, global)) => {
                let Value::Result(number) = hooks else { return };
                let arguments = self.pickled.program.collection(call.arguments);
                global.name == "OrderedDict"
                    && arguments.is_some_and(|arguments| arguments.count == 0)
                    && self.patches(number).is_empty()
            }
            None => matches!(hooks, Value::None),
        };
        if !is_empty {
            self.plan.leave_out(path, "hooks of a tensor");
        }
    }

    fn tensor(
        &mut self,
        [storage, offset, shape, strides]: [Value; 4],
        kind: Option<Value>,
        path: &str,
    ) -> Result<(), ConvertError> {
        let name = if path.is_empty() { "tensor" } else { path };
        let program = self.pickled.program;
        let wrong = |what| ConvertError::Tensor {
            name: name.to_owned(),
            what,
        };
        let Value::Persistent(id) = storage else {
            self.plan.leave_out(path, "a tensor without a storage");
            return Ok(());
        };
        let id = program.persistent.get(id).map(|(id, _)| *id);
        let id = id.and_then(|id| program.collection(id));
        let id = id.map_or(&[][..], |id| &id.items);
        let [_, class, key, _, _, more @ ..] = id else {
            return Err(wrong("its storage has no name"));
        };
        let named = program.global(kind.unwrap_or(*class));
        let named = named.ok_or_else(|| wrong("its type has no name"))?;
        let Some(kind) = Type::of_torch(&named.name) else {
            let what = format!(
                "a tensor of `{}`, which the format does not have",
                named.name
            );
            self.plan.leave_out(path, what);
            return Ok(());
        };
        let key = program.text(self.pickled.text, *key);
        let key = key.ok_or_else(|| wrong("its storage has no name"))?;
        let stretch = self.pickled.storages.get(&key).copied();
        let stretch = stretch.ok_or_else(|| wrong("its storage is not in the file"))?;
        // A storage that is a part of another one, before 1.6: key, first item, items.
        let first = match more.first().and_then(|view| program.collection(*view)) {
            Some(view) => match view.items.as_slice() {
                [_, Value::Int(first), _] => u64::try_from(*first).ok(),
                _ => None,
            },
            None => Some(0),
        };
        let Value::Int(offset) = offset else {
            return Err(wrong("its place in the storage is no number"));
        };
        let offset = u64::try_from(offset).ok();
        let at = first.zip(offset).and_then(|(first, offset)| {
            let bytes = first.checked_add(offset)?.checked_mul(kind.bytes)?;
            stretch.at.checked_add(bytes)
        });
        let tensor = Tensor {
            name: name.to_owned(),
            kind,
            shape: self
                .numbers(shape)
                .ok_or_else(|| wrong("its shape is none"))?,
            data: Data::Stored {
                at: at.ok_or_else(|| wrong("it reaches out of its storage"))?,
                strides: self
                    .numbers(strides)
                    .ok_or_else(|| wrong("its strides are none"))?,
            },
        };
        self.plan.stored(tensor, (stretch.at, stretch.length))
    }

    /// A tuple of numbers that are not negative.
    pub(super) fn numbers(&mut self, value: Value) -> Option<Vec<u64>> {
        let program = self.pickled.program;
        // `torch.Size((2, 3))` stands for its only argument.
        let value = match self.use_up(value) {
            Some((call, global)) if global.name == "Size" => *program.arguments(call)?.first()?,
            Some(_) => return None,
            None => value,
        };
        let collection = program.collection(value)?;
        let is_list = matches!(
            collection.kind,
            CollectionKind::Tuple | CollectionKind::List
        );
        let numbers = collection.items.iter().map(|item| match item {
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        });
        numbers
            .collect::<Option<Vec<u64>>>()
            .filter(|_| is_list && collection.is_whole())
    }
}
