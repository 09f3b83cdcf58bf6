//! From arguments and files to a judge.

use std::{path::Path, sync::Arc};

use bartizan_core::RuleRef;
use bartizan_gateway::{agents, judge, proxy};
use bartizan_guard::{
    Guard, GuardBuilder, Judge, Settings, SettingsError, TextCheck,
    redact::{Keys, Redactor, Style, Styles},
    session,
    shape::{self, Shape, ShapeLimits},
};
use bartizan_policy::Policy;
use bartizan_text::{
    names::NameKind,
    pii::PiiConfigError,
    rules::{RuleSet, reload},
};
use bartizan_transformer::{Transformer, TransformerCheck};

use crate::{
    cli::Setup,
    config::{Config, PROJECT_FILE, read_policy},
    env,
    key::Key,
    output,
    packs::{PackFiles, trust},
    problem::{Problem, Problems, nearest},
};

/// What every command works with.
pub(crate) struct Engine {
    /// Looks and decides.
    pub(crate) judge: Judge,
    /// The rules that it looks for.
    pub(crate) rules: Arc<RuleSet>,
    /// How values are replaced unless the arguments say otherwise.
    pub(crate) styles: Styles,
}

impl Engine {
    /// Reads configuration, policy, and packs, and builds the judge.
    pub(crate) fn new(setup: &Setup) -> Result<Self, Problems> {
        Self::with_config(setup, read_config(setup)?)
    }

    /// Builds the judge that `config` describes.
    pub(crate) fn with_config(setup: &Setup, config: Config) -> Result<Self, Problems> {
        let check = transformer(&config)?;
        Self::with_check(setup, config, check)
    }

    /// Builds a judge that decides and knows the rules, and is not asked to look at texts: without
    /// the user's own classifier, whose weights take time and memory to load.
    pub(crate) fn deciding(setup: &Setup, config: Config) -> Result<Self, Problems> {
        Self::with_check(setup, config, None)
    }

    fn with_check(
        setup: &Setup,
        config: Config,
        check: Option<TextCheck>,
    ) -> Result<Self, Problems> {
        let rules = rules(setup, &config)?;
        let settings = settings(setup, &config);
        let mut guard = GuardBuilder::standard(&settings, Arc::clone(&rules))
            .map_err(|error| settings_problem(&config, &error))?;
        if let Some(check) = check {
            guard = guard.check(check);
        }
        let guard = guard.build();
        let policy = policy(setup, &config)?;
        let shape = Shape::new(shape_limits(setup, &config));
        Ok(Self {
            judge: Judge::new(Arc::new(guard), Arc::new(policy), Some(shape)),
            rules,
            styles: config.file.redact,
        })
    }

    /// Every rule of every check, by id.
    pub(crate) fn all_rules(&self) -> Vec<RuleRef> {
        let mut rules = self.judge.guard().rules();
        rules.extend(shape::RULES.iter().map(|&rule| RuleRef::from(rule)));
        rules.extend(session::RULES.iter().map(|&rule| RuleRef::from(rule)));
        rules.extend(proxy::RULES.iter().map(|&rule| RuleRef::from(rule)));
        rules.extend(bartizan_supply::rules().into_iter().map(RuleRef::from));
        rules.extend(bartizan_transformer::RULES.map(RuleRef::from));
        rules.extend(agents::RULES.iter().map(|&rule| RuleRef::from(rule)));
        let asked = judge::RULES.into_iter().chain(judge::external_rules());
        rules.extend(asked.map(RuleRef::from));
        rules.extend(bartizan_supply::sign::rules());
        rules.extend(bartizan_supply::vuln::rules());
        rules.extend(bartizan_rag::rules());
        rules.extend(bartizan_posture::config::rules::pages());
        rules.extend(bartizan_mcp::RULES.map(RuleRef::from));
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules.dedup();
        rules
    }

    /// The styles of the configuration with those of the arguments over them.
    pub(crate) fn styles(&self, arguments: &[String]) -> Result<Styles, Problems> {
        let mut styles = self.styles.clone();
        for argument in arguments {
            match argument.split_once('=') {
                Some((entity, style)) if is_entity(entity) => {
                    self.known_entity(entity)?;
                    styles
                        .entities
                        .insert(entity.to_owned(), parse_style(style)?);
                }
                _ => styles.default = parse_style(argument)?,
            }
        }
        for entity in styles.entities.keys() {
            self.known_entity(entity)?;
        }
        Ok(styles)
    }

