//! What the names of tools and arguments say: the tables behind everything that a configuration
//! leaves out.

use crate::{ArgumentKind, Audience, Risk};

/// What a tool does, by the words of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class {
    /// Words of names, whole.
    words: &'static [&'static str],
    pub(crate) risk: Risk,
    pub(crate) audience: Audience,
    /// Beginnings of words that ask for it.
    pub(crate) intents: &'static [&'static str],
}

/// The classes, the most dangerous first: `run_search` runs, `create_payment` pays.
#[rustfmt::skip]
const CLASSES: &[Class] = &[
    Class { words: &["pay", "payment", "transfer", "transaction", "purchase", "buy", "order", "refund", "withdraw", "money", "checkout", "trade"], risk: Risk::Critical, audience: Audience::Named,
        intents: &["pay", "transfer", "send", "wire", "buy", "purchas", "order", "refund", "withdraw", "settle", "trade", "donat", "remit"] },
    Class { words: &["exec", "execute", "run", "shell", "bash", "eval", "command", "terminal", "sql", "deploy", "install"], risk: Risk::Critical, audience: Audience::User,
        intents: &["run", "execut", "command", "shell", "script", "sql", "query", "deploy", "install", "test", "build", "compile", "start", "count", "how many"] },
    Class { words: &["password", "permission", "permissions", "grant", "revoke", "role", "admin", "webhook", "credential", "credentials", "secret", "secrets", "token", "key"], risk: Risk::Critical, audience: Audience::Named,
        intents: &["password", "permission", "grant", "revoke", "role", "admin", "access", "webhook", "credential", "secret", "token", "key"] },
    Class { words: &["delete", "remove", "cancel", "drop", "purge", "erase", "wipe", "unsubscribe", "clear"], risk: Risk::High, audience: Audience::User,
        intents: &["delet", "remov", "cancel", "drop", "purge", "eras", "wipe", "unsubscrib", "clear", "clean", "get rid"] },
    Class { words: &["comment"], risk: Risk::High, audience: Audience::Public,
        intents: &["comment", "repl", "respond", "answer"] },
    Class { words: &["post", "publish", "tweet", "gist", "paste", "release"], risk: Risk::High, audience: Audience::Public,
        intents: &["post", "publish", "tweet", "gist", "paste", "releas", "announc", "share"] },
    Class { words: &["send", "email", "mail", "message", "reply", "forward", "invite", "share", "notify", "sms", "upload", "call"], risk: Risk::High, audience: Audience::Named,
        intents: &["send", "email", "e-mail", "mail", "messag", "repl", "respond", "answer", "forward", "invit", "share", "notify", "tell", "inform", "write to", "text", "upload", "let ", "ask", "remind", "call"] },
    Class { words: &["create", "add", "update", "edit", "append", "write", "save", "set", "put", "book", "reserve", "schedule", "reschedule", "rename", "move", "copy", "modify", "change", "insert", "commit", "merge", "push", "upsert"], risk: Risk::Medium, audience: Audience::User,
        intents: &["creat", "add", "updat", "edit", "append", "writ", "sav", "set", "put", "book", "reserv", "schedul", "renam", "mov", "copy", "modif", "chang", "insert", "commit", "merg", "push", "make", "fix", "replac", "note", "store", "record", "plan", "prepare", "draft", "mark", "shift", "extend", "block", "arrange", "organi"] },
    Class { words: &["fetch", "browse", "open", "http", "visit", "request", "download", "crawl", "webpage", "url"], risk: Risk::Low, audience: Audience::Public, intents: &[] },
    Class { words: &["get", "list", "search", "read", "find", "check", "view", "show", "lookup", "describe", "count", "query", "calculate", "convert", "compute", "summarize", "help"], risk: Risk::Low, audience: Audience::User, intents: &[] },
];

/// A tool whose name says nothing may do anything.
const NAMELESS: Class = Class {
    words: &[],
    risk: Risk::High,
    audience: Audience::Named,
    intents: &[],
};

