//! Others' classifiers of harmful text: how each is asked, and what its answer says in our words.
//!
//! A service is a table of its kinds of harm and two functions: the body of a question, and the
//! scores in an answer. Everything else (time-outs, budget, memory, breaker, keys) is what the
//! judge has. An answer that lacks a kind of harm, or finds one that no table knows, is no answer.

mod azure;
mod config;
mod llama_guard;
mod openai;
mod perspective;

use bartizan_core::{Category, Direction, Rule, Severity};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Unanswered, examiner::Hit};
use crate::upstream::Kind;
pub use config::ClassifierConfig;

/// Which service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// OpenAI's `/v1/moderations`, or one of its shape.
    OpenaiModeration,
    /// Perspective API of Jigsaw and Google.
    Perspective,
    /// Azure AI Content Safety, analysis of text.
    AzureContentSafety,
    /// A chat model that answers `safe`, or `unsafe` and the categories of Llama Guard.
    LlamaGuard,
}

impl ServiceKind {
    /// Every service.
    pub const ALL: [Self; 4] = [
        Self::OpenaiModeration,
        Self::Perspective,
        Self::AzureContentSafety,
        Self::LlamaGuard,
    ];

    pub(super) const fn service(self) -> &'static Service {
        match self {
            Self::OpenaiModeration => &openai::SERVICE,
            Self::Perspective => &perspective::SERVICE,
            Self::AzureContentSafety => &azure::SERVICE,
            Self::LlamaGuard => &llama_guard::SERVICE,
        }
    }

    /// The name used in configuration, traces, and ids of rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.service().name
    }
}

/// How a service is asked and understood.
pub(super) struct Service {
    /// Its name, which is also that of its check.
    pub(super) name: &'static str,
    /// What its upstream must speak.
    pub(super) upstreams: &'static [Kind],
    /// The model, if the configuration names none.
    pub(super) model: &'static str,
    /// Most bytes of text that one question may hold.
    pub(super) max_bytes: usize,
    /// Whether it is asked as a chat.
    pub(super) is_chat: bool,
    /// Its kinds of harm.
    pub(super) harms: &'static [Harm],
    /// The body of a question about a text.
    pub(super) ask: fn(text: &str, direction: Direction, model: &str) -> Value,
    /// What an answer says: of each kind of harm that it names, the score.
    pub(super) read: fn(answer: &str) -> Result<Vec<Said>, Unanswered>,
}

/// A kind of harm that a service tells apart.
pub(super) struct Harm {
    /// As the service names it.
    pub(super) theirs: &'static str,
    /// As a threshold of the configuration names it: the end of the rule's id.
    pub(super) ours: &'static str,
    /// The score from which on it counts, 0 to 1, if the configuration gives none.
    pub(super) threshold: f32,
    /// Whether every answer has it.
    pub(super) always: bool,
    pub(super) rule: Rule,
}

/// What an answer says about one kind of harm.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    /// As the service names it.
    pub(super) theirs: String,
    /// 0 to 1.
    pub(super) score: f32,
    /// Whether the service itself calls the text harmful in this way.
    pub(super) flagged: bool,
}

/// From which score on a kind that no table knows counts as found.
const UNKNOWN_FROM: f32 = 0.5;

impl Service {
    /// What an answer comes to under `config`.
    ///
    /// A score counts from the kind's threshold on, and so does what the service flags while the
    /// configuration leaves that threshold alone. The confidence is the score, scaled so that the
    /// threshold stands at [`AT_THRESHOLD`].
    pub(super) fn hits(
        &'static self,
        answer: &str,
        config: &ClassifierConfig,
    ) -> Result<Vec<Hit>, Unanswered> {
        let said = (self.read)(answer)?;
        if said.iter().any(|said| !(0.0..=1.0).contains(&said.score)) {
            return Err(Unanswered::Malformed);
        }
        for said in &said {
            let is_known = self.harms.iter().any(|harm| harm.theirs == said.theirs);
            if !is_known && (said.flagged || said.score >= UNKNOWN_FROM) {
                return Err(Unanswered::UnknownHarm);
            }
        }
        let mut hits = Vec::new();
        for harm in self.harms {
            let mut found = said.iter().filter(|said| said.theirs == harm.theirs);
            let Some(said) = found.next() else {
                if harm.always {
                    return Err(Unanswered::Malformed);
                }
                continue;
            };
            if found.next().is_some() {
                return Err(Unanswered::Malformed);
            }
            if config.ignore.iter().any(|ignored| ignored == harm.ours) {
                continue;
            }
            let own = config.thresholds.get(harm.ours).copied();
            let threshold = own.unwrap_or(harm.threshold);
            if said.score >= threshold || (own.is_none() && said.flagged) {
                hits.push(Hit {
                    rule: &harm.rule,
                    confidence: confidence(said.score, threshold),
                });
            }
        }
        Ok(hits)
    }
}

/// The confidence that a score at its threshold becomes: from here on the built-in policy refuses.
const AT_THRESHOLD: f32 = 0.8;

fn confidence(score: f32, threshold: f32) -> f32 {
    let above = (score - threshold).max(0.0);
    let room = (1.0 - threshold).max(f32::EPSILON);
    AT_THRESHOLD + (1.0 - AT_THRESHOLD) * (above / room).min(1.0)
}

/// Rules of all services.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    ServiceKind::ALL
        .into_iter()
        .flat_map(|kind| kind.service().harms.iter().map(|harm| &harm.rule))
}

impl Harm {
    /// Counts from that score on, unless the configuration says otherwise.
    const fn from(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// Need not be in an answer.
    const fn optional(mut self) -> Self {
        self.always = false;
        self
    }
}

/// A row of a service's table.
const fn row(
    theirs: &'static str,
    ours: &'static str,
    id: &'static str,
    title: &'static str,
    severity: Severity,
) -> Harm {
    Harm {
        theirs,
        ours,
        threshold: 0.5,
        always: true,
        rule: Rule::new(
            id,
            title,
            severity,
            Category::Harm,
            &[],
            [
                "A classifier outside takes the text for harmful in this way; it sees what no rule describes.",
                "Refuse the text; raise the threshold of this kind, or name it under `ignore`, where your users may speak of it.",
            ],
            None,
        ),
    }
}

/// `ours` and the id of the rule are written once.
macro_rules! harm {
    ($service:literal, $theirs:literal => $ours:literal, $severity:ident, $title:literal) => {
        $crate::judge::external::row(
            $theirs,
            $ours,
            concat!("external.", $service, ".", $ours),
            $title,
            bartizan_core::Severity::$severity,
        )
    };
}
use harm;

#[cfg(test)]
mod tests;
