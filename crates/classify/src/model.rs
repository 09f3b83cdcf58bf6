use std::{borrow::Cow, fmt, ops::Range, sync::OnceLock};

use sha2::{Digest, Sha256};

use crate::{
    Calibration, Harm, HarmScore, ModelError, PROFILES, Profile, Scores, Thresholds,
    label::HARMS,
    reader::Reader,
    shape::{BLOCK, BUCKETS, FEATURES, FILTERS, HEADS, HIDDEN, MEAN, ROW, TAPS},
    weights::{CALIBRATED, GUARDED, HEADER, MAGIC, MOST_WORDS, VERSION, length},
    words,
};

/// The share of unknown words, in `[0, 1]`, from which on a window is doubted.
const CREDIT: f32 = 0.4;
/// What each further share costs, in units of log-odds: a window without a known word loses 3.6.
/// Chosen on encyclopaedic text in twelve languages and on dev; English loses nothing.
const DOUBT: f32 = 6.0;

static EMBEDDED: &[u8] = include_bytes!("../../../models/classifier.weights");

/// Weights, ready to be asked.
///
/// The rows stay where they are stored; loading checks the digest and copies the small layers.
pub struct Model {
    digest: [u8; 32],
    table: Table,
    bytes: Cow<'static, [u8]>,
    rows: Range<usize>,
    steps: [f32; FEATURES],
    bias: [f32; FILTERS],
    first: Vec<[f32; HIDDEN]>,
    first_bias: [f32; HIDDEN],
    second: Vec<[f32; HEADS]>,
    second_bias: [f32; HEADS],
    calibrations: [Calibration; CALIBRATED],
    thresholds: [[Thresholds; GUARDED]; PROFILES],
}

