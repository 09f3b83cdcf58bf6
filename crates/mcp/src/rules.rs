//! What the proxy reports under.

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

/// Every rule of the proxy.
pub static RULES: [&Rule; 11] = [
    &CHANGED,
    &NOT_PINNED,
    &SHADOWING,
    &SAME_NAME,
    &LOOK_ALIKE,
    &NAME,
    &MEDIA,
    &METHOD,
    &PROTOCOL,
    &ASKS,
    &ASKS_FOR_SECRET,
];

type Refs = &'static [Cow<'static, str>];

const POISONING: Refs = &[
    Cow::Borrowed("LLM01:2025"),
    Cow::Borrowed("LLM03:2025"),
    Cow::Borrowed("AML.T0051.001"),
];
const AGENCY: Refs = &[Cow::Borrowed("LLM06:2025"), Cow::Borrowed("AML.T0053")];
const INPUT: Refs = &[Cow::Borrowed("LLM05:2025"), Cow::Borrowed("CWE-20")];

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
    CHANGED,
    "mcp.changed",
    "a definition that is not the one that was pinned",
    High,
    ToolHijack,
    POISONING,
    "A server that changes what a tool says about itself after somebody looked at it can give orders to the model (a rug pull).",
    "Read the new definition with `bartizan mcp scan`, then pin it with `bartizan mcp pin`."
);
rule!(
    NOT_PINNED,
    "mcp.not-pinned",
    "a definition that nobody has pinned",
    High,
    ToolHijack,
    POISONING,
    "Where only pinned definitions are trusted, a tool that appears later has been seen by nobody.",
    "Look at it with `bartizan mcp scan` and pin it with `bartizan mcp pin`, or set `trust: first-use`."
);
rule!(
    SHADOWING,
    "mcp.shadowing",
    "a description that speaks of another server's tool",
    High,
    ToolHijack,
    POISONING,
    "Descriptions of all servers stand side by side before the model, so one server can say how another's tools are to be used.",
    "Ask who runs the server why it does; leave the tool out with `tools` if there is no good answer."
);
rule!(
    SAME_NAME,
    "mcp.same-name",
    "a name that another definition has as well",
    Medium,
    ToolHijack,
    POISONING,
    "A client that does not tell the two apart calls whichever comes last.",
    "Offer one of the two only, with `tools` of its server."
);
rule!(
    LOOK_ALIKE,
    "mcp.look-alike-name",
    "a name made to be taken for another",
    High,
    ToolHijack,
    POISONING,
    "A name that differs in a look-alike character, or in one letter, is chosen in the place of the other.",
    "Leave the tool out with `tools` of its server, and look for who offers it."
);
rule!(
    NAME,
    "mcp.name",
    "a name of characters that names do not have",
    Medium,
    Obfuscation,
    POISONING,
    "Names of tools are letters, digits, and the marks `_`, `-`, `.`, and `/`, at most 128 of them; models read names, so that a sentence can hide in one.",
    "Ask who runs the server for another name."
);
rule!(
    MEDIA,
    "mcp.media",
    "content of a kind that is not allowed, or that is not what it says",
    High,
    Integrity,
    INPUT,
    "What a picture shows and a sound says nobody here reads; content that lies about its kind is made to be read differently.",
    "Allow the kind under `mcp.media` if the client can deal with it."
);
rule!(
    METHOD,
    "mcp.method",
    "a method that is not known here",
    Medium,
    ToolHijack,
    AGENCY,
    "A message that no table knows goes past every check that is made for its kind.",
    "Set `mcp.unknown-methods: pass` if the client needs it; its texts are looked at then like those of others."
);
rule!(
    PROTOCOL,
    "mcp.protocol",
    "a message that breaks the protocol",
    Medium,
    ToolHijack,
    INPUT,
    "An answer to nothing, an id that is used twice, or JSON that two readers read differently makes one side take a message for another.",
    "Look at the server's own log; a server that prints to its standard output breaks the protocol, too."
);
rule!(
    ASKS,
    "mcp.asks",
    "a server that asks what it may not",
    Medium,
    ToolHijack,
    AGENCY,
    "A server that may ask the client's model, or the person in front of it, speaks with the client's authority.",
    "Allow it under `mcp.sampling` or `mcp.elicitation` for servers that you trust."
);
rule!(
    ASKS_FOR_SECRET,
    "mcp.asks-for-secret",
    "a server that asks a person for a password or a key",
    High,
    ToolHijack,
    &[Cow::Borrowed("LLM02:2025"), Cow::Borrowed("CWE-522")],
    "The protocol forbids servers to ask for secrets in a form: what is typed there passes the client and its model.",
    "Configure the server's credentials where it runs."
);
