//! Messages of syslog (RFC 5424), in frames with their length (RFC 6587, section 3.4.1; RFC 5425,
//! section 4.3).

use std::fmt::Write as _;

use bartizan_core::Severity;

use crate::Notice;

/// The facility "log audit" (RFC 5424, table 1).
pub const LOG_AUDIT: u8 = 13;

/// The largest facility (RFC 5424, table 1).
pub const MAX_FACILITY: u8 = 23;

/// The largest `sequenceId` (RFC 5424, section 7.3.1); then it begins again with 1.
const MAX_SEQUENCE: u64 = 2_147_483_647;

/// Appends a frame: the length of the message in bytes, a space, and the message.
///
/// `host` is the name of this machine, `text` the event in the receiver's format. The text has no
/// byte order mark: it is `MSG-ANY`, which many receivers read as the plain text that it is.
pub fn frame(notice: &Notice, facility: u8, host: &str, text: &str, out: &mut Vec<u8>) {
    let message = format!(
        "<{}>1 {} {} bartizan - {} [meta sequenceId=\"{}\"] {text}",
        u16::from(facility.min(MAX_FACILITY)) * 8 + u16::from(severity(notice.severity)),
        moment(notice.at_ms),
        Word {
            text: host,
            most: 255
        },
        Word {
            text: &notice.kind,
            most: 32
        },
        notice.number.saturating_sub(1) % MAX_SEQUENCE + 1,
    );
    out.extend_from_slice(message.len().to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(message.as_bytes());
}

/// RFC 5424, table 2.
const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Info => 6,
    }
}

fn moment(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok();
    let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "-".to_owned(), |at| format!("{at:.3}"))
}

/// A field of the header: printable ASCII without spaces, or `-` for none.
struct Word<'a> {
    text: &'a str,
    most: usize,
}

impl std::fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut letters = self
            .text
            .chars()
            .filter(char::is_ascii_graphic)
            .take(self.most);
        let Some(first) = letters.next() else {
            return f.write_char('-');
        };
        f.write_char(first)?;
        letters.try_for_each(|letter| f.write_char(letter))
    }
}
