//! From what a pickle gives back to the tensors in it.

use std::collections::{HashMap, HashSet};

use bartizan_formats::{
    Source,
    pickle::{Call, CollectionKind, Global, Patch, PatchKind, Program, Stretch, Value},
};

use super::{ConvertError, ConvertLimits, Plan, object::makes_array};

/// How deep containers may stand in containers.
const MAX_DEPTH: usize = 64;

/// Most bytes of a name with those of the containers around it.
const MAX_NAME: usize = 4 << 10;

/// What is looked at: a program, where its bytes are, and the storages beside it.
pub(super) struct Pickled<'a> {
    pub(super) program: &'a Program,
    /// What its texts are read from.
    pub(super) text: &'a dyn Source,
    /// Where that begins in the whole file.
    pub(super) base: u64,
    /// Storages by their keys, as bytes of the whole file.
    pub(super) storages: HashMap<String, Stretch>,
}

/// The walk while it goes on.
pub(super) struct Walk<'a, 's> {
    pub(super) pickled: &'a Pickled<'a>,
    pub(super) plan: Plan<'s>,
    patches: HashMap<usize, Vec<&'a Patch>>,
    used: HashSet<usize>,
    above: Vec<Value>,
    left: u64,
    limits: ConvertLimits,
}

/// Names of PyTorch's modules that hold tensors and stand in no name of a `state_dict`
/// (`torch/nn/modules/module.py`, `_save_to_state_dict`).
const SILENT: &[&str] = &["_modules", "_parameters", "_buffers"];

impl<'a, 's> Walk<'a, 's> {
    pub(super) fn new(pickled: &'a Pickled<'a>, plan: Plan<'s>, limits: &ConvertLimits) -> Self {
        let mut patches: HashMap<usize, Vec<&Patch>> = HashMap::new();
        for patch in &pickled.program.patches {
            if let Value::Result(call) = patch.object {
                patches.entry(call).or_default().push(patch);
            }
        }
        Self {
            pickled,
            plan,
            patches,
            used: HashSet::new(),
            above: Vec::new(),
            left: limits.max_values,
            limits: *limits,
        }
    }

