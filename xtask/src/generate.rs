//! Rebuilds every generated file, or says which are out of date.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Stdio},
};

use clap::Parser as _;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{Cli, dispatch, docs, links, schemas};

/// Arguments of the commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The program `bartizan` whose output is written down; without it, one is built
    #[arg(long, env = "BARTIZAN_PROGRAM")]
    program: Option<PathBuf>,
    /// Count times and versions in what commands print as changes, too
    #[arg(long)]
    fresh: bool,
}

/// The content of a file that nobody writes by hand.
#[derive(Debug)]
pub(crate) struct Generated {
    /// Its path from the root of the repository.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) content: String,
}

/// Generators with commands of their own, which take `--check`.
const OTHERS: [&str; 2] = ["fold-table", "packs"];

/// Writes every generated file.
pub(crate) fn run(args: &Args) -> miette::Result<()> {
    for name in OTHERS {
        xtask(&[name])?;
    }
    for file in files(args)? {
        write(&file)?;
    }
    Ok(())
}

/// Fails when a generated file is out of date, a rule misses its own examples, or a link of the
/// documentation leads nowhere; names all of them.
pub(crate) fn check(args: &Args) -> miette::Result<()> {
    let mut mistakes = Vec::new();
    for name in OTHERS {
        mistakes.extend(mistake(xtask(&[name, "--check"])));
    }
    mistakes.extend(mistake(xtask(&["packs", "--test"])));
    for file in files(args)? {
        let current = fs::read_to_string(&file.path).unwrap_or_default();
        if current.replace("\r\n", "\n") != file.content {
            mistakes.push(format!(
                "`{}` is out of date; run `cargo xtask generate`",
                file.path
            ));
        }
    }
    mistakes.extend(links::broken(Path::new("."))?);
    mistakes.extend(mistake(build_book()));
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(miette!("{}", mistakes.join("\n")))
    }
}

fn mistake(result: miette::Result<()>) -> Option<String> {
    result.err().map(|error| error.to_string())
}

/// Runs another command of this program.
fn xtask(arguments: &[&str]) -> miette::Result<()> {
    let cli =
        Cli::try_parse_from(["xtask"].iter().chain(arguments)).map_err(|error| miette!(error))?;
    dispatch(cli.command)
}

fn files(args: &Args) -> miette::Result<Vec<Generated>> {
    let program = Program::of(args)?;
    let mut files = schemas::files(&program)?;
    files.extend(docs::files(&program, args.fresh)?);
    Ok(files)
}

fn write(file: &Generated) -> miette::Result<()> {
    if let Some(folder) = Path::new(&file.path).parent() {
        fs::create_dir_all(folder).into_diagnostic()?;
    }
    fs::write(&file.path, &file.content)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write `{}`", file.path))
}

/// The book is built where `mdbook` is installed; the link check stands in elsewhere.
fn build_book() -> miette::Result<()> {
    let folder = env::temp_dir().join(format!("bartizan-book-{}", process::id()));
    let built = process::Command::new("mdbook")
        .args(["build", "docs", "--dest-dir"])
        .arg(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let _ = fs::remove_dir_all(&folder);
    match built {
        Ok(status) if !status.success() => {
            Err(miette!("the book does not build; run `mdbook build docs`"))
        }
        _ => Ok(()),
    }
}

/// The `bartizan` program.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
}

impl Program {
    /// The given program, or one that is built beside this one.
    fn of(args: &Args) -> miette::Result<Self> {
        if let Some(path) = &args.program {
            let path = path.canonicalize().into_diagnostic()?;
            return Ok(Self { path });
        }
        let here = env::current_exe().into_diagnostic()?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = process::Command::new(cargo);
        build.args(["build", "--quiet", "--locked", "--package", "bartizan"]);
        if here
            .parent()
            .is_some_and(|folder| folder.ends_with("release"))
        {
            build.arg("--release");
        }
        if !build.status().into_diagnostic()?.success() {
            return Err(miette!("`bartizan` does not build"));
        }
        let name = format!("bartizan{}", env::consts::EXE_SUFFIX);
        Ok(Self {
            path: here.with_file_name(name),
        })
    }

    /// What the program prints, see [`quiet`].
    pub(crate) fn print(&self, arguments: &[&str]) -> miette::Result<String> {
        let shown = || format!("bartizan {}", arguments.join(" "));
        let output = quiet(&self.path)
            .args(arguments)
            .output()
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot run `{}`", self.path.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(miette!("`{}` failed: {}", shown(), said.trim()));
        }
        String::from_utf8(output.stdout)
            .into_diagnostic()
            .wrap_err_with(|| format!("`{}` does not print text", shown()))
    }

    /// A shell that runs `command` in `folder`, where `bartizan` is this program; errors go to its
    /// output, as on a terminal.
    pub(crate) fn shell(&self, command: &str, folder: &Path) -> process::Command {
        let own = self.path.parent().map(Path::to_owned);
        let others = env::var_os("PATH").unwrap_or_default();
        let folders = own.into_iter().chain(env::split_paths(&others));
        let mut shell = quiet(Path::new("sh"));
        shell.current_dir(folder);
        if let Ok(path) = env::join_paths(folders) {
            shell.env("PATH", path);
        }
        shell.arg("-c").arg(format!("{{ {command}\n}} 2>&1"));
        shell
    }
}

/// A command as on a terminal of 80 columns without colours, whatever stands in the environment.
fn quiet(program: &Path) -> process::Command {
    let mut command = process::Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("BARTIZAN_") {
            command.env_remove(name);
        }
    }
    command
        .stdin(Stdio::null())
        .env("COLUMNS", "80")
        .env("NO_COLOR", "1");
    command
}
