use std::io::Read;

use super::Input;
use crate::{ParseError, Source};

/// Hands each file of a 7-Zip archive to `each`: its path, and its bytes as a reader.
///
/// # Errors
/// When the archive is broken, encrypted, or compressed in an unknown way, and what `each` returns.
pub fn sevenz(
    source: &dyn Source,
    mut each: impl FnMut(&str, &mut dyn Read) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let because = |error: sevenz_rust2::Error| match error {
        sevenz_rust2::Error::MaxMemLimited { max_kb, .. } => ParseError::Exhausted {
            limit: "dictionary-kibibytes",
            max: max_kb as u64,
        },
        sevenz_rust2::Error::PasswordRequired => {
            ParseError::malformed(0, "the archive is encrypted")
        }
        _ => ParseError::malformed(0, "the archive cannot be unpacked"),
    };
    let input = Input::new(source);
    let mut reader = sevenz_rust2::ArchiveReader::new(input, sevenz_rust2::Password::empty())
        .map_err(because)?;
    reader.set_thread_count(1);
    let mut stopped = None;
    let outcome = reader.for_each_entries(|entry, bytes| {
        if entry.is_directory() || !entry.has_stream() {
            return Ok(true);
        }
        match each(entry.name(), bytes) {
            Ok(()) => Ok(true),
            Err(error) => {
                stopped = Some(error);
                Ok(false)
            }
        }
    });
    match stopped {
        Some(error) => Err(error),
        None => outcome.map_err(because),
    }
}
