use std::sync::{Arc, OnceLock};

use bartizan_text::{
    PatternsBuilder, Scanner,
    fold::fold_str,
    names::{Model, NameKind, Names, NamesConfig},
    pii::{Match, Pii, PiiConfig, resolve},
    secrets::Secrets,
    views::ViewLimits,
};

use crate::guards;

/// Personal data: matches lie in the text, on whole characters, and are sure enough; resolved ones
/// do not overlap; the same text gives the same matches.
pub fn pii(data: &[u8]) {
    static ALL: OnceLock<Pii> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let config = PiiConfig {
            enable: vec!["DATE_TIME".to_owned(), "URL".to_owned()],
            min_confidence: 0.0,
            ..PiiConfig::default()
        };
        Pii::new(&config).expect("the names are known")
    });
    let text = fold_str(&String::from_utf8_lossy(data));
    let mut found: Vec<Match> = Vec::new();
    all.find(&text, &mut found);
    for one in &found {
        assert!(
            text.get(one.range.clone())
                .is_some_and(|value| !value.is_empty()),
            "{} at {:?}",
            one.rule.id,
            one.range
        );
    }
    let mut again = Vec::new();
    all.find(&text, &mut again);
    assert_eq!(found, again);
    let mut kept = resolve(found);
    kept.sort_by_key(|one| one.range.start);
    for pair in kept.windows(2) {
        assert!(pair[0].range.end <= pair[1].range.start, "{pair:?}");
    }
    guards::report_of(all, guards::plain_scanner(), data);
}

/// Secrets: findings lie in the text, on whole characters, and do not overlap.
pub fn secrets(data: &[u8]) {
    static CHECK: OnceLock<(Secrets, Scanner)> = OnceLock::new();
    let (check, scanner) = CHECK.get_or_init(|| {
        let mut patterns = PatternsBuilder::default();
        let check = Secrets::new(&mut patterns).expect("the built-in patterns are sound");
        let scanner = Scanner::new(Arc::new(patterns.build()), ViewLimits::default());
        (check, scanner)
    });
    let report = guards::report_of(check, scanner, data);
    let mut spans: Vec<_> = report.findings.iter().filter_map(|one| one.span).collect();
    spans.sort_unstable();
    for pair in spans.windows(2) {
        assert!(!pair[0].overlaps(pair[1]), "{pair:?}");
    }
}

/// Names: matches lie in the text, on whole characters, in order, and do not overlap; weights of
/// strangers are read or refused.
pub fn names(data: &[u8]) {
    static ALL: OnceLock<Names<'static>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let config = NamesConfig {
            kinds: NameKind::ALL.to_vec(),
            min_confidence: 0.0,
        };
        Names::new(config).expect("the weights are of this version")
    });
    let _ = Model::parse(data);
    let text = fold_str(&String::from_utf8_lossy(data));
    for raw in [&*String::from_utf8_lossy(data), &*text] {
        let mut found = Vec::new();
        all.find(raw, &mut found);
        let mut last = 0;
        for one in &found {
            let value = raw.get(one.range.clone());
            assert!(value.is_some_and(|value| !value.is_empty()), "{one:?}");
            assert!(one.range.start >= last, "{one:?} begins before {last}");
            last = one.range.end;
        }
    }
    guards::report_of(all, guards::plain_scanner(), data);
}
