use std::path::PathBuf;

use clap::Args;

use super::PlainFormat;

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// File of PyTorch (`.pt`, `.bin`, `.pkl`), or of arrays (`.npz`, `.npy`)
    pub(crate) from: PathBuf,
    /// The new file, `.safetensors`
    pub(crate) to: PathBuf,
    /// Leave out what is no tensor, and name it, instead of converting nothing
    #[arg(long)]
    pub(crate) tensors_only: bool,
    /// Read the new file again and compare every tensor before it takes its place
    #[arg(long)]
    pub(crate) verify: bool,
    /// Most GiB of all tensors together
    #[arg(
        long,
        value_name = "GIB",
        default_value = "1024",
        value_parser = clap::value_parser!(u64).range(1..=1_048_576)
    )]
    pub(crate) max_size: u64,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
}
