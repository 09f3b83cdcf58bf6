use std::fmt;

use bartizan_guard::conversation::{ConversationError, Document, ParseLimits, Value};
use serde_json::{Map, Value as Json, json};

/// A message of JSON-RPC 2.0, read strictly.
#[derive(Clone, Debug)]
pub(crate) struct Message<'d, 'a> {
    /// What it is.
    pub(crate) role: Role,
    /// Its method; empty for an answer.
    pub(crate) method: &'d str,
    /// The whole.
    pub(crate) root: Value<'d, 'a>,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asks for an answer under that id.
    Request(Id),
    /// Asks for none.
    Notification,
    /// Answers the request of that id; `None` where nobody knows which.
    Answer(Option<Id>),
}

/// The name of a request, which its answer bears (JSON-RPC 2.0, section 4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// Bytes of an id at most.
const MAX_ID: usize = 256;
/// Whole numbers that every reader of JSON reads alike (RFC 8259, section 6).
const MAX_WHOLE: f64 = 9_007_199_254_740_991.0;

impl Id {
    pub(crate) fn read(value: Value<'_, '_>) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return (text.len() <= MAX_ID).then(|| Self::Text(text.to_owned()));
        }
        let number = value.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and below 2^53, as is checked before"
        )]
        (number.fract() == 0.0 && number.abs() <= MAX_WHOLE).then_some(Self::Number(number as i64))
    }

    /// The same as a value.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
        }
    }
}

impl fmt::Display for Id {
    /// As it stands in JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

/// Why bytes are no message; says nothing of what they hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// No JSON, or JSON that parsers read differently.
    #[error("the message is not JSON that every reader reads alike: {0}")]
    Json(#[from] ConversationError),
    /// Several messages in a list. Revision 2025-03-26 alone has them.
    #[error("several messages in one are not taken; send them one by one")]
    Batch,
    /// No message of JSON-RPC 2.0.
    #[error("the message is not one of JSON-RPC 2.0: {0}")]
    Shape(&'static str),
    /// Longer than allowed.
    #[error("the message is longer than {0} bytes")]
    TooLong(usize),
}

impl Malformed {
    /// The code of the error (JSON-RPC 2.0, section 5.1).
    #[must_use]
    pub const fn code(&self) -> i64 {
        match self {
            Self::Json(_) => -32700,
            _ => -32600,
        }
    }

    /// The answer that says so.
    #[must_use]
    pub fn answer(&self) -> Outgoing {
        Outgoing::error(None, self.code(), &self.to_string())
    }
}

/// Reads the JSON of a message of at most `max_bytes` bytes.
pub(crate) fn read(bytes: &[u8], max_bytes: usize) -> Result<Document<'_>, Malformed> {
    if bytes.len() > max_bytes {
        return Err(Malformed::TooLong(max_bytes));
    }
    Ok(Document::read(bytes, &ParseLimits::default())?)
}

impl<'d, 'a> Message<'d, 'a> {
    /// The message that `document` holds.
    pub(crate) fn of(document: &'d Document<'a>) -> Result<Self, Malformed> {
        let root = document.root();
        if root.is_list() {
            return Err(Malformed::Batch);
        }
        if root.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(Malformed::Shape("`jsonrpc` is not \"2.0\""));
        }
        let id = match root.get("id") {
            None => None,
            Some(value) if value.is_null() => Some(None),
            Some(value) => {
                let message = "`id` is neither a whole number nor a text of at most 256 bytes";
                Some(Some(Id::read(value).ok_or(Malformed::Shape(message))?))
            }
        };
        let answers = root.get("result").is_some() || root.get("error").is_some();
        let Some(method) = root.get("method") else {
            if root.get("result").is_some() == root.get("error").is_some() {
                return Err(Malformed::Shape(
                    "it has neither a method nor one result or error",
                ));
            }
            return Ok(Self {
                role: Role::Answer(id.flatten()),
                method: "",
                root,
            });
        };
        let method = method.as_str().filter(|_| !answers);
        let method = method.ok_or(Malformed::Shape(
            "`method` is no text, or stands in an answer",
        ))?;
        if root.get("params").is_some_and(|params| !params.is_object()) {
            return Err(Malformed::Shape("`params` is no object"));
        }
        let role = match id {
            None => Role::Notification,
            Some(Some(id)) => Role::Request(id),
            Some(None) => return Err(Malformed::Shape("a request's `id` is null")),
        };
        Ok(Self { role, method, root })
    }

