use bartizan_text::{
    PatternsBuilder,
    scan::{PatternSpec, analyse, longest_match},
};

use crate::input::Input;

/// Patterns of strangers: what is accepted finds matches that lie in the text, start with an
/// anchor, and are no longer than promised. The patterns are lines up to an empty one.
pub fn patterns(data: &[u8]) {
    let mut input = Input::new(data);
    let mut builder = PatternsBuilder::default();
    let group = builder.group();
    let mut accepted = Vec::new();
    while !input.is_empty() && accepted.len() < 8 {
        let line = input.line();
        if line.is_empty() {
            break;
        }
        let Ok(pattern) = std::str::from_utf8(line) else {
            continue;
        };
        let Ok(analysis) = analyse(pattern) else {
            continue;
        };
        assert!(!analysis.anchors.is_empty());
        assert_eq!(longest_match(pattern), Ok(analysis.max_len));
        let number = builder.add(group, &PatternSpec::new(pattern));
        assert_eq!(
            number,
            Ok(accepted.len() as u32),
            "`{pattern}` was analysed"
        );
        accepted.push(analysis);
    }
    let text = String::from_utf8_lossy(input.rest());
    let patterns = builder.build();
    let hits = patterns.scan(&text);
    let mut last = 0;
    for hit in &hits {
        let analysis = &accepted[hit.pattern as usize];
        assert!(hit.range.start >= last, "hits are in order");
        last = hit.range.start;
        assert!(hit.range.len() <= analysis.max_len && !hit.range.is_empty());
        assert!(hit.range.start <= hit.value.start && hit.value.end <= hit.range.end);
        let matched = &text.as_bytes()[hit.range.clone()];
        let starts = |anchor: &String| {
            matched
                .get(..anchor.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(anchor.as_bytes()))
        };
        assert!(analysis.anchors.iter().any(starts), "starts with no anchor");
    }
    assert_eq!(hits, patterns.scan(&text));
}
