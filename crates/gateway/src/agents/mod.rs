//! Agents: calls of tools are decided about before anybody makes them.

mod client;
mod desk;
mod migrations;
mod routes;
mod state;
mod turn;

pub use bartizan_agents::RULES;
pub use client::{AgentClient, ClientError};
pub use desk::{AgentDesk, Decided, DeskError, Waiting};
pub(crate) use migrations::MIGRATIONS;
pub(crate) use routes::{decide, flip, list, switches};
pub(crate) use state::AgentState;
pub(crate) use turn::{AgentTurn, Asker, LABELS};
