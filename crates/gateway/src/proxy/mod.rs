//! One request on its way through: read, judged, permitted, asked, guarded, recorded.

mod engine;
mod exchange;
mod gateway;
mod history;
mod input;
mod keys;
mod models;
mod output;
mod review;
pub mod routes;
mod server_tools;
mod settings;
mod stream;

pub use engine::Engine;
pub(crate) use engine::today;
pub use gateway::{Front, Gateway};
pub(crate) use gateway::{GatewayParts, Generation};
pub use history::{KnownAnswers, droppable};
pub use review::{QueueFull, ReviewItem, ReviewQueue, Ruling, Ticket};
pub use server_tools::RULES;
pub use settings::{
    DecodeConfig, GuardingConfig, HardeningConfig, History, ReviewConfig, ServerSideHistory,
    ServerToolUse,
};
