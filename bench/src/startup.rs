//! What a start costs.

use std::{hint::black_box, path::Path, process::Command};

use crate::{
    clock::{cpu_nanos, median, now, wall_nanos},
    engines,
    table::{Table, verdict},
};

/// Most that `bartizan check hello` may take, in milliseconds.
const LIMIT: f64 = 15.0;
const RUNS: usize = 21;

pub(crate) fn run(binary: Option<&Path>) -> Result<(), miette::Report> {
    let mut table = Table::new(
        "Start",
        &format!(
            "Milliseconds. The library rows: a fresh thread's first and only work; the binary's: median wall time of {RUNS} starts, and processor time of all by their number."
        ),
        &["what", "wall ms", "CPU ms", "limit ms", "met"],
    );
    let (wall, cpu) = (now(), cpu_nanos());
    let guard = engines::full().map_err(|error| miette::miette!("{error}"))?;
    let (built_wall, built_cpu) = (wall_nanos(wall), cpu_nanos().saturating_sub(cpu));
    black_box(engines::inspect(&guard, "hello"));
    let (all_wall, all_cpu) = (wall_nanos(wall), cpu_nanos().saturating_sub(cpu));
    for (what, wall, cpu) in [
        ("build the standard guard", built_wall, built_cpu),
        ("and look at `hello`", all_wall, all_cpu),
    ] {
        let (wall, cpu) = (wall as f64 / 1e6, cpu as f64 / 1e6);
        let met = verdict(cpu <= LIMIT).to_owned();
        table.row([
            what.to_owned(),
            format!("{wall:.1}"),
            format!("{cpu:.1}"),
            format!("{LIMIT:.0}"),
            met,
        ]);
    }
    let Some(binary) = binary else {
        table.note("The binary was not measured: no `--binary` was given.");
        return Ok(());
    };
    let mut walls = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = now();
        let output = Command::new(binary)
            .args(["check", "hello"])
            .output()
            .map_err(|error| miette::miette!("cannot run the binary: {error}"))?;
        walls.push(wall_nanos(start) as f64 / 1e6);
        if !output.status.success() {
            table.note(&format!("`check hello` failed: {}.", output.status));
            return Ok(());
        }
    }
    let wall = median(walls);
    let cpu = cpu_of_starts(binary);
    table.row([
        "`bartizan check hello`".to_owned(),
        format!("{wall:.1}"),
        cpu.map_or_else(|| "?".to_owned(), |cpu| format!("{cpu:.1}")),
        format!("{LIMIT:.0}"),
        verdict(cpu.unwrap_or(wall) <= LIMIT).to_owned(),
    ]);
    Ok(())
}

/// Milliseconds of processor time of one start: the shell's account of many.
fn cpu_of_starts(binary: &Path) -> Option<f64> {
    let script = format!(
        "TIMEFORMAT='%U %S'; time for i in {{1..{RUNS}}}; do \"$0\" check hello >/dev/null; done"
    );
    let output = Command::new("bash")
        .arg("-c")
        .arg(script)
        .arg(binary)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    let seconds: f64 = text
        .lines()
        .last()?
        .split_whitespace()
        .map(|part| part.parse::<f64>().ok())
        .sum::<Option<f64>>()?;
    Some(seconds * 1000.0 / RUNS as f64)
}
