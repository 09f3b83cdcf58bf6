//! Configurations of model repositories: JSON that has a loader import, fetch, or open something.

use bartizan_core::{CheckError, Rule};
use bartizan_formats::Json;

use super::{
    danger::{danger, leads_out},
    rules::{
        BROKEN, CODE_RISK, CONFIG_LOADER, CONFIG_PATH, CONFIG_TARGET, REMOTE_CODE,
        REMOTE_ELSEWHERE, SECRET, SKOPS_DANGEROUS, SKOPS_UNKNOWN, TOKENIZER_TEXT,
    },
    shown,
};
use crate::Desk;

/// Packages whose classes a loader may be pointed at.
const LIBRARIES: &[&str] = &[
    "transformers",
    "diffusers",
    "sentence_transformers",
    "torch",
    "torchvision",
    "torchaudio",
    "timm",
    "peft",
    "keras",
    "tensorflow",
    "flax",
    "jax",
    "onnxruntime",
    "optimum",
    "numpy",
    "scipy",
    "sklearn",
    "nemo",
    "pytorch_lightning",
    "lightning",
    "lightning_fabric",
    "omegaconf",
    "hydra",
    "torchmetrics",
    "monai",
    "speechbrain",
    "open_clip",
    "xgboost",
    "lightgbm",
    "catboost",
    "quantile_forest",
    "skops",
    "imblearn",
    "pandas",
    "collections",
    "builtins",
    "datetime",
    "decimal",
    "fractions",
    "tokenizers",
    "mlflow",
    "spacy",
    "setfit",
    "span_marker",
    "accelerate",
    "bitsandbytes",
    "auto_gptq",
    "pylate",
    "model2vec",
    "ldm",
    "sgm",
    "fairseq",
    "espnet",
    "functools",
    "operator",
    "types",
    "stable_diffusion",
];

/// Keys whose value says that code of the repository is to be loaded.
const CODE_KEYS: &[&str] = &[
    "auto_map",
    "custom_pipelines",
    "custom_pipeline",
    "custom_generate",
];

/// Keys under which a dotted name is called.
const TARGET_KEYS: &[&str] = &[
    "_target_",
    "target",
    "_partial_target_",
    "class_path",
    "__class_path__",
];

