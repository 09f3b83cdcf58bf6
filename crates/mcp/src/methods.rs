//! Every message of the protocol, and what is done with it.

/// Revisions that are known, oldest first. A server that speaks another is refused.
pub const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client: the agent.
    Client,
    /// The server: the tools.
    Server,
}

/// What is done with a message. Whatever it is, all texts in it are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handling {
    /// Passed on once its texts were looked at; so is the answer.
    Look,
    /// Begins a session, or tells what a server can do: the revision must be known, the server's
    /// instructions are pinned, and the client's abilities that are not open to servers are left out.
    Hello,
    /// A list of definitions: each is looked at, compared with its pin, and left out if it fails.
    List,
    /// A call of a tool: governed, and its result labelled.
    Call,
    /// Content of resources or prompts: looked at as a tool's result.
    Content,
    /// A question to the client's model: off unless allowed, counted, and both ways looked at.
    Sample,
    /// A question to a person: declined unless allowed, and never for secrets.
    Elicit,
    /// Answered here, from the configuration.
    Roots,
    /// Passed on, and all tools are listed and compared again.
    Changed,
}

/// One kind of message.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Who sends it.
    pub from: Side,
    /// Whether it asks for an answer.
    pub is_request: bool,
    /// What is done with it.
    pub handling: Handling,
}

const fn asks(from: Side, name: &'static str, handling: Handling) -> Method {
    Method {
        name,
        from,
        is_request: true,
        handling,
    }
}

const fn tells(from: Side, name: &'static str, handling: Handling) -> Method {
    Method {
        name,
        from,
        is_request: false,
        handling,
    }
}

/// Every method of [`REVISIONS`] (`ClientRequest`, `ClientNotification`, `ServerRequest`, and
/// `ServerNotification` of their schemas), tasks of 2025-11-25 and their extension of 2026-07-28
/// included. What is missing here is refused, or passed on by choice.
#[rustfmt::skip]
pub const METHODS: &[Method] = &[
    asks(Side::Client, "initialize", Handling::Hello),
    asks(Side::Client, "server/discover", Handling::Hello),
    asks(Side::Client, "ping", Handling::Look),
    asks(Side::Client, "tools/list", Handling::List),
    asks(Side::Client, "tools/call", Handling::Call),
    asks(Side::Client, "prompts/list", Handling::List),
    asks(Side::Client, "prompts/get", Handling::Content),
    asks(Side::Client, "resources/list", Handling::List),
    asks(Side::Client, "resources/templates/list", Handling::List),
    asks(Side::Client, "resources/read", Handling::Content),
    asks(Side::Client, "resources/subscribe", Handling::Look),
    asks(Side::Client, "resources/unsubscribe", Handling::Look),
    asks(Side::Client, "subscriptions/listen", Handling::Look),
    asks(Side::Client, "completion/complete", Handling::Look),
    asks(Side::Client, "logging/setLevel", Handling::Look),
    asks(Side::Client, "tasks/get", Handling::Content),
    asks(Side::Client, "tasks/result", Handling::Content),
    asks(Side::Client, "tasks/list", Handling::Look),
    asks(Side::Client, "tasks/cancel", Handling::Look),
    asks(Side::Client, "tasks/update", Handling::Look),
    tells(Side::Client, "notifications/initialized", Handling::Look),
    tells(Side::Client, "notifications/cancelled", Handling::Look),
    tells(Side::Client, "notifications/progress", Handling::Look),
    tells(Side::Client, "notifications/roots/list_changed", Handling::Look),
    tells(Side::Client, "notifications/tasks/status", Handling::Look),
    asks(Side::Server, "ping", Handling::Look),
    asks(Side::Server, "sampling/createMessage", Handling::Sample),
    asks(Side::Server, "elicitation/create", Handling::Elicit),
    asks(Side::Server, "roots/list", Handling::Roots),
    tells(Side::Server, "notifications/cancelled", Handling::Look),
    tells(Side::Server, "notifications/progress", Handling::Look),
    tells(Side::Server, "notifications/message", Handling::Look),
    tells(Side::Server, "notifications/tools/list_changed", Handling::Changed),
    tells(Side::Server, "notifications/prompts/list_changed", Handling::Look),
    tells(Side::Server, "notifications/resources/list_changed", Handling::Look),
    tells(Side::Server, "notifications/resources/updated", Handling::Look),
    tells(Side::Server, "notifications/elicitation/complete", Handling::Look),
    tells(Side::Server, "notifications/subscriptions/acknowledged", Handling::Look),
    tells(Side::Server, "notifications/tasks/status", Handling::Look),
];

/// What is done with a message of `from`; `None` if no revision has it.
pub(crate) fn known(from: Side, name: &str, is_request: bool) -> Option<&'static Method> {
    METHODS
        .iter()
        .find(|m| m.from == from && m.is_request == is_request && m.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_once_and_for_what_its_name_says() {
        for (number, method) in METHODS.iter().enumerate() {
            let found = METHODS.iter().position(|other| {
                (other.from, other.is_request, other.name)
                    == (method.from, method.is_request, method.name)
            });
            assert_eq!(found, Some(number), "{}", method.name);
            let tells = method.name.starts_with("notifications/");
            assert_eq!(method.is_request, !tells, "{}", method.name);
        }
    }
}
