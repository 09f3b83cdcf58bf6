//! What a server asks of the client's side.

use bartizan_guard::conversation::Value;
use serde_json::json;

use super::{Action, Outcome, Record, Session, finding};
use crate::{Handling, Id, Outgoing, rules};

/// Words of names and titles of what must not be asked for. A server "MUST NOT use form mode
/// elicitation to request sensitive information" (2025-11-25, "Elicitation").
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "api key",
    "api_key",
    "api-key",
    "credential",
    "private key",
    "privatekey",
    "private_key",
    "pin code",
    "cvv",
    "cvc",
    "card number",
    "cardnumber",
    "card_number",
    "ssn",
    "social security",
    "otp",
    "one-time",
    "2fa",
    "mfa",
    "recovery code",
    "seed phrase",
    "mnemonic",
];
/// The code for a question that its person turned down (2025-06-18, "Sampling": error handling).
const DECLINED: i64 = -1;
/// Levels of a form that are looked at.
const MAX_DEPTH: usize = 16;

impl Session {
    /// Whether the server may ask this; what stands against it goes into `record`.
    pub(super) fn may_ask(
        &mut self,
        handling: Handling,
        params: Option<Value<'_, '_>>,
        record: &mut Record,
    ) -> bool {
        let found = match handling {
            Handling::Sample => self.may_sample(params),
            Handling::Elicit => self.may_elicit(params),
            _ => None,
        };
        let may = found.is_none();
        record.findings.extend(found);
        may
    }

    fn may_sample(&mut self, params: Option<Value<'_, '_>>) -> Option<bartizan_core::Finding> {
        let config = &self.gate.config.sampling;
        let refuse = |message| Some(finding(&rules::ASKS, 1.0, message));
        if !config.allow {
            return refuse("servers may not ask the model here");
        }
        let Some(tokens) = params.and_then(|params| params.get("maxTokens")?.as_u64()) else {
            return refuse("a question to the model names no `maxTokens`");
        };
        let requests = self.sampled.requests.saturating_add(1);
        let tokens = self.sampled.tokens.saturating_add(tokens);
        if requests > config.max_requests || tokens > config.max_tokens {
            return refuse("the server asked the model more than it may");
        }
        self.sampled.requests = requests;
        self.sampled.tokens = tokens;
        None
    }

    fn may_elicit(&self, params: Option<Value<'_, '_>>) -> Option<bartizan_core::Finding> {
        let config = &self.gate.config.elicitation;
        if !config.allow {
            return Some(finding(
                &rules::ASKS,
                1.0,
                "servers may not ask the person here",
            ));
        }
        let params = params?;
        let mode = params.get("mode").map_or(Some("form"), Value::as_str);
        if mode == Some("url") {
            let url = params
                .get("url")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let url = url::Url::parse(url).ok();
            let is_open = url.as_ref().is_some_and(|url| {
                url.scheme() == "https"
                    && url
                        .host_str()
                        .is_some_and(|host| config.hosts.iter().any(|h| h == host))
            });
            let message = "it leads the person to a host that is not allowed";
            return (!is_open).then(|| finding(&rules::ASKS, 1.0, message));
        }
        if mode != Some("form") {
            return Some(finding(
                &rules::ASKS,
                1.0,
                "it asks in a way that is not known",
            ));
        }
        let asks = params.get("message").is_some_and(is_secret_text)
            || params
                .get("requestedSchema")
                .is_some_and(|form| names_secret(form, 0));
        asks.then(|| finding(&rules::ASKS_FOR_SECRET, 1.0, &rules::ASKS_FOR_SECRET.title))
    }

    /// The answer to a question that must not reach the client.
    pub(super) fn turned_down(&self, id: &Id, handling: Handling, record: &Record) -> Outgoing {
        match handling {
            Handling::Elicit => Outgoing::result(id, &json!({ "action": "decline" })),
            _ => Outgoing::error(Some(id), DECLINED, &record.told("refused")),
        }
    }

    /// The folders that servers are told of.
    pub(super) fn roots(&self, id: &Id, mut record: Record, out: &mut Vec<Action>) {
        let roots = &self.gate.config.roots;
        let roots: Vec<_> = roots.iter().map(|root| json!({ "uri": root })).collect();
        record.outcome = Outcome::Passed;
        out.push(Action::Record(Box::new(record)));
        let answer = Outgoing::result(id, &json!({ "roots": roots }));
        out.push(Action::ToServer(answer));
    }
}

/// Whether a form asks for a secret: by a name, a title, a description, or a format.
fn names_secret(form: Value<'_, '_>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return true;
    }
    let inner = |value| names_secret(value, depth + 1);
    form.members().any(|member| {
        let is_said = matches!(
            member.key,
            "title" | "description" | "default" | "format" | "const"
        ) && is_secret_text(member.value);
        is_said || is_secret(member.key) || inner(member.value)
    }) || form.items().any(inner)
}

fn is_secret_text(value: Value<'_, '_>) -> bool {
    value.as_str().is_some_and(is_secret)
}

fn is_secret(text: &str) -> bool {
    let text = bartizan_text::fold::fold_str(text).to_lowercase();
    SECRETS.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text
                .get(at + word.len()..)
                .and_then(|text| text.chars().next());
            // Short words stand in others by chance.
            word.len() > 4
                || before.is_none_or(|c| !c.is_alphanumeric())
                    && after.is_none_or(|c| !c.is_alphanumeric())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_secrets_are_known_and_others_are_not() {
        for text in [
            "Password",
            "your API key",
            "gh_token",
            "accessToken",
            "OTP",
            "card number",
        ] {
            assert!(is_secret(text), "{text}");
        }
        for text in ["your name", "laptop", "adopt", "which branch?"] {
            assert!(!is_secret(text), "{text}");
        }
    }
}
