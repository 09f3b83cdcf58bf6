use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

/// Servers of the Model Context Protocol, and what is let through between them and their clients.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct McpConfig {
    /// The servers, by a name of your own: `/mcp/NAME` at the gateway, and `NAME.tool` in
    /// `agents.tools`.
    pub servers: BTreeMap<String, ServerConfig>,
    /// The file of pins, relative to this file; `bartizan.mcp.lock` if left out.
    pub pins: Option<PathBuf>,
    /// Which definitions are shown to clients.
    pub trust: Trust,
    /// What happens to a message whose method no table knows.
    pub unknown_methods: UnknownMethods,
    /// What becomes of values in arguments that the policy would take out.
    pub arguments: ArgumentsConfig,
    /// Whether servers may ask the client's model.
    pub sampling: SamplingConfig,
    /// Whether servers may ask the person in front of the client.
    pub elicitation: ElicitationConfig,
    /// The folders that servers are told of, as `file:` addresses. What the client would say is never
    /// asked.
    pub roots: Vec<String>,
    /// Kinds of pictures, sounds, and files that results may hold; `*` stands for any run of
    /// characters. PNG, JPEG, GIF, and WebP if left out.
    pub media: Option<Vec<String>>,
    /// Addresses of pages whose scripts may use the gateway's routes, such as
    /// `https://console.example`; a request of any other page is refused.
    pub origins: Vec<String>,
    /// Bounds.
    pub limits: McpLimits,
}

/// One server: an address, or a program.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ServerConfig {
    /// Its address, for streamable HTTP.
    pub url: Option<String>,
    /// The program that is started for every session, and its arguments.
    pub command: Vec<String>,
    /// Variables that the program gets beside `PATH`, `HOME`, and their like; a value is a reference
    /// to a secret such as `env:TOKEN`, or the value itself.
    pub env: BTreeMap<String, String>,
    /// A reference to the secret that the server is shown as a bearer token. The client's own is never
    /// passed on.
    pub token: Option<String>,
    /// Tools that clients may see and call; `*` stands for any run of characters. All if empty.
    pub tools: Vec<String>,
}

/// Which definitions are shown to clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// What is seen for the first time and is clean is pinned; what changes after that is hidden.
    #[default]
    FirstUse,
    /// Only what the file of pins holds.
    Pinned,
}

/// What happens to a message whose method no table knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownMethods {
    /// It is refused.
    #[default]
    Refuse,
    /// Its texts are looked at like any others, and it passes.
    Pass,
}

/// What becomes of a value in an argument that the policy would take out of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// The call is refused.
    Refuse,
    /// It is replaced.
    Redact,
    /// It stays.
    Pass,
}

/// What becomes of values in arguments that the policy would take out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ArgumentsConfig {
    /// Keys, tokens, passwords; `refuse` by default.
    pub secrets: Treatment,
    /// Personal data; `pass` by default, since most tools need it.
    pub personal_data: Treatment,
}

impl Default for ArgumentsConfig {
    fn default() -> Self {
        Self {
            secrets: Treatment::Refuse,
            personal_data: Treatment::Pass,
        }
    }
}

/// Whether servers may ask the client's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SamplingConfig {
    /// They may. `false` by default.
    pub allow: bool,
    /// Most requests of one session, 1 to 10,000; 20 by default.
    pub max_requests: u32,
    /// Most tokens of all answers of one session together, as the requests ask for them, 1 to
    /// 10,000,000; 20,000 by default.
    pub max_tokens: u64,
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self {
            allow: false,
            max_requests: 20,
            max_tokens: 20_000,
        }
    }
}

/// Whether servers may ask the person in front of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ElicitationConfig {
    /// They may, but never for a secret. `false` by default.
    pub allow: bool,
    /// Hosts to which they may lead the person; none if empty.
    pub hosts: Vec<String>,
}

/// Bounds of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct McpLimits {
    /// Bytes of one message, 1,024 to 67,108,864; 4 MiB by default.
    pub max_message_bytes: usize,
    /// Requests under way at a time in either direction, 1 to 1,000; 64 by default.
    pub max_pending: usize,
    /// Seconds that a request may take, 1 to 86,400; 300 by default.
    pub request_seconds: u32,
    /// Definitions of one server, 1 to 10,000; 1,000 by default.
    pub max_definitions: usize,
    /// Calls further apart than so many seconds belong to different runs of the agent, 1 to 86,400;
    /// 60 by default. Who calls never says when a run ends.
    pub run_gap_seconds: u32,
    /// Sessions of the gateway at a time, 1 to 100,000; 1,000 by default.
    pub max_sessions: usize,
    /// Sessions of one caller at a time, 1 to 10,000; 16 by default.
    pub max_sessions_per_caller: usize,
    /// Seconds without a message after which a session of the gateway ends, 1 to 86,400; 1,800 by
    /// default.
    pub idle_seconds: u32,
}

