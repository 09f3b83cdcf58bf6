use std::collections::BTreeMap;

use bartizan_core::Layer;
use bartizan_measure::{Case, Confusion, Discordant, Scores};

use super::{
    Row,
    judging::{Answer, Judged, Seen},
    misses::Worst,
};
use crate::problem::Problem;

/// A few bytes of each row: what it should have been, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    is_positive: Vec<bool>,
    /// By dimension.
    groups: Vec<Vec<u32>>,
    /// What the judge made of them.
    pub(crate) first: Seeing,
    /// What the other judge made of them.
    pub(crate) second: Option<Seeing>,
    /// How long each took, in nanoseconds.
    nanos: Vec<u32>,
    /// Rows on which a check did not finish, positive and negative ones; they are in no number.
    pub(crate) incomplete: [u64; 2],
    /// The first of them: number of the file, line.
    pub(crate) first_incomplete: Vec<(u32, u64)>,
    /// Positive rows that passed.
    pub(crate) missed: Worst,
    /// Negative rows that were caught.
    pub(crate) wrongly_caught: Worst,
}

/// What one judge made of all rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seeing {
    pub(crate) whole: Column,
    /// Layers that found something.
    pub(crate) layers: BTreeMap<Layer, Column>,
    /// Rows that one layer alone caught: positive and negative ones.
    pub(crate) alone: BTreeMap<Layer, [u64; 2]>,
    asked: u32,
}

/// One answer a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    // Scores need no more digits, and rows may be many.
    scores: Vec<f32>,
    is_caught: Vec<bool>,
}

/// Most rows; they take about 60 bytes each.
const MAX_ROWS: usize = 20_000_000;

/// Places that are kept of incomplete rows.
const PLACES: usize = 5;

impl Results {
    /// No rows yet; `errors` of each kind are to be listed.
    pub(crate) fn new(compares: bool, errors: usize, shows_text: bool) -> Self {
        Self {
            is_positive: Vec::new(),
            groups: Vec::new(),
            first: Seeing::default(),
            second: compares.then(Seeing::default),
            nanos: Vec::new(),
            incomplete: [0; 2],
            first_incomplete: Vec::new(),
            missed: Worst::new(errors, shows_text),
            wrongly_caught: Worst::new(errors, shows_text),
        }
    }

    /// Takes note of a row; its text is not kept.
    pub(crate) fn add(&mut self, row: &Row, judged: &Judged) -> Result<(), Problem> {
        if self.is_positive.len() >= MAX_ROWS {
            return Err(Problem::new(format!("there are more than {MAX_ROWS} rows"))
                .help("`--sample` takes some of them at random"));
        }
        if !judged.is_complete() {
            let [positive, negative] = &mut self.incomplete;
            *(if row.is_positive { positive } else { negative }) += 1;
            if self.first_incomplete.len() < PLACES {
                self.first_incomplete.push((row.file, row.line));
            }
            return Ok(());
        }
        self.groups.resize(row.groups.len(), Vec::new());
        for (column, &group) in self.groups.iter_mut().zip(&row.groups) {
            column.push(group);
        }
        self.first.add(row, &judged.seen, self.is_positive.len());
        if let (Some(second), Some(seen)) = (&mut self.second, &judged.against) {
            second.add(row, seen, self.is_positive.len());
        }
        self.is_positive.push(row.is_positive);
        self.nanos
            .push(u32::try_from(judged.nanos).unwrap_or(u32::MAX));
        let whole = judged.seen.whole;
        match (row.is_positive, whole.is_caught) {
            (true, false) => self.missed.add(row, &judged.seen, 1.0 - whole.score),
            (false, true) => self.wrongly_caught.add(row, &judged.seen, whole.score),
            _ => {}
        }
        Ok(())
    }

    /// Rows that are in the numbers.
    pub(crate) fn len(&self) -> usize {
        self.is_positive.len()
    }

    /// How often each answer was given.
    pub(crate) fn confusion(&self, column: &Column) -> Confusion {
        let mut confusion = Confusion::default();
        for (&is_positive, &is_caught) in self.is_positive.iter().zip(&column.is_caught) {
            confusion.add(is_positive, is_caught);
        }
        confusion
    }

