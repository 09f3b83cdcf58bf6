//! What must be in the evidence to the letter: numbers with their units, dates, and names.

use std::{collections::HashSet, ops::Range};

use super::words::tokens;

/// A number as it is compared: its value and, if it has one, its unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) value: f64,
    pub(super) unit: Option<&'static str>,
    pub(super) range: Range<usize>,
}

/// A name: words that are written with capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) words: Vec<String>,
    pub(super) range: Range<usize>,
}

impl Number {
    /// Whether the evidence's number says the same: equal to nine digits, with no other unit.
    pub(super) fn is(&self, other: &Self) -> bool {
        let is_equal = (self.value - other.value).abs() <= 1e-9 * self.value.abs().max(1.0);
        is_equal && (self.unit == other.unit || self.unit.is_none() || other.unit.is_none())
    }
}

/// The numbers of `text`, those within words, such as `GPT4`, left out.
///
/// Read are separators of both conventions (`1,234.5` and `1.234,5`), currencies, percent, `million`
/// and its like, number words up to twelve, months with their day, and dates of ISO 8601.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let Some(byte) = bytes.get(at) else { break };
        if !byte.is_ascii_digit() {
            at += 1;
            continue;
        }
        let mut end = at;
        while bytes.get(end).is_some_and(|b| {
            b.is_ascii_digit()
                || (matches!(b, b'.' | b',' | b'\'' | b':')
                    && bytes.get(end + 1).is_some_and(u8::is_ascii_digit))
        }) {
            end += 1;
        }
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        let is_in_word = before.ends_with(|c: char| c.is_alphabetic() || c == '_');
        let is_list = after.starts_with(". ") || after.starts_with(") ");
        let is_list = is_list
            && before
                .rsplit('\n')
                .next()
                .is_some_and(|line| line.trim().is_empty());
        if !is_in_word
            && !is_list
            && let Some(digits) = text.get(at..end)
        {
            push_number(digits, before, after, at..end, &mut out);
        }
        at = end;
    }
    for range in tokens(text) {
        let word = text.get(range.clone()).unwrap_or_default().to_lowercase();
        if let Some(value) = WORDS.iter().position(|known| *known == word) {
            let after = text.get(range.end..).unwrap_or_default();
            out.push(Number {
                value: (value + 2) as f64 * scale(after),
                unit: unit_after(after),
                range: range.clone(),
            });
        }
        // A month is a number wherever it is written as one.
        if let Some(month) = month(&word, text.get(range.clone()).unwrap_or_default()) {
            out.push(Number {
                value: f64::from(month),
                unit: Some("month"),
                range,
            });
        }
    }
    out
}

fn push_number(
    digits: &str,
    before: &str,
    after: &str,
    range: Range<usize>,
    out: &mut Vec<Number>,
) {
    if digits.contains(':') {
        // A time of day: hours and minutes as one.
        let value = digits
            .split(':')
            .filter_map(|part| part.parse::<f64>().ok())
            .fold(0.0, |sum, part| sum * 60.0 + part);
        out.push(Number {
            value,
            unit: Some("time"),
            range,
        });
        return;
    }
    // `2024-05-01` is a year, a month, and a day.
    let is_date_start = digits.len() == 4 && after.as_bytes().first() == Some(&b'-');
    let date = is_date_start
        .then(|| after.get(1..3)?.parse::<u8>().ok())
        .flatten();
    if let (Some(month @ 1..=12), Ok(year)) = (date, digits.parse::<f64>()) {
        out.push(Number {
            value: year,
            unit: None,
            range: range.clone(),
        });
        out.push(Number {
            value: f64::from(month),
            unit: Some("month"),
            range,
        });
        return;
    }
    if is_month_of_date(digits, before, after) {
        return;
    }
    let Some(value) = value(digits) else {
        return;
    };
    let sign_at = before.trim_end_matches(['-', '\u{2212}']);
    let is_negative = sign_at.len() < before.len()
        && (sign_at.is_empty()
            || sign_at.ends_with(|c: char| c.is_whitespace() || "($".contains(c)));
    let sign = if is_negative { -1.0 } else { 1.0 };
    out.push(Number {
        value: sign * value * scale(after),
        unit: unit_before(before).or_else(|| unit_after(after)),
        range,
    });
}

