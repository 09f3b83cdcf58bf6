use super::{check, clean, stopped, write::*};

fn node(domain: &str, kind: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    message(&[
        field(1, "x"),
        field(2, "y"),
        field(4, kind),
        message(attributes),
        field(7, domain),
    ])
}

fn onnx(graph: &[Vec<u8>], more: &[Vec<u8>]) -> Vec<u8> {
    message(&[
        number(1, 8),
        field(7, message(graph)),
        message(more),
        field(8, number(2, 18)),
    ])
}

fn external(path: &str) -> Vec<u8> {
    let entry = message(&[field(1, "location"), field(2, path)]);
    message(&[
        number(1, 4),
        number(2, 1),
        field(8, "w"),
        field(13, entry),
        number(14, 1),
    ])
}

#[test]
fn honest_onnx_is_clean() {
    let relu = field(1, node("", "Relu", &[]));
    clean("m.onnx", &onnx(std::slice::from_ref(&relu), &[]));
    clean(
        "m.onnx",
        &onnx(&[relu.clone(), field(5, external("m.onnx.data"))], &[]),
    );
    clean(
        "m.onnx",
        &onnx(&[field(1, node("com.microsoft", "Attention", &[]))], &[]),
    );
    let tensor = message(&[number(1, 2), number(2, 1), field(9, [0; 8])]);
    clean("m.onnx", &onnx(&[relu.clone(), field(5, tensor)], &[]));
    let own = message(&[
        field(1, "F"),
        field(7, node("", "Relu", &[])),
        field(10, "mine"),
    ]);
    clean(
        "m.onnx",
        &onnx(&[field(1, node("mine", "F", &[]))], &[field(25, own)]),
    );
}

#[test]
fn no_magic_of_another_format_hides_a_graph() {
    let python = field(7, field(1, node("ai.onnx.contrib", "PyOp", &[])));
    let graph = |first: &[u8]| [first, &number(1, 8), &python].concat();
    let film = [number(1, 7), field(2, "ftypisom"), python.clone()].concat();
    check("m.onnx", &film, &["onnx.python-operator"]);
    let tar = graph(&[field(4, vec![b' '; 252]), field(2, "ustar")].concat());
    assert_eq!(tar.get(257..262), Some(&b"ustar"[..]));
    let seen = super::rules("m.onnx", &tar);
    assert!(
        seen.contains(&"onnx.python-operator".to_owned()),
        "{seen:?}"
    );
    // Fields that nobody knows are passed over by a loader, whatever they look like to others.
    for first in [
        &b"\x89PNG\r\n\x1a\n\0\0"[..],
        b"ID3\x04\0\0\0\0\0",
        b"MM\0*\0",
    ] {
        let bytes = graph(first);
        let seen = super::rules("m.onnx", &bytes);
        assert!(seen.contains(&"artifact.polyglot".to_owned()), "{seen:?}");
        stopped("m.onnx", &bytes);
    }
    // Text as long as what is looked at to tell text.
    let text = field(4, "a domain of ASCII letters").repeat(400);
    let bytes = graph(&text);
    let seen = super::rules("readme.txt", &bytes);
    assert!(
        seen.contains(&"onnx.python-operator".to_owned()),
        "{seen:?}"
    );
}

