use std::collections::BTreeMap;

use bartizan_core::Origin;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Switches;

/// What the agents behind the gateway may do. Left out, tool calls are looked at like other text and
/// no more.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AgentsConfig {
    /// The tools; the first entry whose `name` fits is taken.
    pub tools: Vec<ToolConfig>,
    /// What happens to a tool that is not among them.
    pub unknown_tools: UnknownTools,
    /// The decision table about arguments. The first row whose conditions all hold decides; the
    /// built-in rows come after these.
    pub flows: Vec<FlowConfig>,
    /// Bounds of one run: everything since the user spoke last.
    pub limits: RunLimits,
    /// What agents may use, by the name that the principal has; an agent that is not listed may use
    /// every tool.
    pub agents: BTreeMap<String, AgentConfig>,
    /// What must not run now.
    pub stopped: Switches,
    /// Principals whose labels of messages are believed when they loosen; those of others only
    /// tighten.
    pub trust_labels_of: Vec<String>,
    /// A call that changes something, that nobody asked for, and that follows text of others, waits
    /// for a person.
    pub plan: PlanMode,
    /// Seconds in which somebody may decide about a call, and in which an allowed call may be made;
    /// 1 to 86,400.
    pub approval_seconds: u32,
}

impl Default for AgentsConfig {
    /// No tool is listed and unlisted ones are refused; 300 seconds for a decision.
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            unknown_tools: UnknownTools::default(),
            flows: Vec::new(),
            limits: RunLimits::default(),
            agents: BTreeMap::new(),
            stopped: Switches::default(),
            trust_labels_of: Vec::new(),
            plan: PlanMode::default(),
            approval_seconds: 300,
        }
    }
}

/// What happens to a tool that is not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownTools {
    /// Its calls are refused.
    #[default]
    Deny,
    /// Its class follows from its name: `delete_file` deletes.
    GuessByName,
}

/// Whether calls are compared with what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlanMode {
    /// A call that departs from it waits for a person.
    #[default]
    Ask,
    /// They are not compared.
    Off,
}

/// One tool, or all whose name fits.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ToolConfig {
    /// Its name; `*` stands for any run of characters.
    pub name: String,
    /// How much harm a call can do; by the name of the tool if left out.
    pub risk: Option<Risk>,
    /// Who gets to see what a call carries; by the name of the tool if left out.
    pub audience: Option<Audience>,
    /// How far what it returns is trusted.
    pub results: ResultTrust,
    /// What it returns is for the user alone.
    pub private: bool,
    /// Every call waits for a person.
    pub approve: bool,
    /// Most calls of one user.
    pub per_user: Option<CallLimit>,
    /// Words that ask for it, beside those that its name suggests: a call after text of others is
    /// planned if one of them begins a word of the user.
    pub intents: Vec<String>,
    /// Its arguments, by name; `a.b` for a member of a member.
    pub arguments: BTreeMap<String, ArgumentConfig>,
    /// Refuse arguments that are not listed.
    pub only_listed_arguments: bool,
    /// The tool that takes a call back, for the record and for whoever runs it.
    pub reversed_by: Option<String>,
    /// SHA-256 of its definition in lower-case hexadecimal; a request that offers another is
    /// refused.
    pub definition: Option<String>,
}

/// How much harm a call can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// It reads.
    Low,
    /// It changes what can be changed back.
    Medium,
    /// It reaches others, or deletes.
    High,
    /// It pays, runs code, or changes who may do what.
    Critical,
}

/// Who gets to see what a call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// The user, as with a file of their own.
    User,
    /// Those that an argument names, as with mail.
    Named,
    /// Anyone, as with a page, or an address that is asked.
    Public,
}

/// How far what a tool returns is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResultTrust {
    /// Others wrote it: mail, pages, files that came from outside.
    #[default]
    Foreign,
    /// The user's own records, such as contacts: a value may be chosen out of a record that the
    /// user named.
    Directory,
    /// The operator vouches for all of it.
    Trusted,
}

/// At most so many calls in a time that slides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallLimit {
    /// Calls, at least 1.
    pub calls: u32,
    /// Seconds, 1 to 2,678,400.
    pub seconds: u32,
}

/// What an argument is, and which values it may have.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ArgumentConfig {
    /// What it chooses; by its name if left out.
    pub kind: Option<ArgumentKind>,
    /// Its JSON type.
    #[serde(rename = "type")]
    pub shape: Option<Shape>,
    /// A call without it is refused.
    pub required: bool,
    /// The values that it may have; `*` stands for any run of characters. Any if empty.
    pub values: Vec<String>,
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Most bytes of a text.
    pub max_bytes: Option<usize>,
    /// For a URL: hosts that it may have; `*` stands for any run of characters. Any public host if
    /// empty.
    pub hosts: Vec<String>,
    /// For a path: folders in which it must lie. Anywhere below the working folder if empty.
    pub roots: Vec<String>,
    /// For SQL: statements that it may hold. `select` alone if empty.
    pub statements: Vec<String>,
    /// For a command: programs that it may run. Any but those that are known to be dangerous if
    /// empty.
    pub programs: Vec<String>,
}

/// A type of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A string.
    String,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
}

/// What an argument chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArgumentKind {
    /// Who gets something: an address, an account, a channel.
    Recipient,
    /// An address that is asked.
    Url,
    /// A file.
    Path,
    /// How much.
    Amount,
    /// What is run.
    Command,
    /// A statement of SQL.
    Sql,
    /// Which thing: an id, a name of a record.
    Identifier,
    /// A key or a password.
    Credential,
    /// Free text that somebody reads.
    Content,
    /// A link in free text.
    Link,
    /// Anything else.
    Other,
}

