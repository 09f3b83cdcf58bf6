//! Our own route: `POST /v1/guard/check`.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bartizan_core::{Direction, Origin, Sink};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    GuardApi,
    engine::Input,
    report::Report,
    request::{Incoming, Shape, parse, serve, unprocessable},
};
use crate::fault::Fault;

pub(super) const PATH: &str = "/v1/guard/check";

/// A request: exactly one of `text`, `messages`, `document`, and `inputs`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Guard check")]
pub(super) struct CheckRequest {
    /// A text on its own.
    text: Option<String>,
    /// Messages of a conversation, in OpenAI's or Anthropic's shape.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    messages: Option<Box<RawValue>>,
    /// A whole request or answer of a model API, or any other JSON.
    #[schemars(with = "Option<serde_json::Value>")]
    document: Option<Box<RawValue>>,
    /// Who wrote the text: `system`, `user`, `retrieved`, `tool`, or `model`. In messages and
    /// documents it follows from the role.
    #[schemars(with = "Option<OriginName>")]
    origin: Option<Origin>,
    /// Which way it goes, `input` unless `sink` is given.
    #[schemars(with = "Option<DirectionName>")]
    direction: Option<Direction>,
    /// Where an output will be shown or run.
    #[schemars(with = "Option<SinkName>")]
    sink: Option<Sink>,
    /// Several inputs, each with its own origin, direction, and sink.
    inputs: Option<Vec<Subject>>,
    /// Whether safe versions are wanted.
    redact: bool,
}

/// An input: exactly one of `text`, `messages`, and `document`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Subject {
    /// A text on its own.
    text: Option<String>,
    /// Messages of a conversation, in OpenAI's or Anthropic's shape.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    messages: Option<Box<RawValue>>,
    /// A whole request or answer of a model API, or any other JSON.
    #[schemars(with = "Option<serde_json::Value>")]
    document: Option<Box<RawValue>>,
    /// Who wrote the text: `system`, `user`, `retrieved`, `tool`, or `model`. In messages and
    /// documents it follows from the role.
    #[schemars(with = "Option<OriginName>")]
    origin: Option<Origin>,
    /// Which way it goes, `input` unless `sink` is given.
    #[schemars(with = "Option<DirectionName>")]
    direction: Option<Direction>,
    /// Where an output will be shown or run.
    #[schemars(with = "Option<SinkName>")]
    sink: Option<Sink>,
}

/// Who wrote a text.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "stands for its namesake in the schema")]
enum OriginName {
    System,
    User,
    Retrieved,
    Tool,
    Model,
}

/// Which way a text goes.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "stands for its namesake in the schema")]
enum DirectionName {
    Input,
    Output,
}

/// Where an output will be shown or run.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "stands for its namesake in the schema")]
enum SinkName {
    Html,
    Markdown,
    Sql,
    Shell,
    Template,
    Url,
    Csv,
}

/// Answers it.
pub(super) async fn check(State(api): State<GuardApi>, request: Request) -> Response {
    serve(api, request, Shape::Own, answer).await
}

async fn answer(api: GuardApi, incoming: Incoming) -> Result<Report, Fault> {
    let asked: CheckRequest = parse(&incoming.body)?;
    let most = api.config.max_batch;
    let one = Subject {
        text: asked.text,
        messages: asked.messages,
        document: asked.document,
        origin: asked.origin,
        direction: asked.direction,
        sink: asked.sink,
    };
    let inputs: Vec<(String, Subject)> = match asked.inputs {
        Some(_) if !one.is_empty() => {
            return Err(unprocessable(
                "ambiguous-input",
                "give either `inputs` or a single input, not both",
            ));
        }
        Some(many) if many.is_empty() || many.len() > most => {
            let message = format!("`inputs` must have from 1 to {most} entries");
            return Err(unprocessable("batch-size", message).about("inputs"));
        }
        Some(many) => (0..)
            .zip(many)
            .map(|(number, subject): (usize, Subject)| (format!("inputs[{number}]"), subject))
            .collect(),
        None => vec![(String::new(), one)],
    };
    let mut all = Vec::with_capacity(inputs.len());
    for (name, subject) in inputs {
        let (kind, input) = subject.input().map_err(|mut fault| {
            if !name.is_empty() {
                fault.param = Some(name.clone());
            }
            fault
        })?;
        let name = if name.is_empty() {
            kind.to_owned()
        } else {
            name
        };
        all.push((name, api.check(PATH, &incoming, input).await?));
    }
    let redactor = asked
        .redact
        .then(|| api.service.redactor(&incoming.principal));
    let rules = api.service.rules();
    let version = all
        .first()
        .map_or("", |(_, checked)| checked.policy.version());
    Ok(Report::new(
        &incoming.request_id,
        &all,
        &rules,
        version,
        redactor,
    ))
}

impl Subject {
    const fn is_empty(&self) -> bool {
        self.text.is_none()
            && self.messages.is_none()
            && self.document.is_none()
            && self.origin.is_none()
            && self.direction.is_none()
            && self.sink.is_none()
    }

    /// What it is called, and what is to be judged.
    fn input(self) -> Result<(&'static str, Input), Fault> {
        let direction = self.direction.unwrap_or(if self.sink.is_some() {
            Direction::Output
        } else {
            Direction::Input
        });
        if self.sink.is_some() && direction == Direction::Input {
            let message = "`sink` is about outputs; leave it out, or give `direction` as `output`";
            return Err(unprocessable("sink-of-input", message).about("sink"));
        }
        let (name, mut input) = match (self.text, self.messages, self.document) {
            (Some(text), None, None) => {
                let by_default = match direction {
                    Direction::Input => Origin::User,
                    Direction::Output => Origin::Model,
                };
                let origin = self.origin.unwrap_or(by_default);
                ("text", Input::text(text, origin, direction))
            }
            (None, Some(messages), None) if messages.get().starts_with('[') => {
                let input = Input::conversation(messages.get().to_owned(), direction)?;
                ("messages", input)
            }
            (None, Some(_), None) => {
                return Err(
                    unprocessable("invalid-field", "expected a list of messages").about("messages"),
                );
            }
            (None, None, Some(document)) => {
                let input = Input::conversation(document.get().to_owned(), direction)?;
                ("document", input)
            }
            _ => {
                return Err(unprocessable(
                    "ambiguous-input",
                    "give exactly one of `text`, `messages`, and `document`",
                ));
            }
        };
        input.sink = self.sink;
        Ok((name, input))
    }
}
