use std::collections::HashMap;

use bartizan_core::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{At, Event, Label, RequestId, What};

/// Who is told of what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AlertsConfig {
    /// Routes, tried in order; an alert goes to every route that wants it. Empty: to the log, from
    /// `high` on.
    pub routes: Vec<AlertRoute>,
    /// For how long the same alert (event, class, rule, principal) is not repeated, in seconds; its
    /// repetitions are counted and told with the next one.
    pub quiet_seconds: u32,
    /// Most alerts of all kinds in a minute; those above are counted and told of in one.
    pub max_per_minute: u32,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            quiet_seconds: 300,
            max_per_minute: 30,
        }
    }
}

/// One receiver of alerts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AlertRoute {
    /// Where it goes.
    pub to: AlertTarget,
    /// The mildest that it wants: `info`, `low`, `medium`, `high`, or `critical`.
    #[serde(default = "high")]
    #[schemars(with = "String")]
    pub severity: Severity,
    /// Events that it wants, e.g. `security_event`; empty for all.
    #[serde(default)]
    pub events: Vec<String>,
}

/// Where an alert goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AlertTarget {
    /// The program's log, as a warning.
    Log,
    /// The URL of a receiver of HTTP POSTs.
    Webhook(String),
}

const fn high() -> Severity {
    Severity::High
}

impl AlertsConfig {
    /// Every mistake as the field that it stands in and what is wrong there.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut mistakes = Vec::new();
        if self.max_per_minute == 0 {
            let message = "0 would tell nobody; leave out the routes instead".to_owned();
            mistakes.push(("max-per-minute".to_owned(), message));
        }
        for (number, route) in self.routes.iter().enumerate() {
            let unknown = route
                .events
                .iter()
                .filter(|event| !What::KINDS.contains(&event.as_str()));
            for event in unknown {
                let message = format!("unknown event `{event}`");
                mistakes.push((format!("routes[{number}].events"), message));
            }
        }
        mistakes
    }
}

/// Something that a person should look at; holds no content.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Alert {
    /// When, in UTC.
    pub timestamp: At,
    /// How bad.
    #[schemars(with = "String")]
    pub severity: Severity,
    /// The event's name; `alert_storm` for what the bound kept back.
    pub event: Label,
    /// What it is counted under: a kind of harm, a reason.
    pub class: String,
    /// The rule, if one is meant.
    #[serde(skip_serializing_if = "Label::is_none")]
    pub rule: Label,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Label::is_none")]
    pub user_id: Label,
    /// The request that raised it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// How many of the same were kept back since the last one.
    pub repeated: u64,
}

/// Decides which events become alerts, and keeps storms down. Pure: the time stands in the event.
#[derive(Debug)]
pub struct Alerts {
    config: AlertsConfig,
    /// When the same alert was told last, and how many were kept back since.
    known: HashMap<Key, (u64, u64)>,
    minute: u64,
    in_minute: u32,
    kept_back: u64,
}

