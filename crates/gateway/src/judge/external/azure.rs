//! Azure AI Content Safety, `text:analyze`:
//! <https://learn.microsoft.com/en-us/rest/api/contentsafety/text-operations/analyze-text>.

use bartizan_core::Direction;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Harm, Said, Service, harm};
use crate::{judge::Unanswered, upstream::Kind};

pub(super) static SERVICE: Service = Service {
    name: "azure-content-safety",
    upstreams: &[Kind::AzureContentSafety],
    model: "azure-content-safety",
    // The API refuses more than 10,000 characters, and no character is shorter than a byte.
    max_bytes: 10_000,
    is_chat: false,
    harms: &HARMS,
    ask,
    read,
};

/// Severities are 0 to 7.
const WORST: f32 = 7.0;

/// Medium, where Azure's own filters refuse.
const MEDIUM: f32 = 4.0 / WORST;

#[rustfmt::skip]
static HARMS: [Harm; 4] = [
    harm!("azure-content-safety", "Hate" => "hate", High, "Azure Content Safety takes the text for hate").from(MEDIUM),
    harm!("azure-content-safety", "SelfHarm" => "self-harm", High, "Azure Content Safety takes the text for self-harm").from(MEDIUM),
    harm!("azure-content-safety", "Sexual" => "sexual", Medium, "Azure Content Safety takes the text for sexual content").from(MEDIUM),
    harm!("azure-content-safety", "Violence" => "violence", Medium, "Azure Content Safety takes the text for violence").from(MEDIUM),
];

fn ask(text: &str, _: Direction, _: &str) -> Value {
    let categories: Vec<&str> = HARMS.iter().map(|harm| harm.theirs).collect();
    json!({
        "text": text,
        "categories": categories,
        "outputType": "EightSeverityLevels",
    })
}

fn read(answer: &str) -> Result<Vec<Said>, Unanswered> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        categories_analysis: Vec<Analysis>,
    }
    #[derive(Deserialize)]
    struct Analysis {
        category: String,
        severity: u8,
    }
    let answer: Answer = serde_json::from_str(answer).map_err(|_| Unanswered::Malformed)?;
    Ok(answer
        .categories_analysis
        .into_iter()
        .map(|analysis| Said {
            theirs: analysis.category,
            score: f32::from(analysis.severity) / WORST,
            flagged: false,
        })
        .collect())
}
