//! Inspectors of models in binary formats.

use bartizan_core::{CheckError, Rule};
use bartizan_formats::{
    Format, Gguf, Json, Message, MsgPack, Onnx, Rds, SafeTensors, Section, Shape, TensorFlow,
    TfLite, check_ubjson,
    hdf5::{Hdf5, OutsideKind},
    is_ubjson, pickle,
};

use super::{
    danger::{danger, leads_out},
    failed, graph, keras,
    rules::*,
    shown,
    template::template,
};
use crate::{Artifact, Desk, Inspector};

macro_rules! inspector {
    ($(#[$doc:meta])* $type:ident, $name:literal, [$($rule:ident),*], $matches:expr, $inspect:path) => {
        $(#[$doc])*
        pub(crate) struct $type;

        impl Inspector for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn rules(&self) -> &'static [&'static Rule] {
                static RULES: &[&Rule] = &[$(&$rule),*];
                RULES
            }

            fn matches(&self, artifact: &Artifact<'_>, formats: &[Format]) -> bool {
                let matches: fn(&Artifact<'_>, &[Format]) -> bool = $matches;
                matches(artifact, formats)
            }

            fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
                $inspect(artifact, desk)
            }
        }
    };
}

/// Whether nothing proves that the bytes are text, a picture, or their like.
fn may_be_model(formats: &[Format]) -> bool {
    formats.iter().all(|format| {
        matches!(
            format,
            Format::Unknown | Format::Pickle | Format::Zlib | Format::Lzma | Format::Zip
        )
    })
}

inspector!(
    /// HDF5, with Keras' configuration in it.
    Hdf5File, "hdf5",
    [BROKEN, LAMBDA, KERAS_FOREIGN, KERAS_CUSTOM, KERAS_OUTSIDE, HDF5_OUTSIDE, HDF5_PLUGIN],
    |artifact, formats| {
        formats.contains(&Format::Hdf5)
            || may_be_model(formats) && Hdf5::signature(artifact.source).is_some()
    },
    hdf5
);
inspector!(
    /// ONNX.
    OnnxFile, "onnx", [BROKEN, ONNX_PATH, ONNX_PYTHON, ONNX_FOREIGN, CODE_RISK],
    |artifact, formats| may_be_model(formats) && Onnx::is(artifact.source),
    onnx
);
inspector!(
    /// TensorFlow's graphs.
    TensorFlowFile, "tensorflow",
    [BROKEN, TF_DANGEROUS, TF_FILES, TF_UNKNOWN, TF_ASSET, LAMBDA, KERAS_FOREIGN, KERAS_CUSTOM, KERAS_OUTSIDE],
    |artifact, formats| {
        may_be_model(formats) && !Onnx::is(artifact.source) && TensorFlow::shape(artifact.source).is_some()
    },
    tensorflow
);
inspector!(
    /// TensorFlow Lite.
    TfLiteFile, "tflite", [BROKEN, TFLITE_CUSTOM, TF_DANGEROUS],
    |_, formats| formats.contains(&Format::TfLite),
    tflite
);
inspector!(
    /// GGUF.
    GgufFile, "gguf", [BROKEN, TEMPLATE_ESCAPE, TEMPLATE_ODD, TEMPLATE_HIDDEN],
    |artifact, formats| formats.contains(&Format::Gguf) || Gguf::is(artifact.source),
    gguf
);
inspector!(
    /// safetensors.
    SafetensorsFile, "safetensors", [BROKEN, CODE_RISK],
    |artifact, formats| {
        formats.contains(&Format::Safetensors)
            || artifact.path.to_ascii_lowercase().ends_with(".safetensors")
                && may_be_model(formats)
    },
    safetensors
);
inspector!(
    /// Core ML.
    CoreMlFile, "coreml", [BROKEN, COREML_CUSTOM, COREML_LINKED, CONFIG_PATH],
    |artifact, formats| {
        may_be_model(formats) && !Onnx::is(artifact.source) && is_coreml(artifact.source)
    },
    coreml
);
inspector!(
    /// R's serialised data.
    RFile, "r", [BROKEN, R_PROMISE, R_CODE],
    |artifact, formats| {
        formats.contains(&Format::Rds)
            || (may_be_model(formats) || formats.contains(&Format::Text)) && Rds::start(artifact.source).is_some()
    },
    r
);
inspector!(
    /// Flax' parameters in MessagePack.
    MsgPackFile, "msgpack", [BROKEN, MSGPACK_PICKLE, MSGPACK_EXTENSION],
    |artifact, formats| may_be_model(formats) && MsgPack::is(artifact.source),
    msgpack
);
inspector!(
    /// XGBoost's binary JSON.
    UbjsonFile, "ubjson", [BROKEN],
    |artifact, formats| may_be_model(formats) && is_ubjson(artifact.source),
    ubjson
);
inspector!(
    /// Programs and libraries.
    NativeFile, "native", [NATIVE],
    |artifact, formats| {
        formats.iter().any(|format| matches!(format, Format::Elf | Format::Pe | Format::MachO | Format::Wasm))
            || artifact.source.read(0, 8).is_ok_and(|head| head.starts_with(b"MZqFpD"))
    },
    native
);
inspector!(
    /// Compiled models, and data that only numbers can be.
    OpaqueFile, "opaque", [OPAQUE, BROKEN],
    |artifact, formats| opaque_kind(artifact, formats).is_some(),
    opaque
);

