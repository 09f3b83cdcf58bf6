//! The TOML of a file, and its mistakes with their lines.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::{
    GitleaksConfig,
    allow::{Allowlist, Condition, Target},
    re2,
    rule::GitleaksRule,
};

/// The longest file, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// Why a file of rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitleaksError {
    /// Mistakes, in order of their lines.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Mistakes(Vec<Mistake>),
    /// There are more keywords than can be searched for at once.
    #[error("there are too many keywords")]
    Keywords,
}

/// Something that is wrong with a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawConfig {
    #[serde(rename = "title")]
    _title: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "minVersion")]
    _min_version: Option<String>,
    #[serde(default)]
    extend: RawExtend,
    #[serde(default)]
    rules: Vec<Spanned<RawRule>>,
    allowlist: Option<RawAllowlist>,
    #[serde(default)]
    allowlists: Vec<RawAllowlist>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawExtend {
    #[serde(default)]
    use_default: bool,
    path: Option<String>,
    #[serde(default)]
    disabled_rules: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawRule {
    id: Option<String>,
    #[serde(default)]
    description: String,
    regex: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
    secret_group: Option<usize>,
    entropy: Option<f32>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default, rename = "tags")]
    _tags: Vec<String>,
    allowlist: Option<RawAllowlist>,
    #[serde(default)]
    allowlists: Vec<RawAllowlist>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawAllowlist {
    #[serde(rename = "description")]
    _description: Option<String>,
    condition: Option<Spanned<String>>,
    #[serde(default)]
    commits: Vec<String>,
    #[serde(default)]
    paths: Vec<Spanned<String>>,
    #[serde(default)]
    regexes: Vec<Spanned<String>>,
    regex_target: Option<Spanned<String>>,
    #[serde(default)]
    stopwords: Vec<String>,
    #[serde(default)]
    target_rules: Vec<String>,
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<GitleaksConfig, GitleaksError> {
    let mut reader = Reader {
        text,
        mistakes: Vec::new(),
    };
    if text.len() > MAX_BYTES {
        return Err(reader.fail(0, format!("the file has more than {MAX_BYTES} bytes")));
    }
    let raw: RawConfig = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            return Err(reader.fail(at, error.message().to_owned()));
        }
    };
    let mut seen = BTreeSet::new();
    let mut rules = Vec::with_capacity(raw.rules.len());
    for spanned in raw.rules {
        let at = spanned.span().start;
        let rule = spanned.into_inner();
        let Some(id) = rule.id.clone().filter(|id| !id.is_empty()) else {
            reader.say(at, "a rule has no `id`".to_owned());
            continue;
        };
        if !seen.insert(id.clone()) {
            reader.say(at, format!("there are two rules `{id}`"));
        }
        if let Some(rule) = reader.rule(id, at, rule) {
            rules.push(rule);
        }
    }
    let lists = raw.allowlist.into_iter().chain(raw.allowlists);
    let allowlists = lists.map(|list| reader.allowlist(list)).collect();
    if !reader.mistakes.is_empty() {
        reader.mistakes.sort_by_key(|mistake| mistake.line);
        return Err(GitleaksError::Mistakes(reader.mistakes));
    }
    let mut config = GitleaksConfig {
        rules,
        allowlists,
        disabled: raw.extend.disabled_rules.into_iter().collect(),
        extends_default: raw.extend.use_default,
        extends: raw.extend.path,
        keywords: None,
    };
    config.index()?;
    Ok(config)
}

/// A file while it is read.
struct Reader<'a> {
    text: &'a str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn say(&mut self, at: usize, message: String) {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        self.mistakes.push(Mistake { line, message });
    }

    fn fail(mut self, at: usize, message: String) -> GitleaksError {
        self.say(at, message);
        GitleaksError::Mistakes(self.mistakes)
    }

    fn expression(&mut self, of: &str, expression: Spanned<String>) -> Option<re2::Expression> {
        let at = expression.span().start;
        match re2::Expression::new(expression.get_ref()) {
            Ok(expression) => Some(expression),
            Err(error) => {
                self.say(at, format!("{of}: {error}"));
                None
            }
        }
    }

    fn rule(&mut self, id: String, at: usize, raw: RawRule) -> Option<GitleaksRule> {
        let of = format!("rule `{id}`");
        if raw.regex.is_none() && raw.path.is_none() {
            self.say(at, format!("{of} has neither `regex` nor `path`"));
            return None;
        }
        let before = self.mistakes.len();
        let regex = raw.regex.and_then(|regex| self.expression(&of, regex));
        let path = raw.path.and_then(|path| self.expression(&of, path));
        if let (Some(group), Some(regex)) = (raw.secret_group, &regex)
            && group >= regex.groups()
        {
            let groups = regex.groups() - 1;
            self.say(
                at,
                format!("{of}: `secretGroup` is {group}, and the expression has {groups} groups"),
            );
        }
        let lists = raw.allowlist.into_iter().chain(raw.allowlists);
        let allowlists = lists.map(|list| self.allowlist(list)).collect();
        (self.mistakes.len() == before).then(|| {
            GitleaksRule::new(
                id,
                raw.description,
                regex,
                path,
                raw.secret_group.unwrap_or(0),
                raw.entropy.unwrap_or(0.0),
                raw.keywords,
                allowlists,
            )
        })
    }

    fn allowlist(&mut self, raw: RawAllowlist) -> Allowlist {
        let condition = raw
            .condition
            .map(|word| (word.span().start, word.into_inner()));
        let condition = match condition.as_ref().map(|(_, word)| word.as_str()) {
            None | Some("OR" | "||") => Condition::Any,
            Some("AND" | "&&") => Condition::All,
            Some(other) => {
                let message = format!("unknown condition `{other}`, expected `OR` or `AND`");
                self.say(condition.as_ref().map_or(0, |(at, _)| *at), message);
                Condition::Any
            }
        };
        let target = raw
            .regex_target
            .map(|word| (word.span().start, word.into_inner()));
        let target = match target.as_ref().map(|(_, word)| word.as_str()) {
            None | Some("secret" | "") => Target::Secret,
            Some("match") => Target::Match,
            Some("line") => Target::Line,
            Some(other) => {
                let message =
                    format!("unknown target `{other}`, expected `secret`, `match`, or `line`");
                self.say(target.as_ref().map_or(0, |(at, _)| *at), message);
                Target::Secret
            }
        };
        let mut expressions = |list: Vec<Spanned<String>>| -> Vec<re2::Expression> {
            let all = list.into_iter();
            all.filter_map(|one| self.expression("allow-list", one))
                .collect()
        };
        Allowlist {
            condition,
            target,
            paths: expressions(raw.paths),
            regexes: expressions(raw.regexes),
            commits: raw.commits,
            stopwords: raw
                .stopwords
                .iter()
                .map(|word| word.to_ascii_lowercase())
                .collect(),
            rules: raw.target_rules,
        }
    }
}
