use std::borrow::Cow;

use bartizan_core::{Category, CheckError, Confidence, Cx, Rule, RuleRef, Severity};

use super::{SessionEvent, SessionRisk};

/// Turns a session's risk into findings, for a [`bartizan_core::Report`].
pub trait RiskReport {
    /// Reports what the turn set off, and a running cool-down.
    ///
    /// # Errors
    /// When the receiver has seen enough.
    fn report(&self, now_ms: u64, cx: &mut Cx<'_>) -> Result<(), CheckError>;
}

impl RiskReport for SessionRisk {
    fn report(&self, now_ms: u64, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        cx.spend(1)?;
        for event in &self.events {
            let (rule, confidence, message) = match *event {
                SessionEvent::RepeatedProbing { turns, confidence } => {
                    (&PROBING, confidence, format!("{turns} suspicious turns"))
                }
                SessionEvent::Escalation { turns, confidence } => (
                    &ESCALATION,
                    confidence,
                    format!("{turns} turns that go further"),
                ),
                // Reported below for as long as it lasts.
                SessionEvent::CoolDown { .. } => continue,
            };
            cx.report(&rule.into(), None, Confidence::clamped(confidence), message)?;
        }
        match self.cool_down_until_ms {
            Some(until) if until > now_ms => {
                let message = format!("cooling down for {} ms", until - now_ms);
                cx.report(
                    &RuleRef::from(&COOL_DOWN),
                    None,
                    Confidence::CERTAIN,
                    message,
                )
            }
            _ => Ok(()),
        }
    }
}

/// Every rule of this layer.
pub static RULES: [&Rule; 3] = [&PROBING, &ESCALATION, &COOL_DOWN];

const fn rule(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    why: &'static str,
    fix: &'static str,
) -> Rule {
    const REFS: &[Cow<'static, str>] = &[Cow::Borrowed("LLM01:2025"), Cow::Borrowed("AML.T0054")];
    Rule::new(
        id,
        title,
        severity,
        Category::Session,
        REFS,
        [why, fix],
        None,
    )
}

static PROBING: Rule = rule(
    "session.repeated-probing",
    "one session tries attack after attack",
    Severity::Medium,
    "Attackers vary a prompt until one gets through; each try teaches them the thresholds.",
    "Look at the session; end it or let the cool-down work.",
);

static ESCALATION: Rule = rule(
    "session.escalation",
    "wishes go further turn by turn",
    Severity::High,
    "A harmless start that is led on in small steps gets what one question would not.",
    "Look at the session as a whole, not at its last turn.",
);

static COOL_DOWN: Rule = rule(
    "session.cool-down",
    "the session is paused after repeated attacks",
    Severity::High,
    "A pause makes searching for a prompt that gets through slow and dear.",
    "Wait for its end, or reset the session after review.",
);
