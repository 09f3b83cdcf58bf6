use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the definitions of servers were when somebody looked at them: a digest each.
///
/// Holds no text of a server: what is poisoned must not stand in a file that agents read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    servers: BTreeMap<String, Of>,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    servers: BTreeMap<String, Of>,
}

/// The definitions of one server, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Of {
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tools: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    prompts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    templates: BTreeMap<String, String>,
}

/// The version of the file's form.
const VERSION: u32 = 1;

/// What is pinned. Resources come and go, so that they are looked at and not pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PinKind {
    /// What a server says about itself; has no name.
    Instructions,
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
    /// A template of resources, by its address.
    Template,
}

/// How a definition stands to its pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// It is the one that was pinned.
    Same,
    /// Another was pinned.
    Changed,
    /// None was pinned.
    New,
}

/// Why a file of pins is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// Not the form that is written.
    #[error(
        "the file of pins cannot be read at line {line}, column {column}; write it with `bartizan mcp pin`"
    )]
    Form {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A form of another time.
    #[error("the file of pins has version {0}, this program knows version {VERSION}")]
    Version(u32),
}

impl Pins {
    /// Reads a file of pins.
    ///
    /// # Errors
    /// When it is not of the form that [`Pins::render`] writes.
    pub fn read(text: &str) -> Result<Self, PinError> {
        let file: File = serde_json::from_str(text).map_err(|error| PinError::Form {
            line: error.line(),
            column: error.column(),
        })?;
        if file.version != VERSION {
            return Err(PinError::Version(file.version));
        }
        Ok(Self {
            servers: file.servers,
        })
    }

    /// The file, one definition on each line in order, for a history to show what changed.
    #[must_use]
    pub fn render(&self) -> String {
        let file = File {
            version: VERSION,
            servers: self.servers.clone(),
        };
        // Maps of texts are always written.
        let text = serde_json::to_string_pretty(&file).unwrap_or_default();
        format!("{text}\n")
    }

    /// How a definition with that digest stands to its pin.
    #[must_use]
    pub fn compare(&self, server: &str, kind: PinKind, name: &str, digest: &str) -> Pinned {
        let of = self.servers.get(server);
        let pin = of.and_then(|of| match of.table(kind) {
            Some(table) => table.get(name),
            None => of.instructions.as_ref(),
        });
        match pin {
            Some(pin) if pin == digest => Pinned::Same,
            Some(_) => Pinned::Changed,
            None => Pinned::New,
        }
    }

    /// Pins a definition, or pins it anew.
    pub fn pin(&mut self, server: &str, kind: PinKind, name: &str, digest: &str) {
        let of = self.servers.entry(server.to_owned()).or_default();
        let table = match kind {
            PinKind::Instructions => {
                of.instructions = Some(digest.to_owned());
                return;
            }
            PinKind::Tool => &mut of.tools,
            PinKind::Prompt => &mut of.prompts,
            PinKind::Template => &mut of.templates,
        };
        table.insert(name.to_owned(), digest.to_owned());
    }

    /// Forgets everything of a server.
    pub fn forget(&mut self, server: &str) {
        self.servers.remove(server);
    }

    /// Takes what `other` says of one server, and leaves the rest as it is.
    pub fn adopt(&mut self, server: &str, other: &Self) {
        match other.servers.get(server) {
            Some(of) => drop(self.servers.insert(server.to_owned(), of.clone())),
            None => self.forget(server),
        }
    }

    /// Definitions of a server that are pinned.
    #[must_use]
    pub fn count(&self, server: &str) -> usize {
        self.servers.get(server).map_or(0, |of| {
            of.tools.len()
                + of.prompts.len()
                + of.templates.len()
                + usize::from(of.instructions.is_some())
        })
    }

    /// The pinned tools of all servers but one: the server, and the tool.
    pub(crate) fn tools_beside(&self, server: &str) -> impl Iterator<Item = (&str, &str)> {
        self.servers
            .iter()
            .filter(move |(other, _)| other.as_str() != server)
            .flat_map(|(other, of)| of.tools.keys().map(|tool| (other.as_str(), tool.as_str())))
    }
}

impl Of {
    const fn table(&self, kind: PinKind) -> Option<&BTreeMap<String, String>> {
        match kind {
            PinKind::Instructions => None,
            PinKind::Tool => Some(&self.tools),
            PinKind::Prompt => Some(&self.prompts),
            PinKind::Template => Some(&self.templates),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut pins = Pins::default();
        pins.pin("files", PinKind::Tool, "read", "aa");
        pins.pin("files", PinKind::Instructions, "", "bb");
        pins.pin("web", PinKind::Template, "x:{y}", "cc");
        let read = Pins::read(&pins.render()).unwrap();
        assert_eq!(read, pins);
        let compare = |kind, name, digest| read.compare("files", kind, name, digest);
        assert_eq!(compare(PinKind::Tool, "read", "aa"), Pinned::Same);
        assert_eq!(compare(PinKind::Tool, "read", "ab"), Pinned::Changed);
        assert_eq!(compare(PinKind::Prompt, "read", "aa"), Pinned::New);
        assert_eq!(compare(PinKind::Instructions, "", "bb"), Pinned::Same);
        let mut elsewhere = Pins::default();
        elsewhere.pin("web", PinKind::Tool, "get", "dd");
        elsewhere.adopt("files", &read);
        assert_eq!((elsewhere.count("files"), elsewhere.count("web")), (2, 1));
        assert_eq!(
            read.tools_beside("web").collect::<Vec<_>>(),
            [("files", "read")]
        );
    }

    #[test]
    fn what_is_no_file_of_pins_is_none() {
        for text in ["", "{}", r#"{"version":1,"servers":{"a":{"tool":{}}}}"#] {
            assert!(
                matches!(Pins::read(text), Err(PinError::Form { .. })),
                "{text}"
            );
        }
        let later = Pins::read(r#"{"version":2,"servers":{}}"#);
        assert!(matches!(later, Err(PinError::Version(2))));
    }
}
