use std::collections::HashMap;

use super::{
    Call, CallKind, Collection, CollectionKind, Dialect, End, Global, Patch, PatchKind,
    PickleLimits, Program, Stretch, Value, joblib,
    opcode::Opcode,
    read::{Argument, Instruction, Instructions},
};
use crate::{ParseError, Source};

/// The unpickler's stack, marks, and memo over values of which only a little is known.
///
/// Does what CPython's `Modules/_pickle.c` does, instruction by instruction, but imports, calls, and
/// alters nothing: it notes what would be.
pub(crate) struct Machine<'a> {
    source: &'a dyn Source,
    instructions: Instructions<'a>,
    dialect: Dialect,
    limits: PickleLimits,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u64, Value>,
    names: HashMap<(String, String), usize>,
    protocol: i64,
    /// What the pickles between the instructions keep.
    inner_values: usize,
    program: Program,
}

/// Highest protocol that there is.
const HIGHEST: i64 = 5;

impl<'a> Machine<'a> {
    pub(crate) fn new(
        source: &'a dyn Source,
        start: u64,
        dialect: Dialect,
        limits: PickleLimits,
    ) -> Self {
        Self {
            source,
            instructions: Instructions::new(source, start),
            dialect,
            limits,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            names: HashMap::new(),
            protocol: 0,
            inner_values: 0,
            program: Program {
                globals: Vec::new(),
                calls: Vec::new(),
                patches: Vec::new(),
                collections: Vec::new(),
                persistent: Vec::new(),
                extensions: Vec::new(),
                quirks: Vec::new(),
                inner: Vec::new(),
                inline_bytes: 0,
                largest_index: 0,
                instructions: 0,
                result: None,
                start,
                after: start,
                end: End::Stop,
            },
        }
    }

    pub(crate) fn run(mut self) -> Program {
        let end = loop {
            match self.step() {
                Ok(false) => {}
                Ok(true) => break End::Stop,
                Err(error) => break End::Broken(error),
            }
        };
        self.program.end = end;
        self.program.after = self.instructions.cursor.position;
        self.program.quirks = self.instructions.quirks;
        self.program
    }

    /// Does one instruction; true at STOP.
    fn step(&mut self) -> Result<bool, ParseError> {
        let instruction = self.instructions.next()?;
        self.program.instructions += 1;
        if self.program.instructions > self.limits.max_instructions {
            return Err(ParseError::Exhausted {
                limit: "max-instructions",
                max: self.limits.max_instructions,
            });
        }
        if self.values() > self.limits.max_values {
            return Err(ParseError::Exhausted {
                limit: "max-values",
                max: self.limits.max_values as u64,
            });
        }
        if instruction.opcode == Opcode::Stop {
            let result = self.pop(instruction.at)?;
            self.program.result = Some(result);
            return Ok(true);
        }
        self.execute(instruction)?;
        Ok(false)
    }

    /// How much is kept.
    fn values(&self) -> usize {
        let program = &self.program;
        program.collections.len()
            + program.calls.len()
            + program.globals.len()
            + program.patches.len()
            + program.persistent.len()
            + program.extensions.len()
            + self.inner_values
            + self.memo.len()
            + self.stack.len()
            + self.marks.len()
    }

