//! The gateway from outside.

mod stream;
