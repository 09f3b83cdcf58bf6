use bartizan_redteam::{
    Attempt, Chain, Family, Goal, MUTATORS, Suite, Test, endpoint::Wire, import, stance,
};

/// Files of tests and answers of models: read or refused; what is read can be tried, the same each
/// time, under every mutator that the first byte names.
pub fn redteam(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    let read = [
        Suite::from_yaml(&text).ok(),
        import::garak_report("x", rest).ok(),
        import::pyrit("x", rest).ok(),
        import::promptfoo("x", rest).ok(),
    ];
    let mutator = &MUTATORS[usize::from(first) % MUTATORS.len()];
    let chain = Chain::of(&[mutator]);
    let family = Family::named("injection.direct").expect("it is in the table");
    let own = Test::of_text("x/0".to_owned(), family, text.clone().into_owned(), Goal::Compliance);
    let suites = read.iter().flatten();
    let tests = suites.flat_map(|suite| &suite.tests).take(8);
    for test in tests.chain([&own]) {
        let turns = |seed| Attempt::new(test, &chain, seed).map(|attempt| attempt.turns);
        assert_eq!(turns(1), turns(1));
        assert!(test.turns.get(test.payload).is_some());
    }
    let wire = Wire::OpenAi {
        model: "m".to_owned(),
    };
    let _ = wire.reply(200, rest);
    let _ = wire.reply(400, rest);
    let _ = stance(&text);
}
