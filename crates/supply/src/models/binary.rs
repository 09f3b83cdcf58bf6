//! Inspectors of models in binary formats.

use bartizan_core::{CheckError, Rule};
use bartizan_formats::{Format, Gguf, MsgPack, Onnx, Rds, TensorFlow, is_ubjson};

use super::{
    graphs::{coreml, is_coreml, onnx, tensorflow, tflite},
    opaque::{native, opaque, opaque_kind},
    rules::*,
    weights::{gguf, hdf5, msgpack, r, safetensors, ubjson},
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

/// Whether nothing proves that the bytes are not a model of a format without magic of its own.
///
/// The first bytes of a picture prove nothing: they are a field to a reader of protobuf.
fn may_be_model(formats: &[Format]) -> bool {
    let proves_nothing = |format: &Format| {
        matches!(
            format,
            Format::Unknown
                | Format::Pickle
                | Format::Zlib
                | Format::Lzma
                | Format::Zip
                | Format::Tar
                | Format::Image
                | Format::Media
                | Format::Font
                | Format::Parquet
                | Format::Arrow
        )
    };
    formats.contains(&Format::Protobuf) || formats.iter().all(proves_nothing)
}

inspector!(
    /// HDF5, with Keras' configuration in it.
    Hdf5File, "hdf5",
    [BROKEN, LAMBDA, KERAS_FOREIGN, KERAS_CUSTOM, KERAS_OUTSIDE, HDF5_OUTSIDE, HDF5_PLUGIN],
    |_, formats| formats.contains(&Format::Hdf5),
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
