//! The gateway from outside.

mod identity;
mod limits;
