use std::{collections::BTreeMap, sync::Arc};

use super::{ModelBackend, ModelConfig, Shaper, Signer};
use crate::{clock::Clock, extraction::Extraction, principal::Principal};

/// What the prediction routes work with. Cheap to clone.
#[derive(Clone)]
pub struct PredictApi {
    inner: Arc<Inner>,
}

struct Inner {
    models: BTreeMap<String, Served>,
    default_model: String,
    shaper: Shaper,
    signer: Option<Signer>,
    clock: Arc<dyn Clock>,
    watch: Arc<dyn Watch>,
}

/// One model that is served.
pub struct Served {
    /// What it takes and what is shown of it.
    pub config: ModelConfig,
    /// What answers.
    pub backend: Arc<dyn ModelBackend>,
}

/// Hears of predictions: for limits, the record, and the detectors of extraction. Holds no content.
pub trait Watch: Send + Sync + 'static {
    /// The detectors that see every row; `None` for none.
    fn extraction(&self) -> Option<&Extraction> {
        None
    }

    /// A prediction was given, or refused for its input.
    fn predicted(&self, predicted: &Predicted<'_>) {
        let _ = predicted;
    }
}

/// A prediction that was given or refused.
#[derive(Clone, Copy, Debug)]
pub struct Predicted<'a> {
    /// The path of the route, e.g. `/predict`.
    pub route: &'static str,
    /// Who asked.
    pub principal: &'a Principal,
    /// The request's id.
    pub request_id: &'a str,
    /// The model, by its configured name.
    pub model: &'a str,
    /// Rows that were asked about; 0 where the input was refused.
    pub rows: usize,
    /// SHA-256 of the body; key it before it is kept.
    pub input_digest: [u8; 32],
    /// The status of the answer.
    pub status: u16,
    /// What it cost, in nanoseconds.
    pub nanos: u64,
    /// What the detectors of extraction reported.
    pub events: &'a [crate::extraction::ExtractionEvent],
}

/// A watch that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWatch;

impl Watch for NoWatch {}

impl PredictApi {
    /// The routes' state. `default_model` is the one of `/predict`. Noise is bound to `noise_key`,
    /// which should outlive the process, so that a restart does not give other noise to average
    /// with.
    #[must_use]
    pub fn new(
        models: BTreeMap<String, Served>,
        default_model: String,
        noise_key: &[u8; 32],
        signer: Option<Signer>,
        clock: Arc<dyn Clock>,
        watch: Arc<dyn Watch>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                models,
                default_model,
                shaper: Shaper::new(noise_key),
                signer,
                clock,
                watch,
            }),
        }
    }
}

/// Every prediction route: `/predict`, `/v2/...`, `/v1/models/{model}:predict`.
#[must_use]
pub fn router(api: PredictApi) -> axum::Router {
    axum::Router::new().with_state(api)
}
