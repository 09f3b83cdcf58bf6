//! The order of Maven's `ComparableVersion` (Maven, "POM Reference", "Version Order Specification").

use std::cmp::Ordering;

/// A number or a word, with what stood before it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    is_dash: bool,
    item: Item,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Number(u128),
    Word(String),
}

/// Qualifiers in their order; the empty one is a release.
static QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

/// Compares two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let [a, b] = [a, b].map(tokens);
    for at in 0..a.len().max(b.len()) {
        let order = match (a.get(at), b.get(at)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(a), None) => a.cmp(&a.padding()),
            (None, Some(b)) => b.padding().cmp(b),
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

impl Token {
    /// What stands in for a token that the other version has and this one has not.
    fn padding(&self) -> Self {
        Self {
            is_dash: self.is_dash,
            item: match self.item {
                Item::Number(_) => Item::Number(0),
                Item::Word(_) => Item::Word(String::new()),
            },
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.item, &other.item) {
            (Item::Word(a), Item::Word(b)) => rank(a).cmp(&rank(b)),
            (Item::Number(a), Item::Number(b)) if self.is_dash == other.is_dash => a.cmp(b),
            // `-qualifier` < `-number` < `.number`, and `.qualifier` = `-qualifier`.
            _ => self.kind().cmp(&other.kind()),
        }
    }

    const fn kind(&self) -> u8 {
        match (&self.item, self.is_dash) {
            (Item::Word(_), _) => 0,
            (Item::Number(_), true) => 1,
            (Item::Number(_), false) => 2,
        }
    }
}

/// Known words by their place, all others behind them by their letters.
fn rank(word: &str) -> (usize, &str) {
    match QUALIFIERS.iter().position(|known| *known == word) {
        Some(place) => (place, ""),
        None => (QUALIFIERS.len(), word),
    }
}

fn tokens(version: &str) -> Vec<Token> {
    let version = version.to_lowercase();
    let mut tokens: Vec<Token> = Vec::new();
    let mut is_dash = false;
    let mut current = String::new();
    let mut push = |current: &mut String, is_dash: bool, before_digit: bool| {
        let text = std::mem::take(current);
        let item = match text.parse() {
            Ok(number) => Item::Number(number),
            Err(_) if text.is_empty() => Item::Number(0),
            Err(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => Item::Number(u128::MAX),
            Err(_) => Item::Word(match text.as_str() {
                "a" if before_digit => "alpha".to_owned(),
                "b" if before_digit => "beta".to_owned(),
                "m" if before_digit => "milestone".to_owned(),
                "cr" => "rc".to_owned(),
                "ga" | "final" | "release" => String::new(),
                _ => text,
            }),
        };
        tokens.push(Token { is_dash, item });
    };
    for c in version.chars() {
        let last_is_digit = current.chars().last().map(|last| last.is_ascii_digit());
        match c {
            '.' | '-' | '_' => {
                push(&mut current, is_dash, false);
                is_dash = c != '.';
            }
            c if last_is_digit.is_some_and(|was| was != c.is_ascii_digit()) => {
                push(&mut current, is_dash, c.is_ascii_digit());
                // Between a letter and a digit stands a dash that is not written.
                is_dash = true;
                current.push(c);
            }
            c => current.push(c),
        }
    }
    push(&mut current, is_dash, false);
    trimmed(tokens)
}

/// Without what is as if it were not there: zeros and empty words at the end, before dashes, and
/// before words (Maven 3.9, MNG-7644).
fn trimmed(mut tokens: Vec<Token>) -> Vec<Token> {
    let is_null = |token: &Token| match &token.item {
        Item::Number(number) => *number == 0,
        Item::Word(word) => word.is_empty(),
    };
    let mut at = tokens.len();
    while at > 0 {
        at -= 1;
        let ends_here = tokens
            .get(at + 1)
            .is_none_or(|next| next.is_dash || matches!(next.item, Item::Word(_)));
        if ends_here && at > 0 && tokens.get(at).is_some_and(is_null) {
            tokens.remove(at);
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Version Order Specification" and `ComparableVersionTest` of Maven.
    #[test]
    fn the_order_of_the_specification() {
        let ascending = [
            "1-alpha-1",
            "1-beta-2",
            "1-beta-123",
            "1-m2",
            "1-rc",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-abc",
            "1-1",
            "1.1-rc2",
            "1.1",
            "1.1-sp",
            "1.2",
            "1.10",
            "2-1",
            "2.0.1",
        ];
        for (at, a) in ascending.iter().enumerate() {
            for (bt, b) in ascending.iter().enumerate() {
                assert_eq!(compare(a, b), at.cmp(&bt), "{a} {b}");
            }
        }
        for (a, b) in [
            ("1", "1.0.0"),
            ("1-ga", "1"),
            ("1.0.RC1", "1-cr1"),
            ("1a1", "1-alpha-1"),
            ("1.final", "1"),
            ("1x", "1-x"),
            ("1.0-0", "1"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }
}
