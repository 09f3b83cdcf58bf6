//! Parsers for bytes nobody trusts: model files, archives, code.
//!
//! A parser reads from a [`Source`] under the caller's bounds and yields what the file says: a
//! program, a table of tensors, a tree. It never runs, imports, or builds what the file asks for, and
//! it judges nothing: that is `bartizan-supply`'s work.

pub mod archive;
mod file;
mod flatbuffer;
mod gguf;
pub mod hdf5;
mod jinja;
mod json;
mod msgpack;
mod onnx;
pub mod pickle;
pub mod python;
mod rds;
mod reader;
mod safetensors;
mod sniff;
mod source;
mod tensorflow;
mod tflite;
mod ubjson;
mod wire;
mod xml;
mod yaml;

pub use file::FileSource;
pub use flatbuffer::{Table, Vector};
pub use gguf::Gguf;
pub use jinja::{Block, Jinja, JinjaToken};
pub use json::{Json, text_of};
pub use msgpack::MsgPack;
pub use onnx::Onnx;
pub use rds::Rds;
pub use reader::Reader;
pub use safetensors::{Fault, MAX_HEADER, SafeTensors};
pub use sniff::{Format, sniff};
pub use source::{Bytes, ParseError, Section, Source};
pub use tensorflow::{Shape, TensorFlow};
pub use tflite::TfLite;
pub use ubjson::{check_ubjson, is_ubjson};
pub use wire::{Field, Fields, Message, Value};
pub use xml::{Element, Xml};
pub use yaml::{Scalar, Yaml};
