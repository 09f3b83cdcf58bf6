use std::{borrow::Cow, fmt, hash::Hash, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

/// How bad a finding is if it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Hardening.
    Low,
    /// Exploitable with help.
    Medium,
    /// Exploitable.
    High,
    /// Exploitable on load or on sight.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The name used in configuration, packs and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The layers of the guard, cheap ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Sizes, roles, part types, control characters, token amplification.
    Shape,
    /// Invisible, bidirectional and look-alike characters; encodings.
    Normalise,
    /// Rule packs.
    Rules,
    /// PII and secrets.
    Sensitive,
    /// Near-duplicates of known attacks.
    Similarity,
    /// The embedded model.
    Classifier,
    /// A user-supplied transformer.
    Transformer,
    /// A language model asked for its opinion.
    Judge,
    /// Another's classifier of harmful text, asked over the network.
    External,
    /// Risk over turns.
    Session,
    /// What may flow where.
    Provenance,
    /// Canaries, system-prompt and document leaks.
    Leak,
    /// Hazards for the place where an output is shown or run.
    Sink,
    /// Claims against evidence.
    Grounding,
    /// JSON and schemas.
    Format,
    /// Files: models, archives, code, dependencies.
    Artifact,
}

impl Layer {
    /// Every layer in the order in which layers run.
    pub const ALL: [Self; 16] = [
        Self::Shape,
        Self::Normalise,
        Self::Rules,
        Self::Sensitive,
        Self::Similarity,
        Self::Classifier,
        Self::Transformer,
        Self::Judge,
        Self::External,
        Self::Session,
        Self::Provenance,
        Self::Leak,
        Self::Sink,
        Self::Grounding,
        Self::Format,
        Self::Artifact,
    ];

    /// The name used in configuration, traces and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Normalise => "normalise",
            Self::Rules => "rules",
            Self::Sensitive => "sensitive",
            Self::Similarity => "similarity",
            Self::Classifier => "classifier",
            Self::Transformer => "transformer",
            Self::Judge => "judge",
            Self::External => "external",
            Self::Session => "session",
            Self::Provenance => "provenance",
            Self::Leak => "leak",
            Self::Sink => "sink",
            Self::Grounding => "grounding",
            Self::Format => "format",
            Self::Artifact => "artifact",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of harm a rule is about; thresholds and refusal texts hang on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The text is too long, of an unknown kind, or not text.
    Shape,
    /// The text hides what it says.
    Obfuscation,
    /// Tries to override or hijack the application's instructions.
    Injection,
    /// Tries to switch the model's safety policy off.
    Jailbreak,
    /// Tries to make the model tell its instructions.
    PromptExtraction,
    /// Tries to make the model call or misuse a tool.
    ToolHijack,
    /// Carries data out through links, images or calls.
    Exfiltration,
    /// Makes the model work without end.
    Amplification,
    /// Personal data.
    Pii,
    /// Keys, tokens, passwords.
    Secret,
    /// Dangerous for the place where the output goes.
    SinkHazard,
    /// Tells what was given in confidence.
    Leak,
    /// Risk that builds up over a session.
    Session,
    /// Hurts people: hate, violence, sexual content, self-harm, advice for crimes.
    Harm,
    /// Runs code when the file is loaded.
    CodeExecution,
    /// A file that is not what it says it is, or that cannot be proved to be.
    Integrity,
    /// A part with a known weakness.
    Vulnerability,
    /// A setting that opens what should be closed.
    Misconfiguration,
    /// Anything a user's own rule is about.
    Custom,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 19] = [
        Self::Shape,
        Self::Obfuscation,
        Self::Injection,
        Self::Jailbreak,
        Self::PromptExtraction,
        Self::ToolHijack,
        Self::Exfiltration,
        Self::Amplification,
        Self::Pii,
        Self::Secret,
        Self::SinkHazard,
        Self::Leak,
        Self::Session,
        Self::Harm,
        Self::CodeExecution,
        Self::Integrity,
        Self::Vulnerability,
        Self::Misconfiguration,
        Self::Custom,
    ];

    /// Attacks on the application's instructions, on the model's safety, and on what both keep.
    pub const ATTACKS: &[Self] = &[
        Self::Injection,
        Self::Jailbreak,
        Self::PromptExtraction,
        Self::ToolHijack,
        Self::Exfiltration,
    ];

    /// What files are accused of; no text is.
    pub const FILES: &[Self] = &[
        Self::CodeExecution,
        Self::Integrity,
        Self::Vulnerability,
        Self::Misconfiguration,
    ];

    /// Whether it is one of [`Self::ATTACKS`].
    #[must_use]
    pub fn is_attack(self) -> bool {
        Self::ATTACKS.contains(&self)
    }

    /// The name used in configuration, packs and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Obfuscation => "obfuscation",
            Self::Injection => "injection",
            Self::Jailbreak => "jailbreak",
            Self::PromptExtraction => "prompt-extraction",
            Self::ToolHijack => "tool-hijack",
            Self::Exfiltration => "exfiltration",
            Self::Amplification => "amplification",
            Self::Pii => "pii",
            Self::Secret => "secret",
            Self::SinkHazard => "sink-hazard",
            Self::Leak => "leak",
            Self::Session => "session",
            Self::Harm => "harm",
            Self::CodeExecution => "code-execution",
            Self::Integrity => "integrity",
            Self::Vulnerability => "vulnerability",
            Self::Misconfiguration => "misconfiguration",
            Self::Custom => "custom",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a check reports under; feeds `bartizan explain`, SARIF and the generated rule pages.