    fn execute(&mut self, instruction: Instruction) -> Result<(), ParseError> {
        let Instruction {
            at,
            opcode,
            argument,
        } = instruction;
        match opcode {
            // Handled by `step`, or without meaning here.
            Opcode::Stop | Opcode::Frame => {}
            Opcode::Proto => match argument {
                Argument::Number(Some(protocol @ 0..=HIGHEST)) => self.protocol = protocol,
                _ => return Err(ParseError::malformed(at, "a protocol that does not exist")),
            },
            Opcode::None => self.stack.push(Value::None),
            Opcode::NewTrue => self.stack.push(Value::Bool(true)),
            Opcode::NewFalse => self.stack.push(Value::Bool(false)),
            Opcode::Int
            | Opcode::BinInt
            | Opcode::BinInt1
            | Opcode::BinInt2
            | Opcode::Long
            | Opcode::Long1
            | Opcode::Long4
            | Opcode::Float
            | Opcode::BinFloat
            | Opcode::String
            | Opcode::BinString
            | Opcode::ShortBinString
            | Opcode::Unicode
            | Opcode::BinUnicode
            | Opcode::ShortBinUnicode
            | Opcode::BinUnicode8
            | Opcode::BinBytes
            | Opcode::ShortBinBytes
            | Opcode::BinBytes8
            | Opcode::ByteArray8 => self.stack.push(literal(argument)),
            Opcode::NextBuffer => self.stack.push(Value::Buffer),
            Opcode::ReadonlyBuffer => {
                self.top(at)?;
            }
            Opcode::Mark => self.marks.push(self.stack.len()),
            Opcode::Pop => self.pop_or_mark(at)?,
            Opcode::PopMark => {
                self.marked(at)?;
            }
            Opcode::Dup => {
                let value = self.top(at)?;
                self.stack.push(value);
            }
            Opcode::EmptyTuple => self.collect(CollectionKind::Tuple, &[]),
            Opcode::EmptyList => self.collect(CollectionKind::List, &[]),
            Opcode::EmptyDict => self.collect(CollectionKind::Dict, &[]),
            Opcode::EmptySet => self.collect(CollectionKind::Set, &[]),
            Opcode::Tuple => self.collect_marked(CollectionKind::Tuple, at)?,
            Opcode::List => self.collect_marked(CollectionKind::List, at)?,
            Opcode::FrozenSet => self.collect_marked(CollectionKind::FrozenSet, at)?,
            Opcode::Dict => self.collect_marked(CollectionKind::Dict, at)?,
            Opcode::Tuple1 => self.tuple(1, at)?,
            Opcode::Tuple2 => self.tuple(2, at)?,
            Opcode::Tuple3 => self.tuple(3, at)?,
            Opcode::Append => {
                let item = self.pop(at)?;
                self.extend(PatchKind::Append, CollectionKind::List, &[item], at)?;
            }
            Opcode::Appends => {
                let items = self.marked(at)?;
                self.extend(PatchKind::Append, CollectionKind::List, &items, at)?;
            }
            Opcode::AddItems => {
                let items = self.marked(at)?;
                self.extend(PatchKind::Add, CollectionKind::Set, &items, at)?;
            }
            Opcode::SetItem => {
                let value = self.pop(at)?;
                let key = self.pop(at)?;
                self.extend(PatchKind::SetItem, CollectionKind::Dict, &[key, value], at)?;
            }
            Opcode::SetItems => {
                let items = self.marked(at)?;
                self.extend(PatchKind::SetItem, CollectionKind::Dict, &items, at)?;
            }
            Opcode::Put | Opcode::BinPut | Opcode::LongBinPut => {
                let value = self.top(at)?;
                let index = index(argument, at)?;
                self.program.largest_index = self.program.largest_index.max(index);
                self.memo.insert(index, value);
            }
            Opcode::Memoize => {
                let value = self.top(at)?;
                self.memo.insert(self.memo.len() as u64, value);
            }
            Opcode::Get | Opcode::BinGet | Opcode::LongBinGet => {
                let value = self.memo.get(&index(argument, at)?).copied();
                let missing = || ParseError::malformed(at, "the memo has no such entry");
                self.stack.push(value.ok_or_else(missing)?);
            }
            Opcode::Global => {
                let Argument::Names(module, name) = argument else {
                    return Ok(());
                };
                let global = self.import(Value::Text(module), Value::Text(name), at);
                self.stack.push(global);
            }
            Opcode::StackGlobal => {
                let name = self.pop(at)?;
                let module = self.pop(at)?;
                for value in [module, name] {
                    // Text, or what may turn out to be one; a loader refuses all else.
                    if !matches!(
                        value,
                        Value::Text(_)
                            | Value::Result(_)
                            | Value::Extension(_)
                            | Value::Persistent(_)
                    ) {
                        return Err(ParseError::malformed(at, "a name that is no text"));
                    }
                }
                let global = self.import(module, name, at);
                self.stack.push(global);
            }
            Opcode::Ext1 | Opcode::Ext2 | Opcode::Ext4 => {
                let Argument::Number(Some(code @ 1..)) = argument else {
                    return Err(ParseError::malformed(at, "no number of the copy registry"));
                };
                self.program.extensions.push((code, at));
                self.stack.push(Value::Extension(code));
            }
            Opcode::PersId | Opcode::BinPersId => {
                let id = match opcode {
                    Opcode::PersId => literal(argument),
                    _ => self.pop(at)?,
                };
                self.stack
                    .push(Value::Persistent(self.program.persistent.len()));
                self.program.persistent.push((id, at));
            }
            Opcode::Reduce => {
                let arguments = self.pop(at)?;
                let callee = self.pop(at)?;
                self.call(CallKind::Reduce, callee, arguments, None, at);
            }
            Opcode::NewObj => {
                let arguments = self.pop(at)?;
                let class = self.pop(at)?;
                self.call(CallKind::New, class, arguments, None, at);
            }
            Opcode::NewObjEx => {
                let keywords = self.pop(at)?;
                let arguments = self.pop(at)?;
                let class = self.pop(at)?;
                self.call(CallKind::NewKeywords, class, arguments, Some(keywords), at);
            }
            Opcode::Inst => {
                let Argument::Names(module, name) = argument else {
                    return Ok(());
                };
                let arguments = self.marked(at)?;
                let class = self.import(Value::Text(module), Value::Text(name), at);
                let arguments = self.collection(CollectionKind::Tuple, &arguments);
                self.call(CallKind::Instance, class, arguments, None, at);
            }
            Opcode::Obj => {
                let values = self.marked(at)?;
                let missing = || ParseError::malformed(at, "no class before the mark");
                let (&class, arguments) = values.split_first().ok_or_else(missing)?;
                let arguments = self.collection(CollectionKind::Tuple, arguments);
                self.call(CallKind::Instance, class, arguments, None, at);
            }
            Opcode::Build => {
                let state = self.pop(at)?;
                let object = self.top(at)?;
                self.program.patches.push(Patch {
                    kind: PatchKind::Build,
                    object,
                    state,
                    at,
                });
                if self.dialect == Dialect::Joblib && joblib::is_wrapper(&self.program, object) {
                    self.inline_array(state, at)?;
                }
            }
        }
        Ok(())
    }

