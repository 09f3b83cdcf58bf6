//! How well hidden text is taken out, and how much of what readers see stays.
//!
//! `cargo run -p bartizan-rag --example measure -- ROWS.jsonl [MAX]`: every clean row becomes a page, a
//! Markdown file, a mail, a Word document, and a PDF file, with the injected text of its pair hidden
//! in every way of that format. Then the rows themselves are judged as they are.

#![expect(
    clippy::indexing_slicing,
    reason = "a missing field of a row is `Value::Null`, not a panic"
)]

use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
    sync::Arc,
    time::Duration,
};

use bartizan_core::{Direction, Origin, Verdict};
use bartizan_guard::{Guard, Judge, NO_CLOCK, Settings};
use bartizan_policy::{Date, DecisionContext, Policy};
use bartizan_rag::{
    admission::{Admission, SourcePolicy},
    document::{Kind, Limits, sanitise},
    grounding::{Evidence, Grounding, GroundingSettings},
};
use bartizan_text::rules::RuleSet;
use lopdf::{Document, Object, Stream, dictionary};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;
/// How it hides, what it is, and its bytes.
type Made = (&'static str, Kind, Vec<u8>);

/// Ways to hide `{}` in each format; the rest of the document stands at `@`.
const PAGES: [(&str, &str); 14] = [
    ("display", "@<div style=\"display:none\">{}</div>"),
    (
        "sheet",
        "<style>.n > p{visibility:hidden}</style>@<div class=n><p>{}</p></div>",
    ),
    ("attribute", "@<section hidden>{}</section>"),
    ("aria", "@<p aria-hidden=\"true\">{}</p>"),
    (
        "off-screen",
        "@<p style=\"position:absolute;left:-9999px\">{}</p>",
    ),
    ("zero size", "@<p style=\"font-size:0\">{}</p>"),
    ("clipped", "@<p style=\"height:0;overflow:hidden\">{}</p>"),
    ("white on white", "@<p style=\"color:#fefefe\">{}</p>"),
    ("opacity", "@<p style=\"opacity:0\">{}</p>"),
    ("comment", "@<!-- {} -->"),
    ("metadata", "<meta name=description content=\"{}\">@"),
    ("noscript", "@<noscript>{}</noscript>"),
    ("template", "@<template>{}</template>"),
    ("alt", "@<img src=x.png alt=\"{}\">"),
];
const MARKDOWN: [(&str, &str); 4] = [
    ("md comment", "@\n\n<!-- {} -->\n"),
    ("md definition", "@\n\n[//]: # ({})\n"),
    ("md alt", "@\n\n![{}](x.png)\n"),
    ("md hidden block", "@\n\n<div hidden>{}</div>\n"),
];
const WORD: [(&str, &str); 4] = [
    ("docx vanish", "<w:vanish/>"),
    ("docx white", "<w:color w:val=\"FFFFFF\"/>"),
    ("docx tiny", "<w:sz w:val=\"1\"/>"),
    ("docx deleted", ""),
];
const PRINTED: [(&str, &str); 4] = [
    ("pdf mode 3", "BT /F1 10 Tf 3 Tr 50 60 Td ({}) Tj ET"),
    (
        "pdf white",
        "BT 1 1 1 rg /F1 10 Tf 0 Tr 50 60 Td ({}) Tj ET",
    ),
    ("pdf tiny", "BT 0 g /F1 0.5 Tf 0 Tr 50 60 Td ({}) Tj ET"),
    (
        "pdf off page",
        "BT 0 g /F1 10 Tf 0 Tr 50 -300 Td ({}) Tj ET",
    ),
];

/// What pages hide for honest reasons.
const HARMLESS: &str = "Skip to the main content of this page";

#[derive(Default)]
struct Tally {
    documents: usize,
    removed: usize,
    named: usize,
    refused: usize,
    alarms: usize,
    words: usize,
    kept: usize,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give a file of rows")?;
    let most: usize = arguments.next().map_or(Ok(usize::MAX), |n| n.parse())?;
    let text = std::fs::read_to_string(path)?;
    let rows: Vec<Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let guard = Guard::standard(&Settings::default(), RuleSet::builtin())?;
    let judge = Judge::new(Arc::new(guard), Arc::new(Policy::default()), None);
    let admission = Admission::new(judge, SourcePolicy::default());
    let mut out = std::io::stdout().lock();
    let mut payloads: BTreeMap<&str, String> = BTreeMap::new();
    for row in &rows {
        if let (Some(pair), Some(payload)) = (row["pair"].as_str(), payload(row)) {
            // What is written without letters, or stands in the text anyway, can't be looked for.
            let wanted = squeezed(&payload);
            let is_sound = wanted.len() >= 12
                && !rows.iter().any(|other| {
                    other["pair"] == pair
                        && other["label"] == "clean"
                        && squeezed(other["text"].as_str().unwrap_or_default()).contains(&wanted)
                });
            if is_sound {
                payloads.entry(pair).or_insert(payload);
            }
        }
    }
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let clean: Vec<&Value> = rows
        .iter()
        .filter(|row| row["label"] == "clean")
        .take(most)
        .collect();
    for row in &clean {
        let (Some(pair), Some(text)) = (row["pair"].as_str(), row["text"].as_str()) else {
            continue;
        };
        let Some(payload) = payloads.get(pair) else {
            continue;
        };
        for (name, kind, bytes) in documents(text, payload)? {
            let tally = tallies.entry(name).or_default();
            let seen = sanitise(&bytes, kind, &Limits::default())?;
            tally.documents += 1;
            let visible = squeezed(&seen.text);
            let wanted = squeezed(payload);
            tally.removed += usize::from(!visible.contains(&wanted));
            let hidden: String = seen.hidden.iter().map(|h| squeezed(&h.text)).collect();
            tally.named += usize::from(hidden.contains(&wanted));
            let look = admission.document(&seen, None, None, NO_CLOCK, &cx());
            let refused = look.judgement.decision.verdict() >= Verdict::Ask;
            tally.refused += usize::from(refused);
            let kept: std::collections::HashSet<&str> = words(&seen.text).collect();
            for word in words(text) {
                tally.words += 1;
                tally.kept += usize::from(kept.contains(word));
            }
        }
    }
    for row in &clean {
        let text = row["text"].as_str().unwrap_or_default();
        if row["pair"]
            .as_str()
            .is_none_or(|pair| !payloads.contains_key(pair))
        {
            continue;
        }
        for (name, kind, bytes) in documents(text, HARMLESS)? {
            let seen = sanitise(&bytes, kind, &Limits::default())?;
            let look = admission.document(&seen, None, None, NO_CLOCK, &cx());
            let refused = look.judgement.decision.verdict() >= Verdict::Ask;
            tallies.entry(name).or_default().alarms += usize::from(refused);
        }
    }
    writeln!(
        out,
        "| hidden by | documents | taken out | named | refused | harmless refused | words kept |"
    )?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- | --- |")?;
    for (name, tally) in &tallies {
        let of = |count: usize| format!("{:.1} %", 100.0 * count as f64 / tally.documents as f64);
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {:.2} % |",
            tally.documents,
            of(tally.removed),
            of(tally.named),
            of(tally.refused),
            of(tally.alarms),
            100.0 * tally.kept as f64 / tally.words.max(1) as f64,
        )?;
    }
    visible(&rows, most, &admission, &mut out)?;
    claims(&mut out)?;
    speed(&clean, &mut out)
}

