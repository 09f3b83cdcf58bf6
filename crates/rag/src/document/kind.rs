use std::{fmt, str::FromStr};

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Plain text.
    Text,
    /// A page, or a piece of one.
    Html,
    /// Markdown (CommonMark with tables).
    Markdown,
    /// A mail message (RFC 5322, RFC 2045).
    Mail,
    /// A Word document (ECMA-376).
    Docx,
    /// A PDF file (ISO 32000).
    Pdf,
}

/// The name of no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind `{0}`, expected `text`, `html`, `markdown`, `mail`, `docx`, or `pdf`")]
pub struct UnknownKind(String);

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Text,
        Self::Html,
        Self::Markdown,
        Self::Mail,
        Self::Docx,
        Self::Pdf,
    ];

    /// The name used in configuration and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Mail => "mail",
            Self::Docx => "docx",
            Self::Pdf => "pdf",
        }
    }

    /// What `bytes` are: by their content first, and by `name` where the content does not say.
    ///
    /// `None` for other binary formats.
    #[must_use]
    pub fn sniff(bytes: &[u8], name: &str) -> Option<Self> {
        let start = bytes.get(..1024.min(bytes.len())).unwrap_or_default();
        // A PDF may have up to 1,024 bytes before its header (ISO 32000-1, annex H.3).
        if start.windows(5).any(|window| window == b"%PDF-") {
            return Some(Self::Pdf);
        }
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let extension = extension.to_ascii_lowercase();
        if start.starts_with(b"PK\x03\x04") {
            let is_word = matches!(extension.as_str(), "docx" | "docm" | "dotx" | "");
            return is_word.then_some(Self::Docx);
        }
        if start.contains(&0) {
            return None;
        }
        let by_name = match extension.as_str() {
            "html" | "htm" | "xhtml" | "svg" | "xml" => Some(Self::Html),
            "md" | "markdown" | "mdx" => Some(Self::Markdown),
            "eml" | "mbox" | "msg" => Some(Self::Mail),
            "txt" | "text" | "csv" | "json" | "jsonl" | "log" | "yaml" | "yml" | "rst" => {
                Some(Self::Text)
            }
            _ => None,
        };
        by_name.or_else(|| Some(Self::by_content(&String::from_utf8_lossy(start))))
    }

    fn by_content(start: &str) -> Self {
        let text = start.trim_start_matches('\u{feff}').trim_start();
        let lower = text.to_ascii_lowercase();
        let first_line = lower.lines().next().unwrap_or_default();
        let is_page = lower.starts_with("<!doctype html")
            || [
                "<html", "<head", "<body", "<div", "<p>", "<table", "<span", "</",
            ]
            .iter()
            .any(|tag| lower.contains(tag));
        let headers = [
            "from:",
            "received:",
            "return-path:",
            "delivered-to:",
            "mime-version:",
        ];
        if headers.iter().any(|header| first_line.starts_with(header))
            && (lower.contains("\nsubject:") || lower.contains("\nmime-version:"))
        {
            Self::Mail
        } else if is_page {
            Self::Html
        } else if text.starts_with("# ") || text.contains("\n# ") || text.contains("\n```") {
            Self::Markdown
        } else {
            Self::Text
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_outweighs_names() {
        for (bytes, name, expected) in [
            (b"%PDF-1.7\n".as_slice(), "a.txt", Some(Kind::Pdf)),
            (b"PK\x03\x04x", "a.docx", Some(Kind::Docx)),
            (b"PK\x03\x04x", "a.jar", None),
            (b"\x89PNG\0", "a.html", None),
            (b"<!doctype html><p>x", "", Some(Kind::Html)),
            (b"From: a@b.example\nSubject: x\n\ny", "", Some(Kind::Mail)),
            (b"# Title\n\ntext", "", Some(Kind::Markdown)),
            (b"if a < b and c > d", "", Some(Kind::Text)),
            (b"plain", "x.md", Some(Kind::Markdown)),
        ] {
            assert_eq!(Kind::sniff(bytes, name), expected, "{name}");
        }
    }
}
