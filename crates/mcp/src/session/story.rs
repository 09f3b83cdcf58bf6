use bartizan_agents::{Call, Entry, Said, ToolResult, Transcript, Used};
use bartizan_core::Origin;

/// What was called in a session and what came back, as far as it is remembered.
#[derive(Debug, Default)]
pub(super) struct Story {
    transcript: Transcript,
    /// Bytes of results.
    bytes: usize,
    begun_ms: u64,
    last_ms: Option<u64>,
    /// Whether there were results that are no longer there.
    has_forgotten: bool,
}

/// Bytes of results that are remembered.
const MAX_BYTES: usize = 256 << 10;
/// Things that are remembered.
const MAX_ENTRIES: usize = 20_000;

impl Story {
    /// Begins a run if the last call was longer ago than `gap_ms`.
    pub(super) fn begin(&mut self, now_ms: u64, gap_ms: u64) {
        let is_new = self
            .last_ms
            .is_none_or(|last| now_ms.saturating_sub(last) > gap_ms);
        self.last_ms = Some(now_ms);
        if is_new {
            self.begun_ms = now_ms;
            // Calls count within a run; what came back stays read.
            let entries = &mut self.transcript.entries;
            entries.retain(|entry| matches!(entry, Entry::Result(_)));
            entries.push(said(Origin::User, ""));
        }
    }

    /// What the run has used.
    pub(super) const fn used(&self, now_ms: u64) -> Used {
        Used {
            elapsed_ms: now_ms.saturating_sub(self.begun_ms),
            tokens: 0,
        }
    }

    /// What is remembered.
    pub(super) const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    pub(super) fn called(&mut self, call: Call) {
        self.push(Entry::Call(call));
    }

    /// Takes down what came back. `failed` says whether the tool did.
    pub(super) fn returned(&mut self, call: String, tool: String, text: String, failed: bool) {
        self.bytes += text.len();
        self.push(Entry::Result(ToolResult {
            path: format!("`{tool}`"),
            call,
            tool,
            text,
            failed,
            label: None,
        }));
        for entry in &mut self.transcript.entries {
            if self.bytes <= MAX_BYTES {
                break;
            }
            if let Entry::Result(result) = entry {
                self.bytes -= result.text.len();
                self.has_forgotten |= !result.text.is_empty();
                result.text = String::new();
            }
        }
        if self.has_forgotten && !self.transcript.entries.iter().any(is_unseen) {
            // Anybody may have written what is no longer there.
            self.transcript
                .entries
                .insert(0, said(Origin::Retrieved, "unseen"));
        }
    }

    fn push(&mut self, entry: Entry) {
        let entries = &mut self.transcript.entries;
        if entries.len() >= MAX_ENTRIES {
            let oldest = entries.iter().position(|entry| !is_unseen(entry));
            if let Some(Entry::Result(result)) = oldest.map(|at| entries.remove(at)) {
                self.bytes -= result.text.len();
                self.has_forgotten = true;
            }
        }
        self.transcript.entries.push(entry);
    }
}

fn said(origin: Origin, text: &str) -> Entry {
    Entry::Said(Said {
        origin,
        text: text.to_owned(),
        path: String::new(),
        label: None,
    })
}

fn is_unseen(entry: &Entry) -> bool {
    matches!(entry, Entry::Said(said) if said.origin == Origin::Retrieved)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(tool: &str) -> Call {
        Call {
            id: tool.into(),
            tool: tool.into(),
            arguments: json!({}),
            path: String::new(),
        }
    }

    #[test]
    fn a_pause_begins_another_run() {
        let mut story = Story::default();
        for (now, calls) in [(0, 1), (1_000, 2), (2_000, 3), (70_000, 1)] {
            story.begin(now, 60_000);
            story.called(call("a"));
            story.returned("a".into(), "a".into(), "x".into(), false);
            assert_eq!(story.transcript().calls().count(), calls);
        }
        assert_eq!(story.used(71_000).elapsed_ms, 1_000);
    }

    #[test]
    fn what_is_forgotten_still_counts_as_read() {
        let mut story = Story::default();
        story.begin(0, 60_000);
        for _ in 0..9 {
            story.returned("a".into(), "a".into(), "x".repeat(MAX_BYTES / 4), false);
        }
        assert!(story.bytes <= MAX_BYTES);
        let unseen = story
            .transcript()
            .entries
            .iter()
            .filter(|entry| is_unseen(entry));
        assert_eq!(unseen.count(), 1);
    }
}
