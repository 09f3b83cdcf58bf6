use std::{borrow::Cow, collections::BTreeMap, ops::Range, path::PathBuf, sync::Arc};

use bartizan_core::{
    Category, Check, CheckError, Confidence, Cx, Direction, Layer, Origin, Rule, RuleRef, Severity,
};
use bartizan_text::{Text, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Meaning, Scores, Transformer};

/// A classifier of the user's own: the `transformer` block of `bartizan.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TransformerSettings {
    /// The folder with `config.json`, `tokenizer.json`, and `model.safetensors`; left out, there is
    /// no such layer.
    pub folder: Option<PathBuf>,
    /// What labels mean where their names do not say it: `benign`, `injection`, `jailbreak`, `harm`.
    pub labels: BTreeMap<String, Meaning>,
    /// Probabilities from which on a text is listed, doubted, and refused, 0 to 1.
    pub thresholds: Thresholds,
    /// Tokens of a window, 16 to 8,192; a classifier that reads fewer at once has shorter windows.
    pub max_tokens: MaxTokens,
    /// Windows of one text that are looked at, 1 or more; a longer text is incomplete.
    pub max_windows: MaxWindows,
}

/// Probabilities from which on a text is listed, doubted, and refused, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Thresholds {
    /// Listed.
    pub flag: f32,
    /// Doubted: the built-in policy asks a person.
    pub ask: f32,
    /// Refused.
    pub block: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            flag: 0.5,
            ask: 0.8,
            block: 0.9,
        }
    }
}

impl Thresholds {
    /// The probability, stretched so that the thresholds fall on 0.3, 0.5, and 0.8, where the
    /// built-in policy lists, asks, and blocks.
    fn confidence(self, probability: f32) -> f32 {
        let knots = [
            (0.0, 0.0),
            (self.flag, 0.3),
            (self.ask, 0.5),
            (self.block, 0.8),
            (1.0, 1.0),
        ];
        let mut below = (0.0, 0.0);
        for knot in knots {
            if probability < knot.0 {
                let share = (probability - below.0) / (knot.0 - below.0);
                return below.1 + share * (knot.1 - below.1);
            }
            below = knot;
        }
        1.0
    }
}

/// Tokens of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MaxTokens(pub usize);

impl Default for MaxTokens {
    fn default() -> Self {
        Self(512)
    }
}

/// Windows of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MaxWindows(pub usize);

impl Default for MaxWindows {
    fn default() -> Self {
        Self(32)
    }
}

impl TransformerSettings {
    /// Every mistake: the key, and what is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        let Thresholds { flag, ask, block } = self.thresholds;
        if !(0.0 < flag && flag <= ask && ask <= block && block <= 1.0) {
            let what = "must rise from `flag` over `ask` to `block`, above 0 and up to 1";
            mistakes.push(("thresholds", what.to_owned()));
        }
        if !(16..=8_192).contains(&self.max_tokens.0) {
            mistakes.push(("max-tokens", "must be 16 to 8192".to_owned()));
        }
        if self.max_windows.0 == 0 {
            mistakes.push(("max-windows", "must be at least 1".to_owned()));
        }
        mistakes
    }
}

static INJECTION: Rule = rule(
    "transformer.injection",
    "a classifier of your own takes the text for an attack on instructions",
    Severity::High,
    Category::Injection,
    &[Cow::Borrowed("LLM01:2025"), Cow::Borrowed("AML.T0051")],
);
static JAILBREAK: Rule = rule(
    "transformer.jailbreak",
    "a classifier of your own takes the text for a jailbreak",
    Severity::High,
    Category::Jailbreak,
    &[Cow::Borrowed("LLM01:2025"), Cow::Borrowed("AML.T0054")],
);
static HARM: Rule = rule(
    "transformer.harm",
    "a classifier of your own takes the text for harmful",
    Severity::Medium,
    Category::Harm,
    &[],
);

/// Rules of the layer.
pub static RULES: [&Rule; 3] = [&INJECTION, &JAILBREAK, &HARM];

