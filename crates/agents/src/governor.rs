use bartizan_core::{Origin, Transform};
use bartizan_policy::glob_matches;

use crate::{
    AgentsConfig, ArgumentConfig, ArgumentKind, Audience, Call, CallLimit, Context, Entry,
    Examination, FlowAction, FlowConfig, Label, Objection, PlanMode, ResultTrust, Risk, Run,
    SourceKind, Switches, ToolConfig, Trace, Transcript, UnknownTools, Used, ValueStory,
    arguments::{Argument, MAX_VALUES, arguments},
    class::{self, Class},
    context::{Standing, links},
    flow::{self, Flow},
    rules, schema, semantic,
};

/// Decides about calls of tools: a configuration, ready to be asked.
#[derive(Clone, Debug)]
pub struct Governor {
    config: AgentsConfig,
    flows: Vec<FlowConfig>,
    nothing: ToolConfig,
}

/// Who calls, and when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller<'a> {
    /// The name of the principal: the agent.
    pub principal: &'a str,
    /// Its tenant; empty for none.
    pub tenant: &'a str,
    /// What the run has used so far.
    pub used: Used,
}

/// What is known about a tool.
#[derive(Clone, Copy, Debug)]
pub struct Tool<'a> {
    config: &'a ToolConfig,
    class: Class,
    /// Whether the table lists it.
    pub is_listed: bool,
}

impl Tool<'_> {
    /// How much harm a call can do.
    #[must_use]
    pub fn risk(&self) -> Risk {
        self.config.risk.unwrap_or(self.class.risk)
    }

    /// Who gets to see what a call carries.
    #[must_use]
    pub fn audience(&self) -> Audience {
        self.config.audience.unwrap_or(self.class.audience)
    }

    /// Most calls of one user.
    #[must_use]
    pub const fn per_user(&self) -> Option<CallLimit> {
        self.config.per_user
    }

    /// The tool that takes a call back (AG-13).
    #[must_use]
    pub fn reversed_by(&self) -> Option<&str> {
        self.config.reversed_by.as_deref()
    }
}

