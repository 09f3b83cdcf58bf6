use std::{collections::BTreeMap, fs, ops::Range, path::Path};

use bartizan_core::Category;
use tokenizers::Tokenizer;

use crate::{
    LoadError, Meaning, Meanings,
    config::Config,
    model::{Model, softmax},
    tensors::Tensors,
};

/// Most bytes of `model.safetensors`: four times the largest published classifier of these kinds.
const MOST_WEIGHTS: u64 = 8 << 30;
/// Most bytes of the other files.
const MOST_WORDS: u64 = 256 << 20;
/// Tokens by which windows overlap, at most: a fourth of a window if that is less.
const OVERLAP: usize = 64;
/// Bytes that are made tokens of in one go, for each token of a window. Words are shorter; what is
/// cut in two at the edge of a piece lies whole in an overlap.
const BYTES_PER_TOKEN: usize = 16;

/// A classifier out of a folder.
///
/// Its answers do not depend on the number of threads, and it may be asked from several at once.
pub struct Transformer {
    tokenizer: Tokenizer,
    model: Model,
    meanings: Meanings,
    /// Tokens of a window, without those that the tokenizer adds.
    window: usize,
}

/// What a classifier says of one window of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// The logits, in the order of the labels.
    pub logits: Vec<f32>,
    /// The probabilities of the meanings.
    pub scores: Scores,
}

/// Probabilities that a text is more than ordinary, 0 to 1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Overrides instructions.
    pub injection: f32,
    /// Switches the model's safety policy off.
    pub jailbreak: f32,
    /// Harmful to people.
    pub harm: f32,
}

impl Transformer {
    /// Reads `config.json`, `tokenizer.json`, and `model.safetensors` of `folder`. `said` says what
    /// labels mean where their names do not, and `max_tokens` bounds a window, 16 or more.
    ///
    /// # Errors
    /// When a file cannot be read, asks for another architecture, or does not fit the others.
    pub fn load(
        folder: &Path,
        said: &BTreeMap<String, Meaning>,
        max_tokens: usize,
    ) -> Result<Self, LoadError> {
        let config = Config::read(&read(folder, "config.json", MOST_WORDS)?)?;
        let words = read(folder, "tokenizer.json", MOST_WORDS)?;
        let mut tokenizer = Tokenizer::from_bytes(&words).map_err(|_| LoadError::Tokenizer)?;
        // Windows are ours to cut.
        tokenizer
            .with_truncation(None)
            .map_err(|_| LoadError::Tokenizer)?
            .with_padding(None);
        let meanings = Meanings::of(&config.labels, said)?;
        let bytes = read(folder, "model.safetensors", MOST_WEIGHTS)?;
        let model = Model::read(config, Tensors::read(&bytes)?)?;
        drop(bytes);
        let added = tokenizer
            .encode_fast("", true)
            .map_err(|_| LoadError::Tokenizer)?
            .len();
        let window = model.most_tokens().min(max_tokens).saturating_sub(added);
        if window == 0 {
            return Err(LoadError::Config("it has no room for a token".into()));
        }
        Ok(Self {
            tokenizer,
            model,
            meanings,
            window,
        })
    }

    /// The labels in the order of the logits.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.model.config().labels
    }

    /// Whether one of its labels is about texts of that category.
    pub(crate) fn can_say(&self, category: Category) -> bool {
        self.meanings.know(match category {
            Category::Injection => Meaning::Injection,
            Category::Jailbreak => Meaning::Jailbreak,
            _ => Meaning::Harm,
        })
    }

    /// The overlapping windows into which `text` is cut, in bytes; `most` at most, and whether that
    /// is all of it. A text that fits is one window.
    #[must_use]
    pub fn cut(&self, text: &str, most: usize) -> (Vec<Range<usize>>, bool) {
        let overlap = OVERLAP.min(self.window / 4);
        let mut windows = Vec::new();
        let mut start = 0;
        while windows.len() < most {
            let piece_end = text.floor_char_boundary(start + self.window * BYTES_PER_TOKEN);
            let Some(piece) = text.get(start..piece_end) else {
                return (windows, true);
            };
            let Ok(tokens) = self.tokenizer.encode(piece, false) else {
                return (windows, false);
            };
            let offsets = tokens.get_offsets();
            let last = offsets.get(..self.window).and_then(<[_]>::last);
            let Some((_, end)) = last.filter(|_| offsets.len() > self.window) else {
                windows.push(start..piece_end);
                if piece_end == text.len() {
                    return (windows, true);
                }
                // A piece of few, long tokens: the next begins before its end.
                let back = offsets.len().saturating_sub(overlap);
                let next = offsets.get(back).map_or(piece.len(), |(at, _)| *at);
                start += if next > 0 { next } else { piece.len() };
                continue;
            };
            windows.push(start..start + end);
            let back = self.window - overlap;
            let next = offsets.get(back).map_or(*end, |(at, _)| *at);
            start = text.floor_char_boundary(start + if next > 0 { next } else { *end });
        }
        (windows, false)
    }

    /// What the classifier says of `text`, of which as much is read as fits a window; `None` when
    /// the tokenizer cannot read it.
    #[must_use]
    pub fn ask(&self, text: &str) -> Option<(Vec<f32>, Scores)> {
        let encoded = self.tokenizer.encode_fast(text, true).ok()?;
        let ids = encoded.get_ids();
        let ids = ids.get(..self.model.most_tokens()).unwrap_or(ids);
        if ids.is_empty() {
            return None;
        }
        let logits = self.model.logits(ids);
        let probabilities = softmax(logits.view());
        let of = |meaning| self.meanings.sum(&probabilities, meaning);
        let scores = Scores {
            injection: of(Meaning::Injection),
            jailbreak: of(Meaning::Jailbreak),
            harm: of(Meaning::Harm),
        };
        // Weights that are no numbers must not read as ordinary text.
        logits
            .iter()
            .all(|logit| logit.is_finite())
            .then(|| (logits.to_vec(), scores))
    }

    /// Every window of `text`, `most` at most, and whether that is all of it.
    #[must_use]
    pub fn windows(&self, text: &str, most: usize) -> (Vec<Window>, bool) {
        let (spans, mut is_all) = self.cut(text, most);
        let mut windows = Vec::with_capacity(spans.len());
        for span in spans {
            match text.get(span.clone()).and_then(|part| self.ask(part)) {
                Some((logits, scores)) => windows.push(Window {
                    span,
                    logits,
                    scores,
                }),
                None => is_all = false,
            }
        }
        (windows, is_all)
    }
}

impl std::fmt::Debug for Transformer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transformer")
            .field("labels", &self.labels())
            .finish_non_exhaustive()
    }
}

fn read(folder: &Path, name: &str, most: u64) -> Result<Vec<u8>, LoadError> {
    let path = folder.join(name);
    let bytes = fs::metadata(&path).map(|file| file.len());
    match bytes {
        Ok(bytes) if bytes > most => Err(LoadError::TooLarge { path, bytes, most }),
        Ok(_) => fs::read(&path).map_err(|source| LoadError::Io { path, source }),
        Err(source) => Err(LoadError::Io { path, source }),
    }
}
