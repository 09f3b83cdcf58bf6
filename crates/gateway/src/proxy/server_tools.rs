//! Tools that the upstream runs: what they return reaches the model unseen.

use std::borrow::Cow;

use bartizan_core::{Category, Layer, Rule, Severity, Verdict};
use bartizan_policy::GapCause;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    ServerToolUse,
    exchange::{Exchange, Stop},
};
use crate::{
    fault::{Fault, FaultKind},
    record::{Outcome, RuleHit, Unseen},
    wire::{Request, ServerTool},
};

/// Says what the model may have read that nobody here saw.
const UNSEEN: HeaderName = HeaderName::from_static("x-bartizan-unseen");

/// What did not look.
const CHECK: &str = "server-tools";

/// Every rule of the gateway's own.
pub static RULES: [&Rule; 1] = [&SERVER_TOOLS];

static SERVER_TOOLS: Rule = Rule::new(
    "gateway.server-tools",
    "the upstream runs tools whose results nobody looks at",
    Severity::Low,
    Category::Shape,
    &[Cow::Borrowed("LLM01:2025"), Cow::Borrowed("AML.T0051.001")],
    [
        "Pages, files, and servers that the upstream reads by itself can carry instructions; they \
         reach the model without passing the gateway, which sees the answer only.",
        "Run such tools in the application, so that their results pass here, or set \
         `guarding.server-tools: block`.",
    ],
    None,
);

impl Exchange {
    /// Refuses tools that the upstream runs, or remembers them for the record.
    pub(super) fn check_server_tools(&mut self, request: &Request) -> Result<(), Stop> {
        if request.server_tools().is_empty() {
            return Ok(());
        }
        match self.engine.guarding.server_tools {
            ServerToolUse::Allow => Ok(()),
            ServerToolUse::Flag => {
                self.server_tools = request.server_tools();
                Ok(())
            }
            ServerToolUse::Block => {
                self.server_tools = request.server_tools();
                self.input.verdict = Verdict::Block;
                self.input.enforced = Verdict::Block;
                let fault = Fault::new(
                    FaultKind::BadRequest,
                    "server_tools_not_allowed",
                    "the request lets the upstream run tools whose results do not pass here; run \
                     them in the application",
                );
                Err(Stop::Fault(fault.about("tools"), Outcome::InputBlocked))
            }
        }
    }

    /// Puts what was not seen into the record.
    pub(super) fn note_server_tools(&mut self) {
        if self.server_tools.is_empty() {
            return;
        }
        let action = match self.engine.guarding.server_tools {
            ServerToolUse::Block => Verdict::Block,
            _ => Verdict::Allow,
        };
        self.input.hit(RuleHit {
            rule: SERVER_TOOLS.id.clone().into(),
            layer: Layer::Provenance,
            category: SERVER_TOOLS.category,
            severity: SERVER_TOOLS.severity,
            action,
            shadow: false,
            count: u32::try_from(self.server_tools.iter().count()).unwrap_or(u32::MAX),
            confidence: 1.0,
        });
        self.input.gaps.push(Unseen {
            layer: Layer::Provenance.as_str().into(),
            check: CHECK.into(),
            cause: GapCause::Unavailable,
            action,
        });
    }

    /// Tells the client what was not seen.
    pub(super) fn sign_server_tools(&self, headers: &mut HeaderMap) {
        let named = |tool: ServerTool| format!("server-tool:{}", tool.as_str());
        let names: Vec<String> = self.server_tools.iter().map(named).collect();
        if names.is_empty() {
            return;
        }
        if let Ok(value) = HeaderValue::try_from(names.join(", ")) {
            headers.insert(UNSEEN, value);
        }
    }
}