#[test]
fn onnx_that_reaches_out_is_seen() {
    for path in [
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "a/../../b",
        "http://example.org/x",
    ] {
        let model = onnx(&[field(5, external(path))], &[]);
        check("m.onnx", &model, &["onnx.outside-file"]);
        check("m.dat", &model, &["onnx.outside-file"]);
        // In a constant, in a subgraph, in a function, in a sparse tensor.
        let constant = field(5, message(&[field(1, "value"), field(5, external(path))]));
        let inner = node("", "Constant", &[constant]);
        let model = onnx(&[field(1, inner.clone())], &[]);
        check("m.onnx", &model, &["onnx.outside-file"]);
        let branch = field(
            5,
            message(&[field(1, "then_branch"), field(6, field(1, inner.clone()))]),
        );
        check(
            "m.onnx",
            &onnx(&[field(1, node("", "If", &[branch]))], &[]),
            &["onnx.outside-file"],
        );
        let function = field(
            25,
            message(&[field(1, "F"), field(7, inner), field(10, "mine")]),
        );
        check(
            "m.onnx",
            &onnx(&[field(1, node("mine", "F", &[]))], &[function]),
            &["onnx.outside-file"],
        );
        let sparse = field(15, field(1, external(path)));
        check("m.onnx", &onnx(&[sparse], &[]), &["onnx.outside-file"]);
    }
}

#[test]
fn onnx_operators_of_others_are_seen() {
    let python = node("ai.onnx.contrib", "PyOp", &[]);
    check(
        "m.onnx",
        &onnx(&[field(1, python.clone())], &[]),
        &["onnx.python-operator"],
    );
    let branch = field(5, message(&[field(1, "body"), field(6, field(1, python))]));
    check(
        "m.onnx",
        &onnx(&[field(1, node("", "Loop", &[branch]))], &[]),
        &["onnx.python-operator"],
    );
    check(
        "m.onnx",
        &onnx(&[field(1, node("evil", "Op", &[]))], &[]),
        &["onnx.foreign-operator"],
    );
    let note = field(
        14,
        message(&[field(1, "k"), field(2, "__import__('os').system('x')")]),
    );
    check(
        "m.onnx",
        &onnx(&[field(1, node("", "Relu", &[]))], &[note]),
        &["code.risky-call"],
    );
    let lying = message(&[number(1, 1 << 40), number(2, 1), field(9, [0; 8])]);
    check(
        "m.onnx",
        &onnx(&[field(5, lying)], &[]),
        &["model.broken-structure"],
    );
}

#[test]
fn broken_onnx_is_never_clean() {
    let whole = onnx(
        &[field(1, node("", "Relu", &[])), field(5, external("w"))],
        &[],
    );
    for end in 1..whole.len() - 4 {
        stopped("m.onnx", &whole[..end]);
    }
}

fn tf_node(kind: &str) -> Vec<u8> {
    field(1, message(&[field(1, "n"), field(2, kind)]))
}

/// The same graph as a frozen one, a `MetaGraphDef`, and a `SavedModel`.
fn tensorflow(graph: &[u8], meta: &[u8]) -> [Vec<u8>; 3] {
    let whole = message(&[field(1, field(4, "serve")), field(2, graph), meta.to_vec()]);
    [
        graph.to_vec(),
        whole.clone(),
        message(&[number(1, 1), field(2, whole)]),
    ]
}

#[test]
fn tensorflow_operators_are_weighed() {
    let rule = |kind: &str| -> &[&str] {
        match kind {
            "PyFunc" | "EagerPyFunc" | "ReadFile" | "WriteFile" | "MatchingFiles" => {
                &["tensorflow.dangerous-operator"]
            }
            "TextLineDataset" => &["tensorflow.file-operator"],
            "MyOwnOp" => &["tensorflow.unknown-operator"],
            _ => &[],
        }
    };
    for kind in [
        "PyFunc",
        "EagerPyFunc",
        "ReadFile",
        "WriteFile",
        "MatchingFiles",
        "TextLineDataset",
        "MyOwnOp",
        "MatMul",
        "SaveV2",
        "RestoreV2",
        "MergeV2Checkpoints",
        "ShardedFilename",
        "StatefulPartitionedCall",
        "HashTableV2",
        "InitializeTableFromTextFileV2",
        "VarHandleOp",
    ] {
        let graph = message(&[tf_node("Const"), tf_node(kind)]);
        for file in tensorflow(&graph, &[]) {
            check("saved_model.pb", &file, rule(kind));
            check("renamed.bin", &file, rule(kind));
        }
        // In a function of the graph's library.
        let signature = field(1, field(1, "f"));
        let function = field(
            1,
            message(&[
                signature,
                field(3, message(&[field(1, "n"), field(2, kind)])),
            ]),
        );
        let graph = message(&[tf_node("Const"), tf_node("f"), field(2, function)]);
        for file in tensorflow(&graph, &[]) {
            check("saved_model.pb", &file, rule(kind));
        }
        let text = format!("node {{\n  name: \"a\"\n  op: \"{kind}\"\n}}\n");
        check("graph.pbtxt", text.as_bytes(), rule(kind));
    }
}

