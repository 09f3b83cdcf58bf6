use std::ops::Range;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text, a number, or whatever else has no parts.
    Scalar(String),
    /// Values in order.
    List(Vec<Node>),
    /// Values under names, in order; a name may stand several times.
    Map(Vec<Entry>),
}

/// A name and the value under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// The bytes of the name.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node,
}

impl Node {
    /// A text at a place.
    #[must_use]
    pub fn scalar(text: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            value: Value::Scalar(text.into()),
            span,
        }
    }

    /// The first value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.entries().iter().find(|entry| entry.key == key);
        entry.map(|entry| &entry.node)
    }

    /// The entries of a map; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// How many values it holds, with itself.
    #[must_use]
    pub fn size(&self) -> usize {
        let of_entries = self.entries().iter().map(|entry| entry.node.size());
        let of_items = self.items().iter().map(Self::size);
        1 + of_entries.sum::<usize>() + of_items.sum::<usize>()
    }
}
