//! OpenAI Moderation: <https://platform.openai.com/docs/api-reference/moderations>.

use std::collections::BTreeMap;

use bartizan_core::Direction;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Harm, Said, Service, harm};
use crate::{judge::Unanswered, upstream::Kind};

pub(super) static SERVICE: Service = Service {
    name: "openai-moderation",
    upstreams: &[Kind::OpenAi, Kind::Generic, Kind::Vllm],
    model: "omni-moderation-latest",
    max_bytes: 32 << 10,
    is_chat: false,
    harms: &HARMS,
    ask,
    read,
};

#[rustfmt::skip]
static HARMS: [Harm; 13] = [
    harm!("openai-moderation", "harassment" => "harassment", Medium, "OpenAI Moderation takes the text for harassment"),
    harm!("openai-moderation", "harassment/threatening" => "harassment-threatening", High, "OpenAI Moderation takes the text for harassment with threats"),
    harm!("openai-moderation", "hate" => "hate", High, "OpenAI Moderation takes the text for hate"),
    harm!("openai-moderation", "hate/threatening" => "hate-threatening", High, "OpenAI Moderation takes the text for hate with threats"),
    // The models before `omni-moderation` do not know these two.
    harm!("openai-moderation", "illicit" => "illicit", High, "OpenAI Moderation takes the text for advice for wrongdoing").optional(),
    harm!("openai-moderation", "illicit/violent" => "illicit-violent", High, "OpenAI Moderation takes the text for advice for violence or weapons").optional(),
    harm!("openai-moderation", "self-harm" => "self-harm", High, "OpenAI Moderation takes the text for self-harm"),
    harm!("openai-moderation", "self-harm/instructions" => "self-harm-instructions", High, "OpenAI Moderation takes the text for instructions for self-harm"),
    harm!("openai-moderation", "self-harm/intent" => "self-harm-intent", High, "OpenAI Moderation takes the text for an intent of self-harm"),
    harm!("openai-moderation", "sexual" => "sexual", Medium, "OpenAI Moderation takes the text for sexual content"),
    harm!("openai-moderation", "sexual/minors" => "sexual-minors", Critical, "OpenAI Moderation takes the text for sexual content about minors").from(0.2),
    harm!("openai-moderation", "violence" => "violence", Medium, "OpenAI Moderation takes the text for violence"),
    harm!("openai-moderation", "violence/graphic" => "violence-graphic", High, "OpenAI Moderation takes the text for graphic violence"),
];

fn ask(text: &str, _: Direction, model: &str) -> Value {
    json!({ "model": model, "input": text })
}

fn read(answer: &str) -> Result<Vec<Said>, Unanswered> {
    #[derive(Deserialize)]
    struct Answer {
        results: Vec<Verdict>,
    }
    #[derive(Deserialize)]
    struct Verdict {
        // A model that does not know a kind says `null`.
        categories: BTreeMap<String, Option<bool>>,
        category_scores: BTreeMap<String, Option<f32>>,
    }
    let answer: Answer = serde_json::from_str(answer).map_err(|_| Unanswered::Malformed)?;
    let [verdict] = answer.results.as_slice() else {
        return Err(Unanswered::Malformed);
    };
    let mut all = Vec::new();
    for (theirs, flagged) in &verdict.categories {
        match (
            flagged,
            verdict.category_scores.get(theirs).copied().flatten(),
        ) {
            (Some(flagged), Some(score)) => all.push(Said {
                theirs: theirs.clone(),
                score,
                flagged: *flagged,
            }),
            (None, None) => {}
            _ => return Err(Unanswered::Malformed),
        }
    }
    let has_both = |theirs: &String| verdict.categories.contains_key(theirs);
    if !verdict.category_scores.keys().all(has_both) {
        return Err(Unanswered::Malformed);
    }
    Ok(all)
}
