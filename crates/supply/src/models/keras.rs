use std::{collections::HashSet, sync::LazyLock};

use bartizan_core::{CheckError, Rule};
use bartizan_formats::Json;

use super::{
    danger::{danger, leads_out},
    rules::{BROKEN, KERAS_CUSTOM, KERAS_FOREIGN, KERAS_OUTSIDE, LAMBDA},
};
use crate::Desk;

/// How often a configuration may stand as text in another.
const MAX_NESTING: u32 = 3;

static CLASSES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| super::words(include_str!("../../data/keras-classes.txt")));
static FUNCTIONS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| super::words(include_str!("../../data/keras-functions.txt")));

/// Where the classes of models live, below a package's name.
const HOMES: &[&str] = &[
    "layers",
    "models",
    "ops",
    "engine",
    "optimizers",
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
    "random",
    "dtype_policies",
    "quantizers",
    "mixed_precision",
    "legacy",
    "backend",
    "trainers",
    "wrappers",
];

/// Packages whose classes are Keras' own.
const PACKAGES: &[&str] = &[
    "keras.src.",
    "keras.api.",
    "keras._tf_keras.keras.",
    "keras.",
    "tf_keras.src.",
    "tf_keras.",
    "tensorflow.keras.",
    "tensorflow.python.keras.",
    "tensorflow_core.python.keras.",
];

/// Libraries of the same project.
const SISTERS: &[&str] = &[
    "keras_hub",
    "keras_nlp",
    "keras_cv",
    "keras_tuner",
    "keras_rs",
];

/// Built-in names of Python that are no class of a model.
const BUILTINS: &[&str] = &[
    "eval",
    "exec",
    "compile",
    "open",
    "input",
    "getattr",
    "setattr",
    "delattr",
    "__import__",
    "globals",
    "locals",
    "vars",
    "dir",
    "map",
    "filter",
    "breakpoint",
    "memoryview",
    "super",
    "print",
    "help",
    "exit",
    "quit",
];

/// Keys under which a layer's path stands.
const PATHS: &[&str] = &[
    "vocabulary",
    "filepath",
    "file_path",
    "vocabulary_file",
    "idf_weights",
    "weights_path",
];

/// Whether a value is a configuration of Keras: an object of a class, here or below.
pub(super) fn is_keras(json: &Json) -> bool {
    let mut found = false;
    json.visit(&mut |_, value| {
        found |= value.text("class_name").is_some() && value.get("config").is_some();
    });
    found
}

/// Weighs every object of a configuration.
pub(super) fn keras(json: &Json, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut found = Found::default();
    found.look(json, 0);
    if json.duplicate().is_some() {
        found.add(
            &BROKEN,
            "one key stands twice in the configuration".to_owned(),
        );
    }
    for (rule, message) in found.list {
        desk.report(rule, None, message)?;
    }
    Ok(())
}

#[derive(Default)]
struct Found {
    list: Vec<(&'static Rule, String)>,
}

impl Found {
    fn add(&mut self, rule: &'static Rule, message: String) {
        let entry = (rule, message);
        let known = |(other, message): &(&'static Rule, String)| {
            other.id == entry.0.id && *message == entry.1
        };
        if !self.list.iter().any(known) {
            self.list.push(entry);
        }
    }

    fn look(&mut self, json: &Json, depth: u32) {
        json.visit(&mut |key, value| {
            if let Some(class) = value.text("class_name") {
                self.object(class, value);
            }
            if key == "function_type" && value.as_str() == Some("lambda") {
                self.add(&LAMBDA, "a function is stored as code".to_owned());
            }
            for (name, inner) in value.entries() {
                if let Some(text) = inner.as_str() {
                    self.text(name, text);
                }
            }
            let Some(text) = value.as_str() else { return };
            let nested = text.starts_with(['{', '[']) && text.contains("class_name");
            if nested
                && depth < MAX_NESTING
                && let Ok(inner) = Json::parse(text)
            {
                self.look(&inner, depth + 1);
            }
        });
    }

    fn text(&mut self, key: &str, text: &str) {
        if PATHS.contains(&key) && !text.is_empty() {
            if leads_out(text) {
                self.add(
                    &KERAS_OUTSIDE,
                    format!("`{key}` names a file outside the model"),
                );
            } else {
                self.add(
                    &KERAS_CUSTOM,
                    format!("`{key}` names a file beside the model"),
                );
            }
        } else if text.contains("://") && text.len() < 4_096 {
            self.add(
                &KERAS_CUSTOM,
                "a setting is an address in the network".to_owned(),
            );
        }
    }

