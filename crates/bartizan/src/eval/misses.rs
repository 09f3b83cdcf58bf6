use std::collections::BTreeSet;

use super::{Row, judging::Seen};

/// A row that was caught wrongly, or missed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Miss {
    /// Number of its file.
    pub(crate) file: u32,
    pub(crate) line: u64,
    pub(crate) id: Option<String>,
    pub(crate) score: f64,
    /// Numbers of its values in the dimensions.
    pub(crate) groups: Box<[u32]>,
    /// Rules that found something.
    pub(crate) rules: Vec<String>,
    /// Its text, where that is to be shown.
    pub(crate) text: Option<String>,
}

/// The worst rows of one kind, no more than are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Worst {
    most: usize,
    shows_text: bool,
    /// Worst first: how bad as a whole number, then number of the file and line.
    kept: BTreeSet<(u64, u32, u64)>,
    rows: Vec<Miss>,
    /// How many there were.
    pub(crate) all: u64,
}

/// Characters of a text that are kept.
const MAX_CHARS: usize = 400;

impl Worst {
    pub(crate) const fn new(most: usize, shows_text: bool) -> Self {
        Self {
            most,
            shows_text,
            kept: BTreeSet::new(),
            rows: Vec::new(),
            all: 0,
        }
    }

    /// Takes note of a row whose score was off by `error`, in `[0, 1]`.
    pub(crate) fn add(&mut self, row: &Row, seen: &Seen, error: f64) {
        self.all += 1;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 10^9"
        )]
        let mildness = ((1.0 - error.clamp(0.0, 1.0)) * 1e9).round() as u64;
        let key = (mildness, row.file, row.line);
        if self.kept.len() >= self.most && self.kept.last().is_none_or(|last| *last < key) {
            return;
        }
        self.kept.insert(key);
        self.rows.push(Miss {
            file: row.file,
            line: row.line,
            id: row.id.clone(),
            score: seen.whole.score,
            groups: row.groups.clone(),
            rules: seen.rules.clone(),
            text: self
                .shows_text
                .then(|| row.text.chars().take(MAX_CHARS).collect()),
        });
        if self.kept.len() > self.most
            && let Some((_, file, line)) = self.kept.pop_last()
        {
            self.rows
                .retain(|miss| (miss.file, miss.line) != (file, line));
        }
    }

    /// The rows, worst first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Miss> {
        self.kept.iter().filter_map(|(_, file, line)| {
            self.rows
                .iter()
                .find(|miss| (miss.file, miss.line) == (*file, *line))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(most: usize, errors: &[f64], shows_text: bool) -> Worst {
        let mut worst = Worst::new(most, shows_text);
        for (line, &error) in (1..).zip(errors) {
            let row = Row {
                file: 0,
                line,
                id: None,
                text: "ä".repeat(1_000),
                is_positive: true,
                groups: Box::default(),
            };
            worst.add(&row, &Seen::default(), error);
        }
        worst
    }

    #[test]
    fn the_worst_are_kept_in_order() {
        let lines = |worst: &Worst| worst.rows().map(|miss| miss.line).collect::<Vec<_>>();
        let some = worst(2, &[0.1, 0.9, 0.5, 0.9, 0.2], false);
        assert_eq!(lines(&some), [2, 4]);
        assert_eq!((some.all, some.rows.len()), (5, 2));
        assert!(some.rows().all(|miss| miss.text.is_none()));
        assert_eq!(lines(&worst(0, &[0.1], true)), [0_u64; 0]);
        let shown = worst(1, &[0.1], true);
        let text = shown.rows().next().unwrap().text.clone().unwrap();
        assert_eq!(text.chars().count(), MAX_CHARS);
    }
}
