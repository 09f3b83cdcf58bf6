//! Chunks that stand where no honest chunk stands: near everything, or near nothing.
//!
//! A *query magnet* is made so that it is retrieved for as many questions as possible. In the
//! language of nearest neighbours it is a hub: it is among the `k` nearest of far more points than
//! `k` (Radovanović, Nanopoulos, Ivanović 2010, "Hubs in Space", section 2: `N_k`). An *outlier* is
//! far from the middle of the collection, by the modified z-score (Iglewicz and Hoaglin 1993:
//! `0.6745 (x - median) / MAD`, suspicious above 3.5).

use std::borrow::Cow;

use bartizan_core::{Category, CheckError, Confidence, Layer, Rule, Severity};
use bartizan_guard::JudgedPart;

use crate::{
    admission::Chunk,
    telling::{Teller, Told},
};

/// What looking at a collection may cost, and what is suspicious.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmbeddingLimits {
    /// Vectors of one collection.
    pub max_vectors: usize,
    /// Numbers in one vector.
    pub max_dimensions: usize,
    /// Questions that are asked: the given ones, or chunks taken at even steps.
    pub max_queries: usize,
    /// Least neighbours of each question; a twentieth of the collection if that is more, since a
    /// magnet comes next after the chunks that the question is really about.
    pub neighbours: usize,
    /// Modified z-score above which a chunk is reported.
    pub threshold: f32,
}

impl Default for EmbeddingLimits {
    /// 1,000,000 vectors of 8,192 numbers, 2,000 questions of 10 neighbours or more, 3.5.
    fn default() -> Self {
        Self {
            max_vectors: 1_000_000,
            max_dimensions: 8192,
            max_queries: 2000,
            neighbours: 10,
            threshold: 3.5,
        }
    }
}

/// How many times more often than by chance a magnet is retrieved.
const MAGNET_LIFT: f32 = 6.0;

/// What was seen of one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Its number in the collection.
    pub number: usize,
    /// Of how many questions it is among the nearest chunks.
    pub occurrences: u32,
    /// How often that is the number that chance would give it.
    pub lift: f32,
    /// Modified z-score of the occurrences.
    pub magnet_score: f32,
    /// Modified z-score of the distance from the middle of the collection.
    pub outlier_score: f32,
}

/// Vectors cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// There are too few to say what is ordinary.
    #[error("{0} vectors are too few, at least 20 are needed")]
    TooFew(usize),
    /// There are too many, or they are too long.
    #[error("limit `{0}` reached")]
    TooMany(&'static str),
    /// One differs in length, is all zeros, or holds what is no number.
    #[error(
        "vector {number} has another length than the first, is zero, or holds what is no number"
    )]
    Malformed {
        /// Its number, from 0; questions count on from the chunks.
        number: usize,
    },
}

