use std::sync::Arc;

use bartizan_access::Access;
use bartizan_agents::Governor;
use bartizan_core::{Coverage, Direction, Finding, Layer, Origin, Sink};
use bartizan_guard::{
    Judge, JudgedPart, Judgement, Step,
    conversation::{Conversation, ParseLimits},
    redact::{Keys, Redactor, Style, Styles},
};
use bartizan_policy::{Date, DecisionContext};
use bartizan_text::rules::RuleSet;

use super::GuardingConfig;
use crate::{
    clock::Clock,
    consent::ConsentRules,
    principal::Principal,
    upstream::Upstreams,
    wire::{MediaConfig, RefusalConfig, stream::StreamConfig},
};

/// One generation of rules, policy, and configuration. A reload makes another; requests under way
/// end with theirs.
#[derive(Debug)]
pub struct Engine {
    /// Looks and decides.
    pub judge: Judge,
    /// The rules that it looks for.
    pub rules: Arc<RuleSet>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// How values are replaced.
    pub styles: Styles,
    /// What is done beside looking.
    pub guarding: GuardingConfig,
    /// What the refused get.
    pub refusal: RefusalConfig,
    /// What may pass unread.
    pub media: MediaConfig,
    /// How streams are guarded.
    pub stream: StreamConfig,
    /// What reading a body may cost.
    pub parse: ParseLimits,
    /// Where answers are shown, if all of them are shown in one place.
    pub sink: Option<Sink>,
    /// The models.
    pub upstreams: Arc<Upstreams>,
    /// The key of hashes, pseudonyms, and encryption.
    pub redaction_key: [u8; 32],
    /// What agents may do, where that is configured.
    pub governor: Option<Arc<Governor>>,
    /// Which requests need somebody's consent.
    pub consent: ConsentRules,
}

/// What a decision depends on beside the texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    pub(super) direction: Direction,
    pub(super) route: &'a str,
    pub(super) principal: &'a Principal,
    pub(super) threshold_factor: f32,
}

/// What was decided about the flows of an agent, to be judged with the rest.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// What stands against them, each with the place that it is about; empty for the whole.
    pub(super) found: Vec<(String, Finding)>,
    /// What it took to find out.
    pub(super) nanos: u64,
}

impl Flows {
    /// Gives the findings to the parts that they are about, or to the last one.
    fn attach(&self, parts: &mut [JudgedPart]) {
        for (path, finding) in &self.found {
            let inside = |part: &JudgedPart| {
                part.path
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let number = if path.is_empty() {
                None
            } else {
                parts.iter().position(inside)
            };
            let last = parts.len().saturating_sub(1);
            if let Some(part) = parts.get_mut(number.unwrap_or(last)) {
                part.inspection.report.findings.push(finding.clone());
            }
        }
        if let Some(part) = parts.last_mut() {
            part.inspection.report.coverage.push(Coverage {
                check: "agents",
                layer: Layer::Provenance,
                outcome: Ok(()),
            });
            part.inspection.trace.push(Step {
                check: "agents",
                layer: Layer::Provenance,
                findings: self.found.len(),
                nanos: self.nanos,
            });
        }
    }
}

/// Bodies from this size on are looked at beside the threads that serve others.
const HEAVY_BYTES: usize = 64 << 10;

impl Engine {
    /// Looks at a conversation and decides.
    pub(super) fn judge(
        &self,
        conversation: &Conversation,
        circumstances: &Circumstances<'_>,
        flows: Option<&Flows>,
        clock: &dyn Clock,
    ) -> Judgement {
        let bytes: usize = conversation.parts.iter().map(|part| part.text.len()).sum();
        let is_heavy = bytes >= HEAVY_BYTES || self.judge.guard().is_slow();
        heavy(is_heavy, || {
            self.decide(conversation, circumstances, clock, |cx| {
                let nanos = || clock.nanos();
                let sink = self.sink;
                let mut parts = self.judge.look(conversation, sink, &nanos, cx);
                if let Some(flows) = flows {
                    flows.attach(&mut parts);
                }
                self.judge.decide(parts, cx)
            })
        })
    }

    /// Decides with the context that `circumstances` make.
    pub(super) fn decide<T>(
        &self,
        conversation: &Conversation,
        circumstances: &Circumstances<'_>,
        clock: &dyn Clock,
        decide: impl FnOnce(&DecisionContext<'_>) -> T,
    ) -> T {
        let origin = match circumstances.direction {
            Direction::Input => Origin::User,
            Direction::Output => Origin::Model,
        };
        let keys = Keys::new(self.redaction_key);
        let text_hash = |part: u32, finding: &Finding| {
            let text = &conversation.parts.get(part as usize)?.text;
            let span = finding.span?.as_range();
            Some(keys.text_hash(text.as_bytes().get(span)?))
        };
        let mut cx = DecisionContext::new(circumstances.direction, origin, today(clock));
        cx.route = circumstances.route;
        cx.tenant = &circumstances.principal.tenant;
        cx.threshold_factor = circumstances.threshold_factor;
        cx.text_hash = Some(&text_hash);
        decide(&cx)
    }

    /// Replaces values, in the name of `principal`'s tenant: another tenant's pseudonyms differ.
    pub(super) fn redactor(&self, principal: &Principal) -> Redactor {
        let mut styles = self.styles.clone();
        if self.guarding.reversible {
            styles.default = Style::Vault;
        }
        self.redactor_with(styles, principal)
    }

    /// Replaces values of answers, which nobody turns back: no tokens of a vault.
    pub(super) fn one_way_redactor(&self, principal: &Principal) -> Redactor {
        let mut styles = self.styles.clone();
        let all = styles.entities.values_mut().chain([&mut styles.default]);
        for style in all.filter(|style| **style == Style::Vault) {
            *style = Style::Typed;
        }
        self.redactor_with(styles, principal)
    }

    /// Replaces values of texts that others are asked about, by their types: whoever is asked learns
    /// no value, and no two texts can be compared.
    pub(crate) fn redactor_for_questions(&self) -> Redactor {
        let styles = Styles {
            default: Style::Typed,
            ..Styles::default()
        };
        Redactor::new(styles, Keys::new(self.redaction_key), "questions")
    }

    fn redactor_with(&self, styles: Styles, principal: &Principal) -> Redactor {
        let scope = if principal.tenant.is_empty() {
            &principal.id
        } else {
            &principal.tenant
        };
        Redactor::new(styles, Keys::new(self.redaction_key), &**scope)
    }
}

/// Today in UTC.
pub(crate) fn today(clock: &dyn Clock) -> Date {
    let ms = i64::try_from(clock.unix_ms()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).map_or(Date::MIN, |now| {
        now.to_zoned(jiff::tz::TimeZone::UTC).date()
    })
}

/// Does long work without holding up the other tasks of this thread.
fn heavy<T>(is_heavy: bool, work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let has_others = Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_heavy && has_others {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
