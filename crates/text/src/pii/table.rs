//! Columns: the header of a CSV, TSV or Markdown table, and the column list of an SQL `INSERT`.

use std::ops::Range;

use memchr::{memchr, memrchr};

/// Bytes above a cell in which its header must stand.
pub(super) const REACH: usize = 2048;
/// Signs between cells; the first one that a row holds is the one that counts.
const DELIMITERS: [u8; 4] = [b';', b'\t', b'|', b','];
/// Bytes of a value within an SQL `INSERT`.
const VALUE: usize = 128;
/// Bytes of one line that are looked at.
const LINE: usize = 1024;

/// The tables of one text, found as cells are asked for, from left to right.
pub(super) struct Tables<'a> {
    text: &'a [u8],
    /// The line that was looked at last, and the header of its table.
    line: Option<(usize, Option<Header>)>,
    values: Values,
}

/// The last `VALUES` of the line that was looked at last.
#[derive(Debug, Default)]
struct Values {
    /// Bytes before here have been searched.
    done: usize,
    upper: Option<usize>,
    lower: Option<usize>,
}

#[derive(Clone, Debug)]
struct Header {
    line: Range<usize>,
    delimiter: u8,
}

impl<'a> Tables<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            line: None,
            values: Values {
                done: 0,
                upper: None,
                lower: None,
            },
        }
    }

    /// The header cell of the column in which `start` stands.
    pub(super) fn header(&mut self, start: usize) -> Option<Range<usize>> {
        let floor = start.saturating_sub(LINE);
        let feed = memrchr(b'\n', self.text.get(floor..start)?);
        let line = feed.map_or(floor, |index| floor + index + 1);
        if let Some(cell) = self.insert_column(line, start) {
            return Some(cell);
        }
        // A line that goes on for longer is no row of a table that people read.
        if feed.is_none() && floor > 0 {
            return None;
        }
        if let Some(cell) = self.markdown_field(line, start) {
            return Some(cell);
        }
        let header = self.header_of(line)?;
        if start - header.line.start > REACH {
            return None;
        }
        let row = self.text.get(line..start)?;
        let column = cells(row, header.delimiter).count().checked_sub(1)?;
        let names = self.text.get(header.line.clone())?;
        let cell = cells(names, header.delimiter).nth(column)?;
        Some(header.line.start + cell.start..header.line.start + cell.end)
    }

    /// The header of the table that the line at `line` belongs to.
    fn header_of(&mut self, line: usize) -> Option<Header> {
        if let Some((known, header)) = &self.line
            && *known == line
        {
            return header.clone();
        }
        let header = self.find_header(line);
        self.line = Some((line, header.clone()));
        header
    }

    fn find_header(&self, line: usize) -> Option<Header> {
        let text = self.text;
        let row = self.line_at(line)?;
        if memchr::memchr3(b';', b'\t', b'|', row).is_none() && memchr(b',', row).is_none() {
            return None;
        }
        let delimiter = DELIMITERS
            .into_iter()
            .find(|delimiter| memchr(*delimiter, row).is_some())?;
        let columns = cells(row, delimiter).count();
        let mut top = line;
        let mut found = None;
        while let Some(end) = top.checked_sub(1) {
            if let Some((known, header)) = &self.line
                && *known == top
                && top != line
            {
                return header
                    .clone()
                    .filter(|header| header.delimiter == delimiter)
                    .or(found);
            }
            let floor = end.saturating_sub(LINE);
            let above =
                memrchr(b'\n', text.get(floor..end)?).map_or(floor, |index| floor + index + 1);
            let names = text.get(above..end)?;
            if line - above > REACH || cells(names, delimiter).count() != columns {
                break;
            }
            if is_header(names, delimiter) {
                found = Some(Header {
                    line: above..end,
                    delimiter,
                });
            }
            top = above;
        }
        found
    }

    /// The start of the last line, when it may become the row of a table.
    fn open_row(&self) -> Option<usize> {
        let text = self.text;
        let floor = text.len().saturating_sub(LINE);
        let feed = memrchr(b'\n', text.get(floor..)?);
        let line = feed.map_or(0, |index| floor + index + 1);
        let row = text.get(line..)?;
        if (feed.is_none() && floor > 0) || row.len() >= LINE {
            return None;
        }
        if row.first() == Some(&b'|') {
            return Some(line);
        }
        // The first of the delimiters that the row holds in the end tells its cells apart.
        for delimiter in DELIMITERS {
            if self.stands_under_header(line, delimiter) {
                return Some(line);
            }
            if memchr(delimiter, row).is_some() {
                break;
            }
        }
        None
    }

    /// Whether a line at `line` with as many cells as the one before belongs to a table.
    fn stands_under_header(&self, line: usize, delimiter: u8) -> bool {
        let mut columns = None;
        let mut top = line;
        while let Some(end) = top.checked_sub(1) {
            let floor = end.saturating_sub(LINE);
            let before = self.text.get(floor..end).unwrap_or_default();
            let above = memrchr(b'\n', before).map_or(floor, |index| floor + index + 1);
            let Some(names) = self.text.get(above..end) else {
                return false;
            };
            let count = cells(names, delimiter).count();
            if count < 2 || columns.is_some_and(|columns| columns != count) || line - above > REACH
            {
                return false;
            }
            if is_header(names, delimiter) {
                return true;
            }
            columns = Some(count);
            top = above;
        }
        false
    }

    fn line_at(&self, start: usize) -> Option<&'a [u8]> {
        let rest = self.text.get(start..)?;
        let rest = rest.get(..LINE).unwrap_or(rest);
        Some(
            memchr(b'\n', rest)
                .and_then(|end| rest.get(..end))
                .unwrap_or(rest),
        )
    }

    /// `| passport | C01X00T47 |`: the cell to the left, when it is the first of two.
    fn markdown_field(&self, line: usize, start: usize) -> Option<Range<usize>> {
        let row = self.line_at(line)?;
        if row.first() != Some(&b'|') || row.iter().filter(|byte| **byte == b'|').count() != 3 {
            return None;
        }
        let first = cells(row, b'|').nth(1)?;
        (line + first.end < start).then_some(line + first.start..line + first.end)
    }

    /// The column of `INSERT INTO t (a, b) VALUES ('x', 'y')`.
    fn insert_column(&mut self, line: usize, start: usize) -> Option<Range<usize>> {
        let values = self.values.last(self.text, line, start)? - line;
        let before = self.text.get(line..start)?;
        let (head, tail) = before.split_at_checked(values)?;
        let close = memrchr(b')', head)?;
        let open = memrchr(b'(', head.get(..close)?)?;
        // The last tuple that is open: quotes decide what a parenthesis or a comma is.
        let mut quoted = false;
        let mut tuple = None;
        for (index, byte) in tail.iter().enumerate() {
            match byte {
                b'\'' => quoted = !quoted,
                b'(' if !quoted => tuple = Some(index + 1),
                b')' if !quoted => tuple = None,
                _ => {}
            }
        }
        let column = cells(tail.get(tuple?..)?, b',').count().checked_sub(1)?;
        let names = head.get(open + 1..close)?;
        let cell = cells(names, b',').nth(column)?;
        let base = line + open + 1;
        Some(base + cell.start..base + cell.end)
    }
}

