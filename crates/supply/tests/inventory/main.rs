//! Bills of materials and audits of `tests/fixtures/project`.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test that cannot go on must fail"
)]

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use bartizan_core::CheckError;
use bartizan_supply::{
    bom::{BomFacts, CycloneDxVersion, Inventory, cyclonedx, spdx},
    vuln::{Advisory, Audit, AuditOptions, Database, Exceptions, Hygiene, audit},
};
use serde_json::Value;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/project")
}

fn inventory() -> Inventory {
    Inventory::take(&project(), NonZeroUsize::new(2).unwrap()).unwrap()
}

const FACTS: BomFacts<'_> = BomFacts {
    tool_version: "1",
    created: Some("2026-01-02T03:04:05Z"),
};

fn bom() -> Value {
    serde_json::from_str(&cyclonedx(&inventory(), CycloneDxVersion::V1_6, &FACTS)).unwrap()
}

#[test]
fn every_lock_is_read() {
    let inventory = inventory();
    assert_eq!(inventory.gaps, []);
    let all: Vec<String> = inventory
        .merged()
        .iter()
        .map(|(package, files)| format!("{} in {}", package.purl(), files.join(" ")))
        .collect();
    assert_eq!(
        all,
        [
            "pkg:cargo/internment@0.4.1 in Cargo.lock",
            "pkg:golang/github.com/gin-gonic/gin@v1.6.0 in go.mod",
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1 in pom.xml",
            "pkg:npm/lodash@4.17.20 in package-lock.json",
            "pkg:pypi/click@8.1.0 in env/lib/python3/site-packages/click-8.1.0.dist-info/METADATA",
            "pkg:pypi/flask@0.12 in poetry.lock",
            "pkg:pypi/jinja2@2.10 in uv.lock",
            "pkg:pypi/mylib in requirements.txt",
            "pkg:pypi/numpy in pyproject.toml",
            "pkg:pypi/pillow@9.0.0 in requirements.txt",
            "pkg:pypi/pytest@8.0.0 in pyproject.toml",
            "pkg:pypi/reqeusts@1.0 in requirements.txt",
            "pkg:pypi/requests in requirements.txt",
            "pkg:pypi/tensorflow@2.4.1 in requirements.txt",
            "pkg:pypi/urllib3@1.24 in Pipfile.lock",
        ]
    );
}

#[test]
fn models_and_adapters_say_what_they_are() {
    let bom = bom();
    let named = |name: &str| {
        let components = bom.get("components").unwrap().as_array().unwrap();
        components
            .iter()
            .find(|one| one["name"] == name)
            .unwrap()
            .clone()
    };
    let model = named("model");
    assert_eq!(model["type"], "machine-learning-model");
    assert_eq!(model["licenses"][0]["license"]["id"], "Apache-2.0");
    let parameters = &model["modelCard"]["modelParameters"];
    assert_eq!(parameters["modelArchitecture"], "LlamaForCausalLM");
    assert_eq!(parameters["task"], "text-generation");
    assert_eq!(parameters["datasets"][0]["ref"], "data:example/corpus");
    assert_eq!(
        model["pedigree"]["ancestors"][0]["purl"],
        "pkg:huggingface/example/base-7b"
    );
    let weights = &model["components"][1];
    assert_eq!(weights["name"], "model/model-00001-of-00001.safetensors");
    // `printf weights | sha256sum`
    assert_eq!(
        weights["hashes"][0]["content"],
        "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
    );
    let properties = model["properties"].as_array().unwrap();
    assert!(
        properties
            .iter()
            .any(|one| one["name"] == "bartizan:chat_template:sha256")
    );
    assert_eq!(named("adapter")["properties"][0]["value"], "adapter");
    assert_eq!(
        named("prompts/system.md")["properties"][0]["value"],
        "prompt"
    );
    assert_eq!(named("data/train.csv")["data"][0]["type"], "dataset");
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let facts = FACTS;
    for version in [CycloneDxVersion::V1_6, CycloneDxVersion::V1_7] {
        assert_eq!(
            cyclonedx(&inventory(), version, &facts),
            cyclonedx(&inventory(), version, &facts)
        );
    }
    let first = spdx(&inventory(), &facts);
    assert_eq!(first, spdx(&inventory(), &facts));
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["creationInfo"]["created"], "2026-01-02T03:04:05Z");
    assert!(first["packages"].as_array().unwrap().len() > 15);
}

