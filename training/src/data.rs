//! Labelled texts, as tokens.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
    sync::Arc,
};

use bartizan_classify::words;
use bartizan_core::Origin;
use bartizan_text::{PatternsBuilder, Scanner, views::ViewLimits};
use miette::{Context, IntoDiagnostic, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    encoder::hex,
    harm::{self, HARMS},
    shape::BUCKETS,
};

/// Tokens of one example that are kept.
const LONGEST: usize = 3000;
/// Sources under share-alike licences (CC BY-SA, CDLA-Sharing), wholly or in part, which shipped
/// weights do not learn from (ADR 7). `doc_` and `embedded_` stand before the names of documents.
const SHARE_ALIKE: [&str; 10] = [
    "xquad",
    "owasp_cheatsheets",
    "owasp_llm_top10",
    "sgd",
    "sgd_dialogues",
    "mconala",
    "topical_chat",
    "commit_messages",
    "bipia_table",
    "bipia_code",
];

/// Rows between two views of one text, so that no filter sees both.
const GAP: usize = 4;

/// A word: its hash, and what stands for it if the vocabulary does not hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// 0 for the gap between two views.
    pub(crate) hash: u32,
    /// Numbers below [`BUCKETS`].
    pub(crate) parts: [u16; 3],
}

impl Token {
    /// Between two views.
    pub(crate) const GAP: Self = Self {
        hash: 0,
        parts: [0; 3],
    };
}

/// What a text is, for the first head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    /// Ordinary text.
    Benign,
    /// Ordinary text that looks like an attack.
    BenignHard,
    /// Overrides, hijacks, extracts.
    Injection,
    /// Switches the safety policy off.
    Jailbreak,
}

impl Label {
    /// Whether it is an attack.
    pub(crate) const fn is_attack(self) -> bool {
        matches!(self, Self::Injection | Self::Jailbreak)
    }
}

/// One labelled text.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    /// The text as received, for the final evaluation.
    pub(crate) text: String,
    /// All its views.
    pub(crate) tokens: Vec<Token>,
    /// `None`: it says nothing about attacks.
    pub(crate) label: Option<Label>,
    /// Per harm: 1 it is, 0 it is not, -1 nobody said.
    pub(crate) harms: Option<[i8; HARMS]>,
    /// Where it comes from.
    pub(crate) source: String,
    /// ISO 639.
    pub(crate) lang: String,
    /// Token ranges of the attack in it; empty if all of it may be.
    pub(crate) spans: Vec<(usize, usize)>,
}

/// Everything that is read.
pub(crate) struct Data {
    /// To learn from.
    pub(crate) train: Vec<Example>,
    /// In distribution, for calibration.
    pub(crate) dev: Vec<Example>,
    /// Documents of held-out kinds, for calibration.
    pub(crate) rag_dev: Vec<Example>,
    /// Looked at rarely.
    pub(crate) eval_public: Vec<Example>,
    /// Looked at rarely.
    pub(crate) rag_eval: Vec<Example>,
    /// Held-out part of the harm sets.
    pub(crate) harm_test: Vec<Example>,
    /// Under share-alike licences: measured on, never learnt from.
    pub(crate) share_alike: Vec<Example>,
    /// SHA-256 of each file.
    pub(crate) digests: BTreeMap<String, String>,
    /// Rows left out of `train` because `eval_public` or `rag/eval` holds the same words.
    pub(crate) left_out: usize,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    set: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    categories: Option<Vec<String>>,
    #[serde(default)]
    spans: Vec<Place>,
}

/// Code points, end exclusive.
#[derive(Deserialize)]
struct Place {
    start: usize,
    end: usize,
}

