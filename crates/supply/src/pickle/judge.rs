//! From what a pickle would do to what it is accused of.

use std::collections::BTreeMap;

use bartizan_core::{CheckError, Rule, Span};
use bartizan_formats::{
    Source,
    pickle::{Patch, PatchKind, Program, Quirk, Stretch, Value},
};

use super::{
    chain::{chain, shown},
    contract::{self, Use},
    names::{Contract, Standing, standing},
    rules,
};
use crate::Desk;

/// Where a pickle stands, which decides what is normal in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The loader knows what to do with persistent ids: PyTorch's files.
    pub(crate) persistent: bool,
    /// Only what is dangerous counts: the bytes of an array read as if they were instructions.
    pub(crate) only_dangerous: bool,
}

/// Accusations, each said once: by rule and words, with the first place.
#[derive(Default)]
pub(crate) struct Accusations {
    said: BTreeMap<(u64, &'static str, String), &'static Rule>,
    seen: std::collections::HashSet<(&'static str, String)>,
    /// Bytes that a nested loader gets.
    pub(crate) loads: Vec<Stretch>,
}

/// Most accusations that are kept of one pickle.
const MOST: usize = 200;

impl Accusations {
    fn add(&mut self, rule: &'static Rule, at: u64, words: String) {
        let id = match &rule.id {
            std::borrow::Cow::Borrowed(id) => id,
            std::borrow::Cow::Owned(_) => return,
        };
        if self.said.len() < MOST && self.seen.insert((id, words.clone())) {
            self.said.insert((at, id, words), rule);
        }
    }

    /// Reports them in order of place.
    pub(crate) fn report(self, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        for ((at, _, words), rule) in self.said {
            desk.report(rule, Span::new(at, at.saturating_add(1)), words)?;
        }
        Ok(())
    }
}

/// What one pickle is accused of.
pub(crate) fn judge(
    program: &Program,
    source: &dyn Source,
    setting: Setting,
    accusations: &mut Accusations,
) {
    Judge {
        program,
        source,
        setting,
        accusations,
        called: called(program),
        chains: 0,
        standings: program
            .globals
            .iter()
            .map(|global| standing(&global.module, &global.name))
            .collect(),
    }
    .run();
    for inner in &program.inner {
        judge(inner, source, setting, accusations);
    }
}

struct Judge<'a> {
    program: &'a Program,
    source: &'a dyn Source,
    setting: Setting,
    accusations: &'a mut Accusations,
    /// Whether a global is called, and where first.
    called: BTreeMap<usize, u64>,
    /// What is known about each global.
    standings: Vec<Standing>,
    /// How many calls of results there were.
    chains: usize,
}

fn called(program: &Program) -> BTreeMap<usize, u64> {
    let mut called = BTreeMap::new();
    for call in &program.calls {
        if let Value::Global(index) = call.callee {
            called.entry(index).or_insert(call.at);
        }
    }
    called
}

impl Judge<'_> {
    fn accuse(&mut self, rule: &'static Rule, at: u64, words: String) {
        let is_dangerous = rule.severity >= bartizan_core::Severity::High;
        if is_dangerous || !self.setting.only_dangerous {
            self.accusations.add(rule, at, words);
        }
    }

    fn run(&mut self) {
        self.globals();
        self.calls();
        self.patches();
        self.rest();
    }

    fn globals(&mut self) {
        let program = self.program;
        for (index, global) in program.globals.iter().enumerate() {
            let name = shown(&global.module, &global.name);
            let verb = if self.called.contains_key(&index) {
                "calls"
            } else {
                "imports"
            };
            if let Some(operands) = global.computed {
                if self.setting.only_dangerous && operands.iter().all(|&name| self.is_no_name(name))
                {
                    continue;
                }
                self.accuse(
                    &rules::HIDDEN,
                    global.at,
                    "imports a name that is made while loading".to_owned(),
                );
                continue;
            }
            match self
                .standings
                .get(index)
                .copied()
                .unwrap_or(Standing::Unknown)
            {
                Standing::Allowed(_) => {}
                Standing::Dangerous(rule) => {
                    self.accuse(rule, global.at, format!("{verb} `{name}`"));
                }
                Standing::Unknown => {
                    self.accuse(&rules::UNKNOWN, global.at, format!("{verb} `{name}`"));
                }
            }
        }
    }

    fn calls(&mut self) {
        let program = self.program;
        for call in &program.calls {
            let callee = call.callee;
            let (Value::Global(index), Some(global)) = (callee, program.global(callee)) else {
                self.indirect(callee, call.at);
                continue;
            };
            let Some(&Standing::Allowed(contract)) = self.standings.get(index) else {
                continue;
            };
            match contract::judge(program, self.source, call, contract) {
                Use::Proper => {}
                Use::Loads(bytes) => self.accusations.loads.push(bytes),
                Use::Odd(rule) => {
                    let name = shown(&global.module, &global.name);
                    self.accuse(rule, call.at, format!("calls `{name}`"));
                }
            }
        }
    }

