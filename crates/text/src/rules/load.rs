//! From files to a checked set, or to every mistake in them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bartizan_core::{Category, Origin, Rule, Severity, hex};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{
    anchors,
    error::{Mistake, PackError, hint},
    expand,
    format::{At, PackDescription, Place, RawRule, RuleFile, Texts},
    set::{Compiled, CompiledPattern, Pack, PackInfo, RuleSet, Source},
    sign::{Trust, verify_files},
    validator,
};
use crate::scan::{self, MIN_ANCHOR, PatternError, Way};

/// A file of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackFile {
    /// `folder/file.yaml`; files of one folder are one pack. A file without folder belongs to the
    /// pack `custom`, which needs no `pack.yaml`.
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl PackFile {
    pub(super) fn split(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }

    pub(super) fn is_yaml(&self) -> bool {
        let (_, file) = self.split();
        file.ends_with(".yaml") || file.ends_with(".yml")
    }
}

/// Longest file in bytes.
const MAX_FILE: usize = 2 << 20;

/// Most bytes around a match that a rule may look at.
const MAX_WITHIN: usize = 2000;

impl RuleSet {
    /// Reads packs without asking who wrote them.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn load(files: &[PackFile]) -> Result<Self, Vec<PackError>> {
        Self::load_trusted(files, &Trust::AllowUnsigned)
    }

    /// Reads packs of trusted authors.
    ///
    /// # Errors
    /// Every mistake in them, and every pack whose signature does not hold.
    pub fn load_trusted(files: &[PackFile], trust: &Trust) -> Result<Self, Vec<PackError>> {
        let mut loader = Loader::default();
        let mut folders: BTreeMap<&str, Vec<&PackFile>> = BTreeMap::new();
        for file in files {
            folders.entry(file.split().0).or_default().push(file);
        }
        let mut packs = Vec::new();
        for (folder, mut files) in folders {
            let signer = match trust {
                Trust::AllowUnsigned => None,
                Trust::SignedBy(keys) => match verify_files(&files, keys) {
                    Ok(signer) => Some(signer.to_string()),
                    Err(error) => {
                        loader.error(folder, Place::default(), Mistake::Signature(error));
                        continue;
                    }
                },
            };
            files.retain(|file| file.is_yaml());
            files.sort_by_key(|file| &file.name);
            if !files.is_empty() {
                packs.extend(loader.pack(folder, &files, signer));
            }
        }
        if loader.errors.is_empty() {
            Ok(Self::new(packs))
        } else {
            loader
                .errors
                .sort_by(|a, b| (&a.file, a.place).cmp(&(&b.file, b.place)));
            Err(loader.errors)
        }
    }
}

#[derive(Debug, Default)]
struct Loader {
    errors: Vec<PackError>,
    /// Where each id was given first.
    ids: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
}

impl Loader {
    fn error(&mut self, file: &str, place: Place, mistake: Mistake) {
        self.errors.push(PackError {
            file: file.to_owned(),
            place,
            mistake,
        });
    }

    fn pack(
        &mut self,
        folder: &str,
        files: &[&PackFile],
        signer: Option<String>,
    ) -> Option<Arc<Pack>> {
        let description = files.iter().find(|file| file.split().1 == "pack.yaml");
        let info = match description {
            Some(file) => self.info(file, files),
            None if folder.is_empty() => Some(custom_pack(files)),
            None => {
                self.error(folder, Place::default(), Mistake::NoDescription);
                None
            }
        };
        let mut rules = Vec::new();
        for file in files.iter().filter(|file| file.split().1 != "pack.yaml") {
            if let Some(raw) = self.parse::<RuleFile>(file) {
                rules.extend(
                    raw.rules
                        .iter()
                        .filter_map(|rule| self.rule(file, rule, &raw.define)),
                );
            }
        }
        let info = PackInfo { signer, ..info? };
        Some(Arc::new(Pack { info, rules }))
    }

    fn info(&mut self, file: &PackFile, files: &[&PackFile]) -> Option<PackInfo> {
        let raw = self.parse::<PackDescription>(file)?;
        for (key, text) in [
            ("name", &raw.name),
            ("version", &raw.version),
            ("title", &raw.title),
        ] {
            if text.value.trim().is_empty() {
                self.error(
                    &file.name,
                    text.place,
                    Mistake::EmptyText(key, "every pack has one"),
                );
            }
        }
        if let Some(first) = self.names.get(&raw.name.value).cloned() {
            let name = raw.name.value.clone();
            self.error(
                &file.name,
                raw.name.place,
                Mistake::DuplicatePack { name, first },
            );
        }
        self.names.insert(raw.name.value.clone(), file.name.clone());
        let date = raw.date.and_then(|date| match date.value.parse() {
            Ok(parsed) => Some(parsed),
            Err(mistake) => {
                self.error(&file.name, date.place, mistake);
                None
            }
        });
        Some(PackInfo {
            name: raw.name.value,
            version: raw.version.value,
            date,
            title: raw.title.value,
            licence: raw.licence,
            digest: digest(files),
            signer: None,
        })
    }