    fn object(&mut self, class: &str, value: &Json) {
        let module = value.text("module").unwrap_or_default();
        let registered = value.text("registered_name").unwrap_or_default();
        let bare = class.rsplit(['>', '.']).next().unwrap_or_default();
        match bare {
            "Lambda" | "__lambda__" => {
                return self.add(&LAMBDA, format!("`{}` is code in the file", shown(class)));
            }
            "TFSMLayer" => {
                return self.add(&KERAS_OUTSIDE, "`TFSMLayer` loads another model".to_owned());
            }
            "TorchModuleWrapper" => {
                return self.add(
                    &KERAS_FOREIGN,
                    "`TorchModuleWrapper` holds a pickle".to_owned(),
                );
            }
            "JaxLayer" | "FlaxLayer" => {
                return self.add(
                    &KERAS_CUSTOM,
                    format!("`{bare}` calls a function of its own"),
                );
            }
            "TFOpLambda" | "ClassMethod" | "InstanceMethod" => {
                let config = value.get("config");
                let function = config
                    .and_then(|config| config.text("function"))
                    .unwrap_or_default();
                if danger(&format!("tensorflow.{function}")).is_some()
                    || function.contains("py_func")
                {
                    self.add(
                        &KERAS_FOREIGN,
                        format!("`{bare}` calls a dangerous function"),
                    );
                }
                return;
            }
            _ => {}
        }
        if bare == "function" {
            return self.function(module, value);
        }
        let whole = if module.is_empty() {
            class.to_owned()
        } else {
            format!("{module}.{class}")
        };
        if (module != "builtins" || BUILTINS.contains(&class))
            && let Some(what) = danger(&whole).filter(|_| !class.starts_with("__"))
        {
            let message = format!("`{}` is no part of a model: {what}", shown(&whole));
            return self.add(&KERAS_FOREIGN, message);
        }
        let known = CLASSES.contains(class);
        let home = home(module);
        // Old files name no module, and old classes of tf.keras stand under their own name.
        let fine = match module {
            "" | "builtins" => known,
            _ if home == Some("ops") => bare.starts_with(|c: char| c.is_ascii_uppercase()),
            "keras" | "tf_keras" | "tensorflow.keras" => known,
            _ => home.is_some() && known,
        };
        let sister = |text: &str| {
            let package = text.split(['>', '.']).next().unwrap_or_default();
            SISTERS.contains(&package)
        };
        if fine && !registered.contains('>')
            || sister(module)
            || sister(registered)
            || sister(class)
        {
            return;
        }
        if module.starts_with("keras.") && home.is_none() {
            let message = format!("`{}` is no part of a model", shown(&whole));
            return self.add(&KERAS_FOREIGN, message);
        }
        self.add(
            &KERAS_CUSTOM,
            format!("`{}` is no class of Keras", shown(&whole)),
        );
    }

    /// A function that is named: `config` is its name, `module` where it is.
    fn function(&mut self, module: &str, value: &Json) {
        let name = match value.get("config") {
            Some(Json::String(name)) => name.as_str(),
            Some(config) => config.text("name").unwrap_or_default(),
            None => "",
        };
        let bare = name.rsplit(['>', '.']).next().unwrap_or_default();
        let owner = if module == "builtins" { "" } else { module };
        let whole = [owner, name].join(".");
        let whole = whole.trim_matches('.');
        let built_in = BUILTINS.contains(&bare).then_some("built-in functions");
        if let Some(what) = danger(whole).or(built_in) {
            let message = format!("`{}` is no part of a model: {what}", shown(whole));
            return self.add(&KERAS_FOREIGN, message);
        }
        let fine = FUNCTIONS.contains(bare);
        if fine && (owner.is_empty() || home(owner).is_some()) {
            return;
        }
        let rule = if home(owner) == Some("ops") || owner.is_empty() || !owner.starts_with("keras")
        {
            &KERAS_CUSTOM
        } else {
            &KERAS_FOREIGN
        };
        self.add(
            rule,
            format!("`{}` is no function of a model", shown(whole)),
        );
    }
}

/// The part of Keras in which a module lies, when that is one for models.
fn home(module: &str) -> Option<&'static str> {
    let inside = PACKAGES
        .iter()
        .find_map(|package| module.strip_prefix(package))?;
    let part = inside.split('.').next().unwrap_or_default();
    HOMES.iter().find(|home| **home == part).copied()
}

/// A name as it may stand in a message: dotted, short, nothing else.
fn shown(name: &str) -> String {
    super::shown(name)
}