impl Model {
    /// The weights in the binary, taken apart on first use.
    ///
    /// Their digest is not computed again: they are as whole as the program around them, and a test
    /// of this crate loads the same file.
    ///
    /// # Errors
    /// When they are broken, which that test excludes.
    pub fn embedded() -> Result<&'static Self, ModelError> {
        static MODEL: OnceLock<Result<Model, ModelError>> = OnceLock::new();
        MODEL
            .get_or_init(|| Self::read(Cow::Borrowed(EMBEDDED)))
            .as_ref()
            .map_err(|error| *error)
    }

    /// Weights that [`crate::Weights::encode`] made.
    ///
    /// # Errors
    /// When they are cut short, changed, or of another version.
    pub fn load(bytes: Vec<u8>) -> Result<Self, ModelError> {
        let (digest, payload) = bytes
            .get(HEADER - 32..)
            .and_then(<[u8]>::split_first_chunk::<32>)
            .ok_or(ModelError::Header { version: VERSION })?;
        let is_whole = Sha256::digest(payload).as_slice() == digest.as_slice();
        let model = Self::read(Cow::Owned(bytes))?;
        is_whole.then_some(model).ok_or(ModelError::Digest)
    }

    fn read(bytes: Cow<'static, [u8]>) -> Result<Self, ModelError> {
        let header = ModelError::Header { version: VERSION };
        let mut reader = Reader(&bytes);
        let magic = reader.bytes(MAGIC.len()).map_err(|_| header)?;
        if magic != MAGIC || reader.word()? != VERSION {
            return Err(header);
        }
        let words = usize::try_from(reader.word()?).map_err(|_| header)?;
        if words > MOST_WORDS {
            return Err(header);
        }
        let expected = length(words);
        if bytes.len() != expected {
            return Err(ModelError::Length {
                actual: bytes.len(),
                expected,
            });
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(reader.bytes(32)?);
        let table = Table::new(reader.bytes(words * 4)?);
        let start = HEADER + words * 4;
        let rows = start..start + (words + BUCKETS) * ROW;
        reader.bytes(rows.len())?;
        let (steps, bias) = (reader.numbers()?, reader.numbers()?);
        let (first, first_bias) = (reader.table(FEATURES)?, reader.numbers()?);
        let (second, second_bias) = (reader.table(HIDDEN)?, reader.numbers()?);
        let mut calibrations = [Calibration {
            slope: 1.0,
            offset: 0.0,
        }; CALIBRATED];
        for calibration in &mut calibrations {
            let [slope, offset] = reader.numbers()?;
            if slope <= 0.0 {
                return Err(ModelError::Number);
            }
            *calibration = Calibration { slope, offset };
        }
        let mut thresholds = [[Thresholds {
            flag: 0.5,
            ask: 0.5,
            block: 0.5,
        }; GUARDED]; PROFILES];
        for thresholds in thresholds.iter_mut().flatten() {
            let [flag, ask, block] = reader.numbers()?;
            *thresholds = Thresholds { flag, ask, block };
            if !thresholds.is_ordered() {
                return Err(ModelError::Number);
            }
        }
        Ok(Self {
            digest,
            table,
            rows,
            steps,
            bias,
            first,
            first_bias,
            second,
            second_bias,
            calibrations,
            thresholds,
            bytes,
        })
    }

    /// The first 8 bytes of the SHA-256 of the weights, in hexadecimal: their version.
    #[must_use]
    pub fn version(&self) -> String {
        let digest = self.digest.iter().take(8);
        digest.map(|byte| format!("{byte:02x}")).collect()
    }

    /// From which probability on an attack is heard, doubted, and believed.
    #[must_use]
    pub fn attack_thresholds(&self, profile: Profile) -> Thresholds {
        let [strict, balanced, permissive] = &self.thresholds;
        let [attack, ..] = match profile {
            Profile::Strict => strict,
            Profile::Balanced => balanced,
            Profile::Permissive => permissive,
        };
        *attack
    }

    /// From which probability on a kind of harm is heard, doubted, and believed.
    #[must_use]
    pub fn harm_thresholds(&self, profile: Profile, harm: Harm) -> Thresholds {
        self.thresholds
            .get(profile as usize)
            .and_then(|heads| heads.get(1 + harm as usize))
            .copied()
            .unwrap_or_else(|| self.attack_thresholds(profile))
    }

    /// What the worst windows of `text` say. `text` is the folded view that rules see, too.
    #[must_use]
    pub fn scores(&self, text: &str) -> Scores {
        let raw = self.sums(text);
        let [attack, jailbreak, harms @ ..] = &self.calibrations;
        Scores {
            attack: if raw.windows == 0 {
                0.0
            } else {
                attack.probability(raw.attack.0)
            },
            jailbreak: jailbreak.probability(raw.kind),
            span: raw.attack.1,
            harms: Harm::ALL
                .into_iter()
                .zip(raw.harms)
                .zip(harms)
                .map(|((harm, (sum, span)), calibration)| HarmScore {
                    harm,
                    probability: if raw.windows == 0 {
                        0.0
                    } else {
                        calibration.probability(sum)
                    },
                    span,
                })
                .collect(),
            windows: raw.windows,
        }
    }

    /// The sums of the heads before calibration, for the trainer: of an attack, of a jailbreak
    /// among attacks, and of each harm.
    #[must_use]
    pub fn raw(&self, text: &str) -> (f32, f32, [f32; HARMS]) {
        let sums = self.sums(text);
        (sums.attack.0, sums.kind, sums.harms.map(|(sum, _)| sum))
    }

    fn sums(&self, text: &str) -> Sums {
        let mut walk = Walk::new(self);
        words::for_each(text, |word, range| {
            let known = self.table.get(word.hash());
            walk.begin(&range);
            match known {
                Some(row) => walk.add(self.row(row)),
                None => {
                    walk.is_unknown();
                    for part in word.parts(BUCKETS as u32) {
                        walk.add(self.row(self.table.words + part as usize));
                    }
                }
            }
            walk.end(range.end);
        });
        walk.finish()
    }

    fn row(&self, at: usize) -> &[u8] {
        let start = self.rows.start + at * ROW;
        self.bytes.get(start..start + ROW).unwrap_or_default()
    }

    fn heads(&self, block: &Block) -> [f32; HEADS] {
        let mut hidden = self.first_bias;
        let words = block.words.max(1) as f32;
        let strongest = block
            .strongest
            .iter()
            .zip(&self.steps)
            .zip(&self.bias)
            .map(|((sum, step), bias)| (f32::from(*sum) * step + bias).max(0.0));
        let means = block
            .means
            .iter()
            .zip(self.steps.iter().skip(FILTERS))
            .map(|(sum, step)| *sum as f32 * step / words);
        for (feature, weights) in strongest.chain(means).zip(&self.first) {
            for (unit, weight) in hidden.iter_mut().zip(weights) {
                *unit += feature * weight;
            }
        }
        let mut heads = self.second_bias;
        for (unit, weights) in hidden.iter().zip(&self.second) {
            let unit = unit.max(0.0);
            for (head, weight) in heads.iter_mut().zip(weights) {
                *head += unit * weight;
            }
        }
        heads
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("version", &self.version())
            .field("words", &self.table.words)
            .finish_non_exhaustive()
    }
}

