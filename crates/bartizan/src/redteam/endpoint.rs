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
        let mut patience = Patience::default();
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
            let Some(wait) = patience.wait(named) else {
                return Ok(fetched);
            };
            tokio::time::sleep(wait).await;
        }
    }
}

/// How long a target that says later is still waited for.
struct Patience {
    waited: Duration,
    pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            waited: Duration::ZERO,
            pause: PAUSE,
        }
    }
}

impl Patience {
    /// The next pause where the target names `seconds`, at least [`PAUSE`]; `None` if all pauses
    /// together would pass [`LONGEST`].
    fn wait(&mut self, seconds: Option<u64>) -> Option<Duration> {
        let wait = seconds.map_or(self.pause, Duration::from_secs).max(PAUSE);
        self.waited = self.waited.saturating_add(wait);
        self.pause = self.pause.saturating_mul(2);
        (self.waited <= LONGEST).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_says_later_without_a_pause_is_not_asked_for_ever() {
        let mut patience = Patience::default();
        let tries = std::iter::from_fn(|| patience.wait(Some(0))).count();
        assert_eq!(tries, 240);
        let mut patience = Patience::default();
        let pauses: Vec<u128> = std::iter::from_fn(|| patience.wait(None))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
    }

    #[test]
    fn a_pause_longer_than_all_time_is_not_waited_for() {
        let mut patience = Patience::default();
        assert_eq!(patience.wait(Some(2)), Some(Duration::from_secs(2)));
        assert_eq!(patience.wait(Some(u64::MAX)), None);
        assert_eq!(patience.wait(None), None);
    }
}
