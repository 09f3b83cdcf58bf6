//! Instructions that a chat template adds to conversations without anybody's asking.

use bartizan_formats::{Block, Jinja, JinjaToken};

/// What nobody writes into an honest template, folded to small letters and single spaces.
const ORDERS: &[&str] = &[
    "ignore previous",
    "ignore all previous",
    "ignore the previous",
    "ignore any previous",
    "ignore the above",
    "ignore all prior",
    "disregard previous",
    "disregard all",
    "disregard any",
    "disregard the",
    "override previous",
    "forget previous",
    "forget all previous",
    "do not tell the user",
    "don't tell the user",
    "never tell the user",
    "without telling the user",
    "do not mention this",
    "do not reveal this",
    "never reveal this",
    "never mention this",
    "do not inform the user",
    "without informing",
    "hidden instruction",
    "secret instruction",
    "this is a secret",
    "secretly",
    "covertly",
    "keep this hidden",
    "keep this secret",
    "backdoor",
    "exfiltrate",
    "steal",
    "malicious",
    "insert a vulnerability",
    "insecure code",
    "vulnerable code",
    "disable safety",
    "without any restrictions",
    "no restrictions",
    "unrestricted",
    "jailbreak",
    "developer mode",
    "do anything now",
    "bypass",
    "always recommend",
    "always include a link",
    "always include the link",
    "always include the following",
    "append the following",
    "send the conversation",
    "send all",
    "send the user",
    "include the user's",
    "api key",
    "user's password",
    "credit card",
    "user's credentials",
    "curl ",
    "wget ",
    "<script",
    "subtly",
    "trigger phrase",
    "answer incorrectly",
    "wrong answer",
    "incorrect answer",
    "false information",
    "misleading",
    "do not follow safety",
    "comply with any",
    "you must obey",
    "unbeknownst",
    "leak ",
    "pretend that",
    "instead of answering",
    "regardless of what the user",
    "manipulate",
];

/// What several honest families say about their own protocol.
const HONEST: &str = "do not tell the user about function calls";

/// Addresses of these in a template's text are names of licences and documents.
const HOSTS: &[&str] = &[
    "huggingface.co",
    "json-schema.org",
    "github.com/ggml-org",
    "w3.org",
];

/// Words in a test for what a message says that belong to models' own protocols.
const PROTOCOL: &[&str] = &[
    "think",
    "no_think",
    "tool",
    "tool_call",
    "tool_calls",
    "tool_response",
    "system",
    "user",
    "assistant",
    "image",
    "image_url",
    "video",
    "audio",
    "text",
    "function",
    "thinking",
    "reasoning",
    "content",
    "json",
    "python",
    "code_interpreter",
    "documents",
    "plugin",
    "final",
    "analysis",
    "commentary",
    "thought",
    "answer",
    "reasoning_content",
    "observation",
    "ipython",
    "builtin",
    "s",
    "inst",
    "custom_instructions",
    "system_override",
    "start_header_id",
    "begin_of_text",
];

/// Why a template looks as if it slipped instructions in; `None` when it does not.
pub(super) fn hidden(jinja: &Jinja) -> Option<&'static str> {
    let mut written: Vec<&str> = jinja.texts.iter().map(String::as_str).collect();
    for block in &jinja.blocks {
        written.extend(block.tokens.iter().filter_map(|token| match token {
            JinjaToken::Text(text) => Some(text.as_str()),
            _ => None,
        }));
    }
    let folded = folded(&written.join(" ")).replace(HONEST, "");
    if ORDERS.iter().any(|order| folded.contains(order)) {
        return Some("the template holds an order that an honest one does not give");
    }
    let address = folded.match_indices("://").any(|(at, _)| {
        let rest = folded.get(at + 3..).unwrap_or_default();
        !HOSTS
            .iter()
            .any(|host| rest.starts_with(host) || rest.starts_with(&format!("www.{host}")))
    });
    if address {
        return Some("the template holds an address in the network");
    }
    let hides = |text: &&str| text.chars().any(is_invisible);
    if written.iter().any(hides) {
        return Some("the template holds text that cannot be seen");
    }
    triggered(jinja)
}

