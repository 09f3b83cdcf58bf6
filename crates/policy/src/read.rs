//! From a policy file to a checked policy, collecting every mistake.

use std::collections::HashSet;

use serde_saphyr::{Location, Spanned};

use crate::{
    Action, Exception, LayerPolicy, Mistake, MistakeKind, Policy, PolicyError, PolicyFile,
    RawException, RawRow, RawScore, Refusals, Row, ScorePolicy, Thresholds, defaults,
    policy::Content, refusal,
};

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// When the file is not YAML or has an unknown field or a value of the wrong type (one
    /// mistake), or else with every value that makes no sense.
    pub fn from_yaml(yaml: &str) -> Result<Self, PolicyError> {
        if yaml.trim().is_empty() {
            return Ok(Self::default());
        }
        let file: PolicyFile = serde_saphyr::from_str(yaml).map_err(|error| PolicyError {
            mistakes: vec![syntax_mistake(&error)],
        })?;
        let mut checker = Checker::default();
        let content = checker.content(file);
        checker
            .mistakes
            .sort_by_key(|mistake| (mistake.line, mistake.column));
        if checker.mistakes.is_empty() {
            Ok(Self::from_content(content))
        } else {
            Err(PolicyError {
                mistakes: checker.mistakes,
            })
        }
    }
}

#[derive(Default)]
struct Checker {
    mistakes: Vec<Mistake>,
}

impl Checker {
    fn content(&mut self, file: PolicyFile) -> Content {
        let mut rows = self.rows(file.rows);
        rows.extend(defaults::rows());
        Content {
            shadow: file.shadow,
            shadow_rules: file.shadow_rules,
            layers: file
                .layers
                .into_iter()
                .map(|(layer, raw)| {
                    let checked = LayerPolicy {
                        enabled: raw.enabled,
                        on_incomplete: raw.on_incomplete,
                        required: raw.required,
                        shadow: raw.shadow,
                    };
                    (layer, checked)
                })
                // A layer that says the default and a layer left out mean the same.
                .filter(|(_, checked)| *checked != LayerPolicy::default())
                .collect(),
            rows,
            exceptions: file
                .allow
                .into_iter()
                .filter_map(|raw| self.exception(raw))
                .collect(),
            score: self.score(file.score),
            refusals: self.refusals(file.refusals, file.default_locale),
        }
    }

    fn rows(&mut self, raw: Vec<Spanned<RawRow>>) -> Vec<Row> {
        let mut names = HashSet::new();
        let mut catch_all: Option<String> = None;
        let mut rows = Vec::new();
        for Spanned {
            value, referenced, ..
        } in raw
        {
            self.row_name(&value.name, &referenced);
            if !names.insert(value.name.clone()) {
                self.mistake(&referenced, MistakeKind::DuplicateName(value.name.clone()));
            }
            if let Some(before) = &catch_all {
                let kind = MistakeKind::Unreachable(value.name.clone(), before.clone());
                self.mistake(&referenced, kind);
            }
            let row = self.row(value, &referenced);
            if is_catch_all(&row) && catch_all.is_none() {
                catch_all = Some(row.name.clone());
            }
            rows.push(row);
        }
        rows
    }

    fn row_name(&mut self, name: &str, at: &Location) {
        if name.is_empty() {
            self.mistake(at, MistakeKind::Empty("name"));
        }
        if name.starts_with("default.") {
            self.mistake(at, MistakeKind::ReservedName(name.to_owned()));
        }
    }

    fn row(&mut self, raw: RawRow, at: &Location) -> Row {
        let thresholds = self.thresholds(&raw, at);
        Row {
            name: raw.name,
            layers: raw.layer,
            categories: raw.category,
            rules: raw.rule,
            min_severity: raw.severity,
            origins: raw.origin,
            routes: raw.route,
            tenants: raw.tenant,
            direction: raw.direction,
            thresholds,
        }
    }

    fn thresholds(&mut self, raw: &RawRow, at: &Location) -> Thresholds {
        let given: Vec<(Action, f32)> = [
            (Action::Flag, raw.flag),
            (Action::Redact, raw.redact),
            (Action::Ask, raw.ask),
            (Action::Block, raw.block),
        ]
        .into_iter()
        .filter_map(|(action, value)| Some((action, value?)))
        .collect();
        for &(action, value) in &given {
            self.share(action.as_str(), f64::from(value), at);
        }
        for pair in given.windows(2) {
            if let &[(milder, low), (stricter, high)] = pair
                && high <= low
                && milder != Action::Flag
            {
                let kind = MistakeKind::NeverActs {
                    milder: milder.as_str(),
                    stricter: stricter.as_str(),
                };
                self.mistake(at, kind);
            }
        }
        match (given.is_empty(), raw.ignore) {
            (true, false) => self.mistake(at, MistakeKind::NoAction(raw.name.clone())),
            (false, true) => self.mistake(at, MistakeKind::IgnoresAndActs(raw.name.clone())),
            _ => {}
        }
        // What is acted on is always listed.
        let lowest = given.iter().map(|&(_, value)| value).reduce(f32::min);
        Thresholds {
            flag: lowest,
            redact: raw.redact,
            ask: raw.ask,
            block: raw.block,
        }
    }

