//! What came out, and why.

use std::sync::Arc;

/// Whether somebody may do something, and which policies say so. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why.
    pub because: Because,
    /// The policies that made it, in order; empty where there is none.
    pub policies: Vec<Arc<str>>,
}

/// Why a decision is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// A policy permits it, and none forbids it.
    Permitted,
    /// A policy forbids it.
    Forbidden,
    /// Nothing permits it.
    NotPermitted,
    /// A policy could not be asked, so that nobody knows.
    Unclear,
}

impl Because {
    /// A stable name, e.g. `forbidden`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::Forbidden => "forbidden",
            Self::NotPermitted => "not-permitted",
            Self::Unclear => "unclear",
        }
    }
}

impl Decision {
    /// Whether it may be done.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.because == Because::Permitted
    }

    /// The first of its policies, or why there is none; for the record.
    #[must_use]
    pub fn reason(&self) -> Arc<str> {
        let first = self.policies.first().cloned();
        first.unwrap_or_else(|| self.because.as_str().into())
    }
}