/// Where the row of each word stands: open addressing over hashes.
struct Table {
    words: usize,
    /// A hash and its row; the row of an empty slot is `u32::MAX`.
    slots: Vec<(u32, u32)>,
}

impl Table {
    fn new(hashes: &[u8]) -> Self {
        let (hashes, _) = hashes.as_chunks::<4>();
        let size = (hashes.len() * 3).next_power_of_two().max(2);
        let mut table = Self {
            words: hashes.len(),
            slots: vec![(0, u32::MAX); size],
        };
        for (row, hash) in (0..).zip(hashes) {
            let hash = u32::from_le_bytes(*hash);
            let mut at = hash as usize;
            // Ends: at most a third of the slots is taken.
            while let Some(slot) = table.slots.get_mut(at & (size - 1)) {
                if slot.1 == u32::MAX {
                    *slot = (hash, row);
                    break;
                }
                at = at.wrapping_add(1);
            }
        }
        table
    }

    fn get(&self, hash: u32) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize;
        loop {
            let (known, row) = *self.slots.get(at & mask)?;
            if row == u32::MAX {
                return None;
            }
            if known == hash {
                return Some(row as usize);
            }
            at = at.wrapping_add(1);
        }
    }
}

/// The worst sums over the windows of a text.
struct Sums {
    attack: (f32, Range<usize>),
    kind: f32,
    harms: [(f32, Range<usize>); HARMS],
    windows: usize,
}

/// Half a window.
#[derive(Clone)]
struct Block {
    strongest: [i16; FILTERS],
    means: [i32; MEAN],
    words: u32,
    /// Words that the vocabulary does not hold.
    unknown: u32,
    span: Range<usize>,
}

impl Block {
    const fn new() -> Self {
        Self {
            strongest: [i16::MIN; FILTERS],
            means: [0; MEAN],
            words: 0,
            unknown: 0,
            span: 0..0,
        }
    }

    /// What is taken off the log-odds of an attack where few words are known: what the parts of
    /// unknown words seem to say is mostly chance, and whole languages would be mistaken.
    fn doubt(&self) -> f32 {
        let unknown = self.unknown as f32 / self.words.max(1) as f32;
        DOUBT * (unknown - CREDIT).max(0.0)
    }

    /// This block and the next.
    fn with(&self, next: &Self) -> Self {
        let mut both = self.clone();
        for (a, b) in both.strongest.iter_mut().zip(&next.strongest) {
            *a = (*a).max(*b);
        }
        for (a, b) in both.means.iter_mut().zip(&next.means) {
            *a += b;
        }
        both.words += next.words;
        both.unknown += next.unknown;
        both.span.end = next.span.end;
        both
    }
}

/// One pass over the words of a text.
///
/// A filter sees `TAPS` words, so its answer at a word is complete `TAPS / 2` words later: the sums
/// of that many words are under way, and a block is complete as many words after its last one.
struct Walk<'m> {
    model: &'m Model,
    /// Sums of the words from `TAPS / 2` before the current one on, in a ring.
    ring: [[i16; FILTERS]; TAPS],
    /// Words begun.
    words: usize,
    /// Words whose answers are complete.
    answered: usize,
    current: Block,
    /// Blocks whose words are known but not all answers: at most two.
    before: Option<Block>,
    /// Words and means of the blocks under way, oldest first.
    open: Vec<Block>,
    sums: Sums,
}