/// Where every chunk stands among the others, those nearest to everything first.
///
/// Memory is a copy of the collection; time is chunks times questions times dimensions.
///
/// # Errors
/// When the vectors cannot be compared, or a limit is reached.
pub fn standings(
    vectors: &[Vec<f32>],
    queries: &[Vec<f32>],
    limits: &EmbeddingLimits,
) -> Result<Vec<Standing>, EmbeddingError> {
    let dimensions = vectors.first().map_or(0, Vec::len);
    if vectors.len() < 20 {
        return Err(EmbeddingError::TooFew(vectors.len()));
    }
    if vectors.len() > limits.max_vectors {
        return Err(EmbeddingError::TooMany("max-vectors"));
    }
    if dimensions > limits.max_dimensions {
        return Err(EmbeddingError::TooMany("max-dimensions"));
    }
    let unit = |(number, vector): (usize, &Vec<f32>)| {
        unit(vector, dimensions).ok_or(EmbeddingError::Malformed { number })
    };
    let units: Vec<Vec<f32>> = vectors
        .iter()
        .enumerate()
        .map(unit)
        .collect::<Result<_, _>>()?;
    let mut occurrences = vec![0_u32; units.len()];
    let asked: Vec<(Option<usize>, Vec<f32>)> = if queries.is_empty() {
        let step = units.len().div_ceil(limits.max_queries.max(1));
        let chosen = units.iter().enumerate().step_by(step.max(1));
        chosen
            .map(|(at, vector)| (Some(at), vector.clone()))
            .collect()
    } else {
        let queries = queries.iter().enumerate().take(limits.max_queries);
        queries
            .map(|(at, query)| Ok((None, unit((vectors.len() + at, query))?)))
            .collect::<Result<_, EmbeddingError>>()?
    };
    let neighbours = limits.neighbours.max(units.len() / 20);
    let expected = (asked.len() * neighbours) as f32 / units.len() as f32;
    for (own, query) in &asked {
        for number in nearest(&units, query, *own, neighbours) {
            if let Some(count) = occurrences.get_mut(number) {
                *count = count.saturating_add(1);
            }
        }
    }
    let middle = mean(&units, dimensions);
    let distances: Vec<f32> = units
        .iter()
        .map(|vector| 1.0 - dot(vector, &middle))
        .collect();
    let counts: Vec<f32> = occurrences.iter().map(|&count| count as f32).collect();
    let (magnets, outliers) = (modified_z(&counts), modified_z(&distances));
    let mut standings: Vec<Standing> = (0..)
        .zip(occurrences)
        .zip(magnets.into_iter().zip(outliers))
        .map(
            |((number, occurrences), (magnet_score, outlier_score))| Standing {
                number,
                occurrences,
                lift: occurrences as f32 / expected.max(1e-6),
                magnet_score,
                outlier_score,
            },
        )
        .collect();
    standings.sort_by(|a, b| {
        let by_count = b.occurrences.cmp(&a.occurrences);
        by_count.then(b.outlier_score.total_cmp(&a.outlier_score))
    });
    Ok(standings)
}

impl Standing {
    /// The rule that it falls under.
    #[must_use]
    pub fn rule(&self, limits: &EmbeddingLimits) -> Option<&'static Rule> {
        // Some hubs are ordinary in many dimensions; a magnet is far above them.
        let is_magnet = self.magnet_score > limits.threshold && self.lift > MAGNET_LIFT;
        if is_magnet {
            Some(&QUERY_MAGNET)
        } else if self.outlier_score > limits.threshold {
            Some(&EMBEDDING_OUTLIER)
        } else {
            None
        }
    }

    /// What is told of its chunk: a magnet by what it attracts, an outlier by how far it is.
    fn told(&self, limits: &EmbeddingLimits) -> Option<Told> {
        let rule = self.rule(limits)?;
        let message = if rule.id == QUERY_MAGNET.id {
            format!("{}, near {} questions", rule.title, self.occurrences)
        } else {
            format!("{}, modified z-score {:.1}", rule.title, self.outlier_score)
        };
        Some(Told {
            rule,
            span: None,
            confidence: Confidence::clamped(0.6),
            message: message.into(),
        })
    }
}

/// Adds to the `parts` that chunks were judged as what their vectors say of them, and says whether
/// there are any vectors.
pub fn report(chunks: &[Chunk], parts: &mut [JudgedPart], limits: &EmbeddingLimits) -> bool {
    if chunks.iter().all(|chunk| chunk.vector.is_none()) {
        return false;
    }
    let vectors: Vec<Vec<f32>> = chunks
        .iter()
        .map(|chunk| chunk.vector.clone().unwrap_or_default())
        .collect();
    let outcome = match standings(&vectors, &[], limits) {
        Ok(standings) => {
            for standing in standings {
                if let Some(part) = parts.get_mut(standing.number) {
                    let told = standing.told(limits);
                    TELLER.tell(&mut part.inspection.report, Ok(()), told);
                }
            }
            return true;
        }
        // Too few to compare is no gap: there is nothing to stand out from.
        Err(EmbeddingError::TooFew(_)) => Ok(()),
        Err(error) => Err(CheckError::Malformed(error.to_string().into())),
    };
    if let Some(part) = parts.first_mut() {
        TELLER.tell(&mut part.inspection.report, outcome, None);
    }
    true
}

