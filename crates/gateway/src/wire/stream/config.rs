use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How streamed answers are guarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StreamConfig {
    /// Holds every text back until it is complete: checks that need the whole of it (leaked prompts,
    /// encodings) then act before anything is shown. Otherwise they end an answer when they see it,
    /// which may be after its end.
    pub hold_whole: bool,
    /// Most bytes of one text held back at a time, 4,096 to 16 MiB; an answer that needs more is
    /// ended.
    pub max_hold_back_bytes: usize,
    /// Bytes of new text to wait for before looking again, 0 to 1,024: 0 shows text soonest, more
    /// costs less.
    pub batch_bytes: usize,
    /// Milliseconds after which text that waits is looked at although the batch is not full, 1 to
    /// 10,000.
    pub batch_ms: u64,
    /// Most bytes of one event, 1,024 to 64 MiB.
    pub max_event_bytes: usize,
    /// Most bytes of the calls of tools and pieces of code that are held until they are complete,
    /// over the whole answer; 1,024 to 64 MiB.
    pub max_call_bytes: usize,
    /// Most bytes of text in one answer, over all its choices; 1,024 to 1 GiB.
    pub max_text_bytes: usize,
    /// Most texts and calls in one answer, over all its choices; 1 to 10,000.
    pub max_channels: usize,
    /// Lets sound and pictures pass, which no check can look into. Otherwise an answer that holds
    /// them is ended.
    pub pass_unread_media: bool,
}

impl Default for StreamConfig {
    /// Texts shown as they come, 64 KiB held back, batches of 128 bytes or 25 ms, events of 1 MiB, calls of 1 MiB, text of
    /// 16 MiB, 512 texts and calls, no media.
    fn default() -> Self {
        Self {
            hold_whole: false,
            max_hold_back_bytes: 64 << 10,
            batch_bytes: 128,
            batch_ms: 25,
            max_event_bytes: 1 << 20,
            max_call_bytes: 1 << 20,
            max_text_bytes: 16 << 20,
            max_channels: 512,
            pass_unread_media: false,
        }
    }
}

impl StreamConfig {
    /// Every mistake: the key, and what is wrong with its value.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let ranges = [
            (
                "max-hold-back-bytes",
                self.max_hold_back_bytes,
                4096,
                16 << 20,
            ),
            ("batch-bytes", self.batch_bytes, 0, 1024),
            (
                "batch-ms",
                usize::try_from(self.batch_ms).unwrap_or(usize::MAX),
                1,
                10_000,
            ),
            ("max-event-bytes", self.max_event_bytes, 1024, 64 << 20),
            ("max-call-bytes", self.max_call_bytes, 1024, 64 << 20),
            ("max-text-bytes", self.max_text_bytes, 1024, 1 << 30),
            ("max-channels", self.max_channels, 1, 10_000),
        ];
        ranges
            .into_iter()
            .filter(|(_, value, least, most)| !(least..=most).contains(&value))
            .map(|(key, value, least, most)| {
                (
                    key,
                    format!("{value} is out of range, give {least} to {most}"),
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named() {
        assert_eq!(StreamConfig::default().check(), []);
        let config = StreamConfig {
            max_channels: 0,
            batch_bytes: 2000,
            ..StreamConfig::default()
        };
        let keys: Vec<&str> = config.check().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["batch-bytes", "max-channels"]);
    }
}
