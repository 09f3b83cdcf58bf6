use bartizan_core::Direction;

/// How often, how long, and about how much somebody is asked.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) directions: Vec<Direction>,
    pub(super) per_minute: u32,
    pub(super) timeout_ms: u64,
    pub(super) max_bytes: usize,
    pub(super) max_questions: usize,
    pub(super) cache_entries: usize,
    pub(super) cache_seconds: u64,
}

impl Terms {
    /// Every mistake: the key, and what is wrong with it. `instead` is what to do rather than ask
    /// about nothing.
    pub(super) fn check(&self, instead: &str) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        for (key, value) in [
            ("per-minute", u64::from(self.per_minute)),
            ("timeout-ms", self.timeout_ms),
            ("max-questions", self.max_questions as u64),
        ] {
            if value == 0 {
                let message = format!("0 means that no text is ever judged; {instead}");
                mistakes.push((key, message));
            }
        }
        if self.max_bytes < 1 << 10 {
            mistakes.push(("max-bytes", "must be at least 1024".into()));
        }
        mistakes
    }
}
