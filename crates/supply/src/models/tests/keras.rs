use super::{check, clean, stopped, write::*};

/// A model of one layer.
fn model(layer: &str) -> String {
    format!(
        r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{layer}]}},"registered_name":null}}"#
    )
}

fn layer(module: &str, class: &str, config: &str) -> String {
    model(&format!(
        r#"{{"module":"{module}","class_name":"{class}","config":{config},"registered_name":null}}"#
    ))
}

fn function(module: &str, name: &str) -> String {
    layer(
        "keras.layers",
        "Dense",
        &format!(
            r#"{{"units":1,"activation":{{"module":"{module}","class_name":"function","config":"{name}","registered_name":"function"}}}}"#
        ),
    )
}

#[test]
fn honest_models_are_clean() {
    for json in [
        layer("keras.layers", "Dense", r#"{"units":1,"activation":"relu"}"#),
        layer("keras.src.ops.numpy", "Multiply", r#"{"name":"m"}"#),
        function("keras.activations", "gelu"),
        function("builtins", "relu"),
        r#"{"class_name":"Sequential","config":{"layers":[{"class_name":"Dense","config":{"units":1,"kernel_initializer":{"class_name":"GlorotUniform","config":{"seed":null}}}}]}}"#.into(),
        layer("keras.layers", "StringLookup", r#"{"vocabulary":["a","b"],"mask_token":NaN}"#),
        layer("keras.layers", "StringLookup", r#"{"vocabulary":null}"#),
        layer("builtins", "__tuple__", "[1,2]"),
        layer("keras_hub.src.models.bert", "BertBackbone", "{}"),
    ] {
        clean("config.json", json.as_bytes());
        clean("model.h5", &hdf5(&[("model_config", &json), ("keras_version", "3.0.0")], &[]));
    }
}

#[test]
fn code_in_a_layer_is_seen() {
    let code = r#"{"class_name":"__lambda__","config":{"code":"4wEAAA==","defaults":null}}"#;
    for json in [
        layer("keras.layers", "Lambda", &format!(r#"{{"function":{code}}}"#)),
        r#"{"class_name":"Sequential","config":[{"class_name":"Lambda","config":{"function":["4wEA",null,null],"function_type":"lambda"}}]}"#.into(),
        layer("keras.layers", "TimeDistributed", &format!(r#"{{"layer":{}}}"#, layer("keras.layers", "Lambda", "{}"))),
        layer("keras.layers", "Dense", &format!(r#"{{"activation":{code}}}"#)),
        layer("keras.src.layers.core.lambda_layer", "Lambda", "{}"),
        // A configuration that stands as text in another.
        layer("keras.layers", "Dense", &format!(r#"{{"note":{:?}}}"#, layer("keras.layers", "Lambda", "{}"))),
        layer("keras.layers", "L\\u0061mbda", "{}"),
    ] {
        check("config.json", json.as_bytes(), &["keras.lambda"]);
        check("renamed.bin", json.as_bytes(), &["keras.lambda"]);
        check("model.h5", &hdf5(&[("model_config", &json)], &[]), &["keras.lambda"]);
        check("any", &hdf5(&[("other", &json)], &[]), &["keras.lambda"]);
    }
}

#[test]
fn codings_that_python_reads_are_read() {
    let json = layer("keras.layers", "Lambda", "{}");
    let wide: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let double: Vec<u8> = json
        .chars()
        .flat_map(|c| u32::from(c).to_be_bytes())
        .collect();
    for (mark, text) in [
        (&[0xEF, 0xBB, 0xBF][..], json.as_bytes()),
        (&[], &wide),
        (&[0xFF, 0xFE], &wide),
        (&[], &double),
        (&[0, 0, 0xFE, 0xFF], &double),
    ] {
        check("config.json", &[mark, text].concat(), &["keras.lambda"]);
    }
    check(
        "config.json",
        format!("{json}x").as_bytes(),
        &["model.broken-structure"],
    );
}

#[test]
fn names_that_are_no_part_of_a_model_are_seen() {
    for json in [
        layer("os", "system", r#""x""#),
        layer("subprocess", "Popen", r#"{"args":["x"]}"#),
        layer("builtins", "eval", r#""x""#),
        // CVE-2025-8747: a download in the middle of loading.
        layer("keras.utils", "get_file", r#"{"origin":"x"}"#),
        layer("keras.src.utils.file_utils", "get_file", "{}"),
        layer("keras.config", "enable_unsafe_deserialization", "{}"),
        layer(
            "keras.src.saving.serialization_lib",
            "enable_unsafe_deserialization",
            "{}",
        ),
        function("keras.config", "enable_unsafe_deserialization"),
        function("builtins", "exec"),
        function("os", "system"),
        function("keras.utils", "get_file"),
        function("keras.models", "load_model"),
        layer("keras.layers", "TorchModuleWrapper", r#"{"module":"gAJ9"}"#),
        r#"{"class_name":"os.system","config":{}}"#.into(),
        r#"{"class_name":"TFOpLambda","config":{"function":"io.write_file"}}"#.into(),
        layer("pickle", "loads", "{}"),
        layer("importlib", "import_module", "{}"),
    ] {
        check("config.json", json.as_bytes(), &["keras.foreign-class"]);
    }
}

#[test]
fn custom_objects_wait_for_a_person() {
    for json in [
        layer("my_package.layers", "MyDense", "{}"),
        model(r#"{"module":"p","class_name":"MyDense","config":{},"registered_name":"p>MyDense"}"#),
        r#"{"class_name":"Attention3000","config":{}}"#.into(),
        function("builtins", "my_function"),
        layer(
            "keras.layers",
            "StringLookup",
            r#"{"vocabulary":"vocab.txt"}"#,
        ),
        layer("keras.layers", "FlaxLayer", "{}"),
    ] {
        check("config.json", json.as_bytes(), &["keras.custom-object"]);
    }
}

#[test]
fn paths_and_addresses_are_seen() {
    for (class, config) in [
        ("StringLookup", r#"{"vocabulary":"/etc/passwd"}"#),
        (
            "TextVectorization",
            r#"{"vocabulary":"https://example.org/v"}"#,
        ),
        ("IntegerLookup", r#"{"vocabulary":"..\\..\\x"}"#),
        ("TFSMLayer", r#"{"filepath":"gs://bucket/x"}"#),
    ] {
        let json = layer("keras.layers", class, config);
        check("config.json", json.as_bytes(), &["keras.outside-file"]);
    }
}

#[test]
fn another_model_that_is_loaded_is_seen() {
    let json = layer(
        "keras.layers",
        "TFSMLayer",
        r#"{"filepath":"saved","call_endpoint":"serve"}"#,
    );
    check(
        "config.json",
        json.as_bytes(),
        &["keras.custom-object", "keras.outside-file"],
    );
}

#[test]
fn hdf5_that_reaches_out_is_seen() {
    let file = hdf5(&[("note", "x")], &["/etc/passwd"]);
    check("weights.h5", &file, &["hdf5.outside-file"]);
    check("weights.bin", &file, &["hdf5.outside-file"]);
    // A user block moves the signature.
    let lambda = hdf5(
        &[("model_config", r#"{"class_name":"Lambda","config":{}}"#)],
        &[],
    );
    let mut shifted = vec![0; 512];
    shifted.extend(&lambda);
    // Addresses count from the base address, which is relative to nothing but the file's start.
    shifted[512 + 12..512 + 20].copy_from_slice(&512_u64.to_le_bytes());
    check("x.h5", &shifted, &["keras.lambda"]);
}

#[test]
fn broken_hdf5_is_never_clean() {
    let whole = hdf5(
        &[("model_config", r#"{"class_name":"Dense","config":{}}"#)],
        &[],
    );
    clean("x.h5", &whole);
    for end in 9..whole.len() - 4 {
        stopped("x.h5", &whole[..end]);
    }
    stopped("x.h5", &hdf5(&[("model_config", "not json")], &[]));
    check(
        "config.json",
        br#"{"class_name":"Dense","config":{},"class_name":"Dense"}"#,
        &["model.broken-structure"],
    );
}