impl Governor {
    /// A governor by `config`, which [`AgentsConfig::check`] found no mistake in.
    #[must_use]
    pub fn new(config: AgentsConfig) -> Self {
        let flows = config.flows.iter().cloned().chain(flow::rows()).collect();
        Self {
            config,
            flows,
            nothing: ToolConfig::default(),
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &AgentsConfig {
        &self.config
    }

    /// What is known about the tool `name`.
    #[must_use]
    pub fn tool(&self, name: &str) -> Tool<'_> {
        let listed = self
            .config
            .tools
            .iter()
            .find(|tool| glob_matches(&tool.name, name));
        Tool {
            config: listed.unwrap_or(&self.nothing),
            class: class::of_tool(name),
            is_listed: listed.is_some(),
        }
    }

    /// What the model has read in `transcript`. Labels that `principal` gave count as far as they
    /// are stricter than what the table says, or wholly if the configuration trusts them.
    #[must_use]
    pub fn context(&self, transcript: &Transcript, principal: &str) -> Context {
        let may_loosen = self
            .config
            .trust_labels_of
            .iter()
            .any(|name| name == principal);
        Context::new(transcript, |entry| self.standing(entry, may_loosen))
    }

    fn standing(&self, entry: &Entry, may_loosen: bool) -> Option<(Standing, Label)> {
        let (standing, label, given) = match entry {
            Entry::Call(_) => return None,
            Entry::Said(said) => {
                let standing = match said.origin {
                    Origin::System | Origin::User => Standing::Trusted,
                    Origin::Retrieved | Origin::Tool => Standing::Foreign,
                    // What the model says is made of what it read.
                    Origin::Model => return None,
                };
                (standing, Label::of(said.origin), &said.label)
            }
            Entry::Result(result) => {
                let tool = self.tool(&result.tool);
                let standing = match tool.config.results {
                    ResultTrust::Foreign => Standing::Foreign,
                    ResultTrust::Directory => Standing::Directory,
                    ResultTrust::Trusted => Standing::Trusted,
                };
                let origin = match tool.config.results {
                    ResultTrust::Foreign => Origin::Tool,
                    // The user's own, and the operator's.
                    ResultTrust::Directory => Origin::User,
                    ResultTrust::Trusted => Origin::System,
                };
                let label = Label::of(origin);
                let label = if tool.config.private {
                    label.only(["user"])
                } else {
                    label
                };
                (standing, label, &result.label)
            }
        };
        let Some(given) = given else {
            return Some((standing, label));
        };
        let label = if may_loosen {
            given.clone()
        } else {
            label.join(given)
        };
        let standing = if label.writers.is_foreign() {
            Standing::Foreign
        } else if may_loosen {
            Standing::Trusted
        } else {
            standing
        };
        Some((standing, label))
    }

    /// What stands against going on at all: kill switches, and the bounds of `run`, to which `calls`
    /// more are to be added.
    #[must_use]
    pub fn examine_run(
        &self,
        run: &Run,
        caller: &Caller<'_>,
        live: &Switches,
        calls: u32,
    ) -> Vec<Objection> {
        let mut all = Vec::new();
        let stops = |switches: &Switches| switches.stop(caller.tenant, caller.principal);
        if stops(&self.config.stopped) || stops(live) {
            all.push(Objection::deny(
                &rules::STOPPED,
                "an operator has stopped this agent",
            ));
        }
        // A conversation without a call is no run.
        if run.steps > 0 || calls > 0 {
            let passed = run.passed(&self.config.limits, caller.used, calls);
            all.extend(passed.map(|(rule, message)| Objection::deny(rule, message)));
        }
        all
    }

    /// What stands against a call of a tool that its user called too often.
    #[must_use]
    pub fn too_often(&self) -> Objection {
        Objection::deny(&rules::CALL_LIMIT, "the user called the tool too often")
    }

    /// What stands against calls that cannot be read.
    #[must_use]
    pub fn unreadable(&self) -> Objection {
        Objection::deny(&rules::ARGUMENTS, "the call cannot be read")
    }

    /// What stands against the tools that the request offers.
    #[must_use]
    pub fn examine_offers(&self, transcript: &Transcript) -> Vec<(String, Objection)> {
        let mut all = Vec::new();
        for offer in &transcript.offered {
            let tool = self.tool(&offer.name);
            let expected = tool.config.definition.as_deref();
            if expected.is_some_and(|digest| digest != offer.digest) {
                let message = "the definition of the tool is not the one that was reviewed";
                all.push((
                    offer.path.clone(),
                    Objection::deny(&rules::TOOL_CHANGED, message),
                ));
            }
        }
        all
    }

    /// Decides about `call`, made by a model that has read `context`.
    #[must_use]
    pub fn examine(
        &self,
        context: &Context,
        call: &Call,
        caller: &Caller<'_>,
        live: &Switches,
    ) -> Examination {
        let tool = self.tool(&call.tool);
        let mut seen = Examination::default();
        self.permission(&tool, call, caller, live, &mut seen.objections);
        for (name, what) in schema::mistakes(tool.config, &call.arguments) {
            let message = if name.is_empty() {
                format!("the call {what}")
            } else {
                format!("the argument `{name}` {what}")
            };
            seen.objections
                .push(Objection::deny(&rules::ARGUMENTS, message));
        }
        // What is JSON for one reader and none for another may hold anything.
        let torn = call.arguments.as_str().map(str::trim_start);
        if torn.is_some_and(|text| text.starts_with(['{', '['])) {
            seen.objections.push(self.unreadable());
            return seen;
        }
        let Some(arguments) = arguments(&call.arguments) else {
            let message = format!("more than {MAX_VALUES} values, or nested too deep to look at");
            seen.objections
                .push(Objection::deny(&rules::ARGUMENTS, message));
            return seen;
        };
        for argument in &arguments {
            self.argument(context, &tool, call, caller, argument, &mut seen);
        }
        self.plan(context, &tool, &mut seen.objections);
        seen
    }

    fn permission(
        &self,
        tool: &Tool<'_>,
        call: &Call,
        caller: &Caller<'_>,
        live: &Switches,
        objections: &mut Vec<Objection>,
    ) {
        if !tool.is_listed && self.config.unknown_tools == UnknownTools::Deny {
            objections.push(Objection::deny(
                &rules::UNKNOWN_TOOL,
                "the tool is not listed",
            ));
        }
        let stops =
            |switches: &Switches| switches.stop_call(caller.tenant, caller.principal, &call.tool);
        if stops(&self.config.stopped) || stops(live) {
            objections.push(Objection::deny(
                &rules::STOPPED,
                "an operator has stopped it",
            ));
        }
        if let Some(agent) = self.config.agents.get(caller.principal) {
            let listed = agent
                .tools
                .iter()
                .any(|name| glob_matches(name, &call.tool));
            let too_risky = agent.max_risk.is_some_and(|most| tool.risk() > most);
            if !listed || too_risky {
                let message = "the tool is not open to this agent";
                objections.push(Objection::deny(&rules::NOT_PERMITTED, message));
            }
        }
        if tool.config.approve {
            objections.push(Objection::ask(
                &rules::APPROVAL,
                "every call of the tool waits for a person",
            ));
        }
    }

    fn argument(
        &self,
        context: &Context,
        tool: &Tool<'_>,
        call: &Call,
        caller: &Caller<'_>,
        argument: &Argument,
        seen: &mut Examination,
    ) {
        let listed = tool.config.arguments.get(&argument.name);
        let kind = listed
            .and_then(|argument| argument.kind)
            .unwrap_or_else(|| class::of_argument(&argument.name));
        // Tools of SQL call their statement what they like.
        let kind = match kind {
            ArgumentKind::Other if listed.is_none() && tool.class.risk == Risk::Critical => {
                statement_kind(&call.tool, kind)
            }
            kind => kind,
        };
        if let Some((rule, what)) = unsafe_value(kind, &argument.text, listed) {
            let message = format!("the argument `{}` {what}", argument.path);
            seen.objections.push(Objection::deny(rule, message));
        }
        // The built-in rows ask what a text holds only where everyone may read it.
        let is_private_talk = kind == ArgumentKind::Content
            && tool.audience() != Audience::Public
            && self.config.flows.is_empty();
        let trace = if is_private_talk {
            context.trace_roughly(&argument.text)
        } else {
            context.trace(&argument.text, kind)
        };
        self.decide(tool, call, caller, argument, kind, trace, seen);
        if !kind.is_control() {
            for link in links(&argument.text) {
                let trace = context.trace(link, ArgumentKind::Url);
                if trace.source != SourceKind::Named {
                    self.decide(
                        tool,
                        call,
                        caller,
                        argument,
                        ArgumentKind::Link,
                        trace,
                        seen,
                    );
                }
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the facts that one row of the table is asked about"
    )]
    fn decide(
        &self,
        tool: &Tool<'_>,
        call: &Call,
        caller: &Caller<'_>,
        argument: &Argument,
        kind: ArgumentKind,
        trace: Trace,
        seen: &mut Examination,
    ) {
        let flow = Flow {
            principal: caller.principal,
            tool: &call.tool,
            risk: tool.risk(),
            audience: tool.audience(),
            argument: &argument.name,
            kind,
            trace: &trace,
        };
        let row = self.flows.iter().find(|row| row.is_about(&flow));
        let (action, name) = row.map_or((FlowAction::Deny, ""), |row| (row.action, &row.name));
        let private = trace.label.readers.is_private() && tool.audience() == Audience::Public;
        if action != FlowAction::Allow {
            let message = format!(
                "the argument `{}`, a {}, is {}{}, row `{name}`",
                argument.path,
                kind.as_str(),
                described(&trace),
                if private { " and private" } else { "" },
            );
            let rule = match action {
                FlowAction::Ask => &rules::APPROVAL,
                _ if private => &rules::PRIVATE_DATA,
                _ => &rules::FOREIGN_ARGUMENT,
            };
            let objection = Objection {
                action,
                via: trace.via,
                ..Objection::deny(rule, message)
            };
            seen.objections.push(objection);
        }
        seen.values.push(ValueStory {
            argument: argument.path.clone(),
            kind,
            source: trace.source,
            private: trace.label.readers.is_private(),
            places: trace.places,
            row: name.to_owned(),
            action,
        });
    }

    /// Whether trusted text asks for what the tool does (AG-16).
    fn plan(&self, context: &Context, tool: &Tool<'_>, objections: &mut Vec<Objection>) {
        if self.config.plan == PlanMode::Off || tool.risk() == Risk::Low || !context.is_tainted() {
            return;
        }
        let own: Vec<String> = tool
            .config
            .intents
            .iter()
            .map(|word| word.to_lowercase())
            .collect();
        let stems = own.iter().map(String::as_str);
        if !context.asks_for(stems.chain(tool.class.intents.iter().copied())) {
            let message =
                "nobody asked for a call of this kind, and the model has read text of others";
            objections.push(Objection::ask(&rules::PLAN, message));
        }
    }
}

fn statement_kind(tool: &str, otherwise: ArgumentKind) -> ArgumentKind {
    let tool = tool.to_lowercase();
    if tool.contains("sql") {
        ArgumentKind::Sql
    } else if ["shell", "bash", "exec", "command", "terminal"]
        .iter()
        .any(|word| tool.contains(word))
    {
        ArgumentKind::Command
    } else {
        otherwise
    }
}

fn unsafe_value(
    kind: ArgumentKind,
    text: &str,
    listed: Option<&ArgumentConfig>,
) -> Option<(&'static bartizan_core::Rule, &'static str)> {
    let none = &[][..];
    let (hosts, roots, statements, programs) = listed.map_or((none, none, none, none), |a| {
        (&*a.hosts, &*a.roots, &*a.statements, &*a.programs)
    });
    let found = |rule| move |what| (rule, what);
    match kind {
        ArgumentKind::Path => semantic::unsafe_path(text, roots).map(found(&rules::UNSAFE_PATH)),
        ArgumentKind::Url => semantic::unsafe_url(text, hosts).map(found(&rules::UNSAFE_URL)),
        ArgumentKind::Sql => semantic::unsafe_sql(text, statements).map(found(&rules::UNSAFE_SQL)),
        ArgumentKind::Command => {
            semantic::unsafe_command(text, programs).map(found(&rules::UNSAFE_COMMAND))
        }
        _ => None,
    }
}

fn described(trace: &Trace) -> String {
    let way = trace.via.map(Transform::as_str);
    let way = way.map_or(String::new(), |way| format!(" ({way})"));
    match trace.source {
        SourceKind::Named => "named by the user".to_owned(),
        SourceKind::Resolved => "out of the user's records".to_owned(),
        SourceKind::Copied if trace.places.is_empty() => format!("copied{way}"),
        SourceKind::Copied => format!("copied from {}{way}", trace.places.join(", ")),
        SourceKind::Derived => "made by the model after it read text of others".to_owned(),
    }
}