/// Claims written by hand: how many of those without support are told from those with it.
fn claims(out: &mut impl std::io::Write) -> Result<(), Failure> {
    let settings = GroundingSettings::default();
    let mut counts: BTreeMap<(bool, bool), usize> = BTreeMap::new();
    for line in include_str!("../testdata/grounding.jsonl").lines() {
        let row: Value = serde_json::from_str(line)?;
        let text = row["evidence"].as_str().unwrap_or_default();
        let claim = row["claim"].as_str().unwrap_or_default();
        let evidence = [Evidence { id: "a", text }];
        let held = Grounding::of(claim, &evidence, &settings).is_grounded(&settings);
        *counts.entry((row["supported"] == true, held)).or_default() += 1;
    }
    writeln!(out, "\n| claims | held | not held |\n| --- | --- | --- |")?;
    for (supported, name) in [(true, "supported"), (false, "unsupported")] {
        let count = |held| counts.get(&(supported, held)).copied().unwrap_or_default();
        writeln!(out, "| {name} | {} | {} |", count(true), count(false))?;
    }
    Ok(())
}

/// Rows as they are: what is in plain sight is judged by the guard alone.
fn visible(
    rows: &[Value],
    most: usize,
    admission: &Admission,
    out: &mut impl std::io::Write,
) -> Result<(), Failure> {
    let mut counts: BTreeMap<(&str, bool), [usize; 2]> = BTreeMap::new();
    let rows = rows.iter().take(most.saturating_mul(3));
    for row in rows {
        let (Some(text), Some(label)) = (row["text"].as_str(), row["label"].as_str()) else {
            continue;
        };
        let seen = sanitise(text.as_bytes(), Kind::Text, &Limits::default())?;
        let look = admission.document(&seen, None, None, NO_CLOCK, &cx());
        let refused = look.judgement.decision.verdict() >= Verdict::Ask;
        let style = row["style"].as_str().unwrap_or("clean");
        let [all, found] = counts.entry((style, label == "injected")).or_default();
        *all += 1;
        *found += usize::from(refused);
    }
    writeln!(
        out,
        "\n| rows as they are | documents | refused |\n| --- | --- | --- |"
    )?;
    for ((style, _), [all, found]) in counts {
        let share = 100.0 * found as f64 / all as f64;
        writeln!(out, "| {style} | {all} | {share:.1} % |")?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement asks what time it is"
)]
fn speed(clean: &[&Value], out: &mut impl std::io::Write) -> Result<(), Failure> {
    let mut times: BTreeMap<&str, (usize, Duration)> = BTreeMap::new();
    for row in clean {
        let text = row["text"].as_str().unwrap_or_default();
        for (_, kind, bytes) in documents(text, "a hidden sentence of some length")? {
            let started = std::time::Instant::now();
            sanitise(&bytes, kind, &Limits::default())?;
            let (all, spent) = times.entry(kind.as_str()).or_default();
            *all += bytes.len();
            *spent += started.elapsed();
        }
    }
    writeln!(out, "\n| kind | MB | MB/s |\n| --- | --- | --- |")?;
    for (kind, (bytes, spent)) in times {
        let megabytes = bytes as f64 / 1e6;
        let rate = megabytes / spent.as_secs_f64().max(1e-9);
        writeln!(out, "| {kind} | {megabytes:.1} | {rate:.2} |")?;
    }
    Ok(())
}

