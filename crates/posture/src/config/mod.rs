//! How things are configured: recipes of images, compositions, manifests, infrastructure,
//! pipelines, and what starts the servers of models.
//!
//! A file becomes a [`Document`]: a tree with places, and the settings and commands in it, whatever
//! its syntax. Rules are data ([`rules`]): each says where in which kind of file it looks, and
//! carries examples that are its tests.

mod document;
mod inspector;
mod kind;
pub mod rules;
pub mod tree;

pub use document::{Document, DocumentError, Line};
pub use inspector::ConfigFiles;
pub use kind::Kind;
