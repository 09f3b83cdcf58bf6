//! Most memory that a long stream takes.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use bartizan_core::{Direction, Origin};
use bartizan_guard::{
    Stream, StreamSubject,
    redact::{Keys, Redactor, Styles},
    window::WindowConfig,
};
use bartizan_policy::{Date, Policy};

use crate::{
    corpus, engines,
    table::{Table, verdict},
};

/// Most resident memory, in megabytes.
const LIMIT: f64 = 60.0;

pub(crate) fn run(megabytes: usize, binary: Option<&Path>) -> Result<(), miette::Report> {
    let mut table = Table::new(
        "Memory",
        &format!(
            "Peak resident memory (`VmHWM`) of a process that streams {megabytes} MB of mixed text."
        ),
        &["what", "peak MB", "limit MB", "met"],
    );
    let this = std::env::current_exe().map_err(|error| miette::miette!("{error}"))?;
    let mut library = Command::new(this);
    library.arg("stream");
    let mut rows = vec![("`bartizan_guard::Stream`", library)];
    if let Some(binary) = binary {
        let mut check = Command::new(binary);
        check.args(["check", "--stream", "-"]);
        rows.push(("`bartizan check --stream -`", check));
    }
    for (what, command) in rows {
        let peak = peak(command, megabytes).map_err(|error| miette::miette!("{what}: {error}"))?;
        table.row([
            what.to_owned(),
            format!("{peak:.1}"),
            format!("{LIMIT:.0}"),
            verdict(peak < LIMIT).to_owned(),
        ]);
    }
    if binary.is_none() {
        table.note("The binary was not measured: no `--binary` was given.");
    }
    Ok(())
}

/// Peak megabytes of `command`, fed with `megabytes` of text.
fn peak(mut command: Command, megabytes: usize) -> std::io::Result<f64> {
    let text = corpus::mixed(4_000_000);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0f64;
    if let Some(mut input) = child.stdin.take() {
        let mut left = megabytes * 1_000_000;
        for piece in text.as_bytes().chunks(1_000_000).cycle() {
            let piece = piece.get(..left.min(piece.len())).unwrap_or_default();
            if piece.is_empty() || input.write_all(piece).is_err() {
                break;
            }
            left -= piece.len();
            peak = peak.max(high_water(&status));
        }
        drop(input);
    }
    while child.try_wait()?.is_none() {
        peak = peak.max(high_water(&status));
        std::thread::yield_now();
    }
    Ok(peak)
}

/// `VmHWM` of a process in megabytes (proc_pid_status(5)).
fn high_water(status: &str) -> f64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok())
        .map_or(0.0, |kibibytes| kibibytes * 1024.0 / 1e6)
}

/// The process that is measured: streams what it reads, and throws away what it may release.
pub(crate) fn stream() -> Result<(), miette::Report> {
    use std::io::Read;
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let subject = StreamSubject {
        origin: Origin::User,
        direction: Direction::Input,
        sink: None,
        route: String::new(),
        tenant: String::new(),
        today: Date::new(2026, 11, 21).map_err(|error| miette::miette!("{error}"))?,
    };
    let redactor = Redactor::new(Styles::default(), Keys::new([7; 32]), "bench");
    let mut stream = Stream::new(
        Arc::new(guard),
        Arc::new(Policy::default()),
        redactor,
        subject,
        WindowConfig::BULK,
    );
    let mut input = std::io::stdin().lock();
    let (mut buffer, mut out) = (vec![0; 64 << 10], Vec::new());
    loop {
        let read = input
            .read(&mut buffer)
            .map_err(|error| miette::miette!("{error}"))?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        stream.push(bytes, &mut out);
        out.clear();
        let _ = stream.take_findings();
    }
    stream.finish(&mut out);
    Ok(())
}
