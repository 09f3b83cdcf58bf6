//! All upstreams, and the way of one request through them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_core::Secret;
use bartizan_policy::Permit;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Uri, header};
use http_body_util::Full;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::{
    address::{Resolve, SystemResolver},
    body::{AnswerLimits, UpstreamBody},
    breaker::{Breaker, BreakerState},
    budget::RetryBudget,
    config::{RouteConfig, TargetConfig, UpstreamConfig, UpstreamSettings},
    connect::{self, ConnectError, Host, HttpClient, Pool},
    echo,
    error::{UpstreamError, known_code},
    kind::{Kind, passed_back, passed_on},
    models::{Listing, Model, names},
    request::{UpstreamRequest, UpstreamResponse},
    route::{Route, Target},
};
use crate::{
    clock::{Clock, SystemClock},
    endpoint::Endpoint,
    serve::Mistake,
};

/// All upstreams and routes of a configuration. A changed configuration makes a new one; requests
/// that run keep theirs.
#[derive(Debug)]
pub struct Upstreams {
    upstreams: BTreeMap<Arc<str>, Arc<Upstream>>,
    routes: Vec<Arc<Route>>,
    random: Random,
}

/// What upstreams get from outside.
#[derive(Clone)]
pub struct UpstreamParts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names to addresses.
    pub resolver: Arc<dyn Resolve>,
    /// Is told what happens to upstreams; must not block.
    pub events: Arc<dyn Fn(UpstreamEvent) + Send + Sync>,
}

impl Default for UpstreamParts {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            resolver: Arc::new(SystemResolver),
            events: Arc::new(|_event| {}),
        }
    }
}

/// Something that happened to an upstream, for the record. All names are of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpstreamEvent {
    /// A breaker changed.
    Breaker {
        /// The upstream.
        upstream: Arc<str>,
        /// What it lets through now.
        state: BreakerState,
    },
    /// A try failed.
    Failed {
        /// The upstream.
        upstream: Arc<str>,
        /// Why: [`UpstreamError::name`].
        error: &'static str,
    },
    /// A request goes to another upstream.
    FellBack {
        /// The upstream that failed.
        from: Arc<str>,
        /// The upstream that is asked now.
        to: Arc<str>,
        /// Why: [`UpstreamError::name`].
        error: &'static str,
    },
}

/// One upstream.
pub(super) struct Upstream {
    name: Arc<str>,
    config: UpstreamConfig,
    /// `None` for the built-in echo.
    remote: Option<Remote>,
    breaker: Mutex<Breaker>,
    budget: Mutex<RetryBudget>,
    parts: UpstreamParts,
    listed: Mutex<Option<(u64, Vec<Arc<str>>)>>,
}

struct Remote {
    client: HttpClient,
    base: String,
    /// Where each route is, except for Azure, whose paths name the model.
    uris: BTreeMap<&'static str, Uri>,
    /// Credentials and configured headers.
    headers: HeaderMap,
}

impl Upstreams {
    /// The upstreams of `settings`. `keys` holds the resolved keys by name of upstream. Without
    /// any model there is the built-in echo, for every model.
    ///
    /// # Errors
    /// Every mistake in the settings, and files or keys that cannot be used.
    pub fn new(
        settings: &UpstreamSettings,
        keys: &BTreeMap<String, Secret<String>>,
        parts: &UpstreamParts,
    ) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = settings.check();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut upstreams: BTreeMap<Arc<str>, Arc<Upstream>> = BTreeMap::new();
        for (name, config) in &settings.upstreams {
            match Upstream::new(name, config, keys.get(name), parts) {
                Ok(upstream) => drop(upstreams.insert(Arc::clone(&upstream.name), upstream)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        // A server of a classifier alone is no model.
        let has_models = upstreams.values().any(|up| up.kind().has_models());
        if !has_models && settings.routes.is_empty() {
            let echo = Upstream::echo(parts);
            upstreams.insert(Arc::clone(&echo.name), echo);
        }
        let only = upstreams.values().find(|up| up.kind().has_models());
        let whole = match only {
            Some(only) if settings.routes.is_empty() => vec![whole_route(&only.name)],
            _ => Vec::new(),
        };
        let routes = settings
            .routes
            .iter()
            .chain(&whole)
            .map(|config| Arc::new(Route::new(config, |name| upstreams.get(name).cloned())))
            .collect();
        Ok(Self {
            upstreams,
            routes,
            random: Random::new(),
        })
    }

    /// The route for a model, by the name that the client used; the first that fits.
    #[must_use]
    pub fn route(&self, model: &str) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.fits(model))
    }

