//! Inspectors of models and their companions in text.

use std::borrow::Cow;

use bartizan_core::{CheckError, Rule};
use bartizan_formats::{Format, Json, ParseError, text_of};

use super::{
    config::config,
    keras, markup, notebook,
    rules::*,
    source::{is_python, source},
    template::template,
    text, trees,
};
use crate::{Artifact, Desk, Inspector};

/// The longest text that is read whole, in bytes.
const MAX_TEXT: u64 = 64 << 20;

/// Configurations, templates, notebooks, and trees in JSON.
pub(crate) struct JsonFile;

/// Everything else that is text: code, YAML, requirements, templates.
pub(crate) struct PlainFile;

/// XML.
pub(crate) struct XmlFile;

/// Names that promise a binary model.
const BINARY: &[&str] = &[
    ".safetensors",
    ".gguf",
    ".onnx",
    ".h5",
    ".hdf5",
    ".keras",
    ".tflite",
    ".mlmodel",
    ".pkl",
    ".pickle",
    ".pt",
    ".joblib",
    ".npy",
    ".npz",
    ".skops",
    ".nemo",
];

/// Text under the name of a binary model is not what its name says, unless it stands for a file that
/// Git LFS has.
fn posing(text: &str, name: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let promises = BINARY.iter().any(|end| name.ends_with(end));
    if promises && !text.starts_with("version https://git-lfs") {
        desk.report(
            &BROKEN,
            None,
            "the file is text under the name of a binary model",
        )?;
    }
    Ok(())
}

fn read(artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<String, CheckError> {
    if artifact.source.len() > MAX_TEXT {
        return Err(CheckError::Exhausted {
            limit: "text bytes",
            at: MAX_TEXT,
        });
    }
    desk.spend(artifact.source.len() >> 10)?;
    let bytes = artifact.source.read(0, MAX_TEXT);
    let bytes = bytes.map_err(|_| CheckError::Unavailable("cannot read".into()))?;
    Ok(match text_of(&bytes) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    })
}

/// The last part of a path, in small letters.
fn name(artifact: &Artifact<'_>) -> String {
    artifact
        .path
        .rsplit(['/', '!', '\\'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

impl Inspector for JsonFile {
    fn name(&self) -> &'static str {
        "json"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        static RULES: &[&Rule] = &[
            &BROKEN,
            &LAMBDA,
            &KERAS_FOREIGN,
            &KERAS_CUSTOM,
            &KERAS_OUTSIDE,
            &REMOTE_CODE,
            &REMOTE_ELSEWHERE,
            &CONFIG_LOADER,
            &CONFIG_TARGET,
            &CONFIG_PATH,
            &SKOPS_DANGEROUS,
            &SKOPS_UNKNOWN,
            &SECRET,
            &TOKENIZER_TEXT,
            &TEMPLATE_ESCAPE,
            &TEMPLATE_ODD,
            &TEMPLATE_HIDDEN,
            &NOTEBOOK_SCRIPT,
            &NOTEBOOK_HTML,
            &CODE_ATTACK,
            &CODE_RISK,
            &CODE_NOTE,
        ];
        RULES
    }

    fn matches(&self, artifact: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Json) || *formats == [Format::Unknown] && is_wide_json(artifact)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let name = name(artifact);
        let json = match Json::read(artifact.source) {
            Ok(json) => json,
            Err(ParseError::Exhausted { limit, max }) => {
                return Err(CheckError::Exhausted { limit, at: max });
            }
            // Nothing that a reader of JSON takes: lines of it, or text that begins with a bracket.
            Err(_) => {
                let text = read(artifact, desk)?;
                return lines(&text, &name, desk);
            }
        };
        desk.spend(artifact.source.len() >> 10)?;
        whole(&json, &name, desk)
    }
}

/// JSON in UTF-16 or UTF-32 without a mark, which Python reads as well.
fn is_wide_json(artifact: &Artifact<'_>) -> bool {
    let head = artifact.source.read(0, 64).unwrap_or_default();
    head.contains(&0) && text_of(&head).starts_with(['{', '['])
}

/// Lines that are JSON each, or else plain text.
fn lines(text: &str, name: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut rest = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match Json::parse(line) {
            Ok(json) => whole(&json, name, desk)?,
            Err(_) => {
                rest = true;
                break;
            }
        }
    }
    if !rest {
        return Ok(());
    }
    let is_setting = [
        "config.json",
        "schema.json",
        "index.json",
        "modules.json",
        "tokenizer.json",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    if is_setting {
        desk.report(&BROKEN, None, "the settings cannot be read as JSON")?;
    }
    plain(text, name, desk)
}

fn whole(json: &Json, name: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    if notebook::is_notebook(json) {
        return notebook::notebook(json, desk);
    }
    if trees::is_xgboost(json) {
        trees::xgboost(json, desk)?;
    }
    if keras::is_keras(json) {
        keras::keras(json, desk)?;
    }
    templates(json, name, desk)?;
    config(json, name, desk)
}

/// Every text that is a template: by its key, or by its marks.
fn templates(json: &Json, name: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut texts: Vec<&str> = Vec::new();
    let loader = [
        "config.json",
        "template.json",
        "processor.json",
        "tokenizer.json",
        "params.json",
        "params",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    json.visit(&mut |key, value| {
        let Some(text) = value.as_str() else { return };
        let marked = text.contains("{%") && text.contains("%}")
            || text.contains("{{") && text.contains("}}");
        let keyed =
            key.contains("template") || key == "default" || key == "tool_use" || key == "rag";
        if marked && (keyed || loader) {
            texts.push(text);
        }
    });
    texts.into_iter().try_for_each(|text| template(text, desk))
}

impl Inspector for PlainFile {
    fn name(&self) -> &'static str {
        "text"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        static RULES: &[&Rule] = &[
            &SECRET,
            &BROKEN,
            &CODE_ATTACK,
            &CODE_RISK,
            &CODE_NOTE,
            &YAML_TAG,
            &CONFIG_TARGET,
            &CONFIG_LOADER,
            &CONFIG_PATH,
            &REMOTE_CODE,
            &REQUIREMENT,
            &STARTUP,
            &TEMPLATE_ESCAPE,
            &TEMPLATE_ODD,
            &TEMPLATE_HIDDEN,
            &TF_DANGEROUS,
            &TF_FILES,
            &TF_UNKNOWN,
            &XML_ENTITY,
        ];
        RULES
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Text)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let text = read(artifact, desk)?;
        let name = name(artifact);
        posing(&text, &name, desk)?;
        // JSON in another coding than UTF-8, which Python reads all the same.
        if text.trim_start().starts_with(['{', '['])
            && let Ok(json) = Json::parse(&text)
        {
            return whole(&json, &name, desk);
        }
        plain(&text, &name, desk)
    }
}

