//! What nobody can look into, and what needs no look.

use bartizan_core::CheckError;
use bartizan_formats::{Format, Message, Source, Value};

use super::{
    danger::danger,
    rules::{BROKEN, NATIVE, OPAQUE},
};
use crate::{Artifact, Desk};

pub(super) fn native(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let name = artifact.path.rsplit(['/', '!']).next().unwrap_or_default();
    let head = artifact.source.read(0, 4).unwrap_or_default();
    let what = match head.as_slice() {
        [0x7F, ..] => "the file is a program or library of Linux",
        [b'M', b'Z', ..] => "the file is a program or library of Windows",
        [0, b'a', ..] => "the file is WebAssembly",
        _ => "the file is a program or library of macOS, or a Java class",
    };
    let posing = danger(name).is_none()
        && [
            ".so", ".dll", ".dylib", ".exe", ".pyd", ".node", ".class", ".wasm", ".a",
        ]
        .iter()
        .all(|end| !name.to_ascii_lowercase().contains(end));
    if posing && name.contains('.') {
        return desk.report(
            &NATIVE,
            None,
            format!("{what}, under a name that says otherwise"),
        );
    }
    desk.report(&NATIVE, None, what)
}

/// What a file is that nobody can look into, or that needs no look.
pub(super) enum Opaque {
    /// A compiled model.
    Program(&'static str),
    /// Numbers, text of a tokenizer, or notes, which no reader runs.
    Data,
}

pub(super) fn opaque_kind(artifact: &Artifact<'_>, formats: &[Format]) -> Option<Opaque> {
    if formats.contains(&Format::ExecuTorch) {
        return Some(Opaque::Program("an ExecuTorch program"));
    }
    if formats.iter().any(|format| *format != Format::Unknown) {
        return None;
    }
    let source = artifact.source;
    let head = source.read(0, 64).ok()?;
    let name = artifact
        .path
        .rsplit(['/', '!'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let folder = artifact.path.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if head.starts_with(b"ptrt") || head.starts_with(b"ftrt") || ends(&[".engine", ".plan", ".trt"])
    {
        return Some(Opaque::Program("a TensorRT engine"));
    }
    if matches!(head.as_slice(), [_, _, b'\r', b'\n', ..]) {
        return Some(Opaque::Program("compiled Python"));
    }
    if head.starts_with(b"CBM1") {
        return Some(Opaque::Data);
    }
    if ends(&[".pdmodel", ".pdiparams", ".pdopt"]) {
        return Some(if name.ends_with("model") {
            Opaque::Program("a PaddlePaddle program")
        } else {
            Opaque::Data
        });
    }
    if ends(&[
        ".pte",
        ".ptl",
        ".mlmodelc",
        ".rknn",
        ".dlc",
        ".nb",
        ".om",
        ".hef",
        ".blob",
        ".vmfb",
        ".hailo",
    ]) {
        return Some(Opaque::Program("a compiled model"));
    }
    // A LevelDB table, as the index of a checkpoint is.
    let tail = source.read(source.len().saturating_sub(8), 8).ok()?;
    if tail == [0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB] {
        return Some(Opaque::Data);
    }
    let shard = name
        .rsplit_once(".data-")
        .is_some_and(|(_, number)| number.contains("-of-"));
    let weights = ends(&[
        ".onnx.data",
        ".onnx_data",
        ".onnx.dat",
        "weight.bin",
        ".data",
        ".weights",
    ]) || name.ends_with(".bin")
        && (folder.contains("weights/") || folder.contains("mlpackage"))
        || name.starts_with("events.out.tfevents");
    // Chunks of Zarr and the files of OCDBT, as JAX' checkpoints have them.
    let stem = name.trim_matches(|c: char| c.is_ascii_digit() || c == '.');
    let chunk = stem.is_empty() || folder.contains("ocdbt") || folder.contains(".zarr/");
    let plain = ends(&[".bin", ".dat", ".raw"]) && is_numbers(source);
    if plain || chunk || shard || weights || is_tokenizer(source) || is_notes(artifact) {
        return Some(Opaque::Data);
    }
    None
}

pub(super) fn opaque(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    match opaque_kind(artifact, desk.formats()) {
        Some(Opaque::Program(what)) => desk.report(&OPAQUE, None, format!("the file is {what}")),
        Some(Opaque::Data) => catboost(artifact, desk),
        None => Ok(()),
    }
}

/// CatBoost: letters, the length of the core, the core.
fn catboost(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let head = artifact.source.read(0, 8).unwrap_or_default();
    let Some((b"CBM1", length)) = head.split_first_chunk::<4>() else {
        return Ok(());
    };
    let length = length.try_into().map_or(u32::MAX, u32::from_le_bytes);
    if u64::from(length) > artifact.source.len().saturating_sub(8) {
        desk.report(&BROKEN, None, "the model's core ends after the file")?;
    }
    Ok(())
}

/// A SentencePiece model: pieces of text, scores, kinds.
fn is_tokenizer(source: &dyn Source) -> bool {
    let mut pieces = 0;
    for field in Message::new(source).fields().take(200) {
        let Ok(field) = field else { return false };
        let Some(inner) = field.message() else {
            return false;
        };
        match field.number {
            1 => {
                pieces += 1;
                let fits = inner.fields().all(|part| {
                    part.is_ok_and(|part| match part.number {
                        1 => part.message().is_some(),
                        2 => matches!(part.value, Value::Fixed(_)),
                        3 => part.varint().is_some(),
                        _ => false,
                    })
                });
                if !fits {
                    return false;
                }
            }
            2..=5 => {}
            _ => return false,
        }
    }
    pieces > 0
}

/// Whether bytes are weights and nothing else: samples of the start, the middle, and the end are all
/// numbers of a size that weights have. Text, instructions, and tables are none.
fn is_numbers(source: &dyn Source) -> bool {
    const SAMPLE: u64 = 1 << 10;
    let length = source.len();
    if length < 64 || !length.is_multiple_of(2) {
        return false;
    }
    let middle = length / 8 * 4;
    [0, middle, length.saturating_sub(SAMPLE) / 4 * 4]
        .iter()
        .all(|at| {
            let bytes = source.read(*at, SAMPLE).unwrap_or_default();
            let fits = |number: f32| number == 0.0 || (1e-7..=1e4).contains(&number.abs());
            let single: Vec<bool> = bytes
                .chunks_exact(4)
                .filter_map(|chunk| chunk.try_into().ok())
                .map(|chunk| fits(f32::from_le_bytes(chunk)))
                .collect();
            // Half of the range of its exponent: 2^-14 to 2^8, or zero.
            let half: Vec<bool> = bytes
                .chunks_exact(2)
                .filter_map(|chunk| chunk.try_into().ok())
                .map(|chunk| {
                    let bits = u16::from_le_bytes(chunk) & 0x7FFF;
                    bits == 0 || (1 << 10..0x17 << 10).contains(&bits)
                })
                .collect();
            single.iter().all(|fits| *fits) || half.iter().all(|fits| *fits)
        })
}

/// `fingerprint.pb` beside a `SavedModel`: hashes and a version, nothing else.
fn is_notes(artifact: &Artifact<'_>) -> bool {
    artifact.path.ends_with("fingerprint.pb")
        && artifact.source.len() < 1 << 10
        && Message::new(artifact.source)
            .fields()
            .all(|field| field.is_ok())
}
