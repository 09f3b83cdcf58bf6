//! The tokens that stand with their probabilities, `logprobs` of all formats.

use std::collections::BTreeMap;

use super::json::{Data, Value, is_long_number};

/// What they say, joined: once for the tokens, once for their bytes, and once for each rank of
/// alternatives.
pub(super) fn texts(value: &Value<'_>) -> Vec<String> {
    let mut streams = Streams::default();
    streams.collect(value, Stream::default());
    let texts = streams.0.into_values();
    texts
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .filter(|text| !text.is_empty())
        .collect()
}

/// Which list of tokens a string belongs to.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Stream {
    /// Of the refusal rather than of the content.
    refusal: bool,
    /// The rank among alternatives, from 1; 0 for the token itself.
    rank: u8,
    /// What kind of string.
    kind: Kind,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    #[default]
    Token,
    Bytes,
    Other,
}

/// Keys of these objects that are no tokens.
const NAMES: &[&str] = &[
    "content",
    "refusal",
    "token",
    "tokens",
    "bytes",
    "logprob",
    "token_logprobs",
    "top_logprobs",
    "text_offset",
];

#[derive(Default)]
struct Streams(BTreeMap<Stream, Vec<u8>>);

impl Streams {
    fn add(&mut self, stream: Stream, bytes: &[u8]) {
        self.0.entry(stream).or_default().extend_from_slice(bytes);
    }

    fn collect(&mut self, value: &Value<'_>, stream: Stream) {
        match &value.data {
            Data::Null | Data::Bool(_) => {}
            Data::String(text) => self.add(stream, text.value.as_bytes()),
            Data::Number(text) => self.number(&text.value, stream),
            Data::Numbers(list) => {
                list.split(',')
                    .for_each(|literal| self.number(literal.trim(), stream));
            }
            Data::Array(items) => items.iter().for_each(|item| self.collect(item, stream)),
            Data::Object(members) => {
                // The older format has alternatives as the keys of an object.
                let mut rank = stream.rank;
                for (key, value) in members {
                    let key = &*key.value;
                    if !NAMES.contains(&key) {
                        rank = rank.saturating_add(1);
                        self.add(Stream { rank, ..stream }, key.as_bytes());
                    }
                    self.member(key, value, stream);
                }
            }
        }
    }

    fn number(&mut self, literal: &str, stream: Stream) {
        match literal.parse::<u8>() {
            Ok(byte) if stream.kind == Kind::Bytes => self.add(stream, &[byte]),
            _ if is_long_number(literal) => self.add(stream, literal.as_bytes()),
            _ => {}
        }
    }

    fn member(&mut self, key: &str, value: &Value<'_>, stream: Stream) {
        let kind = |kind| Stream { kind, ..stream };
        match key {
            "refusal" => self.collect(
                value,
                Stream {
                    refusal: true,
                    ..stream
                },
            ),
            "content" => self.collect(value, stream),
            "token" | "tokens" => self.collect(value, kind(Kind::Token)),
            "bytes" => self.collect(value, kind(Kind::Bytes)),
            "top_logprobs" => {
                for (rank, item) in (1..).zip(value.items()) {
                    let rank = u8::try_from(rank).unwrap_or(u8::MAX);
                    // The older format has one object per token here, not one per rank.
                    let rank = if item.has("token") { rank } else { 0 };
                    self.collect(item, Stream { rank, ..stream });
                }
            }
            _ => self.collect(value, kind(Kind::Other)),
        }
    }
}