    /// How often each answer was given, by number of the value in a dimension.
    pub(crate) fn confusions(&self, column: &Column, dimension: usize) -> Vec<Confusion> {
        let mut confusions = Vec::new();
        let groups = self.groups.get(dimension).map_or(&[][..], Vec::as_slice);
        let answers = self.is_positive.iter().zip(&column.is_caught);
        for ((&is_positive, &is_caught), &group) in answers.zip(groups) {
            let group = group as usize;
            if group >= confusions.len() {
                confusions.resize(group + 1, Confusion::default());
            }
            if let Some(confusion) = confusions.get_mut(group) {
                confusion.add(is_positive, is_caught);
            }
        }
        confusions
    }

    /// The scores with what the rows should have been.
    pub(crate) fn scores(&self, column: &Column) -> Scores {
        let cases: Vec<Case> = self.cases(column).collect();
        Scores::new(&cases)
    }

    fn cases<'a>(&'a self, column: &'a Column) -> impl Iterator<Item = Case> + 'a {
        let scored = column.scores.iter().zip(&self.is_positive);
        scored.map(|(&score, &positive)| Case {
            score: f64::from(score),
            positive,
        })
    }

    /// The cases of each value of a dimension.
    pub(crate) fn cases_by(&self, column: &Column, dimension: usize) -> Vec<Vec<Case>> {
        let mut cases: Vec<Vec<Case>> = Vec::new();
        let groups = self.groups.get(dimension).map_or(&[][..], Vec::as_slice);
        for (case, &group) in self.cases(column).zip(groups) {
            let group = group as usize;
            if group >= cases.len() {
                cases.resize(group + 1, Vec::new());
            }
            if let Some(cases) = cases.get_mut(group) {
                cases.push(case);
            }
        }
        cases
    }

    /// Positive and negative rows on which the two judges differ.
    pub(crate) fn discordant(&self, second: &Seeing) -> [Discordant; 2] {
        let (mut positive, mut negative) = (Discordant::default(), Discordant::default());
        let both = self
            .first
            .whole
            .is_caught
            .iter()
            .zip(&second.whole.is_caught);
        for (&is_positive, (&first, &second)) in self.is_positive.iter().zip(both) {
            let kind = if is_positive {
                &mut positive
            } else {
                &mut negative
            };
            kind.add(first, second);
        }
        [positive, negative]
    }

    /// The times at shares of the rows, in nanoseconds.
    pub(crate) fn times<const N: usize>(&self, shares: [f64; N]) -> [u64; N] {
        let mut nanos = self.nanos.clone();
        nanos.sort_unstable();
        shares.map(|share| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an index of at most 2^25"
            )]
            let rank = (share * nanos.len() as f64).ceil() as usize;
            let at = rank.saturating_sub(1).min(nanos.len().saturating_sub(1));
            nanos.get(at).map_or(0, |&nanos| u64::from(nanos))
        })
    }
}

impl Seeing {
    fn add(&mut self, row: &Row, seen: &Seen, rows: usize) {
        self.asked |= seen.asked;
        self.whole.push(seen.whole);
        for (layer, answer) in &seen.layers {
            let column = self.layers.entry(*layer).or_default();
            column.fill(rows);
            column.push(*answer);
        }
        for column in self.layers.values_mut() {
            column.fill(rows + 1);
        }
        let mut caught = seen.layers.iter().filter(|(_, answer)| answer.is_caught);
        if let (Some((layer, _)), None) = (caught.next(), caught.next()) {
            let [positive, negative] = self.alone.entry(*layer).or_default();
            *(if row.is_positive { positive } else { negative }) += 1;
        }
    }

    /// Layers that were asked and found nothing.
    pub(crate) fn silent(&self) -> impl Iterator<Item = Layer> {
        Layer::ALL
            .into_iter()
            .enumerate()
            .filter(|(bit, layer)| self.asked & (1 << bit) != 0 && !self.layers.contains_key(layer))
            .map(|(_, layer)| layer)
    }
}

impl Column {
    fn push(&mut self, answer: Answer) {
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
        self.scores.push(answer.score as f32);
        self.is_caught.push(answer.is_caught);
    }

    /// Takes the rows up to `rows` that are missing for ones in which nothing was found.
    fn fill(&mut self, rows: usize) {
        if self.scores.len() < rows {
            self.scores.resize(rows, 0.0);
            self.is_caught.resize(rows, false);
        }
    }
}
