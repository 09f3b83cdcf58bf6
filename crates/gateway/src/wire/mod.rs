//! The formats that clients and models speak: where text stands in them, and how an answer is refused.
//!
//! A request is read once ([`Request::read`]): every string of it becomes a part of a
//! [`Conversation`](bartizan_guard::conversation::Conversation), what the pipeline has to know is
//! taken out, and what has to change is changed in its raw bytes ([`Edits`]), so that everything
//! else goes on as it came. Whole answers take the same way back ([`Answer::read`]).

mod answer;
pub mod coverage;
mod edit;
mod elements;
mod fault;
mod history;
mod media;
pub mod models;
pub mod moderations;
mod refusal;
mod request;
mod server_tools;
pub mod sse;
pub mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub use answer::{Answer, Logprobs};
pub use edit::{EditError, Edits};
pub use fault::fault;
pub use media::{MediaConfig, Unread, UnreadKind};
pub use refusal::{
    InputRefusal, OutputRefusal, RefusalConfig, Refused, refuse_input, refuse_output,
};
pub use request::{Request, ServerState};
pub use server_tools::{ServerTool, ServerTools};
pub use usage::Usage;