type Key = (&'static str, String, String, String);

/// Most alerts that are told apart; the oldest go first, so a storm of new ones costs no memory.
const MAX_KNOWN: usize = 4_096;

impl Alerts {
    /// Alerts as configured.
    #[must_use]
    pub fn new(mut config: AlertsConfig) -> Self {
        if config.routes.is_empty() {
            config.routes.push(AlertRoute {
                to: AlertTarget::Log,
                severity: high(),
                events: Vec::new(),
            });
        }
        Self {
            config,
            known: HashMap::new(),
            minute: 0,
            in_minute: 0,
            kept_back: 0,
        }
    }

    /// What is to be told of `event`, and to whom.
    pub fn observe(&mut self, event: &Event) -> Vec<(AlertTarget, Alert)> {
        let mut out = Vec::new();
        let now = event.timestamp.0;
        if now / 60_000 > self.minute {
            self.minute = now / 60_000;
            self.in_minute = 0;
            if self.kept_back > 0 {
                let storm = self.storm(event.timestamp);
                let everybody = self.config.routes.iter().map(|route| route.to.clone());
                out.extend(everybody.map(|to| (to, storm.clone())));
            }
        }
        let severity = event.what.severity();
        if !self.config.routes.iter().any(|r| wants(r, event, severity)) {
            return out;
        }
        let rule = match &event.what {
            What::SecurityEvent(found) => found.details.rule.clone(),
            _ => Label::NONE,
        };
        let Some(repeated) = self.unless_quiet(event, &rule) else {
            return out;
        };
        if self.in_minute >= self.config.max_per_minute {
            self.kept_back += 1;
            return out;
        }
        self.in_minute += 1;
        let alert = Alert {
            timestamp: event.timestamp,
            severity,
            event: event.what.kind().into(),
            class: event.what.class().to_owned(),
            rule,
            user_id: event.what.user_id().clone(),
            request_id: event.request_id,
            repeated,
        };
        let routes = self.config.routes.iter();
        out.extend(
            routes
                .filter(|route| wants(route, event, severity))
                .map(|route| (route.to.clone(), alert.clone())),
        );
        out
    }

    /// How many of the same were kept back, or `None` if this one is to be as well.
    fn unless_quiet(&mut self, event: &Event, rule: &Label) -> Option<u64> {
        let now = event.timestamp.0;
        let quiet = u64::from(self.config.quiet_seconds) * 1_000;
        let key: Key = (
            event.what.kind(),
            event.what.class().to_owned(),
            rule.to_string(),
            event.what.user_id().to_string(),
        );
        if let Some((last, kept_back)) = self.known.get_mut(&key) {
            if now < last.saturating_add(quiet) {
                *kept_back += 1;
                return None;
            }
            *last = now;
            return Some(std::mem::take(kept_back));
        }
        if self.known.len() >= MAX_KNOWN {
            self.known
                .retain(|_, (last, _)| now < last.saturating_add(quiet));
        }
        if self.known.len() >= MAX_KNOWN {
            self.kept_back += 1;
            return None;
        }
        self.known.insert(key, (now, 0));
        Some(0)
    }

    fn storm(&mut self, timestamp: At) -> Alert {
        Alert {
            timestamp,
            severity: Severity::High,
            event: "alert_storm".into(),
            class: String::new(),
            rule: Label::NONE,
            user_id: Label::NONE,
            request_id: None,
            repeated: std::mem::take(&mut self.kept_back),
        }
    }
}

fn wants(route: &AlertRoute, event: &Event, severity: Severity) -> bool {
    severity >= route.severity
        && (route.events.is_empty() || route.events.iter().any(|name| name == event.what.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Gap, SCHEMA_VERSION, UpstreamState};

    fn gap(at_ms: u64, reason: &'static str) -> Event {
        let what = What::Gap(Gap {
            reason: reason.into(),
            ..Gap::default()
        });
        Event {
            v: SCHEMA_VERSION,
            timestamp: At(at_ms),
            request_id: None,
            what,
        }
    }

    fn upstream(at_ms: u64) -> Event {
        Event {
            what: What::UpstreamState(UpstreamState::default()),
            ..gap(at_ms, "")
        }
    }

    #[test]
    fn the_same_is_told_once_in_a_window_with_the_count() {
        let mut alerts = Alerts::new(AlertsConfig::default());
        assert_eq!(alerts.observe(&gap(0, "full")).len(), 1);
        for at in 1..100 {
            assert!(alerts.observe(&gap(at * 1_000, "full")).is_empty());
        }
        let told = alerts.observe(&gap(300_000, "full"));
        assert_eq!(told[0].1.repeated, 99);
    }

    #[test]
    fn mild_events_tell_nobody() {
        let mut alerts = Alerts::new(AlertsConfig::default());
        assert!(alerts.observe(&upstream(0)).is_empty());
    }

    #[test]
    fn mon_07_a_storm_of_different_alerts_is_bounded_and_summed_up() {
        let mut alerts = Alerts::new(AlertsConfig {
            routes: vec![AlertRoute {
                to: AlertTarget::Webhook("security".to_owned()),
                severity: Severity::Info,
                events: vec!["auth_failure".to_owned()],
            }],
            quiet_seconds: 0,
            max_per_minute: 10,
        });
        let mut told = 0;
        for number in 0..20_000 {
            let what = What::AuthFailure(crate::record::AuthFailure {
                user_id: Label::Known(format!("user-{number}").into()),
                ..Default::default()
            });
            told += alerts
                .observe(&Event {
                    what,
                    ..gap(number % 60_000, "")
                })
                .len();
        }
        assert_eq!(told, 10);
        assert!(alerts.known.len() <= MAX_KNOWN);
        let told = alerts.observe(&gap(60_000, "x"));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].1.event.as_str(), "alert_storm");
        assert_eq!(told[0].1.repeated, 19_990);
    }
}
