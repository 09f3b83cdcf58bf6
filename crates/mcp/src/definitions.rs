//! What servers say of themselves: each definition is looked at and compared with its pin.

use std::collections::HashMap;

use bartizan_agents::definition_digest;
use bartizan_core::{Confidence, Finding, Layer, Rule, Verdict};
use bartizan_guard::{
    Judgement,
    conversation::{ConversationError, Document, ParseLimits, Part, PartKind, Reading, Value},
};
use bartizan_text::fold::fold_str;

use crate::{
    PinKind, Pinned, Trust, edits,
    gate::{Gate, Sight},
    names::{Likeness, Mention, is_plain, likeness, mention},
    reading::Standing,
    rules,
};

/// A list of definitions of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    /// The method that asks for it.
    pub(crate) method: &'static str,
    /// The member that holds it.
    pub(crate) member: &'static str,
    /// The member of an item that names it.
    pub(crate) name: &'static str,
    /// How it is pinned, if it is.
    pub(crate) kind: Option<PinKind>,
}

/// Every list.
pub(crate) const LISTINGS: [Listing; 4] = [
    Listing {
        method: "tools/list",
        member: "tools",
        name: "name",
        kind: Some(PinKind::Tool),
    },
    Listing {
        method: "prompts/list",
        member: "prompts",
        name: "name",
        kind: Some(PinKind::Prompt),
    },
    Listing {
        method: "resources/list",
        member: "resources",
        name: "uri",
        kind: None,
    },
    Listing {
        method: "resources/templates/list",
        member: "resourceTemplates",
        name: "uriTemplate",
        kind: Some(PinKind::Template),
    },
];

/// A definition that was looked at.
#[derive(Debug)]
pub(crate) struct Looked {
    /// Its name; empty if it has none.
    pub(crate) name: String,
    /// What was decided.
    pub(crate) judgement: Judgement,
    /// Whether clients may see it.
    pub(crate) is_shown: bool,
    /// Whether it was pinned just now.
    pub(crate) is_new: bool,
}