const fn rule(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    category: Category,
    refs: &'static [Cow<'static, str>],
) -> Rule {
    Rule::new(
        id,
        title,
        severity,
        category,
        refs,
        [
            "The classifier in the folder under `transformer` gives the label a probability above \
             the threshold. How often it is wrong depends on the classifier.",
            "Look at the place that the finding names. Measure the classifier on your own texts with \
             `bartizan eval`, and choose `transformer.thresholds` from the curve.",
        ],
        None,
    )
}

/// Asks a classifier of the user's own about every view of a text, window by window.
///
/// Attacks are looked for in what users, documents, and tools say to the model, harm in answers, too.
pub struct TransformerCheck {
    transformer: Arc<Transformer>,
    thresholds: Thresholds,
    max_windows: usize,
}

/// A rule, and the score that it looks at.
type Asked = (&'static Rule, fn(&Scores) -> f32);

/// The worst that was seen so far, and where.
struct Worst<'v, 't> {
    probability: f32,
    view: &'v View<'t>,
    at: Range<usize>,
}

impl TransformerCheck {
    /// A layer over `transformer`, which is loaded.
    #[must_use]
    pub const fn new(transformer: Arc<Transformer>, settings: &TransformerSettings) -> Self {
        Self {
            transformer,
            thresholds: settings.thresholds,
            max_windows: settings.max_windows.0,
        }
    }

    /// The rules that can say something of such a text, with the score that each looks at.
    fn asked(text: &Text<'_>) -> Vec<Asked> {
        let may_attack = text.direction == Direction::Input
            && matches!(text.origin, Origin::User | Origin::Retrieved | Origin::Tool);
        let mut asked: Vec<Asked> = Vec::new();
        if may_attack {
            asked.push((&INJECTION, |scores| scores.injection));
            asked.push((&JAILBREAK, |scores| scores.jailbreak));
        }
        if text.origin != Origin::System {
            asked.push((&HARM, |scores| scores.harm));
        }
        asked
    }
}

impl Check<Text<'_>> for TransformerCheck {
    fn name(&self) -> &'static str {
        "transformer"
    }

    fn layer(&self) -> Layer {
        Layer::Transformer
    }

    fn rules(&self) -> Vec<RuleRef> {
        RULES.into_iter().map(RuleRef::Static).collect()
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        let mut asked = Self::asked(text);
        asked.retain(|(rule, _)| self.transformer.can_say(rule.category));
        if asked.is_empty() {
            return Ok(());
        }
        let mut worst: Vec<Option<Worst<'_, '_>>> = asked.iter().map(|_| None).collect();
        let mut left = self.max_windows;
        let mut is_all = true;
        for view in text.views() {
            cx.spend(view.text.len() as u64)?;
            let (windows, is_whole) = self.transformer.windows(&view.text, left);
            is_all &= is_whole;
            left = left.saturating_sub(windows.len());
            for window in windows {
                for ((_, score), worst) in asked.iter().zip(&mut worst) {
                    let probability = score(&window.scores);
                    if worst
                        .as_ref()
                        .is_none_or(|worst| probability > worst.probability)
                    {
                        *worst = Some(Worst {
                            probability,
                            view,
                            at: window.span.clone(),
                        });
                    }
                }
            }
        }
        for ((rule, _), worst) in asked.into_iter().zip(worst) {
            let Some(worst) = worst else { continue };
            if worst.probability < self.thresholds.flag || worst.at.is_empty() {
                continue;
            }
            let confidence = self.thresholds.confidence(worst.probability);
            cx.report_via(
                &RuleRef::Static(rule),
                Some(worst.view.span(worst.at)),
                Confidence::clamped(confidence),
                &worst.view.via,
                format!("{}: probability {:.2}", rule.title, worst.probability),
            )?;
        }
        if is_all {
            Ok(())
        } else {
            Err(CheckError::Exhausted {
                limit: "transformer.max-windows",
                at: self.max_windows as u64,
            })
        }
    }
}