/// Every reference leads somewhere, which the JSON schema cannot say.
#[test]
fn references_lead_somewhere() {
    let bom = bom();
    let mut known: Vec<&str> = vec![bom["metadata"]["component"]["bom-ref"].as_str().unwrap()];
    for component in bom["components"].as_array().unwrap() {
        known.push(component["bom-ref"].as_str().unwrap());
    }
    let before = known.len();
    known.sort_unstable();
    known.dedup();
    assert_eq!(known.len(), before, "a reference stands for two things");
    for dependency in bom["dependencies"].as_array().unwrap() {
        assert!(known.contains(&dependency["ref"].as_str().unwrap()));
        for on in dependency["dependsOn"].as_array().unwrap() {
            assert!(known.contains(&on.as_str().unwrap()), "{on}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_a_gap_and_makes_the_bill_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("poetry.lock"), "not toml [").unwrap();
    std::fs::write(folder.path().join("requirements.txt"), b"\xff\xfe").unwrap();
    let inventory = Inventory::packages(folder.path()).unwrap();
    let gaps: Vec<_> = inventory
        .gaps
        .iter()
        .map(|gap| (gap.path.as_str(), gap.why.as_str()))
        .collect();
    assert_eq!(
        gaps,
        [
            ("poetry.lock", "it is no lock file of Poetry"),
            ("requirements.txt", "it is no UTF-8"),
        ]
    );
    let text = cyclonedx(&inventory, CycloneDxVersion::V1_6, &FACTS);
    assert!(text.contains("\"aggregate\": \"incomplete\""));
}

/// Records in OSV's form, cut from PyPA's and RustSec's databases and from OSV.
fn advisories() -> Vec<Advisory> {
    let pypi = |id: &str, name: &str, events: &str, cvss: &str| {
        let severity = if cvss.is_empty() {
            String::new()
        } else {
            format!(r#""severity":[{{"type":"CVSS_V3","score":"{cvss}"}}],"#)
        };
        Advisory::from_json(&format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z",{severity}"aliases":["CVE-{id}"],"affected":[{{"package":{{"ecosystem":"{}","name":"{}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]}}]}}"#,
            name.split('|').next().unwrap(), name.split('|').nth(1).unwrap()
        ))
        .unwrap()
    };
    let full = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    vec![
        pypi("P-1", "PyPI|Jinja2", r#"{"introduced":"0"},{"fixed":"2.11.3"}"#, full),
        pypi("P-2", "PyPI|tensorflow", r#"{"introduced":"2.3.0"},{"fixed":"2.4.1"}"#, full),
        pypi("P-3", "PyPI|pillow", r#"{"introduced":"0"},{"fixed":"9.0.1"}"#, ""),
        pypi("N-1", "npm|lodash", r#"{"introduced":"0"},{"fixed":"4.17.21"}"#, full),
        pypi("G-1", "Go|github.com/gin-gonic/gin", r#"{"introduced":"0"},{"fixed":"1.7.7"}"#, full),
        pypi("M-1", "Maven|org.apache.logging.log4j:log4j-core", r#"{"introduced":"2.0-beta9"},{"fixed":"2.15.0"}"#, full),
        Advisory::from_rustsec("```toml\n[advisory]\nid = \"R-1\"\npackage = \"internment\"\ndate = \"2021-03-03\"\ninformational = \"unsound\"\n[versions]\npatched = [\">= 0.4.2\"]\n```\n# Race\n").unwrap(),
    ]
}

fn database() -> Database {
    Database::new(advisories(), Vec::new(), "2026-11-01").unwrap()
}

fn audited(exceptions: &str, change: impl FnOnce(&mut AuditOptions<'_>)) -> Audit {
    let database = database();
    let exceptions = Exceptions::parse(exceptions).unwrap();
    let mut options = AuditOptions {
        database: &database,
        exceptions: &exceptions,
        hygiene: Hygiene { pins: false },
        today: "2026-11-21".parse().unwrap(),
        max_age_days: None,
    };
    change(&mut options);
    audit(&inventory(), &options)
}

fn said(audit: &Audit) -> Vec<String> {
    let files = audit.files.iter();
    files
        .flat_map(|file| {
            let findings = file.report.findings.iter();
            findings
                .map(|finding| format!("{} {}: {}", file.path, finding.rule.id, finding.message))
        })
        .collect()
}

const NONE: &str = "exceptions: []";

#[test]
fn every_ecosystem_is_looked_up() {
    let audit = audited(NONE, |_| {});
    assert_eq!(
        said(&audit),
        [
            "Cargo.lock dependency.notice: R-1 in `internment` 0.4.1, unsound, fixed in 0.4.2",
            "go.mod dependency.critical-vulnerability: G-1 in `github.com/gin-gonic/gin` v1.6.0, CVSS 9.8, fixed in 1.7.7 (CVE-G-1)",
            "package-lock.json dependency.critical-vulnerability: N-1 in `lodash` 4.17.20, CVSS 9.8, fixed in 4.17.21 (CVE-N-1)",
            "pom.xml dependency.critical-vulnerability: M-1 in `org.apache.logging.log4j:log4j-core` 2.14.1, CVSS 9.8, fixed in 2.15.0 (CVE-M-1)",
            "requirements.txt dependency.high-vulnerability: P-3 in `pillow` 9.0.0, severity not stated, fixed in 9.0.1 (CVE-P-3)",
            "requirements.txt dependency.other-origin: `mylib`",
            "requirements.txt dependency.typosquat: `reqeusts` is near `requests`",
            "requirements.txt dependency.no-hash: `reqeusts`",
            "requirements.txt dependency.no-hash: `requests`",
            "requirements.txt dependency.no-hash: `tensorflow`",
            "uv.lock dependency.critical-vulnerability: P-1 in `jinja2` 2.10, CVSS 9.8, fixed in 2.11.3 (CVE-P-1)",
        ]
    );
    let gaps = |audit: &Audit| -> Vec<String> {
        let files = audit.files.iter();
        let gaps = files.flat_map(|file| file.report.gaps().map(|(_, error)| error.to_string()));
        gaps.collect()
    };
    assert_eq!(
        gaps(&audit),
        [
            "unavailable: no file names an exact version of `numpy`",
            "unavailable: no file names an exact version of `mylib`",
        ]
    );
    let requirements = audit
        .files
        .iter()
        .find(|file| file.path == "requirements.txt")
        .unwrap();
    let place = requirements.report.findings[0].span.unwrap().as_range();
    assert!(requirements.text[place].starts_with("pillow==9.0.0"));
}

#[test]
fn exceptions_hold_until_their_day() {
    let accept = |until: &str| {
        format!(
            "exceptions: [{{ id: CVE-P-1, package: Jinja2, until: '{until}', reason: not reached }}]"
        )
    };
    let audit = audited(&accept("2026-11-21"), |_| {});
    assert_eq!(audit.accepted, 1);
    assert!(!said(&audit).iter().any(|line| line.contains("P-1")));
    let lines = said(&audited(&accept("2026-11-20"), |_| {}));
    assert!(
        lines.contains(&"uv.lock dependency.expired-exception: `CVE-P-1` for `jinja2`".to_owned())
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("critical") && line.contains("P-1"))
    );
}

#[test]
fn pins_are_looked_at_when_asked_for() {
    let lines = said(&audited(NONE, |options| options.hygiene.pins = true));
    for expected in [
        "requirements.txt dependency.unpinned: `requests`",
        "pyproject.toml dependency.unpinned: `numpy`",
    ] {
        assert!(lines.contains(&expected.to_owned()), "{lines:?}");
    }
}

/// Nothing found in a database that is old, or knows nothing of the ecosystem, is no answer.
#[test]
fn not_looked_up_is_incomplete() {
    let audit = audited(NONE, |options| options.max_age_days = Some(19));
    let first = audit.files[0].report.coverage[0]
        .outcome
        .clone()
        .unwrap_err();
    assert_eq!(
        first,
        CheckError::Unavailable("the database is 20 days old".into())
    );
    let audit = audited(NONE, |options| options.max_age_days = Some(20));
    assert!(audit.files[0].report.is_complete());
    // A clock that stands before the day of the database, or a day that is none, says nothing.
    let unknown = CheckError::Unavailable("the database does not say how old it is".into());
    for day in ["2026-11-22", "soon", ""] {
        let database = Database::new(advisories(), Vec::new(), day).unwrap();
        let exceptions = Exceptions::default();
        let audit = bartizan_supply::vuln::audit(
            &inventory(),
            &AuditOptions {
                database: &database,
                exceptions: &exceptions,
                hygiene: Hygiene { pins: false },
                today: "2026-11-21".parse().unwrap(),
                max_age_days: Some(30),
            },
        );
        let first = audit.files[0].report.coverage[0].outcome.clone();
        assert_eq!(first, Err(unknown.clone()), "{day}");
    }
    let only = Advisory::from_json(
        r#"{"id":"X","modified":"2026","affected":[{"package":{"ecosystem":"npm","name":"x"}}]}"#,
    );
    let database = Database::new(vec![only.unwrap()], Vec::new(), "2026-11-21").unwrap();
    let exceptions = Exceptions::default();
    let options = AuditOptions {
        database: &database,
        exceptions: &exceptions,
        hygiene: Hygiene { pins: false },
        today: "2026-11-21".parse().unwrap(),
        max_age_days: None,
    };
    let audit = bartizan_supply::vuln::audit(&inventory(), &options);
    let cargo = audit
        .files
        .iter()
        .find(|file| file.path == "Cargo.lock")
        .unwrap();
    let error = cargo.report.coverage[0]
        .outcome
        .clone()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "unavailable: the database has no advisories about crates.io"
    );
}

/// A range of which nobody says what it comes to, and a file that is elsewhere, were not looked up.
#[test]
fn what_a_requirements_file_only_refers_to_was_not_looked_up() {
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let inventory = Inventory::packages(folder.path()).unwrap();
        let gaps: Vec<_> = inventory.gaps.iter().map(|gap| gap.why.as_str()).collect();
        assert_eq!(gaps, expected, "{files:?}");
    };
    let pins = ("requirements/base.txt", "a==1\n");
    let gap = "line 1 names what was not looked at";
    check(
        &[pins, ("requirements.txt", "-r requirements/base.txt\n")],
        &[],
    );
    check(&[pins, ("requirements/dev.txt", "-r base.txt\n")], &[]);
    check(&[("requirements.txt", "-r base.txt\n")], &[gap]);
    check(&[("requirements.txt", "-c ../c.txt\n")], &[gap]);
    check(
        &[("requirements.txt", "-e .\n"), ("pyproject.toml", "")],
        &[],
    );
    check(
        &[("requirements.txt", "-e git+https://a.example/b\n")],
        &[gap],
    );
    check(&[("requirements.txt", "./a.whl\n"), ("a.whl", "")], &[gap]);
    // There, but under a name by which nobody reads it.
    check(
        &[("requirements.txt", "-r deps.txt\n"), ("deps.txt", "a\n")],
        &[gap],
    );
    check(&[("requirements.txt", "-e .\n"), ("setup.py", "")], &[gap]);
}