    fn parse<T: DeserializeOwned>(&mut self, file: &PackFile) -> Option<T> {
        if file.text.len() > MAX_FILE {
            let mistake = Mistake::TooLarge {
                bytes: file.text.len(),
                limit: MAX_FILE,
            };
            self.error(&file.name, Place::default(), mistake);
            return None;
        }
        let options = serde_saphyr::options! {
            with_snippet: false,
            strict_booleans: true,
            budget: serde_saphyr::budget! {
                max_depth: 12,
                max_aliases: 100,
                max_documents: 1,
                max_nodes: 200_000,
                max_total_scalar_bytes: MAX_FILE,
            },
        };
        match serde_saphyr::from_str_with_options(&file.text, options) {
            Ok(value) => Some(value),
            Err(error) => {
                let place = error.location().map(Place::from).unwrap_or_default();
                let said = error.to_string();
                self.error(&file.name, place, Mistake::Yaml(one_line(&said)));
                None
            }
        }
    }

    fn rule(
        &mut self,
        file: &PackFile,
        raw: &RawRule,
        defines: &BTreeMap<String, At<String>>,
    ) -> Option<Compiled> {
        let before = self.errors.len();
        self.identity(file, raw);
        let severity = self.named(file, "severity", &raw.severity, &Severity::ALL, |s| {
            s.as_str()
        });
        let category = self.named(file, "category", &raw.category, &Category::ALL, |c| {
            c.as_str()
        });
        let mut origins = Vec::new();
        for origin in self.list(file, "origins", raw.origins.as_ref()) {
            origins.extend(self.named(file, "origin", origin, &Origin::ALL, |o| o.as_str()));
        }
        let confidence = raw.confidence.as_ref().map_or(0.8, |at| {
            if !(at.value > 0.0 && at.value <= 1.0) {
                let (key, range) = ("confidence", "above 0 and at most 1");
                self.error(&file.name, at.place, Mistake::Range { key, range });
            }
            at.value
        });
        let within = raw.within.as_ref().map_or(100, |at| {
            if !(1..=MAX_WITHIN).contains(&at.value) {
                let (key, range) = ("within", "from 1 to 2000");
                self.error(&file.name, at.place, Mistake::Range { key, range });
            }
            at.value
        });
        let patterns = self.patterns(file, raw, defines);
        let mut all = Vec::new();
        if let Some(lists) = &raw.all {
            self.not_empty(file, "all", lists.place, lists.value.is_empty());
            for list in &lists.value {
                all.extend(self.near(file, "all", Some(list), defines));
            }
        }
        let context = &raw.context;
        let raise = self.near(file, "context.raise", context.raise.as_ref(), defines);
        let lower = self.near(file, "context.lower", context.lower.as_ref(), defines);
        let unless = self.near(file, "context.unless", context.unless.as_ref(), defines);
        if let Some(name) = &raw.validator
            && validator::named(&name.value).is_none()
        {
            let names = validator::VALIDATORS.iter().map(|validator| validator.name);
            let mistake = unknown("validator", &name.value, names);
            self.error(&file.name, name.place, mistake);
        }
        let examples = self.list(file, "examples", raw.examples.as_ref()).to_vec();
        let negative_examples = self
            .list(file, "negative_examples", raw.negative_examples.as_ref())
            .to_vec();
        if raw.examples.is_none() {
            let hint = "every rule shows at least one text that it hits";
            self.error(
                &file.name,
                raw.id.place,
                Mistake::EmptyList("examples", hint),
            );
        }
        if self.errors.len() > before {
            return None;
        }
        let text = |text: &str| Cow::Owned(text.trim().to_owned());
        Some(Compiled {
            rule: Arc::new(Rule {
                id: text(&raw.id.value),
                title: text(&raw.title.value),
                severity: severity?,
                category: category?,
                refs: raw.refs.iter().map(|at| text(at)).collect(),
                why: text(&raw.why.value),
                fix: text(&raw.fix.value),
                entity: None,
            }),
            family: raw.family.clone(),
            languages: raw.languages.clone(),
            origins,
            confidence,
            patterns,
            inside_words: raw.inside_words,
            all,
            within,
            raise,
            lower,
            unless,
            validator: raw.validator.as_ref().map(|at| at.value.clone()),
            source: Source {
                file: file.name.clone(),
                examples,
                negative_examples,
            },
        })
    }

