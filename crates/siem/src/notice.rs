use bartizan_core::Severity;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{cef, ocsf::OcsfEvent};

/// An audit event on its way out, as the record holds it: without content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number in the record, from 1.
    pub number: u64,
    /// When it happened, in milliseconds since 1970, UTC.
    pub at_ms: u64,
    /// Its name, e.g. `security_event`.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whom it is about; empty for nobody.
    pub principal: String,
    /// The request that it belongs to.
    pub request_id: Option<String>,
    /// The event as JSON, in the schema `audit-event.v1.json`.
    pub body: String,
}

/// How an event is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// As a class of OCSF, JSON, with the event itself under `unmapped`.
    #[default]
    Ocsf,
    /// The event itself, JSON, as in the record.
    Event,
    /// One line of ArcSight's Common Event Format.
    Cef,
}

impl Notice {
    /// The event in `format`, one line without its end. `version` is that of the program.
    #[must_use]
    pub fn write(&self, format: Format, version: &str) -> String {
        match format {
            Format::Event => self.body.clone(),
            Format::Cef => cef::line(self, version),
            Format::Ocsf => {
                let raw = RawValue::from_string(self.body.clone())
                    .unwrap_or_else(|_| RawValue::NULL.to_owned());
                let facts = self.facts();
                let event = OcsfEvent::of(self, &facts, &raw, version);
                // Texts and numbers, and JSON that was checked: cannot fail.
                serde_json::to_string(&event).unwrap_or_default()
            }
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts(serde_json::from_str(&self.body).unwrap_or_default())
    }
}

/// What an event says under its own names.
pub(crate) struct Facts(Value);

impl Facts {
    /// The text at a JSON pointer (RFC 6901); `None` where there is none, or it is empty.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        let text = self.0.pointer(pointer)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// The first of these numbers that there is.
    pub(crate) fn first_number(&self, pointers: &[&str]) -> Option<f64> {
        let number = |pointer: &&str| self.0.pointer(pointer)?.as_f64();
        pointers.iter().find_map(number)
    }

    /// The first of these texts that there is.
    pub(crate) fn first(&self, pointers: &[&str]) -> Option<&str> {
        pointers.iter().find_map(|pointer| self.text(pointer))
    }
}