    /// A redactor, with a note where the key matters and does not last.
    pub(crate) fn redactor(&self, styles: Styles, key: &Key, quiet: bool) -> Redactor {
        let mut used: Vec<&Style> = styles.entities.values().collect();
        used.push(&styles.default);
        let is_keyed = |style: &&Style| {
            matches!(
                style,
                Style::Hash | Style::Pseudonym | Style::FormatPreserving
            )
        };
        if !quiet && !key.is_lasting && used.iter().any(is_keyed) {
            output::note(&format!(
                "`{}` is not set, so the replaced values can be compared within this run only",
                env::KEY
            ));
        }
        if !quiet && used.contains(&&Style::Vault) {
            output::note(
                "the vault is gone when this command ends, so its tokens cannot be turned back",
            );
        }
        Redactor::new(styles, Keys::new(key.bytes), "bartizan")
    }

    fn known_entity(&self, entity: &str) -> Result<(), Problem> {
        let rules = self.all_rules();
        let mut names: Vec<&str> = rules
            .iter()
            .filter_map(|rule| rule.entity.as_deref())
            .collect();
        let categories = bartizan_core::Category::ALL
            .map(|category| category.as_str().to_ascii_uppercase().replace('-', "_"));
        names.extend(categories.iter().map(String::as_str));
        // What `--entities` leaves out is still an entity.
        let others = if names.contains(&entity) {
            return Ok(());
        } else {
            known_entities()
        };
        names.extend(others.iter().map(String::as_str));
        if names.contains(&entity) {
            return Ok(());
        }
        let problem = Problem::new(format!("no check finds an entity `{entity}`"));
        Err(match nearest(entity, names.into_iter()) {
            Some(name) => problem.help(format!("did you mean `{name}`?")),
            None => problem.help("entities have Presidio's names, such as `EMAIL_ADDRESS`"),
        })
    }
}

/// The configuration that the arguments, the environment, or the current folder give.
pub(crate) fn read_config(setup: &Setup) -> Result<Config, Problems> {
    config_at(setup.config.as_deref())
}

/// The same for a command that takes nothing else of [`Setup`].
pub(crate) fn config_at(named: Option<&Path>) -> Result<Config, Problems> {
    if let Some(path) = named {
        return Config::read(path);
    }
    if let Some(path) = env::get(env::CONFIG) {
        return Config::read(Path::new(&path));
    }
    let project = Path::new(PROJECT_FILE);
    if project.is_file() {
        return Config::read(project);
    }
    Ok(Config::default())
}

/// The policy of the arguments, the environment, the configuration, or the built-in one.
pub(crate) fn policy(setup: &Setup, config: &Config) -> Result<Policy, Problems> {
    if let Some(path) = &setup.policy {
        return read_policy(path);
    }
    if let Some(path) = env::get(env::POLICY) {
        return read_policy(Path::new(&path));
    }
    Ok(config.policy.clone().unwrap_or_default())
}

/// The built-in rules with own packs over them.
pub(crate) fn rules(setup: &Setup, config: &Config) -> Result<Arc<RuleSet>, Problems> {
    let builtin = RuleSet::builtin();
    let folders: Vec<_> = config
        .file
        .packs
        .iter()
        .chain(&setup.packs)
        .cloned()
        .collect();
    if folders.is_empty() {
        return Ok(builtin);
    }
    let packs = PackFiles::read(&folders)?;
    let keys: Vec<String> = config
        .file
        .trusted_keys
        .iter()
        .chain(&setup.trusted_key)
        .cloned()
        .collect();
    let trust = trust(&keys, config.file.allow_unsigned || setup.allow_unsigned)?;
    reload(&builtin, &builtin, &packs.files, &trust).map_err(|errors| packs.problems(errors))
}

fn settings(setup: &Setup, config: &Config) -> Settings {
    let mut settings = config.file.guard.clone();
    if !setup.entities.is_empty() {
        only(&setup.entities, &mut settings);
    }
    if let Some(confidence) = setup.min_confidence {
        settings.pii.min_confidence = confidence;
    }
    settings
}