#[test]
fn tensorflow_assets_and_notes_are_read() {
    let graph = tf_node("Const");
    let asset = |name: &str| field(6, field(2, name));
    for file in &tensorflow(&graph, &asset("../../x"))[1..] {
        check("saved_model.pb", file, &["tensorflow.asset-path"]);
    }
    for file in &tensorflow(&graph, &asset("vocab.txt"))[1..] {
        clean("saved_model.pb", file);
    }
    let lambda = r#"{"class_name":"Lambda","config":{}}"#;
    let object = field(4, message(&[field(1, "_tf_keras_layer"), field(3, lambda)]));
    for file in &tensorflow(&graph, &field(7, field(1, object)))[1..] {
        check("saved_model.pb", file, &["keras.lambda"]);
    }
    let note = |text: &str| {
        field(
            1,
            message(&[
                number(2, 1),
                field(3, "root"),
                field(4, "_tf_keras_layer"),
                field(5, text),
            ]),
        )
    };
    check("keras_metadata.pb", &note(lambda), &["keras.lambda"]);
    clean(
        "keras_metadata.pb",
        &note(r#"{"class_name":"Dense","config":{"units":1}}"#),
    );
}

#[test]
fn tflite_operators_are_weighed() {
    clean("m.tflite", &tflite(&[(0, ""), (9, "")]));
    clean("m.tflite", &tflite(&[(32, "FlexErfinv")]));
    check(
        "m.tflite",
        &tflite(&[(32, "FlexReadFile")]),
        &["tensorflow.dangerous-operator"],
    );
    check(
        "m.tflite",
        &tflite(&[(32, "FlexPyFunc")]),
        &["tensorflow.dangerous-operator"],
    );
    check(
        "m.bin",
        &tflite(&[(32, "Evil")]),
        &["tflite.custom-operator"],
    );
    let whole = tflite(&[(32, "FlexErfinv")]);
    let mut wild = whole.clone();
    wild[0..4].copy_from_slice(&0x7FFF_FFFF_u32.to_le_bytes());
    check("m.tflite", &wild, &["gap", "model.broken-structure"]);
    for end in 8..whole.len() {
        stopped("m.tflite", &whole[..end]);
    }
}

#[test]
fn core_ml_that_needs_others_is_seen() {
    let model = |kind: Vec<u8>| message(&[number(1, 4), field(2, field(1, field(1, "x"))), kind]);
    let layer = |part: u32| field(500, field(1, message(&[field(1, "l"), field(part, "")])));
    clean("m.mlmodel", &model(layer(140)));
    check("m.mlmodel", &model(layer(500)), &["coreml.custom-code"]);
    check(
        "m.bin",
        &model(field(555, field(10, "Evil"))),
        &["coreml.custom-code"],
    );
    check(
        "m.mlmodel",
        &model(field(556, field(1, field(1, "other.mlmodelc")))),
        &["coreml.linked-model"],
    );
    let away = field(556, field(1, field(1, field(1, "../../x"))));
    check(
        "m.mlmodel",
        &model(away),
        &["config.outside-path", "coreml.linked-model"],
    );
    let pipeline = field(202, field(1, model(layer(500))));
    check("m.mlmodel", &model(pipeline), &["coreml.custom-code"]);
}