impl Gate {
    /// Looks at every item of a list.
    pub(crate) fn definitions(
        &self,
        document: &Document<'_>,
        bytes: &[u8],
        list: Value<'_, '_>,
        listing: &Listing,
        sight: &Sight<'_>,
    ) -> Result<Vec<Looked>, ConversationError> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for name in list
            .items()
            .filter_map(|item| item.get(listing.name)?.as_str())
        {
            *counts.entry(name).or_default() += 1;
        }
        let items = list.items().enumerate().map(|(number, item)| {
            let place = format!("{}[{number}]", listing.member);
            let name = item
                .get(listing.name)
                .and_then(Value::as_str)
                .unwrap_or_default();
            let mut found = Vec::new();
            if counts.get(name).is_some_and(|count| *count > 1) {
                found.push(finding(
                    &rules::SAME_NAME,
                    1.0,
                    "two definitions of the server have this name",
                ));
            }
            self.definition(
                document,
                bytes,
                item,
                (&place, name),
                listing.kind,
                found,
                sight,
            )
        });
        items.collect()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a definition, where it stands, and what was seen of it before"
    )]
    fn definition(
        &self,
        document: &Document<'_>,
        bytes: &[u8],
        item: Value<'_, '_>,
        (place, name): (&str, &str),
        kind: Option<PinKind>,
        mut found: Vec<Finding>,
        sight: &Sight<'_>,
    ) -> Result<Looked, ConversationError> {
        let (whole, digest) = digests(bytes, item);
        let remembered = self.seen.lock().touch(&whole).cloned();
        let judged = match remembered {
            Some(judged) => judged,
            None => {
                let written = (Standing::DESCRIBED.origin, Standing::DESCRIBED.kind);
                let limits = ParseLimits::default();
                let mut parts =
                    document.parts(item, place, written, Reading::Definition, &limits)?;
                // What says nothing is looked at as nothing.
                parts.push(Part::new(
                    place,
                    sight.origin,
                    PartKind::Field,
                    String::new(),
                ));
                let (_, judged) = self.look(parts, sight);
                self.seen.lock().put(whole, judged.clone());
                judged
            }
        };
        if kind == Some(PinKind::Tool) {
            found.extend(self.about_name(name));
            found.extend(self.shadows(name, &edits::text(bytes, item.range())));
        }
        let (pinned, about_pin) = match kind {
            Some(kind) => self.about_pin(kind, name, &digest),
            None => (Pinned::Same, None),
        };
        found.extend(about_pin);
        let judgement = self.decide(judged, found, sight);
        let is_shown = judgement.decision.enforced() < Verdict::Ask;
        // What is poisoned is not pinned.
        let is_new = is_shown && pinned == Pinned::New && self.learn(kind, name, &digest);
        Ok(Looked {
            name: name.to_owned(),
            judgement,
            is_shown,
            is_new,
        })
    }

    /// Looks at what a server says about itself.
    pub(crate) fn instructions(
        &self,
        document: &Document<'_>,
        text: Value<'_, '_>,
        bytes: &[u8],
        sight: &Sight<'_>,
    ) -> Result<Looked, ConversationError> {
        let written = (Standing::DESCRIBED.origin, Standing::DESCRIBED.kind);
        let limits = ParseLimits::default();
        let parts = document.parts(
            text,
            "result.instructions",
            written,
            Reading::Values,
            &limits,
        )?;
        let (digest, _) = digests(bytes, text);
        let kind = PinKind::Instructions;
        let (pinned, found) = self.about_pin(kind, "", &digest);
        let mut found: Vec<Finding> = found.into_iter().collect();
        found.extend(self.shadows("", &edits::text(bytes, text.range())));
        let (_, judged) = self.look(parts, sight);
        let judgement = self.decide(judged, found, sight);
        let is_shown = judgement.decision.enforced() < Verdict::Ask;
        let is_new = is_shown && pinned == Pinned::New && self.learn(Some(kind), "", &digest);
        Ok(Looked {
            name: String::new(),
            judgement,
            is_shown,
            is_new,
        })
    }

    /// Pins what is clean and new, up to the bound.
    fn learn(&self, kind: Option<PinKind>, name: &str, digest: &str) -> bool {
        let Some(kind) = kind else { return false };
        let mut pins = self.pins.lock();
        let has_room = pins.count(&self.name) < self.config.limits.max_definitions;
        if has_room {
            pins.pin(&self.name, kind, name, digest);
        }
        has_room
    }

    fn about_pin(&self, kind: PinKind, name: &str, digest: &str) -> (Pinned, Option<Finding>) {
        let pins = self.pins.lock();
        let pinned = pins.compare(&self.name, kind, name, digest);
        let is_full = pins.count(&self.name) >= self.config.limits.max_definitions;
        let found = match (pinned, self.config.trust) {
            (Pinned::Same, _) => None,
            (Pinned::Changed, _) => Some(&rules::CHANGED),
            (Pinned::New, Trust::FirstUse) if !is_full => None,
            (Pinned::New, _) => Some(&rules::NOT_PINNED),
        };
        (pinned, found.map(|rule| finding(rule, 1.0, &rule.title)))
    }

    fn about_name(&self, name: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        if !is_plain(name) {
            found.push(finding(&rules::NAME, 0.5, &rules::NAME.title));
        }
        let pins = self.pins.lock();
        let likest = pins
            .tools_beside(&self.name)
            .filter_map(|(server, tool)| Some((likeness(name, tool)?, server)))
            .min_by_key(|(likeness, _)| match likeness {
                Likeness::LooksSame => 0,
                Likeness::Same => 1,
                Likeness::Near => 2,
            });
        found.extend(likest.map(|(likeness, server)| match likeness {
            Likeness::Same => {
                let message = format!("the server `{server}` has a tool of this name, too");
                finding(&rules::SAME_NAME, 0.3, &message)
            }
            Likeness::LooksSame => {
                let message = format!("it reads like a tool of the server `{server}`");
                finding(&rules::LOOK_ALIKE, 0.9, &message)
            }
            Likeness::Near => {
                let message = format!("one letter away from a tool of the server `{server}`");
                finding(&rules::LOOK_ALIKE, 0.3, &message)
            }
        }));
        found
    }

    /// Whether a definition speaks of tools of other servers.
    fn shadows(&self, name: &str, definition: &str) -> Option<Finding> {
        let pins = self.pins.lock();
        let mut others = pins
            .tools_beside(&self.name)
            .filter(|(_, tool)| *tool != name)
            .peekable();
        others.peek()?;
        // Escapes of JSON aside, the text as it stands: names have none.
        let text = fold_str(&definition.replace("\\n", "\n")).to_lowercase();
        let told = others.filter_map(|(server, tool)| Some((mention(&text, tool)?, server)));
        let (mention, server) = told.max_by_key(|(mention, _)| *mention)?;
        let (confidence, what) = match mention {
            Mention::Directed => (0.75, "says how a tool of the server"),
            Mention::Named => (0.3, "names a tool of the server"),
        };
        let message = match mention {
            Mention::Directed => format!("{what} `{server}` is to be used"),
            Mention::Named => format!("{what} `{server}`"),
        };
        Some(finding(&rules::SHADOWING, confidence, &message))
    }
}

/// The digests of a definition: of all of it, and of what is pinned, which is all but metadata.
fn digests(bytes: &[u8], item: Value<'_, '_>) -> (String, String) {
    let raw = bytes.get(item.range()).unwrap_or_default();
    // It was read before, by a stricter reader.
    let mut value: serde_json::Value = serde_json::from_slice(raw).unwrap_or_default();
    let whole = definition_digest(&value);
    let metadata = value
        .as_object_mut()
        .and_then(|members| members.remove("_meta"));
    let pinned = metadata.map_or_else(|| whole.clone(), |_| definition_digest(&value));
    (whole, pinned)
}

pub(crate) fn finding(rule: &'static Rule, confidence: f32, message: &str) -> Finding {
    Finding {
        rule: rule.into(),
        layer: Layer::Provenance,
        confidence: Confidence::clamped(confidence),
        span: None,
        via: Vec::new(),
        message: message.to_owned().into(),
    }
}
