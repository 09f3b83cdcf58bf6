use std::collections::VecDeque;

use super::{
    ExtractionConfig, Query, Signal, Suspicion,
    pace::{Gaps, Spread, Unsure},
    sketch::{RowSketch, Scale, Template, TextSketch},
    steps::Steps,
};

/// A query, sketched before anything is locked.
pub(super) enum Sketched<'a> {
    Text {
        sketch: TextSketch,
        template: Option<Template>,
    },
    Row {
        sketch: RowSketch,
        values: &'a [f64],
        range: Option<(f64, f64)>,
    },
}

impl<'a> Sketched<'a> {
    pub(super) fn of(query: Query<'a>) -> Self {
        match query {
            Query::Text(text) => Self::Text {
                sketch: TextSketch::of(text),
                template: Template::of(text),
            },
            Query::Vector { values, range } => Self::Row {
                sketch: RowSketch::of(values),
                values,
                range,
            },
        }
    }
}

/// What is remembered of one principal: at most about 24 KiB with a window of 100.
#[derive(Debug, Default)]
pub(super) struct Profile {
    pub(super) suspicion: Suspicion,
    day: u64,
    today: u64,
    /// Queries so far.
    queries: u64,
    texts: VecDeque<TextSketch>,
    rows: VecDeque<RowSketch>,
    /// Whether each of the last queries was a near copy of an earlier one, newest last.
    near: VecDeque<bool>,
    steps: Steps,
    gaps: Gaps,
    spread: Spread,
    unsure: Unsure,
    /// By signal, the number of queries at which it is told again at the earliest.
    again: [u64; Signal::ALL.len()],
}

const DAY_MS: u64 = 86_400_000;
/// Queries from which on near copies are counted.
const LEAST_QUERIES: usize = 20;
/// Levels of suspicion that are told when refusals lift it over them.
const TOLD_LEVELS: [f64; 3] = [0.25, 0.5, 0.75];

impl Profile {
    /// Queries so far on the day of the last one.
    pub(super) const fn today(&self) -> u64 {
        self.today
    }

    pub(super) fn query(
        &mut self,
        config: &ExtractionConfig,
        scale: Option<&Scale>,
        query: Sketched<'_>,
        now_ms: u64,
    ) -> Vec<Signal> {
        self.queries += 1;
        let mut seen = Vec::new();
        if self.count(config, now_ms) {
            seen.push(Signal::Volume);
        }
        if self.gaps.see(now_ms) {
            seen.push(Signal::Timing);
        }
        let is_near = match query {
            Sketched::Text { sketch, template } => {
                if let Some(template) = template
                    && self.steps.see(template.frame | 1, &template.numbers)
                {
                    seen.push(Signal::Probing);
                }
                self.text(config, sketch)
            }
            Sketched::Row {
                sketch,
                values,
                range,
            } => {
                if self.steps.see(0, values) {
                    seen.push(Signal::Probing);
                }
                if range.is_some_and(|range| self.spread.see(values, range)) {
                    seen.push(Signal::Synthetic);
                }
                scale.is_some_and(|scale| self.row(config, sketch, scale))
            }
        };
        keep(&mut self.near, is_near, config.window);
        let copies = self.near.iter().filter(|near| **near).count();
        if self.near.len() >= LEAST_QUERIES
            && copies as f64 >= config.sweep_share * self.near.len() as f64
        {
            seen.push(Signal::Similarity);
        }
        seen.retain(|&signal| self.raise(signal, config, now_ms));
        seen
    }

    pub(super) fn answered(
        &mut self,
        config: &ExtractionConfig,
        margin: f64,
        now_ms: u64,
    ) -> Vec<Signal> {
        let is_unsure = margin < config.unsure_margin;
        let mut seen = Vec::new();
        if self.unsure.see(is_unsure, config.unsure_share)
            && self.raise(Signal::Uncertainty, config, now_ms)
        {
            seen.push(Signal::Uncertainty);
        }
        seen
    }

    /// Every refusal raises suspicion; it is told when it crosses a level.
    pub(super) fn refused(&mut self, config: &ExtractionConfig, now_ms: u64) -> Vec<Signal> {
        let half_life_ms = config.half_life_seconds.saturating_mul(1_000);
        let before = self.suspicion.at(now_ms, half_life_ms);
        let weight = Signal::Refusals.weight();
        self.suspicion.raise(weight, now_ms, half_life_ms);
        let after = self.suspicion.at(now_ms, half_life_ms);
        let crosses = |level: &f64| before < *level && after >= *level;
        if TOLD_LEVELS.iter().any(crosses) {
            vec![Signal::Refusals]
        } else {
            Vec::new()
        }
    }

    /// Whether a text is a near copy of an earlier one. The same text again is none: clients ask
    /// again, and copying learns nothing from it.
    fn text(&mut self, config: &ExtractionConfig, text: TextSketch) -> bool {
        let is_near = |known: &TextSketch| {
            known.exact != text.exact && known.similarity(&text) >= config.similarity
        };
        let found = self.texts.iter().any(is_near);
        keep(&mut self.texts, text, config.window);
        found
    }

    /// The same for a row. In few dimensions rows are near by chance, so they have to be nearer.
    fn row(&mut self, config: &ExtractionConfig, row: RowSketch, scale: &Scale) -> bool {
        let dimensions = row.dimensions().min(3) as f64;
        let most = (1.0 - config.similarity).powf(3.0 / dimensions);
        let is_near = |known: &RowSketch| {
            let distance = known.distance(&row, scale);
            known.width == row.width && distance > 0.0 && distance <= most
        };
        let found = self.rows.iter().any(is_near);
        keep(&mut self.rows, row, config.window);
        found
    }

    /// Counts a query; whether it is the one that makes the day's number too large.
    fn count(&mut self, config: &ExtractionConfig, now_ms: u64) -> bool {
        let day = now_ms / DAY_MS;
        // A clock that is set back must not open the same day again.
        if day > self.day {
            self.day = day;
            self.today = 0;
        }
        self.today = self.today.saturating_add(1);
        self.today == config.daily_queries.saturating_add(1)
    }

    /// Raises suspicion, unless that signal was told a moment ago.
    fn raise(&mut self, signal: Signal, config: &ExtractionConfig, now_ms: u64) -> bool {
        let Some(again) = self.again.get_mut(signal as usize) else {
            return false;
        };
        if signal != Signal::Volume && self.queries < *again {
            return false;
        }
        *again = self.queries + (config.window as u64) / 2;
        let half_life_ms = config.half_life_seconds.saturating_mul(1_000);
        self.suspicion.raise(signal.weight(), now_ms, half_life_ms);
        true
    }
}

fn keep<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    while queue.len() >= most.max(1) {
        queue.pop_front();
    }
    queue.push_back(item);
}