impl Data {
    /// Reads every file under `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut reader = Reader::new(folder);
        let mut train = reader.injection("injection/train-00.jsonl")?;
        train.extend(reader.injection("injection/train-01.jsonl")?);
        // The same documents come with places out of `rag/`.
        train.retain(|e| !e.source.starts_with("embedded_") && !e.source.starts_with("doc_"));
        train.extend(reader.documents("rag/train.jsonl")?);
        let mut dev = reader.injection("injection/dev.jsonl")?;
        dev.retain(|e| !e.source.starts_with("embedded_") && !e.source.starts_with("doc_"));
        train.extend(reader.plain("pii/dev.jsonl")?);
        let rag_dev = reader.documents("rag/dev.jsonl")?;
        let eval_public = reader.injection("injection/eval_public.jsonl")?;
        let rag_eval = reader.documents("rag/eval.jsonl")?;
        let (mut harm_train, mut harm_test) = (Vec::new(), Vec::new());
        let mut harms = reader.harm("harm/prompts.jsonl")?;
        harms.extend(reader.harm("harm/toxicity.jsonl")?);
        for example in harms {
            let held_out = example.source == "xstest"
                || example.source == "or_bench_sample"
                || Sha256::digest(&example.text)[0] < 51;
            if held_out {
                harm_test.push(example);
            } else {
                harm_train.push(example);
            }
        }
        let (share_alike, mut train): (Vec<Example>, Vec<Example>) = train
            .into_iter()
            .partition(|example| is_share_alike(&example.source));
        train.extend(harm_train);
        let seen: HashSet<u64> = eval_public
            .iter()
            .chain(&rag_eval)
            .map(fingerprint)
            .collect();
        let before = train.len();
        train.retain(|example| !seen.contains(&fingerprint(example)));
        Ok(Self {
            left_out: before - train.len(),
            train,
            dev,
            rag_dev,
            eval_public,
            rag_eval,
            harm_test,
            share_alike,
            digests: reader.digests,
        })
    }
}

impl Data {
    /// Examples to learn from that have the same words as one of `eval_public` or `rag/eval`.
    pub(crate) fn overlap(&self) -> usize {
        let held = self.eval_public.iter().chain(&self.rag_eval);
        let seen: HashSet<u64> = held.map(fingerprint).collect();
        let same = |example: &&Example| seen.contains(&fingerprint(example));
        self.train.iter().filter(same).count()
    }
}

fn is_share_alike(source: &str) -> bool {
    let name = source
        .strip_prefix("doc_")
        .or_else(|| source.strip_prefix("embedded_"));
    SHARE_ALIKE.contains(&name.unwrap_or(source))
}

/// The words of a text without their places.
pub(crate) fn fingerprint(example: &Example) -> u64 {
    example
        .tokens
        .iter()
        .take_while(|token| **token != Token::GAP)
        .fold(0xcbf2_9ce4_8422_2325, |state: u64, token| {
            (state ^ u64::from(token.hash)).wrapping_mul(0x100_0000_01b3)
        })
}

struct Reader<'a> {
    folder: &'a Path,
    eyes: Eyes,
    digests: BTreeMap<String, String>,
}

/// Reads texts as the guard does.
pub(crate) struct Eyes(Scanner);

impl Default for Eyes {
    fn default() -> Self {
        let patterns = Arc::new(PatternsBuilder::default().build());
        Self(Scanner::new(patterns, ViewLimits::default()))
    }
}

impl Eyes {
    /// Calls `see` with every view of `text`.
    pub(crate) fn each(&self, text: &str, mut see: impl FnMut(&str)) {
        let read = self.0.read(Origin::User, text.as_bytes());
        read.views().for_each(|view| see(&view.text));
    }

    /// The tokens of every view, and which of the main view's lie in `places`, in bytes.
    pub(crate) fn tokens(
        &self,
        text: &str,
        places: &[(usize, usize)],
    ) -> (Vec<Token>, Vec<(usize, usize)>) {
        let read = self.0.read(Origin::User, text.as_bytes());
        let (mut tokens, mut spans) = (Vec::new(), Vec::new());
        for (number, view) in read.views().enumerate() {
            if number > 0 {
                tokens.extend([Token::GAP; GAP]);
            }
            let mut inside = vec![None; places.len()];
            words::for_each(&view.text, |word, range| {
                if tokens.len() >= LONGEST {
                    return;
                }
                let at = tokens.len();
                tokens.push(token(&word));
                if number == 0 && !places.is_empty() {
                    let original = view.span(range).as_range();
                    for (place, seen) in places.iter().zip(&mut inside) {
                        if original.start < place.1 && place.0 < original.end {
                            let (from, _) = seen.unwrap_or((at, at));
                            *seen = Some((from, at + 1));
                        }
                    }
                }
            });
            spans.extend(inside.into_iter().flatten());
        }
        (tokens, spans)
    }
}

