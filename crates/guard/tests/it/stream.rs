//! What a stream releases does not depend on how it was cut.

use std::sync::{Arc, LazyLock};

use bartizan_core::{Direction, Origin, Verdict};
use bartizan_guard::{
    Guard, Settings, Stream, StreamSubject,
    redact::{Keys, Redactor, Styles},
    window::{Flow, WindowConfig},
};
use bartizan_policy::Policy;
use bartizan_text::rules::RuleSet;
use proptest::prelude::*;

const CANARY: &str = "mzxw6ytbojtg633cmfzgm33pmi";

const PROMPT: &str = "Never tell customers the wholesale price of a book. Never promise a refund. \
    Pass complaints on to the desk in Rotterdam, and close each answer with the word violet.";

static GUARD: LazyLock<Arc<Guard>> = LazyLock::new(|| {
    let mut settings = Settings::default();
    settings.leak.canaries.push(CANARY.to_owned());
    settings.leak.prompts.push(PROMPT.to_owned());
    Arc::new(Guard::standard(&settings, RuleSet::builtin()).unwrap())
});

fn stream(config: WindowConfig) -> Stream {
    let subject = StreamSubject {
        origin: Origin::Model,
        direction: Direction::Output,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: "2026-11-21".parse().unwrap(),
    };
    let redactor = Redactor::new(Styles::default(), Keys::new([1; 32]), "test");
    Stream::new(
        Arc::clone(&GUARD),
        Arc::new(Policy::default()),
        redactor,
        subject,
        config,
    )
}

struct Released {
    text: String,
    flow: Flow,
    verdict: Verdict,
    rules: Vec<(String, u64, u64)>,
}

fn release(pieces: &[&[u8]], config: WindowConfig) -> Released {
    let mut stream = stream(config);
    let mut out = Vec::new();
    for piece in pieces {
        stream.push(piece, &mut out);
    }
    let flow = stream.finish(&mut out);
    let mut rules: Vec<_> = stream
        .take_findings()
        .into_iter()
        .map(|finding| {
            let span = finding.span.unwrap();
            (finding.rule.id.to_string(), span.start(), span.end())
        })
        .collect();
    rules.sort();
    Released {
        text: String::from_utf8_lossy(&out).into_owned(),
        flow,
        verdict: stream.verdict(),
        rules,
    }
}

fn whole(text: &str) -> Released {
    release(&[text.as_bytes()], WindowConfig::PROMPT)
}

#[test]
fn redacts_digits_split_over_pieces() {
    let pieces: [&[u8]; 4] = [
        b"My card is 4111 11",
        b"11 1111 1",
        b"111 and my mail jane@exam",
        b"ple.com.",
    ];
    let released = release(&pieces, WindowConfig::PROMPT);
    assert_eq!(
        released.text,
        "My card is [REDACTED_CREDIT_CARD] and my mail [REDACTED_EMAIL]."
    );
    assert_eq!(released.flow, Flow::Open);
    assert_eq!(released.verdict, Verdict::Redact);
}

/// Personal data over a sentence border is seen, and nothing is released that would have to be
/// called back.
#[test]
fn ws_96_nothing_is_released_before_it_was_looked_at() {
    let mut stream = stream(WindowConfig::PROMPT);
    let mut out = Vec::new();
    for byte in b"Write to jane.austen@example.com. Then call." {
        stream.push(&[*byte], &mut out);
        let shown = String::from_utf8_lossy(&out);
        assert!(!shown.contains("jane"), "{shown}");
    }
    stream.finish(&mut out);
    assert_eq!(
        String::from_utf8_lossy(&out),
        "Write to [REDACTED_EMAIL]. Then call."
    );
}

#[test]
fn holds_back_a_private_key_from_its_first_line_on() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(20);
    let text = format!(
        "Here it is:\n-----BEGIN {0} KEY-----\n{body}-----END {0} KEY-----\nKeep it safe.\n",
        "PRIVATE"
    );
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(7).collect();
    let released = release(&pieces, WindowConfig::PROMPT);
    assert!(!released.text.contains("MIIE"), "{}", released.text);
    assert!(
        released.text.starts_with("Here it is:\n[REDACTED_"),
        "{}",
        released.text
    );
}

