//! Perspective API: <https://developers.perspectiveapi.com/s/about-the-api-methods>.

use std::collections::BTreeMap;

use bartizan_core::Direction;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Harm, Said, Service, harm};
use crate::{judge::Unanswered, upstream::Kind};

pub(super) static SERVICE: Service = Service {
    name: "perspective",
    upstreams: &[Kind::Perspective],
    model: "perspective",
    // The API refuses longer comments.
    max_bytes: 20_480,
    is_chat: false,
    harms: &HARMS,
    ask,
    read,
};

/// Jigsaw advises thresholds from 0.7 to 0.9 where nobody reviews.
const ADVISED: f32 = 0.7;

#[rustfmt::skip]
static HARMS: [Harm; 6] = [
    harm!("perspective", "TOXICITY" => "toxicity", Medium, "Perspective takes the text for toxic").from(ADVISED),
    harm!("perspective", "SEVERE_TOXICITY" => "severe-toxicity", High, "Perspective takes the text for very toxic").from(ADVISED),
    harm!("perspective", "IDENTITY_ATTACK" => "identity-attack", High, "Perspective takes the text for an attack on what somebody is").from(ADVISED),
    harm!("perspective", "INSULT" => "insult", Low, "Perspective takes the text for an insult").from(ADVISED),
    harm!("perspective", "PROFANITY" => "profanity", Low, "Perspective takes the text for profanity").from(ADVISED),
    harm!("perspective", "THREAT" => "threat", High, "Perspective takes the text for a threat").from(ADVISED),
];

fn ask(text: &str, _: Direction, _: &str) -> Value {
    let attributes: Map<String, Value> = HARMS
        .iter()
        .map(|harm| (harm.theirs.to_owned(), json!({})))
        .collect();
    json!({
        "comment": { "text": text },
        "requestedAttributes": attributes,
        // Whatever is sent is somebody's conversation: it must not be kept.
        "doNotStore": true,
    })
}

fn read(answer: &str) -> Result<Vec<Said>, Unanswered> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        attribute_scores: BTreeMap<String, Attribute>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Attribute {
        summary_score: Score,
    }
    #[derive(Deserialize)]
    struct Score {
        value: f32,
        #[serde(rename = "type")]
        kind: String,
    }
    let answer: Answer = serde_json::from_str(answer).map_err(|_| Unanswered::Malformed)?;
    answer
        .attribute_scores
        .into_iter()
        .map(|(theirs, attribute)| {
            if attribute.summary_score.kind != "PROBABILITY" {
                return Err(Unanswered::Malformed);
            }
            Ok(Said {
                theirs,
                score: attribute.summary_score.value,
                flagged: false,
            })
        })
        .collect()
}
