use bartizan_core::{Coverage, Finding, Verdict};

/// What a guarded stream came to: all that the record, the metrics, and the budgets need. Holds no
/// content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The strictest of what was decided about any part of it.
    pub verdict: Verdict,
    /// What was found, with the text it stands in; at most [`MAX_FINDINGS`].
    pub findings: Vec<FoundIn>,
    /// Findings beyond those.
    pub findings_left_out: u64,
    /// Checks that did not look at everything, each once.
    pub gaps: Vec<Coverage>,
    /// Tokens as the upstream counted them last.
    pub usage: Usage,
    /// The upstream's name for an answer that it keeps (Responses). No label, no log.
    pub id: Option<String>,
    /// Why each choice ended, in the upstream's words where they are one plain word, else `other`;
    /// `content_filter` or `refusal` where we ended it.
    pub finish_reasons: Vec<(u64, String)>,
    /// How the stream ended.
    pub ending: Ending,
    /// Events that came from the upstream.
    pub events: u64,
    /// Bytes of text that came from the upstream, without its envelope.
    pub text_bytes: u64,
    /// Bytes of text that the client got.
    pub released_bytes: u64,
    /// Most bytes of one text that were held back at the end of a push.
    pub most_held: usize,
    /// Bytes after the end, which the client did not get.
    pub trailing_bytes: u64,
}

/// Most findings that an outcome lists.
pub const MAX_FINDINGS: usize = 1000;

/// A finding and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundIn {
    /// The text, e.g. `choices[1].content`, `output[0].content[2]`, `content[0]`.
    pub channel: String,
    /// The finding; its span counts in bytes of that text.
    pub finding: Finding,
    /// What it asks for.
    pub action: Verdict,
    /// Whether that is reported only.
    pub shadow: bool,
}

/// Tokens as an upstream reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the request.
    pub input: Option<u64>,
    /// Of the answer.
    pub output: Option<u64>,
    /// Of the request, read from the upstream's cache.
    pub cached: Option<u64>,
    /// Of the answer, spent on reasoning.
    pub reasoning: Option<u64>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// Not yet; or the client went away.
    #[default]
    Open,
    /// As its format says.
    Complete,
    /// A finding ended it.
    Blocked,
    /// It needed more than a limit allows: the key of [`super::StreamConfig`].
    Limit(&'static str),
    /// It held sound or pictures, which may not pass.
    Unread,
    /// It was no stream of its format; says what was wrong.
    Malformed(&'static str),
    /// The upstream said that it failed.
    UpstreamError,
    /// The upstream stopped in the middle.
    Truncated,
}

impl Ending {
    /// The name used in metrics and the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Blocked => "blocked",
            Self::Limit(_) => "limit",
            Self::Unread => "unread-media",
            Self::Malformed(_) => "malformed",
            Self::UpstreamError => "upstream-error",
            Self::Truncated => "truncated",
        }
    }
}
