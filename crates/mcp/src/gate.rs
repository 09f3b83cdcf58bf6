use std::{fmt, sync::Arc};

use bartizan_agents::{CallLimit, Governor, PlanMode, Switches};
use bartizan_core::{Category, Coverage, Direction, Finding, Layer, Origin, Verdict};
use bartizan_guard::{
    Generations, Judge, JudgedPart, Judgement, NO_CLOCK,
    conversation::{Conversation, Format, Part, PartKind},
    redact::{Keys, Redactor, Styles},
};
use bartizan_policy::{Date, DecisionContext, glob_matches};
use parking_lot::Mutex;

use crate::{
    McpConfig, Pins, ServerConfig, Treatment,
    edits::Edits,
    session::{Outcome, Who},
};

/// What the sessions with one server share: what looks, what decides, and what is pinned.
pub struct Gate {
    pub(crate) name: String,
    pub(crate) server: ServerConfig,
    pub(crate) config: Arc<McpConfig>,
    pub(crate) governor: Option<Governor>,
    pub(crate) pins: Arc<Mutex<Pins>>,
    /// What was seen in definitions, by digest: lists come often and change seldom.
    pub(crate) seen: Mutex<Generations<String, Vec<JudgedPart>>>,
    judge: Judge,
    styles: Styles,
    key: [u8; 32],
    /// How the policy knows the server.
    route: String,
}

/// What a gate is made of.
#[derive(Debug)]
pub struct GateParts {
    /// The server's name.
    pub name: String,
    /// The server.
    pub server: ServerConfig,
    /// What is let through, without a mistake that [`McpConfig::check`] finds.
    pub config: Arc<McpConfig>,
    /// What looks at texts and decides about them. It knows the server as the route `mcp/NAME`.
    pub judge: Judge,
    /// What agents may do, where that is configured.
    pub governor: Option<Arc<Governor>>,
    /// The pins of all servers.
    pub pins: Arc<Mutex<Pins>>,
    /// How values are replaced.
    pub styles: Styles,
    /// The key of hashes and pseudonyms.
    pub key: [u8; 32],
}

/// The world outside of a session: what it cannot know by itself.
pub trait World {
    /// Milliseconds of a clock that only goes on.
    fn now_ms(&self) -> u64;

    /// Today, for exceptions of the policy.
    fn today(&self) -> Date;

    /// What must not run now.
    fn switches(&self) -> &Switches;

    /// Takes a call of a tool down if its user may make it.
    fn may_call(&mut self, tool: &str, user: &str, limit: CallLimit) -> bool;

    /// Uses up a person's word for the call of that digest, if there is one.
    fn take_approval(&mut self, digest: &str) -> bool;
}

/// Definitions whose texts are remembered.
const MAX_SEEN: usize = 8_192;

impl Gate {
    /// A gate before one server.
    #[must_use]
    pub fn new(parts: GateParts) -> Self {
        let governor = parts.governor.map(|governor| {
            // The words of the user do not pass here, so that no call can be compared with them.
            let mut config = governor.config().clone();
            config.plan = PlanMode::Off;
            Governor::new(config)
        });
        Self {
            route: format!("mcp/{}", parts.name),
            name: parts.name,
            server: parts.server,
            config: parts.config,
            governor,
            pins: parts.pins,
            seen: Mutex::new(Generations::new(MAX_SEEN)),
            judge: parts.judge,
            styles: parts.styles,
            key: parts.key,
        }
    }

    /// The server's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configuration of all servers.
    #[must_use]
    pub fn config(&self) -> &McpConfig {
        &self.config
    }

    /// The server.
    #[must_use]
    pub const fn server(&self) -> &ServerConfig {
        &self.server
    }

    /// The pins as they are now.
    #[must_use]
    pub fn pins(&self) -> Pins {
        self.pins.lock().clone()
    }

    /// The name of a tool as the table of tools knows it.
    pub(crate) fn full_name(&self, tool: &str) -> String {
        format!("{}.{tool}", self.name)
    }

    /// Whether the configuration lets clients see the tool.
    pub(crate) fn offers(&self, tool: &str) -> bool {
        let listed = &self.server.tools;
        listed.is_empty() || listed.iter().any(|pattern| glob_matches(pattern, tool))
    }

