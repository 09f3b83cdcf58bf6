//! Graphs of operators: ONNX, TensorFlow, TensorFlow Lite, Core ML.

use bartizan_core::CheckError;
use bartizan_formats::{Json, Message, Onnx, Shape, Source, TensorFlow, TfLite};

use super::{
    danger::leads_out,
    failed, graph, keras,
    rules::{
        BROKEN, CODE_RISK, CONFIG_PATH, COREML_CUSTOM, COREML_LINKED, ONNX_FOREIGN, ONNX_PATH,
        ONNX_PYTHON, TF_ASSET, TF_DANGEROUS, TFLITE_CUSTOM,
    },
    shown,
};
use crate::{Artifact, Desk};

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

pub(super) fn onnx(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

pub(super) fn tensorflow(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

pub(super) fn tflite(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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

/// `Model` of Core ML: a version, a description, and one of its kinds of models.
pub(super) fn is_coreml(source: &dyn Source) -> bool {
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
pub(super) fn coreml(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
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
