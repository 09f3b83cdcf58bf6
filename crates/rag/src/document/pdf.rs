//! PDF (ISO 32000-1): text as it is painted.

use std::collections::{BTreeMap, HashSet};

use bartizan_core::CheckError;
use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, content::Content};

use super::{
    hiding::Hiding,
    output::{Output, Source},
    painter::{Painter, Run},
    sanitise::Limits,
};

/// Pages of one file.
const MAX_PAGES: usize = 10_000;
/// Forms within forms.
const MAX_FORMS: usize = 8;

/// Reads a PDF file.
pub(super) fn read(bytes: &[u8], limits: &Limits, output: &mut Output) -> Result<(), &'static str> {
    let options = LoadOptions::with_max_decompressed_size(limits.max_expanded_bytes);
    let document = Document::load_mem_with_options(bytes, options)
        .map_err(|_| "its structure is damaged, or it needs a password")?;
    if document.is_encrypted() {
        return Err("it needs a password");
    }
    let mut file = File {
        off: layers_off(&document),
        document: &document,
        left: limits.max_expanded_bytes,
    };
    for (number, (page, id)) in document.get_pages().into_iter().enumerate() {
        if number >= MAX_PAGES {
            output.gap(CheckError::Exhausted {
                limit: "max-pages",
                at: MAX_PAGES as u64,
            });
            break;
        }
        output.enter(format!("page {page}"));
        file.page(id, output);
        output.paragraph();
    }
    output.enter("document information");
    file.metadata(output);
    Ok(())
}

struct File<'d> {
    document: &'d Document,
    /// Layers that are not shown (section 8.11).
    off: HashSet<ObjectId>,
    left: usize,
}

impl<'d> File<'d> {
    fn page(&mut self, id: ObjectId, output: &mut Output) {
        let content = match self.document.get_page_content_with_limit(id, self.left) {
            Ok(content) => content,
            Err(_) => return self.unread(output),
        };
        let mut painter = Painter::new(self.page_box(id));
        let resources = self.page_resources(id);
        self.paint(&content, &resources, &mut painter, MAX_FORMS, output);
        let (runs, is_complete) = painter.finish();
        if !is_complete {
            output.gap(CheckError::Exhausted {
                limit: "max-painted",
                at: runs.len() as u64,
            });
        }
        lay_out(&runs, output);
        for annotation in self.document.get_page_annotations(id).unwrap_or_default() {
            for key in [b"Contents".as_slice(), b"TU", b"RC"] {
                if let Some(said) = self.text_of(annotation, key) {
                    output.hide(Hiding::Comment, &said, Source::NONE);
                }
            }
        }
    }

