use std::collections::HashSet;

use bartizan_agents::{CallCounters, CallLimit, Used};
use bartizan_guard::Generations;
use parking_lot::Mutex;

/// What one process remembers of the runs of its agents. Lost with it: runs then begin anew.
#[derive(Debug)]
pub(crate) struct AgentState {
    runs: Mutex<Generations<[u8; 32], Begun>>,
    calls: Mutex<CallCounters>,
    claimed: Mutex<HashSet<String>>,
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    at_ms: u64,
    tokens: u64,
}

/// Runs that are remembered.
const MAX_RUNS: usize = 100_000;
/// Approvals in use; more are refused until the process ends.
const MAX_CLAIMED: usize = 1_000_000;

impl Default for AgentState {
    fn default() -> Self {
        Self {
            runs: Mutex::new(Generations::new(MAX_RUNS)),
            calls: Mutex::default(),
            claimed: Mutex::default(),
        }
    }
}

impl AgentState {
    /// What the run of that name has used; it begins now if nobody knows it.
    pub(crate) fn used(&self, run: [u8; 32], now_ms: u64) -> Used {
        let mut runs = self.runs.lock();
        let begun = runs.get(&run).copied().unwrap_or(Begun {
            at_ms: now_ms,
            tokens: 0,
        });
        runs.put(run, begun);
        Used {
            elapsed_ms: now_ms.saturating_sub(begun.at_ms),
            tokens: begun.tokens,
        }
    }

    /// Adds tokens to a run.
    pub(crate) fn spend(&self, run: [u8; 32], tokens: u64) {
        let mut runs = self.runs.lock();
        if let Some(mut begun) = runs.get(&run).copied() {
            begun.tokens = begun.tokens.saturating_add(tokens);
            runs.put(run, begun);
        }
    }

    /// Takes a call down if it may be made.
    pub(crate) fn call(&self, tool: &str, user: &str, limit: CallLimit, now_ms: u64) -> bool {
        let mut calls = self.calls.lock();
        let allowed = calls.allows(tool, user, limit, now_ms);
        if allowed {
            calls.made(tool, user, limit, now_ms);
        }
        allowed
    }

    /// Claims an approval; `false` if another request of this process did.
    pub(crate) fn claim(&self, approval: &str) -> bool {
        let mut claimed = self.claimed.lock();
        claimed.len() < MAX_CLAIMED && claimed.insert(approval.to_owned())
    }
}
