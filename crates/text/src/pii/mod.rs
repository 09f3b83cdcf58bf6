//! Personal data: recognisers, validators, context.

pub mod national;
pub mod phone;
mod recogniser;

pub use recogniser::{Recogniser, Validity};
