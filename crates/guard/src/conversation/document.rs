//! A JSON document whose values know where they stand, for those who edit it.

use std::ops::Range;

use bartizan_core::Origin;

use super::{
    Conversation, ConversationError, Format, ParseLimits, Part, PartKind,
    json::{self, Data},
    place::{Place, Shape},
    walk,
};

/// A JSON document, read strictly: no key twice, no lone surrogate, nothing behind its end.
#[derive(Debug)]
pub struct Document<'a> {
    root: json::Value<'a>,
}

/// A value of a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Value<'d, 'a> {
    value: &'d json::Value<'a>,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Member<'d, 'a> {
    /// Its key, unescaped.
    pub key: &'d str,
    /// Where the key stands, with its quotes.
    pub key_range: Range<usize>,
    /// Its value.
    pub value: Value<'d, 'a>,
}

impl<'a> Document<'a> {
    /// Reads `body`.
    ///
    /// # Errors
    /// When it is too large, is no JSON, or JSON that parsers read differently.
    pub fn read(body: &'a [u8], limits: &ParseLimits) -> Result<Self, ConversationError> {
        Ok(Self {
            root: json::read(body, limits)?,
        })
    }

    /// Its value.
    #[must_use]
    pub const fn root(&self) -> Value<'_, 'a> {
        Value { value: &self.root }
    }

    /// The format that its fields look like.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::of(&self.root)
    }

    /// Takes it apart as a body of `format`.
    ///
    /// # Errors
    /// When it has too many parts, or no message.
    pub fn conversation(
        &self,
        format: Format,
        limits: &ParseLimits,
    ) -> Result<Conversation, ConversationError> {
        let parts = walk::parts(&self.root, format, limits)?;
        Ok(Conversation { format, parts })
    }

    /// Takes one value of it apart, which stands at `path`, was written by `origin`, and is of
    /// `kind`.
    ///
    /// # Errors
    /// When it has too many parts.
    pub fn parts(
        &self,
        value: Value<'_, '_>,
        path: &str,
        (origin, kind): (Origin, PartKind),
        reading: Reading,
        limits: &ParseLimits,
    ) -> Result<Vec<Part>, ConversationError> {
        let shape = match reading {
            Reading::Blocks => Shape::Content,
            Reading::Values => Shape::Arguments,
            Reading::Definition => Shape::Any,
        };
        walk::parts_at(value.value, path, &Place::new(origin, kind, shape), limits)
    }
}

/// How a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As a block of content, or a list of them: texts, pictures, files.
    Blocks,
    /// As values to any depth; every text is looked at.
    Values,
    /// As a description to any depth; a plain identifier in an identifier's place is no text.
    Definition,
}

impl<'d, 'a> Value<'d, 'a> {
    /// Where it stands in the document.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.value.start..self.value.end
    }

    /// What kind of value it is, for messages: `null`, `a truth value`, `a number`, `a text`,
    /// `a list`, or `an object`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self.value.data {
            Data::Null => "null",
            Data::Bool(_) => "a truth value",
            Data::Number(_) => "a number",
            Data::String(_) => "a text",
            Data::Array(_) | Data::Numbers(_) => "a list",
            Data::Object(_) => "an object",
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(self) -> bool {
        matches!(self.value.data, Data::Null)
    }

    /// Whether it is an object.
    #[must_use]
    pub const fn is_object(self) -> bool {
        self.value.is_object()
    }

    /// Whether it is a list.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self.value.data, Data::Array(_) | Data::Numbers(_))
    }

    /// Whether it is a long list of numbers, whose items are not listed.
    #[must_use]
    pub const fn is_numbers(self) -> bool {
        matches!(self.value.data, Data::Numbers(_))
    }

    /// Whether it is a number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self.value.data, Data::Number(_))
    }

    /// Its truth value, if it is one.
    #[must_use]
    pub const fn as_bool(self) -> Option<bool> {
        match self.value.data {
            Data::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// Its text, unescaped, if it is one.
    #[must_use]
    pub fn as_str(self) -> Option<&'d str> {
        match &self.value.data {
            Data::String(text) => Some(&text.value),
            _ => None,
        }
    }

    /// Its number, if it is one that is not negative and has no fraction.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        match &self.value.data {
            Data::Number(text) => text.value.parse().ok(),
            _ => None,
        }
    }

    /// Its number, if it is one.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        match &self.value.data {
            Data::Number(text) => text.value.parse().ok(),
            _ => None,
        }
    }

    /// The member of that name, if it is an object that has one.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| Self { value })
    }

    /// Its items; none if it is no list, or a long one of numbers.
    pub fn items(self) -> impl ExactSizeIterator<Item = Self> + DoubleEndedIterator {
        self.value.items().iter().map(|value| Self { value })
    }

    /// Its members; none if it is no object.
    pub fn members(self) -> impl ExactSizeIterator<Item = Member<'d, 'a>> {
        self.value.members().iter().map(|(key, value)| Member {
            key: &key.value,
            key_range: key.quoted(),
            value: Self { value },
        })
    }
}
