use std::sync::Arc;

use bartizan_core::{Direction, Limits, Origin, Report};
use bartizan_guard::leak::{Canaries, LeakCheck, LeakConfig, LeakIndex, WordList, WordLists, canary, plant};
use bartizan_text::Text;

use crate::{guards, input::Input};

/// Leaks: a canary and a copied prompt are found again in whatever stands around them, and what is
/// found lies in the text. The first line is a word of a list, the second one a prompt.
pub fn leak(data: &[u8]) {
    let mut input = Input::new(data);
    let word = String::from_utf8_lossy(input.line()).into_owned();
    let prompt = String::from_utf8_lossy(input.line()).into_owned();
    let answer = input.rest();
    let token = canary([0x5a; 16]);
    let index = Arc::new(LeakIndex::new(
        [3; 16],
        &[&plant(&prompt, &token)],
        [prompt.as_str()],
        LeakConfig::default(),
    ));
    let copies = [
        LeakCheck::local(Arc::clone(&index)),
        LeakCheck::whole(index),
    ];
    let mut said = answer.to_vec();
    said.extend(b"\n\n");
    said.extend(token.as_bytes());
    said.extend(b"\n\n");
    said.extend(answer);
    for check in &copies {
        looked_at(check, answer);
        looked_at(check, &said);
    }
    let canaries = Canaries::new(std::slice::from_ref(&token)).expect("a canary is long enough");
    let report = looked_at(&canaries, &said);
    assert!(
        report
            .findings
            .iter()
            .any(|one| one.rule.id == "leak.canary"),
        "the canary came out unseen"
    );
    let list = WordList {
        name: "own".to_owned(),
        words: vec![word],
        inflected: true,
        except: Vec::new(),
    };
    if let Ok(lists) = WordLists::new(&[list]) {
        looked_at(&lists, answer);
    }
}

fn looked_at(check: &dyn for<'t> bartizan_core::Check<Text<'t>>, raw: &[u8]) -> Report {
    let mut text = guards::plain_scanner().read(Origin::Model, raw);
    text.direction = Direction::Output;
    let mut report = Report::default();
    report.run::<Text<'_>>(check, &text, Limits::default());
    guards::spans_are_sound(&report, raw);
    report
}
