//! What may stand right behind an anchor: a few bytes that reject most places at which an
//! expression would fail, for much less than it takes to start one.
//!
//! Worked out for the anchors that are met often, since it costs as much as some
//! hundreds of tries.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use regex_automata::{
    Anchored, Input,
    hybrid::{LazyStateID, dfa},
};

/// Bytes behind an anchor that are looked at.
const AHEAD: usize = 3;

/// Tries of one anchor before it is worth the work.
const HOT: u32 = 1024;

/// Most states of an expression that are followed; more say that nearly anything may follow.
const MAX_STATES: usize = 24;

/// Sets of bytes, one for each place behind an anchor: where a match starts with the anchor, the
/// bytes behind it are of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ahead([[u64; 4]; AHEAD]);

const ANYTHING: [u64; 4] = [u64::MAX; 4];

impl Ahead {
    /// What `dfa` may read behind `literal`; `None` if that is nearly everything.
    ///
    /// A state that is not dead goes on or has matched already; once one has, anything may follow.
    pub(super) fn of(dfa: &dfa::DFA, literal: &[u8]) -> Option<Self> {
        let mut cache = dfa.create_cache();
        let mut states = behind(dfa, &mut cache, literal)?;
        let mut sets = [ANYTHING; AHEAD];
        for set in &mut sets {
            let mut here = [0; 4];
            let (mut next, mut matched) = (Vec::new(), false);
            for &state in &states {
                for byte in 0..=u8::MAX {
                    let reached = dfa.next_state(&mut cache, state, byte).ok()?;
                    if reached.is_dead() {
                        continue;
                    }
                    // States that are unknown, quit, or begin anew: not to be reasoned about.
                    if reached.is_unknown() || reached.is_quit() {
                        return None;
                    }
                    insert(&mut here, byte);
                    matched |= reached.is_match();
                    if next.len() <= MAX_STATES && !next.contains(&reached) {
                        next.push(reached);
                    }
                }
            }
            *set = here;
            if matched || next.len() > MAX_STATES {
                break;
            }
            states = next;
        }
        let all = |set: &[u64; 4]| *set == ANYTHING;
        (!sets.iter().all(all)).then_some(Self(sets))
    }

    /// Whether a match may start where `behind` are the bytes behind the anchor.
    #[inline]
    pub(super) fn allows(&self, behind: &[u8]) -> bool {
        let Some(behind) = behind.first_chunk::<AHEAD>() else {
            return true;
        };
        let held = |(set, byte): (&[u64; 4], &u8)| {
            let bits = set.get(usize::from(byte >> 6)).copied().unwrap_or(0);
            bits >> (byte & 63) & 1 == 1
        };
        self.0.iter().zip(behind).all(held)
    }
}

fn insert(set: &mut [u64; 4], byte: u8) {
    if let Some(bits) = set.get_mut(usize::from(byte >> 6)) {
        *bits |= 1 << (byte & 63);
    }
}

/// The states in which `dfa` may be behind `literal`, whatever stands before it.
fn behind(dfa: &dfa::DFA, cache: &mut dfa::Cache, literal: &[u8]) -> Option<Vec<LazyStateID>> {
    // Each kind of byte that an expression can tell apart when it looks behind its start.
    const BEFORE: [&[u8]; 6] = [b"", b"a", b" ", b"\n", b"\r", b"\x80"];
    let mut states = Vec::new();
    for before in BEFORE {
        let text = [before, literal].concat();
        let input = Input::new(&text)
            .range(before.len()..)
            .anchored(Anchored::Yes);
        let mut state = dfa.start_state_forward(cache, &input).ok()?;
        for &byte in literal {
            state = dfa.next_state(cache, state, byte).ok()?;
            if state.is_match() || state.is_unknown() || state.is_quit() {
                return None;
            }
        }
        if !state.is_dead() && !states.contains(&state) {
            states.push(state);
        }
    }
    Some(states)
}

/// The [`Ahead`] of one anchor of one pattern, once that is worth having.
#[derive(Debug, Default)]
pub(super) struct Learned {
    tries: AtomicU32,
    ahead: OnceLock<Option<Ahead>>,
}

impl Learned {
    /// Whether a match may start where `behind` are the bytes behind the anchor; `work_out` tells
    /// what may stand there.
    #[inline]
    pub(super) fn allows(&self, behind: &[u8], work_out: impl FnOnce() -> Option<Ahead>) -> bool {
        let ahead = match self.ahead.get() {
            Some(ahead) => ahead,
            // Counted without order: it is no matter if some tries are lost.
            None if self.tries.load(Ordering::Relaxed) < HOT => {
                self.tries.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            None => self.ahead.get_or_init(work_out),
        };
        ahead.as_ref().is_none_or(|ahead| ahead.allows(behind))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{PatternSpec, Patterns, PatternsBuilder},
        *,
    };

    const PATTERNS: [&str; 6] = [
        r"\bstart(?:\W+\w+){0,3}?\W+rules\b",
        r"start\b",
        r"start(?:ed)?",
        r"start[\W_]{1,8}(?:all|rules)",
        r"start(?:$|\W)",
        r"(?:start|all).?now",
    ];

    fn patterns() -> Patterns {
        let mut builder = PatternsBuilder::default();
        let group = builder.group();
        for pattern in PATTERNS {
            builder.add(group, &PatternSpec::new(pattern)).unwrap();
        }
        builder.build()
    }

    #[test]
    fn what_cannot_go_on_is_rejected() {
        let patterns = patterns();
        let of = |number: usize| patterns.patterns[number].ahead(b"start");
        let third = of(3).unwrap();
        assert!(third.allows(b" al") && third.allows(b"__r") && third.allows(b" "));
        assert!(!third.allows(b"ed ") && !third.allows(b" by") && !third.allows(b" xx"));
        assert!(!of(1).unwrap().allows(b"ed "));
        // A match ends there: anything may follow.
        assert_eq!(of(2), None);
    }

    proptest! {
        /// A text is matched alike before and after its anchors are hot.
        #[test]
        fn nothing_is_lost(text in r"(start|all|now|rules|STARTED|_| |\n|ed|é|,){0,24}") {
            let fresh = patterns();
            let hot = patterns();
            let heat = "start, all ".repeat(HOT as usize + 1);
            prop_assert!(!hot.scan(&heat).is_empty());
            prop_assert_eq!(fresh.scan(&text), hot.scan(&text));
        }
    }
}
