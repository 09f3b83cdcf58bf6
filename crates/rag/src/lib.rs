//! Retrieved documents under control.
//!
//! A document goes through [`document::sanitise`], which parts what a reader sees from what is kept
//! from them; [`admission`] judges both and where it comes from; an [`integrity`] manifest holds
//! what was admitted, and is asked again when chunks are retrieved; [`embedding`] finds chunks that
//! stand where no honest chunk stands.

pub mod admission;
pub mod document;
pub mod embedding;
pub mod integrity;
