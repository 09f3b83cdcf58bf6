use bartizan_govern::{ConsentError, ConsentEvent, ConsentState, Consents, Deed, PurposeConfig};

use super::key;

const DAY: i64 = 86_400_000;

fn event(at_ms: i64, who: &str, deed: Deed) -> ConsentEvent {
    ConsentEvent {
        v: ConsentEvent::VERSION,
        at_ms,
        subject: key().hash(who),
        purpose: "training".to_owned(),
        deed,
    }
}

fn granted(version: &str, ends_ms: Option<i64>) -> Deed {
    Deed::Granted {
        version: version.to_owned(),
        ends_ms,
    }
}

fn state(consents: &Consents, who: &str, rules: &PurposeConfig, at_ms: i64) -> &'static str {
    consents
        .check(&key().hash(who), "training", rules, at_ms)
        .as_str()
}

#[test]
fn ws_21_consent_has_a_time_a_version_an_end_and_a_withdrawal() {
    let lines = [
        event(10, "alice", granted("1", None)),
        event(20, "alice", Deed::Withdrawn),
        event(30, "alice", granted("2", Some(50))),
    ]
    .map(|event| event.line());
    let consents = Consents::read(&lines.concat()).unwrap();
    let any = PurposeConfig::default();
    let at = |at_ms| state(&consents, "Alice", &any, at_ms);
    assert_eq!(at(9), "never");
    assert_eq!(at(10), "given");
    assert_eq!(at(20), "withdrawn", "at once");
    assert_eq!(at(30), "given");
    assert_eq!(at(50), "ended");
    let first = PurposeConfig {
        version: "1".to_owned(),
        ..PurposeConfig::default()
    };
    assert_eq!(state(&consents, "alice", &first, 30), "other-version");
    assert_eq!(state(&consents, "bob", &any, 30), "never");
    let other = consents.check(&key().hash("alice"), "marketing", &any, 30);
    assert_eq!(other, ConsentState::Never);
    assert_eq!(consents.events(Some(&key().hash("alice"))).len(), 3);
    assert_eq!(consents.events(None).len(), 3);
}

#[test]
fn consent_ends_by_the_rules_of_its_purpose() {
    let mut consents = Consents::default();
    consents.add(event(0, "alice", granted("", Some(90 * DAY))));
    let rules = PurposeConfig {
        days: 30,
        ..PurposeConfig::default()
    };
    assert_eq!(state(&consents, "alice", &rules, 30 * DAY - 1), "given");
    assert_eq!(state(&consents, "alice", &rules, 30 * DAY), "ended");
}

#[test]
fn of_two_at_the_same_moment_the_later_counts() {
    let mut consents = Consents::default();
    consents.add(event(5, "alice", granted("", None)));
    consents.add(event(5, "alice", Deed::Withdrawn));
    assert_eq!(
        state(&consents, "alice", &PurposeConfig::default(), 5),
        "withdrawn"
    );
}

#[test]
fn a_record_that_cannot_be_read_gives_nothing() {
    let good = event(1, "alice", granted("", None)).line();
    let read = |text: String| Consents::read(&text).map(drop);
    assert_eq!(read(format!("{good}{{\n")), Err(ConsentError::Line(2)));
    let later = good.replace("\"v\":1", "\"v\":2");
    assert_eq!(read(later), Err(ConsentError::Version(1)));
    assert_eq!(
        read(good.replace("granted", "grunted")),
        Err(ConsentError::Line(1))
    );
    assert!(!good.contains("alice"));
}