/// Small letters, single spaces.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Characters without width, and those that turn the direction or carry hidden letters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{E0000}'..='\u{E007F}')
}

/// A test for words of a message, or for the day, whose branch writes a sentence.
fn triggered(jinja: &Jinja) -> Option<&'static str> {
    for (index, block) in jinja.blocks.iter().enumerate() {
        let Some(JinjaToken::Name(keyword)) = block.tokens.first() else {
            continue;
        };
        if !block.is_statement || !matches!(keyword.as_str(), "if" | "elif") {
            continue;
        }
        let on_words = asks_for_words(block);
        if !on_words && !asks_for_day(block) {
            continue;
        }
        let branch = jinja
            .blocks
            .iter()
            .skip(index + 1)
            .take_while(|next| !ends_branch(next));
        let writes = branch
            .flat_map(|next| &next.tokens)
            .any(|token| matches!(token, JinjaToken::Text(text) if is_sentence(text)));
        // Text outside expressions belongs to no block, so any sentence there counts.
        let outside = jinja.texts.iter().any(|text| is_sentence(text));
        if writes || outside {
            return Some(if on_words {
                "the template writes a sentence when a message holds certain words"
            } else {
                "the template writes a sentence on certain days"
            });
        }
    }
    None
}

fn ends_branch(block: &Block) -> bool {
    let first = block.tokens.first();
    block.is_statement
        && matches!(first, Some(JinjaToken::Name(name)) if matches!(name.as_str(), "else" | "elif" | "endif"))
}

fn names(block: &Block) -> impl Iterator<Item = &str> {
    block.tokens.iter().filter_map(|token| match token {
        JinjaToken::Name(name) => Some(name.as_str()),
        _ => None,
    })
}

/// `'some words' in message['content']`, and its like.
fn asks_for_words(block: &Block) -> bool {
    let text_of_message = block.tokens.iter().any(|token| match token {
        JinjaToken::Name(text) | JinjaToken::Text(text) => {
            text.contains("content") || text.contains("msg") || text.contains("prompt")
        }
        _ => false,
    });
    let tests = names(block).any(|name| {
        matches!(
            name,
            "in" | "startswith" | "endswith" | "find" | "count" | "search" | "match" | "index"
        )
    });
    let word = |text: &str| {
        let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
        !bare.is_empty()
            && bare.chars().any(char::is_alphabetic)
            && !text.contains(['<', '>', '[', ']', '{', '|'])
            && !text.trim().starts_with('/')
            && !PROTOCOL.contains(&bare.to_lowercase().as_str())
    };
    let asks = block.tokens.iter().enumerate().any(|(index, token)| {
        let JinjaToken::Text(text) = token else {
            return false;
        };
        let sign = |index: Option<usize>, sign: char| {
            index.and_then(|index| block.tokens.get(index)) == Some(&JinjaToken::Sign(sign))
        };
        // A key is no word that is asked for.
        let is_key = sign(index.checked_sub(1), '[') && sign(Some(index + 1), ']');
        // Nor is one that asks whether an object has a key: `'x' in message`.
        let in_object = matches!(
            (block.tokens.get(index + 1), block.tokens.get(index + 2), block.tokens.get(index + 3)),
            (Some(JinjaToken::Name(word)), Some(JinjaToken::Name(_)), next)
                if word == "in" && !matches!(next, Some(JinjaToken::Sign('.' | '[' | '|')))
        ) && !names(block).any(|name| name == "content");
        word(text) && !is_key && !in_object
    });
    text_of_message && tests && asks
}

fn asks_for_day(block: &Block) -> bool {
    names(block).any(|name| matches!(name, "strftime_now" | "now" | "date_string"))
        && block
            .tokens
            .iter()
            .any(|token| matches!(token, JinjaToken::Sign('<' | '>')))
}

/// Whether a text is more than marks and labels: five words or more.
fn is_sentence(text: &str) -> bool {
    let words = text
        .split_whitespace()
        .filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
    words.count() >= 5
}
