//! Runs the commands that pages show, so that what they print is what the program prints.
//!
//! A fenced block of the language `console` holds commands behind `$ ` and what each printed. They
//! run in a copy of `examples/`, one shell for each command.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::generate::{Generated, Program};

/// Pages with commands, beside those of the book.
const PAGES: [&str; 2] = ["README.md", "CONTRIBUTING.md"];

/// Every page that shows a command. Times and versions stay as they are where nothing else differs,
/// unless `fresh`.
pub(super) fn files(program: &Program, fresh: bool) -> miette::Result<Vec<Generated>> {
    let mut pages: Vec<PathBuf> = PAGES.iter().map(PathBuf::from).collect();
    for folder in ["docs/src/guides", "docs/src/concepts"] {
        for entry in fs::read_dir(folder).into_diagnostic()? {
            pages.push(entry.into_diagnostic()?.path());
        }
    }
    pages.sort();
    let mut files = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read `{}`", page.display()))?;
        let place = Place::new()?;
        let content = refreshed(&text, fresh, |command| place.run(program, command))
            .wrap_err_with(|| format!("in `{}`", page.display()))?;
        files.push(Generated {
            path: page.to_string_lossy().into_owned(),
            content,
        });
    }
    Ok(files)
}

/// `text` with what every command prints now.
fn refreshed(
    text: &str,
    fresh: bool,
    run: impl Fn(&str) -> miette::Result<String>,
) -> miette::Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        inside = match line {
            "```console" => true,
            "```" => false,
            _ => inside,
        };
        let Some(command) = line.strip_prefix("$ ").filter(|_| inside) else {
            continue;
        };
        let mut shown = String::new();
        while let Some(next) = lines.next_if(|next| !next.starts_with("$ ") && *next != "```") {
            shown.push_str(next);
            shown.push('\n');
        }
        let now = run(command)?;
        let keep = !fresh && same(&shown, &now);
        out.push_str(if keep { &shown } else { &now });
    }
    Ok(out)
}

/// Whether two outputs differ in nothing but times, versions, and where lines break, which times
/// move.
fn same(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let after = words.iter().skip(1).chain([&""]);
        words
            .iter()
            .zip(after)
            .map(|(word, next)| {
                let is_unit = |word: &str| ["ns", "µs", "ms", "rows/s"].contains(&bare(word));
                let is_time = bare(word).parse::<f64>().is_ok() && is_unit(next);
                let is_version =
                    bare(word).len() >= 8 && bare(word).bytes().all(|b| b.is_ascii_hexdigit());
                if is_time || is_unit(word) || is_version {
                    "#".to_owned()
                } else {
                    (*word).to_owned()
                }
            })
            .collect()
    };
    words(one) == words(other)
}

/// A word without what stands around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['(', ')', ',', '"'])
}

/// A copy of the examples, gone when dropped.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn new() -> miette::Result<Self> {
        let folder = env::temp_dir().join(format!("bartizan-docs-{}", process::id()));
        let place = Self { folder };
        copy(Path::new("examples"), &place.folder)?;
        Ok(place)
    }

    fn run(&self, program: &Program, command: &str) -> miette::Result<String> {
        let output = program
            .shell(command, &self.folder)
            .output()
            .into_diagnostic()
            .wrap_err("cannot run `sh`")?;
        if output.status.code() == Some(127) {
            return Err(miette!("`{command}` is not there"));
        }
        let printed = String::from_utf8(output.stdout)
            .into_diagnostic()
            .wrap_err_with(|| format!("`{command}` does not print text"))?;
        let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let mut printed = lines.join("\n").trim_end().to_owned();
        if !printed.is_empty() {
            printed.push('\n');
        }
        Ok(printed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn copy(from: &Path, to: &Path) -> miette::Result<()> {
    fs::create_dir_all(to).into_diagnostic()?;
    for entry in fs::read_dir(from).into_diagnostic()? {
        let entry = entry.into_diagnostic()?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).into_diagnostic()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_replaced_where_it_differs() {
        let page = "a\n```console\n$ one\nold\n$ two\n12 µs, policy 0123abcd\n```\n$ three\n";
        let new = refreshed(page, false, |command| {
            Ok(match command {
                "one" => "new\nlines\n".to_owned(),
                _ => "9 ms, policy ffffffff\n".to_owned(),
            })
        });
        assert_eq!(
            new.unwrap(),
            "a\n```console\n$ one\nnew\nlines\n$ two\n12 µs, policy 0123abcd\n```\n$ three\n"
        );
        assert!(!same("3 findings", "4 findings"));
        assert!(same(
            "(2 checks, 9 ms), rules 0123abcd",
            "(2 checks, 812 µs), rules\n  ffffffff"
        ));
    }
}