    /// A route that leads to the upstream of that name and no other, for its model of that name.
    #[must_use]
    pub fn only(&self, upstream: &str, model: &str) -> Option<Route> {
        let upstream = self.upstreams.get(upstream)?;
        let config = RouteConfig {
            model: model.to_owned(),
            ..whole_route(&upstream.name)
        };
        Some(Route::new(&config, |_| Some(Arc::clone(upstream))))
    }

    /// The names of models in routes, some with `*`: bounded labels for metrics.
    pub fn patterns(&self) -> impl Iterator<Item = &Arc<str>> {
        self.routes.iter().map(|route| route.pattern())
    }

    /// Whether all that is here is the built-in echo.
    #[must_use]
    pub fn is_echo_only(&self) -> bool {
        self.upstreams
            .values()
            .filter(|upstream| upstream.kind().has_models())
            .all(|upstream| upstream.kind() == Kind::Echo)
    }

    /// Every upstream, and what its breaker lets through.
    pub fn states(&self) -> impl Iterator<Item = (&Arc<str>, BreakerState)> {
        self.upstreams
            .iter()
            .map(|(name, upstream)| (name, upstream.breaker.lock().state()))
    }

    /// Asks the route's upstreams until one answers: repeats and fallbacks only where the request
    /// cannot have been worked on, unless `retry.after-sent` says otherwise.
    ///
    /// # Errors
    /// The last failure, when none answered.
    pub async fn ask(
        &self,
        route: &Route,
        request: &Permit<UpstreamRequest>,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let request = request.get();
        let started = Instant::now();
        let mut attempts = 0;
        let mut failed: Option<(&Arc<Target>, UpstreamError)> = None;
        for target in route.order(self.random.next()) {
            if let Some((from, error)) = &failed {
                (target.upstream.parts.events)(UpstreamEvent::FellBack {
                    from: Arc::clone(from.upstream()),
                    to: Arc::clone(target.upstream()),
                    error: error.name(),
                });
            }
            let upstream = &target.upstream;
            let deadline = started + Duration::from_millis(upstream.config.total_ms);
            match self.insist(target, request, deadline, &mut attempts).await {
                Ok(mut response) => {
                    response.attempts = attempts;
                    return Ok(response);
                }
                Err(error) => {
                    let elsewhere = error.is_unsent() || upstream.config.retry.after_sent;
                    if !elsewhere || error.is_of_request() {
                        return Err(error);
                    }
                    failed = Some((target, error));
                }
            }
        }
        Err(failed.map_or(UpstreamError::Unsupported, |(_, error)| error))
    }

    /// Asks one target, once.
    ///
    /// # Errors
    /// When it gives no answer.
    pub async fn send(
        &self,
        target: &Arc<Target>,
        request: &Permit<UpstreamRequest>,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let total = Duration::from_millis(target.upstream.config.total_ms);
        once(target, request.get(), Instant::now() + total).await
    }

