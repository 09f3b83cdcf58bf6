//! `bartizan rag manifest` and `verify`.

use std::collections::BTreeSet;

use bartizan_core::Origin;
use bartizan_guard::{
    Inspection, JudgedPart,
    conversation::{Conversation, Format, Part, PartKind},
};
use bartizan_rag::integrity::{self, Manifest, ManifestKey, Tampering};

use super::{
    admit::context,
    files::chunks,
    show::{checked, show},
};
use crate::{
    cli::{RagManifest, RagVerify},
    clock::Stopwatch,
    engine::{Engine, read_config},
    env,
    exit::Exit,
    files,
    input::{escaped, read_bytes},
    key::Key,
    output,
    problem::{Problem, Problems},
    render::safe,
};

/// Bytes of a manifest file.
const MAX_MANIFEST: u64 = 1 << 30;
/// Ids of missing chunks that are named.
const NAMED: usize = 20;

/// Writes the signed list of chunks.
pub(super) fn manifest(arguments: &RagManifest) -> Result<Exit, Problems> {
    let key = key()?;
    let chunks = chunks(&arguments.chunks)?;
    let withdrawn: BTreeSet<String> = arguments.withdraw.iter().cloned().collect();
    let manifest = Manifest::new(&chunks, withdrawn, &key)
        .map_err(|error| Problem::new(error.to_string()).help("give every chunk an `id`"))?;
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| Problem::new(format!("cannot write the manifest: {error}")))?;
    match &arguments.out {
        Some(path) => files::write(path, &(text + "\n"))?,
        None => output::stdout(&(text + "\n"))?,
    }
    Ok(Exit::Clean)
}

/// Holds chunks against a manifest.
pub(super) fn verify(arguments: &RagVerify) -> Result<Exit, Problems> {
    let key = key()?;
    let manifest = read(arguments)?;
    manifest.verify(&key).map_err(|error| {
        Problem::new(format!("`{}`: {error}", escaped(&arguments.manifest))).help(
            "use the key that it was made with, or make it anew from documents that you trust",
        )
    })?;
    let watch = Stopwatch::start();
    let chunks = chunks(&arguments.chunks)?;
    let engine = Engine::deciding(&arguments.setup, read_config(&arguments.setup)?)?;
    let mut parts: Vec<Part> = Vec::with_capacity(chunks.len() + 1);
    let mut judged: Vec<JudgedPart> = Vec::with_capacity(chunks.len() + 1);
    for (number, chunk) in chunks.iter().enumerate() {
        let tampering = manifest.tampering(chunk, &key);
        let path = format!("chunks[{number}]");
        judged.push(part(&path, tampering));
        parts.push(document(&path, chunk.text.clone()));
    }
    if !arguments.partial {
        let present: BTreeSet<&str> = chunks.iter().map(|chunk| chunk.id.as_str()).collect();
        let removed: Vec<&str> = manifest.removed(&present).collect();
        judged.push(part(
            "manifest",
            (!removed.is_empty()).then_some(Tampering::Removed),
        ));
        parts.push(document("manifest", String::new()));
        for id in removed.iter().take(NAMED) {
            output::note(&format!("gone: chunk `{}`", safe::line(id)));
        }
        if removed.len() > NAMED {
            output::note(&format!("gone: {} more", removed.len() - NAMED));
        }
    }
    let conversation = Conversation {
        format: Format::Generic,
        parts,
    };
    let judgement = engine.judge.decide(judged, &context());
    let name = arguments.chunks.iter().map(|path| escaped(path));
    let name = name.collect::<Vec<_>>().join(", ");
    let path = arguments.chunks.first().cloned();
    let all = [checked(name, path, conversation, judgement, watch.nanos())];
    Ok(show(&engine, &all, vec![None], arguments.format, true)?)
}

fn document(path: &str, text: String) -> Part {
    Part::new(path, Origin::Retrieved, PartKind::Document, text)
}

fn part(path: &str, tampering: Option<Tampering>) -> JudgedPart {
    let mut inspection = Inspection::default();
    integrity::report(tampering, "rag-manifest", &mut inspection.report);
    JudgedPart {
        path: path.to_owned(),
        origin: Origin::Retrieved,
        kind: PartKind::Document,
        inspection,
    }
}

/// A key that is gone tomorrow verifies nothing.
fn key() -> Result<ManifestKey, Problem> {
    let key = Key::get()?;
    if !key.is_lasting {
        return Err(Problem::new(format!("`{}` is not set", env::KEY))
            .help("make one with `openssl rand -hex 32` and keep it secret"));
    }
    ManifestKey::new(&key.bytes).map_err(|error| Problem::new(error.to_string()))
}

fn read(arguments: &RagVerify) -> Result<Manifest, Problem> {
    let path = &arguments.manifest;
    let bytes = read_bytes(path, MAX_MANIFEST)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let place = format!("line {line}, column {column}");
        Problem::new(format!("`{}` is no manifest: {place}", escaped(path)))
            .help("`bartizan rag manifest` writes one")
    })
}
