//! Retrieved documents: `POST /v1/rag/ingest-check`, `/v1/rag/query-check`, and
//! `/v1/rag/answer-check`.

mod answer;
mod config;
mod ingest;
mod query;
mod shared;
#[cfg(test)]
mod tests;

pub(super) use answer::{AnswerRequest, Answered, answer};
pub use config::RagConfig;
pub(super) use ingest::{IngestRequest, Ingested, ingest};
pub(super) use query::{QueryRequest, Retrieved, query};

pub(super) const INGEST: &str = "/v1/rag/ingest-check";
pub(super) const QUERY: &str = "/v1/rag/query-check";
pub(super) const ANSWER: &str = "/v1/rag/answer-check";
