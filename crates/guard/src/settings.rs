use std::sync::Arc;

use bartizan_text::{
    PatternsBuilder, Scanner,
    names::{ModelError, Names, NamesConfig},
    pii::{Pii, PiiConfig, PiiConfigError},
    rules::{RuleSet, Rules, template_tokens::TemplateTokens},
    scan::PatternError,
    secrets::Secrets,
    views::{ViewChecks, ViewLimits},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Guard, GuardConfig, TextCheck,
    classifier::{Classifier, ClassifierSettings},
    leak::{Canaries, InvalidCanary, LeakCheck, LeakConfig, LeakIndex},
    sink::{AllowedHosts, HiddenText, InvalidHost, SinkHazards},
};

/// Which checks a guard asks, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// Checks that are not asked, by name: `disguise`, `rules`, `template-tokens`, `pii`,
    /// `secrets`, `names`, `hidden-text`, `sink`, `sink-whole`, `leak`, `classifier`.
    pub disable: Vec<String>,
    /// What personal data to look for.
    pub pii: PiiConfig,
    /// What names and places to look for.
    pub names: NamesConfig,
    /// Hosts to which an answer may link and from which it may load images; a name stands for its
    /// subdomains, too.
    pub allowed_hosts: Vec<String>,
    /// What must not leave in an answer.
    pub leak: LeakSettings,
    /// The embedded classifier.
    pub classifier: ClassifierSettings,
}

/// What must not leave in an answer. Only hashes of it are kept.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LeakSettings {
    /// Tokens planted in prompts and documents, see [`crate::leak::canary`].
    pub canaries: Vec<String>,
    /// System prompts.
    pub prompts: Vec<String>,
    /// Protected documents.
    pub documents: Vec<String>,
    /// The key of the hashes; random for each process.
    #[serde(skip)]
    pub key: [u8; 16],
}

impl std::fmt::Debug for LeakSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeakSettings")
            .field("canaries", &self.canaries.len())
            .field("prompts", &self.prompts.len())
            .field("documents", &self.documents.len())
            .finish_non_exhaustive()
    }
}

/// The settings ask for what there is not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No check has that name.
    #[error("unknown check `{name}` in `disable`, expected one of {known}")]
    UnknownCheck {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The personal data to look for.
    #[error("in `pii`: {0}")]
    Pii(#[from] PiiConfigError),
    /// The weights of the tagger of names.
    #[error("in `names`: {0}")]
    Names(#[from] ModelError),
    /// The tokens that were planted.
    #[error("in `leak.canaries`: {0}")]
    Canary(#[from] InvalidCanary),
    /// The hosts that answers may name.
    #[error("in `allowed-hosts`: {0}")]
    Host(#[from] InvalidHost),
    /// A pattern of a rule pack.
    #[error("in the rule packs: {0}")]
    Pattern(#[from] PatternError),
}

/// A guard in the making: the standard checks and those that are added.
pub struct GuardBuilder {
    patterns: PatternsBuilder,
    checks: Vec<TextCheck>,
    config: GuardConfig,
    views: ViewLimits,
}

impl Guard {
    /// A guard of the standard checks over `rules`.
    ///
    /// # Errors
    /// When the settings ask for what there is not.
    pub fn standard(settings: &Settings, rules: Arc<RuleSet>) -> Result<Self, SettingsError> {
        Ok(GuardBuilder::standard(settings, rules)?.build())
    }
}

impl GuardBuilder {
    /// The standard checks over `rules`.
    ///
    /// # Errors
    /// When the settings ask for what there is not.
    pub fn standard(settings: &Settings, rules: Arc<RuleSet>) -> Result<Self, SettingsError> {
        let mut patterns = PatternsBuilder::default();
        let allowed = AllowedHosts::new(&settings.allowed_hosts)?;
        let leak = &settings.leak;
        let prompts: Vec<&str> = leak.prompts.iter().map(String::as_str).collect();
        let documents = leak.documents.iter().map(String::as_str);
        let index = Arc::new(LeakIndex::new(
            leak.key,
            &prompts,
            documents,
            LeakConfig::default(),
        ));
        let mut checks: Vec<TextCheck> = vec![
            Box::new(ViewChecks),
            Box::new(Rules::register(rules, &mut patterns)?),
            Box::new(TemplateTokens::register(&mut patterns)?),
            Box::new(Secrets::new(&mut patterns)?),
            Box::new(Pii::register(&mut patterns, &settings.pii)?),
            Box::new(Names::new(settings.names.clone())?),
            Box::new(HiddenText),
            Box::new(Canaries::new(&leak.canaries)?),
            Box::new(LeakCheck::local(Arc::clone(&index))),
            Box::new(LeakCheck::whole(index)),
            Box::new(SinkHazards::local(allowed.clone())),
            Box::new(SinkHazards::whole(allowed)),
            Box::new(Classifier::new(settings.classifier)),
        ];
        for name in &settings.disable {
            let before = checks.len();
            checks.retain(|check| check.name() != name);
            if checks.len() == before {
                let known: Vec<&str> = checks.iter().map(|check| check.name()).collect();
                return Err(SettingsError::UnknownCheck {
                    name: name.clone(),
                    known: known.join(", "),
                });
            }
        }
        Ok(Self {
            patterns,
            checks,
            config: GuardConfig::default(),
            views: ViewLimits::default(),
        })
    }

    /// Adds a check.
    #[must_use]
    pub fn check(mut self, check: TextCheck) -> Self {
        self.checks.push(check);
        self
    }

    /// Sets what the guard spends on one text.
    #[must_use]
    pub const fn config(mut self, config: GuardConfig) -> Self {
        self.config = config;
        self
    }

    /// Builds the guard.
    #[must_use]
    pub fn build(self) -> Guard {
        let scanner = Scanner::new(Arc::new(self.patterns.build()), self.views);
        Guard::new(scanner, self.checks, self.config)
    }
}
