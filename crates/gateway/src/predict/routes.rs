use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::Request,
    response::Response,
    routing::{get, post},
};
use bartizan_access::Permission;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::{
    Demonstration, ModelBackend, ModelConfig, OutputConfig, Prediction, SIGNATURE_HEADER, Scores,
    Shaper, Signer, Tensor, open_inference, plain, read::Misfit, tensorflow,
};
use crate::{
    clock::Clock,
    extraction::{Extraction, ExtractionEvent, Query},
    fault::{Fault, FaultKind},
    guard_api::request::{Shape, answer, principal, read, request_id},
    principal::{Principal, Scope},
};

/// What the prediction routes work with. Cheap to clone.
#[derive(Clone)]
pub struct PredictApi {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
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

    /// Whether a principal may use a model. `model` is its name as asked for, `known` as configured,
    /// if there is one of that name.
    ///
    /// # Errors
    /// When the access policy refuses it.
    fn may_use(
        &self,
        principal: &Principal,
        permission: Permission,
        model: &str,
        known: Option<&str>,
        request_id: &str,
    ) -> Result<(), Fault> {
        let _ = (principal, permission, model, known, request_id);
        Ok(())
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
pub fn router(api: PredictApi) -> Router {
    Router::new()
        .route(plain::PATH, post(plain::predict))
        .route(plain::NAMED, post(plain::predict_named))
        .route(plain::KEY, get(plain::key))
        .route(open_inference::SERVER, get(open_inference::server))
        .route(open_inference::LIVE, get(open_inference::live))
        .route(open_inference::READY, get(open_inference::ready))
        .route(open_inference::MODEL, get(open_inference::model))
        .route(
            open_inference::MODEL_READY,
            get(open_inference::model_ready),
        )
        .route(open_inference::INFER, post(open_inference::infer))
        .route(
            open_inference::MODEL_VERSION,
            get(open_inference::model_version),
        )
        .route(
            open_inference::MODEL_VERSION_READY,
            get(open_inference::model_version_ready),
        )
        .route(
            open_inference::INFER_VERSION,
            post(open_inference::infer_version),
        )
        .route(tensorflow::PATH, post(tensorflow::predict))
        .with_state(api)
}

/// A request for a prediction, as far as its head tells.
pub(super) struct Call<'a> {
    /// The path of the route, for the record.
    pub(super) route: &'static str,
    /// Whose shape errors have.
    pub(super) shape: Shape,
    /// The model, `None` for the default one.
    pub(super) model: Option<&'a str>,
    /// The version that the path names.
    pub(super) version: Option<&'a str>,
}

/// What a model said, and to whom it is told.
pub(super) struct Outcome<'a> {
    /// The model's name.
    pub(super) name: &'a str,
    pub(super) served: &'a Served,
    /// One entry per row.
    pub(super) predictions: Vec<Prediction>,
    pub(super) request_id: &'a str,
    pub(super) input_digest: [u8; 32],
}

/// A body taken apart: the tensor, and what the dialect needs besides.
pub(super) type Parsed<T> = Result<(Tensor, T), Misfit>;

impl PredictApi {
    /// Answers a request: reads it with `parse`, asks the model, and tells it with `render`.
    pub(super) async fn answer<T>(
        &self,
        request: Request,
        call: Call<'_>,
        parse: impl FnOnce(&[u8], &ModelConfig) -> Parsed<T>,
        render: impl FnOnce(&Inner, &Outcome<'_>, T) -> Value,
    ) -> Response {
        let inner = &*self.inner;
        let request_id = request_id(&request, &*inner.clock);
        let started = inner.clock.nanos();
        let who = principal(&request, Scope::Infer);
        let principal = match who {
            Ok(principal) => principal,
            Err(fault) => return call.shape.fault(&fault, &request_id),
        };
        let mut told = Told::default();
        let answered = async {
            let (name, served) =
                inner.served(&call, &principal, Permission::ModelPredict, &request_id)?;
            told.model = name;
            let spec = &served.config.input;
            let incoming = read(
                request,
                Scope::Infer,
                spec.max_payload_bytes,
                Arc::clone(&request_id),
            );
            let body = incoming.await?.body;
            told.digest = sha256(&body);
            let (tensor, rest) = parse(&body, &served.config).map_err(fault_of)?;
            drop(body);
            told.rows = tensor.rows();
            let now = inner.clock.unix_ms();
            let range = spec.min.zip(spec.max);
            if let Some(extraction) = inner.watch.extraction() {
                for values in tensor.iter() {
                    let query = Query::Vector { values, range };
                    let seen = extraction.query(&principal.id, name, query, now);
                    told.events.extend(seen);
                }
            }
            let scores = if tensor.rows() == 0 {
                Scores::Values(Vec::new())
            } else {
                served.backend.predict(&tensor).await?
            };
            if let (Some(extraction), Scores::Classes(rows)) = (inner.watch.extraction(), &scores) {
                for row in rows {
                    let seen = extraction.answered(&principal.id, margin(row), now);
                    told.events.extend(seen);
                }
            }
            let whole = principal.entitlements.probabilities;
            let predictions = inner.shaped(name, served, &tensor, &scores, whole)?;
            let outcome = Outcome {
                name,
                served,
                predictions,
                request_id: &request_id,
                input_digest: told.digest,
            };
            Ok::<Value, Fault>(render(inner, &outcome, rest))
        };
        let response = match answered.await {
            Ok(body) => inner.signed(&body),
            Err(fault) => call.shape.fault(&fault, &request_id),
        };
        inner.watch.predicted(&Predicted {
            route: call.route,
            principal: &principal,
            request_id: &request_id,
            model: told.model,
            rows: told.rows,
            input_digest: told.digest,
            status: response.status().as_u16(),
            nanos: inner.clock.nanos().saturating_sub(started),
            events: &told.events,
        });
        response
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }
}

/// What the record hears of a request, however it ends.
#[derive(Default)]
struct Told<'a> {
    model: &'a str,
    rows: usize,
    digest: [u8; 32],
    events: Vec<ExtractionEvent>,
}

