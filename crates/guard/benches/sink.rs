//! Sinks and leaks over prose and over text that has something to find.

use std::sync::Arc;

use bartizan_core::{Check, Cx, Direction, Finding, Limits, Origin, Sink};
use bartizan_guard::{
    leak::{Canaries, LeakCheck, LeakConfig, LeakIndex},
    sink::{AllowedHosts, SinkHazards},
};
use bartizan_text::{PatternsBuilder, Scanner, Text, views::ViewLimits};
use divan::{Bencher, counter::BytesCount};

const PROSE: &str = "The board met on Tuesday to talk about the new harbour, and most of those who \
    spoke were in favour; others weren't. A second meeting will follow in May. ";

const PAGE: &str = "<p class=\"a\">One <b>bold</b> word, a <a href=\"/x?y=1\">link</a>, and a picture \
    <img src=\"/logo.png\" alt=\"logo\">.</p>\n";

fn main() {
    divan::main();
}

fn look(
    bencher: Bencher<'_, '_>,
    check: &dyn for<'t> Check<Text<'t>>,
    sink: Option<Sink>,
    text: &str,
) {
    let patterns = PatternsBuilder::default().build();
    let scanner = Scanner::new(Arc::new(patterns), ViewLimits::default());
    let mut text = scanner.read(Origin::Model, text.as_bytes());
    text.direction = Direction::Output;
    text.sink = sink;
    bencher
        .counter(BytesCount::new(text.raw().len()))
        .bench(|| {
            let mut findings: Vec<Finding> = Vec::new();
            let mut cx = Cx::new(check.layer(), Limits::default(), &mut findings);
            let _ = check.check(&text, &mut cx);
            findings.len()
        });
}

#[divan::bench(args = Sink::ALL)]
fn prose(bencher: Bencher<'_, '_>, sink: Sink) {
    let text = PROSE.repeat(64);
    let check = match sink {
        Sink::Markdown | Sink::Url => SinkHazards::whole(AllowedHosts::default()),
        _ => SinkHazards::local(AllowedHosts::default()),
    };
    look(bencher, &check, Some(sink), &text);
}

#[divan::bench]
fn no_sink(bencher: Bencher<'_, '_>) {
    let check = SinkHazards::local(AllowedHosts::default());
    look(bencher, &check, None, &PROSE.repeat(64));
}

#[divan::bench]
fn page(bencher: Bencher<'_, '_>) {
    let check = SinkHazards::local(AllowedHosts::default());
    look(bencher, &check, Some(Sink::Html), &PAGE.repeat(64));
}

#[divan::bench(args = ["<a <a b=\"> ", "or 1 ", ",=", "<", "`", "{{", "select "])]
fn worst(bencher: Bencher<'_, '_>, piece: &str) {
    let sink = match piece {
        "or 1 " | "select " => Sink::Sql,
        ",=" => Sink::Csv,
        "`" => Sink::Shell,
        "{{" => Sink::Template,
        _ => Sink::Html,
    };
    let check = SinkHazards::local(AllowedHosts::default());
    look(
        bencher,
        &check,
        Some(sink),
        &piece.repeat((1 << 20) / piece.len()),
    );
}

/// An answer against an index of `words` words that it does not repeat.
#[divan::bench(args = [0, 10_000, 10_000_000])]
fn documents(bencher: Bencher<'_, '_>, words: u32) {
    let document: String = (0..words).map(|n| format!("w{n} ")).collect();
    let index = LeakIndex::new([7; 16], &[], [document.as_str()], LeakConfig::default());
    let check = LeakCheck::local(Arc::new(index));
    look(bencher, &check, None, &PROSE.repeat(4096));
}

#[divan::bench]
fn prompt(bencher: Bencher<'_, '_>) {
    let prompt = PROSE.replace("the", "a");
    let index = LeakIndex::new([7; 16], &[&prompt], [], LeakConfig::default());
    let check = LeakCheck::local(Arc::new(index));
    look(bencher, &check, None, &ANSWER.repeat(4096));
}

#[divan::bench]
fn canary(bencher: Bencher<'_, '_>) {
    let Ok(check) = Canaries::new(&[bartizan_guard::leak::canary([9; 16])]) else {
        return;
    };
    look(bencher, &check, None, &ANSWER.repeat(4096));
}

const ANSWER: &str = "An answer about something else entirely. ";
