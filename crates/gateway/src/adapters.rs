//! What joins the modules that do not know each other: the upstream client for those that ask
//! other servers, and the record for those that have something to tell.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use bartizan_core::Origin;
use bartizan_guard::{Subject, conversation::PartKind};
use bartizan_policy::{Approval, DecisionContext};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use parking_lot::RwLock;

use crate::{
    clock::Clock,
    config::{Config, Mistake},
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
    identity::KeySource,
    judge::{Addressee, Ask, Question, Unanswered},
    predict::PostJson,
    proxy::{Engine, today},
    record::{AlertDesk, AlertTarget, Deliver, Observe, Recorder, UpstreamState, What},
    secrets::{
        Clouds, Environment, Fetch, FetchBounds, FetchError, SecretError, SecretsConfig, Vault,
        VaultConfig,
    },
    telemetry::Metrics,
    upstream::{
        self, ConnectError, FetchHost, FetchLimits, SystemResolver, UpstreamConfig, UpstreamError,
        UpstreamEvent, UpstreamRequest,
    },
};

/// The present generation of something that a change of the configuration replaces: rules and
/// policy, who may ask, limits. Clones share it.
pub(crate) struct Present<T>(Arc<RwLock<Arc<T>>>);

impl<T> Present<T> {
    /// Begins with this generation.
    #[must_use]
    pub(crate) fn new(first: Arc<T>) -> Self {
        Self(Arc::new(RwLock::new(first)))
    }

    /// The generation that new requests meet.
    #[must_use]
    pub(crate) fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read())
    }

    /// Puts another in its place; requests under way end with theirs.
    pub(crate) fn replace(&self, next: Arc<T>) {
        *self.0.write() = next;
    }
}

impl<T> Clone for Present<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Puts questions to upstreams of the configuration.
///
/// The text of a question passes the guard and the policy like a request of a client: what is
/// refused does not leave, and what is redacted leaves redacted, for a judge as for a model.
pub(crate) struct AskUpstream {
    engine: Present<Engine>,
    clock: Arc<dyn Clock>,
}

impl AskUpstream {
    pub(crate) const fn new(engine: Present<Engine>, clock: Arc<dyn Clock>) -> Self {
        Self { engine, clock }
    }

    async fn put(&self, question: &Question) -> Result<String, Unanswered> {
        let engine = self.engine.get();
        let route = match &question.to {
            Addressee::Model(model) => engine.upstreams.route(model).cloned(),
            Addressee::Upstream { name, model } => engine.upstreams.only(name, model).map(Arc::new),
        };
        let route = route.ok_or(Unanswered::Unreachable)?;
        let permit = {
            let cx = DecisionContext::new(
                bartizan_core::Direction::Input,
                Origin::User,
                today(&*self.clock),
            );
            let subject = Subject::input(question.text.as_bytes(), Origin::User);
            let clock = || self.clock.nanos();
            let judgement = engine.judge.text(&subject, PartKind::Text, &clock, &cx);
            let text = question.text.as_bytes();
            let safe = if judgement.removals(0).is_empty() {
                Cow::Borrowed(text)
            } else {
                let mut redactor = engine.redactor_for_questions();
                Cow::Owned(judgement.safe_text(0, text, &mut redactor))
            };
            let request = UpstreamRequest {
                endpoint: question.endpoint,
                body: question.body(&String::from_utf8_lossy(&safe)).into(),
                model: None,
                model_name: Arc::clone(question.model()),
                headers: HeaderMap::new(),
            };
            // Whoever is to say what a doubtful text is must see it: the operator released it to
            // them. What is refused, nobody sees.
            let approval = Approval::by("configuration");
            engine
                .judge
                .policy()
                .admit_reviewed(request, &judgement.decision, &approval)
                .map_err(|_| Unanswered::Unreachable)?
        };
        let mut response =
            engine
                .upstreams
                .ask(&route, &permit)
                .await
                .map_err(|error| match error {
                    UpstreamError::Status { status, .. } => Unanswered::Status(status.as_u16()),
                    UpstreamError::FirstByte | UpstreamError::Idle | UpstreamError::Total => {
                        Unanswered::TimedOut
                    }
                    _ => Unanswered::Unreachable,
                })?;
        let mut body = Vec::new();
        while let Some(piece) = response.body.next().await {
            body.extend_from_slice(&piece.map_err(|_| Unanswered::Unreachable)?);
            if body.len() > MAX_OPINION {
                return Err(Unanswered::Malformed);
            }
        }
        if question.endpoint != Endpoint::ChatCompletions {
            return String::from_utf8(body).map_err(|_| Unanswered::Malformed);
        }
        let answer: serde_json::Value =
            serde_json::from_slice(&body).map_err(|_| Unanswered::Malformed)?;
        answer
            .pointer("/choices/0/message/content")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
            .ok_or(Unanswered::Malformed)
    }
}

