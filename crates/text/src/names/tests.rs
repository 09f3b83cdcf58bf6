#![expect(clippy::string_slice, reason = "offsets come from the code under test")]

use std::sync::Arc;

use bartizan_core::{Check, Cx, Layer, Limits, Origin, Reach};
use proptest::prelude::*;

use super::*;
use crate::{PatternsBuilder, Scanner, views::ViewLimits};

fn found(text: &str) -> Vec<(NameKind, &str)> {
    let names = Names::new(NamesConfig::default()).unwrap();
    let mut out = Vec::new();
    names.find(text, &mut out);
    out.into_iter()
        .map(|name| (name.kind, &text[name.range]))
        .collect()
}

fn people(text: &str) -> Vec<&str> {
    found(text)
        .into_iter()
        .filter(|(kind, _)| *kind == NameKind::Person)
        .map(|(_, name)| name)
        .collect()
}

#[test]
fn the_weights_fit() {
    assert!(Model::parse(WEIGHTS).is_ok());
    assert!(WEIGHTS.len() <= 2 << 20, "{}", WEIGHTS.len());
}

#[test]
fn pii_02_people_and_places() {
    assert_eq!(
        people("My name is Sarah Johnson and I moved last week."),
        ["Sarah Johnson"]
    );
    assert_eq!(
        people("Please call Michael O'Brien before noon."),
        ["Michael O'Brien"]
    );
    assert_eq!(
        found("Ship to: 235 Robert Forks, East Scottton, CO 41059"),
        [(
            NameKind::Address,
            "235 Robert Forks, East Scottton, CO 41059"
        )]
    );
    assert_eq!(
        found("We flew to Berlin last year."),
        [(NameKind::Location, "Berlin")]
    );
    assert_eq!(NameKind::Person.rule().entity.as_deref(), Some("PERSON"));
    assert_eq!(
        NameKind::Location.rule().entity.as_deref(),
        Some("LOCATION")
    );
}

#[test]
fn in_fields_of_structured_text() {
    assert_eq!(
        people("{\"name\": \"Anna Schmidt\", \"status\": \"Pending\"}"),
        ["Anna Schmidt"]
    );
    assert_eq!(
        people("2026-01-10T10:41:00Z INFO login name=Thomas Keller ip=10.0.0.1"),
        ["Thomas Keller"]
    );
    assert_eq!(
        people("<name>Maria Rossi</name><status>Active</status>"),
        ["Maria Rossi"]
    );
    assert_eq!(
        people("id;name;plan\n7;David Miller;Premium\n"),
        ["David Miller"]
    );
}

/// WS-38: a detector that knows English names only lets the others pass.
#[test]
fn ws_38_names_beyond_english() {
    for (text, name) in [
        (
            "Ich heiße Jürgen Weber und habe eine Frage.",
            "Jürgen Weber",
        ),
        ("Bonjour, je m'appelle Élodie Lefèvre.", "Élodie Lefèvre"),
        (
            "Hola, soy Carmen García y quiero cancelar.",
            "Carmen García",
        ),
        ("Buongiorno, mi chiamo Giulia Ferrari.", "Giulia Ferrari"),
        ("Olá, o meu nome é João Silva.", "João Silva"),
        (
            "Mijn naam is Pieter Bakker, ik heb een vraag.",
            "Pieter Bakker",
        ),
        ("Nazywam się Agnieszka Nowak.", "Agnieszka Nowak"),
        ("Меня зовут Мария Иванова, помогите.", "Мария Иванова"),
        ("Мене звати Олена Шевченко.", "Олена Шевченко"),
        ("Με λένε Γιώργος Παπαδόπουλος.", "Γιώργος Παπαδόπουλος"),
        ("我叫王丽华，请帮助我。", "王丽华"),
        ("私の名前は佐藤健一です。", "佐藤健一"),
        ("제 이름은 김민수입니다.", "김민수"),
        ("שמי דוד כהן ואני צריך עזרה.", "דוד כהן"),
        ("اسمي محمد العلي وأحتاج مساعدة.", "محمد العلي"),
    ] {
        assert_eq!(people(text), [name], "{text}");
    }
}

#[test]
fn ordinary_text_is_left_alone() {
    for text in [
        "The Quick Start guide shows how to install the Gateway. Please read it first.",
        "let parser = JsonParser::new(Config::default()); Parser.run(Input) // See README",
        "2026-01-10T10:41:00Z ERROR Connection refused: Database timeout after 30 s",
        "I use Microsoft Word and Google Chrome on Windows. Thank You!",
        "public class UserAccount extends BaseModel implements Serializable {}",
        "Order ORD-95423832 was shipped on 2023-08-27, tracking JJD592500465840615897.",
        "Bitte senden Sie mir die Rechnung im Januar. Sehr geehrte Damen und Herren,",
    ] {
        assert_eq!(people(text), [""; 0], "{text}");
    }
}

