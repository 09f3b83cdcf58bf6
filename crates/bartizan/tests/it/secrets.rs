use std::process::Command;

use crate::helpers::{Project, Run};

const KEY: &str = "ghp_x7Kp2mQ9vRt4Zw8LbN3cYh6Jd1Sf5GaUoTe0";
const OTHER: &str = "ghp_Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0XcVbNm";

/// Runs `git` in a project as somebody, at some time.
fn git(project: &Project, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(project.folder.path())
        .args([
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b.example",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn commit(project: &Project, message: &str) {
    git(project, &["add", "--all", "--force"]);
    git(
        project,
        &["commit", "--quiet", "--allow-empty", "-m", message],
    );
}

/// A repository in whose history a key was added and taken out again.
fn repository() -> Project {
    let project = Project::new().with("a.py", format!("one\ntoken = '{KEY}'\n"));
    git(&project, &["init", "--quiet", "-b", "main"]);
    commit(&project, "first");
    let project = project.with("a.py", "one\ntoken = load()\n");
    commit(&project, "second");
    project
}

fn assert_secret(run: &Run, place: &str) {
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.stdout.contains(place), "{}", run.all());
    assert!(!run.all().contains("x7Kp"), "{}", run.all());
}

#[test]
fn sec_07_files_are_named_by_line_and_nothing_is_told() {
    let project = Project::new()
        .with("app/.env", format!("A=1\nTOKEN={KEY}\n"))
        .with(".gitignore", ".env\n")
        .with("clean.txt", "nothing here\n");
    let run = project.run(&["secrets", "."]);
    assert_secret(
        &run,
        "[secret.github-token] at line 2, column 7: 40 bytes, keyed hash ",
    );
    assert_eq!(project.run(&["secrets", "clean.txt"]).code, 0);
    let json = project.run(&["secrets", ".", "--format", "json"]);
    assert_secret(&json, "\"line\": 2");
    let sarif = project.run(&["secrets", ".", "--format", "sarif"]);
    assert_secret(&sarif, "\"startLine\": 2");
    let scan = project.run(&["scan", "app"]);
    assert_secret(&scan, "[secret.github-token] at line 2");

    git(&project, &["init", "--quiet"]);
    let run = project.run(&["secrets", ".", "--respect-gitignore"]);
    assert_eq!(run.code, 0, "{}", run.all());
    // A repository inside has its own list, which is not asked.
    let project = project.with("inner/a.txt", format!("{KEY}\n"));
    git(&project, &["init", "--quiet", "inner"]);
    let run = project.run(&["secrets", ".", "--respect-gitignore"]);
    assert_secret(&run, "inner/a.txt");
}

#[test]
fn scn_06_history_names_the_commit() {
    let project = repository();
    assert_eq!(project.run(&["secrets"]).code, 0);
    let run = project.run(&["secrets", "--history"]);
    assert_secret(
        &run,
        "of 2026-01-02T03:04:05Z, line 2: 40 bytes, keyed hash ",
    );
    assert!(run.stdout.contains("a.py"), "{}", run.stdout);
    let since = project.run(&["secrets", "--since", "HEAD~1"]);
    assert_eq!(since.code, 0, "{}", since.all());
    let wrong = project.run(&["secrets", "--since", "--output=x"]);
    assert_eq!(wrong.code, 2, "{}", wrong.all());
}

#[test]
fn scn_06_what_only_a_merge_holds_is_seen() {
    let project = repository();
    git(&project, &["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    let project = project.with("b.py", "b\n");
    commit(&project, "side");
    git(&project, &["checkout", "--quiet", "main"]);
    git(
        &project,
        &["merge", "--quiet", "--no-ff", "--no-commit", "side"],
    );
    let project = project.with("a.py", format!("one\ntoken = '{OTHER}'\n"));
    commit(&project, &format!("merge {}", "x"));
    let run = project.run(&["secrets", "--history"]);
    assert_eq!(run.stdout.matches("keyed hash").count(), 2, "{}", run.all());
}

#[test]
fn scn_06_messages_and_shallow_clones() {
    let project = Project::new().with("a", "x\n");
    git(&project, &["init", "--quiet"]);
    commit(&project, &format!("use {KEY} for now"));
    assert_secret(&project.run(&["secrets", "--history"]), "(commit message)");
    commit(&project, "next");
    let url = format!("file://{}", project.folder.path().display());
    git(
        &project,
        &["clone", "--quiet", "--depth", "1", &url, "shallow"],
    );
    let run = project.run(&["secrets", "shallow", "--history"]);
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(
        run.stdout.contains("the history is shallow"),
        "{}",
        run.stdout
    );
}

#[test]
fn sec_07_what_is_staged() {
    let project = repository();
    assert_eq!(project.run(&["secrets", "--staged"]).code, 0);
    let project = project.with("new.txt", format!("x\ny\n{OTHER}\n"));
    assert_eq!(project.run(&["secrets", "--staged"]).code, 0);
    git(&project, &["add", "new.txt"]);
    let run = project.run(&["secrets", "--staged"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.stdout.contains("line 3: 40 bytes"), "{}", run.stdout);
}

#[test]
fn a_repository_starts_nothing() {
    let project = repository();
    let trap = project.path("trap");
    let script = format!("touch '{}'; cat", trap.display());
    for (name, value) in [
        ("core.fsmonitor", script.as_str()),
        ("diff.external", &script),
        ("diff.x.textconv", &script),
        ("diff.x.command", &script),
        ("filter.x.clean", &script),
        ("core.pager", &script),
        ("gpg.program", &script),
        ("log.showSignature", "true"),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("color.ui", "always"),
        ("log.showRoot", "false"),
    ] {
        git(&project, &["config", name, value]);
    }
    let project = project.with(".gitattributes", "* diff=x filter=x\n");
    let _ = std::fs::remove_file(&trap);
    assert_secret(&project.run(&["secrets", "--history"]), "line 2");
    assert_eq!(project.run(&["secrets", "--staged"]).code, 0);
    assert!(!trap.exists());
}

#[test]
fn known_findings_do_not_fail() {
    let project = Project::new().with("a.env", format!("TOKEN={KEY}\n"));
    let write = project.run(&[
        "secrets",
        ".",
        "--baseline",
        "known.json",
        "--write-baseline",
    ]);
    assert_eq!(write.code, 0, "{}", write.all());
    let text = std::fs::read_to_string(project.path("known.json")).unwrap();
    assert!(!text.contains("ghp_"));
    let look = ["secrets", ".", "--baseline", "known.json"];
    let run = project.run(&look);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(
        run.stderr.contains("1 known finding accepted"),
        "{}",
        run.stderr
    );
    // Lines may move; another secret is another finding.
    let project = project.with("a.env", format!("X=1\nTOKEN={KEY}\n"));
    assert_eq!(project.run(&look).code, 0);
    let project = project.with("a.env", format!("TOKEN={OTHER}\n"));
    assert_eq!(project.run(&look).code, 1);
    let project = project.with("known.json", "{}");
    assert_eq!(project.run(&look).code, 2);
}

#[test]
fn fingerprints_and_comments_are_accepted() {
    let project = Project::new().with("a.env", format!("TOKEN={KEY}\n"));
    assert_eq!(project.run(&["secrets", "."]).code, 1);
    let project = project.with(".gitleaksignore", "a.env:secret.github-token:1\n");
    let run = project.run(&["secrets", "."]);
    assert_eq!(run.code, 0, "{}", run.all());
    let project = Project::new().with("a.env", format!("TOKEN={KEY} # gitleaks:allow\n"));
    assert_eq!(project.run(&["secrets", "."]).code, 0);
}

#[test]
fn scn_06_rules_of_gitleaks() {
    let rules = "[[rules]]\nid = \"mine\"\nregex = '''my-[a-z0-9]{8}'''\nkeywords = [\"my-\"]\n";
    let project = Project::new()
        .with("rules.toml", rules)
        .with("a/a.txt", format!("my-ab12cd34 {KEY}\n"));
    let run = project.run(&["secrets", "a", "--rules", "rules.toml"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(
        run.stdout.contains("[gitleaks.mine] at line 1"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("[secret."), "{}", run.stdout);
    let broken = project.with("rules.toml", "[[rules]]\nid = \"a\"\nregex = '''('''\n");
    let run = broken.run(&["secrets", "a", "--rules", "rules.toml"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("rule `a`") && run.stderr.contains("rules.toml:3"),
        "{}",
        run.stderr
    );
}