    /// Asks one target, and again after a wait where that is safe and may help.
    async fn insist(
        &self,
        target: &Arc<Target>,
        request: &UpstreamRequest,
        deadline: Instant,
        attempts: &mut u32,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let upstream = &target.upstream;
        let retry = &upstream.config.retry;
        upstream.budget.lock().request(retry);
        let mut repeats = 0;
        loop {
            *attempts += 1;
            let error = match once(target, request, deadline).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let again = repeats < retry.attempts
                && error.is_passing()
                && !matches!(error, UpstreamError::Open { .. })
                && (error.is_unsent() || retry.after_sent);
            let wait = retry.wait(repeats, self.random.next(), error.retry_after());
            let Some(wait) = wait.filter(|wait| again && Instant::now() + *wait < deadline) else {
                return Err(error);
            };
            if !upstream.budget.lock().repeat() {
                return Err(error);
            }
            repeats += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// Models that a client may ask for: those of the configuration, and those that upstreams
    /// list, as far as a route is for them.
    pub async fn models(&self) -> Vec<Model> {
        let mut listing = Listing::default();
        for route in &self.routes {
            if let (false, Some(target)) = (route.pattern().contains('*'), route.targets().next()) {
                listing.add(Arc::clone(route.pattern()), target.upstream());
            }
        }
        for upstream in self.upstreams.values() {
            for name in upstream.models().await {
                if self.route(&name).is_some() {
                    listing.add(name, &upstream.name);
                }
            }
        }
        listing.into_models()
    }
}

fn whole_route(upstream: &str) -> RouteConfig {
    RouteConfig {
        model: "*".to_owned(),
        targets: vec![TargetConfig {
            upstream: upstream.to_owned(),
            ..TargetConfig::default()
        }],
        fallbacks: Vec::new(),
    }
}

/// One try.
async fn once(
    target: &Arc<Target>,
    request: &UpstreamRequest,
    deadline: Instant,
) -> Result<UpstreamResponse, UpstreamError> {
    let upstream = &target.upstream;
    if !upstream.kind().serves(request.endpoint) {
        return Err(UpstreamError::Unsupported);
    }
    let Some(remote) = &upstream.remote else {
        let now = upstream.parts.clock.unix_ms() / 1_000;
        let (headers, body) = echo::answer(request, now);
        return Ok(UpstreamResponse {
            status: http::StatusCode::OK,
            headers,
            body,
            target: Arc::clone(target),
            attempts: 1,
        });
    };
    let pass = upstream.admit()?;
    let result = exchange(upstream, remote, target, request, deadline).await;
    match &result {
        Err(error) => {
            // An address that we refuse says nothing about the upstream's health.
            match error {
                UpstreamError::Connect(ConnectError::Refused(_)) => drop(pass),
                _ => pass.ends(error.is_failure()),
            }
            (upstream.parts.events)(UpstreamEvent::Failed {
                upstream: Arc::clone(&upstream.name),
                error: error.name(),
            });
        }
        Ok(_) => pass.ends(false),
    }
    let (status, headers, body) = result?;
    Ok(UpstreamResponse {
        status,
        headers,
        body,
        target: Arc::clone(target),
        attempts: 1,
    })
}

async fn exchange(
    upstream: &Arc<Upstream>,
    remote: &Remote,
    target: &Target,
    request: &UpstreamRequest,
    deadline: Instant,
) -> Result<(http::StatusCode, HeaderMap, UpstreamBody), UpstreamError> {
    let config = &upstream.config;
    let outgoing = remote.request(config, target, request)?;
    let first_byte = Instant::now() + Duration::from_millis(config.first_byte_ms);
    let answer = timeout_at(first_byte.min(deadline), remote.client.request(outgoing))
        .await
        .map_err(|_elapsed| {
            if first_byte < deadline {
                UpstreamError::FirstByte
            } else {
                UpstreamError::Total
            }
        })?
        .map_err(|error| match ConnectError::find(&error) {
            Some(reason) => UpstreamError::Connect(reason),
            None if error.is_connect() => UpstreamError::Connect(ConnectError::Tcp),
            None => UpstreamError::Broken,
        })?;
    let (head, incoming) = answer.into_parts();
    let limits = AnswerLimits {
        max_bytes: config.max_answer_bytes,
        idle: Duration::from_millis(config.idle_ms),
        total_at: deadline,
    };
    let body = UpstreamBody::new(incoming, limits, Arc::clone(upstream));
    if head.status.is_client_error() || head.status.is_server_error() {
        return Err(UpstreamError::Status {
            status: head.status,
            code: error_code(body).await,
            retry_after: retry_after(&head.headers),
        });
    }
    // A redirect is not followed, and what is compressed cannot be examined.
    if !head.status.is_success() || head.headers.contains_key(header::CONTENT_ENCODING) {
        return Err(UpstreamError::Unusable);
    }
    Ok((head.status, passed_back(&head.headers), body))
}

/// Most bytes of an error that are read for its code, and the time for it.
const ERROR_BYTES: usize = 64 * 1_024;
const ERROR_TIME: Duration = Duration::from_secs(2);

/// The code of an error, if it is a known one. Nothing else is taken from it.
async fn error_code(mut body: UpstreamBody) -> Option<&'static str> {
    let read = async {
        let mut all = Vec::new();
        while let Some(Ok(piece)) = body.next().await {
            if all.len() + piece.len() > ERROR_BYTES {
                return None;
            }
            all.extend_from_slice(&piece);
        }
        known_code(&all)
    };
    tokio::time::timeout(ERROR_TIME, read).await.ok()?
}

/// `retry-after-ms`, or `Retry-After` in seconds (RFC 9110, section 10.2.3); a date is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?.trim();
        let value: f64 = value.parse().ok()?;
        (0.0..=86_400_000.0).contains(&value).then_some(value)
    };
    number("retry-after-ms")
        .map(|ms| Duration::from_secs_f64(ms / 1_000.0))
        .or_else(|| number("retry-after").map(Duration::from_secs_f64))
}

