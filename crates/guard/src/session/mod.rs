//! Risk over the turns of a session, as a pure state machine.
//!
//! [`Session::observe`] takes what one turn showed and says how wary to be about the next one.
//! Suspicion fades with time, repeated probing tightens the thresholds and ends in a cool-down, and
//! an escalation over turns is seen although no single turn is an attack. [`Session::joined`] reads
//! the last words of earlier turns together with the new one, which shows an attack that is split.
//! Time comes in as milliseconds; a clock that runs backwards counts as one that stands still.

mod report;
mod signals;

use std::fmt;

use bartizan_core::{Category, Verdict};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

pub use report::{RULES, RiskReport};
pub use signals::TurnSignals;

/// How wary a session becomes, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SessionConfig {
    /// Time after which suspicion has halved, in milliseconds; 10 minutes by default.
    pub half_life_ms: u64,
    /// Bytes of the user's last words that are kept in memory to see split attacks; 4,096 by
    /// default, 0 keeps none.
    pub tail_bytes: usize,
    /// A turn is suspicious from this confidence of an attack on, 0 to 1; 0.3 by default.
    pub suspicious_from: f32,
    /// Suspicious turns after which probing is reported; 3 by default.
    pub probes_reported: u32,
    /// Suspicious turns after which a cool-down begins; 6 by default.
    pub probes_cool_down: u32,
    /// The first cool-down in milliseconds, doubled each time up to an hour; 1 minute by default.
    pub cool_down_ms: u64,
    /// The lowest factor for thresholds, 0.1 to 1; 0.4 by default.
    pub min_threshold_factor: f32,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            half_life_ms: 10 * 60 * 1000,
            tail_bytes: 4096,
            suspicious_from: 0.3,
            probes_reported: 3,
            probes_cool_down: 6,
            cool_down_ms: 60 * 1000,
            min_threshold_factor: 0.4,
        }
    }
}

/// What one turn showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnSummary {
    /// When, in milliseconds of any clock.
    pub at_ms: u64,
    /// What was found: kind of harm and confidence.
    pub findings: Vec<(Category, f32)>,
    /// What was decided.
    pub verdict: Verdict,
    /// What the words show.
    pub signals: TurnSignals,
}

/// How wary to be about the next turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionRisk {
    /// Risk in `[0, 1]`.
    pub score: f64,
    /// What the thresholds of attacks are to be multiplied by, in `[0.1, 1]`.
    pub threshold_factor: f32,
    /// Until when nothing is to be answered, in milliseconds of the caller's clock.
    pub cool_down_until_ms: Option<u64>,
    /// What this turn set off.
    pub events: Vec<SessionEvent>,
}

/// Something that a turn set off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SessionEvent {
    /// The same session tries again and again.
    RepeatedProbing {
        /// Suspicious turns, faded ones counted in part, rounded down.
        turns: u32,
        /// Confidence in `[0, 1]`.
        confidence: f32,
    },
    /// Turn by turn the wishes go further.
    Escalation {
        /// Turns that took part.
        turns: u32,
        /// Confidence in `[0, 1]`.
        confidence: f32,
    },
    /// A cool-down began.
    CoolDown {
        /// Its end in milliseconds of the caller's clock.
        until_ms: u64,
    },
}

/// What a session remembers beside words; small, and safe to keep in a shared store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SessionState {
    last_ms: u64,
    turns: u32,
    /// Sum of confidences of attacks, fading.
    pressure: f64,
    /// Number of suspicious turns, fading.
    probes: f64,
    /// How far an escalation got, fading.
    ladder: f64,
    ladder_turns: u32,
    harm: f64,
    harm_turns: u32,
    role_play: bool,
    cool_downs: u32,
    cool_down_until_ms: Option<u64>,
}

/// One user's session.
pub struct Session {
    config: SessionConfig,
    state: SessionState,
    tail: Zeroizing<String>,
}