    fn paint(
        &mut self,
        content: &[u8],
        resources: &[&'d Dictionary],
        painter: &mut Painter,
        depth: usize,
        output: &mut Output,
    ) {
        self.left = self.left.saturating_sub(content.len());
        let mut fonts: BTreeMap<Vec<u8>, Option<lopdf::Encoding<'d>>> = BTreeMap::new();
        let mut font: Vec<u8> = Vec::new();
        let mut layers: Vec<bool> = Vec::new();
        for operation in Content::decode_iter(content) {
            let Ok(operation) = operation else {
                return output.gap(CheckError::Malformed("a page's content is damaged".into()));
            };
            let operands = operation.operands.as_slice();
            match (operation.operator.as_str(), operands) {
                ("Tf", [Object::Name(name), size, ..]) => {
                    font = name.clone();
                    painter.set_font(size.as_float().unwrap_or(0.0));
                    if !fonts.contains_key(name) {
                        let encoding = self.encoding(name, resources);
                        fonts.insert(name.clone(), encoding);
                    }
                }
                ("Tj" | "'" | "\"", [.., Object::String(bytes, _)]) => {
                    if operation.operator != "Tj" {
                        painter.next_line();
                    }
                    let said = decode(&fonts, &font, bytes, output);
                    painter.show(&said);
                }
                ("TJ", [Object::Array(pieces)]) => {
                    let mut said = String::new();
                    for piece in pieces {
                        match piece {
                            Object::String(bytes, _) => {
                                said.push_str(&decode(&fonts, &font, bytes, output));
                            }
                            // A wide step back is a space (thousandths of the letters' size).
                            number if number.as_float().is_ok_and(|step| step < -180.0) => {
                                said.push(' ');
                            }
                            _ => {}
                        }
                    }
                    painter.show(&said);
                }
                ("gs", [Object::Name(name)]) => {
                    let state = self.resource(resources, b"ExtGState", name);
                    let alpha = state
                        .and_then(|state| state.get(b"ca").ok())
                        .and_then(|alpha| alpha.as_float().ok());
                    if let Some(alpha) = alpha {
                        painter.set_alpha(alpha);
                    }
                }
                ("BDC", [Object::Name(tag), properties]) => {
                    let hidden = tag == b"OC" && self.is_off(resources, properties);
                    if let Object::Dictionary(properties) = properties
                        && let Some(said) = self.text_of(properties, b"ActualText")
                    {
                        output.hide(Hiding::Alternative, &said, Source::NONE);
                    }
                    layers.push(hidden);
                    painter.set_layer(!layers.contains(&true));
                }
                ("BMC", _) => layers.push(false),
                ("EMC", _) => {
                    layers.pop();
                    painter.set_layer(!layers.contains(&true));
                }
                ("Do", [Object::Name(name)]) => {
                    self.external(name, resources, painter, depth, output);
                }
                (operator, operands) => {
                    let numbers: Vec<f32> = operands
                        .iter()
                        .filter_map(|operand| operand.as_float().ok())
                        .collect();
                    painter.operate(operator, &numbers);
                }
            }
        }
    }

    /// Paints a form or a picture (section 8.8).
    fn external(
        &mut self,
        name: &[u8],
        resources: &[&'d Dictionary],
        painter: &mut Painter,
        depth: usize,
        output: &mut Output,
    ) {
        let document = self.document;
        let stream = resources.iter().find_map(|resources| {
            let all = resources.get_deref(b"XObject", document).ok()?;
            let found = all.as_dict().ok()?.get_deref(name, document).ok()?;
            found.as_stream().ok()
        });
        let Some(stream) = stream else {
            return;
        };
        let subtype = stream.dict.get(b"Subtype").and_then(Object::as_name);
        if subtype.is_ok_and(|subtype| subtype == b"Image") {
            return painter.picture();
        }
        if depth == 0 {
            return self.unread(output);
        }
        let Ok(content) = stream
            .decompressed_content_with_limit(self.left)
            .or_else(|error| plain_or(stream, error))
        else {
            return self.unread(output);
        };
        let own = stream.dict.get_deref(b"Resources", document);
        let own = own.and_then(Object::as_dict).ok();
        let inner: Vec<&'d Dictionary> = own.into_iter().chain(resources.iter().copied()).collect();
        let matrix = numbers(&stream.dict, b"Matrix", document);
        painter.operate("q", &[]);
        painter.operate("cm", &matrix);
        self.paint(&content, &inner, painter, depth - 1, output);
        painter.operate("Q", &[]);
    }

    fn unread(&self, output: &mut Output) {
        output.gap(CheckError::Exhausted {
            limit: "max-expanded-bytes",
            at: self.left as u64,
        });
    }

    fn encoding(&self, name: &[u8], resources: &[&'d Dictionary]) -> Option<lopdf::Encoding<'d>> {
        let font = self.resource(resources, b"Font", name)?;
        let is_composite = font.get(b"Subtype").and_then(Object::as_name).ok() == Some(b"Type0");
        let is_simple_name = font
            .get(b"Encoding")
            .and_then(Object::as_name)
            .is_ok_and(|name| !name.starts_with(b"Identity"));
        // Without a map to Unicode nobody knows what such a font's codes say.
        if is_composite && !font.has(b"ToUnicode") && !is_simple_name {
            return None;
        }
        let encoding = font
            .get_font_encoding_with_limit(self.document, self.left)
            .ok()?;
        // A map that cannot be read is replaced by the codes of Latin letters, one byte each.
        let is_guessed = matches!(encoding, lopdf::Encoding::OneByteEncoding(_));
        (!is_composite || !is_guessed).then_some(encoding)
    }

    fn resource(
        &self,
        resources: &[&'d Dictionary],
        kind: &[u8],
        name: &[u8],
    ) -> Option<&'d Dictionary> {
        resources.iter().find_map(|resources| {
            let all = resources.get_deref(kind, self.document).ok()?;
            let found = all.as_dict().ok()?.get_deref(name, self.document).ok()?;
            found.as_dict().ok()
        })
    }

    fn page_resources(&self, id: ObjectId) -> Vec<&'d Dictionary> {
        let Ok((own, others)) = self.document.get_page_resources(id) else {
            return Vec::new();
        };
        let others = others
            .into_iter()
            .filter_map(|id| self.document.get_dictionary(id).ok());
        own.into_iter().chain(others).collect()
    }

    fn is_off(&self, resources: &[&'d Dictionary], properties: &Object) -> bool {
        let Object::Name(name) = properties else {
            return false;
        };
        let reference = resources.iter().find_map(|resources| {
            let all = resources.get_deref(b"Properties", self.document).ok()?;
            all.as_dict().ok()?.get(name).ok()?.as_reference().ok()
        });
        reference.is_some_and(|id| self.off.contains(&id))
    }

    /// The part of the page that is shown, as left, bottom, right, top (section 14.11.2).
    fn page_box(&self, id: ObjectId) -> [f32; 4] {
        let mut next = self.document.get_dictionary(id).ok();
        for _ in 0..32 {
            let Some(node) = next else {
                break;
            };
            for key in [b"CropBox".as_slice(), b"MediaBox"] {
                if let [a, b, c, d] = *numbers(node, key, self.document).as_slice() {
                    return [a.min(c), b.min(d), a.max(c), b.max(d)];
                }
            }
            let parent = node.get(b"Parent").and_then(Object::as_reference);
            next = parent
                .ok()
                .and_then(|parent| self.document.get_dictionary(parent).ok());
        }
        [0.0, 0.0, 612.0, 792.0]
    }

    fn metadata(&self, output: &mut Output) {
        let information = self.document.trailer.get_deref(b"Info", self.document);
        if let Ok(information) = information.and_then(Object::as_dict) {
            for (key, _) in information.iter() {
                if let Some(said) = self.text_of(information, key) {
                    output.hide(Hiding::Metadata, &said, Source::NONE);
                }
            }
        }
        let packet = self
            .document
            .catalog()
            .and_then(|catalog| catalog.get_deref(b"Metadata", self.document))
            .and_then(Object::as_stream);
        if let Ok(stream) = packet {
            match stream
                .decompressed_content_with_limit(self.left)
                .or_else(|error| plain_or(stream, error))
            {
                Ok(xml) => {
                    let xml = String::from_utf8_lossy(&xml);
                    output.hide(Hiding::Metadata, &without_tags(&xml), Source::NONE);
                }
                Err(_) => self.unread(output),
            }
        }
    }

    fn text_of(&self, dictionary: &Dictionary, key: &[u8]) -> Option<String> {
        let value = dictionary.get_deref(key, self.document).ok()?;
        let bytes = value.as_str().ok()?;
        Some(string(bytes))
    }
}

/// A stream without filters is its own content.
fn plain_or(stream: &lopdf::Stream, error: lopdf::Error) -> Result<Vec<u8>, lopdf::Error> {
    if stream.dict.has(b"Filter") {
        return Err(error);
    }
    Ok(stream.content.clone())
}

fn decode(
    fonts: &BTreeMap<Vec<u8>, Option<lopdf::Encoding<'_>>>,
    font: &[u8],
    bytes: &[u8],
    output: &mut Output,
) -> String {
    let encoding = fonts.get(font).and_then(Option::as_ref);
    match encoding.map(|encoding| Document::decode_text(encoding, bytes)) {
        Some(Ok(said)) => said,
        _ => {
            output.gap(CheckError::Malformed(
                "a font does not say what its letters are".into(),
            ));
            String::new()
        }
    }
}

/// A text string: UTF-16 or UTF-8 with a mark, otherwise PDFDocEncoding, which is Latin-1 where it
/// matters here (section 7.9.2.2).
fn string(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        let units = rest
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u16::from_be_bytes(*pair));
        return char::decode_utf16(units)
            .map(|c| c.unwrap_or('\u{fffd}'))
            .collect();
    }
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => String::from_utf8_lossy(rest).into_owned(),
        None => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn without_tags(xml: &str) -> String {
    let mut out = String::new();
    for piece in xml.split('<') {
        let text = piece.split_once('>').map_or("", |(_, text)| text).trim();
        if !text.is_empty() {
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

fn numbers(dictionary: &Dictionary, key: &[u8], document: &Document) -> Vec<f32> {
    let Ok(list) = dictionary
        .get_deref(key, document)
        .and_then(Object::as_array)
    else {
        return Vec::new();
    };
    let number = |object: &Object| {
        let (_, object) = document.dereference(object).ok()?;
        object.as_float().ok()
    };
    list.iter().filter_map(number).collect()
}

/// Layers that the default configuration switches off (section 8.11.4.3).
fn layers_off(document: &Document) -> HashSet<ObjectId> {
    let list = || {
        let properties = document
            .catalog()
            .ok()?
            .get_deref(b"OCProperties", document);
        let default = properties.ok()?.as_dict().ok()?.get_deref(b"D", document);
        let off = default.ok()?.as_dict().ok()?.get_deref(b"OFF", document);
        off.ok()?.as_array().ok()
    };
    let entries = list().map(Vec::as_slice).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| entry.as_reference().ok())
        .collect()
}

/// Puts runs into lines, in the order in which they were painted.
fn lay_out(runs: &[Run], output: &mut Output) {
    let mut last: Option<&Run> = None;
    for run in runs {
        if let Some(hiding) = run.hiding {
            output.hide(hiding, &run.text, Source::NONE);
            continue;
        }
        if let Some(last) = last {
            let [x, y] = run.at;
            let [last_x, last_y] = last.at;
            let size = run.size.max(1.0);
            if (y - last_y).abs() > size * 0.5 {
                output.line();
                if (y - last_y).abs() > size * 1.8 {
                    output.paragraph();
                }
            } else if run.is_moved && x > last_x && !output.ends_with_space() {
                output.mark(" ");
            }
        }
        output.show(&run.text, Source::NONE);
        last = Some(run);
    }
}

#[cfg(test)]
mod tests {
    use lopdf::{Stream, dictionary};

    use super::*;
    use crate::document::{Kind, sanitise};

    fn pdf(content: &str) -> Vec<u8> {
        let mut document = Document::with_version("1.5");
        let pages = document.new_object_id();
        let font = document.add_object(dictionary! {
            "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica",
            "Encoding" => "WinAnsiEncoding",
        });
        let stream = Stream::new(dictionary! {}, content.as_bytes().to_vec());
        let content = document.add_object(stream);
        let page = document.add_object(dictionary! {
            "Type" => "Page", "Parent" => pages, "Contents" => content,
            "MediaBox" => vec![0.into(), 0.into(), 612.into(), 792.into()],
            "Resources" => dictionary! { "Font" => dictionary! { "F1" => font } },
        });
        let tree = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
        document.objects.insert(pages, Object::Dictionary(tree));
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
        let information = document.add_object(dictionary! {
            "Subject" => Object::string_literal("order in the properties"),
        });
        document.trailer.set("Root", catalog);
        document.trailer.set("Info", information);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_not_painted_for_readers_is_left_out() {
        let content = "BT /F1 12 Tf 72 700 Td (Seen line) Tj ET\n\
            BT /F1 12 Tf 3 Tr 72 680 Td (order one) Tj ET\n\
            BT /F1 12 Tf 0 Tr 1 1 1 rg 72 660 Td (order two) Tj ET\n\
            BT /F1 1 Tf 0 g 72 640 Td (order three) Tj ET\n\
            BT /F1 12 Tf 72 -400 Td (order four) Tj ET\n\
            BT /F1 12 Tf 72 600 Td (order five) Tj ET 0 0 1 rg 60 590 400 30 re f\n\
            0 0 0.5 rg 60 490 400 30 re f BT 1 1 1 rg /F1 12 Tf 72 500 Td (White on blue) Tj ET\n\
            BT 0 g /F1 12 Tf 1 0 0 1 72 400 Tm [(Ta) 20 (ble) -300 (one)] TJ ET";
        let seen = sanitise(&pdf(content), Kind::Pdf, &Limits::default()).unwrap();
        assert!(seen.is_complete(), "{seen:?}");
        assert!(!seen.text.contains("order"), "{}", seen.text);
        for shown in ["Seen line\n", "White on blue\n", "Table one\n"] {
            assert!(seen.text.contains(shown), "{}", seen.text);
        }
        for (order, hiding) in [
            ("order one", Hiding::Style),
            ("order two", Hiding::Colour),
            ("order three", Hiding::Size),
            ("order four", Hiding::Position),
            ("order five", Hiding::Position),
            ("order in the properties", Hiding::Metadata),
        ] {
            let found = seen
                .hidden
                .iter()
                .find(|hidden| hidden.text.contains(order));
            assert_eq!(found.map(|hidden| hidden.hiding), Some(hiding), "{order}");
        }
    }

    #[test]
    fn letters_that_nobody_can_name_leave_the_file_incomplete() {
        let bytes = pdf("BT /F1 12 Tf 72 700 Td <00410042> Tj ET");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains("/Type1"));
        // The same file with a composite font that has no map to Unicode.
        let composite: Vec<u8> = replaced(&bytes, b"/Subtype/Type1", b"/Subtype/Type0");
        let composite = replaced(&composite, b"/WinAnsiEncoding", b"/Identity-H     ");
        let seen = sanitise(&composite, Kind::Pdf, &Limits::default()).unwrap();
        assert!(!seen.is_complete(), "{seen:?}");
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = bytes.windows(from.len()).position(|window| window == from);
        let at = at.unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    }

    #[test]
    fn broken_files_are_errors() {
        assert!(sanitise(b"%PDF-1.7\nnothing", Kind::Pdf, &Limits::default()).is_err());
    }
}
