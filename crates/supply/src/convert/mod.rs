//! Tensors out of files that run code when they are loaded, into `safetensors`, without loading them.
//!
//! A pickle is read as the program that it is, and never followed: what would build a tensor is
//! rebuilt from the bytes beside it, and all else is left out and named. Nothing is held in memory
//! but a few MiB, whatever the size of the file.

mod error;
mod numpy;
mod object;
mod plan;
mod rebuild;
mod stream;
mod tensor;
mod torch;
mod walk;
mod write;

use bartizan_formats::{Format, Source, sniff};
pub use error::ConvertError;
pub use plan::{LeftOut, Plan};
pub use tensor::Tensor;
pub use write::{Written, verify};

/// What a conversion may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvertLimits {
    /// Bytes of all tensors together.
    pub max_bytes: u64,
    /// Tensors, and everything else that is looked at on the way to them.
    pub max_values: u64,
}

impl Default for ConvertLimits {
    /// 1 TiB, 4 Mi values.
    fn default() -> Self {
        Self {
            max_bytes: 1 << 40,
            max_values: 4 << 20,
        }
    }
}

/// Looks for every tensor in `source`: an archive or an older file of PyTorch, a pickle with arrays of
/// `NumPy`, an `.npz`, or an `.npy`.
///
/// # Errors
/// When it is none of these, is broken, or describes tensors that cannot be.
pub fn plan<'s>(source: &'s dyn Source, limits: &ConvertLimits) -> Result<Plan<'s>, ConvertError> {
    let formats = sniff(source).map_err(bartizan_formats::ParseError::from)?;
    match formats.as_slice() {
        [Format::Zip] => torch::archive(source, limits),
        [Format::Pickle] => torch::pickle(source, limits),
        [Format::Npy] => numpy::array(source, limits),
        [Format::Safetensors] => Err(ConvertError::Format("it is safetensors already")),
        [Format::Hdf5] => Err(ConvertError::Format(
            "the arrays of HDF5 are not read; save the weights as `.npz`",
        )),
        [Format::Tar] => Err(ConvertError::Format(
            "files that PyTorch wrote before 0.1.10 are not read",
        )),
        [_, _, ..] => Err(ConvertError::Format(
            "it can be read as more than one format, so that programs may see different tensors",
        )),
        _ => Err(ConvertError::Format(
            "it is no archive or pickle of PyTorch, and no `.npz` or `.npy`",
        )),
    }
}
