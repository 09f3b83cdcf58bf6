//! One request on its way through: read, judged, permitted, asked, guarded, recorded.

mod history;
mod review;
mod settings;

pub use history::droppable;
pub use review::{QueueFull, ReviewItem, ReviewQueue, Ruling, Ticket};
pub use settings::{
    DecodeConfig, GuardingConfig, HardeningConfig, History, Mistake, ReviewConfig,
    ServerSideHistory,
};
