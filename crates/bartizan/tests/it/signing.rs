//! `bartizan hash`, `sign`, `verify`, and `provenance` over files.

use std::process::Command;

use serde_json::Value;

use crate::helpers::Project;

/// A key as users make it.
fn key(project: &Project) {
    let made = Command::new("openssl")
        .args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
        ])
        .arg(project.path("key.pem"))
        .status();
    assert!(made.unwrap().success());
    let public = Command::new("openssl")
        .args(["ec", "-pubout", "-in"])
        .arg(project.path("key.pem"))
        .arg("-out")
        .arg(project.path("key.pub"))
        .output();
    assert!(public.unwrap().status.success());
}

#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        eprintln!("skipped: no openssl to make keys with");
    }
    found
}

fn model() -> Project {
    Project::new()
        .with("my model/config.json", "{}")
        .with("my model/sub/weights.bin", "weights")
}

#[test]
fn ws_34_a_folder_has_one_digest_wherever_it_stands() {
    let project = model()
        .with("other/place/config.json", "{}")
        .with("other/place/sub/weights.bin", "weights");
    let run = project.run(&["hash", "my model", "other/place"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let lines: Vec<&str> = run.stdout.lines().collect();
    let [(first, _), (second, _)] = [0, 1].map(|at| lines[at].split_once("  ").unwrap());
    assert_eq!(first, second);
    assert!(first.starts_with("sha256:") && first.len() == 71, "{first}");
    assert_eq!(
        project.run(&["hash", "my model", "--expect", first]).code,
        0
    );
    let other = format!("sha256:{}", "0".repeat(64));
    assert_eq!(
        project.run(&["hash", "my model", "--expect", &other]).code,
        1
    );
    std::fs::create_dir(project.path("empty")).unwrap();
    let run = project.run(&["hash", "empty"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("there is no file"), "{}", run.all());
    // A file is what `sha256sum` says: `printf weights | sha256sum`.
    let run = project.run(&["hash", "my model/sub/weights.bin"]);
    assert!(
        run.stdout
            .starts_with("sha256:9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c")
    );
}

#[test]
fn a_signed_model_verifies_until_a_byte_changes() {
    if !has_openssl() {
        return;
    }
    let project = model();
    key(&project);
    let run = project.run(&["sign", "my model", "--key", "key.pem"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let verify = ["verify", "my model", "--key", "key.pub", "--format", "json"];
    let run = project.run(&verify);
    assert_eq!(run.code, 0, "{}", run.all());
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(said["verified"], true);
    assert_eq!(said["signer"]["scheme"], "ecdsa-p256-sha256");
    let project = project
        .with("my model/sub/weights.bin", "Weights")
        .with("my model/extra.py", "");
    let run = project.run(&verify);
    assert_eq!(run.code, 1, "{}", run.all());
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings: Vec<_> = said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["rule"].as_str().unwrap(), one["file"].as_str().unwrap()))
        .collect();
    assert_eq!(
        findings,
        [
            ("signature.unsigned-file", "extra.py"),
            ("signature.altered-file", "sub/weights.bin")
        ]
    );
}

#[test]
fn what_is_not_signed_or_trusted_ends_with_1() {
    if !has_openssl() {
        return;
    }
    let project = model();
    key(&project);
    let run = project.run(&["verify", "my model", "--key", "key.pub"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.stdout.contains("signature.absent"), "{}", run.all());
    let project = project.with("model.sig", "not a signature");
    let run = project.run(&["verify", "my model", "--key", "key.pub"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.stdout.contains("signature.invalid"), "{}", run.all());
    let project = project.with(
        "trust.yaml",
        "signers: [{ name: release, key: key.pub, models: ['prod-*'] }]",
    );
    assert_eq!(
        project.run(&["sign", "my model", "--key", "key.pem"]).code,
        0
    );
    let run = project.run(&["verify", "my model", "--trust", "trust.yaml"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(
        run.stdout.contains("who may not sign this model"),
        "{}",
        run.all()
    );
    let run = project.run(&["verify", "my model"]);
    assert_eq!(run.code, 2, "{}", run.all());
}

/// The key comes from a file or the environment; there is no argument that could hold it.
#[test]
fn ws_97_keys_are_no_arguments() {
    if !has_openssl() {
        return;
    }
    let project = model();
    key(&project);
    let run = project.run(&["sign", "my model"]);
    assert_eq!(run.code, 2, "{}", run.all());
    assert!(run.stderr.contains("BARTIZAN_SIGNING_KEY"), "{}", run.all());
    let pem = std::fs::read_to_string(project.path("key.pem")).unwrap();
    let run = project.run_with(&["sign", "my model"], "", &[("BARTIZAN_SIGNING_KEY", &pem)]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(!run.all().contains("PRIVATE"), "{}", run.all());
    let run = project.run(&["sign", "my model", "--key", &pem]);
    assert_eq!(run.code, 2);
}

/// The bad case: the files are swapped between the check and the load.
#[cfg(unix)]
#[test]
fn ws_35_the_command_sees_what_was_verified() {
    if !has_openssl() {
        return;
    }
    let project = model();
    key(&project);
    assert_eq!(
        project.run(&["sign", "my model", "--key", "key.pem"]).code,
        0
    );
    // The command itself plays the attacker: it changes the model, then loads what it was given.
    let script = "printf evil > 'my model/sub/weights.bin'; cat \"$BARTIZAN_MODEL/sub/weights.bin\" \"$1/config.json\"; exit 7";
    let run = project.run(&[
        "verify", "my model", "--key", "key.pub", "--exec", "--", "sh", "-c", script, "sh", "{}",
    ]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (7, "weights{}"),
        "{}",
        run.all()
    );
    let run = project.run(&[
        "verify", "my model", "--key", "key.pub", "--exec", "--", "echo", "loaded",
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.all());
}

#[test]
fn a_shared_key_makes_a_manifest() {
    let project = model()
        .with("shared", "0123456789abcdef0123456789abcdef\n")
        .with("other", "fedcba9876543210fedcba9876543210\n");
    let sign = [
        "sign",
        "my model",
        "--shared-key",
        "shared",
        "-o",
        "model.json",
    ];
    assert_eq!(project.run(&sign).code, 0);
    let verify = |key: &str| {
        let arguments = [
            "verify",
            "my model",
            "--shared-key",
            key,
            "-s",
            "model.json",
        ];
        project.run(&arguments).code
    };
    assert_eq!((verify("shared"), verify("other")), (0, 1));
    let project = project.with("my model/config.json", "{ }");
    let run = project.run(&[
        "verify",
        "my model",
        "--shared-key",
        "shared",
        "-s",
        "model.json",
    ]);
    assert_eq!(run.code, 1, "{}", run.all());
}

#[test]
fn a_record_holds_all_that_made_the_model() {
    if !has_openssl() {
        return;
    }
    let project = Project::new()
        .with("data/a.csv", "1\n")
        .with("params.json", "{\"lr\": 0.1}")
        .with("requirements.txt", "numpy==2.4.0\n");
    key(&project);
    let run = project.run(&[
        "provenance",
        "record",
        "--model",
        "out",
        "--output",
        "record.json",
        "--key",
        "key.pem",
        "--data",
        "data",
        "--data-uri",
        "s3://data",
        "--hyperparameters",
        "params.json",
        "--metrics",
        "metrics.json",
        "--dependencies",
        "requirements.txt",
        "--author",
        "me",
        "--framework",
        "sh",
        "--model-version",
        "3",
        "--approval",
        "ann=looked at",
        "--notes",
        "n",
        "--",
        "sh",
        "-c",
        "mkdir out; printf w > out/w; printf '{\"f1\": 0.5}' > metrics.json",
    ]);
    assert_eq!(run.code, 0, "{}", run.all());
    let verify = [
        "provenance",
        "verify",
        "record.json",
        "--key",
        "key.pub",
        "--model",
        "out",
    ];
    let run = project.run(&verify);
    assert_eq!(run.code, 0, "{}", run.all());
    let record: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(record.as_object().unwrap().len(), 17);
    assert_eq!(record["dependencies"][0], "numpy==2.4.0");
    assert_eq!(record["hyperparameters"]["lr"], 0.1);
    assert_eq!(record["metrics"]["f1"], 0.5);
    assert_eq!(record["approvals"][0]["by"], "ann");
    assert_eq!(record["training_data_hash"].as_str().unwrap().len(), 64);
    let project = project.with("out/w", "x");
    assert_eq!(project.run(&verify).code, 1);
    let run = project.run(&[
        "provenance",
        "record",
        "--model",
        "out",
        "--output",
        "none.json",
        "--key",
        "key.pem",
        "--",
        "sh",
        "-c",
        "exit 5",
    ]);
    assert_eq!(run.code, 5, "{}", run.all());
    assert!(!project.path("none.json").exists());
}