impl Values {
    /// The last `VALUES`, or else the last `values`, in `line..start`.
    fn last(&mut self, text: &[u8], line: usize, start: usize) -> Option<usize> {
        const WORD: usize = 6;
        if start < self.done {
            self.done = line;
        }
        if self.done <= line {
            (self.upper, self.lower) = (None, None);
            self.done = line;
        }
        let from = self.done.saturating_sub(WORD - 1).max(line);
        let fresh = text.get(from..start).unwrap_or_default();
        for index in memchr::memchr2_iter(b'V', b'v', fresh) {
            match fresh.get(index..index + WORD) {
                Some(b"VALUES") => self.upper = Some(from + index),
                Some(b"values") => self.lower = Some(from + index),
                _ => {}
            }
        }
        self.done = start;
        let within = |place: &usize| *place >= line;
        self.upper
            .filter(within)
            .or_else(|| self.lower.filter(within))
    }
}

/// The start of the last line of `text`, when more text could make it the row of a table.
pub(super) fn open_row(text: &[u8]) -> Option<usize> {
    Tables::new(text).open_row()
}

/// A header names its columns: no digits, no sentences.
fn is_header(line: &[u8], delimiter: u8) -> bool {
    let mut count = 0;
    cells(line, delimiter).all(|cell| {
        count += 1;
        cell.len() <= 40
    }) && count > 1
        && line.iter().filter(|byte| byte.is_ascii_digit()).count() <= count / 2
        && !line
            .iter()
            .any(|byte| matches!(byte, b'@' | b'=' | b'{' | b'}'))
        && line
            .iter()
            .any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
}

