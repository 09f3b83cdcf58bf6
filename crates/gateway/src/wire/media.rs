use bartizan_guard::conversation::{Conversation, PartKind};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::fault::{Fault, FaultKind};

/// Content of a request that cannot be read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What it is.
    pub kind: UnreadKind,
    /// Where it stands.
    pub path: String,
}

/// A kind of content that cannot be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnreadKind {
    /// What a picture shows. Its metadata and its address are read.
    Picture,
    /// What a sound says.
    Sound,
    /// A file that is no plain text, or that the upstream fetches or has.
    File,
}

/// What to do with content that cannot be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MediaConfig {
    /// Let pictures pass though what they show is not read; their metadata is. `true` by default.
    pub pictures: bool,
    /// Let sounds pass. `false` by default.
    pub sounds: bool,
    /// Let files pass that are no plain text, or that stand elsewhere. `false` by default.
    pub files: bool,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            pictures: true,
            sounds: false,
            files: false,
        }
    }
}

impl MediaConfig {
    /// Whether all of `unread` may pass.
    ///
    /// # Errors
    /// A fault that names the first that may not.
    pub fn check(&self, unread: &[Unread]) -> Result<(), Fault> {
        let refused = unread.iter().find(|unread| match unread.kind {
            UnreadKind::Picture => !self.pictures,
            UnreadKind::Sound => !self.sounds,
            UnreadKind::File => !self.files,
        });
        let Some(Unread { kind, path }) = refused else {
            return Ok(());
        };
        let kind = match kind {
            UnreadKind::Picture => "a picture",
            UnreadKind::Sound => "a sound",
            UnreadKind::File => "a file",
        };
        Err(Fault::new(
            FaultKind::BadRequest,
            "content_not_readable",
            format!("`{path}` is {kind}, which cannot be looked at here; send its text"),
        )
        .about(path.clone()))
    }
}

/// What `conversation` carries that was not read.
pub(super) fn unread(conversation: &Conversation) -> Vec<Unread> {
    let parts = &conversation.parts;
    let mut found = Vec::new();
    for (number, marker) in parts.iter().enumerate() {
        let kind = match marker.kind {
            PartKind::Image => UnreadKind::Picture,
            PartKind::Audio => UnreadKind::Sound,
            PartKind::File | PartKind::Document => UnreadKind::File,
            _ => continue,
        };
        // A block announces itself by an empty part at its own path.
        if !marker.text.is_empty() || marker.nesting() > 0 {
            continue;
        }
        let inside = parts
            .iter()
            .skip(number + 1)
            .take_while(|part| part.path.starts_with(&marker.path));
        let mut text = false;
        let mut elsewhere = false;
        for part in inside {
            let last = part.path.rsplit('.').next().unwrap_or_default();
            match part.kind {
                PartKind::Metadata => text = true,
                _ if matches!(last, "url" | "file_url" | "file_id" | "image_url") => {
                    elsewhere = true;
                }
                _ if last == "text" || last.starts_with("data") || last.starts_with("content") => {
                    text = true;
                }
                _ => {}
            }
        }
        if kind != UnreadKind::File || elsewhere || !text {
            found.push(Unread {
                kind,
                path: marker.path.clone(),
            });
        }
    }
    found
}
