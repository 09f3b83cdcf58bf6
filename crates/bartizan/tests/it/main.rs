//! The command line from outside: what it prints, and how it ends.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod access;
mod backup;
mod check;
mod commands;
mod dependencies;
mod errors;
mod eval;
mod helpers;
mod keys;
mod ledger;
mod machines;
mod marker;
mod mcp;
mod netpol;
mod personal;
mod posture;
mod protect;
mod rag;
mod redteam;
mod reload;
mod scan;
mod secrets;
mod serve;
mod serving;
mod signing;
mod stream;
