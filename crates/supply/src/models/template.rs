//! Chat templates: text that a model's loader renders with Jinja.

use bartizan_core::{CheckError, Rule};
use bartizan_formats::{Block, Jinja, JinjaToken};

use super::rules::{TEMPLATE_ESCAPE, TEMPLATE_HIDDEN, TEMPLATE_ODD};
use crate::Desk;

/// Names that lead from any value to the interpreter. They have no other use in a template.
const WAYS_OUT: &[&str] = &[
    "mro",
    "im_func",
    "im_self",
    "func_globals",
    "func_code",
    "gi_frame",
    "gi_code",
    "cr_frame",
    "cr_code",
    "ag_frame",
    "f_globals",
    "f_locals",
    "f_builtins",
    "f_back",
    "tb_frame",
    "tb_next",
    "co_consts",
    "subclasses",
    "popen",
    "Popen",
    "subprocess",
    "getattr",
    "eval",
    "exec",
    "execfile",
    "import_module",
    "importlib",
    "builtins",
    "globals",
    "get_flashed_messages",
    "url_for",
    "application",
    "_TemplateReference__context",
    "_module",
    "check_output",
];

/// The same as text between other text, e.g. `'o' ~ 's.pop' ~ 'en'`.
const PIECES: &[&str] = &[
    "__class__",
    "__globals__",
    "__builtins__",
    "__subclasses__",
    "__import__",
    "__init__",
    "__base__",
    "__mro__",
    "__getitem__",
    "__dict__",
    "__code__",
    "os.popen",
    "os.system",
    "subprocess",
];

/// Names that Jinja puts into every template, and no chat template needs.
const HELPERS: &[&str] = &[
    "lipsum", "cycler", "joiner", "self", "request", "config", "caller", "varargs",
];

/// Filters that fetch attributes by name or write text by number.
const FETCHERS: &[&str] = &["attr", "format", "xmlattr", "pprint", "forceescape"];

/// Statements that read other files.
const READERS: &[&str] = &["include", "import", "extends", "from"];

/// Weighs one template.
pub(super) fn template(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    desk.spend(text.len() as u64 >> 10)?;
    let jinja = Jinja::read(text);
    if jinja.cut {
        return Err(CheckError::Exhausted {
            limit: "template tokens",
            at: 200_000,
        });
    }
    let mut reported: Vec<&'static str> = Vec::new();
    for block in &jinja.blocks {
        let Some((rule, message)) = weigh(block) else {
            continue;
        };
        if !reported.contains(&message) {
            reported.push(message);
            desk.report(rule, None, message)?;
        }
    }
    if let Some(message) = super::backdoor::hidden(&jinja) {
        desk.report(&TEMPLATE_HIDDEN, None, message)?;
    }
    Ok(())
}

fn is_dunder(name: &str) -> bool {
    name.starts_with("__")
}

fn weigh(block: &Block) -> Option<(&'static Rule, &'static str)> {
    let tokens = &block.tokens;
    let mut joined = String::new();
    let mut odd = None;
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| tokens.get(index));
        let after = tokens.get(index + 1);
        match token {
            JinjaToken::Name(name) => {
                let is_attribute = before == Some(&JinjaToken::Sign('.'));
                let is_filter = before == Some(&JinjaToken::Sign('|'));
                if is_dunder(name) || (is_attribute && WAYS_OUT.contains(&name.as_str())) {
                    return Some((
                        &TEMPLATE_ESCAPE,
                        "an expression reaches for Python's own objects",
                    ));
                }
                if is_filter && name == "attr" {
                    return Some((
                        &TEMPLATE_ESCAPE,
                        "an expression fetches an attribute by its name",
                    ));
                }
                if is_filter && FETCHERS.contains(&name.as_str()) {
                    odd = Some("an expression builds text by a format");
                }
                let is_key = after == Some(&JinjaToken::Sign('=')) || is_attribute || is_filter;
                if !is_key && HELPERS.contains(&name.as_str()) {
                    odd = Some("an expression uses a helper that chat templates do not need");
                }
                if block.is_statement && index == 0 && READERS.contains(&name.as_str()) {
                    return Some((&TEMPLATE_ESCAPE, "the template reads another file"));
                }
                if !is_key && matches!(name.as_str(), "os" | "subprocess" | "builtins" | "popen") {
                    return Some((&TEMPLATE_ESCAPE, "an expression names a module of Python"));
                }
            }
            JinjaToken::Text(text) => {
                let is_index =
                    before == Some(&JinjaToken::Sign('[')) && after == Some(&JinjaToken::Sign(']'));
                if is_index && (is_dunder(text) || WAYS_OUT.contains(&text.as_str())) {
                    return Some((
                        &TEMPLATE_ESCAPE,
                        "an expression reaches for Python's own objects",
                    ));
                }
                if joined.len() < 64 << 10 {
                    joined.push_str(text);
                }
            }
            JinjaToken::Number(number) if *number > 1_000_000 => {
                odd = Some("an expression counts beyond any conversation");
            }
            _ => {}
        }
    }
    let backwards: String = joined.chars().rev().collect();
    let spelled = |text: &str| PIECES.iter().any(|piece| text.contains(piece));
    if spelled(&joined) || spelled(&backwards) {
        return Some((
            &TEMPLATE_ESCAPE,
            "an expression spells the name of one of Python's own objects",
        ));
    }
    odd.map(|message| (&TEMPLATE_ODD, message))
}
