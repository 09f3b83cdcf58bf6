use std::path::{Path, PathBuf};

use bartizan_redteam::{Suite, builtin, builtin_names, import, named};

use super::rows;
use crate::{
    input::{escaped, read_bytes},
    problem::{Problem, Problems, nearest},
};

/// The suites of those names, built-in ones and files; all built-in ones for none.
pub(crate) fn load(names: &[String]) -> Result<Vec<Suite>, Problems> {
    if names.is_empty() {
        return builtin().map_err(|error| Problem::new(error.to_string()).into());
    }
    let mut suites: Vec<Suite> = Vec::new();
    let mut problems = Problems::new();
    for name in names {
        match one(name) {
            Ok(suite) if suites.iter().any(|known| known.name == suite.name) => {
                let message = format!("the suite `{}` is given twice", suite.name);
                problems.push(Problem::new(message).help("each test would count twice"));
            }
            Ok(suite) => suites.push(suite),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(suites)
    } else {
        Err(problems)
    }
}

fn one(name: &str) -> Result<Suite, Problem> {
    if let Some(suite) = named(name) {
        return suite.map_err(|error| Problem::new(error.to_string()));
    }
    let path = PathBuf::from(name);
    if path.is_file() {
        return file(&path);
    }
    if path.is_dir() {
        return Err(Problem::new(format!("`{}` is a folder", escaped(&path)))
            .help("name the files of tests in it"));
    }
    let problem = Problem::new(format!("there is no suite and no file `{name}`"));
    Err(match nearest(name, builtin_names()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("`bartizan redteam list` names the built-in suites"),
    })
}

/// A file of tests, told by its content.
fn file(path: &Path) -> Result<Suite, Problem> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let name = path.file_stem().map(|stem| stem.to_string_lossy());
    let name = crate::render::safe::line(&name.unwrap_or_default());
    let broken = |error: String| Problem::new(format!("`{}`: {error}", escaped(path)));
    if extension == "parquet" || extension == "csv" || extension == "tsv" {
        return rows::read(path, &name);
    }
    let bytes = read_bytes(path, import::MAX_BYTES as u64)?;
    if extension == "yaml" || extension == "yml" {
        let text = std::str::from_utf8(&bytes).map_err(|_| broken("it is no UTF-8".to_owned()))?;
        return match kind(text) {
            Kind::Suite => Suite::from_yaml(text).map_err(|error| broken(error.to_string())),
            Kind::Promptfoo => {
                import::promptfoo(&name, &bytes).map_err(|error| broken(error.to_string()))
            }
            Kind::Pyrit => import::pyrit(&name, &bytes).map_err(|error| broken(error.to_string())),
        };
    }
    // A report of garak names its entries in every line.
    let first = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let is_garak = first.windows(12).any(|window| window == b"\"entry_type\"");
    if is_garak {
        return import::garak_report(&name, &bytes).map_err(|error| broken(error.to_string()));
    }
    rows::read(path, &name)
}

enum Kind {
    Suite,
    Promptfoo,
    Pyrit,
}

/// What a YAML file is, by its keys on the first level.
fn kind(text: &str) -> Kind {
    let has = |key: &str| {
        text.lines().any(|line| {
            line.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(':'))
        })
    };
    if has("suite") {
        Kind::Suite
    } else if has("tests") || has("providers") || has("targets") {
        Kind::Promptfoo
    } else if has("seeds") || has("prompts") || has("value") {
        Kind::Pyrit
    } else {
        Kind::Suite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_told_apart() {
        assert!(matches!(kind("# x\nsuite: a\ntests: []\n"), Kind::Suite));
        assert!(matches!(kind("prompts: [a]\ntests: []\n"), Kind::Promptfoo));
        assert!(matches!(
            kind("name: a\nseeds:\n  - value: x\n"),
            Kind::Pyrit
        ));
        assert!(matches!(
            kind("name: a\nvalue: x {{ prompt }}\n"),
            Kind::Pyrit
        ));
    }

    #[test]
    fn names_are_looked_up() {
        assert_eq!(load(&["smoke".to_owned()]).unwrap().len(), 1);
        let problems = load(&["smoek".to_owned()]).unwrap_err();
        let help = miette::Diagnostic::help(&problems[0]).unwrap().to_string();
        assert_eq!(help, "did you mean `smoke`?");
        assert!(load(&["smoke".to_owned(), "smoke".to_owned()]).is_err());
    }
}