    fn identity(&mut self, file: &PackFile, raw: &RawRule) {
        let id = &raw.id;
        if !is_id(&id.value) {
            self.error(&file.name, id.place, Mistake::BadId(id.value.clone()));
        }
        match self.ids.get(&id.value).cloned() {
            Some(first) => {
                let id_text = id.value.clone();
                let mistake = Mistake::DuplicateId { id: id_text, first };
                self.error(&file.name, id.place, mistake);
            }
            None => {
                let first = format!("{}:{}", file.name, id.place);
                self.ids.insert(id.value.clone(), first);
            }
        }
        let title = raw.title.value.trim();
        if title.is_empty() || title.contains('\n') || title.ends_with('.') {
            self.error(&file.name, raw.title.place, Mistake::BadTitle);
        }
        for (key, text, way_out) in [
            ("why", &raw.why, "say why a match matters"),
            ("fix", &raw.fix, "say what to do about a match"),
        ] {
            if text.value.trim().is_empty() {
                self.error(&file.name, text.place, Mistake::EmptyText(key, way_out));
            }
        }
    }

    fn named<T: Copy>(
        &mut self,
        file: &PackFile,
        what: &'static str,
        given: &At<String>,
        all: &[T],
        name: impl Fn(&T) -> &'static str + Copy,
    ) -> Option<T> {
        let found = all.iter().copied().find(|item| name(item) == given.value);
        if found.is_none() {
            let mistake = unknown(what, &given.value, all.iter().map(name));
            self.error(&file.name, given.place, mistake);
        }
        found
    }

    /// The texts of a list that may be absent but not empty.
    fn list<'a>(
        &mut self,
        file: &PackFile,
        key: &'static str,
        list: Option<&'a At<Texts>>,
    ) -> &'a [At<String>] {
        let Some(list) = list else { return &[] };
        self.not_empty(file, key, list.place, list.value.is_empty());
        for text in list.value.iter().filter(|at| at.value.trim().is_empty()) {
            let way_out = "give a text or drop the entry";
            self.error(&file.name, text.place, Mistake::EmptyText(key, way_out));
        }
        &list.value
    }

    fn not_empty(&mut self, file: &PackFile, key: &'static str, place: Place, empty: bool) {
        if empty {
            let way_out = "fill it or drop the key";
            self.error(&file.name, place, Mistake::EmptyList(key, way_out));
        }
    }

    fn patterns(
        &mut self,
        file: &PackFile,
        raw: &RawRule,
        defines: &BTreeMap<String, At<String>>,
    ) -> Vec<CompiledPattern> {
        let given: Vec<String> = self
            .list(file, "anchors", raw.anchors.as_ref())
            .iter()
            .map(|at| expand::fold(&at.value))
            .collect();
        if let Some(list) = &raw.anchors {
            for short in list.value.iter().filter(|at| at.value.len() < MIN_ANCHOR) {
                let mistake = Mistake::Pattern(PatternError::BadAnchor(short.value.clone()));
                self.error(&file.name, short.place, mistake);
            }
        }
        let mut patterns = Vec::new();
        let mut seen = BTreeSet::new();
        for text in self.list(file, "any", raw.any.as_ref()) {
            let pattern = expand::phrase(&text.value, !raw.inside_words);
            match analysed(pattern, &[]) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => self.error(&file.name, text.place, error),
            }
        }
        for text in self.list(file, "patterns", raw.patterns.as_ref()) {
            if let Some(expanded) = self.expanded(file, text, defines) {
                match analysed(expanded, &given) {
                    Ok(pattern) => patterns.push(pattern),
                    Err(error) => self.error(&file.name, text.place, error),
                }
            }
        }
        if raw.any.is_none() && raw.patterns.is_none() {
            self.error(&file.name, raw.id.place, Mistake::NoPattern);
        }
        patterns.retain(|pattern| seen.insert(pattern.pattern.clone()));
        patterns
    }

    /// One expression for a list of context words.
    fn near(
        &mut self,
        file: &PackFile,
        key: &'static str,
        list: Option<&At<Texts>>,
        defines: &BTreeMap<String, At<String>>,
    ) -> Option<String> {
        let mut parts = Vec::new();
        for text in self.list(file, key, list) {
            if let Some(expanded) = self.expanded(file, text, defines) {
                match scan::compile(&expanded, false, true) {
                    Ok(_) => parts.push(expanded),
                    Err(error) => self.error(&file.name, text.place, Mistake::Pattern(error)),
                }
            }
        }
        (!parts.is_empty()).then(|| format!("(?:{})", parts.join("|")))
    }

    /// A pattern with its defines expanded, if it is a regular expression.
    fn expanded(
        &mut self,
        file: &PackFile,
        text: &At<String>,
        defines: &BTreeMap<String, At<String>>,
    ) -> Option<String> {
        let expanded = match expand::pattern(&text.value, defines) {
            Ok(expanded) => expanded,
            Err(mistake) => {
                self.error(&file.name, text.place, mistake);
                return None;
            }
        };
        let parsed = regex_syntax::ast::parse::Parser::new().parse(&expanded.text);
        if let Err(error) = parsed {
            let at = expanded.source_of(error.span().start.offset);
            let place = within_scalar(&file.text, text, at);
            let mistake = Mistake::Pattern(PatternError::Syntax {
                message: error.kind().to_string(),
                at: error.span().start.offset..error.span().end.offset,
            });
            self.error(&file.name, place, mistake);
            return None;
        }
        Some(expanded.text)
    }
}