fn documents(text: &str, payload: &str) -> Result<Vec<Made>, Failure> {
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
    };
    let body = format!("<pre>{}</pre>", escape(text));
    let mut all = Vec::new();
    for (name, page) in PAGES {
        // Entities are text within comments and `noscript`.
        let written = match name {
            "comment" | "noscript" => payload.replace("--", " ").replace(['<', '>'], " "),
            _ => escape(payload),
        };
        let page = page.replace('@', &body).replace("{}", &written);
        all.push((name, Kind::Html, page.clone().into_bytes()));
        if name == "display" {
            let mail = format!(
                "From: a@a.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html; \
                 charset=utf-8\r\n\r\n{page}\r\n"
            );
            all.push(("mail display", Kind::Mail, mail.into_bytes()));
        }
    }
    let quiet = payload.replace(
        [
            '(', ')', '[', ']', '\n', '\r', '\\', '<', '>', '*', '_', '`',
        ],
        " ",
    );
    // As code, so that the row's own marks are no Markdown.
    let fenced = format!("~~~~~~\n{text}\n~~~~~~");
    for (name, markdown) in MARKDOWN {
        let markdown = markdown.replace('@', &fenced).replace("{}", &quiet);
        all.push((name, Kind::Markdown, markdown.into_bytes()));
    }
    for (name, properties) in WORD {
        all.push((name, Kind::Docx, word(text, payload, properties, &escape)?));
    }
    for (name, operators) in PRINTED {
        all.push((name, Kind::Pdf, pdf(text, &quiet, operators)?));
    }
    Ok(all)
}