/// Files that only loaders of models read, so that odd keys in them count.
pub(super) fn config(json: &Json, name: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut found: Vec<(&'static Rule, String)> = Vec::new();
    json.visit(&mut |key, value| look(key, value, &mut found));
    // Vocabularies and data sets hold words of every kind.
    let is_setting = [
        "config.json",
        "metadata.json",
        "metadata",
        "params.json",
        "manifest.json",
        "index.json",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    if is_setting {
        code(json, &mut found);
    }
    modules(json, name, &mut found);
    pipeline(json, &mut found);
    adapter(json, &mut found);
    tokenizer(json, &mut found);
    parts(json, &mut found);
    if json.get("__class__").is_some() && json.get("__module__").is_some() {
        skops(json, &mut found);
    }
    if name.ends_with("config.json") && json.duplicate().is_some() {
        found.push((&BROKEN, "one key stands twice in the configuration".into()));
    }
    found.dedup_by(|second, first| second.0.id == first.0.id && second.1 == first.1);
    for (rule, message) in found {
        desk.report(rule, None, message)?;
    }
    Ok(())
}

fn look(key: &str, value: &Json, found: &mut Vec<(&'static Rule, String)>) {
    for (name, value) in value.entries() {
        if CODE_KEYS.contains(&name.as_str()) {
            remote(name, value, found);
        }
        if name == "trust_remote_code" && *value == Json::Bool(true) {
            found.push((&REMOTE_CODE, "`trust_remote_code` is on".into()));
        }
        if TARGET_KEYS.contains(&name.as_str())
            && let Some(text) = value.as_str()
        {
            target(text, found);
        }
    }
    if let Some(text) = value.as_str() {
        secret(key, text, found);
    }
}

/// A class in a file of the repository, or `owner/repository--file.Class` of another.
fn remote(key: &str, value: &Json, found: &mut Vec<(&'static Rule, String)>) {
    let mut elsewhere = false;
    let mut any = false;
    value.visit(&mut |_, value| {
        let Some(text) = value.as_str() else { return };
        any = true;
        elsewhere |= text.contains("--") || leads_out(text) || danger(text).is_some();
    });
    if elsewhere {
        found.push((
            &REMOTE_ELSEWHERE,
            format!("`{key}` names code of another place"),
        ));
    } else if any {
        found.push((
            &REMOTE_CODE,
            format!("`{key}` names code of the repository"),
        ));
    }
}

/// A dotted name that is imported and called.
pub(super) fn target(name: &str, found: &mut Vec<(&'static Rule, String)>) {
    let is_dotted = name.contains('.')
        && name.len() < 512
        && name
            .chars()
            .all(|c| c == '_' || c == '.' || c.is_alphanumeric());
    if let Some(what) = danger(name).filter(|_| is_dotted || name == "eval" || name == "exec") {
        let message = format!("`{}` is called: {what}", shown(name));
        found.push((&CONFIG_TARGET, message));
    }
}

fn top(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

fn is_library(name: &str) -> bool {
    LIBRARIES.contains(&top(name))
}

/// `modules.json` of sentence-transformers.
fn modules(json: &Json, name: &str, found: &mut Vec<(&'static Rule, String)>) {
    let is_list = json.items().iter().any(|item| {
        item.get("type").is_some() && item.get("idx").is_some() && item.get("path").is_some()
    });
    let named = name.ends_with("modules.json") && !name.ends_with(".map");
    if !is_list && !named {
        return;
    }
    for item in json.items() {
        let kind = item.text("type").unwrap_or_default();
        if danger(kind).is_some() {
            let message = format!("`{}` is imported as a module of the model", shown(kind));
            found.push((&REMOTE_ELSEWHERE, message));
        } else if !kind.is_empty() && !is_library(kind) {
            let message = format!("`{}` is no module of a library", shown(kind));
            found.push((&CONFIG_LOADER, message));
        }
        if item.text("path").is_some_and(leads_out) {
            found.push((
                &CONFIG_PATH,
                "a module's path leads out of the folder".into(),
            ));
        }
    }
}

/// `model_index.json` of diffusers: each part is a library and a class.
fn pipeline(json: &Json, found: &mut Vec<(&'static Rule, String)>) {
    let Some(class) = json.get("_class_name") else {
        return;
    };
    // A list names a file of the repository before the class.
    if !class.items().is_empty() {
        found.push((
            &REMOTE_CODE,
            "the pipeline's class is code of the repository".into(),
        ));
    }
    if json.get("_diffusers_version").is_none() {
        return;
    }
    for (key, value) in json.entries() {
        if key.starts_with('_') {
            continue;
        }
        let [Json::String(library), Json::String(_)] = value.items() else {
            continue;
        };
        let own = matches!(library.as_str(), "stable_diffusion" | "null")
            || library.starts_with("stable_diffusion");
        if danger(library).is_some() {
            found.push((
                &REMOTE_ELSEWHERE,
                format!("a part comes from `{}`", shown(library)),
            ));
        } else if !is_library(library) && !own {
            found.push((
                &CONFIG_LOADER,
                format!("a part comes from `{}`", shown(library)),
            ));
        }
    }
}

/// `adapter_config.json` of peft.
fn adapter(json: &Json, found: &mut Vec<(&'static Rule, String)>) {
    if json.get("peft_type").is_none() {
        return;
    }
    let mapping = json.get("auto_mapping");
    if let Some(library) = mapping.and_then(|mapping| mapping.text("parent_library")) {
        if danger(library).is_some() {
            found.push((
                &REMOTE_ELSEWHERE,
                "the base model's class is a dangerous name".into(),
            ));
        } else if !is_library(library) {
            found.push((
                &CONFIG_LOADER,
                format!("the base model comes from `{}`", shown(library)),
            ));
        }
    }
    let base = json.text("base_model_name_or_path").unwrap_or_default();
    if base.split('/').any(|part| part == "..") || base.contains("://") {
        found.push((
            &CONFIG_PATH,
            "the base model's path leads out of the folder".into(),
        ));
    }
}

/// `schema.json` of skops: a tree of types.
fn skops(json: &Json, found: &mut Vec<(&'static Rule, String)>) {
    json.visit(&mut |_, value| {
        let Some(class) = value.text("__class__") else {
            return;
        };
        let module = value.text("__module__").unwrap_or_default();
        let loader = value.text("__loader__").unwrap_or_default();
        let whole = format!("{module}.{class}");
        let operator = loader == "OperatorFuncNode";
        let odd = operator && module != "operator" && module != "_operator"
            || loader == "MethodNode" && danger(&whole).is_some()
            || loader == "ReduceNode" && danger(&whole).is_some();
        // What the file's own trusted list could hide.
        let plain = matches!(
            whole.as_str(),
            "functools.partial"
                | "types.FunctionType"
                | "types.BuiltinFunctionType"
                | "types.MethodType"
        ) || operator
            && matches!(class, "attrgetter" | "itemgetter" | "methodcaller")
            && module == "operator";
        if odd || danger(&whole).is_some() && !plain {
            found.push((&SKOPS_DANGEROUS, format!("`{}` is built", shown(&whole))));
        } else if plain && class != "partial" || !is_library(module) && !plain {
            found.push((&SKOPS_UNKNOWN, format!("`{}` is built", shown(&whole))));
        }
    });
}

/// Files that hold a model's parts: shards of weights, items of a Core ML package.
fn parts(json: &Json, found: &mut Vec<(&'static Rule, String)>) {
    let shards = json.get("weight_map").map_or(&[][..], Json::entries);
    let shards = shards.iter().filter_map(|(_, value)| value.as_str());
    let items = json.get("itemInfoEntries").map_or(&[][..], Json::entries);
    let items = items.iter().filter_map(|(_, item)| item.text("path"));
    if shards.chain(items).any(leads_out) {
        found.push((
            &CONFIG_PATH,
            "a part of the model lies outside its folder".into(),
        ));
    }
}

/// `tokenizer.json`: steps that put words into the text, tokens that are sentences.
fn tokenizer(json: &Json, found: &mut Vec<(&'static Rule, String)>) {
    if json.get("model").is_none() || json.get("added_tokens").is_none() {
        return;
    }
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    for part in ["normalizer", "pre_tokenizer", "decoder", "post_processor"] {
        let Some(part) = json.get(part) else { continue };
        part.visit(&mut |_, value| {
            let replaces = value.text("type") == Some("Replace");
            if replaces && value.text("content").is_some_and(|text| letters(text) > 2) {
                found.push((&TOKENIZER_TEXT, "a step replaces text by words".into()));
            }
        });
    }
    for token in json.get("added_tokens").map_or(&[][..], Json::items) {
        let words = token.text("content").unwrap_or_default().split_whitespace();
        if words.filter(|word| letters(word) > 1).count() >= 5 {
            found.push((&TOKENIZER_TEXT, "an added token is a sentence".into()));
        }
    }
}

/// Parts of settings that are Python in no other way.
const CODE: &[&str] = &[
    "__import__(",
    "os.system(",
    "os.popen(",
    "subprocess.",
    "builtins.exec",
    "builtins.eval",
    "__reduce__",
    "base64.b64decode(",
    "host_callback",
    "pickle.loads(",
    "marshal.loads(",
    "/bin/sh -c",
    "bash -c",
];

/// A short setting that is code, as checkpoints of JAX name functions that restore them.
fn code(json: &Json, found: &mut Vec<(&'static Rule, String)>) {
    json.visit(&mut |key, value| {
        let Some(text) = value.as_str() else { return };
        let is_code = CODE.iter().any(|sign| text.contains(sign));
        let restores = matches!(
            key,
            "restore_fn" | "save_fn" | "custom_deserializer" | "deserializer" | "handler_fn"
        );
        let is_template = key.contains("template");
        if !is_template && text.len() < 4_096 && is_code || restores && danger(text).is_some() {
            found.push((&CODE_RISK, format!("`{}` is code", shown(key))));
        }
    });
}

/// Keys with a shape of their own, which nothing else has.
pub(super) fn secret(key: &str, text: &str, found: &mut Vec<(&'static Rule, String)>) {
    let alphanumeric = |rest: &str, least: usize| {
        rest.len() >= least
            && rest
                .bytes()
                .take(least)
                .all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    const PREFIXES: &[(&str, usize)] = &[
        ("hf_", 34),
        ("ghp_", 36),
        ("gho_", 36),
        ("github_pat_", 40),
        ("glpat-", 20),
        ("xoxb-", 10),
        ("sk-proj-", 20),
        ("sk-ant-", 20),
        ("AKIA", 16),
        ("ASIA", 16),
        ("npm_", 36),
        ("AIza", 35),
        ("sk_live_", 24),
    ];
    let shaped = text.len() < 4_096
        && PREFIXES.iter().any(|(prefix, least)| {
            text.match_indices(prefix).any(|(at, _)| {
                let rest = text.get(at + prefix.len()..).unwrap_or_default();
                alphanumeric(rest, *least)
            })
        });
    let example = text.contains("EXAMPLE") || text.contains("xxxx");
    let is_key = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    if shaped && !example || is_key {
        found.push((&SECRET, format!("`{}` holds a key", shown(key))));
        return;
    }
    let folded = key.to_ascii_lowercase().replace('-', "_");
    let named = [
        "password",
        "passwd",
        "secret_key",
        "api_key",
        "apikey",
        "secret_access_key",
        "access_token",
        "private_key",
        "client_secret",
    ]
    .iter()
    .any(|name| folded == *name || folded.ends_with(&format!("_{name}")));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let placed = text.starts_with(['$', '<', '{']) || text.contains(' ') || example;
    if named && text.len() >= 12 && digits >= 2 && !placed {
        found.push((&SECRET, format!("`{}` holds a secret", shown(key))));
    }
}
