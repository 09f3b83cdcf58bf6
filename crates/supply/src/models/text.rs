//! Text that tools read by its name or by its form: YAML, requirements, start-up hooks, graphs as text.

use std::collections::BTreeSet;

use bartizan_core::{CheckError, Rule};
use bartizan_formats::{Scalar, Yaml};

use super::{
    config::{secret, target},
    danger::{danger, leads_out},
    graph,
    rules::{
        BROKEN, CODE_ATTACK, CONFIG_LOADER, CONFIG_PATH, CONFIG_TARGET, REMOTE_CODE, REQUIREMENT,
        STARTUP, YAML_TAG,
    },
    shown,
    template::template,
};
use crate::Desk;

/// Weighs a YAML text. What cannot be read is a gap only when it could hold a tag of Python's.
pub(super) fn yaml(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let yaml = Yaml::read(text);
    let mut found: Vec<(&'static Rule, String)> = Vec::new();
    for tag in &yaml.tags {
        let Some((_, python)) = tag.split_once("python/") else {
            continue;
        };
        let is_data = [
            "tuple", "str", "unicode", "int", "long", "float", "bool", "none", "complex", "list",
            "dict", "bytes",
        ]
        .contains(&python);
        if !is_data {
            let name = python.rsplit(':').next().unwrap_or_default();
            found.push((&YAML_TAG, format!("a tag names `{}`", shown(name))));
        }
    }
    for scalar in &yaml.scalars {
        if matches!(
            scalar.key(),
            "_target_" | "target" | "class_path" | "_partial_target_"
        ) {
            target(&scalar.value, &mut found);
        }
        if scalar.key() == "trust_remote_code" && scalar.value.eq_ignore_ascii_case("true") {
            found.push((&REMOTE_CODE, "`trust_remote_code` is on".into()));
        }
    }
    mlmodel(&yaml.scalars, &mut found);
    for scalar in &yaml.scalars {
        secret(scalar.key(), &scalar.value, &mut found);
        if scalar.key().contains("template") && scalar.value.contains("{%") {
            template(&scalar.value, desk)?;
        }
    }
    for scalar in &yaml.scalars {
        let listed = matches!(scalar.key(), "pip" | "dependencies" | "requirements");
        if listed && (scalar.value.contains("://") || scalar.value.starts_with("git+")) {
            found.push((&REQUIREMENT, "a package comes from an address".into()));
        }
    }
    let hides = text.contains("python/")
        || text.contains("%TAG")
        || text.contains("!!py")
        || text.contains("!<");
    if yaml.broken && hides {
        found.push((
            &BROKEN,
            "the text cannot be read as YAML, and may name Python's objects".into(),
        ));
    }
    found.dedup_by(|second, first| second.0.id == first.0.id && second.1 == first.1);
    for (rule, message) in found {
        desk.report(rule, None, message)?;
    }
    if yaml.broken && hides {
        return Err(CheckError::Malformed(
            "the text cannot be read as YAML".into(),
        ));
    }
    Ok(())
}

/// MLflow's `MLmodel`: the module that is imported to load the model.
fn mlmodel(scalars: &[Scalar], found: &mut Vec<(&'static Rule, String)>) {
    for scalar in scalars {
        let loader = scalar.is_at(&["flavors", "python_function", "loader_module"]);
        let value = scalar.value.as_str();
        if loader && danger(value).is_some() {
            found.push((
                &CONFIG_TARGET,
                format!("`{}` is imported to load the model", shown(value)),
            ));
        } else if loader && !value.starts_with("mlflow.") {
            found.push((
                &CONFIG_LOADER,
                format!("`{}` is imported to load the model", shown(value)),
            ));
        } else if loader && value == "mlflow.pyfunc.model" {
            found.push((
                &CONFIG_LOADER,
                "the model is a Python object of its author".into(),
            ));
        }
        let is_code = scalar.is_at(&["flavors", "python_function", "code"]);
        if is_code && !matches!(value, "" | "null" | "~" | "None") {
            found.push((
                &REMOTE_CODE,
                "code beside the model is put on the path".into(),
            ));
        }
        let is_flavor = scalar.path.starts_with("flavors\0");
        let is_path = [
            "data",
            "code",
            "model_path",
            "pickled_model",
            "model_data",
            "python_model",
            "env",
        ]
        .contains(&scalar.key());
        if is_flavor && is_path && leads_out(value) {
            found.push((
                &CONFIG_PATH,
                "a part of the model lies outside its folder".into(),
            ));
        }
    }
}

/// Whether a text without a telling name is YAML that some loader acts on.
pub(super) fn is_yaml(text: &str) -> bool {
    text.contains("!!python/")
        || text.contains("tag:yaml.org,2002:python/")
        || text.contains("_target_:")
        || text.starts_with("flavors:")
        || text.contains("\nflavors:") && text.contains("loader_module:")
}

/// `requirements.txt`, as pip reads it.
pub(super) fn requirements(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    for (index, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let line = if line.starts_with('#') { "" } else { line };
        let option = [
            "--index-url",
            "-i ",
            "--extra-index-url",
            "--find-links",
            "-f ",
            "--trusted-host",
        ]
        .iter()
        .any(|option| line.starts_with(option));
        // The index itself and PyTorch's are where packages are expected from.
        let known = ["https://pypi.org/", "https://download.pytorch.org/"]
            .iter()
            .any(|host| line.contains(host));
        let direct =
            line.contains("://") && !option || line.starts_with("git+") || line.contains("@ file:");
        if (direct || option) && !known {
            let what = if option {
                "packages come from another index"
            } else {
                "a package comes from an address"
            };
            desk.report(&REQUIREMENT, None, format!("line {}: {what}", index + 1))?;
        }
    }
    Ok(())
}

/// A `.pth` file of site-packages: lines that begin with `import` are run at every start.
pub(super) fn pth(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("import ") || line.starts_with("import\t") {
            desk.report(
                &STARTUP,
                None,
                format!("line {} is run at every start", index + 1),
            )?;
        }
    }
    Ok(())
}

/// A TensorFlow graph as text (`.pbtxt`): the operators of its nodes.
pub(super) fn graph_text(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut operators = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find("op:") {
        let before = rest.get(..at).unwrap_or_default();
        rest = rest.get(at + 3..).unwrap_or_default();
        if before
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_')
        {
            continue;
        }
        let value = rest.trim_start();
        if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let name = value.get(1..).and_then(|value| value.split(quote).next());
            operators.extend(name.map(str::to_owned));
        }
    }
    graph::operators(&operators, &BTreeSet::new(), desk)
}

