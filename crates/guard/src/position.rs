//! Places in a text in the units of people and of other languages.

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In code points, from 1.
    pub column: usize,
    /// Code points before it in the text, as Python counts.
    pub chars: usize,
    /// UTF-16 code units before it, as JavaScript and Java count.
    pub utf16: usize,
    /// First byte of its line.
    pub line_start: usize,
}

/// The positions of some places, found in one pass over the text.
#[derive(Debug)]
pub struct Positions {
    found: Vec<(usize, Position)>,
}

impl Positions {
    /// The positions of `places`, in bytes of `text`, in any order.
    ///
    /// A code point is a byte that does not continue one (RFC 3629, section 3), also where the
    /// text is no UTF-8.
    #[must_use]
    pub fn of(text: &[u8], places: impl IntoIterator<Item = usize>) -> Self {
        let mut places: Vec<usize> = places.into_iter().map(|at| at.min(text.len())).collect();
        places.sort_unstable();
        places.dedup();
        let code_points = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        let mut now = Position {
            line: 1,
            ..Position::default()
        };
        let (mut from, mut chars_before_line) = (0, 0);
        let found = places
            .into_iter()
            .map(|at| {
                let bytes = text.get(from..at).unwrap_or_default();
                if let Some(last) = bytes.iter().rposition(|&byte| byte == b'\n') {
                    now.line += bytes.iter().filter(|&&byte| byte == b'\n').count();
                    now.line_start = from + last + 1;
                    chars_before_line =
                        now.chars + code_points(bytes.get(..=last).unwrap_or_default());
                }
                now.chars += code_points(bytes);
                // Characters of four bytes take two units (RFC 2781, section 2.1).
                now.utf16 +=
                    code_points(bytes) + bytes.iter().filter(|&&byte| byte >= 0xf0).count();
                now.column = now.chars - chars_before_line + 1;
                from = at;
                (at, now)
            })
            .collect();
        Self { found }
    }

    /// The position of one of the places.
    #[must_use]
    pub fn get(&self, at: usize) -> Position {
        let index = self.found.partition_point(|(place, _)| *place < at);
        self.found
            .get(index)
            .or(self.found.last())
            .map_or_else(Position::default, |(_, position)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_code_points() {
        let text = "aé\n日x\n\nz";
        let positions = Positions::of(text.as_bytes(), [9, 0, 1, 7, 4, 99]);
        let at = |at| {
            let Position {
                line,
                column,
                chars,
                line_start,
                ..
            } = positions.get(at);
            (line, column, chars, line_start)
        };
        assert_eq!(at(0), (1, 1, 0, 0));
        assert_eq!(at(1), (1, 2, 1, 0));
        assert_eq!(at(4), (2, 1, 3, 4));
        assert_eq!(at(7), (2, 2, 4, 4));
        assert_eq!(at(9), (3, 1, 6, 9));
        assert_eq!(at(99), (4, 2, 8, 10));
    }

    #[test]
    fn three_units() {
        let text = "a\u{1f600}\né!";
        let positions = Positions::of(text.as_bytes(), [0, 5, 6, 8, 99]);
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
    }
}