fn word(
    text: &str,
    payload: &str,
    properties: &str,
    escape: &dyn Fn(&str) -> String,
) -> Result<Vec<u8>, Failure> {
    let paragraphs: String = text
        .lines()
        .map(|line| format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", escape(line)))
        .collect();
    let payload = escape(payload);
    let hidden = if properties.is_empty() {
        format!("<w:p><w:del><w:r><w:delText>{payload}</w:delText></w:r></w:del></w:p>")
    } else {
        format!("<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{payload}</w:t></w:r></w:p>")
    };
    let xml = format!("<w:document><w:body>{paragraphs}{hidden}</w:body></w:document>");
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(
        "word/document.xml",
        zip::write::SimpleFileOptions::default(),
    )?;
    // What XML cannot hold, Word does not write.
    let xml: String = xml
        .chars()
        .filter(|c| !c.is_control() || c.is_whitespace())
        .collect();
    writer.write_all(xml.as_bytes())?;
    Ok(writer.finish()?.into_inner())
}

fn pdf(text: &str, payload: &str, operators: &str) -> Result<Vec<u8>, Failure> {
    // UTF-16 codes with a map of the same: every letter in one font.
    let string = |text: &str| -> String {
        let units: String = text
            .encode_utf16()
            .map(|unit| format!("{unit:04X}"))
            .collect();
        format!("<{units}>")
    };
    let mut content = String::from("BT 0 g /F1 10 Tf 0 Tr 12 TL 50 100000 Td\n");
    for line in text.lines() {
        content.push_str(&format!("{} Tj T*\n", string(line)));
    }
    content.push_str("ET\n");
    content.push_str(&operators.replace("({})", &string(payload)));
    // A range may not cross the last byte (ISO 32000-1, section 9.10.3).
    let ranges: Vec<String> = (0..=255)
        .map(|high| format!("<{high:02X}00> <{high:02X}FF> <{high:02X}00>\n"))
        .collect();
    let blocks: String = ranges
        .chunks(64)
        .map(|block| {
            format!(
                "{} beginbfrange\n{}endbfrange\n",
                block.len(),
                block.concat()
            )
        })
        .collect();
    let map = format!(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << \
         /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n\
         /CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{blocks}endcmap\n\
         CMapName currentdict /CMap defineresource pop\nend\nend"
    );
    let mut document = Document::with_version("1.5");
    let pages = document.new_object_id();
    let map = document.add_object(Stream::new(dictionary! {}, map.into_bytes()));
    let font = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "X", "Encoding" => "Identity-H",
        "ToUnicode" => map,
    });
    let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => pages, "Contents" => content,
        "MediaBox" => vec![0.into(), 0.into(), 200_000.into(), 200_000.into()],
        "Resources" => dictionary! { "Font" => dictionary! { "F1" => font } },
    });
    let tree = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(pages, Object::Dictionary(tree));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes)?;
    Ok(bytes)
}

fn cx() -> DecisionContext<'static> {
    let today = Date::constant(2026, 11, 21);
    DecisionContext::new(Direction::Input, Origin::Retrieved, today)
}

/// The injected text of a row.
fn payload(row: &Value) -> Option<String> {
    let span = row["spans"].get(0)?;
    let start = usize::try_from(span["start"].as_u64()?).ok()?;
    let end = usize::try_from(span["end"].as_u64()?).ok()?;
    let text = row["text"].as_str()?;
    Some(
        text.chars()
            .skip(start)
            .take(end.checked_sub(start)?)
            .collect(),
    )
}

/// Letters and digits alone: formats change white space and marks.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}