/// The cells of a line; a delimiter within quotes is text.
pub(super) fn cells(line: &[u8], delimiter: u8) -> impl Iterator<Item = Range<usize>> {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let mut quote = None;
        let mut index = from;
        loop {
            match line.get(index) {
                None => {
                    start = None;
                    return Some(from..line.len());
                }
                Some(byte @ (b'"' | b'\'')) => match quote {
                    Some(open) if open == *byte => quote = None,
                    // A quote opens a cell only where the cell begins: `O'Neill` has none.
                    None if line
                        .get(from..index)
                        .is_some_and(|before| before.iter().all(|byte| *byte == b' ')) =>
                    {
                        quote = Some(*byte);
                    }
                    _ => {}
                },
                Some(byte) if *byte == delimiter && quote.is_none() => {
                    start = Some(index + 1);
                    return Some(from..index);
                }
                Some(_) => {}
            }
            index += 1;
        }
    })
}

/// The column named in `names` (a whole header line or column list around `label`) as the cells
/// below it, for kinds that only their column tells.
pub(super) fn cells_below(text: &[u8], label: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let floor = label.start.saturating_sub(LINE);
    let Some(before) = text.get(floor..label.start) else {
        return found;
    };
    let line = memrchr(b'\n', before).map_or(floor, |index| floor + index + 1);
    let tables = Tables::new(text);
    let Some(names) = tables.line_at(line) else {
        return found;
    };
    let Some(delimiter) = DELIMITERS
        .into_iter()
        .find(|delimiter| names.contains(delimiter))
    else {
        return found;
    };
    if !is_header(names, delimiter) {
        return found;
    }
    let within = label.start - line..label.end - line;
    let Some(column) = cells(names, delimiter)
        .position(|cell| cell.start <= within.start && within.end <= cell.end)
    else {
        return found;
    };
    let columns = cells(names, delimiter).count();
    let mut next = line + names.len() + 1;
    while next < text.len() && next - line < REACH {
        let Some(row) = tables.line_at(next) else {
            break;
        };
        if cells(row, delimiter).count() != columns {
            break;
        }
        if let Some(cell) = cells(row, delimiter).nth(column) {
            found.push(next + cell.start..next + cell.end);
        }
        next += row.len() + 1;
    }
    found
}

/// The values of the column `label` of an SQL `INSERT` whose column list holds it.
pub(super) fn values_of(text: &[u8], label: Range<usize>) -> Option<Range<usize>> {
    let floor = label.start.saturating_sub(LINE);
    let open = floor + memrchr(b'(', text.get(floor..label.start)?)? + 1;
    let rest = text.get(label.end..)?;
    let rest = rest.get(..LINE).unwrap_or(rest);
    let close = label.end + memchr(b')', rest)?;
    let names = text.get(open..close)?;
    // Names and what quotes them; a bracket or a semicolon belongs to something else.
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
    let quotes = b"_$., \t\r\n`\"[]";
    if !names
        .iter()
        .all(|byte| is_name(byte) || quotes.contains(byte))
    {
        return None;
    }
    let column = cells(names, b',')
        .position(|cell| open + cell.start <= label.start && label.end <= open + cell.end)?;
    let tail = text.get(close + 1..)?;
    let tail = tail.get(..LINE).unwrap_or(tail);
    let skip = tail
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let values = tail.get(skip..skip + 6)?;
    if !values.eq_ignore_ascii_case(b"VALUES") {
        return None;
    }
    let tuple = skip + memchr(b'(', tail.get(skip..)?)? + 1;
    let cell = cells(tail.get(tuple..)?, b',').nth(column)?;
    let base = close + 1 + tuple;
    let value = tail.get(tuple + cell.start..tuple + cell.end)?;
    let value = value.get(..VALUE).unwrap_or(value);
    let end = match memchr(b')', value) {
        Some(closing) => cell.start + closing,
        None if value.len() == VALUE => return None,
        None => cell.end,
    };
    Some(base + cell.start..base + end)
}
