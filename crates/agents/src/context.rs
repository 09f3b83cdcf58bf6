use std::sync::OnceLock;

use bartizan_core::{Origin, Transform};
use memchr::memmem;
use serde_json::Value;

use crate::{
    ArgumentKind, Entry, Label, SourceKind, Transcript,
    encodings::{disguises, readings},
    text::{folded, number, numbers, shingles, squeezed, stands_in},
};

/// Everything that the model has read, ready to be asked where a value came from.
#[derive(Debug)]
pub struct Context {
    /// Texts that the user, the operator, or a trusted tool wrote, in lower case with single spaces.
    trusted: String,
    /// Numbers in them.
    numbers: Vec<f64>,
    /// Records of the user.
    records: Vec<Vec<String>>,
    /// All other texts.
    foreign: Vec<Foreign>,
    /// What a value can have to do with at most.
    read: Label,
}

struct Foreign {
    path: String,
    /// Folded.
    text: String,
    label: Label,
    /// Hashes of its runs of words in order, made when they are first asked for.
    shingles: OnceLock<Vec<u64>>,
}

impl Foreign {
    /// Whether it has a run of words with one of the hashes `wanted`.
    fn shares(&self, wanted: &[u64]) -> bool {
        if wanted.is_empty() {
            return false;
        }
        let own = self.shingles.get_or_init(|| hashes(&self.text));
        wanted.iter().any(|hash| own.binary_search(hash).is_ok())
    }
}

/// Hashes of every run of words of a text, in order, each once.
fn hashes(text: &str) -> Vec<u64> {
    let mut all = Vec::new();
    shingles(text, SHINGLE, |hash| all.push(hash));
    all.sort_unstable();
    all.dedup();
    all
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foreign")
            .field("path", &self.path)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// How it came about.
    pub source: SourceKind,
    /// Who had a hand in it, and who may read it.
    pub label: Label,
    /// Where the texts stand that hold it; at most [`MAX_PLACES`].
    pub places: Vec<String>,
    /// How the text was written that holds it; `None` for as it is.
    pub via: Option<Transform>,
}

/// Most places that a trace names.
pub const MAX_PLACES: usize = 4;

/// Words that two texts have in common, in a row, before one is taken for a copy of the other.
const SHINGLE: usize = 5;

/// What a text counts as.
pub(crate) enum Standing {
    Trusted,
    Directory,
    Foreign,
}

impl Context {
    /// What the model has read in `transcript`; `judge` says for every entry what it counts as.
    pub(crate) fn new(
        transcript: &Transcript,
        mut judge: impl FnMut(&Entry) -> Option<(Standing, Label)>,
    ) -> Self {
        let mut context = Self {
            trusted: String::new(),
            numbers: Vec::new(),
            records: Vec::new(),
            foreign: Vec::new(),
            read: Label::of(Origin::Model),
        };
        for entry in &transcript.entries {
            let (text, path) = match entry {
                Entry::Said(said) => (&said.text, &said.path),
                Entry::Result(result) => (&result.text, &result.path),
                Entry::Call(_) => continue,
            };
            let Some((standing, label)) = judge(entry) else {
                continue;
            };
            context.read = context.read.join(&label);
            match standing {
                Standing::Trusted if !label.readers.is_private() => context.trust(text),
                Standing::Trusted => {
                    // Trusted to choose, and not to be told to everyone.
                    context.trust(text);
                    context.keep(text, path, label);
                }
                Standing::Directory => {
                    records(text, &mut context.records);
                    context.keep(text, path, label);
                }
                Standing::Foreign => context.keep(text, path, label),
            }
        }
        context.numbers = numbers(&context.trusted);
        context
    }

    fn trust(&mut self, text: &str) {
        for word in text.to_lowercase().split_whitespace() {
            self.trusted.push_str(word);
            self.trusted.push(' ');
        }
        // No value spans two texts.
        self.trusted.push_str("\n ");
    }

    fn keep(&mut self, text: &str, path: &str, label: Label) {
        self.foreign.push(Foreign {
            path: path.to_owned(),
            text: folded(text),
            label,
            shingles: OnceLock::new(),
        });
    }

    /// The label of everything together: that of a value about which nothing else is known.
    #[must_use]
    pub const fn read(&self) -> &Label {
        &self.read
    }

    /// Whether the model has read text that somebody outside wrote.
    #[must_use]
    pub const fn is_tainted(&self) -> bool {
        self.read.writers.is_foreign()
    }