/// Bytes of an answer.
const MAX_OPINION: usize = 64 << 10;

impl Ask for AskUpstream {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<String, Unanswered>> {
        Box::pin(self.put(question))
    }
}

impl Fetch for upstream::Fetch {
    fn fetch(
        &self,
        request: http::Request<Bytes>,
        bounds: FetchBounds,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, FetchError>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let limits = FetchLimits {
                max_bytes: bounds.max_bytes,
                timeout: bounds.timeout,
            };
            let fetched = self
                .send(
                    head.method,
                    &head.uri.to_string(),
                    head.headers,
                    body,
                    &limits,
                )
                .await
                .map_err(|error| match error {
                    UpstreamError::Connect(ConnectError::Refused(_)) => FetchError::Refused,
                    UpstreamError::TooLarge => FetchError::TooLarge,
                    UpstreamError::FirstByte | UpstreamError::Idle | UpstreamError::Total => {
                        FetchError::TimedOut
                    }
                    _ => FetchError::Unreachable,
                })?;
            let mut response = http::Response::new(fetched.body);
            *response.status_mut() = fetched.status;
            *response.headers_mut() = fetched.headers;
            Ok(response)
        })
    }
}

/// A client for the hosts of `urls` and no others.
pub(crate) fn client(
    urls: &[String],
    allow_private: bool,
) -> Result<Arc<upstream::Fetch>, Mistake> {
    let hosts: Vec<FetchHost> = urls
        .iter()
        .map(|url| FetchHost {
            url: url.clone(),
            allow_private,
        })
        .collect();
    let tls = UpstreamConfig::default();
    upstream::Fetch::new(&hosts, &tls, Arc::new(SystemResolver)).map(Arc::new)
}

/// The client of Vault, which may well be in a private network: its address is the operator's own.
pub(crate) fn vault(
    config: &VaultConfig,
    environment: &dyn Environment,
) -> Result<Vault, SecretError> {
    let fetch = client(std::slice::from_ref(&config.address), true)
        .map_err(|_| crate::secrets::VaultError::Fetch(FetchError::Refused))?;
    Ok(Vault::new(config, environment, fetch)?)
}

