use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder of its own and the program in it.
pub(crate) struct Project {
    pub(crate) folder: TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder }
    }

    /// With a file.
    pub(crate) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "", &[])
    }

    pub(crate) fn run_with(
        &self,
        arguments: &[&str],
        stdin: impl Into<Vec<u8>>,
        variables: &[(&str, &str)],
    ) -> Run {
        let mut command = Command::cargo_bin("bartizan").unwrap();
        for name in ["BARTIZAN_CONFIG", "BARTIZAN_POLICY", "BARTIZAN_KEY"] {
            command.env_remove(name);
        }
        let output = command
            .current_dir(self.folder.path())
            .env("COLUMNS", "80")
            .env("NO_COLOR", "1")
            .envs(variables.iter().copied())
            .args(arguments)
            .write_stdin(stdin)
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Everything that was printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Asserts how a run without files ends.
pub(crate) fn check(arguments: &[&str], code: i32) -> Run {
    let run = Project::new().run(arguments);
    assert_eq!(run.code, code, "{}", run.all());
    run
}

/// Compares with what changes from run to run left out.
macro_rules! assert_shown {
    ($text:expr, @$expected:literal) => {
        insta::with_settings!({filters => vec![
            (r"\d+ (µs|ms|s)\b", "[TIME]"),
            (r"(policy|rules) [0-9a-f]{8}", "$1 [VERSION]"),
            (r"\d+ checks", "[N] checks"),
        ]}, {
            insta::assert_snapshot!($text, @$expected);
        });
    };
}
pub(crate) use assert_shown;

/// A rule pack in `folder` of a project.
pub(crate) fn with_pack(project: Project, folder: &str) -> Project {
    let at = |name: &str| Path::new(folder).join(name).display().to_string();
    project
        .with(&at("pack.yaml"), "name: mine\nversion: '1'\ntitle: own rules\n")
        .with(
            &at("rules.yaml"),
            "rules:\n  - id: custom.codeword\n    title: says the codeword\n    severity: high\n    category: custom\n    why: It is a secret word.\n    fix: Say another one.\n    any: [xyzzy plugh]\n    examples: [say xyzzy plugh now]\n    negative_examples: [say hello]\n",
        )
}
