use schemars::JsonSchema;
use serde::Deserialize;

use super::{AlertsConfig, LedgerConfig, SinkConfig};

/// What is recorded, how surely, and what happens when that cannot be done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RecordConfig {
    /// When an event counts as kept.
    pub durability: Durability,
    /// What happens to requests while events cannot be kept.
    pub when_full: WhenFull,
    /// Longest wait of a request for room in the record, in milliseconds; then it is refused with
    /// status 503. Not with `when-full: drop`.
    pub wait_ms: u32,
    /// Bytes of events that may wait to be moved into the store, an event is about 1 KB.
    pub max_backlog_bytes: u64,
    /// The same with `when-full: spill`.
    pub spill_bytes: u64,
    /// Pause between two moves of events into the store, in milliseconds: longer ones cost less,
    /// and show events later.
    pub move_interval_ms: u32,
    /// Pause between two waits for the disk, in milliseconds, with `durability: process`; what a
    /// power cut may lose.
    pub sync_interval_ms: u32,
    /// How much of a client's address is kept.
    pub addresses: Addresses,
    /// Who is told of what.
    pub alerts: AlertsConfig,
    /// The ledger that makes the record tamper-evident.
    pub ledger: LedgerConfig,
    /// Whether contents are kept beside the record.
    pub content: ContentConfig,
    /// Systems that are told of every event.
    pub sinks: Vec<SinkConfig>,
}

impl Default for RecordConfig {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            when_full: WhenFull::default(),
            wait_ms: 2_000,
            max_backlog_bytes: 64 << 20,
            spill_bytes: 4 << 30,
            move_interval_ms: 200,
            sync_interval_ms: 1_000,
            addresses: Addresses::default(),
            alerts: AlertsConfig::default(),
            ledger: LedgerConfig::default(),
            content: ContentConfig::default(),
            sinks: Vec::new(),
        }
    }
}

/// Whether contents of requests and answers are kept. Events hold none either way.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ContentConfig {
    /// What is kept.
    pub keep: KeepContent,
    /// Their class under `govern.classes`, which says for how long; without end if empty.
    pub class: String,
}

/// What is kept of contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeepContent {
    /// Nothing.
    #[default]
    None,
    /// Requests as they came and answers as they went, each sealed under a key of whom it is about,
    /// which `bartizan subject erase` destroys. Needs `BARTIZAN_KEY`. What is kept out of a purpose
    /// (`govern.consent`) is not kept.
    Sealed,
}

/// When an event counts as kept, and the answer may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// When the kernel has it: the end of the process loses nothing, however it comes; a power cut
    /// may lose the last `sync-interval-ms`.
    #[default]
    Process,
    /// When the disk has it: a power cut loses nothing; every answer waits for the disk.
    Disk,
}

/// What happens to requests while events cannot be kept: the store is slow or lost, or the disk is
/// full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// They wait, then are refused.
    #[default]
    Block,
    /// Events gather in the data folder up to `spill-bytes` and are moved when the store is back,
    /// also after a restart; then as `block`.
    Spill,
    /// Requests pass unrecorded; how many is recorded as soon as that is possible.
    Drop,
}

/// How much of a client's address is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Addresses {
    /// The network: `/24` of IPv4, `/48` of IPv6.
    #[default]
    Network,
    /// All of it. It is personal data.
    Full,
    /// Nothing.
    None,
}

impl RecordConfig {
    /// Every mistake as the field that it stands in and what is wrong there.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut mistakes = self.alerts.check();
        for (path, _) in &mut mistakes {
            *path = format!("alerts.{path}");
        }
        mistakes.extend(self.ledger.check());
        mistakes.extend(SinkConfig::check(&self.sinks));
        let mut mistake = |path: &str, message: &str| {
            mistakes.push((path.to_owned(), message.to_owned()));
        };
        if self.max_backlog_bytes < 1 << 20 {
            mistake("max-backlog-bytes", "below 1 MiB every burst is refused");
        }
        if self.spill_bytes < self.max_backlog_bytes {
            mistake("spill-bytes", "must be at least `max-backlog-bytes`");
        }
        if self.move_interval_ms > 10_000 {
            mistake("move-interval-ms", "must be at most 10000");
        }
        if !(10..=60_000).contains(&self.sync_interval_ms) {
            mistake("sync-interval-ms", "must be in 10..=60000");
        }
        mistakes
    }

    /// Bytes of events that may wait.
    pub(super) const fn backlog(&self) -> u64 {
        match self.when_full {
            WhenFull::Spill => self.spill_bytes,
            WhenFull::Block | WhenFull::Drop => self.max_backlog_bytes,
        }
    }
}

impl Addresses {
    /// What is kept of `address`.
    #[must_use]
    pub fn show(self, address: std::net::IpAddr) -> super::Label {
        match self {
            Self::Network => super::Label::network(address),
            Self::Full => super::Label::address(address),
            Self::None => super::Label::NONE,
        }
    }
}
