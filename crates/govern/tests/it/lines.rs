use bartizan_govern::{FilesConfig, LineMatcher, TimeIn};
use proptest::prelude::*;

fn matcher(subject: &str) -> LineMatcher {
    LineMatcher::new(&FilesConfig {
        subject: subject.to_owned(),
        time: "at".to_owned(),
        time_in: TimeIn::Text,
        ..FilesConfig::default()
    })
}

#[test]
fn a_field_decides_where_one_is_named() {
    let by_field = matcher("user.mail");
    let is = |line: &str| by_field.is_about(line.as_bytes(), "Alice@example.com");
    assert!(is(r#"{"user": {"mail": "alice@EXAMPLE.com "}}"#));
    assert!(is(r#"{"user": {"mail": "alice@example.com"}}"#));
    assert!(!is(
        r#"{"user": {"mail": "bob@example.com"}, "note": "for alice@example.com"}"#
    ));
    // What is no JSON is searched, not passed over.
    assert!(is("12:00 alice@example.com logged in"));
    let ids = by_field.identifiers(br#"{"user": {"mail": "alice@example.com"}}"#);
    assert_eq!(ids, ["alice@example.com"]);
}

#[test]
fn without_a_field_a_line_is_about_whoever_it_names() {
    let anywhere = matcher("");
    let is = |line: &str| anywhere.is_about(line.as_bytes(), "alice@example.com");
    for line in [
        "alice@example.com",
        "to <Alice@Example.com>, cc bob",
        "she is alice@example.com.",
        r#"{"a": [{"b": "alice\u0040example.com"}]}"#,
        r#"{"alice@example.com": 1}"#,
    ] {
        assert!(is(line), "{line}");
    }
    for line in [
        "malice@example.com",
        "alice@example.com.au",
        "x.alice@example.com",
        "alice@example.community",
        r#"{"a": "bob"}"#,
    ] {
        assert!(!is(line), "{line}");
    }
    let number = |line: &str| anywhere.is_about(line.as_bytes(), "12345");
    assert!(number(r#"{"id": 12345}"#) && !number(r#"{"id": 123456}"#));
}

#[test]
fn times_are_read_as_they_are_configured() {
    let time = |time_in, line: &str| {
        let config = FilesConfig {
            time: "t.at".to_owned(),
            time_in,
            ..FilesConfig::default()
        };
        LineMatcher::new(&config).time_ms(line.as_bytes())
    };
    assert_eq!(
        time(TimeIn::Milliseconds, r#"{"t": {"at": 1500}}"#),
        Some(1_500)
    );
    assert_eq!(time(TimeIn::Seconds, r#"{"t": {"at": 15}}"#), Some(15_000));
    let text = r#"{"t": {"at": "1970-01-01T00:00:02Z"}}"#;
    assert_eq!(time(TimeIn::Text, text), Some(2_000));
    assert_eq!(time(TimeIn::Text, r#"{"t": {"at": "soon"}}"#), None);
    assert_eq!(time(TimeIn::Seconds, "{}"), None);
    assert!(!LineMatcher::new(&FilesConfig::default()).has_time());
}

proptest! {
    /// Any bytes can be looked at, and a name alone in a line is found.
    #[test]
    fn no_line_is_too_odd(line in proptest::collection::vec(any::<u8>(), 0..200), name in "[a-z0-9]{3,20}") {
        let anywhere = matcher("");
        let _ = (anywhere.is_about(&line, &name), anywhere.identifiers(&line), anywhere.time_ms(&line));
        let around = format!("x {name} y");
        let is_found = anywhere.is_about(around.as_bytes(), &name);
        prop_assert!(is_found);
        let is_known = anywhere.identifiers(around.as_bytes()).contains(&name);
        prop_assert!(is_known);
    }
}
