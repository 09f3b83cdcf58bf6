//! Where text stands in the formats, and what is done with each place: the coverage contract.
//!
//! The list of fields is data made from the types of the vendors' own SDKs
//! (`tools/wire_fields.py`), so that a field that a new version adds is a line of a diff, and the
//! tests of this module, which plant an attack in every one of them, run over it.

mod render;
#[cfg(test)]
mod tests;

use bartizan_guard::conversation::identifier_field;

use crate::endpoint::Endpoint;

pub use render::markdown;

/// Which way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// From the client to the model.
    Request,
    /// A whole answer.
    Answer,
    /// The data of an event of a streamed answer.
    Stream,
}

/// A field that can carry text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The route.
    pub endpoint: Endpoint,
    /// The direction.
    pub way: Way,
    /// Where it stands, e.g. `messages[]{role=user}.content[]{type=text}.text`.
    pub path: &'static str,
    /// Whether it takes any JSON rather than a text.
    pub any: bool,
}

/// What is done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Treatment {
    /// Every text in it is looked at.
    Judged,
    /// A single word without spaces of up to so many bytes passes as a name; anything else in it is
    /// looked at.
    Identifier(usize),
    /// One word in base64, of up to 1 MiB, that only its maker can read passes; anything else in it is
    /// looked at.
    Sealed,
    /// A file in base64 or its address: the address, plain text, and metadata of pictures are
    /// looked at; what is left is let through or refused by `MediaConfig`.
    File,
    /// Read joined to a text, for clients that are entitled to it; taken out for all others.
    Probabilities,
    /// Repeats the request's instructions and what was added to them here: taken out.
    Echo,
    /// Looked at; a finding stops the answer, since a signature over the text forbids to change it.
    Signed,
}

/// The fields of both SDKs, with the versions in the first line.
const FIELDS: &str = include_str!("fields.txt");

/// The versions of the SDKs that the list was made from.
#[must_use]
pub fn versions() -> &'static str {
    FIELDS
        .lines()
        .next()
        .and_then(|line| line.split_once("the types of "))
        .map_or("", |(_, versions)| versions.trim_end_matches('.'))
}

/// Every field that can carry text, in every format.
#[must_use]
pub fn fields() -> Vec<Field> {
    let mut fields = Vec::new();
    let mut section = None;
    for line in FIELDS.lines() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = section_named(name);
            continue;
        }
        // The whole of another section: it has its own lines.
        let Some((endpoint, way)) = section.filter(|_| !line.contains(" @")) else {
            continue;
        };
        fields.push(Field {
            endpoint,
            way,
            path: line.trim_end_matches('!'),
            any: line.ends_with('!'),
        });
    }
    fields
}

fn section_named(name: &str) -> Option<(Endpoint, Way)> {
    let (endpoint, way) = name.split_once(' ')?;
    let endpoint = match endpoint {
        "chat-completions" => Endpoint::ChatCompletions,
        "completions" => Endpoint::Completions,
        "responses" => Endpoint::Responses,
        "embeddings" => Endpoint::Embeddings,
        "moderations" => Endpoint::Moderations,
        "messages" => Endpoint::Messages,
        "count-tokens" => Endpoint::CountTokens,
        _ => return None,
    };
    let way = match way {
        "request" => Way::Request,
        "answer" => Way::Answer,
        "stream" => Way::Stream,
        _ => return None,
    };
    Some((endpoint, way))
}

impl Field {
    /// The last name in its path.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let last = self.path.rsplit('.').next().unwrap_or_default();
        last.split(['[', '{']).next().unwrap_or_default()
    }

    /// What is done with it.
    #[must_use]
    pub fn treatment(&self) -> Treatment {
        let name = self.name();
        let in_file = [
            "type=file",
            "type=input_file",
            "type=base64",
            "type=image",
            "type=input_audio",
            "type=image_generation_call",
            "type=computer_screenshot",
            "type=input_image",
        ]
        .iter()
        .any(|kind| self.path.contains(kind));
        if self.way == Way::Answer && self.path.starts_with("{object=response}.instructions") {
            Treatment::Echo
        } else if self.way != Way::Request && self.path.contains("logprobs") {
            Treatment::Probabilities
        } else if self.way != Way::Request && name == "thinking" {
            Treatment::Signed
        } else if name == "data" && self.path.contains("type=redacted_thinking") {
            Treatment::Sealed
        } else if in_file
            && matches!(
                name,
                "data" | "file_data" | "url" | "image_url" | "file_url" | "result"
            )
        {
            Treatment::File
        } else if self.any {
            Treatment::Judged
        } else {
            match identifier_field(name) {
                Some(bytes) if bytes > 128 => Treatment::Sealed,
                Some(bytes) => Treatment::Identifier(bytes),
                None => Treatment::Judged,
            }
        }
    }
}