#[test]
fn pii_03_findings_tell_where_they_come_from() {
    let names = Names::new(NamesConfig::default()).unwrap();
    let scanner = Scanner::new(
        Arc::new(PatternsBuilder::default().build()),
        ViewLimits::default(),
    );
    let raw = b"\xff\xfe My name is Sarah Johnson.";
    let text = scanner.read(Origin::User, raw);
    let mut findings = Vec::new();
    names
        .check(
            &text,
            &mut Cx::new(Layer::Sensitive, Limits::default(), &mut findings),
        )
        .unwrap();
    let [finding] = &findings[..] else {
        panic!("{findings:?}")
    };
    assert_eq!(finding.rule.id, "pii.person");
    assert_eq!(&raw[finding.span.unwrap().as_range()], b"Sarah Johnson");
    assert!(!finding.message.contains("Sarah"));
}

#[test]
fn what_is_switched_off_is_not_reported() {
    let names = Names::new(NamesConfig {
        kinds: vec![NameKind::Location],
        min_confidence: 0.5,
    })
    .unwrap();
    let mut out = Vec::new();
    names.find("My name is Sarah Johnson.", &mut out);
    assert_eq!(out, []);
    assert_eq!(names.rules().len(), 1);
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("My name is Sarah Johnson, ".to_owned()),
        Just("235 Robert Forks, East Scottton, CO 41059\n".to_owned()),
        Just("我叫王丽华，住在河北省英县南长李街9座".to_owned()),
        Just("John Smith Mary Brown ".to_owned()),
        Just("A ".to_owned()),
        Just("\n".to_owned()),
        Just("AnnaAnnaAnnaAnnaAnnaAnnaAnnaAnna".to_owned()),
        Just("the order was shipped. ".to_owned()),
        Just("اسمي محمد العلي ".to_owned()),
        Just("\"name\": \"Anna Schmidt\", ".to_owned()),
        "[A-Za-z0-9 ,.;:'\"\\n-]{0,40}",
        "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn a_cut_beyond_the_reach_changes_nothing(parts in prop::collection::vec(fragment(), 60..140), at in 0.0..1.0_f64) {
        let text = parts.concat();
        let mut cut = (text.len() as f64 * at) as usize;
        while !text.is_char_boundary(cut) {
            cut += 1;
        }
        let Reach::Bounded(reach) = Names::REACH else { panic!("unbounded") };
        let reach = reach as usize;
        let names = Names::new(NamesConfig { kinds: NameKind::ALL.to_vec(), min_confidence: 0.0 }).unwrap();
        let (mut whole, mut head, mut tail) = (Vec::new(), Vec::new(), Vec::new());
        names.find(&text, &mut whole);
        names.find(&text[..cut], &mut head);
        names.find(&text[cut..], &mut tail);
        let before = |all: &[NameMatch]| all.iter().filter(|m| m.range.end + reach <= cut).cloned().collect::<Vec<_>>();
        prop_assert_eq!(before(&whole), before(&head));
        for name in &mut tail {
            name.range = name.range.start + cut..name.range.end + cut;
        }
        let after = |all: &[NameMatch]| all.iter().filter(|m| m.range.start >= cut + reach).cloned().collect::<Vec<_>>();
        prop_assert_eq!(after(&whole), after(&tail));
    }

    #[test]
    fn any_text_is_read_and_ranges_are_in_order(text in "\\PC{0,200}") {
        let names = Names::new(NamesConfig { kinds: NameKind::ALL.to_vec(), min_confidence: 0.0 }).unwrap();
        let mut out = Vec::new();
        names.find(&text, &mut out);
        let mut last = 0;
        for name in out {
            prop_assert!(last <= name.range.start && name.range.start < name.range.end);
            prop_assert!(text.get(name.range.clone()).is_some());
            last = name.range.end;
        }
    }
}

/// What a text says up to its settled byte stays said, whatever follows, and prose settles soon.
#[test]
fn settled_prose_waits_for_few_words() {
    let names = Names::new(NamesConfig::default()).unwrap();
    let text = "The order was shipped last week and is on its way to the customer as agreed";
    assert!(text.len() - names.settled_in(text) < 48);
    let text = "the order was shipped to Sarah Joh";
    assert!(names.settled_in(text) <= text.find("Sarah").unwrap());
}

proptest! {
    #[test]
    fn what_is_settled_stays(parts in prop::collection::vec(fragment(), 1..40), at in 0.0..1.0_f64) {
        let text = parts.concat();
        let mut cut = (text.len() as f64 * at) as usize;
        while !text.is_char_boundary(cut) {
            cut += 1;
        }
        let names = Names::new(NamesConfig { kinds: NameKind::ALL.to_vec(), min_confidence: 0.0 }).unwrap();
        let settled = names.settled_in(&text[..cut]);
        prop_assert!(settled <= cut);
        let (mut whole, mut head) = (Vec::new(), Vec::new());
        names.find(&text, &mut whole);
        names.find(&text[..cut], &mut head);
        let before = |all: &[NameMatch]| all.iter().filter(|m| m.range.start < settled).cloned().collect::<Vec<_>>();
        prop_assert_eq!(before(&whole), before(&head));
    }
}