/// However far into an answer, and however it is spelled.
#[test]
fn nothing_of_a_canary_is_released() {
    let prose = "The committee describes the weather of the past years. ".repeat(80);
    let spelled: String = CANARY.chars().flat_map(|c| [c, '-', ' ']).collect();
    for said in [CANARY, &spelled] {
        let text = format!("{prose}My reference: {said}. {prose}");
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(40).collect();
        let released = release(&pieces, WindowConfig::PROMPT);
        assert_eq!(released.flow, Flow::Stopped);
        assert!(released.text.ends_with("My reference: "), "{said}");
    }
}

#[test]
fn nothing_of_a_system_prompt_is_released() {
    let prose = "The committee describes the weather of the past years. ".repeat(80);
    let text = format!("{prose}I was told: {PROMPT} {prose}");
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(40).collect();
    let released = release(&pieces, WindowConfig::PROMPT);
    assert_eq!(released.flow, Flow::Stopped);
    assert!(released.text.ends_with("I was told: "));
}

#[test]
fn little_is_held_back_of_ordinary_text() {
    let mut stream = stream(WindowConfig::PROMPT);
    let mut out = Vec::new();
    let text =
        "The committee describes the weather of the past forty years, as far as anyone can tell. "
            .repeat(40);
    for piece in text.as_bytes().chunks(5) {
        stream.push(piece, &mut out);
    }
    let held = text.len() - out.len();
    assert!(held <= 600, "{held} bytes held back");
}

const PIECES: &[&str] = &[
    "hello ",
    "the meeting is at 3 pm. ",
    "jane@example.com",
    "x-1.2.3.4@secret-corp.com",
    " ",
    "415-555-2671",
    "+44 20 7946 0958",
    "4111 1111 1111 1111",
    "123-45-6789",
    "my ssn is ",
    "\n",
    "password = \"hK9#mQ2$vL7x\"",
    "ghp_",
    "api_key: ",
    "AKIAQYLPMN5HHHFPZAM2",
    "\u{200b}",
    "Привет мир ",
    "о",
    "请忽略",
    "DE89 3704 0044 0532 0130 00",
    "date of birth: 12/03/1985",
    "-----BEGIN RSA ",
    "PRIVATE KEY-----\n",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    ";",
    "é",
    "aWdub3Jl",
    "192.168.10.11",
    "tel ",
    "%20",
    "<b>",
    "token",
    "name,phone,ssn\n",
    "jane,415 555 2671,219099998\n",
    ",",
    "\t",
    "|",
    "| passport | C01X00T47 |\n",
    "login;dob\njane_d;1990-05-03\n",
    "INSERT INTO t (login, ssn) VALUES ('jane_d', '",
    "219099998",
    "passport: C01X00T47\n",
    "username: jane_doe77\n",
    " is my SSN",
    "mzxw6ytbojtg6",
    "33cmfzgm33pmi",
    "Never tell customers the wholesale ",
    "price of a book. Never promise a refund. Pass ",
    "complaints on to the desk in Rotterdam, and ",
    "order no ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_release_what_the_whole_releases(
        picks in prop::collection::vec(0..PIECES.len(), 0..60),
        cuts in prop::collection::vec(0usize..2000, 0..40),
        step in prop_oneof![Just(0usize), Just(64), Just(500)],
    ) {
        let text: String = picks.iter().map(|&at| PIECES[at]).collect();
        let mut bounds: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        bounds.extend([0, text.len()]);
        bounds.sort_unstable();
        let pieces: Vec<&[u8]> = bounds.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
        let config = WindowConfig { step, ..WindowConfig::PROMPT };
        let (cut, whole) = (release(&pieces, config), whole(&text));
        prop_assert_eq!(&cut.text, &whole.text);
        prop_assert_eq!(cut.flow, whole.flow);
        prop_assert_eq!(cut.verdict, whole.verdict);
        prop_assert_eq!(cut.rules, whole.rules);
    }
}

/// A bracket further on makes no column list out of a header between.
#[test]
fn columns_of_a_table_are_no_columns_of_a_statement() {
    let text = "INSERT INTO t (login, ssn) VALUES ('jane_d', 'none\nlogin;dob\njane_d;1990-05-03\n\
        the meeting is at 3 pm. INSERT INTO t (login, ssn) VALUES ('jane_d', '";
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(40).collect();
    let (cut, whole) = (release(&pieces, WindowConfig::PROMPT), whole(text));
    assert_eq!(cut.rules, whole.rules);
    assert_eq!(cut.text, whole.text);
}
