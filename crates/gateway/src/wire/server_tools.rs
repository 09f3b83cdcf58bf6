use bartizan_guard::conversation::Value;

/// A kind of tool that the upstream runs itself: what it returns reaches the model without passing
/// here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerTool {
    /// Searches and pages of the web.
    Web,
    /// Files that the upstream keeps.
    Files,
    /// Code that the upstream runs, and what it prints.
    Code,
    /// Servers of the Model Context Protocol, and connectors.
    Mcp,
    /// A kind that is not known here.
    Other,
}

impl ServerTool {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Web, Self::Files, Self::Code, Self::Mcp, Self::Other];

    /// The name used in headers and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Files => "files",
            Self::Code => "code",
            Self::Mcp => "mcp",
            Self::Other => "other",
        }
    }
}

/// Kinds of tools of the upstream that a request gives the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerTools(u8);

/// Kinds of tools that the client runs, by the start of their `type`.
const OF_CLIENT: &[&str] = &[
    "function",
    "custom",
    "namespace",
    "computer",
    "bash_",
    "text_editor_",
    "memory_",
    "local_shell",
    "apply_patch",
];

/// Kinds of tools that the upstream runs, by the start of their `type`, in OpenAI's and Anthropic's
/// lists of tools.
const OF_SERVER: &[(&str, ServerTool)] = &[
    ("web_search", ServerTool::Web),
    ("web_fetch", ServerTool::Web),
    ("file_search", ServerTool::Files),
    ("code_interpreter", ServerTool::Code),
    ("code_execution", ServerTool::Code),
    ("mcp", ServerTool::Mcp),
];

/// Members of a request that switch such tools on without standing among its tools: of OpenAI's
/// Chat Completions, xAI, Anthropic, and OpenRouter.
const MEMBERS: &[(&str, ServerTool)] = &[
    ("web_search_options", ServerTool::Web),
    ("search_parameters", ServerTool::Web),
    ("mcp_servers", ServerTool::Mcp),
    ("plugins", ServerTool::Other),
];

impl ServerTools {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds, each once.
    pub fn iter(self) -> impl Iterator<Item = ServerTool> {
        let all = ServerTool::ALL.into_iter();
        all.filter(move |tool| self.0 & bit(*tool) != 0)
    }

    /// What the request at `root` gives the model.
    pub(super) fn of(root: Value<'_, '_>) -> Self {
        let mut found = Self::default();
        for tool in root.get("tools").into_iter().flat_map(Value::items) {
            found.add(tool);
            // A namespace holds tools of its own.
            for inner in tool.get("tools").into_iter().flat_map(Value::items) {
                found.add(inner);
            }
        }
        for (name, tool) in MEMBERS {
            let member = root.get(name).filter(|value| !value.is_null());
            if member.is_some_and(|value| value.is_object() || value.items().len() > 0) {
                found.0 |= bit(*tool);
            }
        }
        found
    }

    fn add(&mut self, tool: Value<'_, '_>) {
        let Some(kind) = tool.get("type").and_then(Value::as_str) else {
            return;
        };
        if OF_CLIENT.iter().any(|known| kind.starts_with(known)) {
            return;
        }
        let known = OF_SERVER.iter().find(|(start, _)| kind.starts_with(start));
        self.0 |= bit(known.map_or(ServerTool::Other, |(_, tool)| *tool));
    }
}

const fn bit(tool: ServerTool) -> u8 {
    1 << tool as u8
}