impl<'m> Walk<'m> {
    fn new(model: &'m Model) -> Self {
        Self {
            model,
            ring: [[0; FILTERS]; TAPS],
            words: 0,
            answered: 0,
            current: Block::new(),
            before: None,
            open: Vec::with_capacity(2),
            sums: Sums {
                attack: (f32::MIN, 0..0),
                kind: 0.0,
                harms: std::array::from_fn(|_| (f32::MIN, 0..0)),
                windows: 0,
            },
        }
    }

    fn begin(&mut self, range: &Range<usize>) {
        if self.words.is_multiple_of(BLOCK) {
            let mut block = Block::new();
            block.span = range.clone();
            self.open.push(block);
        }
    }

    /// The vocabulary does not hold the current word.
    fn is_unknown(&mut self) {
        if let Some(block) = self.open.last_mut() {
            block.unknown += 1;
        }
    }

    /// Adds a row of the current word.
    fn add(&mut self, row: &[u8]) {
        let (taps, means) = row.split_at_checked(TAPS * FILTERS).unwrap_or_default();
        // Tap `j` of a word speaks in the answer at the word `TAPS / 2 - j` later.
        for (tap, shares) in taps.chunks_exact(FILTERS).enumerate() {
            // There is no word before the first one.
            if self.words + TAPS / 2 < tap {
                break;
            }
            let slot = (self.words + TAPS + TAPS / 2 - tap) % TAPS;
            if let Some(sums) = self.ring.get_mut(slot) {
                // At most 5 taps of 3 rows of 128 meet in a sum, so nothing wraps; a check for it
                // would keep the loop from being done sixteen bytes at a time.
                for (sum, share) in sums.iter_mut().zip(shares) {
                    *sum = sum.wrapping_add(i16::from(share.cast_signed()));
                }
            }
        }
        if let Some(block) = self.open.last_mut() {
            for (sum, share) in block.means.iter_mut().zip(means) {
                // At most 24 words of 3 rows of 128.
                *sum = sum.wrapping_add(i32::from(share.cast_signed()));
            }
        }
    }

    fn end(&mut self, end: usize) {
        if let Some(block) = self.open.last_mut() {
            block.words += 1;
            block.span.end = end;
        }
        self.words += 1;
        if self.words > TAPS / 2 {
            self.answer();
        }
    }

    /// Takes the answers at the oldest word that has none.
    fn answer(&mut self) {
        let slot = self.answered % TAPS;
        let Some(sums) = self.ring.get_mut(slot) else {
            return;
        };
        for (most, sum) in self.current.strongest.iter_mut().zip(sums.iter()) {
            *most = (*most).max(*sum);
        }
        *sums = [0; FILTERS];
        self.answered += 1;
        if self.answered.is_multiple_of(BLOCK) {
            self.close();
        }
    }

    /// The oldest open block is complete.
    fn close(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let mut block = self.open.remove(0);
        block.strongest = std::mem::replace(&mut self.current, Block::new()).strongest;
        if let Some(before) = &self.before {
            let window = before.with(&block);
            self.look(&window);
        }
        self.before = Some(block);
    }

    fn look(&mut self, window: &Block) {
        let heads = self.model.heads(window);
        let [benign, injection, jailbreak, harms @ ..] = &heads;
        let attack = log_add(*injection, *jailbreak) - benign - window.doubt();
        self.sums.windows += 1;
        if attack > self.sums.attack.0 {
            self.sums.attack = (attack, window.span.clone());
            self.sums.kind = jailbreak - injection;
        }
        for (worst, sum) in self.sums.harms.iter_mut().zip(harms) {
            if *sum > worst.0 {
                *worst = (*sum, window.span.clone());
            }
        }
    }

    fn finish(mut self) -> Sums {
        while self.answered < self.words {
            self.answer();
        }
        if !self.open.is_empty() {
            self.close();
        }
        // A text of one block is one window.
        if self.sums.windows == 0
            && let Some(block) = self.before.take()
        {
            self.look(&block);
        }
        self.sums
    }
}

/// `ln(exp(a) + exp(b))`.
fn log_add(a: f32, b: f32) -> f32 {
    let most = a.max(b);
    most + (1.0 + (a.min(b) - most).exp()).ln()
}

#[cfg(test)]
mod tests;
