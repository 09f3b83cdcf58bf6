//! Documents: what a reader sees of them, and what is kept from readers.
//!
//! [`sanitise`] reads HTML, Markdown, mail, Word files, and PDF. Visible text, tables, and code stay;
//! what no reader sees is taken out and named, with its place. Nothing is deleted within visible
//! text, so that no attack is put together by what was taken out of it.

mod characters;
mod colour;
mod docx;
mod hiding;
mod html;
mod kind;
mod mail;
mod markdown;
mod output;
mod painter;
mod pdf;
mod sanitise;

pub use hiding::{HIDDEN_INSTRUCTION, Hiding};
pub use kind::{Kind, UnknownKind};
pub use output::{Hidden, Piece, Place, Sanitised};
pub use sanitise::{Limits, SanitiseError, sanitise};