impl Session {
    /// A session without a past.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        Self::restore(config, SessionState::default())
    }

    /// A session that goes on from a stored state, without the words of earlier turns.
    #[must_use]
    pub fn restore(config: SessionConfig, state: SessionState) -> Self {
        Self {
            config,
            state: state.sane(),
            tail: Zeroizing::new(String::new()),
        }
    }

    /// What is to be stored; holds no word of anyone.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.state
    }

    /// Takes a turn in.
    pub fn observe(&mut self, turn: &TurnSummary) -> SessionRisk {
        self.state.fade(turn.at_ms, self.config.half_life_ms);
        self.state.turns = self.state.turns.saturating_add(1);
        let mut events = Vec::new();
        events.extend(self.probing(turn));
        events.extend(self.state.escalation(turn));
        events.extend(self.cool_down());
        SessionRisk {
            events,
            ..self.risk(turn.at_ms)
        }
    }

    /// How wary to be at `now_ms`, before the next turn.
    #[must_use]
    pub fn risk(&self, now_ms: u64) -> SessionRisk {
        let mut state = self.state;
        state.fade(now_ms, self.config.half_life_ms);
        let pressed = 1.0 - (-state.pressure / 3.0).exp();
        let factor = 1.0 / (1.0 + 0.35 * state.pressure);
        let lowest = self.config.min_threshold_factor;
        let floor = if lowest.is_nan() {
            1.0
        } else {
            lowest.clamp(0.1, 1.0)
        };
        SessionRisk {
            score: 1.0 - (1.0 - pressed) * (1.0 - state.ladder.min(1.0) * 0.8),
            threshold_factor: (factor as f32).clamp(floor, 1.0),
            cool_down_until_ms: state
                .cool_down_until_ms
                .filter(|until| *until > state.last_ms),
            events: Vec::new(),
        }
    }

    /// The kept words and the new ones as one text, and where the new ones begin. Without anything
    /// between them, since a split may go through a word; [`Session::joined_apart`] has a space.
    #[must_use]
    pub fn joined(&self, text: &str) -> (Zeroizing<String>, usize) {
        self.join("", text)
    }

    /// Like [`Session::joined`], with a line break before the new words.
    #[must_use]
    pub fn joined_apart(&self, text: &str) -> (Zeroizing<String>, usize) {
        self.join("\n", text)
    }

    fn join(&self, between: &str, text: &str) -> (Zeroizing<String>, usize) {
        let start = self.tail.len() + between.len();
        let mut joined = Zeroizing::new(String::with_capacity(start + text.len()));
        joined.push_str(&self.tail);
        joined.push_str(between);
        joined.push_str(text);
        (joined, start)
    }

    /// Keeps the last words of the user, up to the configured number of bytes.
    pub fn remember(&mut self, text: &str) {
        let most = self.config.tail_bytes;
        // A buffer that never grows leaves no copies behind.
        let mut kept = Zeroizing::new(String::with_capacity(most));
        let new = last_bytes(text, most);
        kept.push_str(last_bytes(&self.tail, most - new.len()));
        kept.push_str(new);
        self.tail = kept;
    }

    /// Wipes the kept words.
    pub fn forget(&mut self) {
        self.tail.zeroize();
    }

    fn probing(&mut self, turn: &TurnSummary) -> Option<SessionEvent> {
        let worst = turn
            .findings
            .iter()
            .filter(|(category, _)| {
                category.is_attack()
                    || matches!(category, Category::Amplification | Category::Obfuscation)
            })
            .map(|(_, confidence)| confidence.clamp(0.0, 1.0))
            .filter(|confidence| *confidence >= self.config.suspicious_from)
            .fold(0.0, f32::max);
        if worst <= 0.0 {
            return None;
        }
        let refused = turn.verdict >= Verdict::Ask;
        let step = f64::from(worst) * if refused { 1.25 } else { 1.0 };
        self.state.pressure = (self.state.pressure + step).min(MAX_PRESSURE);
        self.state.probes = (self.state.probes + 1.0).min(MAX_PROBES);
        let turns = rounded(self.state.probes);
        (turns >= self.config.probes_reported).then(|| {
            let over = turns.saturating_sub(self.config.probes_reported) as f32;
            let confidence = (0.5 + 0.1 * over).min(1.0);
            SessionEvent::RepeatedProbing { turns, confidence }
        })
    }

    fn cool_down(&mut self) -> Option<SessionEvent> {
        let state = &mut self.state;
        let cooling = state
            .cool_down_until_ms
            .is_some_and(|until| until > state.last_ms);
        if cooling || rounded(state.probes) < self.config.probes_cool_down {
            return None;
        }
        let doubled = self
            .config
            .cool_down_ms
            .saturating_mul(1 << state.cool_downs.min(16));
        let until_ms = state.last_ms.saturating_add(doubled.min(MAX_COOL_DOWN_MS));
        state.cool_downs = state.cool_downs.saturating_add(1);
        state.cool_down_until_ms = Some(until_ms);
        // Half of the suspicion stays, so that the next one needs fewer turns.
        state.probes /= 2.0;
        Some(SessionEvent::CoolDown { until_ms })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("state", &self.state)
            .field("tail_bytes", &self.tail.len())
            .finish_non_exhaustive()
    }
}

