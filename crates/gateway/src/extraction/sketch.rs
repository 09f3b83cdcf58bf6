//! What is kept of a query: enough to tell near copies, not enough to tell what it said.

/// Bins of a text's sketch.
const BINS: usize = 64;
/// Bytes of a text that are looked at.
const MOST_BYTES: usize = 8 << 10;
/// Characters in a shingle.
const SHINGLE: usize = 5;
/// Bits of a character that a shingle keeps: those that tell the letters of one script apart.
const CHARACTER_BITS: u32 = 12;
const CHARACTER: u64 = (1 << CHARACTER_BITS) - 1;
const WHOLE_SHINGLE: u64 = (1 << (CHARACTER_BITS * SHINGLE as u32)) - 1;
/// Numbers of a text that are compared.
const MOST_NUMBERS: usize = 8;

/// A text as MinHash with one permutation (Li, Owen, Zhang: "One Permutation Hashing", 2012), cut to
/// eight bits a bin (Li, König: "b-Bit Minwise Hashing", 2010). 80 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextSketch {
    /// 0 for a bin in which no shingle fell.
    bins: [u8; BINS],
    /// The text without case, spacing, and punctuation.
    pub(super) exact: u64,
}

/// The text's frame and the numbers in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    /// The text with every number replaced.
    pub(super) frame: u64,
    /// The numbers, as far as they are compared.
    pub(super) numbers: Vec<f64>,
}

impl TextSketch {
    pub(super) fn of(text: &str) -> Self {
        let mut least = [u64::MAX; BINS];
        let mut shingle = 0_u64;
        let mut exact = OFFSET;
        let mut count = 0_usize;
        for character in letters(text) {
            exact = step(exact, u64::from(character));
            shingle =
                (shingle << CHARACTER_BITS | u64::from(character) & CHARACTER) & WHOLE_SHINGLE;
            count += 1;
            if count >= SHINGLE {
                put(&mut least, shingle);
            }
        }
        if (1..SHINGLE).contains(&count) {
            put(&mut least, shingle);
        }
        let bins = least.map(|hash| {
            if hash == u64::MAX {
                0
            } else {
                // From 1, since 0 says that nothing is there.
                (hash % 255) as u8 + 1
            }
        });
        Self { bins, exact }
    }

    /// An estimate of the Jaccard similarity of the two texts' shingles, 0 to 1.
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        // 64 bins: a byte counts them, which lets the compiler take sixteen at a time.
        let (mut either, mut same) = (0_u8, 0_u8);
        for (a, b) in self.bins.iter().zip(&other.bins) {
            either += u8::from(a | b != 0);
            same += u8::from((a == b) & (*a != 0));
        }
        if either == 0 {
            return 1.0;
        }
        f64::from(same) / f64::from(either)
    }
}

fn put(least: &mut [u64; BINS], shingle: u64) {
    let hash = mix(shingle);
    let bin = (hash >> 58) as usize;
    if let Some(slot) = least.get_mut(bin) {
        *slot = (*slot).min(hash & ((1 << 58) - 1));
    }
}

/// Letters and digits, those of ASCII in lower case.
fn letters(text: &str) -> impl Iterator<Item = u32> {
    let end = text.floor_char_boundary(MOST_BYTES);
    let text = text.get(..end).unwrap_or_default();
    text.chars().filter_map(|c| match c {
        'a'..='z' | '0'..='9' => Some(u32::from(c)),
        'A'..='Z' => Some(u32::from(c) | 0x20),
        '\0'..='\x7f' => None,
        _ => c.is_alphanumeric().then_some(u32::from(c)),
    })
}

impl Template {
    /// The frame of a text that holds a number.
    pub(super) fn of(text: &str) -> Option<Self> {
        let end = text.floor_char_boundary(MOST_BYTES);
        let bytes = text.get(..end)?.as_bytes();
        if !bytes
            .iter()
            .fold(false, |has, byte| has | byte.is_ascii_digit())
        {
            return None;
        }
        let mut frame = OFFSET;
        let mut numbers = Vec::new();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if !byte.is_ascii_digit() {
                frame = step(frame, u64::from(byte.to_ascii_lowercase()));
                at += 1;
                continue;
            }
            let is_part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
            let length = bytes.get(at..)?.iter().take_while(is_part).count();
            let digits = std::str::from_utf8(bytes.get(at..at + length)?).ok()?;
            let value = digits.trim_end_matches('.').parse::<f64>().unwrap_or(0.0);
            let is_negative = at > 0 && bytes.get(at - 1) == Some(&b'-');
            if numbers.len() < MOST_NUMBERS {
                numbers.push(if is_negative { -value } else { value });
            }
            frame = step(frame, 0x100);
            at += length;
        }
        (!numbers.is_empty()).then_some(Self { frame, numbers })
    }
}

/// FNV-1a over wider words.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

