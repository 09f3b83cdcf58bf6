//! Llama Guard and chat models of its kind: `safe`, or `unsafe` and a line of categories. The
//! categories are those of Llama Guard 3, MLCommons' hazards and code interpreter abuse:
//! <https://www.llama.com/docs/model-cards-and-prompt-formats/llama-guard-3/>.
//!
//! The server puts the conversation into the model's template, which states task and categories;
//! nothing of the text can speak in their place.

use bartizan_core::Direction;
use serde_json::{Value, json};

use super::{Harm, Said, Service, harm};
use crate::{judge::Unanswered, upstream::Kind};

pub(super) static SERVICE: Service = Service {
    name: "llama-guard",
    upstreams: &[Kind::OpenAi, Kind::Azure, Kind::Vllm, Kind::Generic],
    model: "llama-guard",
    max_bytes: 32 << 10,
    is_chat: true,
    harms: &HARMS,
    ask,
    read,
};

// An answer lists what it found and nothing else, so that no row must be there.
#[rustfmt::skip]
static HARMS: [Harm; 14] = [
    harm!("llama-guard", "S1" => "violent-crimes", High, "Llama Guard takes the text for help with violent crimes").optional(),
    harm!("llama-guard", "S2" => "non-violent-crimes", High, "Llama Guard takes the text for help with other crimes").optional(),
    harm!("llama-guard", "S3" => "sex-crimes", High, "Llama Guard takes the text for help with sex crimes").optional(),
    harm!("llama-guard", "S4" => "child-exploitation", Critical, "Llama Guard takes the text for sexual exploitation of children").optional(),
    harm!("llama-guard", "S5" => "defamation", Medium, "Llama Guard takes the text for defamation").optional(),
    harm!("llama-guard", "S6" => "specialized-advice", Medium, "Llama Guard takes the text for dangerous advice on health, law, or money").optional(),
    harm!("llama-guard", "S7" => "privacy", Medium, "Llama Guard takes the text for a breach of privacy").optional(),
    harm!("llama-guard", "S8" => "intellectual-property", Medium, "Llama Guard takes the text for a breach of copyright").optional(),
    harm!("llama-guard", "S9" => "indiscriminate-weapons", Critical, "Llama Guard takes the text for help with weapons of mass destruction").optional(),
    harm!("llama-guard", "S10" => "hate", High, "Llama Guard takes the text for hate").optional(),
    harm!("llama-guard", "S11" => "self-harm", High, "Llama Guard takes the text for self-harm").optional(),
    harm!("llama-guard", "S12" => "sexual", Medium, "Llama Guard takes the text for sexual content").optional(),
    harm!("llama-guard", "S13" => "elections", Medium, "Llama Guard takes the text for false facts about elections").optional(),
    harm!("llama-guard", "S14" => "code-abuse", High, "Llama Guard takes the text for abuse of a code interpreter").optional(),
];

fn ask(text: &str, direction: Direction, model: &str) -> Value {
    let messages = match direction {
        Direction::Input => json!([{ "role": "user", "content": text }]),
        // The template judges the last turn, and begins with one of the user.
        Direction::Output => json!([
            { "role": "user", "content": "(not shown)" },
            { "role": "assistant", "content": text },
        ]),
    };
    json!({ "model": model, "messages": messages, "max_tokens": 64, "temperature": 0 })
}

fn read(answer: &str) -> Result<Vec<Said>, Unanswered> {
    let mut lines = answer
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let (verdict, listed, rest) = (lines.next(), lines.next(), lines.next());
    match (verdict, listed, rest) {
        (Some("safe"), None, None) => Ok(Vec::new()),
        (Some("unsafe"), Some(listed), None) => Ok(listed
            .split(',')
            .map(|category| Said {
                theirs: category.trim().to_owned(),
                score: 1.0,
                flagged: true,
            })
            .collect()),
        _ => Err(Unanswered::Neither),
    }
}
