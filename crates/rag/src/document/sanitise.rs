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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Small documents of every kind, which the fuzzers start from.
    const SEEDS: [(Kind, &[u8]); 7] = [
        (
            Kind::Html,
            include_bytes!("../../../../fuzz/corpus/document_html/page"),
        ),
        (
            Kind::Html,
            include_bytes!("../../../../fuzz/corpus/document_html/characters"),
        ),
        (
            Kind::Markdown,
            include_bytes!("../../../../fuzz/corpus/document_html/markdown"),
        ),
        (
            Kind::Mail,
            include_bytes!("../../../../fuzz/corpus/document_mail/alternative"),
        ),
        (
            Kind::Mail,
            include_bytes!("../../../../fuzz/corpus/document_mail/attached"),
        ),
        (
            Kind::Docx,
            include_bytes!("../../../../fuzz/corpus/document_docx/small"),
        ),
        (
            Kind::Pdf,
            include_bytes!("../../../../fuzz/corpus/document_pdf/small"),
        ),
    ];

    fn check(bytes: &[u8], kind: Kind) {
        let limits = Limits {
            max_bytes: 1 << 20,
            max_expanded_bytes: 1 << 20,
            max_depth: 3,
        };
        let Ok(seen) = sanitise(bytes, kind, &limits) else {
            return;
        };
        let mut last = 0;
        for piece in &seen.pieces {
            assert!(piece.range.start >= last && piece.place.part < seen.parts.len());
            assert!(seen.text.get(piece.range.clone()).is_some());
            last = piece.range.end;
            let is_flat = matches!(kind, Kind::Html | Kind::Markdown | Kind::Text);
            if let Some(span) = piece.place.span.filter(|_| piece.is_exact && is_flat) {
                let there = bytes.get(span.as_range());
                assert_eq!(there, seen.text.get(piece.range.clone()).map(str::as_bytes));
            }
        }
    }

    #[test]
    fn small_documents_are_read_whole() {
        for (kind, bytes) in SEEDS {
            let seen = sanitise(bytes, kind, &Limits::default()).unwrap();
            assert!(
                seen.is_complete() && !seen.text.trim().is_empty(),
                "{kind} {seen:?}"
            );
            check(bytes, kind);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn no_bytes_break_it(
            seed in 0..SEEDS.len(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..12),
        ) {
            let (kind, bytes) = SEEDS[seed];
            let mut bytes = bytes.to_vec();
            for (at, byte, what) in edits {
                let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
                match what {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 if bytes.len() > 1 => drop(bytes.drain(at..at + 1)),
                    _ => {
                        let end = (at + usize::from(byte)).min(bytes.len());
                        bytes.extend_from_within(at..end);
                    }
                }
            }
            for other in [kind, Kind::Text, Kind::Html] {
                check(&bytes, other);
            }
        }

        #[test]
        fn pages_of_any_tags_are_read(parts in prop::collection::vec(
            prop::sample::select(vec![
                "<b>", "</b>", "<p>", "</p>", "<table>", "<td>", "</table>", "<a>", "<div hidden>",
                "<style>", "</style>", ".a{", "}", "<template>", "</template>", "<select>", "text ",
                "<svg>", "<math>", "<!--", "-->", "&amp;", "&#x1", "é", "\u{200b}", "\r\n", "<i", " a=b>",
            ]), 0..60)) {
            check(parts.concat().as_bytes(), Kind::Html);
            check(parts.concat().as_bytes(), Kind::Markdown);
        }
    }
}