impl Remote {
    fn request(
        &self,
        config: &UpstreamConfig,
        target: &Target,
        request: &UpstreamRequest,
    ) -> Result<Request<Full<Bytes>>, UpstreamError> {
        let uri = self.uri(config, target, request)?;
        let mut headers = passed_on(&request.headers);
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        config.kind.defaults(&mut headers);
        headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json"));
        let body = request.body_for(target);
        let mut outgoing = Request::new(Full::new(body));
        *outgoing.method_mut() = request.endpoint.method();
        *outgoing.uri_mut() = uri;
        *outgoing.headers_mut() = headers;
        Ok(outgoing)
    }

    fn uri(
        &self,
        config: &UpstreamConfig,
        target: &Target,
        request: &UpstreamRequest,
    ) -> Result<Uri, UpstreamError> {
        if let Some(uri) = self.uris.get(request.endpoint.path()) {
            return Ok(uri.clone());
        }
        let model = target.model().unwrap_or(&request.model_name);
        let path = config
            .kind
            .path(request.endpoint, model, &config.api_version);
        format!("{}{path}", self.base)
            .parse()
            .map_err(|_invalid| UpstreamError::Unsupported)
    }
}

impl Upstream {
    fn new(
        name: &str,
        config: &UpstreamConfig,
        key: Option<&Secret<String>>,
        parts: &UpstreamParts,
    ) -> Result<Arc<Self>, Mistake> {
        let wrong = |field: &str, message: String| {
            Mistake::new(format!("upstreams.{name}.{field}"), message)
        };
        let remote = match config.base().filter(|_| config.kind != Kind::Echo) {
            None => None,
            Some(base) => {
                let tls =
                    connect::tls(config).map_err(|error| wrong("ca-file", error.to_string()))?;
                let host = Host::of(&base, config.allow_private)
                    .ok_or_else(|| wrong("base-url", format!("`{base}` names no host")))?;
                let pool = Pool {
                    connect: config.connect_timeout(),
                    keep_idle: Duration::from_millis(config.keep_idle_ms),
                    max_idle: config.max_idle_connections,
                };
                let resolver = Arc::clone(&parts.resolver);
                let headers = fixed_headers(config, &base, key).ok_or_else(|| {
                    wrong(
                        "key",
                        "the key is not one that a header can carry".to_owned(),
                    )
                })?;
                let base = base.to_string().trim_end_matches('/').to_owned();
                Some(Remote {
                    client: connect::client(vec![host], resolver, tls, pool),
                    uris: uris(config, &base),
                    base,
                    headers,
                })
            }
        };
        Ok(Arc::new(Self {
            name: name.into(),
            config: config.clone(),
            remote,
            breaker: Mutex::new(Breaker::new(config.breaker)),
            budget: Mutex::default(),
            parts: parts.clone(),
            listed: Mutex::new(None),
        }))
    }

    fn echo(parts: &UpstreamParts) -> Arc<Self> {
        let config = UpstreamConfig {
            kind: Kind::Echo,
            models: vec![echo::MODEL.to_owned()],
            ..UpstreamConfig::default()
        };
        Arc::new(Self {
            name: "echo".into(),
            breaker: Mutex::new(Breaker::new(config.breaker)),
            config,
            remote: None,
            budget: Mutex::default(),
            parts: parts.clone(),
            listed: Mutex::new(None),
        })
    }