    fn exception(&mut self, raw: Spanned<RawException>) -> Option<Exception> {
        let Spanned {
            value, referenced, ..
        } = raw;
        for (field, text) in [("rule", &value.rule), ("reason", &value.reason)] {
            if text.trim().is_empty() {
                self.mistake(&referenced, MistakeKind::Empty(field));
            }
        }
        let narrowed = value.text.is_some()
            || value.origin.is_some()
            || value.route.is_some()
            || value.tenant.is_some();
        if !narrowed {
            self.mistake(&referenced, MistakeKind::UnboundedException);
        }
        let is_hash =
            |hash: &str| hash.len() >= 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if value.text.as_deref().is_some_and(|hash| !is_hash(hash)) {
            self.mistake(&referenced, MistakeKind::BadHash);
        }
        let Ok(expires) = value.expires.parse() else {
            self.mistake(&referenced, MistakeKind::BadDay(value.expires));
            return None;
        };
        Some(Exception {
            rule: value.rule,
            text_hash: value.text.map(|hash| hash.to_ascii_lowercase()),
            origin: value.origin,
            route: value.route,
            tenant: value.tenant,
            reason: value.reason,
            expires,
        })
    }

    fn score(&mut self, raw: RawScore) -> ScorePolicy {
        let default = ScorePolicy::default();
        let mut take = |field, value: &Option<Spanned<f64>>, default| {
            value.as_ref().map_or(default, |spanned| {
                self.share(field, spanned.value, &spanned.referenced);
                spanned.value
            })
        };
        let serve = take("serve", &raw.serve, default.serve);
        let review = take("review", &raw.review, default.review);
        if review > serve {
            let place = raw.review.or(raw.serve);
            let at = place.map_or(Location::UNKNOWN, |spanned| spanned.referenced);
            self.mistake(&at, MistakeKind::BandsReversed);
        }
        let mut enforce = raw.enforce.unwrap_or(default.enforce);
        enforce.sort_unstable();
        enforce.dedup();
        ScorePolicy {
            serve,
            review,
            enforce,
        }
    }

    fn refusals(
        &mut self,
        raw: std::collections::BTreeMap<
            String,
            std::collections::BTreeMap<crate::RefusalKey, Spanned<String>>,
        >,
        default_locale: Option<Spanned<String>>,
    ) -> Refusals {
        let mut refusals = Refusals::default();
        if let Some(locale) = default_locale {
            if refusal::is_locale(&locale.value) {
                refusals.default_locale = locale.value.to_ascii_lowercase();
            } else {
                self.mistake(&locale.referenced, MistakeKind::BadLocale(locale.value));
            }
        }
        for (locale, texts) in raw {
            if !refusal::is_locale(&locale) {
                let at = texts
                    .values()
                    .next()
                    .map_or(Location::UNKNOWN, |text| text.referenced);
                self.mistake(&at, MistakeKind::BadLocale(locale));
                continue;
            }
            for (key, text) in texts {
                if text.value.trim().is_empty() {
                    self.mistake(&text.referenced, MistakeKind::Empty("refusal text"));
                }
                refusals
                    .own
                    .entry(locale.to_ascii_lowercase())
                    .or_default()
                    .insert(key, text.value);
            }
        }
        refusals
    }

    fn share(&mut self, field: &'static str, value: f64, at: &Location) {
        if !(0.0..=1.0).contains(&value) {
            let value = value.to_string();
            self.mistake(at, MistakeKind::OutOfRange { field, value });
        }
    }

    fn mistake(&mut self, at: &Location, kind: MistakeKind) {
        self.mistakes.push(Mistake {
            line: at.line(),
            column: at.column(),
            bytes: bytes(at),
            kind,
        });
    }
}

fn syntax_mistake(error: &serde_saphyr::Error) -> Mistake {
    let at = error.location().unwrap_or(Location::UNKNOWN);
    // The place is told apart; the first line is the message, further ones are a snippet.
    let text = error.without_snippet().to_string();
    let message = text
        .lines()
        .next()
        .unwrap_or("not a policy file")
        .to_owned();
    Mistake {
        line: at.line(),
        column: at.column(),
        bytes: bytes(&at),
        kind: MistakeKind::Yaml(message),
    }
}

fn bytes(at: &Location) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(at.span().byte_offset()?).ok()?;
    let len = usize::try_from(at.span().byte_len()?).ok()?;
    Some(start..start.saturating_add(len))
}

fn is_catch_all(row: &Row) -> bool {
    row.layers.is_empty()
        && row.categories.is_empty()
        && row.rules.is_empty()
        && row.min_severity.is_none()
        && row.origins.is_empty()
        && row.routes.is_empty()
        && row.tenants.is_empty()
        && row.direction.is_none()
}
