//! Files of weights: HDF5, GGUF, safetensors, R, MessagePack, UBJSON.

use bartizan_core::CheckError;
use bartizan_formats::{
    Gguf, Json, MsgPack, Rds, SafeTensors, Section, check_ubjson,
    hdf5::{Hdf5, OutsideKind},
    pickle,
};

use super::{
    failed, keras,
    rules::{
        BROKEN, CODE_RISK, HDF5_OUTSIDE, HDF5_PLUGIN, MSGPACK_EXTENSION, MSGPACK_PICKLE, R_CODE,
        R_PROMISE,
    },
    shown,
    template::template,
};
use crate::{Artifact, Desk};

pub(super) fn hdf5(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let file = match Hdf5::read(artifact.source) {
        Ok(file) => file,
        Err(error) => return failed(desk, error),
    };
    desk.spend(file.attributes.len() as u64 + 1)?;
    for (kind, what) in [
        (OutsideKind::Link, "links lead to other files"),
        (
            OutsideKind::Storage,
            "datasets have their bytes in other files",
        ),
        (
            OutsideKind::Virtual,
            "datasets are put together from other files",
        ),
    ] {
        let count = file
            .outside
            .iter()
            .filter(|outside| outside.kind == kind)
            .count();
        if count > 0 {
            desk.report(&HDF5_OUTSIDE, None, format!("{count} {what}"))?;
        }
    }
    for filter in &file.plugins {
        // LZF comes with h5py.
        if *filter != 32_000 {
            desk.report(&HDF5_PLUGIN, None, format!("filter {filter} is a plug-in"))?;
        }
    }
    for attribute in &file.attributes {
        let text = attribute.text.trim_start();
        if text.starts_with(['{', '['])
            && let Ok(json) = Json::parse(text)
        {
            keras::keras(&json, desk)?;
        } else if matches!(attribute.name.as_str(), "model_config" | "training_config") {
            let why = "the model's configuration is no JSON";
            desk.report(&BROKEN, None, why)?;
            return Err(CheckError::Malformed(why.into()));
        }
    }
    Ok(())
}

pub(super) fn gguf(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let file = match Gguf::read(artifact.source) {
        Ok(file) => file,
        Err(error) => return failed(desk, error),
    };
    for fault in &file.faults {
        desk.report(&BROKEN, None, *fault)?;
    }
    for (key, text) in &file.texts {
        let is_template = key.contains("template") || text.contains("{%") || text.contains("{{");
        if is_template {
            template(text, desk)?;
        }
    }
    Ok(())
}

pub(super) fn safetensors(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let file = match SafeTensors::read(artifact.source) {
        Ok(file) => file,
        Err(error) => return failed(desk, error),
    };
    for fault in &file.faults {
        desk.report(&BROKEN, None, fault.as_str())?;
    }
    for (_, text) in &file.metadata {
        let code = [
            "__import__(",
            "os.system(",
            "subprocess.",
            "eval(",
            "exec(",
            "<script",
            "!!python/",
            "__globals__",
            "base64.b64decode(",
        ];
        if code.iter().any(|sign| text.contains(sign)) {
            desk.report(&CODE_RISK, None, "a note in the header is code")?;
        }
    }
    Ok(())
}

/// Names by which R runs programs and text, or speaks to the network.
const R_COMMANDS: &[&str] = &[
    "system",
    "system2",
    "shell",
    "shell.exec",
    "eval",
    "evalq",
    "parse",
    "source",
    "do.call",
    "Sys.setenv",
    "download.file",
    "url",
    "socketConnection",
    "pipe",
    "dyn.load",
    ".Call",
    ".External",
    "library.dynam",
    "unlink",
    "file.remove",
    "reg.finalizer",
    "on.exit",
];

pub(super) fn r(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let start = Rds::start(artifact.source).unwrap_or(0);
    let file = match Rds::read(artifact.source, start) {
        Ok(file) => file,
        Err(error) => return failed(desk, error),
    };
    if file.promise {
        desk.report(&R_PROMISE, None, "a value is a promise")?;
    }
    if file.closure || file.bytecode {
        desk.report(&R_CODE, None, "a value is a function")?;
    }
    if file.pointer {
        desk.report(&R_CODE, None, "a value is a pointer into memory")?;
    }
    let runs = file
        .symbols
        .iter()
        .find(|name| R_COMMANDS.contains(&name.as_str()));
    if let Some(name) = runs.filter(|_| file.call) {
        desk.report(
            &R_CODE,
            None,
            format!("a value is a call that names `{}`", shown(name)),
        )?;
    }
    if file.bytecode {
        return Err(CheckError::Unavailable(
            "what follows compiled code is not read".into(),
        ));
    }
    Ok(())
}

pub(super) fn msgpack(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let file = match MsgPack::read(artifact.source) {
        Ok(file) => file,
        Err(error) => return failed(desk, error),
    };
    let is_pickle = |at: u64, length: u64| {
        let section = Section::new(artifact.source, at, length);
        let bytes = artifact.source.read(at, 2).unwrap_or_default();
        matches!(bytes.as_slice(), [0x80, 2..=5]) && pickle::is_pickle(&section)
    };
    for (number, at, length) in &file.extensions {
        // A pickle of any protocol, where arrays have another form.
        if pickle::is_pickle(&Section::new(artifact.source, *at, *length)) {
            desk.report(
                &MSGPACK_PICKLE,
                None,
                format!("extension {number} is a pickle"),
            )?;
            desk.member("extension", &Section::new(artifact.source, *at, *length))?;
        } else if !(1..=3).contains(number) {
            // Flax has 1, arrays; 2, complex numbers; 3, single numbers. -1 is MessagePack's own time.
            if *number != -1 {
                desk.report(
                    &MSGPACK_EXTENSION,
                    None,
                    format!("extension {number} is unknown"),
                )?;
            }
        }
    }
    for (at, length) in &file.binaries {
        if is_pickle(*at, *length) {
            desk.report(&MSGPACK_PICKLE, None, "bytes are a pickle")?;
            desk.member("bytes", &Section::new(artifact.source, *at, *length))?;
        }
    }
    if file.trailing > 0 {
        desk.report(&BROKEN, None, "bytes after the value belong to none")?;
    }
    Ok(())
}

pub(super) fn ubjson(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    match check_ubjson(artifact.source) {
        Ok(()) => Ok(()),
        Err(error) => failed(desk, error),
    }
}