fn analysed(pattern: String, given: &[String]) -> Result<CompiledPattern, Mistake> {
    scan::compile(&pattern, false, true).map_err(Mistake::Pattern)?;
    let (ways, max_len) = if given.is_empty() {
        let analysis = scan::analyse(&pattern).map_err(|error| {
            let start = (error == PatternError::NoAnchor)
                .then(|| anchors::culprit(&pattern))
                .flatten();
            start.map_or(Mistake::Pattern(error), |start| Mistake::ShortStart {
                start,
            })
        })?;
        (analysis.ways, analysis.max_len)
    } else {
        let max_len = scan::longest_match(&pattern).map_err(Mistake::Pattern)?;
        let way = Way {
            anchors: given
                .iter()
                .map(|anchor| anchor.to_ascii_lowercase())
                .collect(),
            needs: scan::needs(&pattern).map_err(Mistake::Pattern)?,
        };
        (vec![way], max_len)
    };
    Ok(CompiledPattern {
        pattern,
        ways,
        max_len,
    })
}

fn unknown<'a>(
    what: &'static str,
    given: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Mistake {
    Mistake::Unknown {
        what,
        given: given.to_owned(),
        hint: hint(given, names),
    }
}

fn is_id(id: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    id.split_once('.')
        .is_some_and(|(area, name)| word(area) && word(name))
}

/// Where character `at` of a scalar stands; the scalar's own place when it spans lines.
fn within_scalar(file: &str, text: &At<String>, at: usize) -> Place {
    let line = usize::try_from(text.place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let column = usize::try_from(text.place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let rest: String = file
        .lines()
        .nth(line)
        .map(|line| line.chars().skip(column).collect())
        .unwrap_or_default();
    let quote = usize::from(rest.starts_with(['\'', '"']));
    let written: String = rest.chars().skip(quote).collect();
    let mut place = text.place;
    if written.starts_with(&text.value) {
        place.column += (quote + at) as u64;
    }
    place
}

/// What the parser said, without the place, which stands before it already.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.rsplit_once(" at line ") {
        Some((said, _)) => said.to_owned(),
        None => line,
    }
}

/// The manifest of a pack: one line `digest  file` for each of its files, as `sha256sum` writes.
pub(super) fn manifest(files: &[&PackFile]) -> String {
    let mut lines: Vec<(String, &str)> = files
        .iter()
        .filter(|file| file.is_yaml())
        .map(|file| (hex::encode(&Sha256::digest(&file.text)), file.split().1))
        .collect();
    lines.sort_by_key(|(_, name)| *name);
    lines
        .iter()
        .map(|(digest, name)| format!("{digest}  {name}\n"))
        .collect()
}

fn digest(files: &[&PackFile]) -> String {
    hex::encode(&Sha256::digest(manifest(files)))
}

/// Loose files are a pack of their own.
fn custom_pack(files: &[&PackFile]) -> PackInfo {
    PackInfo {
        name: "custom".to_owned(),
        version: "0".to_owned(),
        date: None,
        title: "rules without a pack".to_owned(),
        licence: None,
        digest: digest(files),
        signer: None,
    }
}
