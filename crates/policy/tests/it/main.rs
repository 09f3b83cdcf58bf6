//! What a policy decides, seen from outside.

mod decisions;
mod files;
mod helpers;
mod laws;
