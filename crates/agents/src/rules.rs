//! What the layer reports under.

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

/// Every rule of this layer.
pub static RULES: [&Rule; 17] = [
    &UNKNOWN_TOOL,
    &NOT_PERMITTED,
    &STOPPED,
    &ARGUMENTS,
    &UNSAFE_PATH,
    &UNSAFE_URL,
    &UNSAFE_SQL,
    &UNSAFE_COMMAND,
    &FOREIGN_ARGUMENT,
    &PRIVATE_DATA,
    &APPROVAL,
    &PLAN,
    &STEP_LIMIT,
    &TIME_LIMIT,
    &LOOP,
    &CALL_LIMIT,
    &TOOL_CHANGED,
];

type Refs = &'static [Cow<'static, str>];

const AGENCY: Refs = &[Cow::Borrowed("LLM06:2025"), Cow::Borrowed("AML.T0053")];
const INJECTION: Refs = &[
    Cow::Borrowed("LLM01:2025"),
    Cow::Borrowed("LLM06:2025"),
    Cow::Borrowed("AML.T0051.001"),
];
const DISCLOSURE: Refs = &[
    Cow::Borrowed("LLM02:2025"),
    Cow::Borrowed("AML.T0057"),
    Cow::Borrowed("CWE-200"),
];
const CONSUMPTION: Refs = &[Cow::Borrowed("LLM10:2025"), Cow::Borrowed("CWE-400")];

macro_rules! rule {
    ($name:ident, $id:literal, $title:literal, $severity:ident, $category:ident, $refs:expr, $why:literal, $fix:literal) => {
        pub(crate) static $name: Rule = Rule::new(
            $id,
            $title,
            Severity::$severity,
            Category::$category,
            $refs,
            [$why, $fix],
            None,
        );
    };
}

