//! What stands on the machine's stack: never an object, only what is known about one.

/// Bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stretch {
    /// Where they begin.
    pub at: u64,
    /// How many there are.
    pub length: u64,
}

/// A text of the file, read when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    pub(crate) at: u64,
    pub(crate) length: u64,
    pub(crate) coding: Coding,
}

impl Text {
    /// Most bytes of a text that is looked at; no name is longer.
    pub(crate) const MOST: u64 = 4 << 10;
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    /// UTF-8, with surrogates.
    Utf8,
    /// Bytes that a loader takes for ASCII.
    Ascii,
    /// The escapes of a Python string.
    Escapes,
    /// Latin 1 with `\uXXXX` and `\UXXXXXXXX`.
    Unicode,
}

/// What is known about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float, or an integer that does not fit.
    Number,
    /// A text.
    Text(Text),
    /// Bytes.
    Bytes(Stretch),
    /// A tuple, list, dictionary, or set: place in [`super::Program::collections`].
    Collection(usize),
    /// Something imported: place in [`super::Program::globals`].
    Global(usize),
    /// What a call gave back: place in [`super::Program::calls`].
    Result(usize),
    /// What the copy registry holds under a number.
    Extension(i64),
    /// What the loader makes of a persistent id: place in [`super::Program::persistent`].
    Persistent(usize),
    /// A buffer that the loader brings.
    Buffer,
}

/// What a collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// A tuple.
    Tuple,
    /// A list.
    List,
    /// A dictionary; keys and values take turns.
    Dict,
    /// A set.
    Set,
    /// A set that does not change.
    FrozenSet,
}

/// A tuple, list, dictionary, or set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// What it is.
    pub kind: CollectionKind,
    /// Its first items, as many as [`super::PickleLimits::max_items`].
    pub items: Vec<Value>,
    /// How many items it has.
    pub count: u64,
    /// How many values there are in it, those in what it holds counted each time.
    pub expanded: u64,
}

impl Collection {
    /// Whether every item is kept.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.count == self.items.len() as u64
    }
}

/// Something that a pickle imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// The module, as written; cut after 4,096 bytes.
    pub module: String,
    /// The name in it, as written; cut after 4,096 bytes.
    pub name: String,
    /// Whether dots in the name are followed: protocol 4 and higher.
    pub dotted: bool,
    /// Module and name where they are not written in the file but made while loading.
    pub computed: Option<[Value; 2]>,
    /// Where it is imported first.
    pub at: u64,
}

/// How something is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// `callable(*arguments)`: REDUCE.
    Reduce,
    /// `class.__new__(class, *arguments)`: NEWOBJ.
    New,
    /// The same with keywords: `NEWOBJ_EX`.
    NewKeywords,
    /// `class(*arguments)` of protocol 0 and 1: INST and OBJ.
    Instance,
}

/// A call that loading makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// How.
    pub kind: CallKind,
    /// Of what.
    pub callee: Value,
    /// With what: a tuple, or what a loader refuses.
    pub arguments: Value,
    /// With which keywords.
    pub keywords: Option<Value>,
    /// Where.
    pub at: u64,
}

/// How loading alters something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// `__setstate__`, or attributes.
    Build,
    /// `__setitem__`.
    SetItem,
    /// `append` or `extend`.
    Append,
    /// `add`.
    Add,
}

/// Something that is altered by other means than a collection of its own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// How.
    pub kind: PatchKind,
    /// What is altered.
    pub object: Value,
    /// With what.
    pub state: Value,
    /// Where.
    pub at: u64,
}

/// Where readers of pickles differ, so that a scanner may see another program than a loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Quirk {
    /// A number that only the C unpickler reads like this.
    Number,
    /// A name with a backslash or beyond ASCII, which `pickletools` reads as another one.
    Name,
    /// Instructions that do not stay within their frame.
    Frame,
}

impl Quirk {
    /// What is odd, in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "a number that only one reader understands",
            Self::Name => "a name that readers spell differently",
            Self::Frame => "instructions that cross the end of a frame",
        }
    }
}
