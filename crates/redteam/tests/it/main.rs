//! Laws of everything that takes texts of others.

use bartizan_core::{Layer, Verdict};
use bartizan_redteam::{
    Attempt, Chain, Evidence, Family, Goal, LayerSet, MUTATORS, Seen, StackSample, Suite, Test,
    endpoint::Wire, import, incident, stance,
};
use proptest::prelude::*;

fn test(text: String) -> Test {
    let family = Family::all()
        .next()
        .unwrap_or_else(|| unreachable!("there are families"));
    Test::of_text("t/1".to_owned(), family, text, Goal::Compliance)
}

fn chain() -> impl Strategy<Value = Chain> {
    proptest::collection::vec(0..MUTATORS.len(), 0..4).prop_map(|places| {
        let mutators: Vec<_> = places
            .into_iter()
            .filter_map(|place| MUTATORS.get(place))
            .collect();
        Chain::of(&mutators)
    })
}

fn layers() -> impl Strategy<Value = LayerSet> {
    proptest::collection::vec(0..Layer::ALL.len(), 0..5).prop_map(|places| {
        places
            .into_iter()
            .filter_map(|place| Layer::ALL.get(place).copied())
            .collect()
    })
}

proptest! {
    #[test]
    fn mutators_take_any_text_and_a_seed_fixes_them(text in "\\PC{0,200}", chain in chain(), seed: u64) {
        let test = test(text);
        let one = Attempt::new(&test, &chain, seed);
        let other = Attempt::new(&test, &chain, seed);
        prop_assert_eq!(one.map(|attempt| attempt.turns), other.map(|attempt| attempt.turns));
    }

    #[test]
    fn chains_are_written_as_they_are_read(chain in chain()) {
        prop_assert_eq!(chain.to_string().parse::<Chain>().unwrap(), chain);
    }

    #[test]
    fn files_of_others_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = import::garak_report("x", &bytes);
        let _ = import::pyrit("x", &bytes);
        let _ = import::promptfoo("x", &bytes);
        let _ = Suite::from_yaml(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn answers_are_read_or_refused(status in 100_u16..600, body in "\\PC{0,200}") {
        let wires = [
            Wire::OpenAi { model: "m".to_owned() },
            Wire::Anthropic { model: "m".to_owned() },
            Wire::Template { body: serde_json::Value::Null, answer: "/a".to_owned() },
        ];
        for wire in wires {
            let _ = wire.reply(status, body.as_bytes());
        }
        let _ = stance(&body);
    }

    #[test]
    fn incidents_come_back_as_they_were(text in "[^\\x00]{1,200}") {
        prop_assume!(!text.trim().is_empty());
        let turns = [incident::turn_of_text(&text, bartizan_core::Direction::Input)];
        let incident = incident::Incident {
            id: "case",
            family: Family::named("injection.direct").unwrap(),
            turns: &turns,
            direction: bartizan_core::Direction::Input,
        };
        let yaml = incident::with_incident(None, "own", &incident).unwrap();
        let suite = Suite::from_yaml(&yaml).unwrap();
        prop_assert_eq!(&suite.tests[0].turns[0].text, &text);
    }

    /// More layers never let more attacks pass.
    #[test]
    fn layers_only_add(
        catchers in proptest::collection::vec(proptest::collection::vec(layers(), 0..3), 1..10),
        some in layers(),
        more in layers(),
    ) {
        let mut sample = StackSample::default();
        for sets in &catchers {
            let sets: Vec<LayerSet> = sets.iter().copied().filter(|set| !set.is_empty()).collect();
            sample.add(&sets);
        }
        prop_assert!(sample.stopped(some.with(more)) >= sample.stopped(some));
    }

    /// What catches is what the verdict says, for every subset.
    #[test]
    fn catchers_agree_with_verdicts(
        needs in proptest::collection::vec((layers(), 0..4_usize), 0..6),
        subset in layers(),
    ) {
        let evidence = needs
            .into_iter()
            .filter(|(needs, _)| !needs.is_empty())
            .map(|(needs, verdict)| Evidence { needs, verdict: Verdict::ALL[verdict], confidence: 0.5 })
            .collect();
        let seen = Seen { evidence, ..Seen::default() };
        for from in [Verdict::Redact, Verdict::Ask, Verdict::Block] {
            let is_caught = seen.catchers(from).iter().any(|set| set.is_in(subset));
            prop_assert_eq!(is_caught, seen.verdict_of(subset) >= from);
        }
    }
}
