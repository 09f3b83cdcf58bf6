//! Classical models behind input specifications.
//!
//! `POST /predict`, the Open Inference Protocol, and TensorFlow Serving's shape lead through one
//! [`InputSpec`], which is enforced **while the body is read**, before a number is stored. What comes
//! back is the model's scores after [`OutputConfig`], signed if a key is given.

mod backend;
mod config;
mod demonstration;
mod open_inference;
mod openapi;
mod output;
mod plain;
mod read;
mod reader;
mod routes;
mod sign;
mod spec;
mod tensorflow;
#[cfg(test)]
mod tests;

pub use backend::{ModelBackend, PostJson, Protocol, Scores, UpstreamModel};
pub use config::{ModelConfig, PredictConfig};
pub use demonstration::Demonstration;
pub(crate) use openapi::routes;
pub use output::{OutputConfig, Prediction, Ranked, ReverseSigmoid, Shaper};
pub use routes::{NoWatch, PredictApi, Predicted, Served, Watch, router};
pub use sign::{SIGNATURE_HEADER, SignatureError, Signer, canonical, verify, verify_header};
pub use spec::{DType, FeatureRule, InputSpec, SpecError, Tensor};
