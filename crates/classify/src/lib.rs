//! The embedded text classifier: does a text attack, and does it do harm?
//!
//! [`Model::embedded`] holds weights that `training/` made. [`Model::scores`] cuts a text into
//! words, adds up what each word says in every filter, keeps the strongest answers of each window,
//! and asks two small dense layers what they mean. Nothing is allocated per word, nothing is
//! random, and the answer for a text is the answer for its worst window.

mod calibrate;
mod error;
mod label;
mod model;
mod profile;
mod reader;
mod score;
pub mod shape;
mod weights;
pub mod words;

pub use calibrate::Calibration;
pub use error::ModelError;
pub use label::{HARMS, Harm};
pub use model::Model;
pub use profile::{PROFILES, Profile, Thresholds};
pub use score::{HarmScore, Scores};
pub use weights::Weights;
