use std::sync::OnceLock;

use bartizan_core::{Limits, Origin, Report, Sink};
use bartizan_guard::sink::{AllowedHosts, HiddenText, ParameterisedQuery, SinkHazards, encode};
use bartizan_text::Text;

use crate::guards;

/// Sinks: hazards lie in the text, on whole characters; encoded values come back as they were and
/// hold nothing that the sink would act on.
pub fn sink(data: &[u8]) {
    static CHECKS: OnceLock<[SinkHazards; 2]> = OnceLock::new();
    let checks = CHECKS.get_or_init(|| {
        let allowed = AllowedHosts::new(["example.com"]).expect("a host");
        [
            SinkHazards::local(allowed.clone()),
            SinkHazards::whole(allowed),
        ]
    });
    let mut text = guards::plain_scanner().read(Origin::Tool, data);
    for sink in Sink::ALL {
        text.sink = Some(sink);
        let mut report = Report::default();
        for check in checks {
            report.run::<Text<'_>>(check, &text, Limits::default());
        }
        guards::spans_are_sound(&report, data);
    }
    let mut report = Report::default();
    report.run::<Text<'_>>(&HiddenText, &text, Limits::default());
    guards::spans_are_sound(&report, data);
    let said = String::from_utf8_lossy(data);
    let _ = ParameterisedQuery::<&str>::new(&*said, [said.as_ref()]);
    let _ = AllowedHosts::new([&*said]).map(|hosts| hosts.allows(&said));
    encoded(&said);
}

fn encoded(value: &str) {
    let html = encode::html_text(value);
    assert!(!html.contains(['<', '>', '"', '\'', '`', '\0']));
    let script = encode::javascript_string(value);
    let back: Result<String, _> = serde_json::from_str(&format!("\"{script}\""));
    assert_eq!(back.ok().as_deref(), Some(value));
    let style = encode::css_string(value);
    assert!(
        style
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'\\')
    );
    let url = encode::url_component(value);
    assert!(
        url.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte))
    );
    assert_eq!(url.matches('%').count() * 2 + value.len(), url.len());
    let markdown = encode::markdown_text(value);
    assert!(!markdown.contains(['<', '>', '\n', '\r', '\0']));
    let cell = encode::csv_cell(value);
    let inner = cell
        .strip_prefix('"')
        .and_then(|cell| cell.strip_suffix('"'));
    let inner = inner.expect("a cell is quoted").replace("\"\"", "");
    assert!(!inner.contains('"'), "a quote ends the cell");
    assert!(
        !inner.starts_with(['=', '+', '-', '@', '\t', '\r']),
        "a formula"
    );
    for (literal, escape) in [
        (encode::shell_word(value), "'\\''"),
        (encode::sql_string(value), "''"),
    ] {
        match literal {
            Ok(literal) => {
                let inner = &literal[1..literal.len() - 1];
                assert_eq!(inner.replace(escape, "'"), value);
                assert!(!inner.replace(escape, "").contains('\''));
            }
            Err(_) => assert!(value.contains('\0')),
        }
    }
}
