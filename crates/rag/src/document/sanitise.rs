use bartizan_core::CheckError;

use super::{
    docx, html,
    kind::Kind,
    mail, markdown,
    output::{Output, Sanitised, Source},
    pdf,
};

/// What reading one document may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document.
    pub max_bytes: usize,
    /// Bytes of text and of unpacked parts, all together.
    pub max_expanded_bytes: usize,
    /// Documents within documents: attachments of attachments.
    pub max_depth: usize,
}

impl Default for Limits {
    /// 32 MiB, 64 MiB unpacked, 3 deep.
    fn default() -> Self {
        Self {
            max_bytes: 32 << 20,
            max_expanded_bytes: 64 << 20,
            max_depth: 3,
        }
    }
}

/// Why a document was not read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SanitiseError {
    /// It is longer than the limit.
    #[error("the document has more than {max} bytes; split it, or raise the limit")]
    TooLong {
        /// [`Limits::max_bytes`].
        max: usize,
    },
    /// It is not what it is said to be.
    #[error("the document cannot be read as {kind}: {problem}")]
    Malformed {
        /// What it was read as.
        kind: Kind,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Parts what a reader sees of a document from what is kept from them.
///
/// A part that could not be read is a gap of the result, which is then not complete.
///
/// # Errors
/// When the document is too long, or cannot be read at all.
pub fn sanitise(bytes: &[u8], kind: Kind, limits: &Limits) -> Result<Sanitised, SanitiseError> {
    if bytes.len() > limits.max_bytes {
        return Err(SanitiseError::TooLong {
            max: limits.max_bytes,
        });
    }
    let mut output = Output::new(limits.max_expanded_bytes);
    read(bytes, kind, limits, limits.max_depth, &mut output)?;
    Ok(output.finish())
}

/// Reads a document, `depth` levels of documents within it included.
pub(super) fn read(
    bytes: &[u8],
    kind: Kind,
    limits: &Limits,
    depth: usize,
    output: &mut Output,
) -> Result<(), SanitiseError> {
    let malformed = |problem| SanitiseError::Malformed { kind, problem };
    match kind {
        Kind::Docx => docx::read(bytes, limits, output).map_err(malformed),
        Kind::Pdf => pdf::read(bytes, limits, output).map_err(malformed),
        Kind::Mail => mail::read(bytes, limits, depth, output).map_err(malformed),
        Kind::Text | Kind::Html | Kind::Markdown => {
            let text = String::from_utf8_lossy(bytes);
            let is_as_received = matches!(text, std::borrow::Cow::Borrowed(_));
            if !is_as_received {
                // What the bytes say in another encoding is not what was looked at.
                output.gap(CheckError::Malformed("the document is no UTF-8".into()));
            }
            read_text(&text, kind, is_as_received.then_some(0), output);
            Ok(())
        }
    }
}

/// Reads text that stands at byte `base` of its part, if it stands there.
pub(super) fn read_text(text: &str, kind: Kind, base: Option<usize>, output: &mut Output) {
    match kind {
        Kind::Html => html::read(text, base, output),
        Kind::Markdown => markdown::read(text, base, output),
        _ => {
            let source = base.map_or(Source::NONE, |base| Source::exact(base, base + text.len()));
            output.show(text, source);
        }
    }
}