    /// Whether a trusted text has a word that begins with one of `stems`.
    pub(crate) fn asks_for<'a>(&self, mut stems: impl Iterator<Item = &'a str>) -> bool {
        stems.any(|stem| {
            memmem::find_iter(self.trusted.as_bytes(), stem.as_bytes()).any(|at| {
                let before = self
                    .trusted
                    .get(..at)
                    .and_then(|text| text.chars().next_back());
                before.is_none_or(|c| !c.is_alphanumeric())
            })
        })
    }

    /// Where `value`, which chooses a `kind` of thing, came from.
    ///
    /// What trusted text names is trusted, wherever else it stands: the user may well mean what a
    /// document mentions, too. A value that stands nowhere has the label of all that was read.
    #[must_use]
    pub fn trace(&self, value: &str, kind: ArgumentKind) -> Trace {
        // What is trusted must be the same, not look the same: a look-alike is another address.
        let raw = value;
        let exact = raw.trim().to_lowercase();
        let value = folded(raw);
        let value = value.trim();
        if exact.is_empty() || self.names(&exact, kind) {
            return Trace::plain(SourceKind::Named, Label::of(Origin::User));
        }
        if self.resolves(&exact, kind) {
            return Trace::plain(SourceKind::Resolved, Label::of(Origin::User));
        }
        let copied = if kind.is_control() {
            self.holders(value, raw)
        } else {
            self.overlaps(value, raw)
        };
        copied.unwrap_or_else(|| {
            if self.read.writers.is_foreign() || self.read.readers.is_private() {
                Trace::plain(SourceKind::Derived, self.read.clone())
            } else {
                Trace::plain(SourceKind::Derived, Label::of(Origin::Model))
            }
        })
    }

    /// The same for a text that no row asks about closely: named, or made by the model.
    pub(crate) fn trace_roughly(&self, value: &str) -> Trace {
        let exact = value.trim().to_lowercase();
        if exact.is_empty() || stands_in(&exact, &self.trusted) {
            Trace::plain(SourceKind::Named, Label::of(Origin::User))
        } else {
            Trace::plain(SourceKind::Derived, self.read.clone())
        }
    }

    /// Whether trusted text names `value`.
    fn names(&self, value: &str, kind: ArgumentKind) -> bool {
        if stands_in(value, &self.trusted) {
            return true;
        }
        match kind {
            ArgumentKind::Amount => {
                number(value).is_some_and(|value| self.numbers.contains(&value))
            }
            ArgumentKind::Recipient => self.names_recipient(value),
            ArgumentKind::Url => self.names_host(value),
            ArgumentKind::Path => {
                // The folder may come from a listing; a path that others wrote out may not.
                let name = value.rsplit(['/', '\\']).next().unwrap_or(value);
                name.len() >= 3
                    && stands_in(name, &self.trusted)
                    && self.holders(&folded(value), value).is_none()
            }
            _ => false,
        }
    }

    fn names_recipient(&self, value: &str) -> bool {
        let addresses: Vec<&str> = value
            .split(|c: char| c.is_whitespace() || "<>,;\"'()".contains(c))
            .filter(|word| word.contains('@') && word.contains('.'))
            .collect();
        if !addresses.is_empty() {
            return addresses
                .iter()
                .all(|address| stands_in(address, &self.trusted));
        }
        // Accounts and telephone numbers are written with and without spaces.
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        let plain = squeezed(value);
        if digits >= 6 && plain.len() >= 8 {
            return squeezed(&self.trusted).contains(&plain);
        }
        let handle = value.trim_start_matches(['#', '@']);
        handle != value && stands_in(handle, &self.trusted)
            || stands_in(&format!("#{value}"), &self.trusted)
            || stands_in(&format!("@{value}"), &self.trusted)
    }

    /// Whether trusted text names the host of a URL, and nobody else wrote the URL.
    fn names_host(&self, value: &str) -> bool {
        let Ok(url) = url::Url::parse(value) else {
            return false;
        };
        let Some(host) = url.host_str() else {
            return false;
        };
        let bare = value.trim_end_matches('/');
        stands_in(bare, &self.trusted)
            || url.query().is_none()
                && url.fragment().is_none()
                && self.holders(&folded(bare), bare).is_none()
                && (stands_in(&format!("{}://{host}", url.scheme()), &self.trusted)
                    || stands_in(host, &self.trusted)
                    || stands_in(host.trim_start_matches("www."), &self.trusted))
    }

    /// Whether a record of the user that trusted text names holds `value`.
    fn resolves(&self, value: &str, kind: ArgumentKind) -> bool {
        if matches!(kind, ArgumentKind::Command | ArgumentKind::Sql) {
            return false;
        }
        self.records.iter().any(|record| {
            record
                .iter()
                .any(|leaf| leaf == value || stands_in(value, leaf))
                && record
                    .iter()
                    .any(|leaf| leaf != value && self.mentions(leaf))
        })
    }

    /// Whether trusted text says `leaf`, or a word of it if it is as short as a name.
    fn mentions(&self, leaf: &str) -> bool {
        const NAME_WORDS: usize = 4;
        if leaf.len() < 2 || leaf.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let words = || leaf.split(|c: char| !c.is_alphanumeric());
        stands_in(leaf, &self.trusted)
            || words().count() <= NAME_WORDS
                && words().any(|word| word.len() >= 3 && stands_in(word, &self.trusted))
    }

    /// The texts that hold `value`, as it is or in another notation; `raw` is what it was before it was folded.
    fn holders(&self, value: &str, raw: &str) -> Option<Trace> {
        let holds = |text: &str, needle: &str| {
            // Short values stand in much text by chance.
            if needle.len() < 6 {
                stands_in(needle, text)
            } else {
                memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
            }
        };
        if let Some(trace) = self.copied_from(None, |other| holds(&other.text, value)) {
            return Some(trace);
        }
        for (needle, via) in disguises(value) {
            let trace = self.copied_from(Some(via), |other| {
                memmem::find(other.text.as_bytes(), needle.as_bytes()).is_some()
            });
            if trace.is_some() {
                return trace;
            }
        }
        let readings = readings(raw);
        for (reading, via) in &readings.all {
            let reading = folded(reading);
            let trace = self.copied_from(Some(*via), |other| holds(&other.text, &reading));
            if trace.is_some() {
                return trace;
            }
        }
        self.beyond(readings.is_cut)
    }

    /// A value with more encoded words than are read may hold a copy of anything: it counts as one,
    /// since some rows of the table deny copies and let what the model made go on.
    fn beyond(&self, is_cut: bool) -> Option<Trace> {
        let may_copy = is_cut && !self.foreign.is_empty();
        may_copy.then(|| Trace::plain(SourceKind::Copied, self.read.clone()))
    }

    /// The texts that a longer `value` shares something telling with: a run of words, or a number,
    /// an address, or an id that trusted text does not hold.
    fn overlaps(&self, value: &str, raw: &str) -> Option<Trace> {
        if self.foreign.is_empty() {
            return None;
        }
        let readings = readings(raw);
        let decoded = readings.all.iter();
        let decoded = decoded.map(|(text, via)| (folded(text), Some(*via)));
        let mut texts = std::iter::once((value.to_owned(), None)).chain(decoded);
        let found = texts.find_map(|(text, via)| {
            let wanted = hashes(&text);
            let telling: Vec<&str> = telling(&text)
                .filter(|word| !stands_in(word, &self.trusted))
                .take(MAX_TELLING)
                .collect();
            if wanted.is_empty() && telling.is_empty() {
                return None;
            }
            self.copied_from(via, |other| {
                telling.iter().any(|word| stands_in(word, &other.text)) || other.shares(&wanted)
            })
        });
        found.or_else(|| self.beyond(readings.is_cut))
    }

    fn copied_from(
        &self,
        via: Option<Transform>,
        holds: impl Fn(&Foreign) -> bool,
    ) -> Option<Trace> {
        let mut trace: Option<Trace> = None;
        for foreign in self.foreign.iter().filter(|foreign| holds(foreign)) {
            let trace = trace.get_or_insert_with(|| Trace {
                source: SourceKind::Copied,
                label: foreign.label.clone(),
                places: Vec::new(),
                via,
            });
            trace.label = trace.label.join(&foreign.label);
            if trace.places.len() < MAX_PLACES {
                trace.places.push(foreign.path.clone());
            }
        }
        trace
    }
}