    /// Walks everything that the pickle gives back.
    pub(super) fn run(mut self) -> Result<Plan<'s>, ConvertError> {
        let result = self.pickled.program.result;
        let result = result.ok_or(ConvertError::Format("the pickle gives nothing back"))?;
        self.visit(result, "")?;
        let program = self.pickled.program;
        for (number, call) in program.calls.iter().enumerate() {
            // Called for what it does, and not for what it gives back.
            if !self.used.contains(&number) {
                let what = format!("a call of {} beside everything", named(program, call));
                self.plan.leave_out("", what);
            }
        }
        self.plan.finish(&self.limits)
    }

    pub(super) fn patches(&self, call: usize) -> Vec<&'a Patch> {
        self.patches.get(&call).cloned().unwrap_or_default()
    }

    /// A call of which no other part is looked at.
    pub(super) fn use_up(&mut self, value: Value) -> Option<(&'a Call, &'a Global)> {
        let Value::Result(number) = value else {
            return None;
        };
        self.used.insert(number);
        let program = self.pickled.program;
        let call = program.call(value)?;
        Some((call, program.global(call.callee)?))
    }

    pub(super) fn visit(&mut self, value: Value, path: &str) -> Result<(), ConvertError> {
        self.left = self.left.checked_sub(1).ok_or(ConvertError::Exhausted {
            limit: "max-values",
            max: self.limits.max_values,
        })?;
        if self.above.contains(&value) {
            self.plan.leave_out(path, "a container that holds itself");
            return Ok(());
        }
        if path.len() > MAX_NAME {
            return Err(ConvertError::Exhausted {
                limit: "bytes of a name",
                max: MAX_NAME as u64,
            });
        }
        if self.above.len() >= MAX_DEPTH {
            return Err(ConvertError::Exhausted {
                limit: "containers in containers",
                max: MAX_DEPTH as u64,
            });
        }
        let is_outer = matches!(value, Value::Collection(_) | Value::Result(_));
        if !is_outer {
            self.plan.leave_out(path, kind(value));
            return Ok(());
        }
        self.above.push(value);
        let looked = match value {
            Value::Collection(_) => self.container(value, path),
            Value::Result(number) => self.object(number, path),
            _ => Ok(()),
        };
        self.above.pop();
        looked
    }

    fn container(&mut self, value: Value, path: &str) -> Result<(), ConvertError> {
        let Some(collection) = self.pickled.program.collection(value) else {
            return Ok(());
        };
        if !collection.is_whole() {
            return Err(ConvertError::Exhausted {
                limit: "items of one container",
                max: collection.items.len() as u64,
            });
        }
        match collection.kind {
            CollectionKind::Dict => self.pairs(&collection.items, path),
            CollectionKind::List | CollectionKind::Tuple => {
                for (number, &item) in collection.items.iter().enumerate() {
                    self.visit(item, &join(path, &number.to_string()))?;
                }
                Ok(())
            }
            CollectionKind::Set | CollectionKind::FrozenSet => {
                if collection.count > 0 {
                    self.plan.leave_out(path, "a set");
                }
                Ok(())
            }
        }
    }

    /// Keys and values in turn.
    fn pairs(&mut self, items: &'a [Value], path: &str) -> Result<(), ConvertError> {
        let (pairs, _) = items.as_chunks::<2>();
        for &[key, value] in pairs {
            let name = match key {
                Value::Int(number) => Some(number.to_string()),
                key => self.pickled.program.text(self.pickled.text, key),
            };
            match name {
                Some(name) if SILENT.contains(&&*name) => self.visit(value, path)?,
                Some(name) => self.visit(value, &join(path, &name))?,
                None => self.plan.leave_out(path, "an entry whose key is no text"),
            }
        }
        Ok(())
    }

    fn object(&mut self, number: usize, path: &str) -> Result<(), ConvertError> {
        let program = self.pickled.program;
        self.used.insert(number);
        let Some(call) = program.calls.get(number) else {
            return Ok(());
        };
        let Some(global) = program.global(call.callee) else {
            self.plan.leave_out(path, "the result of a computed call");
            return Ok(());
        };
        let arguments = program.arguments(call).unwrap_or_default();
        match (&*global.module, &*global.name) {
            ("collections", "OrderedDict" | "defaultdict") => self.ordered(number, arguments, path),
            (module, name) if makes_array(module, name) => {
                self.array(number, name, arguments, path)
            }
            (module, name) => {
                if self.rebuilt(module, name, arguments, path)? {
                    return Ok(());
                }
                self.plan
                    .leave_out(path, format!("an object of `{module}.{name}`"));
                self.state(number, path)
            }
        }
    }

    /// `OrderedDict()` or `OrderedDict([[key, value], ...])`, and what is put into it.
    fn ordered(
        &mut self,
        number: usize,
        arguments: &'a [Value],
        path: &str,
    ) -> Result<(), ConvertError> {
        let program = self.pickled.program;
        for &argument in arguments {
            match argument {
                // The factory of a `defaultdict`.
                Value::Global(_) | Value::None => {}
                argument => {
                    let pairs = program.collection(argument);
                    for &pair in pairs.map_or(&[][..], |pairs| &pairs.items) {
                        let pair = program.collection(pair);
                        self.pairs(pair.map_or(&[], |pair| &pair.items), path)?;
                    }
                }
            }
        }
        for patch in self.patches(number) {
            match patch.kind {
                PatchKind::SetItem => {
                    let state = program.collection(patch.state);
                    let state = state.filter(|state| state.is_whole());
                    let state = state.ok_or(ConvertError::Exhausted {
                        limit: "items of one container",
                        max: 0,
                    })?;
                    self.pairs(&state.items, path)?;
                }
                PatchKind::Build => self.attributes(patch.state, path),
                PatchKind::Append | PatchKind::Add => {
                    self.plan.leave_out(path, "items that are no pairs");
                }
            }
        }
        Ok(())
    }

    /// A `state_dict` carries the versions of its modules, which no format but PyTorch's keeps.
    fn attributes(&mut self, state: Value, path: &str) {
        let program = self.pickled.program;
        let items = program
            .collection(state)
            .map_or(&[][..], |state| &state.items);
        let (pairs, _) = items.as_chunks::<2>();
        for &[key, value] in pairs {
            let name = program.text(self.pickled.text, key).unwrap_or_default();
            if name == "_metadata" {
                self.forget(value, 0);
                let note = "the versions of modules (`_metadata`) are not kept";
                if !self.plan.notes.iter().any(|known| known == note) {
                    self.plan.notes.push(note.to_owned());
                }
            } else {
                let path = join(path, &name);
                self.plan.leave_out(&path, "an attribute of a dictionary");
                self.forget(value, 0);
            }
        }
    }

    /// Marks calls that stand in something that is not kept, so that each is named once.
    pub(super) fn forget(&mut self, value: Value, depth: usize) {
        let program = self.pickled.program;
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Result(number) if self.used.insert(number) => {
                if let Some(call) = program.calls.get(number) {
                    self.forget(call.arguments, depth + 1);
                }
                for patch in self.patches(number) {
                    self.forget(patch.state, depth + 1);
                }
            }
            Value::Collection(_) => {
                let items = program.collection(value);
                for &item in items.map_or(&[][..], |items| &items.items) {
                    self.forget(item, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// The state of an object that is left out may hold tensors.
    fn state(&mut self, number: usize, path: &str) -> Result<(), ConvertError> {
        for patch in self.patches(number) {
            self.visit(patch.state, path)?;
        }
        Ok(())
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn named(program: &Program, call: &Call) -> String {
    match program.global(call.callee) {
        Some(global) => format!("`{}.{}`", global.module, global.name),
        None => "something computed".to_owned(),
    }
}

const fn kind(value: Value) -> &'static str {
    match value {
        Value::None => "`None`",
        Value::Bool(_) => "a truth value",
        Value::Int(_) | Value::Number => "a number",
        Value::Text(_) => "a text",
        Value::Bytes(_) | Value::Buffer => "bytes",
        Value::Global(_) | Value::Extension(_) => "something imported",
        Value::Persistent(_) => "a storage without a tensor",
        Value::Collection(_) | Value::Result(_) => "a container",
    }
}
