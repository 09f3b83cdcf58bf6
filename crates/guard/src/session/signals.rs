use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Serialize;

/// What the words of one turn show: cheap, and meaningful only over turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TurnSignals {
    /// Someone is to be played, or stay in a role.
    pub role_play: bool,
    /// The wish goes further than the last one: more detail, the next step.
    pub goes_further: bool,
    /// Limits are to be dropped: no warnings, no refusals.
    pub lifts_limits: bool,
    /// Words of harm, 0 for none, 1 for three or more different ones.
    pub harm: f32,
}

impl TurnSignals {
    /// The signals in the words of a turn. English words; other languages come from the classifier.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut signals = Self::default();
        let mut harms = [false; PHRASES.len()];
        for found in MATCHER.find_iter(text) {
            if !starts_word(text, found.start()) {
                continue;
            }
            let number = found.pattern().as_usize();
            match PHRASES.get(number).map(|(signal, _)| signal) {
                Some(Signal::Role) => signals.role_play = true,
                Some(Signal::Further) => signals.goes_further = true,
                Some(Signal::Limits) => signals.lifts_limits = true,
                Some(Signal::Harm) => {
                    if let Some(harm) = harms.get_mut(number) {
                        *harm = true;
                    }
                }
                None => {}
            }
        }
        let different = harms.iter().filter(|harm| **harm).count();
        signals.harm = (different as f32 / 3.0).min(1.0);
        signals
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| text.as_bytes().get(before))
        .is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

enum Signal {
    Role,
    Further,
    Limits,
    Harm,
}

/// Beginnings of words; case does not matter.
#[rustfmt::skip]
const PHRASES: &[(Signal, &str)] = &[
    (Signal::Role, "you are now"), (Signal::Role, "pretend"), (Signal::Role, "role-play"),
    (Signal::Role, "roleplay"), (Signal::Role, "role play"), (Signal::Role, "in character"),
    (Signal::Role, "let's write a story"), (Signal::Role, "let us write a story"),
    (Signal::Role, "imagine you"), (Signal::Role, "act as"), (Signal::Role, "play the part"),
    (Signal::Role, "your character"), (Signal::Role, "you play"), (Signal::Role, "in the story"),
    (Signal::Role, "the character"), (Signal::Role, "hypothetical"), (Signal::Role, "fictional"),
    (Signal::Further, "go further"), (Signal::Further, "more detail"), (Signal::Further, "step by step"),
    (Signal::Further, "continue"), (Signal::Further, "keep going"), (Signal::Further, "more specific"),
    (Signal::Further, "more realistic"), (Signal::Further, "be more explicit"), (Signal::Further, "elaborate"),
    (Signal::Further, "next step"), (Signal::Further, "exact "), (Signal::Further, "precise"),
    (Signal::Further, "as you said"), (Signal::Further, "as you just"), (Signal::Further, "take it up"),
    (Signal::Further, "even more"), (Signal::Further, "now describe"), (Signal::Further, "now explain"),
    (Signal::Limits, "no warnings"), (Signal::Limits, "without warnings"), (Signal::Limits, "no disclaimer"),
    (Signal::Limits, "without disclaimer"), (Signal::Limits, "never refuse"), (Signal::Limits, "don't refuse"),
    (Signal::Limits, "no restrictions"), (Signal::Limits, "without restrictions"), (Signal::Limits, "no rules"),
    (Signal::Limits, "no filter"), (Signal::Limits, "unfiltered"), (Signal::Limits, "uncensored"),
    (Signal::Limits, "no morals"), (Signal::Limits, "ignore your guidelines"),
    (Signal::Harm, "explosive"), (Signal::Harm, "bomb"), (Signal::Harm, "detonat"), (Signal::Harm, "molotov"),
    (Signal::Harm, "poison"), (Signal::Harm, "toxic gas"), (Signal::Harm, "nerve agent"), (Signal::Harm, "weapon"),
    (Signal::Harm, "malware"), (Signal::Harm, "ransomware"), (Signal::Harm, "keylogger"), (Signal::Harm, "phishing"),
    (Signal::Harm, "hack into"), (Signal::Harm, "break into"), (Signal::Harm, "steal"), (Signal::Harm, "stolen"),
    (Signal::Harm, "untraceable"), (Signal::Harm, "without getting caught"), (Signal::Harm, "avoid detection"),
    (Signal::Harm, "evade detection"), (Signal::Harm, "methamphetamine"), (Signal::Harm, "cook meth"),
    (Signal::Harm, "launder money"), (Signal::Harm, "counterfeit"), (Signal::Harm, "forge a"),
    (Signal::Harm, "kill someone"), (Signal::Harm, "dangerous chemical"), (Signal::Harm, "hotwire"),
    (Signal::Harm, "disable the alarm"), (Signal::Harm, "ignite"), (Signal::Harm, "fuse"),
];

#[expect(
    clippy::expect_used,
    reason = "a fixed list of plain words far below any limit of the automaton"
)]
static MATCHER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        // Few words: the quickest table is small.
        .kind(Some(AhoCorasickKind::DFA))
        .build(PHRASES.iter().map(|(_, phrase)| phrase))
        .expect("plain words")
});
