//! The texts to train and to measure on.

use std::{
    collections::{HashMap, HashSet},
    fs,
    ops::Range,
    path::Path,
};

use bartizan_text::names::{
    NameKind,
    gazetteer::listed,
    phrase::join,
    token::{self, SEED, identity, mix},
};
use miette::{IntoDiagnostic, WrapErr};
use serde::Deserialize;

/// How much the spans of a text say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Labelling {
    /// Whatever is not labelled is nothing.
    Full,
    /// People and addresses are labelled, places and organisations are not.
    PeopleAndAddresses,
    /// Ordinary text in which names may stand, unlabelled.
    None,
}

/// A text with the entities in it, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub(super) text: String,
    pub(super) spans: Vec<(Range<usize>, NameKind)>,
    pub(super) lang: String,
    pub(super) source: String,
    pub(super) labelling: Labelling,
    /// Hash of the text with its entities and digits blanked.
    pub(super) template: u32,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    #[serde(default)]
    spans: Vec<RowSpan>,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    variant: String,
}

#[derive(Deserialize)]
struct RowSpan {
    start: usize,
    end: usize,
    #[serde(default)]
    r#type: String,
}

fn rows(path: &Path) -> miette::Result<Vec<Row>> {
    let text = fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read `{}`", path.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).into_diagnostic())
        .collect()
}

/// The labelled texts of a file; offsets there are code points.
pub(super) fn labelled(path: &Path, labelling: Labelling) -> miette::Result<Vec<Example>> {
    Ok(rows(path)?
        .into_iter()
        .map(|row| example(row, labelling))
        .collect())
}

fn example(row: Row, labelling: Labelling) -> Example {
    let mut offsets: Vec<usize> = row.text.char_indices().map(|(at, _)| at).collect();
    offsets.push(row.text.len());
    let at = |index: usize| offsets.get(index).copied().unwrap_or(row.text.len());
    let spans: Vec<_> = row
        .spans
        .iter()
        .filter_map(|span| Some((at(span.start)..at(span.end), kind(&span.r#type)?)))
        .collect();
    let mut template = SEED;
    for (index, c) in row.text.chars().enumerate() {
        if !c.is_ascii_digit() && !row.spans.iter().any(|s| (s.start..s.end).contains(&index)) {
            template = mix(template, u32::from(c));
        }
    }
    Example {
        text: row.text,
        spans,
        lang: row.lang,
        source: row.source,
        labelling,
        template,
    }
}

fn kind(name: &str) -> Option<NameKind> {
    match name {
        "PERSON" => Some(NameKind::Person),
        "ADDRESS" => Some(NameKind::Address),
        "LOCATION" => Some(NameKind::Location),
        "ORGANIZATION" => Some(NameKind::Organization),
        _ => None,
    }
}

/// Whether `train --hold-out` leaves the example out.
pub(super) fn is_held_out(example: &Example) -> bool {
    example.template.wrapping_mul(0x9e37_79b1) >> 30 == 0
}

#[derive(Deserialize)]
struct SourceCard {
    licence_class: String,
}

/// Ordinary text. `shippable` keeps what weights that ship may be trained on: permissive,
/// attribution and own sources, see the decision record.
pub(super) fn ordinary(
    data: &Path,
    files: &[&str],
    shippable: bool,
) -> miette::Result<Vec<Example>> {
    let cards = fs::read_to_string(data.join("injection/sources.json")).into_diagnostic()?;
    let cards: HashMap<String, SourceCard> = serde_json::from_str(&cards).into_diagnostic()?;
    let allowed = |source: &str| {
        cards.get(source).is_some_and(|card| {
            matches!(
                card.licence_class.as_str(),
                "permissive" | "attribution" | "own"
            )
        })
    };
    let mut found = Vec::new();
    for file in files {
        for mut row in rows(&data.join(file))? {
            let benign = matches!(row.label.as_str(), "benign" | "benign_hard" | "clean");
            if benign && row.variant.is_empty() && (!shippable || allowed(&row.source)) {
                row.spans.clear();
                found.push(example(row, Labelling::None));
            }
        }
    }
    Ok(found)
}

/// The words of the gazetteer files, as identities and flags.
pub(super) fn gazetteer(directories: &[std::path::PathBuf]) -> miette::Result<Vec<(u32, u8)>> {
    let mut words: HashMap<u32, u8> = HashMap::new();
    for directory in directories {
        let text = fs::read_to_string(directory.join("gazetteer.tsv")).into_diagnostic()?;
        for line in text.lines() {
            let Some((word, flags)) = line.split_once('\t') else {
                continue;
            };
            let flags: u8 = flags.parse().into_diagnostic()?;
            let ideographs = token::next(word, 0).class == token::Class::Ideograph;
            let length = word.chars().count();
            let id = match (ideographs, length) {
                (false, _) => identity(word),
                (true, 1) => token::piece_identity(word, token::next(word, 0)),
                (true, 2 | 3) => join(word.chars().map(token::char_identity)),
                _ => continue,
            };
            *words.entry(id).or_default() |= flags;
        }
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_unstable();
    Ok(words)
}

/// Words that ordinary text writes small more often than not: no evidence of a name.
pub(super) fn everyday_words(texts: &[Example]) -> HashSet<u32> {
    let mut counts: HashMap<u32, (u32, u32)> = HashMap::new();
    for example in texts {
        let mut at = 0;
        let mut sentence_start = true;
        while at < example.text.len() {
            let piece = token::next(&example.text, at);
            at = piece.end.max(at + 1);
            if piece.class == token::Class::Word {
                let word = example.text.get(piece.start..piece.end).unwrap_or_default();
                let count = counts.entry(identity(word)).or_default();
                match token::word_shape(word) {
                    token::shape::LOWER => count.0 += 1,
                    token::shape::CAPITALISED if !sentence_start => count.1 += 1,
                    _ => {}
                }
            }
            sentence_start = piece.class != token::Class::Word && piece.first != ','
                || piece.class == token::Class::Break;
        }
    }
    counts
        .into_iter()
        .filter(|&(_, (small, capital))| small >= 5 && small > 2 * capital)
        .map(|(id, _)| id)
        .collect()
}

/// Whether a flag speaks of a name.
pub(super) const fn names_someone(flags: u8) -> bool {
    flags & (listed::FIRST | listed::LAST | listed::PLACE | listed::COUNTRY) != 0
}