fn hdf5(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

/// Domains whose operators come with the runtime.
const DOMAINS: &[&str] = &[
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.microsoft.experimental",
    "com.ms.internal.nhwc",
    "com.microsoft.dml",
    "org.pytorch.aten",
    "com.microsoft.ml.featurizers",
];

fn onnx(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let model = match Onnx::read(artifact.source) {
        Ok(model) => model,
        Err(error) => return failed(desk, error),
    };
    for path in &model.external {
        if leads_out(path) {
            desk.report(
                &ONNX_PATH,
                None,
                "a tensor's bytes are read from outside the folder",
            )?;
        } else if path.is_empty() {
            desk.report(
                &BROKEN,
                None,
                "a tensor's bytes are in a file without a name",
            )?;
        }
    }
    for operator in &model.operators {
        let (domain, name) = operator;
        let whole = format!("{}.{}", domain, name);
        if name.to_ascii_lowercase().starts_with("pyop")
            || name == "PythonOp"
            || name == "PythonOpGrad"
        {
            desk.report(
                &ONNX_PYTHON,
                None,
                format!("the graph holds `{}`", shown(&whole)),
            )?;
        } else if !DOMAINS.contains(&domain.as_str()) && !model.functions.contains(operator) {
            desk.report(
                &ONNX_FOREIGN,
                None,
                format!("the graph holds `{}`", shown(&whole)),
            )?;
        }
    }
    for (_, note) in &model.metadata {
        let code = [
            "__import__(",
            "os.system(",
            "subprocess.",
            "eval(",
            "exec(",
            "<script",
        ];
        if code.iter().any(|sign| note.contains(sign)) {
            desk.report(&CODE_RISK, None, "a note of the model is code")?;
        }
    }
    if model.lying_tensor {
        desk.report(
            &BROKEN,
            None,
            "a tensor's shape and type do not make the size of its bytes",
        )?;
    }
    Ok(())
}

fn tensorflow(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let Some(shape) = TensorFlow::shape(artifact.source) else {
        return Err(CheckError::Malformed("no graph".into()));
    };
    let found = match TensorFlow::read(artifact.source, shape) {
        Ok(found) => found,
        Err(error) => return failed(desk, error),
    };
    desk.spend(found.operators.len() as u64)?;
    graph::operators(&found.operators, &found.functions, desk)?;
    for asset in &found.assets {
        if leads_out(asset) {
            desk.report(&TF_ASSET, None, "an asset's path leads out of the folder")?;
        }
    }
    for note in &found.notes {
        // Notes of other libraries may be anything; Keras' are JSON.
        if let Ok(json) = Json::parse(note) {
            keras::keras(&json, desk)?;
        } else if shape == Shape::KerasMetadata {
            desk.report(&BROKEN, None, "a layer's configuration is no JSON")?;
        }
    }
    Ok(())
}

/// Custom operators that TensorFlow's own tools and delegates write.
const LITE_OPERATORS: &[&str] = &[
    "TFLite_Detection_PostProcess",
    "Convolution2DTransposeBias",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "TransformTensorBilinear",
    "TransformLandmarks",
    "Landmarks2TransformMatrix",
    "AlignPointsToTransformMatrix",
    "Mfcc",
    "AudioSpectrogram",
    "NumericVerify",
    "RFFT2D",
    "IRFFT2D",
    "RandomStandardNormal",
    "RandomUniform",
    "Multinomial",
    "RegexNormalize",
    "edgetpu-custom-op",
    "AvgPool2DWithArgmax",
    "TFSentencepieceTokenizeOp",
];

fn tflite(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let model = match TfLite::read(artifact.source) {
        Ok(model) => model,
        Err(error) => return failed(desk, error),
    };
    for name in &model.custom {
        let flex = name.strip_prefix("Flex").map(graph::is_sound);
        match flex {
            Some(Some(false)) => {
                desk.report(
                    &TF_DANGEROUS,
                    None,
                    format!("the graph holds `{}`", shown(name)),
                )?;
            }
            Some(Some(true)) => {}
            _ if LITE_OPERATORS.contains(&name.as_str()) => {}
            _ => desk.report(
                &TFLITE_CUSTOM,
                None,
                format!("the graph holds `{}`", shown(name)),
            )?,
        }
    }
    Ok(())
}

fn gguf(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

fn safetensors(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

/// `Model` of Core ML: a version, a description, and one of its kinds of models.
fn is_coreml(source: &dyn bartizan_formats::Source) -> bool {
    let (mut version, mut description, mut kind) = (false, false, false);
    for field in Message::new(source).fields().take(64) {
        let Ok(field) = field else { return false };
        match (field.number, field.message()) {
            (1, None) => version = true,
            (2, Some(_)) => description = true,
            (10, None) => {}
            (200..=3_000, Some(_)) => kind = true,
            _ => return false,
        }
    }
    version && description && kind
}

/// Source: `mlmodel/format/Model.proto`, `NeuralNetwork.proto`, `LinkedModel.proto` of coremltools.
fn coreml(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut queue = vec![Message::new(artifact.source)];
    let mut steps = 0_u64;
    while let Some(model) = queue.pop() {
        for field in model.fields() {
            let field = match field {
                Ok(field) => field,
                Err(error) => return failed(desk, error),
            };
            steps += 1;
            let Some(inner) = field.message() else {
                continue;
            };
            match field.number {
                // Pipelines, alone or inside those for classes and numbers.
                202 => models(inner, &mut queue),
                200 | 201 => inner
                    .fields()
                    .flatten()
                    .filter_map(|field| field.message())
                    .for_each(|inner| models(inner, &mut queue)),
                303 | 403 | 500 => {
                    for layer in inner.fields().flatten().filter(|field| field.number == 1) {
                        steps += 1;
                        let parts = layer.message().into_iter().flat_map(|layer| layer.fields());
                        if parts.flatten().any(|part| part.number == 500) {
                            desk.report(
                                &COREML_CUSTOM,
                                None,
                                "a layer is a class of the application",
                            )?;
                        }
                    }
                }
                555 => desk.report(
                    &COREML_CUSTOM,
                    None,
                    "the model is a class of the application",
                )?,
                556 => {
                    desk.report(&COREML_LINKED, None, "the model is another file")?;
                    if inner.bytes(64 << 10).is_ok_and(|bytes| {
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        text.contains("..")
                            || text.contains("://")
                            || text
                                .split(|c: char| c.is_control())
                                .any(|part| part.starts_with('/'))
                    }) {
                        desk.report(
                            &CONFIG_PATH,
                            None,
                            "the other file's path leads out of the folder",
                        )?;
                    }
                }
                _ => {}
            }
        }
    }
    desk.spend(steps)
}

fn models<'a>(pipeline: Message<'a>, queue: &mut Vec<Message<'a>>) {
    let inner = pipeline
        .fields()
        .flatten()
        .filter(|field| field.number == 1);
    queue.extend(inner.filter_map(|field| field.message()));
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

fn r(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

fn msgpack(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

fn ubjson(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    match check_ubjson(artifact.source) {
        Ok(()) => Ok(()),
        Err(error) => failed(desk, error),
    }
}

fn native(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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
enum Opaque {
    /// A compiled model.
    Program(&'static str),
    /// Numbers, text of a tokenizer, or notes, which no reader runs.
    Data,
}

fn opaque_kind(artifact: &Artifact<'_>, formats: &[Format]) -> Option<Opaque> {
    if formats == [Format::ExecuTorch] {
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

fn opaque(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    match opaque_kind(artifact, &[Format::Unknown])
        .or_else(|| opaque_kind(artifact, &[Format::ExecuTorch]))
    {
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
fn is_tokenizer(source: &dyn bartizan_formats::Source) -> bool {
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
                        2 => matches!(part.value, bartizan_formats::Value::Fixed(_)),
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
fn is_numbers(source: &dyn bartizan_formats::Source) -> bool {
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
