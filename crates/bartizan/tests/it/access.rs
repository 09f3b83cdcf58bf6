//! `bartizan access` over configurations and policy files.

use serde_json::Value;

use crate::helpers::Project;

const CONFIG: &str = "\
access:
  policies: [own.cedar]
  grants:
    - id: scientist
      user: eve
      roles: [data_scientist]
      on: ['model:fraud-*']
      expires: 2126-12-31
    - id: watcher
      user: 'corp:*'
      roles: [auditor]
    - id: deployer
      user: 'corp:bob'
      roles: [ml_engineer]
    - id: root
      user: root
      roles: [admin]
      denied: ['model:predict']
";

const POLICIES: &str = "\
@id(\"freeze\")
forbid (principal, action == Action::\"model:deploy\", resource == Model::\"prod\");
";

fn project() -> Project {
    Project::new()
        .with("bartizan.yaml", CONFIG)
        .with("own.cedar", POLICIES)
}

#[test]
fn a_decision_names_its_policies() {
    let project = project();
    let ask = |arguments: &[&str]| {
        let run = project.run(&[&["access", "check"], arguments].concat());
        (run.code, run.stdout)
    };
    assert_eq!(
        ask(&["eve", "model:predict", "model:fraud-1"]),
        (
            0,
            "allowed: `eve` model:predict on model:fraud-1\npermitted by scientist\n".to_owned()
        )
    );
    let (code, text) = ask(&["eve", "model:predict", "spam"]);
    assert_eq!(code, 1);
    assert!(text.contains("nothing permits it"), "{text}");
    let (code, text) = ask(&["root", "model:predict", "spam", "--format", "json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 1);
    assert_eq!(json["because"], "forbidden");
    assert_eq!(json["policies"][0], "root/denied");
    let (code, text) = ask(&["corp:bob", "model:deploy", "prod"]);
    assert_eq!(code, 1);
    assert!(text.contains("forbidden by freeze"), "{text}");
    let (code, _) = ask(&[
        "eve",
        "model:read",
        "fraud-1",
        "--at",
        "2127-01-01T00:00:00Z",
    ]);
    assert_eq!(code, 1);
    let (code, _) = ask(&["key", "model:predict", "any", "--scope", "infer"]);
    assert_eq!(code, 0);
}

#[test]
fn unknown_actions_and_kinds_are_errors() {
    let project = project();
    let run = project.run(&["access", "check", "eve", "model:reed", "m"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("did you mean `model:read`?"), "{run:?}");
    let run = project.run(&["access", "check", "eve", "model:read", "dataset:m"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("about no dataset"), "{run:?}");
}

#[test]
fn rb_07_mistakes_are_shown_in_their_file() {
    let config = CONFIG.replace("roles: [ml_engineer]", "roles: [ml_enginer]");
    let project = project().with("bartizan.yaml", config);
    for arguments in [
        &["config", "check", "bartizan.yaml"][..],
        &["access", "report"],
    ] {
        let run = project.run(arguments);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("mean `ml_engineer`?"), "{run:?}");
        assert!(run.stderr.contains("bartizan.yaml:14"), "{run:?}");
    }
    let project = project.with("bartizan.yaml", CONFIG).with(
        "own.cedar",
        format!("{POLICIES}permit (principal, action in Action::\"role:viever\", resource);\n"),
    );
    let run = project.run(&["config", "check", "bartizan.yaml"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("own.cedar:3"), "{run:?}");
    assert!(run.stderr.contains("role:viewer"), "{run:?}");
}

#[test]
fn who_can_and_the_report_name_people_and_conflicts() {
    let project = project();
    let run = project.run(&["access", "who-can", "model:deploy", "m"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.stdout,
        "user corp:bob  permitted by deployer\nuser root  permitted by root\n"
    );
    let run = project.run(&["access", "who-can", "model:deploy", "prod"]);
    assert_eq!(run.stdout, "nobody that is named anywhere\n");
    let run = project.run(&["access", "report"]);
    assert_eq!(run.code, 1, "{run:?}");
    let conflict = "conflict: user corp:bob holds auditor and ml_engineer (deployer, watcher)";
    assert!(run.stdout.contains(conflict), "{run:?}");
    let run = project.run(&["access", "report", "--format", "json"]);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["grants"].as_array().unwrap().len(), 4);
    assert_eq!(json["conflicts"][0]["grantee"]["name"], "corp:bob");
    assert_eq!(json["grants"][3]["everything"], true);
}

#[test]
fn expectations_are_tested_beside_the_truth_table() {
    let project = project().with(
        "expect.yaml",
        "expect:\n\
         - {user: eve, action: 'model:predict', resource: fraud-1, decision: allow}\n\
         - {user: eve, action: 'model:deploy', resource: fraud-1, decision: allow}\n",
    );
    let run = project.run(&["access", "test"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.stdout,
        "built-in roles: 55 of 55 decisions as expected\n"
    );
    let run = project.run(&["access", "test", "expect.yaml"]);
    assert_eq!(run.code, 1, "{run:?}");
    let told = "expect.yaml:3: expected allow, denied: `eve` model:deploy on model:fraud-1 (not-permitted)";
    assert!(run.stdout.contains(told), "{run:?}");
    let run = project.run(&["access", "test", "expect.yaml", "--format", "json"]);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["tests"][1]["failures"][0]["line"], 3);
}

#[test]
fn the_schema_is_that_of_the_configuration() {
    let project = Project::new().with(
        "bartizan.yaml",
        "access: {roles: {releaser: {permissions: ['model:deploy']}}}\n",
    );
    let run = project.run(&["access", "schema"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("action \"role:releaser\";"), "{run:?}");
}
