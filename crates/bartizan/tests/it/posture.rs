use crate::helpers::{Project, check};

#[test]
fn scn_07_configurations_are_judged_in_the_same_report() {
    let project = Project::new()
        .with("Dockerfile", "FROM python\nENV OPENAI_API_KEY=abc\nCMD x\n")
        .with(
            "compose.yaml",
            "services:\n  a:\n    image: ollama/ollama:0.5\n    environment:\n      OLLAMA_HOST: 0.0.0.0\n",
        )
        .with("main.tf", "resource \"aws_s3_bucket\" \"a\" {\n  acl = \"public-read\"\n}\n")
        .with("notes.yaml", "a: 1\n");
    let run = project.run(&["scan", "."]);
    assert_eq!(run.code, 1, "{}", run.all());
    for line in [
        "high[image.secret-in-env] at line 2, column 1",
        "medium[image.mutable-tag] at line 1, column 1",
        "high[runtime.ollama-open] at line 5, column 7",
        "critical[terraform.public-bucket] at line 2, column 3",
    ] {
        assert!(run.stdout.contains(line), "{line}: {}", run.all());
    }
    assert!(!run.stdout.contains("notes.yaml"));
}

#[test]
fn scn_07_templates_are_incomplete() {
    let template = "apiVersion: v1\n{{- if .Values.x }}\nkind: Pod\n{{- end }}\n";
    let run = Project::new()
        .with("t/pod.yaml", template)
        .run(&["scan", "t"]);
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(
        run.stdout.contains("the file is a template"),
        "{}",
        run.stdout
    );
}

#[test]
fn scn_08_our_own_settings() {
    let project = Project::new().with("a/bartizan.yaml", "policy: {shadow: true}\n");
    let run = project.run(&["scan", "a"]);
    assert!(
        run.stdout.contains("[runtime.bartizan-shadow] at line 1"),
        "{}",
        run.all()
    );
}

#[test]
fn rules_about_configurations_have_pages() {
    let run = check(&["explain", "compose.docker-socket"], 0);
    assert!(
        run.stdout
            .contains("the check `configuration` of the artifact"),
        "{}",
        run.stdout
    );
}

#[test]
fn scn_16_pipelines_stand_up_to_their_own_rules() {
    for (platform, path) in [
        ("github", ".github/workflows/bartizan.yml"),
        ("gitlab", ".gitlab-ci.yml"),
        ("pre-commit", ".pre-commit-config.yaml"),
    ] {
        let printed = check(&["init", "ci", platform], 0).stdout;
        let project = Project::new().with(path, &printed);
        let run = project.run(&["scan", "."]);
        assert_eq!(run.code, 0, "{platform}: {}", run.all());
        // Every command in it is one that there is, with options that there are.
        for line in printed
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            let Some((before, rest)) = line.split_once("bartizan ") else {
                continue;
            };
            if !(before.trim().is_empty()
                || before.ends_with("- ")
                || before.ends_with("run: ")
                || before.ends_with("entry: "))
            {
                continue;
            }
            let words = rest.split(" > ").next().unwrap().split_whitespace();
            let mut arguments: Vec<&str> = words.collect();
            arguments.push("--help");
            let run = Project::new().run(&arguments);
            assert_eq!(run.code, 0, "{line}: {}", run.all());
        }
    }
}

#[test]
fn scn_16_pipelines_have_their_gates_in_order() {
    let github: serde_json::Value =
        serde_saphyr::from_str(&check(&["init", "ci", "github"], 0).stdout).unwrap();
    let needs = |job: &str| -> Vec<&str> {
        let needs = github["jobs"][job]["needs"].as_array();
        needs.map_or(Vec::new(), |needs| {
            needs.iter().filter_map(|one| one.as_str()).collect()
        })
    };
    assert_eq!(needs("sign"), ["secrets", "scan", "verify"]);
    assert_eq!(needs("deploy"), ["sign"]);
    for (name, job) in github["jobs"].as_object().unwrap() {
        assert!(
            job["runs-on"].is_string() && job["timeout-minutes"].is_number(),
            "{name}"
        );
        for step in job["steps"].as_array().unwrap() {
            let ways = [step["uses"].is_string(), step["run"].is_string()];
            assert_eq!(ways.iter().filter(|way| **way).count(), 1, "{name}: {step}");
        }
        for needed in needs(name) {
            assert!(github["jobs"][needed].is_object(), "{needed}");
        }
    }
    let gitlab: serde_json::Value =
        serde_saphyr::from_str(&check(&["init", "ci", "gitlab"], 0).stdout).unwrap();
    let stages: Vec<&str> = gitlab["stages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one.as_str())
        .collect();
    assert_eq!(stages, ["check", "sign", "deploy"]);
    for job in ["secrets", "scan", "verify", "sign", "deploy"] {
        let stage = gitlab[job]["stage"].as_str().unwrap();
        assert!(
            stages.contains(&stage) && gitlab[job]["script"].is_array(),
            "{job}"
        );
    }
}
