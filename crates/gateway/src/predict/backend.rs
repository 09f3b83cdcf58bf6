use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Tensor;
use crate::fault::Fault;

/// A model that scores rows.
pub trait ModelBackend: Send + Sync + 'static {
    /// One list of scores per row of `input`, all of the same length.
    ///
    /// # Errors
    /// When the model cannot be reached or answers with what cannot be used.
    fn predict<'a>(&'a self, input: &'a Tensor) -> BoxFuture<'a, Result<Scores, Fault>>;

    /// Whether it would answer now.
    fn is_ready(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { true })
    }

    /// Whether it is the built-in model that only shows how it works.
    fn is_demonstration(&self) -> bool {
        false
    }
}

/// What a model says about rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Scores {
    /// A probability per class, one list per row.
    Classes(Vec<Vec<f64>>),
    /// Numbers that are no probabilities, one list per row.
    Values(Vec<Vec<f64>>),
}

/// Posts JSON to a configured upstream; implemented over the upstream client, which knows the
/// address, bounds time and size, and keeps credentials.
pub trait PostJson: Send + Sync + 'static {
    /// The body of a successful answer.
    ///
    /// # Errors
    /// Any other outcome, without the upstream's words.
    fn post<'a>(
        &'a self,
        upstream: &'a str,
        path: &'a str,
        body: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, Fault>>;

    /// Whether the upstream would answer now.
    fn is_ready<'a>(&'a self, upstream: &'a str) -> BoxFuture<'a, bool> {
        let _ = upstream;
        Box::pin(async { true })
    }
}

/// The protocol that an upstream speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Open Inference Protocol, `POST /v2/models/{model}/infer`: KServe, Triton, MLServer.
    #[default]
    OpenInference,
    /// TensorFlow Serving, `POST /v1/models/{model}:predict`.
    TensorflowServing,
    /// `POST /predict` with `features`, answering `predictions` or `probabilities`.
    Plain,
}

/// A model behind an upstream.
pub struct UpstreamModel {
    pub(super) post: Arc<dyn PostJson>,
    pub(super) upstream: String,
    pub(super) model: String,
    pub(super) protocol: Protocol,
}
