//! Azure AI Content Safety, Prompt Shields: `POST /contentsafety/text:shieldPrompt`, API version
//! 2024-09-01.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::{Direction, Origin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    GuardApi,
    engine::{Checked, Input},
    kind::is_attack,
    request::{Incoming, Shape, parse, serve, unprocessable},
};
use crate::fault::Fault;

pub(super) const PATH: &str = "/contentsafety/text:shieldPrompt";

/// A prompt and the documents that go with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Azure shieldPrompt request")]
pub(super) struct ShieldPrompt {
    /// What the user wrote.
    #[serde(default)]
    user_prompt: Option<String>,
    /// What is given as context.
    #[serde(default)]
    documents: Option<Vec<String>>,
}

/// Whether each is an attack.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Azure shieldPrompt answer")]
pub(super) struct Shielded {
    /// About the prompt; `null` if there was none.
    user_prompt_analysis: Option<Analysis>,
    /// About each document, in order.
    documents_analysis: Vec<Analysis>,
}

/// Whether it is an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Analysis {
    /// Also true where not everything could be looked at.
    attack_detected: bool,
}

/// Answers it.
pub(super) async fn shield_prompt(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Azure, answer).await
}

async fn answer(api: GuardApi, incoming: Incoming) -> Result<Shielded, Fault> {
    let asked: ShieldPrompt = parse(&incoming.body)?;
    let documents = asked.documents.unwrap_or_default();
    if asked.user_prompt.is_none() && documents.is_empty() {
        return Err(unprocessable(
            "missing-field",
            "give `userPrompt`, `documents`, or both",
        ));
    }
    if documents.len() > api.config.max_batch {
        let message = format!("at most {} documents", api.config.max_batch);
        return Err(unprocessable("batch-size", message).about("documents"));
    }
    let mut user_prompt_analysis = None;
    if let Some(prompt) = asked.user_prompt {
        let input = Input::text(prompt, Origin::User, Direction::Input);
        user_prompt_analysis = Some(analysis(&api.check(PATH, &incoming, input).await?));
    }
    let mut documents_analysis = Vec::with_capacity(documents.len());
    for document in documents {
        let input = Input::text(document, Origin::Retrieved, Direction::Input);
        documents_analysis.push(analysis(&api.check(PATH, &incoming, input).await?));
    }
    Ok(Shielded {
        user_prompt_analysis,
        documents_analysis,
    })
}

fn analysis(checked: &Checked) -> Analysis {
    let attack_detected = checked.is_refused_for(is_attack);
    Analysis { attack_detected }
}
