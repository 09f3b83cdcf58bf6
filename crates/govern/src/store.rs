//! Where personal data lies.

use serde_json::Value;

use crate::{retention::Holds, subject::Subject};

/// A place that holds personal data and can be searched for somebody.
///
/// Every method may be called again after it was interrupted: what was done stays done.
pub trait SubjectStore {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// What kind of place it is, e.g. `files`.
    fn kind(&self) -> &'static str;

    /// Its class in the configuration, empty for none.
    fn class(&self) -> &str;

    /// How many records are about `subject`.
    ///
    /// # Errors
    /// When not every record could be looked at.
    fn count(&mut self, subject: &Subject) -> Result<u64, StoreFault>;

    /// Removes every record about `subject`, all of them or, in each file or table, none; says how
    /// many.
    ///
    /// # Errors
    /// When not every record could be looked at, or one could not be removed.
    fn erase(&mut self, subject: &Subject) -> Result<u64, StoreFault>;

    /// Every record about `subject`.
    ///
    /// # Errors
    /// When not every record could be looked at.
    fn export(&mut self, subject: &Subject) -> Result<Vec<Value>, StoreFault>;

    /// How many records are older than `before_ms` (milliseconds since 1970), and how many of them
    /// are held.
    ///
    /// # Errors
    /// When it has no times, or not every record could be looked at.
    fn count_old(&mut self, before_ms: i64, holds: &Holds) -> Result<(u64, u64), StoreFault>;

    /// Removes those that are older and not held; says how many.
    ///
    /// # Errors
    /// As [`Self::count_old`], and when one could not be removed.
    fn remove_old(&mut self, before_ms: i64, holds: &Holds) -> Result<u64, StoreFault>;
}

/// Why a store could not do it. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFault {
    /// A file or table cannot be read or written.
    #[error("`{place}` cannot be used ({why})")]
    Io {
        /// The file or table.
        place: String,
        /// A kind of error, without content.
        why: String,
    },
    /// A record has no time that can be read.
    #[error("`{place}` has a record without a time (line {line}); nothing was removed from it")]
    NoTime {
        /// The file.
        place: String,
        /// The line, from 1.
        line: u64,
    },
    /// It was registered without saying where times stand.
    #[error("the store has no `time`, so that nothing in it grows old")]
    Timeless,
    /// A file changed while it was rewritten.
    #[error("`{0}` changed while it was read; nothing was removed from it, try again")]
    Changed(String),
    /// A line is too long to be looked at.
    #[error("`{place}` has a line of more than {most} bytes")]
    LongLine {
        /// The file.
        place: String,
        /// Bytes of a line at most.
        most: u64,
    },
}
