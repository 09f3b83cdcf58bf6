use std::{sync::Arc, time::Duration};

use bartizan_gateway::upstream::{
    Fetch, FetchHost, FetchLimits, Fetched, SystemResolver, UpstreamConfig,
};
use bartizan_redteam::{Attempt, Reply, Target, TargetError, endpoint::Wire};
use tokio::runtime::Runtime;

use super::Scope;
use crate::{
    cli::{Api, RedteamRun},
    problem::Problem,
};

/// A model's endpoint, over the gateway's own client: one host, no redirects, no proxies.
pub(crate) struct Endpoint {
    runtime: Runtime,
    fetch: Fetch,
    wire: Wire,
    url: String,
    headers: Vec<(&'static str, String)>,
    limits: FetchLimits,
    has_prompt: bool,
}

/// Most bytes of an answer.
const MAX_ANSWER: usize = 4 << 20;

impl Endpoint {
    /// The endpoint at `url`, which `scope` must admit.
    pub(crate) fn new(arguments: &RedteamRun, url: &str, scope: &Scope) -> Result<Self, Problem> {
        scope.admit(url)?;
        let host = FetchHost {
            url: url.to_owned(),
            // What the scope admits may be in a private network.
            allow_private: true,
        };
        let fetch = Fetch::new(
            &[host],
            &UpstreamConfig::default(),
            Arc::new(SystemResolver),
        )
        .map_err(|mistake| Problem::new(mistake.message))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Problem::new(format!("cannot start threads: {error}")))?;
        Ok(Self {
            runtime,
            fetch,
            wire: wire(arguments)?,
            url: url.to_owned(),
            headers: headers(arguments)?,
            limits: FetchLimits {
                timeout: arguments.timeout.max(Duration::from_millis(1)),
                max_bytes: MAX_ANSWER,
            },
            has_prompt: arguments.system_prompt.is_some(),
        })
    }
}

fn wire(arguments: &RedteamRun) -> Result<Wire, Problem> {
    let model = arguments.model.clone();
    Ok(match arguments.api {
        Api::Openai => Wire::OpenAi { model },
        Api::Anthropic => Wire::Anthropic { model },
        Api::Template => {
            let body = arguments.body.as_deref().ok_or_else(|| {
                Problem::new("`--api template` needs a body")
                    .help("e.g. `--body '{\"question\": \"{{prompt}}\"}' --answer /answer`")
            })?;
            let body = serde_json::from_str(body)
                .map_err(|error| Problem::new(format!("`--body` is no JSON: {error}")))?;
            Wire::Template {
                body,
                answer: arguments.answer.clone(),
            }
        }
    })
}

fn headers(arguments: &RedteamRun) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut headers = Vec::new();
    if arguments.api == Api::Anthropic {
        headers.push(("anthropic-version", "2023-06-01".to_owned()));
    }
    if let Some(variable) = &arguments.key_env {
        let key = std::env::var(variable).map_err(|_| {
            Problem::new(format!("the environment variable `{variable}` is not set"))
                .help("set it to the endpoint's key")
        })?;
        headers.push(match arguments.api {
            Api::Anthropic => ("x-api-key", key),
            _ => ("authorization", format!("Bearer {key}")),
        });
    }
    Ok(headers)
}

/// Statuses that say: later.
const LATER: [u16; 2] = [429, 503];

/// Pause before the next try where the target names none; doubled each time.
const PAUSE: Duration = Duration::from_millis(500);

/// Longest pause that a target may ask for.
const LONGEST: Duration = Duration::from_secs(120);

impl Target for Endpoint {
    fn ask(&self, attempt: &Attempt<'_>) -> Result<Reply, TargetError> {
        let body = self.wire.request(attempt, self.has_prompt)?;
        let body = serde_json::to_vec(&body).map_err(|_| TargetError::Form)?;
        let fetched = self.runtime.block_on(self.answer(body))?;
        self.wire.reply(fetched.status.as_u16(), &fetched.body)
    }
}

impl Endpoint {
    /// The answer; asked again where the target says later, as often as it says so within
    /// [`LONGEST`] altogether.
    async fn answer(&self, body: Vec<u8>) -> Result<Fetched, TargetError> {
        let (mut waited, mut pause) = (Duration::ZERO, PAUSE);
        loop {
            let headers = self.headers.iter();
            let headers = headers.map(|(name, value)| (*name, value.as_str()));
            let asked = self
                .fetch
                .post_with(&self.url, headers, body.clone(), &self.limits);
            let fetched = asked.await.map_err(|_| TargetError::Unreachable)?;
            if !LATER.contains(&fetched.status.as_u16()) {
                return Ok(fetched);
            }
            let named = fetched.headers.get("retry-after");
            let named = named.and_then(|value| value.to_str().ok()?.parse().ok());
            let wait = named.map_or(pause, Duration::from_secs);
            if waited + wait > LONGEST {
                return Ok(fetched);
            }
            tokio::time::sleep(wait).await;
            waited += wait;
            pause *= 2;
        }
    }
}