impl Trace {
    const fn plain(source: SourceKind, label: Label) -> Self {
        Self {
            source,
            label,
            places: Vec::new(),
            via: None,
        }
    }
}

/// Most words of a value that are looked for one by one.
const MAX_TELLING: usize = 64;

/// Words that hardly stand in two texts by chance: addresses, ids, and numbers of 4 digits or more.
fn telling(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "\"'()<>[]{},;|".contains(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| {
            let digits = word.bytes().filter(u8::is_ascii_digit).count();
            digits >= 4 || word.contains('@') || word.contains("://")
        })
}

/// The links of a text.
pub(crate) fn links(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || "\"'()<>[]{},;|".contains(c))
        .filter(|word| word.contains("://") || word.starts_with("www."))
        .map(|word| word.trim_end_matches(['.', '!', '?', ':']))
        .collect()
}

/// The records of what a directory returned: objects of JSON, or lines.
fn records(text: &str, into: &mut Vec<Vec<String>>) {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => objects(&value, into),
        _ => into.extend(text.lines().map(|line| {
            line.split(['\t', ',', ';', '|'])
                .map(|cell| cell.trim().to_lowercase())
                .collect()
        })),
    }
}

fn objects(value: &Value, into: &mut Vec<Vec<String>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| objects(item, into)),
        Value::Object(members) => {
            let mut record = Vec::new();
            for member in members.values() {
                match member {
                    Value::String(text) => record.push(text.trim().to_lowercase()),
                    Value::Number(number) => record.push(number.to_string()),
                    Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
                        let texts = items.iter().filter_map(Value::as_str);
                        record.extend(texts.map(|text| text.trim().to_lowercase()));
                    }
                    inner => objects(inner, into),
                }
            }
            into.push(record);
        }
        _ => {}
    }
}