impl Default for McpLimits {
    fn default() -> Self {
        Self {
            max_message_bytes: 4 << 20,
            max_pending: 64,
            request_seconds: 300,
            max_definitions: 1_000,
            run_gap_seconds: 60,
            max_sessions: 1_000,
            max_sessions_per_caller: 16,
            idle_seconds: 1_800,
        }
    }
}

/// Kinds of content that pass where a configuration says nothing.
const MEDIA: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

impl McpConfig {
    /// Whether results may hold content of the kind `media`.
    #[must_use]
    pub fn admits_media(&self, media: &str) -> bool {
        match &self.media {
            Some(kinds) => kinds
                .iter()
                .any(|kind| bartizan_policy::glob_matches(kind, media)),
            None => MEDIA.contains(&media),
        }
    }

    /// Every mistake: its place, and what is wrong there.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (name, server) in &self.servers {
            let mut say = |key: &str, message: &str| {
                all.push((format!("servers.{name}{key}"), message.to_owned()));
            };
            if !is_server_name(name) {
                say("", "a name is 1 to 64 letters, digits, `_`, or `-`");
            }
            match (&server.url, server.command.is_empty()) {
                (Some(_), false) => say("", "give `url` or `command`, not both"),
                (Some(url), true) => {
                    if !url::Url::parse(url).is_ok_and(|url| {
                        matches!(url.scheme(), "http" | "https")
                            && url.username().is_empty()
                            && url.password().is_none()
                    }) {
                        say(".url", "give an `http` or `https` address without a user");
                    }
                    if !server.env.is_empty() {
                        say(".env", "only a program has variables");
                    }
                }
                (None, false) => {
                    if server.token.is_some() {
                        say(".token", "only an address is shown a token; use `env`");
                    }
                }
                (None, true) => {}
            }
        }
        for (number, root) in self.roots.iter().enumerate() {
            if !url::Url::parse(root).is_ok_and(|url| url.scheme() == "file") {
                let message = format!("`{root}` is no `file:` address");
                all.push((format!("roots[{number}]"), message));
            }
        }
        for (number, origin) in self.origins.iter().enumerate() {
            let is_origin = url::Url::parse(origin)
                .is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !is_origin {
                let message = format!("`{origin}` is no origin such as `https://console.example`");
                all.push((format!("origins[{number}]"), message));
            }
        }
        let mut range = |key: &str, value: u64, least: u64, most: u64| {
            if !(least..=most).contains(&value) {
                let message = format!("{value} is out of range, give {least} to {most}");
                all.push((key.to_owned(), message));
            }
        };
        let sampling = &self.sampling;
        range(
            "sampling.max-requests",
            sampling.max_requests.into(),
            1,
            10_000,
        );
        range("sampling.max-tokens", sampling.max_tokens, 1, 10_000_000);
        let l = &self.limits;
        for (key, value, least, most) in [
            (
                "max-message-bytes",
                l.max_message_bytes as u64,
                1_024,
                64 << 20,
            ),
            ("max-pending", l.max_pending as u64, 1, 1_000),
            ("request-seconds", l.request_seconds.into(), 1, 86_400),
            ("max-definitions", l.max_definitions as u64, 1, 10_000),
            ("run-gap-seconds", l.run_gap_seconds.into(), 1, 86_400),
            ("max-sessions", l.max_sessions as u64, 1, 100_000),
            (
                "max-sessions-per-caller",
                l.max_sessions_per_caller as u64,
                1,
                10_000,
            ),
            ("idle-seconds", l.idle_seconds.into(), 1, 86_400),
        ] {
            range(&format!("limits.{key}"), value, least, most);
        }
        all
    }
}

/// Whether `name` can stand in an address and before a tool.
pub(crate) fn is_server_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_has_its_place() {
        let yaml = "servers:\n  a b: {url: 'ftp://x'}\n  c: {url: 'https://x', command: [y]}\n  d: {command: [y], token: 'env:T'}\nroots: [/tmp]\norigins: ['https://x/y']\nsampling: {max-tokens: 0}\nlimits: {max-pending: 0}\n";
        let config: McpConfig = serde_saphyr::from_str(yaml).unwrap();
        let places: Vec<String> = config.check().into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            places,
            [
                "servers.a b",
                "servers.a b.url",
                "servers.c",
                "servers.d.token",
                "roots[0]",
                "origins[0]",
                "sampling.max-tokens",
                "limits.max-pending"
            ]
        );
        assert_eq!(McpConfig::default().check(), []);
    }
}
