//! Prompts that hold: untrusted text between markers that it cannot forge ([`Envelope`]), and
//! system prompts that say what must be said ([`Hardening`]).

mod envelope;
mod hardening;

pub use envelope::{Envelope, Forged, NONCE_BYTES};
pub use hardening::{HARDENING_VERSION, Hardening, HardeningRule, RULES};
