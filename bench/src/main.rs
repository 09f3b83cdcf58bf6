//! End-to-end measurements, beside peers on the same work in the same run.
#![allow(clippy::print_stdout, reason = "a command line tool")]
#![allow(clippy::disallowed_methods, reason = "measures time")]

mod corpus;
mod forty;

use std::{hint::black_box, sync::Arc, time::Instant};

use bartizan_core::Origin;
use bartizan_text::{PatternsBuilder, Scanner, secrets::Secrets, views::ViewLimits};

fn main() {
    let text = corpus::mixed(32 << 20);
    let mut builder = PatternsBuilder::default();
    let secrets = Secrets::new(&mut builder).expect("built-in");
    let patterns = builder.build();
    println!("{:?}", patterns.size());
    let time = |name: &str, run: &mut dyn FnMut() -> usize| {
        let mut best = f64::MAX;
        let mut n = 0;
        for _ in 0..3 {
            let start = Instant::now();
            n = black_box(run());
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{name}: {:.0} MB/s, {n}", text.len() as f64 / 1e6 / best);
    };
    time("fold", &mut || {
        bartizan_text::views::main_view(text.as_bytes()).text.len()
    });
    time("scan", &mut || patterns.scan(&text).len());
    let combined = forty::combined().expect("peer");
    time("forty combined", &mut || combined.find_iter(&text).count());
    time("count @", &mut || {
        memchr::memchr_iter(b'@', text.as_bytes()).count()
    });
    let scanner = Scanner::new(Arc::new(patterns), ViewLimits::default());
    time("read", &mut || {
        scanner.read(Origin::User, text.as_bytes()).views().count()
    });
    let _ = secrets;
}
