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

/// Every page that shows a command.
pub(super) fn files(program: &Program) -> miette::Result<Vec<Generated>> {
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
        let content = refreshed(&text, |command| place.run(program, command))
            .wrap_err_with(|| format!("in `{}`", page.display()))?;
        files.push(Generated {
            path: page.to_string_lossy().into_owned(),
            content,
        });
    }
    Ok(files)
}

/// `text` with what every command prints now; output that differs in times and versions only
/// stays.
fn refreshed(text: &str, run: impl Fn(&str) -> miette::Result<String>) -> miette::Result<String> {
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
        out.push_str(if same(&shown, &now) { &shown } else { &now });
    }
    Ok(out)
}

/// Whether two outputs differ in nothing but times and versions.
fn same(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let mut words: Vec<String> = text
            .split_inclusive(char::is_whitespace)
            .map(str::to_owned)
            .collect();
        let plain: Vec<String> = words
            .iter()
            .map(|word| word.trim_matches([' ', '\n', ',', ')', '(']).to_owned())
            .collect();
        for (at, word) in words.iter_mut().enumerate() {
            let next = plain.get(at + 1).map_or("", String::as_str);
            let this = plain.get(at).map_or("", String::as_str);
            let timed = ["ns", "µs", "ms", "s"].contains(&next);
            let version = this.len() >= 8 && this.bytes().all(|byte| byte.is_ascii_hexdigit());
            if version || timed && this.parse::<f64>().is_ok() || ["ns", "µs", "ms"].contains(&this)
            {
                "#".clone_into(word);
            }
        }
        words
    };
    words(one) == words(other)
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
        let new = refreshed(page, |command| {
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
    }
}