/// A TensorFlow checkpoint's note of its newest state. Paths of the machine that wrote it are usual.
pub(super) fn checkpoint(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let odd = |line: &str| {
        line.contains("_checkpoint_path")
            && (line.contains("../") || line.contains("..\\") || line.contains("://"))
    };
    if text.lines().any(odd) {
        desk.report(
            &CONFIG_PATH,
            None,
            "the checkpoint's path leads out of the folder",
        )?;
    }
    Ok(())
}

/// LightGBM's own text form: arrays of a tree are as long as its leaves say.
pub(super) fn lightgbm(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    let mut leaves = None;
    let mut wrong = false;
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        if key == "Tree" {
            leaves = None;
        } else if key == "num_leaves" {
            leaves = value.trim().parse::<usize>().ok();
            wrong |= leaves.is_none_or(|leaves| leaves == 0 || leaves > 10_000_000);
        } else if let Some(leaves) = leaves {
            let count = value.split(' ').filter(|part| !part.is_empty()).count();
            wrong |= match key {
                "leaf_value" => count != leaves,
                "left_child" | "right_child"
                    if value.split(' ').any(|child| !is_branch(child, leaves)) =>
                {
                    true
                }
                "split_feature" | "threshold" | "left_child" | "right_child" => count != leaves - 1,
                _ => false,
            };
        }
    }
    if wrong {
        desk.report(&BROKEN, None, "a tree's arrays do not fit its leaves")?;
    }
    Ok(())
}

/// A branch leads to a node by its number or to a leaf by the complement of its number.
fn is_branch(child: &str, leaves: usize) -> bool {
    let Ok(child) = child.trim().parse::<i64>() else {
        return child.trim().is_empty();
    };
    let number = if child < 0 { !child } else { child };
    usize::try_from(number).is_ok_and(|number| number + usize::from(child >= 0) < leaves)
}

/// A script of a shell or a recipe for an image: lines that only attacks have.
pub(super) fn shell(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    for (index, line) in text.lines().enumerate() {
        if !line.trim_start().starts_with('#') && super::notebook::is_hostile(line) {
            let message = format!("line {}: a command fetches and runs a program", index + 1);
            desk.report(&CODE_ATTACK, None, message)?;
        }
    }
    Ok(())
}