const TELLER: Teller = Teller {
    check: "rag-embeddings",
    layer: Layer::Provenance,
};

fn unit(vector: &[f32], dimensions: usize) -> Option<Vec<f32>> {
    let length = dot(vector, vector).sqrt();
    let is_sound = vector.len() == dimensions && length.is_normal();
    is_sound.then(|| vector.iter().map(|x| x / length).collect())
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn mean(units: &[Vec<f32>], dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f64; dimensions];
    for vector in units {
        for (sum, x) in sum.iter_mut().zip(vector) {
            *sum += f64::from(*x);
        }
    }
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-12);
    sum.into_iter().map(|x| (x / length) as f32).collect()
}

/// Numbers of the `k` vectors nearest to `query`, by cosine; `own` is left out.
fn nearest(units: &[Vec<f32>], query: &[f32], own: Option<usize>, k: usize) -> Vec<usize> {
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(k + 1);
    for (number, vector) in units.iter().enumerate() {
        if own == Some(number) {
            continue;
        }
        let likeness = dot(vector, query);
        let is_full = best.len() >= k;
        if is_full && best.last().is_some_and(|(least, _)| likeness <= *least) {
            continue;
        }
        let at = best.partition_point(|(other, _)| *other >= likeness);
        best.insert(at, (likeness, number));
        best.truncate(k);
    }
    best.into_iter().map(|(_, number)| number).collect()
}

