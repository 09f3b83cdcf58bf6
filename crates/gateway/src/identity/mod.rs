//! From a credential to a [`Principal`](crate::principal::Principal).

/// Tables of this module, in the order in which they came; never edited, only added to.
pub(crate) const MIGRATIONS: &[&str] = &[];
