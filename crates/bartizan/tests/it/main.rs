//! The command line from outside: what it prints, and how it ends.

mod check;
mod commands;
mod errors;
mod helpers;
mod machines;
mod marker;
mod stream;
