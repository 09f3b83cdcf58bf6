//! Word documents: Office Open XML (ECMA-376, part 1), as Word would print them.

use std::{
    collections::HashMap,
    io::{Cursor, Read as _},
};

use bartizan_core::CheckError;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    colour::Colour,
    hiding::Hiding,
    output::{Output, Source},
    sanitise::Limits,
};

/// Files in one archive.
const MAX_ENTRIES: usize = 4096;
/// Letters below this size are not read, in half points (`w:sz`, section 17.3.2.38).
const LEAST_SIZE: f32 = 6.0;
/// Levels of elements.
const MAX_DEPTH: usize = 256;

/// Reads a Word document.
pub(super) fn read(bytes: &[u8], limits: &Limits, output: &mut Output) -> Result<(), &'static str> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| "it is no ZIP archive")?;
    if archive.len() > MAX_ENTRIES {
        return Err("it has too many parts");
    }
    let mut names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(|name| name.into_owned()))
        .collect::<Result<_, _>>()
        .map_err(|_| "a part has no readable name")?;
    names.sort_unstable_by_key(|name| (order(name), name.clone()));
    if !names.iter().any(|name| name == DOCUMENT) {
        return Err("it has no `word/document.xml`");
    }
    let mut left = limits.max_expanded_bytes;
    let mut styles = Styles::default();
    if let Some(xml) = unpack(&mut archive, "word/styles.xml", &mut left, output) {
        styles = Styles::read(&xml);
    }
    for name in names {
        let is_foreign = name.contains("/afchunk") || name.starts_with("word/embeddings/");
        if is_foreign {
            output.gap(CheckError::Malformed(
                "an embedded document was not read".into(),
            ));
            continue;
        }
        let Some(reading) = reading(&name) else {
            continue;
        };
        let Some(xml) = unpack(&mut archive, &name, &mut left, output) else {
            continue;
        };
        output.enter(name);
        let broken = match reading {
            Reading::Body => Body::new(&styles, None).read(&xml, output).is_err(),
            Reading::Hidden(hiding) => Body::new(&styles, Some(hiding)).read(&xml, output).is_err(),
        };
        if broken {
            output.gap(CheckError::Malformed("a part is no XML".into()));
        }
        output.paragraph();
    }
    Ok(())
}

const DOCUMENT: &str = "word/document.xml";

enum Reading {
    Body,
    Hidden(Hiding),
}

/// How a part is read; parts without text are not.
fn reading(name: &str) -> Option<Reading> {
    let file = name.strip_prefix("word/").unwrap_or(name);
    if !name.ends_with(".xml") {
        return None;
    }
    Some(match file {
        "document.xml" | "footnotes.xml" | "endnotes.xml" => Reading::Body,
        _ if file.starts_with("header") || file.starts_with("footer") => Reading::Body,
        _ if file.starts_with("comments") => Reading::Hidden(Hiding::Comment),
        _ if file.starts_with("glossary/") => Reading::Hidden(Hiding::Element),
        _ if name.starts_with("docProps/") || name.starts_with("customXml/") => {
            Reading::Hidden(Hiding::Metadata)
        }
        _ => return None,
    })
}

fn order(name: &str) -> u8 {
    match name {
        DOCUMENT => 1,
        _ if name.starts_with("word/header") => 0,
        _ => 2,
    }
}

fn unpack(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    left: &mut usize,
    output: &mut Output,
) -> Option<Vec<u8>> {
    let file = archive.by_name(name).ok();
    let file = match file {
        Some(file) => file,
        None => {
            if name != "word/styles.xml" {
                output.gap(CheckError::Malformed("a part cannot be unpacked".into()));
            }
            return None;
        }
    };
    // What the archive says about sizes is not believed: at most `left` bytes are unpacked.
    let mut xml = Vec::new();
    let most = *left as u64;
    let read = file.take(most + 1).read_to_end(&mut xml);
    if read.is_err() {
        output.gap(CheckError::Malformed("a part cannot be unpacked".into()));
        return None;
    }
    if xml.len() as u64 > most {
        output.gap(CheckError::Exhausted {
            limit: "max-expanded-bytes",
            at: most,
        });
        return None;
    }
    *left -= xml.len();
    Some(xml)
}

