//! What files and folders are, by their bytes alone: digests that do not depend on where they stand.

mod algorithm;
mod error;
mod hash;
mod manifest;
mod tree;

pub(crate) use algorithm::Hasher;
pub use algorithm::{Algorithm, Digest};
pub use error::DigestError;
pub(crate) use hash::{BLOCK, open_regular};
pub use hash::{Granularity, Piece, hash_pieces, hash_source, hash_tree};
pub use manifest::{Manifest, Resource, ResourceName};
pub use tree::{Odd, OddKind, Selection, Tree, TreeFile};
