use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::inventory::read_text;
use crate::digest::{Algorithm, Tree, TreeFile};

/// Extensions of files with weights.
static WEIGHTS: [&str; 19] = [
    "safetensors",
    "gguf",
    "ggml",
    "onnx",
    "pt",
    "pth",
    "ckpt",
    "h5",
    "hdf5",
    "keras",
    "pkl",
    "pickle",
    "joblib",
    "tflite",
    "pb",
    "mlmodel",
    "skops",
    "npz",
    "pte",
];

/// Files beside weights that say how they are used.
static BESIDE: [&str; 12] = [
    "config.json",
    "adapter_config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
];

/// A model or an adapter: a folder with weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// What it is called: as its description says, or as its folder.
    pub name: String,
    /// The folder below the root; empty for the root itself.
    pub folder: String,
    /// Whether it changes another model rather than being one.
    pub is_adapter: bool,
    /// Weights, and what says how they are used.
    pub files: Vec<ModelFile>,
    /// Its licence, as its card says.
    pub licence: Option<String>,
    /// The model that it was made from, as its card or its adapter says.
    pub bases: Vec<String>,
    /// Data sets that it was trained on, as its card says.
    pub datasets: Vec<String>,
    /// What it is for, e.g. `text-generation`.
    pub task: Option<String>,
    /// Its family, e.g. `llama`.
    pub family: Option<String>,
    /// Its architecture, e.g. `LlamaForCausalLM`.
    pub architecture: Option<String>,
    /// The SHA-256 of the template that makes a conversation one text; it is code that runs at every
    /// request.
    pub chat_template: Option<String>,
}

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Where it stands below the root.
    pub path: String,
    /// Its bytes.
    pub length: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

/// The models of a tree, without digests.
pub(super) fn find(tree: &Tree) -> Vec<Model> {
    let mut folders: BTreeMap<&str, Vec<&TreeFile>> = BTreeMap::new();
    for file in &tree.files {
        let folder = file.name.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(file);
    }
    folders
        .into_iter()
        .filter(|(_, files)| files.iter().any(|file| is_weights(file, files)))
        .map(|(folder, files)| describe(tree, folder, &files))
        .collect()
}

fn own_name(file: &TreeFile) -> &str {
    file.name.rsplit('/').next().unwrap_or(&file.name)
}

fn is_weights(file: &TreeFile, beside: &[&TreeFile]) -> bool {
    let name = own_name(file);
    match name.rsplit_once('.') {
        Some((_, extension)) if WEIGHTS.contains(&extension.to_ascii_lowercase().as_str()) => true,
        // `.bin` is anything, unless a model's configuration stands beside it.
        Some((_, "bin")) => beside
            .iter()
            .any(|file| ["config.json", "adapter_config.json"].contains(&own_name(file))),
        _ => false,
    }
}

/// The block between `---` at the top of a model card (Hugging Face Hub documentation, "Model
/// Cards").
#[derive(Default, Deserialize)]
struct Card {
    #[serde(default)]
    license: Option<OneOrMore>,
    #[serde(default)]
    license_name: Option<String>,
    #[serde(default)]
    base_model: Option<OneOrMore>,
    #[serde(default)]
    datasets: Option<OneOrMore>,
    #[serde(default)]
    pipeline_tag: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

fn describe(tree: &Tree, folder: &str, files: &[&TreeFile]) -> Model {
    let named = |name: &str| files.iter().find(|file| own_name(file) == name);
    let json =
        |name: &str| -> Option<Value> { serde_json::from_str(&read_text(named(name)?).ok()?).ok() };
    let config = json("config.json").unwrap_or_default();
    let adapter = json("adapter_config.json");
    let tokenizer = json("tokenizer_config.json").unwrap_or_default();
    let card = named("README.md")
        .and_then(|file| read_text(file).ok())
        .and_then(|text| {
            let (front, _) = text.strip_prefix("---\n")?.split_once("\n---")?;
            serde_saphyr::from_str::<Card>(front).ok()
        })
        .unwrap_or_default();
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let mut bases = card.base_model.map_or_else(Vec::new, OneOrMore::list);
    let base = adapter
        .as_ref()
        .and_then(|adapter| text(adapter, "/base_model_name_or_path"));
    bases.extend(base.filter(|base| !bases.contains(base)));
    let own = folder.rsplit('/').next().unwrap_or(folder);
    let template = text(&tokenizer, "/chat_template")
        .or_else(|| named("chat_template.jinja").and_then(|file| read_text(file).ok()));
    let licence = card
        .license
        .and_then(|licence| licence.list().into_iter().next());
    Model {
        name: if own.is_empty() {
            tree.name.clone()
        } else {
            own.to_owned()
        },
        folder: folder.to_owned(),
        is_adapter: adapter.is_some(),
        files: files
            .iter()
            .filter(|file| is_weights(file, files) || BESIDE.contains(&own_name(file)))
            .map(|file| ModelFile {
                path: file.name.clone(),
                length: file.length,
                sha256: String::new(),
            })
            .collect(),
        licence: licence.map(|licence| match card.license_name {
            Some(name) if licence == "other" => name,
            _ => licence,
        }),
        bases,
        datasets: card.datasets.map_or_else(Vec::new, OneOrMore::list),
        task: card.pipeline_tag,
        family: text(&config, "/model_type"),
        architecture: text(&config, "/architectures/0"),
        chat_template: template.map(|text| Algorithm::Sha256.digest(text.as_bytes()).to_hex()),
    }
}