/// How a run looks; what is `None` is inherited.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    vanish: Option<bool>,
    colour: Option<Colour>,
    size: Option<f32>,
    shade: Option<Colour>,
}

impl Look {
    fn over(self, below: Self) -> Self {
        Self {
            vanish: self.vanish.or(below.vanish),
            colour: self.colour.or(below.colour),
            size: self.size.or(below.size),
            shade: self.shade.or(below.shade),
        }
    }

    fn hiding(self) -> Option<Hiding> {
        if self.vanish == Some(true) {
            return Some(Hiding::Style);
        }
        if self.size.is_some_and(|size| size < LEAST_SIZE) {
            return Some(Hiding::Size);
        }
        let colour = self.colour?;
        let background = self.shade.unwrap_or(Colour::WHITE);
        (!colour.shows_on(background)).then_some(Hiding::Colour)
    }

    /// Takes up one property of a run (section 17.3.2).
    fn take(&mut self, name: &str, element: &BytesStart<'_>) {
        let value = attribute(element, "val");
        let is_on = !matches!(value.as_deref(), Some("0" | "false" | "off" | "none"));
        match name {
            "vanish" | "webHidden" | "specVanish" => self.vanish = Some(is_on),
            "color" => {
                self.colour = match value.as_deref() {
                    Some("auto") => Some(Colour::BLACK),
                    Some(hex) => Colour::hex(hex).or(self.colour),
                    None => self.colour,
                };
            }
            "sz" | "szCs" => self.size = value.and_then(|v| v.parse().ok()).or(self.size),
            "shd" => {
                let fill = attribute(element, "fill");
                self.shade = fill.and_then(|fill| Colour::hex(&fill)).or(self.shade);
            }
            "highlight" => {
                let name = value.unwrap_or_default();
                self.shade = Colour::css(&name.to_ascii_lowercase()).or(self.shade);
            }
            _ => {}
        }
    }
}

/// Styles by id, with what they are based on (section 17.7).
#[derive(Default)]
struct Styles(HashMap<String, (Look, Option<String>)>);

impl Styles {
    fn read(xml: &[u8]) -> Self {
        let mut reader = Reader::from_reader(xml);
        let mut styles = Self::default();
        let mut id = None;
        let mut look = Look::default();
        let mut base = None;
        loop {
            match reader.read_event() {
                Ok(Event::Start(element) | Event::Empty(element)) => match &*local(&element) {
                    "style" => {
                        id = attribute(&element, "styleId");
                        look = Look::default();
                        base = None;
                    }
                    "basedOn" => base = attribute(&element, "val"),
                    name => look.take(name, &element),
                },
                Ok(Event::End(element)) if element.local_name().as_ref() == b"style" => {
                    if let Some(id) = id.take() {
                        styles.0.insert(id, (look, base.take()));
                    }
                }
                Ok(Event::Eof) | Err(_) => return styles,
                Ok(_) => {}
            }
        }
    }

    fn look(&self, id: &str) -> Look {
        let mut look = Look::default();
        let mut next = Some(id);
        for _ in 0..10 {
            let Some((own, base)) = next.and_then(|id| self.0.get(id)) else {
                break;
            };
            look = look.over(*own);
            next = base.as_deref();
        }
        look
    }
}

/// Reads a part of running text.
struct Body<'s> {
    styles: &'s Styles,
    /// What hides the whole part.
    all: Option<Hiding>,
    run: Look,
    paragraph: Look,
    cell: Option<Colour>,
    is_in_run_properties: bool,
    is_in_paragraph_properties: bool,
    deleted: usize,
    fallback: usize,
    is_instruction: bool,
    is_text: bool,
    depth: usize,
}

impl<'s> Body<'s> {
    fn new(styles: &'s Styles, all: Option<Hiding>) -> Self {
        Self {
            styles,
            all,
            run: Look::default(),
            paragraph: Look::default(),
            cell: None,
            is_in_run_properties: false,
            is_in_paragraph_properties: false,
            deleted: 0,
            fallback: 0,
            is_instruction: false,
            is_text: false,
            depth: 0,
        }
    }