const fn step(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x100_0000_01b3)
}

/// The finaliser of SplitMix64.
const fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Dimensions of a row's sketch.
pub(super) const DIMENSIONS: usize = 16;

/// A row of numbers, folded to a few dimensions by signed sums (Charikar, Chen, Farach-Colton:
/// "Finding Frequent Items in Data Streams", 2002), so that near rows stay near.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowSketch {
    pub(super) folded: [f32; DIMENSIONS],
    /// Values in the row.
    pub(super) width: usize,
}

impl RowSketch {
    pub(super) fn of(values: &[f64]) -> Self {
        let mut folded = [0.0_f32; DIMENSIONS];
        for (at, &value) in values.iter().enumerate() {
            let (bin, sign) = if values.len() <= DIMENSIONS {
                (at, 1.0)
            } else {
                let hash = mix(at as u64);
                (
                    hash as usize % DIMENSIONS,
                    if hash >> 63 == 0 { 1.0 } else { -1.0 },
                )
            };
            if let Some(slot) = folded.get_mut(bin) {
                *slot += sign * value as f32;
            }
        }
        Self {
            folded,
            width: values.len(),
        }
    }

    /// Dimensions that hold something.
    pub(super) fn dimensions(&self) -> usize {
        self.width.clamp(1, DIMENSIONS)
    }

    /// The root of the mean squared difference per dimension, in standard deviations of `scale`.
    pub(super) fn distance(&self, other: &Self, scale: &Scale) -> f64 {
        let dimensions = self.dimensions();
        let sum: f64 = self
            .folded
            .iter()
            .zip(&other.folded)
            .zip(scale.deviations())
            .take(dimensions)
            .map(|((a, b), deviation)| {
                let difference = f64::from(a - b);
                if difference == 0.0 {
                    0.0
                } else {
                    (difference / deviation.max(1e-12)).powi(2)
                }
            })
            .sum();
        (sum / dimensions as f64).sqrt()
    }
}

/// How all rows that a model was asked about are spread (Welford, "Note on a Method for Calculating
/// Corrected Sums of Squares and Products", 1962).
#[derive(Clone, Debug, Default)]
pub(super) struct Scale {
    count: f64,
    mean: [f64; DIMENSIONS],
    squares: [f64; DIMENSIONS],
}

impl Scale {
    pub(super) fn see(&mut self, row: &RowSketch) {
        self.count += 1.0;
        let dimensions = self.mean.iter_mut().zip(&mut self.squares);
        for ((mean, squares), value) in dimensions.zip(row.folded) {
            let value = f64::from(value);
            if value.is_finite() {
                let before = value - *mean;
                *mean += before / self.count;
                *squares += before * (value - *mean);
            }
        }
    }

    fn deviations(&self) -> impl Iterator<Item = f64> {
        let count = self.count.max(1.0);
        self.squares.iter().map(move |sum| (sum / count).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f64 {
        TextSketch::of(a).similarity(&TextSketch::of(b))
    }

    #[test]
    fn near_texts_are_near() {
        let text = "the quick brown fox jumps over the lazy dog while the cat looks on from the \
            window and the children play in the garden behind the old house on the hill";
        assert_eq!(similarity(text, text), 1.0);
        assert_eq!(similarity(text, &text.to_uppercase()), 1.0);
        assert!(similarity(text, &text.replace("lazy", "idle")) > 0.8);
        assert!(similarity(text, "what is the weather in Paris tomorrow?") < 0.2);
        assert_eq!(similarity("", ""), 1.0);
        assert_eq!(similarity("", "abcdef"), 0.0);
        assert_eq!(TextSketch::of("A  b!").exact, TextSketch::of("ab").exact);
        assert_ne!(TextSketch::of("ab").exact, TextSketch::of("ba").exact);
    }

    #[test]
    fn frames_and_numbers() {
        let one = Template::of("Price of a 12.5 year old car with -3 doors.").unwrap();
        let two = Template::of("Price of a 7 year old car with -4 doors.").unwrap();
        assert_eq!(one.frame, two.frame);
        assert_eq!(one.numbers, [12.5, -3.0]);
        assert_eq!(Template::of("no number"), None);
        assert_eq!(Template::of("1.2.3").unwrap().numbers, [0.0]);
    }

    #[test]
    fn distances_are_in_deviations() {
        let mut scale = Scale::default();
        for at in 0..1_000 {
            let t = f64::from(at);
            scale.see(&RowSketch::of(&[t.sin() * 100.0, (t * 0.7).sin()]));
        }
        let row = |a, b| RowSketch::of(&[a, b]);
        let near = row(1.0, 0.5).distance(&row(2.0, 0.5), &scale);
        let far = row(1.0, 0.5).distance(&row(1.0, -0.5), &scale);
        assert!(near < 0.02 && far > 0.5, "{near} {far}");
    }
}
