use crate::helpers::{Project, check, with_pack};

#[test]
fn a_rule_has_a_page() {
    let run = check(&["explain", "prompt.instruction-override"], 0);
    for said in [
        "asks the model to drop its instructions",
        "why it matters",
        "what to do",
        "AML.T0051.000 https://atlas.mitre.org/techniques/AML.T0051.000",
        "row `default.attack-by-user`",
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    let project = with_pack(Project::new(), "packs/mine");
    let run = project.run(&[
        "explain",
        "custom.codeword",
        "--packs",
        "packs",
        "--allow-unsigned",
    ]);
    assert!(run.stdout.contains("say xyzzy plugh now"), "{}", run.all());
}

#[test]
fn every_listed_rule_has_a_page() {
    let list = check(&["explain"], 0).stdout;
    let ids: Vec<&str> = list
        .lines()
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for id in [
        "shape.too-long",
        "session.cool-down",
        "pii.email-address",
        "prompt.instruction-override",
        "judge.attack",
        "external.openai-moderation.hate",
        "external.llama-guard.violent-crimes",
    ] {
        assert!(ids.contains(&id), "{id} in {list}");
    }
    // One of each area is enough: pages are made alike.
    let mut areas: Vec<&str> = ids.iter().filter_map(|id| id.split('.').next()).collect();
    areas.dedup();
    for area in areas {
        let id = ids.iter().find(|id| id.starts_with(area)).unwrap();
        assert!(
            check(&["explain", id], 0).stdout.contains("found by"),
            "{id}"
        );
    }
}

#[test]
fn out_03_rules_of_classifiers_outside_are_explained() {
    let run = check(&["explain", "external.perspective.toxicity"], 0);
    for said in [
        "Perspective takes the text for toxic",
        "the check `perspective` of the external layer",
        "category        harm",
        "block from 80 %",
        "`default.harm`",
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    let minor = check(&["explain", "external.perspective.insult"], 0);
    assert!(
        minor.stdout.contains("`default.harm-minor`"),
        "{}",
        minor.stdout
    );
}

#[test]
fn packs_are_tested() {
    let project = with_pack(Project::new(), "packs/mine");
    let run = project.run(&["rules", "test", "packs"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "passed: 1 rule, 2 examples, 0 failures\n")
    );
    let run = project.run(&["rules", "test", "packs", "--mutations"]);
    assert!(run.stdout.contains("custom.codeword"), "{}", run.stdout);
    let rules = std::fs::read_to_string(project.path("packs/mine/rules.yaml")).unwrap();
    let project = project.with(
        "packs/mine/rules.yaml",
        rules.replace("[say hello]", "[oh xyzzy plugh]"),
    );
    let run = project.run(&["rules", "test", "packs"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("failed: 1 rule, 2 examples, 1 failure"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("hits its negative example 1"),
        "{}",
        run.stderr
    );
}

/// `minisign -G -W` of 0.11 writes zeroes for the checksum.
#[test]
fn a_key_without_checksum_signs() {
    // Made for this test, and used for nothing else.
    const SECRET: &str = "untrusted comment: minisign encrypted secret key\nRWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAxOwxteh44Lo7WdoKImtThhwbIp1YYLpmjfU/WDkaD4OFUVrT7F4iZ1rw7GaKoD+nNQSpw7LAFawFa9M9FbtXtW++fyhnSRn+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    const PUBLIC: &str = "RWTE7DG16Hjgulrw7GaKoD+nNQSpw7LAFawFa9M9FbtXtW++fyhnSRn+";
    let project = with_pack(Project::new(), "mine").with("key", SECRET);
    let run = project.run(&["rules", "sign", "mine", "--key", "key"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let run = project.run(&["rules", "verify", "mine", "--trusted-key", PUBLIC]);
    assert_eq!(run.code, 0, "{}", run.all());
    // One digit of the secret half is another one.
    let broken = SECRET.replacen("tTh", "tAh", 1);
    let project = project.with("key", broken);
    let run = project.run(&["rules", "sign", "mine", "--key", "key"]);
    assert!(
        run.code == 2 && run.stderr.contains("minisign -G -W"),
        "{}",
        run.all()
    );
}

#[test]
fn built_in_rules_have_examples() {
    let page = check(&["explain", "prompt.instruction-override"], 0).stdout;
    assert!(page.contains("\nexamples        "), "{page}");
}

#[test]
fn packs_are_signed_and_verified() {
    let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let secret = pair.sk.to_box(None).unwrap().to_string();
    let public = pair.pk.to_base64();
    let project = with_pack(Project::new(), "mine").with("key", secret);
    let run = project.run(&["rules", "sign", "mine", "--key", "key"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "signed: pack mine 1 in `mine`\n"),
        "{}",
        run.stderr
    );
    let run = project.run(&["rules", "verify", "mine", "--trusted-key", &public]);
    assert!(
        run.code == 0 && run.stdout.starts_with("verified: `mine`, signed by "),
        "{}",
        run.all()
    );
    let text = "say xyzzy plugh now";
    assert_eq!(
        project
            .run(&["check", "--packs", "mine", "--trusted-key", &public, text])
            .code,
        1
    );
    let other = minisign::KeyPair::generate_unencrypted_keypair()
        .unwrap()
        .pk
        .to_base64();
    let run = project.run(&["check", "--packs", "mine", "--trusted-key", &other, text]);
    assert!(
        run.code == 2 && run.stderr.contains("not trusted"),
        "{}",
        run.all()
    );
    let rules = std::fs::read_to_string(project.path("mine/rules.yaml")).unwrap();
    let project = project.with("mine/rules.yaml", rules.replace("high", "low"));
    let run = project.run(&["rules", "verify", "mine", "--trusted-key", &public]);
    assert!(
        run.code == 2 && run.stderr.contains("altered after signing"),
        "{}",
        run.all()
    );
    let project = project.with("key", "no key");
    let run = project.run(&["rules", "sign", "mine", "--key", "key"]);
    assert!(
        run.code == 2 && run.stderr.contains("minisign -G -W"),
        "{}",
        run.all()
    );
}

#[test]
fn policies_are_shown_and_checked() {
    let project = Project::new().with(
        "policy.yaml",
        "rows:\n  - name: mine\n    category: [pii]\n    block: 0.5\n",
    );
    let run = project.run(&["policy", "show", "--policy", "policy.yaml"]);
    let rows: Vec<&str> = run.stdout.lines().skip(3).collect();
    assert!(
        rows[0].starts_with("mine ") && rows[0].ends_with("50  pii"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("default.rest") && run.stdout.contains("everything else"));
    let run = project.run(&["policy", "check", "policy.yaml"]);
    assert!(
        run.code == 0 && run.stdout.contains("1 own and "),
        "{}",
        run.all()
    );
}

#[test]
fn configurations_are_checked() {
    let project = with_pack(Project::new(), "packs/mine")
        .with(
            "bartizan.yaml",
            "packs: [packs]\nallow-unsigned: true\npolicy: policy.yaml\n",
        )
        .with("policy.yaml", "shadow: true\n");
    let run = project.run(&["config", "check", "bartizan.yaml"]);
    assert!(
        run.code == 0 && run.stdout.contains("is in order"),
        "{}",
        run.all()
    );
}

#[test]
fn schemas_are_printed() {
    for of in ["policy", "config", "rule-pack", "report"] {
        let run = check(&["schema", of], 0);
        let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(schema["$schema"].is_string(), "{of}");
    }
}

/// Whoever reads reports can rely on the file: `bartizan schema report` makes it again.
#[test]
fn the_schema_of_reports_is_checked_in() {
    let printed = check(&["schema", "report"], 0).stdout;
    assert_eq!(
        printed,
        include_str!("../../../../schemas/report.v1.schema.json")
    );
}

#[test]
fn in_29_decisions_are_decided_again() {
    let project = Project::new().with(
        "strict.yaml",
        "rows:\n  - name: no-mail\n    category: [pii]\n    block: 0.5\n",
    );
    let text = "mail jane.roe@example.org";
    let report = project
        .run(&["check", "--format", "json", "--decision", text])
        .stdout;
    let project = project.with("report.json", report);
    let run = project.run(&["replay", "report.json"]);
    assert!(
        run.code == 0 && run.stdout.starts_with("same: decision 1, redact"),
        "{}",
        run.all()
    );
    let run = project.run(&["replay", "report.json", "--policy", "strict.yaml"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout
            .contains("verdict: \"redact\" then, \"block\" now"),
        "{}",
        run.all()
    );
    let project = project.with("none.json", "{}");
    assert_eq!(project.run(&["replay", "none.json"]).code, 2);
}

#[test]
fn the_version_names_the_rules() {
    let run = check(&["--version"], 0);
    assert!(
        run.stdout
            .starts_with(&format!("bartizan {}\nrules ", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn approvals_need_a_key_and_a_gateway() {
    let project = Project::new();
    let run = project.run(&["approve", "list"]);
    assert!(
        run.code == 2 && run.all().contains("`BARTIZAN_TOKEN` is not set"),
        "{}",
        run.all()
    );
    let run = project.run(&["approve", "stop", "tool"]);
    assert!(
        run.code == 2 && run.all().contains("<NAME>"),
        "{}",
        run.all()
    );
}
