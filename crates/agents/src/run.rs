use std::collections::HashMap;

use bartizan_core::Rule;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    Call, Entry, RunLimits, Transcript,
    rules::{LOOP, STEP_LIMIT, TIME_LIMIT},
};

/// What has happened since the user spoke last. It follows from the conversation alone, so that
/// every replica counts the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Calls made.
    pub steps: u32,
    /// Failures of tools since one last succeeded.
    pub failures: u32,
    /// How often the last call gave the result that it gave before.
    pub repeats: u32,
    /// How often the last two calls took turns with the same results.
    pub turns: u32,
}

/// What a run has used so far, as far as the conversation does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Milliseconds since its first request.
    pub elapsed_ms: u64,
    /// Tokens of its requests and answers.
    pub tokens: u64,
}

impl Run {
    /// The run that `transcript` ends with.
    #[must_use]
    pub fn of(transcript: &Transcript) -> Self {
        let entries = transcript.since_user();
        let mut run = Self::default();
        // A call with its result: asking again and hearing something new is progress.
        let mut seen: Vec<[u8; 32]> = Vec::new();
        let mut results: HashMap<&str, (&str, bool)> = HashMap::new();
        for entry in entries {
            if let Entry::Result(result) = entry {
                results.insert(&result.call, (&result.text, result.failed));
                run.failures = if result.failed {
                    run.failures.saturating_add(1)
                } else {
                    0
                };
            }
        }
        for entry in entries {
            if let Entry::Call(call) = entry {
                run.steps = run.steps.saturating_add(1);
                let result = results.get(call.id.as_str()).copied();
                seen.push(digest(call, result.map_or("", |(text, _)| text)));
            }
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if let Some(last) = seen.last() {
            let alike = seen.iter().rev().take_while(|one| *one == last).count();
            run.repeats = count(alike);
            let pairs = seen.iter().rev().zip(seen.iter().rev().skip(2));
            let alternating = pairs.take_while(|(one, other)| one == other).count();
            // A-B-A-B: the last two equal the two before; the same call again is counted above.
            if alike < seen.len().min(2) {
                run.turns = count(alternating / 2 + usize::from(alternating >= 2));
            }
        }
        run
    }

    /// The first bound that it has passed, with `calls` more to come.
    #[must_use]
    pub fn passed(
        &self,
        limits: &RunLimits,
        used: Used,
        calls: u32,
    ) -> Option<(&'static Rule, &'static str)> {
        if self.steps.saturating_add(calls) > limits.max_steps {
            return Some((&STEP_LIMIT, "more calls than a run may make"));
        }
        if used.elapsed_ms > u64::from(limits.max_seconds) * 1_000 {
            return Some((&TIME_LIMIT, "the run takes longer than it may"));
        }
        if limits.max_tokens.is_some_and(|most| used.tokens > most) {
            return Some((&TIME_LIMIT, "the run used more tokens than it may"));
        }
        if self.failures >= limits.max_failures {
            return Some((&LOOP, "tools failed too often in a row"));
        }
        if self.repeats > limits.max_repeats {
            return Some((&LOOP, "the same call gives the same result"));
        }
        if self.turns >= 2 {
            return Some((&LOOP, "two calls take turns without anything new"));
        }
        None
    }
}

/// A name of a call with everything that it passes, and of what came back.
fn digest(call: &Call, result: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    for piece in [&*call.tool, &canonical(&call.arguments), result] {
        digest.update((piece.len() as u64).to_le_bytes());
        digest.update(piece);
    }
    digest.finalize().into()
}

/// A value written in one way: members in the order of their names.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.as_str());
            let inner: Vec<String> = members
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        Value::Array(items) => {
            let inner: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", inner.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::Origin;
    use serde_json::json;

    use super::*;
    use crate::{Said, ToolResult};

    fn transcript(steps: &[(&str, &str, bool)]) -> Transcript {
        let mut entries = vec![Entry::Said(Said {
            origin: Origin::User,
            text: "go".into(),
            path: "messages[0]".into(),
            label: None,
        })];
        for (at, (tool, result, failed)) in steps.iter().enumerate() {
            entries.push(Entry::Call(Call {
                id: at.to_string(),
                tool: (*tool).into(),
                arguments: json!({"b": 1, "a": 2}),
                path: String::new(),
            }));
            entries.push(Entry::Result(ToolResult {
                call: at.to_string(),
                tool: (*tool).into(),
                text: (*result).into(),
                failed: *failed,
                path: String::new(),
                label: None,
            }));
        }
        Transcript {
            entries,
            offered: Vec::new(),
        }
    }

    fn passed(steps: &[(&str, &str, bool)], used: Used) -> Option<&'static str> {
        let run = Run::of(&transcript(steps));
        run.passed(&RunLimits::default(), used, 1)
            .map(|(rule, _)| &*rule.id)
    }

    #[test]
    fn ag_05_the_21st_step_is_refused() {
        let names: Vec<String> = (0..21).map(|n| format!("tool{n}")).collect();
        let steps: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), "ok", false))
            .collect();
        let used = Used::default();
        assert_eq!(passed(steps.get(..19).unwrap(), used), None);
        assert_eq!(
            passed(steps.get(..20).unwrap(), used),
            Some("agent.step-limit")
        );
    }

    #[test]
    fn ag_06_time_and_tokens_are_bounded() {
        let at = |ms| Used {
            elapsed_ms: ms,
            tokens: 0,
        };
        assert_eq!(passed(&[], at(300_000)), None);
        assert_eq!(passed(&[], at(300_001)), Some("agent.time-limit"));
        let limits = RunLimits {
            max_tokens: Some(10),
            ..RunLimits::default()
        };
        let used = Used {
            elapsed_ms: 0,
            tokens: 11,
        };
        assert!(Run::default().passed(&limits, used, 1).is_some());
    }

    #[test]
    fn ag_07_circles_and_failures_end_a_run_and_success_resets_them() {
        let used = Used::default();
        let fail = ("x", "no", true);
        let ok = ("y", "fine", false);
        assert_eq!(passed(&[fail, fail, ok, fail, fail], used), None);
        let failing = [("a", "1", true), ("b", "2", true), ("c", "3", true)];
        assert_eq!(passed(&failing, used), Some("agent.loop"));
        let (a, b) = (("a", "1", false), ("b", "2", false));
        assert_eq!(passed(&[a, b, a], used), None);
        assert_eq!(passed(&[a, b, a, b], used), Some("agent.loop"));
        assert_eq!(passed(&[a, a, a], used), None);
        assert_eq!(passed(&[a, a, a, a], used), Some("agent.loop"));
    }

    #[test]
    fn ws_84_a_long_healthy_run_goes_on() {
        // Asking again until something new comes is no circle.
        let poll = [
            ("s", "1", false),
            ("s", "2", false),
            ("s", "3", false),
            ("s", "4", false),
            ("s", "5", false),
        ];
        assert_eq!(passed(&poll, Used::default()), None);
    }
}
