use std::collections::{HashMap, VecDeque};

use crate::CallLimit;

/// Counts calls, for every tool and user by itself, in a time that slides.
///
/// Checking takes nothing: a call counts when it is [`CallCounters::made`], and a look at one tool
/// never forgets another's calls.
#[derive(Clone, Debug, Default)]
pub struct CallCounters {
    calls: HashMap<(String, String), VecDeque<u64>>,
}

/// Most pairs of tool and user that are counted at a time.
const MAX_PAIRS: usize = 100_000;

impl CallCounters {
    /// Whether `user` may call `tool` at `now_ms`, in milliseconds of any clock that only goes on.
    #[must_use]
    pub fn allows(&self, tool: &str, user: &str, limit: CallLimit, now_ms: u64) -> bool {
        let key = (tool.to_owned(), user.to_owned());
        let since = now_ms.saturating_sub(u64::from(limit.seconds) * 1_000);
        let made = self.calls.get(&key).map_or(0, |calls| {
            calls.iter().filter(|at| **at > since || since == 0).count()
        });
        // Where nobody new can be counted, nobody new may call.
        made < limit.calls as usize
            && (self.calls.contains_key(&key) || self.calls.len() < MAX_PAIRS)
    }

    /// Takes down that `user` called `tool` at `now_ms`.
    pub fn made(&mut self, tool: &str, user: &str, limit: CallLimit, now_ms: u64) {
        let window = u64::from(limit.seconds) * 1_000;
        if self.calls.len() >= MAX_PAIRS {
            self.calls
                .retain(|_, calls| calls.back().is_some_and(|at| *at + window > now_ms));
        }
        let calls = self
            .calls
            .entry((tool.to_owned(), user.to_owned()))
            .or_default();
        calls.push_back(now_ms);
        while calls.len() > limit.calls as usize {
            calls.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURLY: CallLimit = CallLimit {
        calls: 5,
        seconds: 3_600,
    };

    #[test]
    fn ag_04_every_tool_and_user_has_an_allowance_of_its_own() {
        let mut counters = CallCounters::default();
        for minute in 0..5 {
            assert!(counters.allows("delete_file", "ann", HOURLY, minute * 60_000));
            counters.made("delete_file", "ann", HOURLY, minute * 60_000);
        }
        let now = 5 * 60_000;
        assert!(!counters.allows("delete_file", "ann", HOURLY, now));
        assert!(counters.allows("delete_file", "bob", HOURLY, now));
        assert!(counters.allows("send_mail", "ann", HOURLY, now));
        // The window slides: the first call is forgotten after its hour, not the rest.
        assert!(counters.allows("delete_file", "ann", HOURLY, 3_600_001));
    }

    #[test]
    fn ws_83_a_look_at_one_tool_forgets_nothing_of_another() {
        let daily = CallLimit {
            calls: 5,
            seconds: 86_400,
        };
        let mut counters = CallCounters::default();
        for hour in 0..5 {
            counters.made("transaction", "ann", daily, hour * 3_600_000);
        }
        let now = 6 * 3_600_000;
        assert!(counters.allows("delete_file", "ann", HOURLY, now));
        counters.made("delete_file", "ann", HOURLY, now);
        assert!(!counters.allows("transaction", "ann", daily, now));
    }
}