rule!(
    UNKNOWN_TOOL,
    "agent.unknown-tool",
    "calls a tool that is not listed",
    High,
    ToolHijack,
    AGENCY,
    "A tool that nobody classified may do anything, and a name that the model made up may belong to somebody else's tool.",
    "List the tool under `agents.tools`, or set `agents.unknown-tools: guess-by-name`."
);
rule!(
    NOT_PERMITTED,
    "agent.not-permitted",
    "calls a tool that is not open to this agent",
    High,
    ToolHijack,
    AGENCY,
    "An agent that reads for one task and writes for another can be led from one to the other; each gets the tools of its task alone.",
    "Add the tool to the agent's list under `agents.agents` if the task needs it."
);
rule!(
    STOPPED,
    "agent.stopped",
    "calls what an operator has stopped",
    High,
    ToolHijack,
    AGENCY,
    "A kill switch is on for everything, this tenant, this agent, or this tool.",
    "Find out who stopped it and why; start it again under `agents.stopped`."
);
rule!(
    ARGUMENTS,
    "agent.arguments",
    "arguments that the tool does not take",
    Medium,
    ToolHijack,
    &[Cow::Borrowed("LLM05:2025"), Cow::Borrowed("CWE-20")],
    "Tools are often written for well-meaning callers; a value of another type or range, or one member too many, reaches code that never saw it.",
    "Mend the call, or the description of the argument under `agents.tools`."
);
rule!(
    UNSAFE_PATH,
    "agent.unsafe-path",
    "a path that leaves its folder or names a file of the system",
    High,
    ToolHijack,
    &[Cow::Borrowed("LLM05:2025"), Cow::Borrowed("CWE-22")],
    "Steps upwards, device names, and disguised separators reach files that the tool was not made for.",
    "Name the folders of the argument under `roots`; open files relative to a folder, without following links."
);
rule!(
    UNSAFE_URL,
    "agent.unsafe-url",
    "an address that is not a public host's, or not an allowed one",
    High,
    ToolHijack,
    &[Cow::Borrowed("LLM05:2025"), Cow::Borrowed("CWE-918")],
    "Addresses of the own network and of metadata services hand out what only insiders may see; names that lead there do so, too.",
    "Name the hosts of the argument under `hosts`; resolve and check the address where the request is made."
);
rule!(
    UNSAFE_SQL,
    "agent.unsafe-sql",
    "a statement of SQL that the argument may not hold",
    High,
    ToolHijack,
    &[Cow::Borrowed("LLM05:2025"), Cow::Borrowed("CWE-89")],
    "One statement that writes, or a function that reaches files or the network, is enough to lose the data.",
    "List the statements under `statements` if they are meant; give the tool a role of the database that can do no more."
);
rule!(
    UNSAFE_COMMAND,
    "agent.unsafe-command",
    "a command that does harm or is not allowed",
    Critical,
    ToolHijack,
    &[Cow::Borrowed("LLM05:2025"), Cow::Borrowed("CWE-78")],
    "A command line can chain, substitute, and redirect; one word more turns a listing into a download that runs.",
    "List the programs under `programs`, and run commands in a sandbox."
);
rule!(
    FOREIGN_ARGUMENT,
    "agent.foreign-argument",
    "text of others chose an argument",
    High,
    ToolHijack,
    INJECTION,
    "A document or a tool's result that chooses who gets something, what is asked, or what is run gives orders in the user's name.",
    "Let the user name the value, list the tool that returned it as a directory of the user's own, or allow the flow under `agents.flows`."
);
rule!(
    PRIVATE_DATA,
    "agent.private-data",
    "private data goes where others read it",
    High,
    Exfiltration,
    DISCLOSURE,
    "What a private tool returned is for its user; a page, an address that is asked, or a public message shows it to everyone.",
    "Leave it out, or allow the flow under `agents.flows`."
);
rule!(
    APPROVAL,
    "agent.approval",
    "a call that waits for a person",
    Medium,
    ToolHijack,
    AGENCY,
    "The table of flows, or the tool's own entry, asks for a person's word before this call.",
    "Look at what it does and where its arguments come from, then release or block it with `bartizan approve`."
);
rule!(
    PLAN,
    "agent.plan",
    "a call that nobody asked for, after text of others",
    Medium,
    ToolHijack,
    INJECTION,
    "The user's words ask for nothing of the kind, and the model has read text that others wrote: it may follow orders from there.",
    "Look at the call, then release or block it; name the words that ask for the tool under `intents`."
);
rule!(
    STEP_LIMIT,
    "agent.step-limit",
    "more calls than one run may make",
    Medium,
    Amplification,
    CONSUMPTION,
    "A run that does not end costs money and repeats its mistakes.",
    "Raise `agents.limits.max-steps` if honest runs need it."
);
rule!(
    TIME_LIMIT,
    "agent.time-limit",
    "a run that takes longer, or costs more, than one may",
    Medium,
    Amplification,
    CONSUMPTION,
    "A run that hangs holds what it has locked, and nobody waits for it any more.",
    "Raise `agents.limits.max-seconds` or `max-tokens` if honest runs need it."
);
rule!(
    LOOP,
    "agent.loop",
    "a run that goes in circles or keeps failing",
    Medium,
    Amplification,
    CONSUMPTION,
    "The same calls with the same results, or failure after failure: more of them will not help.",
    "See what the tool returned; raise `agents.limits.max-repeats` or `max-failures` if it is meant."
);
rule!(
    CALL_LIMIT,
    "agent.call-limit",
    "more calls of a tool than one user may make",
    Medium,
    Amplification,
    CONSUMPTION,
    "Each user's calls of each tool are counted by themselves, so that one tool does not use up another's allowance.",
    "Wait, or raise `per-user` of the tool."
);
rule!(
    TOOL_CHANGED,
    "agent.tool-changed",
    "a tool whose definition is not the one that was reviewed",
    High,
    ToolHijack,
    &[Cow::Borrowed("LLM03:2025"), Cow::Borrowed("LLM01:2025")],
    "A server that changes what a tool says about itself after it was approved can give orders to the model (a rug pull).",
    "Read the new definition, then put its digest under `definition`."
);