    /// A call of what another call gave back.
    fn indirect(&mut self, callee: Value, at: u64) {
        let program = self.program;
        self.chains += 1;
        let is_shown = self.chains < CHAINS;
        let words = || match is_shown {
            true => format!("calls `{}`", chain(program, callee)),
            false => "calls the result of a call".to_owned(),
        };
        match callee {
            Value::Result(index) => {
                let made = program.calls.get(index);
                if made.is_some_and(|made| contract::is_known_method(program, self.source, made)) {
                    return;
                }
                let rule = match self.root(callee) {
                    _ if self.is_type_by_name(callee) => &rules::CARRIES,
                    Some(
                        Standing::Dangerous(_)
                        | Standing::Allowed(
                            Contract::Attribute | Contract::Carries | Contract::Partial,
                        ),
                    ) => &rules::INDIRECTION,
                    _ => &rules::UNUSUAL,
                };
                self.accuse(rule, at, words());
            }
            Value::Persistent(_) => {
                self.accuse(
                    &rules::PERSISTENT,
                    at,
                    "calls what a persistent id stands for".to_owned(),
                );
            }
            Value::Extension(_) => {
                let words = "calls what a number of the copy registry stands for";
                self.accuse(&rules::EXTENSION, at, words.to_owned());
            }
            // A loader refuses to call what cannot be called.
            _ => {}
        }
    }

    /// Whether a value is written in the file, or made by something that makes no text.
    fn is_no_name(&self, value: Value) -> bool {
        let Some(call) = self.program.call(value) else {
            return matches!(value, Value::Text(_));
        };
        self.program.global(call.callee).is_some_and(|global| {
            let contract = standing(&global.module, &global.name);
            global.name != "str"
                && matches!(contract, Standing::Allowed(contract) if contract != Contract::Attribute)
        })
    }

    /// `cloudpickle` and `dill` name the types of code and functions like this, and then make one.
    fn is_type_by_name(&self, callee: Value) -> bool {
        let call = self.program.call(callee);
        let global = call.and_then(|call| self.program.global(call.callee));
        global.is_some_and(|global| {
            matches!(
                (&*global.module, &*global.name),
                ("cloudpickle.cloudpickle", "_builtin_type") | ("dill._dill", "_load_type")
            )
        })
    }

    /// What the first callee of a chain of calls is.
    fn root(&self, value: Value) -> Option<Standing> {
        let mut value = value;
        for _ in 0..CHAIN {
            match self.program.call(value) {
                Some(call) => value = call.callee,
                None => {
                    let Value::Global(index) = value else {
                        return None;
                    };
                    return self.standings.get(index).copied();
                }
            }
        }
        Some(Standing::Dangerous(&rules::INDIRECTION))
    }

    fn patches(&mut self) {
        for patch in &self.program.patches {
            self.patch(patch);
        }
    }

    fn patch(&mut self, patch: &Patch) {
        let how = match patch.kind {
            PatchKind::Build => "sets the state of",
            PatchKind::SetItem => "sets items of",
            PatchKind::Append => "appends to",
            PatchKind::Add => "adds to",
        };
        match patch.object {
            Value::Global(_) => {
                let words = format!("{how} `{}`", chain(self.program, patch.object));
                self.accuse(&rules::PATCHES, patch.at, words);
            }
            Value::Extension(_) | Value::Persistent(_) | Value::Buffer => {
                let words = format!("{how} what the loader brings");
                self.accuse(&rules::UNUSUAL, patch.at, words);
            }
            Value::Result(_) => {
                // Attributes of what an unknown call gave back: the call is accused already, but
                // a chain through `getattr` hides what is altered.
                if matches!(
                    self.root(patch.object),
                    Some(Standing::Allowed(Contract::Attribute))
                ) {
                    let words = format!("{how} `{}`", chain(self.program, patch.object));
                    self.accuse(&rules::PATCHES, patch.at, words);
                }
            }
            // Plain values have no attributes: a loader gives up.
            _ => {}
        }
    }

    fn rest(&mut self) {
        let program = self.program;
        for &(_, at) in &program.extensions {
            let words = "uses a number of the copy registry";
            self.accuse(&rules::EXTENSION, at, words.to_owned());
        }
        if let Some(&(_, at)) = program.persistent.first()
            && !self.setting.persistent
        {
            self.accuse(&rules::PERSISTENT, at, "uses persistent ids".to_owned());
        }
        for &(quirk, at) in &program.quirks {
            let rule = match quirk {
                Quirk::Frame => &rules::FRAMES,
                _ => &rules::DISAGREEMENT,
            };
            self.accuse(rule, at, quirk.as_str().to_owned());
        }
        self.memory();
    }

    fn memory(&mut self) {
        let program = self.program;
        // The C unpickler keeps the memo in an array of twice the largest index.
        if program.largest_index > MEMO_INDEX && program.largest_index / 8 > program.instructions {
            let words = "stores under an index far beyond the number of its values";
            self.accuse(&rules::EXHAUSTS, program.start, words.to_owned());
        }
        let expanded = program.collections.iter().map(|all| all.expanded).max();
        let expanded = expanded.unwrap_or(0);
        if expanded > EXPANDED && expanded / 1_000 > program.instructions {
            let words = "makes an object that holds itself many times over";
            self.accuse(&rules::EXHAUSTS, program.start, words.to_owned());
        }
    }
}

/// Calls of results that are written out.
const CHAINS: usize = 10_000;

/// Calls of results of calls, beyond which nobody asks what stands at the start.
const CHAIN: usize = 64;

/// Memo indices beyond which the array that holds them has 16 MiB.
const MEMO_INDEX: u64 = 1 << 20;

/// Values in a walk through an object, beyond which a few instructions are suspect.
const EXPANDED: u64 = 10_000_000;
