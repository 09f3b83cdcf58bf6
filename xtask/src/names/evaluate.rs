//! Measures weights: strict spans on labelled text, false alarms on ordinary text, speed.
#![expect(
    clippy::disallowed_methods,
    reason = "a command that measures speed reads the clock"
)]

use std::{collections::BTreeMap, fs, time::Instant};

use bartizan_measure::Estimate;
use bartizan_text::names::{Model, NameKind, NameMatch, Names, NamesConfig, candidate};
use miette::IntoDiagnostic;

use super::{
    EvalArgs, Split,
    data::{self, Example, Labelling},
};

pub(super) fn run(args: &EvalArgs) -> miette::Result<()> {
    let bytes = fs::read(&args.weights).into_diagnostic()?;
    let model = Model::parse(&bytes).into_diagnostic()?;
    let names = Names::with_model(
        model.clone(),
        NamesConfig {
            kinds: NameKind::ALL.to_vec(),
            min_confidence: args.min_confidence,
        },
    );
    let file = match args.split {
        Split::Dev => "pii/dev.jsonl",
        Split::Eval => "pii/eval.jsonl",
    };
    let mut labelled = data::labelled(&args.data.join(file), Labelling::PeopleAndAddresses)?;
    if args.held_out {
        labelled.retain(data::is_held_out);
    }
    spans(&labelled, &names, args.show);
    alarms(args, &names, &model)
}

/// What was found, missed and invented.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    right: u32,
    missed: u32,
    wrong: u32,
    /// Of the missed, those that a find of the same kind touches.
    touched: u32,
}

impl Tally {
    fn print(self, name: &str) {
        let precision = share(self.right, self.right + self.wrong);
        let recall = share(self.right, self.right + self.missed);
        let f1 = 2.0 * f64::from(self.right)
            / f64::from((2 * self.right + self.missed + self.wrong).max(1));
        println!(
            "{name:<34} F1 {f1:.3}  precision {:.3} [{:.3}, {:.3}]  recall {:.3} [{:.3}, {:.3}]  n {} (touched {})",
            precision.0,
            precision.1,
            precision.2,
            recall.0,
            recall.1,
            recall.2,
            self.right + self.missed,
            self.right + self.touched,
        );
    }
}

/// Proportion with its 95 % interval.
fn share(hits: u32, of: u32) -> (f64, f64, f64) {
    let share = Estimate::share(hits.into(), of.into());
    let interval = share.and_then(|share| share.interval);
    let (low, high) = interval.map_or((0.0, 1.0), |interval| (interval.low, interval.high));
    (share.map_or(0.0, |share| share.value), low, high)
}

fn spans(examples: &[Example], names: &Names<'_>, show: usize) {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut found: Vec<NameMatch> = Vec::new();
    let mut shown = 0;
    for example in examples {
        names.find(&example.text, &mut found);
        let everything = example.source.starts_with("presidio_synth");
        for kind in NameKind::ALL {
            if !everything && matches!(kind, NameKind::Location | NameKind::Organization) {
                continue;
            }
            let mut now = Tally::default();
            for (range, _) in example.spans.iter().filter(|(_, k)| *k == kind) {
                if found.iter().any(|f| f.kind == kind && f.range == *range) {
                    now.right += 1;
                } else {
                    now.missed += 1;
                    now.touched += u32::from(found.iter().any(|f| {
                        f.kind == kind && f.range.start < range.end && range.start < f.range.end
                    }));
                }
            }
            let hits = found.iter().filter(|f| f.kind == kind).count() as u32;
            now.wrong = hits - now.right;
            if now.wrong + now.missed > 0 && shown < show {
                shown += 1;
                let read = |range: &std::ops::Range<usize>| {
                    example
                        .text
                        .get(range.clone())
                        .unwrap_or_default()
                        .to_owned()
                };
                let gold: Vec<_> = example
                    .spans
                    .iter()
                    .filter(|(_, k)| *k == kind)
                    .map(|(r, _)| read(r))
                    .collect();
                let got: Vec<_> = found
                    .iter()
                    .filter(|f| f.kind == kind)
                    .map(|f| (read(&f.range), f.confidence.get()))
                    .collect();
                println!(
                    "  {kind:?} {} {}: {:?}\n      gold {gold:?}\n      got  {got:?}",
                    example.source,
                    example.lang,
                    example.text.chars().take(300).collect::<String>()
                );
            }
            for key in [
                format!("{kind:?}"),
                format!("{kind:?} {}", example.source),
                format!("{kind:?} language {}", example.lang),
            ] {
                let tally = tallies.entry(key).or_default();
                tally.right += now.right;
                tally.missed += now.missed;
                tally.wrong += now.wrong;
                tally.touched += now.touched;
            }
        }
        found.clear();
    }
    for (key, tally) in tallies {
        if tally.right + tally.missed + tally.wrong > 0 {
            tally.print(&key);
        }
    }
}