    /// The keyed hash of a text.
    pub(crate) fn digest(&self, text: &str) -> String {
        Keys::new(self.key).text_hash(text.as_bytes())
    }

    /// Looks at parts without deciding.
    pub(crate) fn look(
        &self,
        parts: Vec<Part>,
        seen: &Sight<'_>,
    ) -> (Conversation, Vec<JudgedPart>) {
        let conversation = Conversation {
            format: Format::Mcp,
            parts,
        };
        let judged = self
            .judge
            .look(&conversation, None, NO_CLOCK, &self.context(seen));
        (conversation, judged)
    }

    /// Decides about parts that were looked at, with what else was found about the whole.
    pub(crate) fn decide(
        &self,
        mut judged: Vec<JudgedPart>,
        found: Vec<Finding>,
        seen: &Sight<'_>,
    ) -> Judgement {
        if let Some(first) = judged.first_mut() {
            first.inspection.report.findings.extend(found);
            first.inspection.report.coverage.push(Coverage {
                check: "mcp",
                layer: Layer::Provenance,
                outcome: Ok(()),
            });
        }
        self.judge.decide(judged, &self.context(seen))
    }

    /// Looks at the texts of a message and decides; `None` where nothing says anything.
    pub(crate) fn judge(
        &self,
        mut parts: Vec<Part>,
        found: Vec<Finding>,
        seen: &Sight<'_>,
    ) -> Option<Seen> {
        if parts.is_empty() {
            if found.is_empty() {
                return None;
            }
            parts.push(Part::new("", seen.origin, PartKind::Field, String::new()));
        }
        let (conversation, judged) = self.look(parts, seen);
        let judgement = self.decide(judged, found, seen);
        Some(Seen {
            conversation,
            judgement,
        })
    }

    fn context<'a>(&'a self, seen: &Sight<'a>) -> DecisionContext<'a> {
        let mut context = DecisionContext::new(seen.direction, seen.origin, seen.today);
        context.route = &self.route;
        context.tenant = &seen.who.tenant;
        context
    }

    /// What `seen` leads to: the message passes, passes with the `edits` that are added, or is
    /// refused. Nobody waits for a person here, so that what asks for one is refused.
    pub(crate) fn settle(&self, seen: &Seen, sight: &Sight<'_>, edits: &mut Edits) -> Outcome {
        match seen.judgement.decision.enforced() {
            Verdict::Allow => Outcome::Passed,
            Verdict::Ask | Verdict::Block => Outcome::Refused,
            Verdict::Redact => self.redact(seen, sight, edits),
        }
    }

    fn redact(&self, seen: &Seen, sight: &Sight<'_>, edits: &mut Edits) -> Outcome {
        let scope = format!("{}/{}", self.route, sight.who.principal);
        let redactor = Redactor::new(self.styles.clone(), Keys::new(self.key), scope);
        let mut redactor = redactor.without_tokens();
        let mut outcome = Outcome::Passed;
        for (number, part) in seen.conversation.parts.iter().enumerate() {
            let mut removals = seen.judgement.removals(number);
            if sight.direction == Direction::Output {
                let treatment = |finding: &Finding| self.treatment(finding.rule.category);
                if removals.iter().any(|f| treatment(f) == Treatment::Refuse) {
                    return Outcome::Refused;
                }
                removals.retain(|finding| treatment(finding) == Treatment::Redact);
            }
            if removals.is_empty() {
                continue;
            }
            let Some(splices) = part.redactions(&removals, &mut redactor) else {
                return Outcome::Refused;
            };
            for (place, text) in splices {
                edits.replace(place.as_range(), text);
            }
            outcome = Outcome::Redacted;
        }
        outcome
    }

    fn treatment(&self, category: Category) -> Treatment {
        match category {
            Category::Secret => self.config.arguments.secrets,
            Category::Pii => self.config.arguments.personal_data,
            _ => Treatment::Redact,
        }
    }
}

/// Where a message goes, who wrote it, and for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight<'a> {
    pub(crate) direction: Direction,
    pub(crate) origin: Origin,
    pub(crate) who: &'a Who,
    pub(crate) today: Date,
}

/// The texts of a message, and what was decided about them.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) conversation: Conversation,
    pub(crate) judgement: Judgement,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
