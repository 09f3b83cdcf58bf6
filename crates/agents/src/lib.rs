//! What may flow where in an agent.
//!
//! Text that others wrote is harmless while it cannot choose what a tool does. A [`Transcript`] is
//! what a model has read; a [`Context`] knows who wrote each of its texts and who may read them, and
//! [`Context::trace`] tells where a value of a call came from. The [`Governor`] asks a table of
//! [`FlowConfig`] rows whether such a value may go there, checks what the value would do, and bounds
//! the run. No IO, no clock, no randomness: time comes in as an argument.
//!
//! The ideas are those of CaMeL (Debenedetti et al., arXiv:2503.18813), which tracks the sources and
//! readers of every value, and of FIDES (Costa et al., arXiv:2505.23643), which joins the labels of
//! all that a model has read. Here labels are inferred from the plain calls of any agent: a value
//! that trusted text names is trusted, and every other has the label of all that was read.

mod arguments;
mod budget;
mod class;
mod config;
mod context;
mod encodings;
mod examination;
mod flow;
mod governor;
mod json;
mod label;
mod permissions;
mod rules;
mod run;
mod schema;
mod semantic;
mod switches;
mod text;
mod transcript;
mod wire;

pub use budget::CallCounters;
pub use config::{
    AgentConfig, AgentsConfig, ArgumentConfig, ArgumentKind, Audience, CallLimit, FlowAction,
    FlowConfig, PlanMode, ResultTrust, Risk, RunLimits, Shape, SourceKind, ToolConfig,
    UnknownTools,
};
pub use context::{Context, MAX_PLACES, Trace};
pub use examination::{Examination, Objection, ValueStory};
pub use governor::{Caller, Governor, Tool};
pub use label::{Label, Readers, Writers};
pub use permissions::{Permissions, PlanError, check_plan};
pub use rules::RULES;
pub use run::{Run, Used};
pub use semantic::{Refusal, STATEMENTS, refusal};
pub use switches::Switches;
pub use transcript::{Call, Entry, Offer, Said, ToolResult, Transcript};
pub use wire::{calls_of, definition_digest, labels_of, transcript_of};
