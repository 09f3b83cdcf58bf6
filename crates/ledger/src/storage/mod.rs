//! Where a ledger's files lie.

mod folder;
#[cfg(test)]
mod simulated;

use std::io;

pub use folder::Folder;

/// Most bytes that are put behind a file in advance.
pub(crate) const MAX_AHEAD: u64 = 16 << 20;
#[cfg(test)]
pub(crate) use simulated::Simulated;

/// Files by name, where names are paths with `/` and without `..`.
///
/// Only [`Storage::append`] and [`Storage::sync`] wait for the disk.
pub trait Storage: Send + Sync {
    /// The whole file; `None` if there is none.
    ///
    /// # Errors
    /// When it is longer than `max` bytes, is no ordinary file, or cannot be read.
    fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>>;

    /// The names in a folder, in no order; none if there is no such folder.
    ///
    /// # Errors
    /// When it cannot be read.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes or replaces a file; readers see the old or the new one whole.
    ///
    /// # Errors
    /// When the disk is full or broken; the old one is still there then.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Writes `bytes` at `at`, behind all that was written, and returns when the disk has them. There
    /// may be zeros behind them, at most `MAX_AHEAD`.
    ///
    /// # Errors
    /// When the disk is full or broken; nothing behind `at` counts then.
    fn append(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when the disk has these files and their folders.
    ///
    /// # Errors
    /// When it cannot be known that it has.
    fn sync(&self, names: &[String]) -> io::Result<()>;

    /// Cuts a file to `length` bytes.
    ///
    /// # Errors
    /// When it cannot be cut.
    fn truncate(&self, name: &str, length: u64) -> io::Result<()>;

    /// Removes a file, if there is one.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self, name: &str) -> io::Result<()>;
}
