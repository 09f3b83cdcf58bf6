//! Reports as JSON, one module per version.

pub(crate) mod v1;
