use std::sync::{Arc, OnceLock};

use bartizan_core::{Direction, Finding, Origin, Transform, Verdict};
use bartizan_guard::{
    Guard, Stream, StreamSubject,
    redact::{Keys, Redactor, Styles},
    window::{Flow, WindowConfig},
};
use bartizan_policy::Policy;

use crate::{guards, input::Input};

/// Streams: however a text is cut, the same is released, found, and decided. The first line says
/// how it is cut, the second one which guard looks at it; lines that start with `~` and a character
/// stand for prose as long as that character's number times 64 bytes, so that the window moves.
pub fn stream(data: &[u8]) {
    let mut input = Input::new(data);
    let cuts = input.line();
    let guard = &guards_of_any_reach()[input.below(3)];
    input.line();
    let text = expand(input.rest());
    let whole = run(guard, &[&text]);
    let mut pieces = Vec::new();
    let mut rest = text.as_slice();
    for cut in cuts.iter().take(12) {
        let scale = if cut % 2 == 0 { 1 } else { 97 };
        let (piece, after) = rest.split_at((usize::from(*cut) * scale).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    let cut = run(guard, &pieces);
    assert_eq!(
        cut.verdict, whole.verdict,
        "the verdict depends on the cuts"
    );
    assert_eq!(cut.flow, whole.flow, "the end depends on the cuts");
    if whole.flow == Flow::Open {
        assert_eq!(
            cut.findings, whole.findings,
            "the findings depend on the cuts"
        );
        assert_eq!(
            String::from_utf8_lossy(&cut.released),
            String::from_utf8_lossy(&whole.released),
            "what is released depends on the cuts"
        );
    }
}

#[derive(Debug)]
struct Outcome {
    released: Vec<u8>,
    findings: Vec<String>,
    verdict: Verdict,
    flow: Flow,
}

fn run(guard: &Arc<Guard>, pieces: &[&[u8]]) -> Outcome {
    static POLICY: OnceLock<Arc<Policy>> = OnceLock::new();
    let policy = POLICY.get_or_init(|| Arc::new(Policy::default()));
    let subject = StreamSubject {
        origin: Origin::Model,
        direction: Direction::Output,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: "2026-11-21".parse().expect("a day"),
    };
    let redactor = Redactor::new(Styles::default(), Keys::new([1; 32]), "session");
    let mut stream = Stream::new(
        Arc::clone(guard),
        Arc::clone(policy),
        redactor,
        subject,
        WindowConfig::PROMPT,
    );
    let mut released = Vec::new();
    for piece in pieces {
        stream.push(piece, &mut released);
    }
    let flow = stream.finish(&mut released);
    let mut findings: Vec<String> = stream.take_findings().iter().map(told).collect();
    findings.sort();
    Outcome {
        released,
        findings,
        verdict: stream.verdict(),
        flow,
    }
}

/// A finding without [`Transform::Folded`], which says that some byte of the window was folded.
fn told(finding: &Finding) -> String {
    let via: Vec<&Transform> = finding
        .via
        .iter()
        .filter(|transform| **transform != Transform::Folded)
        .collect();
    format!("{:?} {} {via:?}", finding.span, finding.rule.id)
}

/// Rules alone look a few kilobytes ahead; personal data and secrets look further.
fn guards_of_any_reach() -> &'static [Arc<Guard>; 3] {
    static GUARDS: OnceLock<[Arc<Guard>; 3]> = OnceLock::new();
    GUARDS.get_or_init(|| {
        [
            guards::guard(&["pii", "secrets"]),
            guards::guard(&["rules", "secrets"]),
            Arc::clone(guards::standard()),
        ]
    })
}

fn expand(data: &[u8]) -> Vec<u8> {
    const PROSE: &[u8] = b"the ferry leaves at noon, so bring bread and a warm coat for it\n";
    let mut text = Vec::new();
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line {
            [b'~', count, ..] if text.len() < 60_000 => {
                text.extend(PROSE.repeat(usize::from(*count)));
            }
            line => text.extend(line),
        }
    }
    text
}