impl ArgumentKind {
    /// Whether it chooses what happens, to whom, or to what.
    #[must_use]
    pub const fn is_control(self) -> bool {
        !matches!(self, Self::Content | Self::Link | Self::Other)
    }

    /// The name used in configuration and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Url => "url",
            Self::Path => "path",
            Self::Amount => "amount",
            Self::Command => "command",
            Self::Sql => "sql",
            Self::Identifier => "identifier",
            Self::Credential => "credential",
            Self::Content => "content",
            Self::Link => "link",
            Self::Other => "other",
        }
    }
}

/// One row of the decision table. Every condition that is left empty holds for any argument.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FlowConfig {
    /// Its name in explanations.
    pub name: String,
    /// Tools; `*` stands for any run of characters.
    pub tools: Vec<String>,
    /// Classes of tools.
    pub risks: Vec<Risk>,
    /// Audiences of tools.
    pub audiences: Vec<Audience>,
    /// Kinds of arguments.
    pub kinds: Vec<ArgumentKind>,
    /// Names of arguments; `*` stands for any run of characters.
    pub arguments: Vec<String>,
    /// Principals; `*` stands for any run of characters.
    pub principals: Vec<String>,
    /// Values in which one of these had a hand.
    #[schemars(with = "Vec<String>")]
    pub writers: Vec<Origin>,
    /// How the value came about.
    pub sources: Vec<SourceKind>,
    /// Values that not everyone may read, or those that everyone may.
    pub private: Option<bool>,
    /// What happens.
    pub action: FlowAction,
}

/// How a value came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// The user or the operator wrote it.
    Named,
    /// It stands in a record of the user that the user named.
    Resolved,
    /// It stands in text of others, perhaps in another notation.
    Copied,
    /// It is written nowhere: the model made it of what it read.
    Derived,
}

impl SourceKind {
    /// The name used in configuration and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Resolved => "resolved",
            Self::Copied => "copied",
            Self::Derived => "derived",
        }
    }
}

/// What a row of the decision table does.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FlowAction {
    /// The value may go there.
    Allow,
    /// A person decides.
    Ask,
    /// The call is refused.
    #[default]
    Deny,
}

/// Bounds of one run.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RunLimits {
    /// Most calls of tools, 1 to 10,000.
    pub max_steps: u32,
    /// Most seconds from the first request to the last call, 1 to 86,400.
    pub max_seconds: u32,
    /// So many failures of tools in a row end the run, 1 to 1,000.
    pub max_failures: u32,
    /// So many times may the same call give the same result, 1 to 1,000.
    pub max_repeats: u32,
    /// Most tokens, of requests and answers; any number if left out.
    pub max_tokens: Option<u64>,
}

impl Default for RunLimits {
    /// 20 calls, 300 seconds, 3 failures in a row, 3 repetitions.
    fn default() -> Self {
        Self {
            max_steps: 20,
            max_seconds: 300,
            max_failures: 3,
            max_repeats: 3,
            max_tokens: None,
        }
    }
}

/// What one agent may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AgentConfig {
    /// Tools; `*` stands for any run of characters.
    pub tools: Vec<String>,
    /// The highest class; any if left out.
    pub max_risk: Option<Risk>,
}

impl AgentsConfig {
    /// Every mistake: its place, and what is wrong there.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut range = |path: String, value: u32, most: u32| {
            if !(1..=most).contains(&value) {
                all.push((path, format!("{value} is out of range, give 1 to {most}")));
            }
        };
        let limits = &self.limits;
        for (key, value, most) in [
            ("max-steps", limits.max_steps, 10_000),
            ("max-seconds", limits.max_seconds, 86_400),
            ("max-failures", limits.max_failures, 1_000),
            ("max-repeats", limits.max_repeats, 1_000),
        ] {
            range(format!("limits.{key}"), value, most);
        }
        range("approval-seconds".to_owned(), self.approval_seconds, 86_400);
        for (number, tool) in self.tools.iter().enumerate() {
            if let Some(limit) = tool.per_user {
                let place = format!("tools[{number}].per-user");
                range(format!("{place}.calls"), limit.calls, 1_000_000);
                range(format!("{place}.seconds"), limit.seconds, 2_678_400);
            }
        }
        for (number, tool) in self.tools.iter().enumerate() {
            if tool.name.is_empty() {
                let message = "a tool needs a name; `*` stands for all".to_owned();
                all.push((format!("tools[{number}].name"), message));
            }
            let digest = tool.definition.as_deref();
            if digest.is_some_and(|digest| !is_digest(digest)) {
                let message = "give 64 hexadecimal digits in lower case".to_owned();
                all.push((format!("tools[{number}].definition"), message));
            }
            for (name, argument) in &tool.arguments {
                let unknown = argument
                    .statements
                    .iter()
                    .find(|word| !crate::semantic::STATEMENTS.contains(&word.as_str()));
                if let Some(word) = unknown {
                    let message = format!(
                        "unknown statement `{word}`, expected one of {}",
                        crate::semantic::STATEMENTS.join(", ")
                    );
                    all.push((
                        format!("tools[{number}].arguments.{name}.statements"),
                        message,
                    ));
                }
            }
        }
        all
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_has_its_place() {
        let yaml = "limits: {max-steps: 0}\ntools:\n  - per-user: {calls: 0, seconds: 60}\n    definition: xyz\n    arguments: {q: {statements: [select, explode]}}\n";
        let config: AgentsConfig = serde_saphyr::from_str(yaml).unwrap();
        let places: Vec<String> = config.check().into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            places,
            [
                "limits.max-steps",
                "tools[0].per-user.calls",
                "tools[0].name",
                "tools[0].definition",
                "tools[0].arguments.q.statements"
            ]
        );
        assert_eq!(AgentsConfig::default().check(), []);
    }
}