/// Narrows personal data down to `entities`, which two checks find between them.
fn only(entities: &[String], settings: &mut Settings) {
    let kind_of = |entity: &String| {
        NameKind::ALL
            .into_iter()
            .find(|kind| kind.rule().entity.as_deref() == Some(entity.as_str()))
    };
    settings.names.kinds = entities.iter().filter_map(kind_of).collect();
    settings.pii.entities = entities
        .iter()
        .filter(|entity| kind_of(entity).is_none())
        .cloned()
        .collect();
    // An empty list would ask for everything.
    for (check, asked) in [
        ("names", !settings.names.kinds.is_empty()),
        ("pii", !settings.pii.entities.is_empty()),
    ] {
        if !asked && !settings.disable.iter().any(|name| name == check) {
            settings.disable.push(check.to_owned());
        }
    }
}

fn shape_limits(setup: &Setup, config: &Config) -> ShapeLimits {
    // A limit that no text of the guard's size reaches.
    const ANY: usize = 1 << 32;
    let sized = |chars: usize| ShapeLimits {
        max_chars: chars,
        max_bytes: chars.saturating_mul(4),
        max_tokens: chars.saturating_mul(4),
        max_foreign_chars: chars,
        ..config.file.shape.unwrap_or_default()
    };
    match (setup.max_chars, config.file.shape) {
        (Some(chars), _) => sized(usize::try_from(chars).unwrap_or(ANY)),
        (None, Some(limits)) => limits,
        (None, None) => sized(ANY),
    }
}

fn settings_problem(config: &Config, error: &SettingsError) -> Problem {
    let rest =
        "entities have Presidio's names, such as `EMAIL_ADDRESS`; `bartizan explain` lists them";
    match error {
        SettingsError::UnknownCheck { name, known } => {
            let problem = config.problem_with(name, error.to_string());
            match nearest(name, known.split(", ")) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem,
            }
        }
        SettingsError::Pii(PiiConfigError::UnknownEntity(name)) => {
            let known = known_entities();
            let problem = config.problem_with(name, format!("unknown entity `{name}`"));
            match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(rest),
            }
        }
        SettingsError::Pii(PiiConfigError::BadRegion(region)) => {
            config.problem_with(region, error.to_string())
        }
        SettingsError::Pii(PiiConfigError::BadConfidence(_)) => {
            config.problem_with("min-confidence", error.to_string())
        }
        _ => Problem::new(error.to_string()),
    }
}

/// The layer of the user's own classifier, if there is one.
fn transformer(config: &Config) -> Result<Option<TextCheck>, Problem> {
    let settings = &config.file.transformer;
    let Some(folder) = &settings.folder else {
        return Ok(None);
    };
    if let Some((key, message)) = settings.check().into_iter().next() {
        return Err(config.problem_with(key, format!("`transformer.{key}` {message}")));
    }
    let loaded = Transformer::load(folder, &settings.labels, settings.max_tokens.0);
    let transformer = loaded.map_err(|error| {
        let place = folder.file_name().unwrap_or_default().to_string_lossy();
        let said = format!("the classifier in `{}`: {error}", folder.display());
        config.problem_with(&place, said)
    })?;
    let check = TransformerCheck::new(Arc::new(transformer), settings);
    Ok(Some(Box::new(check)))
}

/// The entities that the standard checks know.
fn known_entities() -> Vec<String> {
    let mut settings = Settings::default();
    settings.names.kinds = NameKind::ALL.to_vec();
    let Ok(guard) = Guard::standard(&settings, RuleSet::builtin()) else {
        return Vec::new();
    };
    let rules = guard.rules();
    rules
        .iter()
        .filter_map(|rule| Some(rule.entity.as_deref()?.to_owned()))
        .collect()
}

fn is_entity(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn parse_style(text: &str) -> Result<Style, Problem> {
    const NAMES: [&str; 10] = [
        "typed",
        "plain",
        "mask",
        "partial",
        "last-four",
        "hash",
        "pseudonym",
        "format-preserving",
        "vault",
        "keep",
    ];
    text.parse::<Style>().map_err(|error| {
        let problem = Problem::new(error.to_string());
        match nearest(text, NAMES.into_iter()) {
            Some(name) => problem.help(format!("did you mean `{name}`?")),
            None => problem,
        }
    })
}