    /// `joblib` reads an array here, and goes on behind it.
    fn inline_array(&mut self, state: Value, at: u64) -> Result<(), ParseError> {
        let position = self.instructions.cursor.position;
        let array = joblib::array(&self.program, self.source, state, at)?;
        let after = match array.bytes(self.source, position)? {
            Some(bytes) => position.saturating_add(bytes),
            None => {
                let spent = self.program.instructions;
                let left = self.limits.max_instructions.saturating_sub(spent);
                let limits = PickleLimits {
                    max_instructions: left,
                    max_values: self.limits.max_values.saturating_sub(self.values()),
                    max_items: self.limits.max_items,
                };
                let inner = Program::read(self.source, position, Dialect::Plain, limits);
                self.inner_values += 1
                    + inner.collections.len()
                    + inner.calls.len()
                    + inner.globals.len()
                    + inner.patches.len();
                self.program.instructions += inner.instructions;
                let after = inner.after;
                let is_broken = matches!(inner.end, End::Broken(_));
                self.program.inner.push(inner);
                if is_broken {
                    return Err(ParseError::malformed(
                        position,
                        "an array of objects is broken",
                    ));
                }
                after
            }
        };
        if after > self.source.len() {
            return Err(ParseError::Truncated {
                at: self.source.len(),
                what: "the bytes of an array",
            });
        }
        self.program.inline_bytes += after - position;
        self.instructions.jump(after);
        Ok(())
    }