    fn read(&mut self, xml: &[u8], output: &mut Output) -> Result<(), ()> {
        let mut reader = Reader::from_reader(xml);
        let place = |reader: &Reader<&[u8]>| usize::try_from(reader.buffer_position());
        loop {
            let start = place(&reader).map_err(|_| ())?;
            let event = reader.read_event().map_err(|_| ())?;
            let end = place(&reader).map_err(|_| ())?;
            match event {
                Event::Start(element) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        output.gap(CheckError::Exhausted {
                            limit: "max-depth",
                            at: MAX_DEPTH as u64,
                        });
                        return Ok(());
                    }
                    self.open(&element, Source::about(start, end), output);
                }
                Event::Empty(element) => {
                    self.open(&element, Source::about(start, end), output);
                    self.close(&local(&element), output);
                }
                Event::End(element) => {
                    self.depth = self.depth.saturating_sub(1);
                    let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                    self.close(&name, output);
                }
                Event::Text(text) => {
                    let text = text.decode().map_err(|_| ())?;
                    self.text(&text, Source::exact(start, end), output);
                }
                Event::CData(text) => {
                    let text = String::from_utf8_lossy(&text);
                    self.text(&text, Source::about(start, end), output);
                }
                Event::GeneralRef(reference) => {
                    let name = String::from_utf8_lossy(&reference).into_owned();
                    let known = match name.as_str() {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().ok().flatten(),
                    };
                    let c = known.unwrap_or('\u{fffd}');
                    self.text(
                        c.encode_utf8(&mut [0; 4]),
                        Source::about(start, end),
                        output,
                    );
                }
                Event::Comment(comment) => {
                    let text = String::from_utf8_lossy(&comment);
                    output.hide(Hiding::Comment, &text, Source::about(start, end));
                }
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    fn open(&mut self, element: &BytesStart<'_>, source: Source, output: &mut Output) {
        let name = local(element);
        match &*name {
            "rPr" => self.is_in_run_properties = true,
            "pPr" => self.is_in_paragraph_properties = true,
            "r" => self.run = Look::default(),
            "p" => self.paragraph = Look::default(),
            "pStyle" => {
                let id = attribute(element, "val").unwrap_or_default();
                self.paragraph = self.styles.look(&id);
            }
            "rStyle" if !self.is_in_paragraph_properties => {
                let id = attribute(element, "val").unwrap_or_default();
                self.run = self.run.over(self.styles.look(&id));
            }
            "shd" if self.is_in_paragraph_properties && !self.is_in_run_properties => {
                self.paragraph.take("shd", element);
            }
            "shd" if !self.is_in_run_properties => {
                self.cell = attribute(element, "fill").and_then(|fill| Colour::hex(&fill));
            }
            "tc" => self.cell = None,
            "del" | "moveFrom" => self.deleted += 1,
            "Fallback" => self.fallback += 1,
            "instrText" => self.is_instruction = true,
            "t" | "delText" => self.is_text = true,
            "docPr" | "cNvPr" => {
                for name in ["descr", "title"] {
                    if let Some(said) = attribute(element, name) {
                        output.hide(Hiding::Alternative, &said, source);
                    }
                }
            }
            "altChunk" => output.gap(CheckError::Malformed(
                "an embedded document was not read".into(),
            )),
            "tab" if !self.is_in_paragraph_properties => self.mark("\t", output),
            "br" | "cr" => self.mark("\n", output),
            "noBreakHyphen" => self.mark("-", output),
            name if self.is_in_run_properties && !self.is_in_paragraph_properties => {
                // A run's own properties are stronger than its style, whatever their order.
                let mut own = Look::default();
                own.take(name, element);
                self.run = own.over(self.run);
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str, output: &mut Output) {
        match name {
            "rPr" => self.is_in_run_properties = false,
            "pPr" => self.is_in_paragraph_properties = false,
            "del" | "moveFrom" => self.deleted = self.deleted.saturating_sub(1),
            "Fallback" => self.fallback = self.fallback.saturating_sub(1),
            "instrText" => self.is_instruction = false,
            "t" | "delText" => self.is_text = false,
            "p" | "tr" if self.all.is_none() => output.line(),
            "tc" if self.all.is_none() => {
                output.line();
                output.join_line(" | ");
            }
            _ => {}
        }
    }

    fn mark(&self, text: &str, output: &mut Output) {
        if self.all.is_none() && self.deleted == 0 && self.fallback == 0 {
            output.mark(text);
        }
    }

    fn text(&self, text: &str, source: Source, output: &mut Output) {
        if text.trim().is_empty() && !self.is_text {
            return;
        }
        let hiding = if self.all.is_some() {
            self.all
        } else if self.deleted > 0 {
            Some(Hiding::Revision)
        } else if self.fallback > 0 {
            Some(Hiding::Alternative)
        } else if self.is_instruction || !self.is_text {
            Some(Hiding::Metadata)
        } else {
            let shade = Look {
                shade: self.cell,
                ..Look::default()
            };
            self.run.over(self.paragraph).over(shade).hiding()
        };
        match hiding {
            Some(hiding) => output.hide(hiding, text, source),
            None => output.show(text, source),
        }
    }
}

fn local(element: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(element.local_name().as_ref()).into_owned()
}

fn attribute(element: &BytesStart<'_>, wanted: &str) -> Option<String> {
    element
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == wanted.as_bytes())
        .map(|attribute| {
            let raw = String::from_utf8_lossy(&attribute.value).into_owned();
            quick_xml::escape::unescape(&raw).map_or(raw.clone(), |value| value.into_owned())
        })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::document::{Kind, sanitise};

    fn document(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, body) in parts {
            writer
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            writer.write_all(body.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn what_word_does_not_print_is_left_out() {
        let run = |properties: &str, text: &str| {
            format!("<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r></w:p>")
        };
        let body = [
            run("", "Seen &amp; read"),
            run("<w:vanish/>", "order one"),
            run("<w:color w:val=\"FFFFFF\"/>", "order two"),
            run("<w:sz w:val=\"2\"/>", "order three"),
            run("<w:rStyle w:val=\"Ghost\"/>", "order four"),
            run(
                "<w:color w:val=\"FFFFFF\"/><w:shd w:fill=\"003366\"/>",
                "White on blue",
            ),
            "<w:p><w:del><w:r><w:delText>order five</w:delText></w:r></w:del></w:p>".to_owned(),
            "<w:p><w:r><w:instrText>order six</w:instrText></w:r></w:p>".to_owned(),
            "<wp:docPr descr=\"order seven is here\"/>".to_owned(),
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Tea</w:t></w:r></w:p></w:tc>\
             <w:tc><w:p><w:r><w:t>$9</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
                .to_owned(),
        ]
        .concat();
        let xml = format!("<w:document><w:body>{body}</w:body></w:document>");
        let styles = "<w:styles><w:style w:styleId=\"Base\"><w:rPr><w:vanish/></w:rPr></w:style>\
                      <w:style w:styleId=\"Ghost\"><w:basedOn w:val=\"Base\"/></w:style></w:styles>";
        let bytes = document(&[
            (DOCUMENT, &xml),
            ("word/styles.xml", styles),
            (
                "word/comments.xml",
                "<w:comments><w:t>order eight</w:t></w:comments>",
            ),
            (
                "docProps/core.xml",
                "<p><dc:title>order nine</dc:title></p>",
            ),
        ]);
        let seen = sanitise(&bytes, Kind::Docx, &Limits::default()).unwrap();
        assert!(seen.is_complete(), "{seen:?}");
        assert!(!seen.text.contains("order"), "{}", seen.text);
        for shown in ["Seen & read\n", "White on blue\n", "Tea | $9"] {
            assert!(seen.text.contains(shown), "{}", seen.text);
        }
        let numbers = "one two three four five six seven eight nine";
        for number in numbers.split(' ') {
            let order = format!("order {number}");
            assert!(
                seen.hidden.iter().any(|h| h.text.contains(&order)),
                "{order}"
            );
        }
    }

    #[test]
    fn bombs_end_as_incomplete() {
        let xml = format!(
            "<w:document><w:t>{}</w:t></w:document>",
            "a".repeat(1 << 20)
        );
        let bytes = document(&[(DOCUMENT, &xml)]);
        let limits = Limits {
            max_expanded_bytes: 1 << 16,
            ..Limits::default()
        };
        let seen = sanitise(&bytes, Kind::Docx, &limits).unwrap();
        assert!(!seen.is_complete());
    }
}