impl Inner {
    /// The model that a request is for, if its principal may use it. Who may not use it learns
    /// nothing about whether it is there.
    pub(super) fn served(
        &self,
        call: &Call<'_>,
        principal: &Principal,
        permission: Permission,
        request_id: &str,
    ) -> Result<(&str, &Served), Fault> {
        let asked = call.model.unwrap_or(&self.default_model);
        let found = self.models.get_key_value(asked);
        let known = found.map(|(name, _)| name.as_str());
        self.watch
            .may_use(principal, permission, asked, known, request_id)?;
        let fits = |served: &Served| {
            call.version
                .is_none_or(|version| version == served.config.version)
        };
        match found {
            Some((name, served)) if principal.may_use(name) && fits(served) => Ok((name, served)),
            _ => Err(Fault::new(
                FaultKind::NotFound,
                "model-not-found",
                "there is no such model, or the credential does not allow it",
            )),
        }
    }

    fn shaped(
        &self,
        name: &str,
        served: &Served,
        tensor: &Tensor,
        scores: &Scores,
        whole: bool,
    ) -> Result<Vec<Prediction>, Fault> {
        let config = &served.config;
        let (Scores::Classes(rows) | Scores::Values(rows)) = scores;
        if rows.len() != tensor.rows() {
            return Err(Fault::new(
                FaultKind::BadGateway,
                "upstream-answer",
                "the model answered with another number of rows",
            ));
        }
        let labels = if config.labels.is_empty() && served.backend.is_demonstration() {
            &Demonstration::labels()
        } else {
            &config.labels
        };
        let told = |(row, scores): (&[f64], &Vec<f64>), is_classes: bool| match (is_classes, whole)
        {
            (true, true) => Prediction::whole(labels, scores),
            (true, false) => self
                .shaper
                .classes(&config.output, labels, name, row, scores),
            (false, true) => Shaper::values(
                &OutputConfig {
                    decimals: None,
                    ..config.output.clone()
                },
                scores,
            ),
            (false, false) => Shaper::values(&config.output, scores),
        };
        let is_classes = matches!(scores, Scores::Classes(_));
        Ok(tensor
            .iter()
            .zip(rows)
            .map(|pair| told(pair, is_classes))
            .collect())
    }

    /// The answer with a signature over its bytes in the header, if answers are signed.
    fn signed(&self, body: &Value) -> Response {
        let mut response = answer(StatusCode::OK, body);
        if let Some(signer) = &self.signer
            && let Ok(text) = serde_json::to_vec(body)
            && let Ok(value) = HeaderValue::from_str(&signer.header(&text))
        {
            response.headers_mut().insert(SIGNATURE_HEADER, value);
        }
        response
    }

    pub(super) fn models(&self) -> impl Iterator<Item = &Served> {
        self.models.values()
    }

    pub(super) const fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}

/// The likeliest class's probability less the next one's.
fn margin(probabilities: &[f64]) -> f64 {
    let (mut first, mut second) = (0.0_f64, 0.0_f64);
    for &probability in probabilities {
        if probability > first {
            second = first;
            first = probability;
        } else {
            second = second.max(probability);
        }
    }
    (first - second).clamp(0.0, 1.0)
}

fn sha256(body: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

/// Places and problems, never values.
fn fault_of(misfit: Misfit) -> Fault {
    match misfit {
        Misfit::NotJson(at) => Fault::new(
            FaultKind::BadRequest,
            "invalid-json",
            format!("the body is no JSON at byte {at}"),
        ),
        Misfit::Spec(errors) => {
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let fault = Fault::new(FaultKind::Unprocessable, "invalid-input", told.join("; "));
            match errors.into_iter().next() {
                Some(first) => fault.about(first.place),
                None => fault,
            }
        }
    }
}