    pub(super) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) const fn kind(&self) -> Kind {
        self.config.kind
    }

    fn admit(&self) -> Result<Pass<'_>, UpstreamError> {
        self.on_breaker(Breaker::admit)
            .map_err(|wait| UpstreamError::Open {
                retry_after: Duration::from_nanos(wait),
            })?;
        Ok(Pass {
            upstream: self,
            over: false,
        })
    }

    /// An answer that had begun well broke off.
    pub(super) fn failed_later(&self) {
        self.on_breaker(Breaker::failure);
    }

    fn on_breaker<R>(&self, act: impl FnOnce(&mut Breaker, u64) -> R) -> R {
        let now = self.parts.clock.nanos();
        let mut breaker = self.breaker.lock();
        let before = breaker.state();
        let result = act(&mut breaker, now);
        let state = breaker.state();
        drop(breaker);
        if state != before {
            let upstream = Arc::clone(&self.name);
            (self.parts.events)(UpstreamEvent::Breaker { upstream, state });
        }
        result
    }

    /// Its models: those of the configuration, and those that it lists itself.
    async fn models(&self) -> Vec<Arc<str>> {
        let mut all: Vec<Arc<str>> = self
            .config
            .models
            .iter()
            .map(|name| name.as_str().into())
            .collect();
        if let (Some(remote), 1..) = (&self.remote, self.config.list_models_seconds) {
            all.extend(self.listed_models(remote).await);
        }
        all
    }

    /// What it lists, asked anew when it is too old; when it does not answer, what it listed last.
    async fn listed_models(&self, remote: &Remote) -> Vec<Arc<str>> {
        let now = self.parts.clock.nanos();
        let age = self
            .config
            .list_models_seconds
            .saturating_mul(1_000_000_000);
        let cached = self.listed.lock().clone();
        if let Some((at, names)) = &cached
            && now.saturating_sub(*at) < age
        {
            return names.clone();
        }
        let fresh = self.ask_for_models(remote).await;
        let names = fresh
            .or_else(|| cached.map(|(_, names)| names))
            .unwrap_or_default();
        *self.listed.lock() = Some((now, names.clone()));
        names
    }

    async fn ask_for_models(&self, remote: &Remote) -> Option<Vec<Arc<str>>> {
        let path = self
            .config
            .kind
            .path(Endpoint::Models, "", &self.config.api_version);
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = format!("{}{path}", remote.base).parse().ok()?;
        *request.headers_mut() = remote.headers.clone();
        self.config.kind.defaults(request.headers_mut());
        let asked = async {
            let answer = remote.client.request(request).await.ok()?;
            if !answer.status().is_success() {
                return None;
            }
            let limited = http_body_util::Limited::new(answer.into_body(), LIST_BYTES);
            let body = http_body_util::BodyExt::collect(limited).await.ok()?;
            names(&body.to_bytes())
        };
        tokio::time::timeout(LIST_TIME, asked).await.ok()?
    }
}

/// Most bytes of a list of models, and the time for it.
const LIST_BYTES: usize = 4 * 1_024 * 1_024;
const LIST_TIME: Duration = Duration::from_secs(5);

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.name)
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

/// The right to ask an upstream. Dropped without an end, as when the client goes away, it says
/// nothing about the upstream.
struct Pass<'u> {
    upstream: &'u Upstream,
    over: bool,
}

impl Pass<'_> {
    fn ends(mut self, failed: bool) {
        self.over = true;
        self.upstream.on_breaker(if failed {
            Breaker::failure
        } else {
            Breaker::success
        });
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.upstream
                .on_breaker(|breaker, _now| breaker.abandoned());
        }
    }
}

fn fixed_headers(
    config: &UpstreamConfig,
    base: &Uri,
    key: Option<&Secret<String>>,
) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let name = http::HeaderName::try_from(name).ok()?;
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    if let Some(key) = key {
        config
            .kind
            .credentials(key.expose().trim(), &mut headers)
            .ok()?;
    }
    // Saves the client from writing it for each request; with TLS it may speak HTTP/2, which has
    // `:authority`.
    if base.scheme_str() == Some("http")
        && let Some(authority) = base.authority()
    {
        let host = HeaderValue::try_from(authority.as_str()).ok()?;
        headers.insert(header::HOST, host);
    }
    Some(headers)
}

fn uris(config: &UpstreamConfig, base: &str) -> BTreeMap<&'static str, Uri> {
    if config.kind == Kind::Azure {
        return BTreeMap::new();
    }
    Endpoint::ALL
        .into_iter()
        .filter_map(|endpoint| {
            let path = config.kind.path(endpoint, "", &config.api_version);
            Some((endpoint.path(), format!("{base}{path}").parse().ok()?))
        })
        .collect()
}

/// Numbers that spread load; not for secrets. SplitMix64, Steele, Lea, and Flood (2014).
#[derive(Debug)]
struct Random(AtomicU64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    fn new() -> Self {
        Self(AtomicU64::new(getrandom::u64().unwrap_or(GOLDEN)))
    }

    fn next(&self) -> u64 {
        let state = self.0.fetch_add(GOLDEN, Ordering::Relaxed);
        let mut z = state.wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
