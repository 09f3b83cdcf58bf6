//! Places in a text in the units of other languages.

/// A place in a text, counted in three units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// From 1.
    pub(super) line: usize,
    /// In code points, from 1.
    pub(super) column: usize,
    /// Code points before it, as Python counts.
    pub(super) chars: usize,
    /// UTF-16 code units before it, as JavaScript and Java count.
    pub(super) utf16: usize,
}

/// The positions of some places, found in one pass over the text.
#[derive(Debug)]
pub(super) struct Positions {
    found: Vec<(usize, Position)>,
}

impl Positions {
    /// The positions of `places`, in bytes of `text`, in any order.
    pub(super) fn of(text: &str, places: impl IntoIterator<Item = usize>) -> Self {
        let mut places: Vec<usize> = places
            .into_iter()
            .map(|at| text.ceil_char_boundary(at.min(text.len())))
            .collect();
        places.sort_unstable();
        places.dedup();
        let mut now = Position {
            line: 1,
            column: 1,
            ..Position::default()
        };
        let mut from = 0;
        let found = places
            .into_iter()
            .map(|at| {
                for character in text.get(from..at).unwrap_or_default().chars() {
                    now.chars += 1;
                    now.utf16 += character.len_utf16();
                    if character == '\n' {
                        now.line += 1;
                        now.column = 1;
                    } else {
                        now.column += 1;
                    }
                }
                from = at;
                (at, now)
            })
            .collect();
        Self { found }
    }

    /// The position of one of the places.
    pub(super) fn get(&self, at: usize) -> Position {
        let index = self.found.partition_point(|(place, _)| *place < at);
        self.found
            .get(index)
            .or(self.found.last())
            .map_or_else(Position::default, |(_, position)| *position)
    }
}

/// The byte of each of `places`, counted in code points of `text`; `None` behind the end.
pub(super) fn bytes_of(text: &str, places: &[usize]) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&number| places.get(number));
    let mut found = vec![None; places.len()];
    let mut ends = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .enumerate();
    let mut now = ends.next();
    for number in order {
        let Some(&wanted) = places.get(number) else {
            continue;
        };
        while now.is_some_and(|(count, _)| count < wanted) {
            now = ends.next();
        }
        if let (Some((_, at)), Some(slot)) = (now, found.get_mut(number)) {
            *slot = Some(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_units() {
        let text = "a\u{1f600}\né!";
        let positions = Positions::of(text, [0, 5, 6, 8, 99]);
        let at = |at| {
            let position = positions.get(at);
            (
                position.line,
                position.column,
                position.chars,
                position.utf16,
            )
        };
        assert_eq!(at(0), (1, 1, 0, 0));
        assert_eq!(at(5), (1, 3, 2, 3));
        assert_eq!(at(6), (2, 1, 3, 4));
        assert_eq!(at(8), (2, 2, 4, 5));
        assert_eq!(at(99), (2, 3, 5, 6));
        assert_eq!(
            bytes_of(text, &[5, 0, 2, 6, 2]),
            [Some(9), Some(0), Some(5), None, Some(5)]
        );
    }
}
