use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::VerifyError;

/// The only type of in-toto statements of version 1.
pub(super) const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// An in-toto statement: something about things that are named by their digests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// What is said.
    #[serde(default)]
    pub predicate: Value,
    /// The kind of what is said, an address.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What it is said about.
    pub subject: Vec<Subject>,
}

/// Something that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its digests by the names of their algorithms.
    pub digest: std::collections::BTreeMap<String, String>,
    /// What it is called.
    #[serde(default)]
    pub name: String,
}

impl Statement {
    /// A statement that `predicate` holds for `subject`.
    #[must_use]
    pub fn new(subject: Vec<Subject>, predicate_type: impl Into<String>, predicate: Value) -> Self {
        Self {
            kind: STATEMENT.to_owned(),
            predicate,
            predicate_type: predicate_type.into(),
            subject,
        }
    }

    /// Reads the payload of an envelope.
    ///
    /// # Errors
    /// When it is no statement of version 1.
    pub fn parse(payload: &[u8]) -> Result<Self, VerifyError> {
        let statement: Self = serde_json::from_slice(payload)
            .map_err(|_| VerifyError::Statement("it is no in-toto statement"))?;
        if statement.kind != STATEMENT {
            return Err(VerifyError::Statement("it is of another version"));
        }
        Ok(statement)
    }

    /// The statement as JSON with sorted names, the same for the same statement.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        value.sort_all_objects();
        value.to_string().into_bytes()
    }
}

impl Subject {
    /// Something named by its SHA-256.
    #[must_use]
    pub fn sha256(name: impl Into<String>, digest: impl Into<String>) -> Self {
        Self {
            digest: [("sha256".to_owned(), digest.into())].into(),
            name: name.into(),
        }
    }
}
