use std::{collections::BTreeMap, fmt::Write as _};

use super::{Treatment, Way, fields, versions};

const INTRODUCTION: &str = "\
# Coverage of the wire formats

<!-- Made by `cargo xtask generate`; do not edit. -->

Every field of the formats that can carry text, and what is done with it. The list comes from the
types of the vendors' own SDKs; a test plants an attack or personal data in every one of them, in
fields that no format knows beside each, and proves that it is found or the request refused.

- **judged**: every text in it is looked at, also one that is split over neighbouring parts.
- **judged, but for names**: a single word without spaces up to the given length passes as an
  identifier unless it is an address or holds twelve digits in a row; everything else is looked at.
  Bound: what fits in such a word.
- **sealed**: a word in base64, of up to 1 MiB, that only the vendor who made it can read and write
  passes; everything else in such a field is looked at.
- **file**: addresses, plain text, and the metadata of pictures are looked at. What a picture shows,
  what a sound says, and packed formats such as PDF are not: `media` in the configuration lets them
  through or refuses them (pictures pass by default, sounds and other files do not).
- **taken out**: the instructions that an answer repeats, since the gateway may have added to them;
  and probabilities of tokens, unless the client is entitled to them: then their tokens are read as
  one text, and go with the first redaction of the text that they repeat.
- **judged, not changed**: signed text, where a finding stops the answer.

A block, item, or role of a kind that is not in the list is refused, unless the policy allows
`shape.unknown-part-type`. Fields beside these are judged like any other. Numbers are looked at if
they have twelve digits or more. Lists of tokens instead of text are refused. Names of models, fixed
lists of values, truth values, and short numbers are not text. In streams, an event of an unknown
kind is held and judged as a whole.

Tools that the upstream runs itself, such as searches and servers of the Model Context Protocol, feed
the model with text that does not pass here: it is judged when it comes back in the answer.
`guarding.server-tools` says whether such a request passes, is flagged, or is refused.

A number in brackets says in how many kinds of messages, blocks, or tools the field stands.
";

/// The page of the reference about all this, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    let _ = writeln!(page, "\nMade from {}.", versions());
    let mut sections: BTreeMap<_, BTreeMap<(String, Treatment), usize>> = BTreeMap::new();
    for field in fields() {
        let rows = sections.entry((field.endpoint, field.way)).or_default();
        *rows
            .entry((without_kinds(field.path), field.treatment()))
            .or_default() += 1;
    }
    for ((endpoint, way), rows) in sections {
        let way = match way {
            Way::Request => "requests",
            Way::Answer => "answers",
            Way::Stream => "events of a stream",
        };
        let _ = writeln!(page, "\n## `{}`: {way}\n", endpoint.path());
        page.push_str("| field | what is done |\n| --- | --- |\n");
        for ((path, treatment), count) in rows {
            let times = if count > 1 {
                format!(" ({count})")
            } else {
                String::new()
            };
            let _ = writeln!(page, "| `{path}`{times} | {} |", words(treatment));
        }
    }
    page
}

fn words(treatment: Treatment) -> String {
    match treatment {
        Treatment::Judged => "judged".to_owned(),
        Treatment::Identifier(bytes) => format!("judged, but for names of up to {bytes} bytes"),
        Treatment::File => "file".to_owned(),
        Treatment::Probabilities => "taken out".to_owned(),
        Treatment::Sealed => "sealed".to_owned(),
        Treatment::Echo => "taken out".to_owned(),
        Treatment::Signed => "judged, not changed".to_owned(),
    }
}

/// A path without what tells one kind of object from another.
fn without_kinds(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut inside = false;
    for character in path.chars() {
        match character {
            '{' => inside = true,
            '}' => inside = false,
            _ if !inside => plain.push(character),
            _ => {}
        }
    }
    plain.trim_start_matches('.').to_owned()
}
