//! Numbers as text.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::eval::v1::Number;

/// What stands for a number that there is not.
pub(crate) const NOTHING: &str = "-";

/// A count with commas.
pub(crate) fn many(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in percent with one digit.
pub(crate) fn percent(number: Option<Number>) -> String {
    number.map_or_else(
        || NOTHING.to_owned(),
        |number| format!("{:.1} %", number.value * 100.0),
    )
}

/// The interval of a share in percent.
pub(crate) fn percent_interval(number: Option<Number>) -> String {
    ends(number).map_or_else(String::new, |(low, high)| {
        format!("[{:.1}, {:.1}]", low * 100.0, high * 100.0)
    })
}

/// A number with three digits.
pub(crate) fn share(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.3}"))
}

/// The interval of such a number.
pub(crate) fn interval(number: Option<Number>) -> String {
    ends(number).map_or_else(String::new, |(low, high)| format!("[{low:.3}, {high:.3}]"))
}

fn ends(number: Option<Number>) -> Option<(f64, f64)> {
    let number = number?;
    Some((number.low?, number.high?))
}

/// A probability, small ones by their order only.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 {
        "below 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// The first entries of a list, and how many more there are.
pub(crate) fn list(entries: &[String], most: usize) -> String {
    let mut shown: Vec<String> = entries.iter().take(most).cloned().collect();
    if entries.len() > most {
        shown.push(format!("{} more", entries.len() - most));
    }
    shown.join(", ")
}

/// `text` in exactly so many columns: cut, or filled with blanks.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let width = text.width();
    if width <= columns {
        return format!("{text}{}", " ".repeat(columns - width));
    }
    let mut out = String::new();
    let mut used = 0;
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if used + width + 1 > columns {
            break;
        }
        out.push(character);
        used += width;
    }
    format!("{out}…{}", " ".repeat(columns.saturating_sub(used + 1)))
}

/// `text` at the right end of so many columns.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{text:>columns$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(many(0), "0");
        assert_eq!(many(999), "999");
        assert_eq!(many(1_000), "1,000");
        assert_eq!(many(1_234_567), "1,234,567");
        let number = Number {
            value: 0.6667,
            low: Some(0.5),
            high: Some(1.0),
        };
        assert_eq!(percent(Some(number)), "66.7 %");
        assert_eq!(percent_interval(Some(number)), "[50.0, 100.0]");
        assert_eq!(interval(Some(number)), "[0.500, 1.000]");
        assert_eq!(
            (percent(None), interval(None)),
            ("-".to_owned(), String::new())
        );
        assert_eq!(probability(0.000_5), "below 0.001");
    }

    #[test]
    fn names_fit_their_column() {
        assert_eq!(padded("ab", 4), "ab  ");
        assert_eq!(padded("abcdef", 4), "abc…");
        // Wide characters take two columns.
        assert_eq!(padded("日本語", 4), "日… ");
        assert_eq!(list(&["a".to_owned(), "b".to_owned()], 1), "a, 1 more");
    }
}