/// Where more than half of the values are the same, the mean deviation stands in for the median one,
/// with its factor (Iglewicz and Hoaglin 1993, section 3.3).
fn modified_z(values: &[f32]) -> Vec<f32> {
    let middle = median(values);
    let deviations: Vec<f32> = values.iter().map(|x| (x - middle).abs()).collect();
    let spread = median(&deviations);
    let mean = deviations.iter().sum::<f32>() / deviations.len().max(1) as f32;
    let scale = if spread > 0.0 {
        0.6745 / spread
    } else if mean > 0.0 {
        1.0 / (1.253_314 * mean)
    } else {
        0.0
    };
    values.iter().map(|x| (x - middle) * scale).collect()
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

const REFS: &[Cow<'static, str>] = &[
    Cow::Borrowed("LLM08:2025"),
    Cow::Borrowed("AML.T0070"),
    Cow::Borrowed("AML.T0071"),
];

/// Every rule of embeddings.
pub static RULES: [&Rule; 2] = [&QUERY_MAGNET, &EMBEDDING_OUTLIER];
static QUERY_MAGNET: Rule = Rule::new(
    "rag.query-magnet",
    "a chunk that is near far too many questions",
    Severity::Medium,
    Category::Integrity,
    REFS,
    [
        "A chunk made to be retrieved for everything carries its message into every answer.",
        "Read the chunk; tables of contents and boilerplate stand so, too.",
    ],
    None,
);
static EMBEDDING_OUTLIER: Rule = Rule::new(
    "rag.embedding-outlier",
    "a chunk far from everything else in the collection",
    Severity::Low,
    Category::Integrity,
    REFS,
    [
        "A document on another subject, in another language, or made of triggers stands apart.",
        "Read the chunk and say whether it belongs here.",
    ],
    None,
);

#[cfg(test)]
mod tests {
    use bartizan_core::Origin;
    use bartizan_guard::{Inspection, conversation::PartKind};

    use super::*;

    #[test]
    fn an_outlier_is_not_told_as_a_magnet() {
        // Numbers are those of the parts: 30 near each other, and one far away.
        let angle = |number: usize| {
            if number == 30 {
                2.5
            } else {
                0.001 * number as f32
            }
        };
        let chunks: Vec<Chunk> = (0..31)
            .map(|number| Chunk {
                vector: Some(vec![angle(number).cos(), angle(number).sin()]),
                ..Chunk::default()
            })
            .collect();
        let part = JudgedPart {
            path: String::new(),
            origin: Origin::Retrieved,
            kind: PartKind::Document,
            inspection: Inspection::default(),
        };
        let mut parts = vec![part; 31];
        assert!(report(&chunks, &mut parts, &EmbeddingLimits::default()));
        let findings = &parts[30].inspection.report.findings;
        assert_eq!(findings[0].rule.id, "rag.embedding-outlier");
        assert!(!findings[0].message.contains("questions"), "{findings:?}");
        assert!(
            parts
                .iter()
                .all(|part| part.inspection.report.is_complete())
        );
    }

    /// A generator for tests: xorshift (Marsaglia 2003).
    fn noise(state: &mut u64) -> f32 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 40) as f32 / (1 << 24) as f32 - 0.5
    }

    fn collection(chunks: usize, topics: usize) -> Vec<Vec<f32>> {
        let mut state = 0x9e37_79b9_7f4a_7c15;
        let centres: Vec<Vec<f32>> = (0..topics)
            .map(|_| (0..48).map(|_| noise(&mut state) + 0.15).collect())
            .collect();
        (0..chunks)
            .map(|n| {
                let centre = &centres[n % topics];
                centre.iter().map(|x| x + 0.8 * noise(&mut state)).collect()
            })
            .collect()
    }

    #[test]
    fn planted_magnets_stand_at_the_front() {
        let mut vectors = collection(1000, 40);
        // Made from the middle of the collection, each a little different.
        let units: Vec<Vec<f32>> = vectors.iter().filter_map(|v| unit(v, 48)).collect();
        let middle = mean(&units, 48);
        let mut state = 99;
        for at in [7, 300, 512, 700, 999] {
            vectors[at] = middle
                .iter()
                .map(|x| x + 0.02 * noise(&mut state))
                .collect();
        }
        let limits = EmbeddingLimits::default();
        let standings = standings(&vectors, &[], &limits).unwrap();
        let first: Vec<usize> = standings.iter().take(20).map(|s| s.number).collect();
        for at in [7, 300, 512, 700, 999] {
            assert!(first.contains(&at), "{at} is not in {first:?}");
        }
        let magnets = standings.iter().filter(|s| {
            s.rule(&limits)
                .is_some_and(|rule| rule.id == "rag.query-magnet")
        });
        assert!(magnets.count() >= 5);
    }

    #[test]
    fn ordinary_collections_have_no_magnets_and_strangers_are_outliers() {
        let mut vectors = collection(400, 10);
        vectors[40] = (0..48).map(|n| if n == 3 { -5.0 } else { 0.0 }).collect();
        let limits = EmbeddingLimits::default();
        let standings = standings(&vectors, &[], &limits).unwrap();
        let found: Vec<(usize, &str)> = standings
            .iter()
            .filter_map(|s| Some((s.number, &*s.rule(&limits)?.id)))
            .collect();
        assert_eq!(found, [(40, "rag.embedding-outlier")]);
    }

    #[test]
    fn vectors_that_cannot_be_compared_are_errors() {
        let limits = EmbeddingLimits::default();
        assert!(standings(&collection(5, 1), &[], &limits).is_err());
        for bad in [vec![0.0; 48], vec![1.0; 3], vec![f32::NAN; 48]] {
            let mut vectors = collection(30, 3);
            vectors[4] = bad;
            let error = standings(&vectors, &[], &limits).unwrap_err();
            assert_eq!(error, EmbeddingError::Malformed { number: 4 });
        }
    }
}
