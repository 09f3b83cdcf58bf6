//! Python source as tokens, and the names that it uses: read as CPython's tokenizer reads it, never
//! run.

mod token;
mod uses;

pub use token::{Token, TokenKind, tokens};
pub use uses::{Argument, Use, uses};
