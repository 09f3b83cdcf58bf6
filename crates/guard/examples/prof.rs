#![allow(warnings, clippy::all)]
use bartizan_core::*;
use bartizan_guard::*;
use bartizan_text::rules::RuleSet;
use std::sync::Arc;
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap()
}
fn main() {
    let guard = Guard::standard(&Settings::default(), RuleSet::builtin()).unwrap();
    let mut prompts = vec![];
    for l in std::fs::read_to_string("/work/shared/data/injection/train-00.jsonl")
        .unwrap()
        .lines()
    {
        let d: serde_json::Value = serde_json::from_str(l).unwrap();
        if d["lang"] == "en" && d["label"] == "benign" {
            prompts.push(d["text"].as_str().unwrap().to_string());
        }
    }
    let mut texts = vec![];
    let mut cur = String::new();
    for p in prompts {
        cur.push_str(&p);
        cur.push('\n');
        if cur.len() > 1000 {
            texts.push(std::mem::take(&mut cur));
        }
    }
    texts.truncate(3000);
    let bytes: usize = texts.iter().map(|t| t.len()).sum();
    println!(
        "{} texts {} bytes; {:?}",
        texts.len(),
        bytes,
        guard.scanner().patterns().size()
    );
    for round in 0..2 {
        let t = cpu();
        for x in &texts {
            std::hint::black_box(guard.scanner().main(x.as_bytes()));
        }
        println!("fold {:.2} ns/B", (cpu() - t) / bytes as f64);
        let t = cpu();
        for x in &texts {
            std::hint::black_box(guard.scanner().patterns().scan(x));
        }
        println!("scan {:.2} ns/B", (cpu() - t) / bytes as f64);
        let t = cpu();
        for x in &texts {
            std::hint::black_box(guard.read(&Subject::input(x.as_bytes(), Origin::User)));
        }
        println!("read {:.2} ns/B", (cpu() - t) / bytes as f64);
        for c in guard.checks() {
            let t = cpu();
            let mut n = 0;
            for x in &texts {
                let text = guard.read(&Subject::input(x.as_bytes(), Origin::User));
                let mut r = Report::default();
                r.run(&**c, &text, Limits::default());
                n += r.findings.len();
            }
            println!(
                "read+{} {:.2} ns/B {n}",
                c.name(),
                (cpu() - t) / bytes as f64
            );
        }
        let t = cpu();
        for x in &texts {
            std::hint::black_box(
                guard.inspect(&Subject::input(x.as_bytes(), Origin::User), NO_CLOCK),
            );
        }
        println!("all {:.2} ns/B", (cpu() - t) / bytes as f64);
    }
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .find(|l| l.starts_with("VmRSS"))
            .unwrap()
    );
}
