//! What CPython writes, where somebody signed that.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// `repr(bytes)` (CPython, `PyBytes_Repr`), which signatures before model signing 1.0 were made over.
pub(super) fn repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut text = String::with_capacity(bytes.len() + 3);
    text.push('b');
    text.push(char::from(quote));
    for &byte in bytes {
        match byte {
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\\' => text.push_str("\\\\"),
            byte if byte == quote => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push(char::from(quote));
    text
}

/// `json.dumps(value, sort_keys=True)`: blanks after commas and colons, ASCII only, keys in the
/// order of code points.
pub(super) fn dumps(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => write_number(text, number),
        Value::String(string) => write_string(text, string),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push_str(", ");
                }
                write_value(text, item);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|a, b| a.0.cmp(b.0));
            text.push('{');
            for (at, (name, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    text.push_str(", ");
                }
                write_string(text, name);
                text.push_str(": ");
                write_value(text, value);
            }
            text.push('}');
        }
    }
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

/// Whole numbers as they are; others as `float.__repr__` does: the shortest digits that read back,
/// with an exponent below 1e-4 and from 1e16 on.
fn write_number(text: &mut String, number: &Number) {
    let value = match number.as_f64() {
        Some(value) if number.is_f64() => value,
        _ => {
            let _ = write!(text, "{number}");
            return;
        }
    };
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..16).contains(&exponent) {
        let _ = write!(text, "{value:?}");
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(text, "{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What CPython 3.11 prints.
    #[test]
    fn bytes_are_written_as_cpython_does() {
        assert_eq!(repr(b"{\"a\": 1}\n"), r#"b'{"a": 1}\n'"#);
        assert_eq!(repr(b"it's"), r#"b"it's""#);
        assert_eq!(repr(b"'\""), r#"b'\'"'"#);
        assert_eq!(repr(b"\xc3\xa9\x00\\"), r"b'\xc3\xa9\x00\\'");
    }

    /// What CPython 3.11 prints.
    #[test]
    fn json_is_written_as_cpython_does() {
        let value: Value = serde_json::from_str(
            r#"{"b": [1, -2, 0.1, 1.0, 1e-5, 1.5e300, 1e16, 123456789.5, 0.0001], "a": {"é😀": "\u007f\n", "": null}, "t": true}"#,
        )
        .unwrap();
        assert_eq!(
            dumps(&value),
            r#"{"a": {"": null, "\u00e9\ud83d\ude00": "\u007f\n"}, "b": [1, -2, 0.1, 1.0, 1e-05, 1.5e+300, 1e+16, 123456789.5, 0.0001], "t": true}"#
        );
    }
}
