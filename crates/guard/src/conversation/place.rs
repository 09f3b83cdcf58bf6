//! What a value is by where it stands: the tables of all wire formats.

use bartizan_core::Origin;

use super::PartKind;

/// What a value is, by where it stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) origin: Origin,
    pub(super) kind: PartKind,
    pub(super) shape: Shape,
    /// The message that a text belongs to; 0 for none.
    pub(super) group: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A list of messages or items, or one of them.
    Messages,
    /// A text, a list of blocks, or a block.
    Content,
    /// The value of a known text field.
    Text,
    /// `tool_calls` and what is in it, down to the arguments.
    Calls,
    /// Values for a tool, to any depth.
    Arguments,
    /// `choices` and what is in it, down to the message.
    Choices,
    /// Anything else, to any depth.
    Any,
}

impl Place {
    pub(super) const fn new(origin: Origin, kind: PartKind, shape: Shape) -> Self {
        Self {
            origin,
            kind,
            shape,
            group: 0,
        }
    }

    pub(super) fn field(&self) -> Self {
        Self::new(self.origin, PartKind::Field, Shape::Any)
    }

    pub(super) fn shaped(&self, shape: Shape) -> Self {
        Self {
            shape,
            ..self.clone()
        }
    }
}

/// What a field at the top of a request or an answer is.
#[rustfmt::skip]
pub(super) const ROOT_FIELDS: &[(&str, Place)] = &[
    ("messages", Place::new(Origin::User, PartKind::Text, Shape::Messages)),
    ("input", Place::new(Origin::User, PartKind::Text, Shape::Messages)),
    ("prompt", Place::new(Origin::User, PartKind::Text, Shape::Content)),
    ("suffix", Place::new(Origin::User, PartKind::Text, Shape::Content)),
    ("system", Place::new(Origin::System, PartKind::Text, Shape::Content)),
    ("instructions", Place::new(Origin::System, PartKind::Text, Shape::Content)),
    ("tools", Place::new(Origin::Tool, PartKind::ToolDescription, Shape::Any)),
    ("functions", Place::new(Origin::Tool, PartKind::ToolDescription, Shape::Any)),
    ("documents", Place::new(Origin::Retrieved, PartKind::Document, Shape::Any)),
    ("context", Place::new(Origin::Retrieved, PartKind::Document, Shape::Any)),
    ("search_results", Place::new(Origin::Retrieved, PartKind::Document, Shape::Any)),
    ("choices", Place::new(Origin::Model, PartKind::Text, Shape::Choices)),
    ("output", Place::new(Origin::Model, PartKind::Text, Shape::Messages)),
    ("output_text", Place::new(Origin::Model, PartKind::Text, Shape::Content)),
];

/// Who speaks in a role.
pub(super) const ROLES: &[(&str, Origin)] = &[
    ("system", Origin::System),
    ("developer", Origin::System),
    ("user", Origin::User),
    ("assistant", Origin::Model),
    ("model", Origin::Model),
    ("tool", Origin::Tool),
    ("function", Origin::Tool),
    ("ipython", Origin::Tool),
];

/// What a block is, by its type.
#[derive(Clone, Copy)]
pub(super) enum Block {
    Text,
    Thought,
    Call,
    Result,
    Image,
    Audio,
    File,
    Document,
    /// What the model may call, told in the middle of a conversation.
    Tools,
    /// Of a known kind, without a text of its own kind; every field is read.
    Other,
}

