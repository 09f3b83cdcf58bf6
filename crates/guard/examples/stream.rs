//! Redacts standard input as it comes, in constant memory.
//!
//! `printf 'card 4111 1111 1111 1111\n' | cargo run -p bartizan-guard --example stream`

use std::{
    error::Error,
    io::{self, Read as _, Write as _},
    sync::Arc,
};

use bartizan_core::{Direction, Origin};
use bartizan_guard::{
    Guard, Settings, Stream, StreamSubject,
    redact::{Keys, Redactor, Styles},
    window::{Flow, WindowConfig},
};
use bartizan_policy::{Date, Policy};
use bartizan_text::rules::RuleSet;

fn main() -> Result<(), Box<dyn Error>> {
    let mut stream = Stream::new(
        Arc::new(Guard::standard(&Settings::default(), RuleSet::builtin())?),
        Arc::new(Policy::default()),
        Redactor::new(Styles::default(), Keys::new([7; 32]), "example"),
        StreamSubject {
            origin: Origin::Model,
            direction: Direction::Output,
            sink: None,
            route: String::new(),
            tenant: String::new(),
            today: Date::constant(2026, 11, 21),
        },
        WindowConfig::PROMPT,
    );

    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let (mut piece, mut released) = ([0; 4096], Vec::new());
    loop {
        let count = input.read(&mut piece)?;
        let flow = match piece.get(..count) {
            Some(bytes) if count > 0 => stream.push(bytes, &mut released),
            _ => stream.finish(&mut released),
        };
        output.write_all(&released)?;
        output.flush()?;
        released.clear();
        if count == 0 || flow != Flow::Open {
            break;
        }
    }
    let found = stream.take_findings().len();
    writeln!(
        io::stderr(),
        "verdict {}, {found} findings, {} gaps",
        stream.verdict(),
        stream.gaps().len()
    )?;
    Ok(())
}
