use bartizan_posture::{
    config::{Document, Kind, rules},
    history::Patches,
    secrets::{SecretScanner, Where, gitleaks::GitleaksConfig},
};

/// Any text under the name of any kind of file is judged or refused, twice the same, and places lie
/// in the text on whole characters.
pub fn configuration(data: &[u8]) {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let kind = Kind::ALL[usize::from(*first) % Kind::ALL.len()];
    let path = kind.example_path();
    let Ok(Some(document)) = Document::read(path, text) else {
        return;
    };
    for line in &document.lines {
        assert!(text.get(line.span.clone()).is_some(), "{:?}", line.span);
    }
    for rule in rules::builtin() {
        let places = rule.find(&document);
        assert_eq!(places, rule.find(&document));
        for place in places {
            assert!(text.get(place.clone()).is_some(), "{place:?}");
        }
    }
}

/// What is read from `git` has every added line once, and lines only grow within a hunk.
pub fn git_patch(data: &[u8]) {
    for change in Patches::new(data) {
        let Ok(change) = change else {
            return;
        };
        assert!(change.added.len() <= data.len() + 1);
        let lines = change.added.iter().filter(|byte| **byte == b'\n').count();
        for line in 1..=lines.min(64) {
            let _ = change.line(line);
        }
    }
}

/// Every mistake in a file of rules has a line of the file; what loads finds secrets in the text.
pub fn gitleaks(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(config) = GitleaksConfig::parse(&text) else {
        return;
    };
    let Ok(scanner) = SecretScanner::with_rules(config) else {
        return;
    };
    let place = Where {
        path: "a/b.toml",
        commit: None,
    };
    for leak in scanner.look(data, place).unwrap_or_default() {
        assert!(data.get(leak.secret.clone()).is_some());
        assert!(
            leak.line >= 1 && leak.line <= 1 + data.iter().filter(|byte| **byte == b'\n').count()
        );
    }
}
