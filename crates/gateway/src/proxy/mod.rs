//! One request on its way through: read, judged, permitted, asked, guarded, recorded.

mod agent;
mod consent;
mod engine;
mod exchange;
mod gateway;
mod history;
mod input;
mod keys;
mod models;
mod output;
#[cfg(feature = "envoy")]
mod relay;
mod review;
mod rights;
pub mod routes;
mod server_tools;
mod settings;
mod stream;

pub use engine::Engine;
pub(crate) use engine::today;
pub use gateway::{Front, Gateway};
pub(crate) use gateway::{GatewayParts, Generation};
pub use history::{KnownAnswers, droppable};
#[cfg(feature = "envoy")]
pub(crate) use relay::{Relay, Relayed, RelayedStream};
pub use review::{QueueFull, ReviewItem, ReviewQueue, Ruling, Ticket};
pub(crate) use routes::{Answer, Given, Refused};
pub use server_tools::RULES;
pub use settings::{
    DecodeConfig, GuardingConfig, HardeningConfig, History, ReviewConfig, ServerSideHistory,
    ServerToolUse,
};