/// The clients of clouds' secret managers, if any is configured. Metadata services are at addresses
/// that only they have.
pub(crate) fn clouds(
    config: &SecretsConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Clouds>, Mistake> {
    let configs = config.clouds();
    let urls = configs.urls();
    if urls.is_empty() {
        return Ok(None);
    }
    let fetch = client(&urls, true)?;
    Ok(Some(Clouds::new(configs, fetch, Arc::clone(clock))))
}

/// The client of the issuers' key sets.
pub(crate) fn identity_fetch(config: &Config) -> Result<Arc<dyn Fetch>, Mistake> {
    let urls: Vec<String> = config
        .identity
        .issuers
        .iter()
        .filter_map(|issuer| match &issuer.keys {
            KeySource::JwksUrl(url) => Some(url.clone()),
            _ => None,
        })
        .collect();
    Ok(client(&urls, true)?)
}

/// Posts rows to the servers of classical models.
pub(crate) struct PostToUpstream {
    bases: BTreeMap<String, String>,
    client: Arc<upstream::Fetch>,
}

impl PostToUpstream {
    pub(crate) fn new(config: &Config) -> Result<Self, Mistake> {
        let bases: BTreeMap<String, String> = config
            .predict
            .models
            .values()
            .filter_map(|model| {
                let upstream = config.upstreams.get(&model.upstream)?;
                let base = upstream.base_url.as_deref()?.trim_end_matches('/');
                Some((model.upstream.clone(), base.to_owned()))
            })
            .collect();
        let urls: Vec<String> = bases.values().cloned().collect();
        let is_private = |name: &String| {
            config
                .upstreams
                .get(name)
                .is_some_and(|upstream| upstream.allow_private)
        };
        Ok(Self {
            client: client(&urls, bases.keys().all(is_private))?,
            bases,
        })
    }
}

impl PostJson for PostToUpstream {
    fn post<'a>(
        &'a self,
        upstream: &'a str,
        path: &'a str,
        body: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, Fault>> {
        Box::pin(async move {
            let Some(base) = self.bases.get(upstream) else {
                return Err(UpstreamError::Unsupported.fault());
            };
            let url = format!("{base}{path}");
            let limits = FetchLimits::default();
            let fetched = self
                .client
                .post_json(&url, HeaderMap::new(), body, &limits)
                .await
                .map_err(|error| error.fault())?;
            if fetched.status.is_success() {
                return Ok(fetched.body);
            }
            Err(Fault::new(
                FaultKind::BadGateway,
                "upstream_error",
                "the server of the model refused the request",
            ))
        })
    }
}

/// What happens to upstreams, for the record.
pub(crate) fn upstream_events(recorder: Recorder) -> Arc<dyn Fn(UpstreamEvent) + Send + Sync> {
    Arc::new(move |event| {
        let state = match event {
            UpstreamEvent::Breaker { upstream, state } => UpstreamState {
                upstream: upstream.into(),
                to: state.as_str().into(),
                reason: "breaker".into(),
                ..UpstreamState::default()
            },
            UpstreamEvent::Failed { upstream, error } => UpstreamState {
                upstream: upstream.into(),
                reason: error.into(),
                ..UpstreamState::default()
            },
            UpstreamEvent::FellBack { from, to, error } => UpstreamState {
                upstream: from.into(),
                to: to.into(),
                reason: error.into(),
                ..UpstreamState::default()
            },
        };
        recorder.note(What::UpstreamState(state));
    })
}

/// Who is told of every event: metrics, and alerts.
pub(crate) fn observers(
    config: &Config,
    metrics: &Arc<Metrics>,
) -> Result<Vec<Arc<dyn Observe>>, Mistake> {
    let urls: Vec<String> = config
        .record
        .alerts
        .routes
        .iter()
        .filter_map(|route| match &route.to {
            AlertTarget::Webhook(url) => Some(url.clone()),
            AlertTarget::Log => None,
        })
        .collect();
    let receivers = Receivers(client(&urls, true)?);
    let desk = AlertDesk::start(config.record.alerts.clone(), Arc::new(receivers));
    Ok(vec![Arc::clone(metrics) as Arc<dyn Observe>, desk])
}

/// Sends alerts to the receivers that the configuration names.
struct Receivers(Arc<upstream::Fetch>);

impl Deliver for Receivers {
    fn post<'a>(&'a self, receiver: &'a str, body: Vec<u8>) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let limits = FetchLimits {
                timeout: Duration::from_secs(5),
                ..FetchLimits::default()
            };
            let sent = self
                .0
                .post_json(receiver, HeaderMap::new(), body.into(), &limits)
                .await;
            sent.is_ok_and(|answer| answer.status.is_success())
        })
    }
}