/// Finds per 1,000 words of ordinary text by source. Names may stand there, so this is an upper
/// bound of the false alarms; `--show` prints them for a person to judge.
fn alarms(args: &EvalArgs, names: &Names<'_>, model: &Model<'_>) -> miette::Result<()> {
    let ordinary = data::ordinary(&args.data, &["injection/dev.jsonl", "rag/dev.jsonl"], false)?;
    let mut by_source: BTreeMap<&str, (usize, [u32; 4], usize, f64)> = BTreeMap::new();
    let mut found = Vec::new();
    let mut shown = 0;
    for example in &ordinary {
        let key = if example.lang == "en" {
            example.source.as_str()
        } else {
            "not English"
        };
        let entry = by_source.entry(key).or_default();
        entry.0 += example.text.split_whitespace().count();
        entry.2 += example.text.len();
        let start = Instant::now();
        names.find(&example.text, &mut found);
        entry.3 += start.elapsed().as_secs_f64();
        for name in found.drain(..) {
            if let Some(count) = entry.1.get_mut(name.kind as usize) {
                *count += 1;
            }
            if name.kind == NameKind::Person && shown < args.show {
                shown += 1;
                let context = example
                    .text
                    .get(name.range.start.saturating_sub(40)..name.range.start)
                    .unwrap_or_default();
                println!(
                    "  alarm {key} {}: {context:?} >{}<",
                    name.confidence,
                    example.text.get(name.range).unwrap_or_default()
                );
            }
        }
    }
    let mut total = (0, [0; 4], 0, 0.0);
    for (source, (words, counts, bytes, seconds)) in &by_source {
        total.0 += words;
        total.2 += bytes;
        total.3 += seconds;
        for (sum, count) in total.1.iter_mut().zip(counts) {
            *sum += count;
        }
        line(source, *words, *counts, *bytes, *seconds);
    }
    line("all ordinary text", total.0, total.1, total.2, total.3);
    for (name, chosen) in [
        (
            "English prose",
            &[
                "oasst",
                "awesome_chatgpt_prompts",
                "self_instruct",
                "topical_chat",
                "prompt_engineering_guide",
            ][..],
        ),
        (
            "documentation",
            &[
                "ripgrep",
                "rustls",
                "cedar",
                "nemo_docs",
                "owasp_cheatsheets",
                "giskard_docs",
            ][..],
        ),
        (
            "code",
            &[
                "prompts_chat_code",
                "gpteacher_codegen",
                "fastchat_code",
                "nemo_code",
                "rust_regex",
            ][..],
        ),
    ] {
        let text: Vec<&str> = ordinary
            .iter()
            .filter(|e| e.lang == "en" && chosen.contains(&e.source.as_str()))
            .map(|e| e.text.as_str())
            .collect();
        speed(name, &text.join("\n"), names, model);
    }
    Ok(())
}

/// Nanoseconds per byte of the steps, each with the ones before: the fastest of several runs.
fn speed(name: &str, text: &str, names: &Names<'_>, model: &Model<'_>) {
    let mut found = Vec::new();
    let (mut count, mut passed);
    (count, passed) = (0_usize, 0_usize);
    let mut best = [f64::MAX; 3];
    for _ in 0..25 {
        (count, passed) = (0, 0);
        let start = Instant::now();
        candidate::candidates(text, |_| count += 1);
        let words = start.elapsed().as_secs_f64();
        candidate::phrases(text, model, |_| passed += 1);
        let phrases = start.elapsed().as_secs_f64() - words;
        names.find(text, &mut found);
        let all = start.elapsed().as_secs_f64() - words - phrases;
        for (least, now) in best.iter_mut().zip([words, phrases, all]) {
            *least = least.min(now * 1e9 / text.len().max(1) as f64);
        }
        found.clear();
    }
    let [words, phrases, all] = best;
    println!(
        "{name}: {} bytes; words {words:.2}, phrases {phrases:.2}, everything {all:.2} ns/byte ({count} words, {passed} phrases)",
        text.len()
    );
}

fn line(source: &str, words: usize, counts: [u32; 4], bytes: usize, seconds: f64) {
    let rate = counts.map(|count| f64::from(count) * 1000.0 / words.max(1) as f64);
    let [person, address, location, organization] = rate;
    println!(
        "{source:<28} {words:>7} words; per 1,000: person {person:.2}, address {address:.2}, location {location:.2}, organisation {organization:.2}; {:.2} ns/byte",
        seconds * 1e9 / bytes.max(1) as f64
    );
}
