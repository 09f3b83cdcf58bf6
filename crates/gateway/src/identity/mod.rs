//! From a credential to a [`Principal`](crate::principal::Principal).

mod migrations;

pub(crate) use migrations::MIGRATIONS;
