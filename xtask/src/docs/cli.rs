//! The help of every command.

use std::fmt::Write as _;

use super::NOTICE;
use crate::generate::Program;

/// The page.
pub(super) fn page(program: &Program) -> miette::Result<String> {
    let mut out = format!(
        "# Command line\n\n{NOTICE}\n\nWhat `--help` prints for each command, at 80 columns.\n"
    );
    let mut waiting = vec![Vec::new()];
    while let Some(command) = waiting.pop() {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = program.print(&arguments)?;
        let name = ["bartizan"]
            .into_iter()
            .chain(command.iter().map(String::as_str));
        let name: Vec<&str> = name.collect();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(
            out,
            "\n## `{}`\n\n```text\n{}\n```\n",
            name.join(" "),
            lines.join("\n").trim_end()
        );
        for child in subcommands(&help).into_iter().rev() {
            let mut child_command = command.clone();
            child_command.push(child.to_owned());
            waiting.push(child_command);
        }
    }
    Ok(out)
}

/// The names under `Commands:`, but for `help`.
fn subcommands(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::subcommands;

    #[test]
    fn commands_are_read_from_the_help() {
        let help = "Finds\n\nUsage: x\n\nCommands:\n  check  Looks\n         and looks\n  rules  Y\n  help   Z\n\nOptions:\n  -q\n";
        assert_eq!(subcommands(help), ["check", "rules"]);
    }
}