/// The month within `2024-05-01`, which was read with its year.
fn is_month_of_date(digits: &str, before: &str, after: &str) -> bool {
    let Some(year) = before.strip_suffix('-') else {
        return false;
    };
    let starts = year.len().saturating_sub(4);
    digits.len() == 2
        && after.starts_with('-')
        && year
            .get(starts..)
            .is_some_and(|year| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()))
}

/// One separator before exactly three digits groups; otherwise the last separator is the decimal one.
fn value(digits: &str) -> Option<f64> {
    let plain: String = digits.chars().filter(|c| *c != '\'').collect();
    let last = plain.rfind(['.', ',']);
    let Some(last) = last else {
        return plain.parse().ok();
    };
    let (whole, fraction) = plain.split_at_checked(last)?;
    let mark = fraction.chars().next()?;
    let fraction = fraction.get(1..)?;
    let has_other = whole.contains(['.', ',']) && !whole.contains(mark);
    let is_grouping = !has_other
        && fraction.len() == 3
        && (mark == ',' || whole.contains(mark))
        && !whole.starts_with('0');
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    if is_grouping || (whole.contains(mark)) {
        format!("{whole}{fraction}").parse().ok()
    } else {
        format!("{whole}.{fraction}").parse().ok()
    }
}

const WORDS: [&str; 11] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

const SCALES: [(&str, f64); 12] = [
    ("thousand", 1e3),
    ("million", 1e6),
    ("millionen", 1e6),
    ("mio", 1e6),
    ("billion", 1e9),
    ("bn", 1e9),
    ("milliarden", 1e9),
    ("trillion", 1e12),
    ("tausend", 1e3),
    ("k", 1e3),
    ("m", 1e6),
    ("hundred", 1e2),
];

const UNITS: [(&str, &str); 22] = [
    ("%", "percent"),
    ("percent", "percent"),
    ("prozent", "percent"),
    ("$", "usd"),
    ("usd", "usd"),
    ("dollar", "usd"),
    ("dollars", "usd"),
    ("\u{20ac}", "eur"),
    ("eur", "eur"),
    ("euro", "eur"),
    ("euros", "eur"),
    ("\u{a3}", "gbp"),
    ("gbp", "gbp"),
    ("pounds", "gbp"),
    ("\u{a5}", "jpy"),
    ("yen", "jpy"),
    ("mg", "mg"),
    ("kg", "kg"),
    ("km", "km"),
    ("gb", "gb"),
    ("mb", "mb"),
    ("ms", "ms"),
];

fn next_word(after: &str) -> String {
    let after = after.trim_start_matches([' ', '\u{a0}', '-']);
    let first = after.chars().next();
    if let Some(sign) = first.filter(|c| "%$\u{20ac}\u{a3}\u{a5}".contains(*c)) {
        return sign.to_string();
    }
    let word: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    word.to_lowercase()
}

fn scale(after: &str) -> f64 {
    let word = next_word(after);
    // A letter alone scales only where it touches the number.
    if word.len() == 1 && !after.starts_with(|c: char| c.is_alphabetic()) {
        return 1.0;
    }
    let known = SCALES.iter().find(|(name, _)| *name == word);
    known.map_or(1.0, |(_, factor)| *factor)
}

fn unit_after(after: &str) -> Option<&'static str> {
    let word = next_word(after);
    if SCALES.iter().any(|(name, _)| *name == word) && !word.is_empty() {
        let rest = after
            .trim_start_matches([' ', '\u{a0}', '-'])
            .trim_start_matches(|c: char| c.is_alphabetic());
        return unit_of(&next_word(rest));
    }
    unit_of(&word)
}

fn unit_before(before: &str) -> Option<&'static str> {
    let trimmed = before.trim_end_matches([' ', '\u{a0}', '-']);
    let sign = trimmed.chars().last()?;
    let word: String = trimmed
        .rsplit(|c: char| !c.is_alphabetic())
        .next()
        .unwrap_or_default()
        .to_lowercase();
    unit_of(&sign.to_string()).or_else(|| unit_of(&word).filter(|_| word.len() == 3))
}

fn unit_of(word: &str) -> Option<&'static str> {
    UNITS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, unit)| *unit)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The number of a month; "may" and "march" only with a capital.
