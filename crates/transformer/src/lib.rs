//! Text classifiers of the BERT and DeBERTa kinds from a user's own folder, as a layer of the guard.
//!
//! A folder as published holds `config.json`, `tokenizer.json`, and `model.safetensors`: Prompt
//! Guard 2 and its look-alikes. [`Transformer::load`] reads it, and [`TransformerCheck`] asks it about
//! texts. Everything runs in this process, on the processor, in 32-bit floats.

mod check;
mod config;
mod error;
mod labels;
mod model;
mod tensors;
mod transformer;

pub use check::{RULES, TransformerCheck, TransformerSettings};
pub use error::LoadError;
pub use labels::{Meaning, Meanings};
pub use transformer::{Scores, Transformer, Window};
