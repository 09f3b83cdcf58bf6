//! Archives and compressed files, always unpacked under the caller's budget.

mod input;
mod sevenz;
mod tar;
mod unpack;
mod zip;

pub use input::Input;
pub use sevenz::sevenz;
pub use tar::{TarEntry, TarKind, tar, tar_stream};
pub use unpack::{Codec, Unpacked, collect, crc32, reader, unpack};
pub use zip::{Zip, ZipEntry, ZipOddity, zip};