    /// The member `name` of its parameters.
    pub(crate) fn param(&self, name: &str) -> Option<Value<'d, 'a>> {
        self.root.get("params")?.get(name)
    }
}

/// A message to be sent. Prints what it is, never what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What it is.
    pub role: Role,
    /// Its JSON, without a line break.
    pub bytes: Vec<u8>,
}

impl Outgoing {
    /// The id of the request or answer that `bytes` hold; `None` where they hold no id, or no message.
    #[must_use]
    pub fn id_of(bytes: &[u8]) -> Option<Id> {
        let document = Document::read(bytes, &ParseLimits::default()).ok()?;
        Id::read(document.root().get("id")?)
    }

    /// The refusal of a message that nobody can be named for.
    #[must_use]
    pub fn refused(message: &str) -> Self {
        Self::error(None, -32600, message)
    }

    /// Bytes as they came, on one line.
    pub(crate) fn forwarded(role: Role, bytes: &[u8]) -> Self {
        // Between the values of strict JSON only: strings hold no bare line break.
        let one_line = |byte: &u8| match byte {
            b'\n' | b'\r' => b' ',
            other => *other,
        };
        Self {
            role,
            bytes: bytes.iter().map(one_line).collect(),
        }
    }

    /// An error.
    pub(crate) fn error(id: Option<&Id>, code: i64, message: &str) -> Self {
        let body = json!({
            "jsonrpc": "2.0",
            "id": id.map(Id::to_json),
            "error": { "code": code, "message": message },
        });
        Self::of(Role::Answer(id.cloned()), &body)
    }

    /// An answer.
    pub(crate) fn result(id: &Id, result: &Json) -> Self {
        let body = json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": result });
        Self::of(Role::Answer(Some(id.clone())), &body)
    }

    /// A request.
    pub(crate) fn request(id: &Id, method: &str, params: &Map<String, Json>) -> Self {
        let body =
            json!({ "jsonrpc": "2.0", "id": id.to_json(), "method": method, "params": params });
        Self::of(Role::Request(id.clone()), &body)
    }

    /// A notification.
    pub(crate) fn notification(method: &str, params: &Json) -> Self {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        Self::of(Role::Notification, &body)
    }

    fn of(role: Role, body: &Json) -> Self {
        Self {
            role,
            bytes: body.to_string().into_bytes(),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("role", &self.role)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(text: &str) -> Result<Role, Malformed> {
        let document = read(text.as_bytes(), 1_000)?;
        Message::of(&document).map(|message| message.role)
    }

    #[test]
    fn messages_are_what_the_protocol_says() {
        let asked = |id| Ok(Role::Request(id));
        assert_eq!(
            role(r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#),
            asked(Id::Number(1))
        );
        assert_eq!(
            role(r#"{"jsonrpc":"2.0","id":"1","method":"a"}"#),
            asked(Id::Text("1".into()))
        );
        assert_eq!(
            role(r#"{"jsonrpc":"2.0","method":"a"}"#),
            Ok(Role::Notification)
        );
        assert_eq!(
            role(r#"{"jsonrpc":"2.0","id":-7,"result":{}}"#),
            Ok(Role::Answer(Some(Id::Number(-7))))
        );
        assert_eq!(
            role(r#"{"jsonrpc":"2.0","id":null,"error":{}}"#),
            Ok(Role::Answer(None))
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        for (text, code) in [
            ("nonsense", -32700),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#, -32700),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#, -32600),
            ("[]", -32600),
            (r#"{"id":1,"method":"a"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, -32600),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
                -32600,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#,
                -32600,
            ),
        ] {
            let error = role(text).unwrap_err();
            assert_eq!(error.code(), code, "{text}: {error}");
        }
        assert_eq!(
            read(&[b' '; 1_001], 1_000).unwrap_err(),
            Malformed::TooLong(1_000)
        );
    }
}
