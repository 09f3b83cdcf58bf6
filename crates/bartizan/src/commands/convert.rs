//! `bartizan convert`: tensors into `safetensors`, without loading the file that they come from.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use bartizan_formats::FileSource;
use bartizan_supply::{
    convert::{ConvertError, ConvertLimits, Plan, plan, verify},
    digest::{Algorithm, hash_source},
};
use serde_json::json;

use crate::{
    cli::{Convert, PlainFormat},
    exit::Exit,
    files::{Readers, cannot_write, write_with},
    input::{cannot_read, escaped},
    output,
    problem::{Problem, Problems},
    render::{human::plural, safe},
};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// Converts one file. Nothing is written where something would be lost that nobody gave up.
pub(crate) fn run(arguments: &Convert) -> Result<Exit, Problems> {
    let from = &arguments.from;
    let source = File::open(from)
        .and_then(FileSource::new)
        .map_err(|error| cannot_read(from, &error))?;
    let limits = ConvertLimits {
        max_bytes: arguments.max_size << 30,
        ..ConvertLimits::default()
    };
    let plan = plan(&source, &limits).map_err(|error| problem(from, &error))?;
    let is_whole = plan.left_out().is_empty();
    if plan.tensors().is_empty() {
        let message = format!("`{}` holds no tensors", escaped(from));
        return Err(Problem::new(message).into());
    }
    if !is_whole && !arguments.tensors_only {
        show(arguments, &plan, None)?;
        let message = format!("`{}` holds more than tensors", escaped(from));
        return Err(Problem::new(message)
            .help("`--tensors-only` leaves out what is listed; nothing was written")
            .into());
    }
    // For the new file's metadata.
    let digest = hash_source(&source, Algorithm::Sha256);
    let digest = digest
        .map_err(|error| cannot_read(from, &error))?
        .to_string();
    let version = env!("CARGO_PKG_VERSION");
    let facts = [
        ("bartizan.source", digest.as_str()),
        ("bartizan.version", version),
    ];
    let to = &arguments.to;
    let bytes = write_with(to, Readers::All, |file| {
        let mut out = BufWriter::with_capacity(BUFFER, &*file);
        let written = plan.write(&mut out, &facts).map_err(|error| match error {
            ConvertError::Write(error) => cannot_write(to, &error),
            error => problem(from, &error),
        })?;
        out.flush().map_err(|error| cannot_write(to, &error))?;
        drop(out);
        if arguments.verify {
            let again = file.try_clone().and_then(FileSource::new);
            let again = again.map_err(|error| cannot_read(to, &error))?;
            verify(&plan, &again, &written).map_err(|error| problem(to, &error))?;
        }
        Ok(written.bytes)
    })?;
    show(arguments, &plan, Some((bytes, &digest)))?;
    Ok(Exit::Clean)
}

fn problem(path: &Path, error: &ConvertError) -> Problem {
    let message = safe::line(&error.to_string());
    Problem::new(format!("`{}`: {message}", escaped(path)))
}

fn show(arguments: &Convert, plan: &Plan<'_>, written: Option<(u64, &str)>) -> Result<(), Problem> {
    output::stdout(&match arguments.format {
        PlainFormat::Human => as_text(arguments, plan, written),
        PlainFormat::Json => as_json(arguments, plan, written),
    })
}

fn as_text(arguments: &Convert, plan: &Plan<'_>, written: Option<(u64, &str)>) -> String {
    let mut text = String::new();
    for one in plan.left_out() {
        let place = if one.path.is_empty() {
            "the file"
        } else {
            &one.path
        };
        let line = safe::line(&format!("{place}: {}", one.what));
        let _ = writeln!(text, "left out: {line}");
    }
    if plan.more_left_out() > 0 {
        let _ = writeln!(text, "left out: {} more", plan.more_left_out());
    }
    for (name, kept) in plan.ties() {
        let line = safe::line(&format!("{name} is {kept}, written once"));
        let _ = writeln!(text, "note: {line}");
    }
    for note in plan.notes() {
        let _ = writeln!(text, "note: {note}");
    }
    if let Some((bytes, _)) = written {
        let count = plan.tensors().len();
        let verified = if arguments.verify { ", verified" } else { "" };
        let _ = writeln!(
            text,
            "converted: {count} {} in `{}`, {bytes} bytes{verified}",
            plural(count, "tensor"),
            escaped(&arguments.to)
        );
    }
    text
}

fn as_json(arguments: &Convert, plan: &Plan<'_>, written: Option<(u64, &str)>) -> String {
    let tensors = plan.tensors().iter().map(|tensor| {
        json!({
            "name": safe::line(tensor.name()),
            "dtype": tensor.dtype(),
            "shape": tensor.shape(),
            "bytes": tensor.bytes(),
        })
    });
    let left_out = plan
        .left_out()
        .iter()
        .map(|one| json!({ "path": safe::line(&one.path), "what": safe::line(&one.what) }));
    let ties = plan.ties().iter();
    let ties = ties.map(|(name, kept)| json!({ "name": safe::line(name), "is": safe::line(kept) }));
    let said = json!({
        "version": 1,
        "from": escaped(&arguments.from),
        "to": escaped(&arguments.to),
        "source": written.map(|(_, digest)| digest),
        "written_bytes": written.map(|(bytes, _)| bytes),
        "verified": written.is_some() && arguments.verify,
        "tensors": tensors.collect::<Vec<_>>(),
        "ties": ties.collect::<Vec<_>>(),
        "left_out": left_out.collect::<Vec<_>>(),
        "more_left_out": plan.more_left_out(),
        "notes": plan.notes(),
    });
    format!("{said:#}\n")
}