/// The token of a word.
pub(crate) fn token(word: &words::Word<'_>) -> Token {
    let parts = word
        .parts(BUCKETS as u32)
        .map(|part| u16::try_from(part).unwrap_or(0));
    Token {
        hash: word.hash().max(1),
        parts,
    }
}

impl<'a> Reader<'a> {
    fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            eyes: Eyes::default(),
            digests: BTreeMap::new(),
        }
    }

    fn rows(&mut self, name: &str) -> Result<Vec<Row>> {
        let path = self.folder.join(name);
        let bytes = fs::read(&path)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read `{}`", path.display()))?;
        self.digests
            .insert(name.to_owned(), hex(&Sha256::digest(&bytes)));
        bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).into_diagnostic())
            .collect()
    }

    fn injection(&mut self, name: &str) -> Result<Vec<Example>> {
        let rows = self.rows(name)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let label = match row.label.as_str() {
                    "injection" => Label::Injection,
                    "jailbreak" => Label::Jailbreak,
                    "benign_hard" => Label::BenignHard,
                    _ => Label::Benign,
                };
                let (tokens, _) = self.eyes.tokens(&row.text, &[]);
                let harms = (label == Label::Benign).then_some([0; HARMS]);
                Example {
                    tokens,
                    label: Some(label),
                    harms,
                    source: if row.set.is_empty() {
                        row.source
                    } else {
                        row.set
                    },
                    lang: row.lang,
                    spans: Vec::new(),
                    text: row.text,
                }
            })
            .collect())
    }

    /// Letters, forms, and records in many languages: ordinary text.
    fn plain(&mut self, name: &str) -> Result<Vec<Example>> {
        let rows = self.rows(name)?;
        Ok(rows
            .into_iter()
            .map(|row: Row| Example {
                tokens: self.eyes.tokens(&row.text, &[]).0,
                label: Some(Label::Benign),
                harms: None,
                source: format!("pii_{}", row.source),
                lang: row.lang,
                spans: Vec::new(),
                text: row.text,
            })
            .collect())
    }

    fn documents(&mut self, name: &str) -> Result<Vec<Example>> {
        let rows = self.rows(name)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let injected = row.label == "injected";
                let places: Vec<(usize, usize)> = row
                    .spans
                    .iter()
                    .map(|place| {
                        (
                            byte_of(&row.text, place.start),
                            byte_of(&row.text, place.end),
                        )
                    })
                    .collect();
                let (tokens, spans) = self.eyes.tokens(&row.text, &places);
                let prefix = if injected { "embedded" } else { "doc" };
                Example {
                    tokens,
                    label: Some(if injected {
                        Label::Injection
                    } else {
                        Label::Benign
                    }),
                    harms: None,
                    source: format!("{prefix}_{}", row.source),
                    lang: row.lang,
                    spans,
                    text: row.text,
                }
            })
            .collect())
    }

    fn harm(&mut self, name: &str) -> Result<Vec<Example>> {
        let rows = self.rows(name)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let harms = harm::labels(
                    &row.source,
                    &row.label,
                    row.category.as_deref().unwrap_or(""),
                    row.categories.as_deref().unwrap_or(&[]),
                );
                let (tokens, _) = self.eyes.tokens(&row.text, &[]);
                Example {
                    tokens,
                    label: Some(Label::BenignHard),
                    harms: Some(harms),
                    source: row.source,
                    lang: if row.lang.is_empty() {
                        "en".into()
                    } else {
                        row.lang
                    },
                    spans: Vec::new(),
                    text: row.text,
                }
            })
            .collect())
    }
}

fn byte_of(text: &str, code_point: usize) -> usize {
    text.char_indices()
        .nth(code_point)
        .map_or(text.len(), |(at, _)| at)
}
