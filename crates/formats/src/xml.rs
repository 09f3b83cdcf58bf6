use quick_xml::{Reader as XmlReader, events::Event};

use crate::ParseError;

/// How many elements one text may have.
const MAX_ELEMENTS: usize = 2_000_000;

/// What an XML text says: its document type and its elements. No entity is expanded.
#[derive(Debug, Default)]
pub struct Xml {
    /// Whether it declares an entity that is read from elsewhere.
    pub external_entity: bool,
    /// Whether it names a document type that is read from elsewhere.
    pub external_subset: bool,
    /// How many entities it declares.
    pub entities: usize,
    /// Whether one entity is made of others.
    pub nested_entity: bool,
    /// Elements in order: local name, attributes by local name.
    pub elements: Vec<Element>,
}

/// An element's start.
#[derive(Debug)]
pub struct Element {
    /// Its name without prefix.
    pub name: String,
    /// Its attributes, values as they stand.
    pub attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Xml {
    /// Reads `text`.
    ///
    /// # Errors
    /// When it is not well-formed or over a bound.
    pub fn read(text: &str) -> Result<Self, ParseError> {
        let mut reader = XmlReader::from_str(text);
        let mut xml = Self::default();
        loop {
            let at = reader.buffer_position();
            let event = reader
                .read_event()
                .map_err(|_| ParseError::malformed(at, "the XML is not well-formed"))?;
            match event {
                Event::Eof => return Ok(xml),
                Event::DocType(kind) => xml.document_type(&String::from_utf8_lossy(&kind)),
                Event::Start(start) | Event::Empty(start) => {
                    if xml.elements.len() >= MAX_ELEMENTS {
                        return Err(ParseError::Exhausted {
                            limit: "xml elements",
                            max: MAX_ELEMENTS as u64,
                        });
                    }
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    let attributes = start
                        .attributes()
                        .with_checks(false)
                        .flatten()
                        .map(|one| (text(one.key.local_name().as_ref()), text(&one.value)))
                        .collect();
                    xml.elements.push(Element {
                        name: text(start.local_name().as_ref()),
                        attributes,
                    });
                }
                _ => {}
            }
        }
    }

    /// Source: XML 1.0 (fifth edition), 2.8 and 4.2.
    fn document_type(&mut self, kind: &str) {
        let (head, subset) = kind.split_once('[').unwrap_or((kind, ""));
        let is_outside = |text: &str| {
            text.split_whitespace()
                .any(|word| matches!(word, "SYSTEM" | "PUBLIC"))
        };
        self.external_subset = is_outside(head);
        for entity in subset.split("<!ENTITY").skip(1) {
            self.entities += 1;
            let (declaration, value) = match entity.find(['"', '\'']) {
                Some(quote) => entity.split_at(quote),
                None => (entity, ""),
            };
            self.external_entity |= is_outside(declaration);
            let mark = value.chars().next().unwrap_or('"');
            let value = value.get(1..).unwrap_or_default();
            let value = value.split(mark).next().unwrap_or_default();
            let refers = value.contains('%') || value.replace("&#", "").contains('&');
            self.nested_entity |= refers;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_seen_and_not_expanded() {
        let xml = Xml::read("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a b='c'>&x;</a>").unwrap();
        assert!(xml.external_entity && !xml.external_subset && !xml.nested_entity);
        assert_eq!(xml.elements[0].get("b"), Some("c"));
        let xml =
            Xml::read("<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>").unwrap();
        assert!(xml.nested_entity && xml.entities == 2);
        let xml = Xml::read("<!DOCTYPE a SYSTEM 'http://example.org/a.dtd'><a/>").unwrap();
        assert!(xml.external_subset);
    }
}
