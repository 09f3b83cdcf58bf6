use std::fmt;

use serde::Deserialize;

/// A chunk of a document, as it is stored and retrieved.
///
/// Prints its id and length, never its text.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chunk {
    /// Its id in the store.
    pub id: String,
    /// What it says.
    pub text: String,
    /// The document that it is a part of; chunks of one document stand in order.
    pub document: String,
    /// The address that the document was fetched from, as the fetcher knows it.
    pub source: Option<String>,
    /// Whose it is.
    pub tenant: Option<String>,
    /// The day of the document, `YYYY-MM-DD`, with or without a time after it.
    pub date: Option<String>,
    /// Its embedding.
    pub vector: Option<Vec<f32>>,
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("id", &self.id)
            .field("document", &self.document)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}