///
/// Built-in detectors keep theirs in a `static`; packs bring theirs at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Stable id, `area.kebab-name`; never reused.
    pub id: Cow<'static, str>,
    /// What it finds in one line: lower case, no full stop.
    pub title: Cow<'static, str>,
    /// Severity unless configured otherwise.
    pub severity: Severity,
    /// Kind of harm.
    pub category: Category,
    /// Outside references, e.g. `CWE-502`, `LLM01:2025`, `AML.T0051.000`.
    pub refs: Cow<'static, [Cow<'static, str>]>,
    /// Why it matters: one or two sentences.
    pub why: Cow<'static, str>,
    /// What to do about it: one or two sentences.
    pub fix: Cow<'static, str>,
    /// Presidio's name of the entity, for PII and secrets.
    pub entity: Option<Cow<'static, str>>,
}

impl Rule {
    /// A built-in rule; `texts` say why it matters and what to do.
    #[must_use]
    pub const fn new(
        id: &'static str,
        title: &'static str,
        severity: Severity,
        category: Category,
        refs: &'static [Cow<'static, str>],
        texts: [&'static str; 2],
        entity: Option<&'static str>,
    ) -> Self {
        let [why, fix] = texts;
        Self {
            id: Cow::Borrowed(id),
            title: Cow::Borrowed(title),
            severity,
            category,
            refs: Cow::Borrowed(refs),
            why: Cow::Borrowed(why),
            fix: Cow::Borrowed(fix),
            entity: match entity {
                Some(entity) => Some(Cow::Borrowed(entity)),
                None => None,
            },
        }
    }
}

/// A rule by reference: a `static` or a shared one; cheap to clone.
#[derive(Clone, Debug)]
pub enum RuleRef {
    /// Compiled in.
    Static(&'static Rule),
    /// Loaded from a pack.
    Shared(Arc<Rule>),
}

impl Deref for RuleRef {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        match self {
            Self::Static(rule) => rule,
            Self::Shared(rule) => rule,
        }
    }
}

impl From<&'static Rule> for RuleRef {
    fn from(rule: &'static Rule) -> Self {
        Self::Static(rule)
    }
}

impl From<Arc<Rule>> for RuleRef {
    fn from(rule: Arc<Rule>) -> Self {
        Self::Shared(rule)
    }
}

impl PartialEq for RuleRef {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for RuleRef {}

impl Hash for RuleRef {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
