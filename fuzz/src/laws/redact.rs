use std::{borrow::Cow, collections::BTreeMap};

use bartizan_core::{Category, Confidence, Finding, Layer, Rule, RuleRef, Severity, Span};
use bartizan_guard::redact::{FormatPreserving, Keys, Redactor, Style, Styles, stretches};

use crate::input::Input;

/// Redaction: of every finding not a byte is left, everything else stays in place, and what is
/// encrypted in its format keeps its form and can be decrypted.
pub fn redact(data: &[u8]) {
    let mut input = Input::new(data);
    let at = input.below(64);
    let style = STYLES[input.below(STYLES.len())];
    let findings: Vec<Finding> = (0..input.below(12))
        .map(|_| {
            let (start, len) = (input.below(128), input.below(40));
            finding(start..start + len, input.byte())
        })
        .collect();
    let text = input.rest();

    let mut covered = vec![false; text.len()];
    for finding in &findings {
        for byte in finding.span.expect("given").as_range() {
            if let Some(covered) = byte.checked_sub(at).and_then(|byte| covered.get_mut(byte)) {
                *covered = true;
            }
        }
    }
    // Bytes that the text does not hold tell replacements from the rest.
    let mut marked = redactor(Style::Text(MARK.to_string()));
    if !text.contains(&(MARK as u8)) {
        let mut out = marked.rewrite(text, at, &findings);
        out.retain(|byte| *byte != MARK as u8);
        let kept: Vec<u8> = text
            .iter()
            .zip(&covered)
            .filter_map(|(byte, covered)| (!covered).then_some(*byte))
            .collect();
        assert_eq!(out, kept, "with {:?}", stretches(&findings));
    }
    let mut redactor = redactor(style.parse().expect("the style is known"));
    let once = redactor.rewrite(text, at, &findings);
    assert_eq!(
        once,
        redactor.rewrite(text, at, &findings),
        "{style} is not stable"
    );
    if !covered.contains(&true) && findings.is_empty() {
        assert_eq!(once, text);
    }
    if style == "vault"
        && let Ok(value) = std::str::from_utf8(text)
    {
        let token = redactor.replace("PERSON", value);
        assert_eq!(redactor.vault().restore(&token), value);
    }
    if let Ok(value) = std::str::from_utf8(text) {
        encrypted(redactor.cipher(), value);
    }
}

const MARK: char = '\u{1}';

const STYLES: [&str; 9] = [
    "typed",
    "plain",
    "mask",
    "partial",
    "last-four",
    "hash",
    "pseudonym",
    "format-preserving",
    "vault",
];

fn redactor(default: Style) -> Redactor {
    let styles = Styles {
        default,
        entities: BTreeMap::new(),
    };
    Redactor::new(styles, Keys::new([5; 32]), "session")
}

fn encrypted(cipher: &FormatPreserving, value: &str) {
    let Ok(sealed) = cipher.encrypt("session/PERSON", value) else {
        return;
    };
    assert_eq!(
        cipher.decrypt("session/PERSON", &sealed).as_deref(),
        Ok(value)
    );
    let form = |text: &str| -> Vec<char> {
        text.chars()
            .map(|c| match c {
                '0'..='9' => '0',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                other => other,
            })
            .collect()
    };
    assert_eq!(form(&sealed).len(), form(value).len());
}

fn finding(range: std::ops::Range<usize>, certainty: u8) -> Finding {
    Finding {
        rule: RuleRef::Shared(std::sync::Arc::new(Rule {
            id: Cow::Borrowed("pii.person"),
            title: Cow::Borrowed("a person"),
            severity: Severity::Medium,
            category: Category::ALL[usize::from(certainty) % Category::ALL.len()],
            refs: Cow::Borrowed(&[]),
            why: Cow::Borrowed(""),
            fix: Cow::Borrowed(""),
            entity: Some(Cow::Borrowed("PERSON")),
        })),
        layer: Layer::Sensitive,
        confidence: Confidence::clamped(f32::from(certainty) / 255.0),
        span: Some(Span::from_range(range)),
        via: Vec::new(),
        message: Cow::Borrowed("a person"),
    }
}
