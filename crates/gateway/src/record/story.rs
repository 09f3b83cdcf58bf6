use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Event, Interaction, RequestId, Side, Stored, What};

/// What is known of a request: everything that was recorded about it, in order.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Story {
    /// The request.
    pub request_id: RequestId,
    /// What was recorded.
    pub events: Vec<Event>,
}

impl Story {
    /// The story that stored events tell; `None` if there are none.
    #[must_use]
    pub fn of(request_id: RequestId, stored: Vec<Stored>) -> Option<Self> {
        let events: Vec<Event> = stored.into_iter().map(|stored| stored.event).collect();
        (!events.is_empty()).then_some(Self { request_id, events })
    }

    /// How the request ended, if it was one to a model of language.
    #[must_use]
    pub fn interaction(&self) -> Option<&Interaction> {
        self.events.iter().find_map(|event| match &event.what {
            What::LlmInteraction(interaction) => Some(&**interaction),
            _ => None,
        })
    }
}

/// For people: what was decided, why, and what it cost.
impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "request {}", self.request_id)?;
        for event in &self.events {
            write!(f, "{}  ", event.timestamp)?;
            match &event.what {
                What::LlmInteraction(interaction) => told(interaction, f)?,
                What::StreamBegun(begun) => {
                    writeln!(f, "a stream from `{}` begins", begun.upstream)?;
                }
                What::SecurityEvent(found) => {
                    let details = &found.details;
                    writeln!(
                        f,
                        "security event: {} `{}` in the {}, {}",
                        found.severity, details.rule, details.direction, details.action
                    )?;
                }
                What::MlAudit(audit) => writeln!(
                    f,
                    "{} of `{}`: {} ({:.3} ms)",
                    audit.event_type, audit.resource, audit.status, audit.latency_ms
                )?,
                What::LimitHit(hit) => {
                    writeln!(
                        f,
                        "the limit of {} of the {} is spent",
                        hit.limit, hit.scope
                    )?;
                }
                What::Review(review) => {
                    writeln!(f, "review: {} by `{}`", review.action, review.user_id)?;
                }
                What::Feedback(feedback) => {
                    writeln!(
                        f,
                        "feedback: {} by `{}`",
                        feedback.label.as_str(),
                        feedback.user_id
                    )?;
                }
                What::Abandoned(abandoned) => {
                    writeln!(f, "`{}` ended without an answer", abandoned.endpoint)?;
                }
                other => writeln!(f, "{}", other.kind())?,
            }
        }
        Ok(())
    }
}

fn told(interaction: &Interaction, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Interaction {
        endpoint,
        model,
        user_id,
        upstream,
        ..
    } = interaction;
    writeln!(f, "{endpoint} for `{model}` by `{user_id}`")?;
    let mut line = format!(
        "{}, decision {}, status {}",
        interaction.outcome.as_str(),
        interaction.decision,
        interaction.status
    );
    if upstream.is_none() {
        line.push_str("; no upstream was asked");
    } else {
        let _ = write!(line, "; answered by `{upstream}`");
    }
    writeln!(f, "  {line}")?;
    writeln!(
        f,
        "  {} prompt and {} completion tokens, {:.6} USD, {:.3} ms of which {:.3} ms ours",
        interaction.prompt_tokens,
        interaction.completion_tokens,
        interaction.cost.0 as f64 / 1e6,
        interaction.latency_us as f64 / 1e3,
        interaction.overhead_us as f64 / 1e3,
    )?;
    writeln!(f, "  policy {}", interaction.policy_version)?;
    side("input", &interaction.input, f)?;
    if let Some(output) = &interaction.output {
        side("output", output, f)?;
    }
    Ok(())
}

fn side(name: &str, side: &Side, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "  {name}: {}", side.enforced)?;
    if side.verdict != side.enforced {
        write!(f, " ({} in shadow)", side.verdict)?;
    }
    writeln!(f, ", score {:.2}", side.score)?;
    for hit in &side.rules {
        let shadow = if hit.shadow { " in shadow" } else { "" };
        writeln!(
            f,
            "    {}{shadow}: `{}` ({}, {}, layer {}) {} times, confidence {:.2}",
            hit.action, hit.rule, hit.category, hit.severity, hit.layer, hit.count, hit.confidence
        )?;
    }
    for gap in &side.gaps {
        let check = if gap.check.is_none() {
            "no check"
        } else {
            gap.check.as_str()
        };
        writeln!(
            f,
            "    {}: not everything was looked at by `{check}` of layer {} ({:?})",
            gap.action, gap.layer, gap.cause
        )?;
    }
    for (layer, nanos) in side.layer_ns.iter() {
        writeln!(f, "    {layer} {:.1} us", nanos as f64 / 1e3)?;
    }
    Ok(())
}