fn month(lower: &str, written: &str) -> Option<u8> {
    if !written.starts_with(char::is_uppercase) || lower.len() < 3 {
        return None;
    }
    let is = |name: &&str| lower == *name || (lower.len() <= 4 && name.starts_with(lower));
    let at = MONTHS.iter().position(is)?;
    u8::try_from(at + 1).ok()
}

/// The names of a sentence: capitalised words that follow one another, and words of capitals and
/// digits. The first word of a sentence is no name by its capital alone.
pub(super) fn names(text: &str) -> Vec<Name> {
    let tokens = tokens(text);
    let mut out: Vec<Name> = Vec::new();
    let mut open: Option<(Name, bool)> = None;
    for (number, range) in tokens.iter().enumerate() {
        let word = text.get(range.clone()).unwrap_or_default();
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let upper = word.chars().filter(|c| c.is_uppercase()).count();
        let is_loud = letters >= 2 && upper >= 2;
        let is_capital = letters >= 2 && word.starts_with(char::is_uppercase);
        let gap = number
            .checked_sub(1)
            .and_then(|before| tokens.get(before))
            .and_then(|before| text.get(before.end..range.start))
            .unwrap_or_default();
        let follows = matches!(gap, " " | "-" | "." | ". " | "'" | "\u{2019}" | " & ");
        let is_name = (is_capital || is_loud) && month(&word.to_lowercase(), word).is_none();
        if !is_name || !follows {
            out.extend(close(open.take()));
        }
        if !is_name {
            continue;
        }
        let starts_sentence =
            number == 0 || gap.contains(['.', '!', '?', ':', '\n', '"', '\u{201c}']);
        match &mut open {
            Some((name, _)) => {
                name.words.push(word.to_lowercase());
                name.range.end = range.end;
            }
            None => {
                let name = Name {
                    words: vec![word.to_lowercase()],
                    range: range.clone(),
                };
                open = Some((name, starts_sentence && !is_loud));
            }
        }
    }
    out.extend(close(open));
    out
}

/// A name without the word that only begins the sentence.
fn close(open: Option<(Name, bool)>) -> Option<Name> {
    let (mut name, is_first) = open?;
    if is_first {
        if name.words.len() < 2 {
            return None;
        }
        // It may be a part of the name or not: the rest must be there.
        name.words.remove(0);
    }
    Some(name)
}

/// Every word of `text` in lower case, for names to be looked up.
pub(super) fn word_set(text: &str) -> HashSet<String> {
    tokens(text)
        .into_iter()
        .filter_map(|range| Some(text.get(range)?.to_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(f64, Option<&'static str>)> {
        numbers(text)
            .into_iter()
            .map(|n| (n.value, n.unit))
            .collect()
    }

    #[test]
    fn numbers_are_read_with_their_units() {
        assert_eq!(read("It costs $9."), [(9.0, Some("usd"))]);
        assert_eq!(
            read("1,234.5 and 1.234,5"),
            [(1234.5, None), (1234.5, None)]
        );
        assert_eq!(read("12,000 people"), [(12000.0, None)]);
        assert_eq!(read("3.25"), [(3.25, None)]);
        assert_eq!(read("5 million euros"), [(5e6, Some("eur"))]);
        assert_eq!(read("five million"), [(5e6, None)]);
        assert_eq!(read("up 12 %"), [(12.0, Some("percent"))]);
        assert_eq!(read("at 10:30"), [(630.0, Some("time"))]);
        assert_eq!(
            read("2024-05-01"),
            [(2024.0, None), (5.0, Some("month")), (1.0, None)]
        );
        assert_eq!(
            read("May 1, 2024"),
            [(1.0, None), (2024.0, None), (5.0, Some("month"))]
        );
        assert_eq!(read("1. GPT4 may run"), []);
        assert_eq!(read("-5 degrees"), [(-5.0, None)]);
    }

    #[test]
    fn names_are_more_than_first_words() {
        let found = |text: &str| -> Vec<String> {
            names(text)
                .iter()
                .map(|name| name.words.join(" "))
                .collect()
        };
        assert_eq!(
            found("The price was set by Ann Lee of NASA."),
            ["ann lee", "nasa"]
        );
        assert_eq!(found("Prices rise."), Vec::<String>::new());
        assert_eq!(
            found("In Berlin, Acme Corp. fell."),
            ["berlin", "acme corp"]
        );
    }
}
