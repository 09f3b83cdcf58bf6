use std::{collections::BTreeSet, sync::Arc};

use bartizan_core::Origin;

/// What is known about a value: who had a hand in it, and who may read it.
///
/// Labels form a lattice (Denning, "A lattice model of secure information flow", 1976): a value that
/// is made of others has the [`Label::join`] of theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Who had a hand in it.
    pub writers: Writers,
    /// Who may read it.
    pub readers: Readers,
}

impl Label {
    /// Text of `origin` that anyone may read.
    #[must_use]
    pub const fn of(origin: Origin) -> Self {
        Self {
            writers: Writers::of(origin),
            readers: Readers::Anyone,
        }
    }

    /// The same, for nobody but those in `readers`.
    #[must_use]
    pub fn only<I: IntoIterator<Item = T>, T: Into<Arc<str>>>(self, readers: I) -> Self {
        let readers = Readers::Only(readers.into_iter().map(Into::into).collect());
        Self {
            readers: self.readers.join(&readers),
            ..self
        }
    }

    /// The label of what is made of both: written by all, read by those who may read either.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self {
            writers: self.writers.join(other.writers),
            readers: self.readers.join(&other.readers),
        }
    }
}

/// A set of those who write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writers(u8);

impl Writers {
    /// One writer.
    #[must_use]
    pub const fn of(origin: Origin) -> Self {
        Self(1 << origin as u8)
    }

    /// Both together.
    #[must_use]
    pub const fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `origin` is one of them.
    #[must_use]
    pub const fn contains(self, origin: Origin) -> bool {
        self.0 & (1 << origin as u8) != 0
    }

    /// Whether somebody outside the conversation had a hand in it: a document, or a tool.
    #[must_use]
    pub const fn is_foreign(self) -> bool {
        self.contains(Origin::Retrieved) || self.contains(Origin::Tool)
    }
}

/// A set of those who may read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Readers {
    /// Everybody.
    #[default]
    Anyone,
    /// These alone; nobody if the set is empty.
    Only(BTreeSet<Arc<str>>),
}

impl Readers {
    /// Those who may read both.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Anyone, readers) | (readers, Self::Anyone) => readers.clone(),
            (Self::Only(left), Self::Only(right)) => {
                Self::Only(left.intersection(right).cloned().collect())
            }
        }
    }

    /// Whether it is not for everybody.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        matches!(self, Self::Only(_))
    }

    /// Whether `reader` is one of them.
    #[must_use]
    pub fn admits(&self, reader: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Only(readers) => readers.contains(reader),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label() -> impl Strategy<Value = Label> {
        let readers = prop_oneof![
            Just(Readers::Anyone),
            prop::collection::btree_set("[a-d]", 0..4)
                .prop_map(|set| Readers::Only(set.into_iter().map(Into::into).collect())),
        ];
        (0_u8..32, readers).prop_map(|(writers, readers)| Label {
            writers: Writers(writers),
            readers,
        })
    }

    proptest! {
        #[test]
        fn join_is_that_of_a_lattice(a in label(), b in label(), c in label()) {
            prop_assert_eq!(a.join(&a), a.clone());
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.join(&Label::default()), a);
        }

        #[test]
        fn a_join_trusts_no_more_and_tells_no_more(a in label(), b in label()) {
            let both = a.join(&b);
            for origin in Origin::ALL {
                prop_assert!(!a.writers.contains(origin) || both.writers.contains(origin));
            }
            for reader in ["a", "b", "c", "d"] {
                prop_assert!(!both.readers.admits(reader) || a.readers.admits(reader));
            }
            prop_assert!(!a.readers.is_private() || both.readers.is_private());
        }
    }
}
