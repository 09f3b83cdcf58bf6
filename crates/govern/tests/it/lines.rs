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

/// Everybody whom the line may be about.
fn offered(lines: &LineMatcher, line: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    let is_any = lines.is_about_any(line, |one| {
        all.push(one.to_owned());
        false
    });
    assert!(!is_any);
    all
}

#[test]
fn whoever_is_held_is_seen_where_erasure_would_find_them() {
    let anywhere = matcher("");
    for (line, whom) in [
        (r#"{"alice@example.com": 1}"#, "alice@example.com"),
        ("user=alice@example.com,ip=::1", "alice@example.com"),
        ("mailto:alice@example.com?x", "alice@example.com"),
        ("called +44 20 7946 0958 twice", "+44 20 7946 0958"),
        ("called +442079460958.", "+442079460958"),
        (
            r#"{"said": "for Maria del Carmen, now"}"#,
            "maria del carmen",
        ),
        (r#"{"id": [{"n": 12345}]}"#, "12345"),
    ] {
        assert!(anywhere.is_about(line.as_bytes(), whom), "{line}");
        assert!(
            anywhere.is_about_any(line.as_bytes(), |one| one == whom),
            "{line}"
        );
    }
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
    let line = r#"{"user": {"mail": "alice@example.com"}, "note": "for bob@example.com"}"#;
    assert_eq!(offered(&by_field, line.as_bytes()), ["alice@example.com"]);
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
        let _ = (anywhere.is_about(&line, &name), anywhere.is_about_any(&line, |_| false), anywhere.time_ms(&line));
        let around = format!("x {name} y");
        let is_found = anywhere.is_about(around.as_bytes(), &name);
        prop_assert!(is_found);
    }

    /// Who is found by a search is offered to those who know only a hash.
    #[test]
    fn nobody_is_erased_whom_a_hold_would_miss(
        line in "[aBé1._+@=,:() -]{1,40}",
        from in 0_usize..40,
        length in 3_usize..=8,
        is_field in any::<bool>(),
    ) {
        let whom: String = line.chars().skip(from).take(length).collect();
        let whom = whom.trim();
        prop_assume!(whom.len() >= 3);
        let line = match is_field {
            true => format!(r#"{{"{line}": 1}}"#),
            false => line.clone(),
        };
        let anywhere = matcher("");
        if anywhere.is_about(line.as_bytes(), whom) {
            let whom = whom.to_lowercase();
            prop_assert!(anywhere.is_about_any(line.as_bytes(), |one| one == whom));
        }
    }
}
