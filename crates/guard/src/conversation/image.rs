//! Text in the metadata of pictures, where instructions can hide.

/// What the metadata of a picture says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PictureText {
    /// Its texts, in order.
    pub(super) texts: Vec<String>,
    /// Whether there is text that was not read: compressed, or more than the bounds allow.
    pub(super) unread: bool,
}

/// Texts taken of one picture, and bytes of one text.
const MAX_TEXTS: usize = 64;
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Reads the text chunks of a PNG (W3C PNG, third edition, section 11.3.3) or the comments and the
/// EXIF and XMP segments of a JPEG (ITU-T T.81 annex B; CIPA DC-008 section 4.7).
pub(super) fn texts(bytes: &[u8]) -> PictureText {
    let mut found = PictureText::default();
    if let Some(chunks) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        png(chunks, &mut found);
    } else if let Some(segments) = bytes.strip_prefix(b"\xff\xd8") {
        jpeg(segments, &mut found);
    }
    found
}

fn png(mut rest: &[u8], found: &mut PictureText) {
    while let Some((length, after)) = rest.split_first_chunk::<4>()
        && let Some((kind, after)) = after.split_first_chunk::<4>()
    {
        let length = u32::from_be_bytes(*length) as usize;
        let body = after.get(..length).unwrap_or(after);
        match kind {
            b"tEXt" => found.add(after_nul(body)),
            b"iTXt" => international(body, found),
            // Inflating is left to a reader with a budget.
            b"zTXt" => found.unread = true,
            b"eXIf" => printable_runs(body, found),
            _ => {}
        }
        // The body is followed by a checksum of 4 bytes.
        rest = after.get(length.saturating_add(4)..).unwrap_or_default();
    }
}

/// `keyword NUL compressed method language NUL translated NUL text`.
fn international(body: &[u8], found: &mut PictureText) {
    match after_nul(body) {
        [0, _, rest @ ..] => found.add(after_nul(after_nul(rest))),
        _ => found.unread = true,
    }
}

fn after_nul(bytes: &[u8]) -> &[u8] {
    memchr::memchr(0, bytes)
        .and_then(|nul| bytes.get(nul + 1..))
        .unwrap_or_default()
}

fn jpeg(mut rest: &[u8], found: &mut PictureText) {
    while let [0xff, marker, after @ ..] = rest {
        match marker {
            // Fill bytes, and markers without a body.
            0xff => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            0x01 | 0xd0..=0xd7 => {
                rest = after;
                continue;
            }
            // The picture itself begins, or everything ends.
            0xda | 0xd9 => return,
            _ => {}
        }
        let Some((length, body)) = after.split_first_chunk::<2>() else {
            return;
        };
        let length = usize::from(u16::from_be_bytes(*length)).saturating_sub(2);
        let segment = body.get(..length).unwrap_or(body);
        match marker {
            0xfe => found.add(segment),
            0xe1 | 0xed => printable_runs(segment, found),
            _ => {}
        }
        rest = body.get(length..).unwrap_or_default();
    }
}

/// EXIF is a tree of offsets with texts at its leaves, XMP is XML, IPTC is records: the texts of
/// all of them are runs of printable characters, wide ones with zeros between.
fn printable_runs(segment: &[u8], found: &mut PictureText) {
    const MIN_RUN: usize = 8;
    let narrow: Vec<u8> = if wide_share(segment) {
        segment.iter().copied().filter(|byte| *byte != 0).collect()
    } else {
        segment.to_vec()
    };
    for run in narrow.split(|byte| *byte < 0x20 && !byte.is_ascii_whitespace()) {
        if run.len() >= MIN_RUN {
            found.add(run);
        }
    }
}

/// Whether the bytes hold a run of UTF-16 text in a Latin script.
fn wide_share(segment: &[u8]) -> bool {
    let is_wide = |pair: &[u8; 2]| matches!(pair, [0, byte] | [byte, 0] if byte.is_ascii_graphic() || *byte == b' ');
    let shifted = segment.get(1..).unwrap_or_default();
    [segment, shifted].into_iter().any(|bytes| {
        let pairs = bytes.as_chunks::<2>().0;
        pairs.windows(8).any(|run| run.iter().all(is_wide))
    })
}

impl PictureText {
    fn add(&mut self, bytes: &[u8]) {
        let kept = bytes.get(..MAX_TEXT_BYTES).unwrap_or(bytes);
        self.unread |= kept.len() < bytes.len();
        if self.texts.len() >= MAX_TEXTS {
            self.unread = true;
        } else if !kept.is_empty() {
            self.texts.push(String::from_utf8_lossy(kept).into_owned());
        }
    }
}