/// What the tool `name` does.
pub(crate) fn of_tool(name: &str) -> Class {
    let all = words(name);
    // What comes first says what is done: `get_order` reads, and so does `shop.get_order`, where a
    // server stands in front. What pays, runs, or grants does so wherever it is said, unless the
    // tool only reads.
    let own = name.split_once('.').map_or(name, |(_, own)| own);
    let reads = words(own).first().is_some_and(|first| {
        CLASSES
            .iter()
            .rev()
            .take(1)
            .any(|c| c.words.contains(&&**first))
    });
    let class = if reads {
        CLASSES.last()
    } else {
        CLASSES
            .iter()
            .find(|class| all.iter().any(|word| class.words.contains(&&**word)))
    };
    class.copied().unwrap_or(NAMELESS)
}

/// Kinds of arguments by the words of their names, the most telling first.
#[rustfmt::skip]
const KINDS: &[(ArgumentKind, &[&str])] = &[
    (ArgumentKind::Credential, &["password", "secret", "token", "apikey", "credential", "credentials"]),
    (ArgumentKind::Url, &["url", "uri", "link", "endpoint", "webhook", "href", "website", "host", "domain"]),
    (ArgumentKind::Sql, &["sql"]),
    (ArgumentKind::Command, &["command", "cmd", "script", "code", "shell", "argv", "expression"]),
    (ArgumentKind::Content, &["subject", "body", "content", "contents", "message", "text", "description", "comment", "note", "notes", "title", "summary", "caption"]),
    (ArgumentKind::Recipient, &["to", "cc", "bcc", "recipient", "recipients", "email", "emails", "address", "addresses", "iban", "account", "payee", "beneficiary", "participant", "participants", "attendee", "attendees", "channel", "user", "username", "phone", "member", "assignee", "destination"]),
    (ArgumentKind::Path, &["path", "paths", "file", "files", "filename", "folder", "directory", "dir", "attachment", "attachments"]),
    (ArgumentKind::Amount, &["amount", "price", "sum", "total", "quantity", "budget"]),
    (ArgumentKind::Identifier, &["id", "ids", "uuid", "key", "name", "ref", "repository", "repo", "branch", "table", "database", "bucket"]),
];

/// What the argument `name` chooses.
pub(crate) fn of_argument(name: &str) -> ArgumentKind {
    let words = words(name);
    // Members of lists and of objects have the name of the whole in front.
    let found = |word: &str| {
        KINDS
            .iter()
            .find_map(|(kind, names)| names.contains(&word).then_some(*kind))
    };
    // The last word is the noun: `file_id` is an id.
    words
        .iter()
        .rev()
        .find_map(|word| found(word))
        .unwrap_or(ArgumentKind::Other)
}

/// The words of a name in any of the usual spellings, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts = c.is_uppercase() && was_lower;
        was_lower = c.is_lowercase();
        if !c.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ag_02_names_of_tools_say_how_dangerous_they_are() {
        for (name, risk) in [
            ("get_order", Risk::Low),
            ("readFile", Risk::Low),
            ("create_calendar_event", Risk::Medium),
            ("send_email", Risk::High),
            ("delete_file", Risk::High),
            ("send_money", Risk::Critical),
            ("create_payment", Risk::Critical),
            ("run_shell", Risk::Critical),
            ("update_password", Risk::Critical),
            ("frobnicate", Risk::High),
            ("shop.get_order", Risk::Low),
            ("shop.create_order", Risk::Critical),
        ] {
            assert_eq!(of_tool(name).risk, risk, "{name}");
        }
    }

    #[test]
    fn names_of_arguments_say_what_they_choose() {
        for (name, kind) in [
            ("to", ArgumentKind::Recipient),
            ("recipientEmail", ArgumentKind::Recipient),
            ("file_id", ArgumentKind::Identifier),
            ("file_path", ArgumentKind::Path),
            ("attachments[0]", ArgumentKind::Path),
            ("webhook_url", ArgumentKind::Url),
            ("amount", ArgumentKind::Amount),
            ("body", ArgumentKind::Content),
            ("new_password", ArgumentKind::Credential),
            ("colour", ArgumentKind::Other),
        ] {
            assert_eq!(of_argument(name), kind, "{name}");
        }
    }
}
