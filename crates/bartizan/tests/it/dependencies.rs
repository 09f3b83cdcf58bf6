//! `bartizan bom`, `deps`, and `db` over files.

use serde_json::Value;

use crate::helpers::Project;

const OSV: &str = r#"{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-1"],
 "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
 "affected":[{"package":{"ecosystem":"PyPI","name":"jinja2"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.11.3"}]}]}]}"#;

fn project() -> Project {
    let project = Project::new()
        .with("advisories/GHSA-1.json", OSV)
        .with("app/requirements.txt", "# pins\nJinja2==2.10\nflask==3.0\n");
    let run = project.run(&["db", "import", "advisories", "-o", "advisories.jsonl"]);
    assert_eq!(run.code, 0, "{}", run.all());
    project
}

#[test]
fn scn_14_without_a_database_nothing_was_looked_up() {
    let project = Project::new().with("requirements.txt", "jinja2==2.10\n");
    let run = project.run(&["deps", ".", "--database", "none.jsonl"]);
    assert_eq!(run.code, 2, "{}", run.all());
    assert!(run.stderr.contains("there is no database"), "{}", run.all());
}

#[test]
fn a_weak_package_is_found_in_every_format() {
    let project = project();
    let deps = |more: &[&str]| {
        let arguments = [&["deps", "app", "--database", "advisories.jsonl"], more].concat();
        project.run(&arguments)
    };
    let run = deps(&[]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(
        run.stdout
            .contains("GHSA-1 in `jinja2` 2.10, CVSS 9.8, fixed in 2.11.3"),
        "{}",
        run.all()
    );
    assert!(run.stdout.contains("requirements.txt:2:1"), "{}", run.all());
    assert!(
        run.stderr.contains("1 advisories up to 2026-01-01"),
        "{}",
        run.all()
    );
    let run = deps(&["--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let finding = &report["subjects"][0]["findings"][0];
    assert_eq!(finding["rule"], "dependency.critical-vulnerability");
    assert_eq!(finding["category"], "vulnerability");
    assert_eq!(finding["location"]["line"], 2);
    let run = deps(&["--format", "sarif"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let result = &report["runs"][0]["results"][0];
    assert_eq!(result["level"], "error");
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "app/requirements.txt");
}

#[test]
fn gates_exceptions_and_pins_decide_the_exit_code() {
    let project = project()
        .with(
            "accept.yaml",
            "exceptions: [{ id: CVE-2026-1, until: '2999-01-01', reason: templates are ours }]",
        )
        .with(
            "expired.yaml",
            "exceptions: [{ id: CVE-2026-1, until: '2020-01-01', reason: templates are ours }]",
        );
    let code = |more: &[&str]| {
        let arguments = [&["deps", "app", "--database", "advisories.jsonl"], more].concat();
        project.run(&arguments).code
    };
    assert_eq!(code(&["--fail-on", "critical"]), 1);
    assert_eq!(code(&["--exceptions", "accept.yaml"]), 0);
    assert_eq!(code(&["--exceptions", "expired.yaml"]), 1);
    assert_eq!(code(&["--exceptions", "accept.yaml", "--pins"]), 1);
    assert_eq!(
        code(&[
            "--exceptions",
            "accept.yaml",
            "--pins",
            "--fail-on",
            "medium"
        ]),
        0
    );
    assert_eq!(code(&["--database-digest", "sha256:00"]), 2);
}

#[test]
fn scn_15_reports_of_others_are_read() {
    let project = project().with(
        "audit.json",
        r#"{"dependencies":[{"name":"jinja2","version":"2.10","vulns":[{"id":"PYSEC-1","fix_versions":["2.11.3"],"aliases":[]}]}]}"#,
    );
    // Nothing is looked up, so that no database is needed.
    let run = project.run(&["deps", "--import", "audit.json"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(
        run.stdout
            .contains("PYSEC-1 in `jinja2` 2.10, found by pip-audit"),
        "{}",
        run.all()
    );
    let project = project.with("audit.json", "No known vulnerabilities found");
    let run = project.run(&[
        "deps",
        "--import",
        "audit.json",
        "--database",
        "advisories.jsonl",
    ]);
    assert_eq!(run.code, 2, "{}", run.all());
}

#[test]
fn a_bill_of_materials_is_the_same_twice() {
    let project = project().with("app/model/weights.safetensors", "w");
    let bom = |format: &str| {
        let variables = [("SOURCE_DATE_EPOCH", "1700000000")];
        let run = project.run_with(&["bom", "app", "--format", format], "", &variables);
        assert_eq!(run.code, 0, "{}", run.all());
        run.stdout
    };
    for format in ["cyclonedx", "cyclonedx-1.7", "spdx"] {
        assert_eq!(bom(format), bom(format));
        assert!(bom(format).contains("pkg:pypi/jinja2@2.10"));
        assert!(bom(format).contains("weights.safetensors"));
        assert!(bom(format).contains("2023-11-14T22:13:20Z"));
    }
    let project = project.with("app/uv.lock", "broken [");
    let run = project.run(&["bom", "app"]);
    assert_eq!(run.code, 3, "{}", run.all());
    std::fs::create_dir(project.path("empty")).unwrap();
    assert_eq!(project.run(&["bom", "empty"]).code, 2);
}

#[test]
fn rules_about_packages_and_signatures_have_pages() {
    for rule in ["dependency.typosquat", "signature.altered-file"] {
        let run = Project::new().run(&["explain", rule]);
        assert_eq!(run.code, 0, "{}", run.all());
    }
}

#[test]
fn a_package_that_was_not_looked_up_is_not_clean() {
    let project = project();
    let code = |project: &Project| {
        let run = project.run(&["deps", "app", "--database", "advisories.jsonl"]);
        run.code
    };
    let project = project.with("app/requirements.txt", "flask==3.0\n");
    assert_eq!(code(&project), 0);
    let project = project.with("app/requirements.txt", "flask\n");
    assert_eq!(code(&project), 3);
    let project = project.with("app/requirements.txt", "-r ../elsewhere.txt\nflask==3.0\n");
    assert_eq!(code(&project), 3);
}

#[cfg(unix)]
#[test]
fn a_link_among_advisories_is_not_passed_over_silently() {
    let project = project();
    std::os::unix::fs::symlink("/etc/passwd", project.path("advisories/GHSA-2.json")).unwrap();
    let run = project.run(&["db", "import", "advisories", "-o", "advisories.jsonl"]);
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(
        run.stderr
            .contains("incomplete: GHSA-2.json: a symbolic link"),
        "{}",
        run.all()
    );
}
