use std::{borrow::Cow, sync::Arc};

use bartizan_core::{Category, Direction, Layer, Origin, Rule, Severity};
use bartizan_guard::JudgedPart;

use super::{
    ClassifierConfig, JudgeConfig, JudgeScope, Opinion, Question, Streams, Unanswered,
    parse_answer, terms::Terms,
};

/// Rules of the judge.
pub static RULES: [&Rule; 2] = [&ATTACK, &HARMFUL_ANSWER];

static ATTACK: Rule = Rule {
    id: Cow::Borrowed("judge.attack"),
    title: Cow::Borrowed("a language model takes the text for an attack"),
    severity: Severity::High,
    category: Category::Injection,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM01:2025")]),
    why: Cow::Borrowed("Other layers were not sure about the text, and a model that was asked is."),
    fix: Cow::Borrowed("Refuse the text, or add an exception after review."),
    entity: None,
};

static HARMFUL_ANSWER: Rule = Rule {
    id: Cow::Borrowed("judge.harmful-answer"),
    title: Cow::Borrowed("a language model takes the answer for one that gives in to an attack"),
    severity: Severity::High,
    category: Category::Exfiltration,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM02:2025"), Cow::Borrowed("LLM05:2025")]),
    why: Cow::Borrowed("An answer that follows an injected order does the attacker's work."),
    fix: Cow::Borrowed("Refuse the answer, or ask for another one."),
    entity: None,
};

/// A rule that an answer speaks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) rule: &'static Rule,
    /// 0 to 1.
    pub(super) confidence: f32,
}

/// Who is asked: what is put to it, and what its answer means.
#[derive(Debug)]
pub(super) enum Examiner {
    /// A language model, about attacks in the grey band.
    Judge(JudgeConfig),
    /// A classifier outside, about harm.
    Service(ClassifierConfig),
}

impl Examiner {
    /// The name of its check.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Judge(_) => "judge",
            Self::Service(config) => config.kind.as_str(),
        }
    }

    pub(super) const fn layer(&self) -> Layer {
        match self {
            Self::Judge(_) => Layer::Judge,
            Self::Service(_) => Layer::External,
        }
    }

    /// The keys that an exhausted budget names: of a minute, and of a request.
    pub(super) const fn limits(&self) -> [&'static str; 2] {
        match self {
            Self::Judge(_) => ["judge-per-minute", "judge-max-questions"],
            Self::Service(_) => ["external-per-minute", "external-max-questions"],
        }
    }

    pub(super) fn terms(&self) -> Terms {
        match self {
            Self::Judge(config) => config.terms(),
            Self::Service(config) => config.terms(),
        }
    }

    /// Whether a stream cannot be given because this one is to see whole answers.
    pub(super) fn refuses_streams(&self) -> bool {
        let (streams, directions) = match self {
            Self::Judge(config) => (config.streams, &config.directions),
            Self::Service(config) => (config.streams, &config.directions),
        };
        streams == Streams::Refuse && directions.contains(&Direction::Output)
    }

    /// Whether it is asked about that part.
    pub(super) fn is_about(&self, part: &JudgedPart, text: &str) -> bool {
        if text.trim().is_empty() || part.origin == Origin::System {
            return false;
        }
        let Self::Judge(config) = self else {
            return true;
        };
        let attacks = part.inspection.report.findings.iter().filter(|finding| {
            let category = finding.rule.category;
            category.is_attack() || category == Category::Obfuscation
        });
        let most = attacks
            .map(|finding| finding.confidence.get())
            .fold(0.0, f32::max);
        match config.scope {
            JudgeScope::All => true,
            JudgeScope::GreyBand => {
                most >= config.grey_from && most < config.grey_below && most > 0.0
            }
        }
    }

    /// The question about one text, bound to `nonce` where the text could speak for its reader.
    pub(super) fn question(&self, text: &str, direction: Direction, nonce: &str) -> Question {
        match self {
            Self::Judge(config) => {
                Question::about(Arc::from(&*config.model), text, direction, nonce)
            }
            Self::Service(config) => Question::to_service(config, text, direction),
        }
    }

    /// What the answer to that question means.
    pub(super) fn read(
        &self,
        answer: &str,
        direction: Direction,
        nonce: &str,
    ) -> Result<Vec<Hit>, Unanswered> {
        match self {
            Self::Judge(config) => Ok(match parse_answer(answer, nonce)? {
                Opinion::Benign => Vec::new(),
                Opinion::Attack => vec![Hit {
                    rule: match direction {
                        Direction::Input => &ATTACK,
                        Direction::Output => &HARMFUL_ANSWER,
                    },
                    confidence: config.confidence,
                }],
            }),
            Self::Service(config) => config.kind.service().hits(answer, config),
        }
    }
}