impl SessionState {
    fn fade(&mut self, now_ms: u64, half_life_ms: u64) {
        let passed = now_ms.saturating_sub(self.last_ms);
        self.last_ms = self.last_ms.max(now_ms);
        let kept = 0.5_f64.powf(passed as f64 / half_life_ms.max(1) as f64);
        self.pressure *= kept;
        self.probes *= kept;
        self.ladder *= kept;
        self.harm *= kept;
    }

    /// A role held over turns, wishes that go further, and words of harm, each alone innocent, add
    /// up. Steps were chosen so that a scripted escalation of five turns is seen at the third or
    /// fourth, and no talk without words of harm ever is.
    fn escalation(&mut self, turn: &TurnSummary) -> Option<SessionEvent> {
        let signals = &turn.signals;
        let harm = f64::from(signals.harm.clamp(0.0, 1.0));
        let in_role = self.role_play || signals.role_play;
        let under_way = in_role || self.harm > 0.0;
        let mut step = 0.0;
        step += if signals.role_play { 0.25 } else { 0.0 };
        step += if signals.lifts_limits { 0.3 } else { 0.0 };
        step += if signals.goes_further && under_way {
            0.2
        } else {
            0.0
        };
        step += if harm > 0.0 && under_way { 0.15 } else { 0.0 };
        step += if harm > self.harm { 0.2 } else { 0.0 };
        self.harm = self.harm.max(harm);
        self.harm_turns = self.harm_turns.saturating_add(u32::from(harm > 0.0));
        self.role_play = in_role && (step > 0.0 || self.ladder > 0.1);
        if step <= 0.0 {
            self.ladder *= 0.7;
            return None;
        }
        self.ladder = (self.ladder + step).min(2.0);
        self.ladder_turns = self.ladder_turns.saturating_add(1);
        // One word of harm is an accident: a fox in a story may steal.
        let harmful = self.harm_turns >= 2 || self.harm >= 0.6;
        let seen = self.ladder >= 0.75 && self.ladder_turns >= 3 && harmful;
        seen.then(|| SessionEvent::Escalation {
            turns: self.ladder_turns,
            confidence: (0.35 + 0.3 * self.ladder).min(1.0) as f32,
        })
    }

    /// A stored state may come from anywhere.
    fn sane(self) -> Self {
        let within = |value: f64, most: f64| {
            if value.is_nan() {
                most
            } else {
                value.clamp(0.0, most)
            }
        };
        Self {
            pressure: within(self.pressure, MAX_PRESSURE),
            probes: within(self.probes, MAX_PROBES),
            ladder: within(self.ladder, 2.0),
            harm: within(self.harm, 1.0),
            ..self
        }
    }
}

const MAX_PRESSURE: f64 = 100.0;
const MAX_PROBES: f64 = 1000.0;
const MAX_COOL_DOWN_MS: u64 = 60 * 60 * 1000;

/// Fading takes a hair off a count of turns that follow each other at once.
fn rounded(count: f64) -> u32 {
    (count + 0.25) as u32
}

/// The last bytes of a text, cut at a character.
fn last_bytes(text: &str, most: usize) -> &str {
    let from = text.ceil_char_boundary(text.len().saturating_sub(most));
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