    /// The bottom of the stack as far as the last mark lets see.
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self, at: u64) -> Result<Value, ParseError> {
        let value = self.top(at)?;
        self.stack.pop();
        Ok(value)
    }

    fn top(&self, at: u64) -> Result<Value, ParseError> {
        let empty = || ParseError::malformed(at, "nothing stands on the stack");
        if self.stack.len() <= self.fence() {
            return Err(empty());
        }
        self.stack.last().copied().ok_or_else(empty)
    }

    /// POP takes the mark if nothing stands on it.
    fn pop_or_mark(&mut self, at: u64) -> Result<(), ParseError> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop(at).map(drop)
    }

    /// What stands on the last mark, which goes with it.
    fn marked(&mut self, at: u64) -> Result<Vec<Value>, ParseError> {
        let missing = || ParseError::malformed(at, "no mark");
        let mark = self.marks.pop().ok_or_else(missing)?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn collect_marked(&mut self, kind: CollectionKind, at: u64) -> Result<(), ParseError> {
        let items = self.marked(at)?;
        if kind == CollectionKind::Dict && !items.len().is_multiple_of(2) {
            return Err(ParseError::malformed(at, "a key without value"));
        }
        self.collect(kind, &items);
        Ok(())
    }

    fn tuple(&mut self, count: usize, at: u64) -> Result<(), ParseError> {
        let from = self.stack.len().checked_sub(count);
        let missing = || ParseError::malformed(at, "nothing stands on the stack");
        let from = from
            .filter(|&from| from >= self.fence())
            .ok_or_else(missing)?;
        let items = self.stack.split_off(from);
        self.collect(CollectionKind::Tuple, &items);
        Ok(())
    }

    fn collect(&mut self, kind: CollectionKind, items: &[Value]) {
        let value = self.collection(kind, items);
        self.stack.push(value);
    }

    fn collection(&mut self, kind: CollectionKind, items: &[Value]) -> Value {
        let kept = items.iter().take(self.limits.max_items);
        let kept = kept.copied().collect();
        let expanded = self.expanded(items).saturating_add(1);
        self.program.collections.push(Collection {
            kind,
            items: kept,
            count: items.len() as u64,
            expanded,
        });
        Value::Collection(self.program.collections.len() - 1)
    }

    fn expanded(&self, items: &[Value]) -> u64 {
        items
            .iter()
            .map(|&item| {
                self.program
                    .collection(item)
                    .map_or(1, |item| item.expanded)
            })
            .fold(0, u64::saturating_add)
    }

    /// Adds to what stands on the stack: to a collection of the right kind, or by a method of
    /// whatever it is.
    fn extend(
        &mut self,
        patch: PatchKind,
        kind: CollectionKind,
        items: &[Value],
        at: u64,
    ) -> Result<(), ParseError> {
        if kind == CollectionKind::Dict && !items.len().is_multiple_of(2) {
            return Err(ParseError::malformed(at, "a key without value"));
        }
        let object = self.top(at)?;
        let expanded = self.expanded(items);
        if let Value::Collection(index) = object
            && let Some(collection) = self.program.collections.get_mut(index)
            && collection.kind == kind
        {
            let room = self.limits.max_items.saturating_sub(collection.items.len());
            collection.items.extend(items.iter().take(room));
            collection.count = collection.count.saturating_add(items.len() as u64);
            collection.expanded = collection.expanded.saturating_add(expanded);
            return Ok(());
        }
        let state = self.collection(CollectionKind::Tuple, items);
        self.program.patches.push(Patch {
            kind: patch,
            object,
            state,
            at,
        });
        Ok(())
    }

    fn call(
        &mut self,
        kind: CallKind,
        callee: Value,
        arguments: Value,
        keywords: Option<Value>,
        at: u64,
    ) {
        self.stack.push(Value::Result(self.program.calls.len()));
        self.program.calls.push(Call {
            kind,
            callee,
            arguments,
            keywords,
            at,
        });
    }

    /// Imports what two texts name; what is no text, or too long for one, is computed.
    fn import(&mut self, module: Value, name: Value, at: u64) -> Value {
        let operands = [module, name];
        let [module, name] = operands.map(|value| self.program.text(self.source, value));
        let computed = module.is_none() || name.is_none();
        let unknown = || "?".to_owned();
        let key = (module.unwrap_or_else(unknown), name.unwrap_or_else(unknown));
        if let Some(&index) = self.names.get(&key).filter(|_| !computed) {
            if let Some(global) = self.program.globals.get_mut(index) {
                global.dotted |= self.protocol >= 4;
            }
            return Value::Global(index);
        }
        let index = self.program.globals.len();
        self.program.globals.push(Global {
            module: key.0.clone(),
            name: key.1.clone(),
            dotted: self.protocol >= 4,
            computed: computed.then_some(operands),
            at,
        });
        if !computed {
            self.names.insert(key, index);
        }
        Value::Global(index)
    }
}

fn literal(argument: Argument) -> Value {
    match argument {
        Argument::Number(Some(number)) => Value::Int(number),
        Argument::Bool(truth) => Value::Bool(truth),
        Argument::Text(text) => Value::Text(text),
        Argument::Bytes(Stretch { at, length }) => Value::Bytes(Stretch { at, length }),
        Argument::Nothing | Argument::Number(None) | Argument::Float | Argument::Names(..) => {
            Value::Number
        }
    }
}

fn index(argument: Argument, at: u64) -> Result<u64, ParseError> {
    match argument {
        Argument::Number(Some(index)) => u64::try_from(index).ok(),
        _ => None,
    }
    .ok_or_else(|| ParseError::malformed(at, "no index"))
}