/// Types of blocks and items, from the types of the SDKs `openai` 3.54 and `anthropic` 2.12, and
/// from revision 2026-07-28 of the Model Context Protocol (`ContentBlock`).
pub(super) const BLOCKS: &[(&str, Block)] = &[
    ("text", Block::Text),
    ("input_text", Block::Text),
    ("output_text", Block::Text),
    ("refusal", Block::Text),
    ("thinking", Block::Thought),
    ("redacted_thinking", Block::Thought),
    ("reasoning", Block::Thought),
    ("reasoning_text", Block::Thought),
    ("summary_text", Block::Thought),
    ("tool_use", Block::Call),
    ("server_tool_use", Block::Call),
    ("mcp_tool_use", Block::Call),
    ("function_call", Block::Call),
    ("custom_tool_call", Block::Call),
    ("tool_result", Block::Result),
    ("mcp_tool_result", Block::Result),
    ("web_search_tool_result", Block::Result),
    ("code_execution_tool_result", Block::Result),
    ("function_call_output", Block::Result),
    ("custom_tool_call_output", Block::Result),
    ("file_search_call", Block::Result),
    ("web_search_call", Block::Result),
    ("mcp_call", Block::Result),
    ("tool_search_call", Block::Call),
    ("shell_call", Block::Call),
    ("local_shell_call", Block::Call),
    ("computer_call", Block::Call),
    ("apply_patch_call", Block::Call),
    ("program", Block::Call),
    ("mcp_approval_request", Block::Call),
    ("code_interpreter_call", Block::Result),
    ("shell_call_output", Block::Result),
    ("local_shell_call_output", Block::Result),
    ("computer_call_output", Block::Result),
    ("apply_patch_call_output", Block::Result),
    ("program_output", Block::Result),
    ("mcp_approval_response", Block::Result),
    ("web_fetch_tool_result", Block::Result),
    ("tool_search_tool_result", Block::Result),
    ("advisor_tool_result", Block::Result),
    ("bash_code_execution_tool_result", Block::Result),
    ("text_editor_code_execution_tool_result", Block::Result),
    ("web_fetch_result", Block::Result),
    ("web_search_result", Block::Result),
    ("advisor_result", Block::Result),
    ("advisor_redacted_result", Block::Result),
    ("code_execution_result", Block::Result),
    ("encrypted_code_execution_result", Block::Result),
    ("bash_code_execution_result", Block::Result),
    ("code_execution_output", Block::Result),
    ("bash_code_execution_output", Block::Result),
    ("text_editor_code_execution_view_result", Block::Result),
    ("text_editor_code_execution_create_result", Block::Result),
    (
        "text_editor_code_execution_str_replace_result",
        Block::Result,
    ),
    ("tool_search_tool_search_result", Block::Result),
    ("web_search_tool_result_error", Block::Result),
    ("web_fetch_tool_result_error", Block::Result),
    ("advisor_tool_result_error", Block::Result),
    ("code_execution_tool_result_error", Block::Result),
    ("bash_code_execution_tool_result_error", Block::Result),
    (
        "text_editor_code_execution_tool_result_error",
        Block::Result,
    ),
    ("tool_search_tool_result_error", Block::Result),
    ("tool_reference", Block::Other),
    ("browser_state", Block::Result),
    ("tool_search_output", Block::Tools),
    ("additional_tools", Block::Tools),
    ("tool_addition", Block::Tools),
    ("tool_removal", Block::Tools),
    ("mcp_list_tools", Block::Tools),
    ("mcp_tool_listing", Block::Tools),
    ("compaction", Block::Other),
    ("compaction_trigger", Block::Other),
    ("configuration_update", Block::Other),
    ("item_reference", Block::Other),
    ("fallback", Block::Other),
    ("container_upload", Block::File),
    ("image_generation_call", Block::Image),
    ("computer_screenshot", Block::Image),
    ("image", Block::Image),
    ("image_url", Block::Image),
    ("input_image", Block::Image),
    ("input_audio", Block::Audio),
    ("audio", Block::Audio),
    ("file", Block::File),
    ("input_file", Block::File),
    ("document", Block::Document),
    ("search_result", Block::Document),
    ("resource", Block::File),
    ("resource_link", Block::Other),
];

/// Fields in which a plain identifier is no text.
pub(super) const STRUCTURAL: &[&str] = &[
    "model",
    "id",
    "object",
    "type",
    "role",
    "name",
    "status",
    "finish_reason",
    "stop_reason",
    "tool_call_id",
    "tool_use_id",
    "call_id",
    "item_id",
    "previous_response_id",
    "service_tier",
    "system_fingerprint",
    "encoding_format",
    "tool_choice",
    "reasoning_effort",
    "effort",
    "verbosity",
    "truncation",
    "detail",
    "media_type",
    "format",
    "modalities",
    "include",
    "anthropic_version",
    "file_id",
    "ttl",
    "required",
    "prompt_cache_key",
    "safety_identifier",
    "phase",
    "created_at",
    "mode",
    "syntax",
];

pub(super) fn lookup<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table
        .iter()
        .find_map(|(known, value)| (*known == name).then_some(*value))
}

/// Whether a key may stand in a path: a name, not a text and not a token.
pub(super) fn is_plain_key(key: &str) -> bool {
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    (1..=40).contains(&key.len())
        && digits <= 4
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'))
}

/// Fields that only their maker can read and write, in base64: it refuses what it did not seal, and
/// what others make of them no format says.
const SEALED: &[&str] = &[
    "signature",
    "encrypted_content",
    "encrypted_index",
    "encrypted_stdout",
    "encrypted_reasoning",
];

/// Bytes of such a field.
const MAX_SEALED: usize = 1 << 20;

/// The longest identifier in bytes that is no text in a field of that name; `None` where every text
/// is looked at. Models read the names of tools and speakers, so a sentence must not hide in one.
#[must_use]
pub fn identifier_field(name: &str) -> Option<usize> {
    match name {
        "name" => Some(32),
        name if SEALED.contains(&name) => Some(MAX_SEALED),
        name => STRUCTURAL.contains(&name).then_some(128),
    }
}

/// Whether `text` is one word such as an id, a model or a media type, and neither an address nor a
/// number as long as a card's or an account's.
pub(super) fn is_identifier(text: &str) -> bool {
    const DIGITS: usize = 12;
    let mut run = 0;
    text.bytes().all(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run < DIGITS && (byte.is_ascii_alphanumeric() || b"_-.:/+=".contains(&byte))
    })
}