fn plain(text: &str, name: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let prose = ends(&[".md", ".rst", ".txt", ".html", ".log", ".csv", ".tsv"]);
    if matches!(name, "sitecustomize.py" | "usercustomize.py") {
        desk.report(&STARTUP, None, "Python imports the file at every start")?;
    }
    if ends(&[".pth"]) {
        text::pth(text, desk)?;
    }
    if name.starts_with("requirements") && ends(&[".txt", ".in"]) || name == "constraints.txt" {
        return text::requirements(text, desk);
    }
    if ends(&[".py", ".pyw", ".pyi", ".pyx"]) {
        return source(text, "", desk);
    }
    // What reads as code may be something else as well.
    let other = ends(&[
        ".js", ".mjs", ".ts", ".jsx", ".tsx", ".css", ".java", ".go", ".rs", ".c", ".h", ".cpp",
        ".hpp",
    ]);
    // Every reading is asked, whatever another one cannot read: a broken sign of one format must not
    // hide what another says.
    let mut done = Ok(());
    if !prose && !other && !is_yaml_name(name) && is_python(text) {
        done = done.and(source(text, "", desk));
    }
    let is_script = ends(&[".sh", ".bash", ".bat", ".cmd", ".ps1"])
        || name.starts_with("dockerfile")
        || text.starts_with("#!");
    if is_script {
        done = done.and(text::shell(text, desk));
    }
    if text.trim_start().starts_with('<') {
        done = done.and(markup::markup(text, desk));
    }
    if is_yaml_name(name) || !prose && text::is_yaml(text) {
        done = done.and(text::yaml(text, desk));
    }
    if ends(&[".pbtxt"]) || text.contains("node {") && text.contains("op:") {
        done = done.and(text::graph_text(text, desk));
    }
    if text.contains("model_checkpoint_path:") {
        done = done.and(text::checkpoint(text, desk));
    }
    if text.starts_with("tree\n") && text.contains("num_leaves=") {
        done = done.and(text::lightgbm(text, desk));
    }
    let is_template = ends(&[".jinja", ".jinja2", ".j2", ".tmpl", ".template"])
        || (!prose && !other || name.contains("template"))
            && text.contains("{%")
            && text.contains("%}");
    if is_template {
        done = done.and(template(text, desk));
    }
    done
}

fn is_yaml_name(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml") || name == "mlmodel"
}

impl Inspector for XmlFile {
    fn name(&self) -> &'static str {
        "xml"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        static RULES: &[&Rule] = &[
            &BROKEN,
            &XML_ENTITY,
            &XML_LIBRARY,
            &CONFIG_PATH,
            &TF_UNKNOWN,
        ];
        RULES
    }

    fn matches(&self, _: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Xml)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let text = read(artifact, desk)?;
        markup::markup(&text, desk)
    }
}
