//! Ordered layers over a conversation, the streaming window, redaction, and sinks.

pub mod classifier;
pub mod conversation;
mod generations;
mod guard;
mod judge;
pub mod leak;
mod memory;
pub mod position;
pub mod prompt;
pub mod redact;
pub mod session;
mod settings;
pub mod shape;
pub mod sink;
mod stream;
pub mod window;

pub use generations::Generations;
pub use guard::{Clock, Guard, GuardConfig, Inspection, NO_CLOCK, Step, Subject, TextCheck};
pub use judge::{Judge, JudgedPart, Judgement, Listed};
pub use memory::Memory;
pub use settings::{GuardBuilder, LeakSettings, Settings, SettingsError};
pub use stream::{DEEP_BLOCK, Stream, StreamSubject};
