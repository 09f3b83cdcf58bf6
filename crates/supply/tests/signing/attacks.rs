//! What is done to signed models, and to signatures.

use std::fs;

use bartizan_supply::sign::{
    Bundle, Content, MismatchKind, ModelStatement, Statement, TrustPolicy, VerifyError, compare,
};
use serde_json::{Value, json};

use crate::{bundle, comparison, copy_of_model, fixture, mismatches, statement, trust_key};

fn signed() -> ModelStatement {
    statement(&bundle("prime256v1"), &trust_key("prime256v1")).unwrap()
}

#[test]
fn a_changed_byte_names_the_file() {
    for name in ["prime256v1", "shards", "blake2", "blake3"] {
        let statement = statement(&bundle(name), &trust_key("prime256v1")).unwrap();
        let model = copy_of_model();
        fs::write(model.path().join("sub/w.bin"), "abcdefghiJ").unwrap();
        assert_eq!(
            mismatches(model.path(), &statement),
            ["`sub/w.bin` is not what was signed"],
            "{name}"
        );
        fs::write(model.path().join("sub/w.bin"), "abcdefghijk").unwrap();
        assert_eq!(
            mismatches(model.path(), &statement),
            ["`sub/w.bin` is not what was signed"],
            "{name}"
        );
    }
}

#[test]
fn renamed_missing_and_extra_files_are_named() {
    let model = copy_of_model();
    let at = |name: &str| model.path().join(name);
    fs::rename(at("a.txt"), at("b.txt")).unwrap();
    fs::remove_file(at("sub/w.bin")).unwrap();
    fs::write(at("sub/extra.py"), "").unwrap();
    let said = signed();
    assert_eq!(
        mismatches(model.path(), &said),
        [
            "`a.txt` was signed and is missing",
            "`b.txt` was not signed",
            "`sub/extra.py` was not signed",
            "`sub/w.bin` was signed and is missing",
        ]
    );
    let mut how = comparison(model.path(), &said);
    how.ignore_unsigned = true;
    assert_eq!(compare(&how).unwrap().len(), 2);
}

/// Two files exchanged keep the root digest's multiset but not their names.
#[test]
fn exchanged_files_are_named() {
    let model = copy_of_model();
    let at = |name: &str| model.path().join(name);
    fs::rename(at("a.txt"), at("t")).unwrap();
    fs::rename(at("a-b.txt"), at("a.txt")).unwrap();
    fs::rename(at("t"), at("a-b.txt")).unwrap();
    assert_eq!(mismatches(model.path(), &signed()).len(), 2);
}

#[cfg(unix)]
#[test]
fn links_are_named_also_when_they_lead_to_the_same_bytes() {
    use std::os::unix::fs::symlink;
    let model = copy_of_model();
    let at = |name: &str| model.path().join(name);
    let outside = copy_of_model();
    fs::remove_file(at("a.txt")).unwrap();
    symlink(outside.path().join("a.txt"), at("a.txt")).unwrap();
    symlink(outside.path(), at("more")).unwrap();
    assert_eq!(
        mismatches(model.path(), &signed()),
        [
            "`a.txt` is a symbolic link, and links are not allowed",
            "`more` is a symbolic link to a folder, which no signature covers",
        ]
    );
}

/// The maker decides whether links are followed; a verifier's wish changes nothing.
#[test]
fn recorded_settings_count() {
    let statement = statement(&bundle("ignored"), &trust_key("prime256v1")).unwrap();
    assert!(!statement.selection.allow_symlinks);
    assert!(statement.selection.ignored.contains(&"sub".to_owned()));
    let model = copy_of_model();
    fs::write(model.path().join("sub/w.bin"), "anything").unwrap();
    assert_eq!(mismatches(model.path(), &statement), [""; 0]);
}

#[test]
fn a_signed_file_cannot_be_passed_over() {
    let model = copy_of_model();
    fs::write(model.path().join("a.txt"), "evil").unwrap();
    let said = signed();
    let also = ["a.txt".to_owned()];
    let mut how = comparison(model.path(), &said);
    how.also_ignored = &also;
    let found = compare(&how).unwrap();
    let [found] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (found.file.as_str(), found.kind),
        ("a.txt", MismatchKind::Altered)
    );
}

#[test]
fn a_signed_file_that_is_passed_over_is_not_missing() {
    let model = copy_of_model();
    let said = signed();
    let also = ["a.txt".to_owned()];
    let mut how = comparison(model.path(), &said);
    how.also_ignored = &also;
    assert_eq!(compare(&how).unwrap(), []);
    // What was not signed may be there under that name only.
    fs::write(model.path().join("new.txt"), "x").unwrap();
    assert_eq!(compare(&how).unwrap().len(), 1);
    let also = ["new.txt".to_owned()];
    how.also_ignored = &also;
    assert_eq!(compare(&how).unwrap(), []);
}

#[test]
fn the_signature_may_be_inside_of_the_model() {
    let model = copy_of_model();
    let path = model.path().join("model.sig");
    fs::copy(fixture("signatures/prime256v1.sig"), &path).unwrap();
    let said = signed();
    let mut how = comparison(model.path(), &said);
    assert_eq!(compare(&how).unwrap().len(), 1);
    how.signature = Some(&path);
    assert_eq!(compare(&how).unwrap(), []);
}

#[test]
fn an_altered_statement_does_not_verify() {
    let good = bundle("prime256v1");
    let Content::Envelope(envelope) = &good.content else {
        panic!("an envelope");
    };
    let text = String::from_utf8(envelope.payload.clone()).unwrap();
    let mut envelope = envelope.clone();
    envelope.payload = text.replace("\"a.txt\"", "\"b.txt\"").into_bytes();
    let bad = Bundle {
        content: Content::Envelope(envelope.clone()),
        ..good.clone()
    };
    let trust = trust_key("prime256v1");
    assert!(matches!(bad.verify(&trust), Err(VerifyError::Signature)));
    envelope.payload = text.into_bytes();
    envelope.payload_type = "text/plain".to_owned();
    let bad = Bundle {
        content: Content::Envelope(envelope),
        ..good
    };
    assert!(matches!(bad.verify(&trust), Err(VerifyError::Bundle(_))));
}

/// Statements that a trusted signer could have been made to sign.
#[test]
fn statements_that_lead_elsewhere_are_refused() {
    let (good, _) = bundle("prime256v1")
        .verify(&trust_key("prime256v1"))
        .unwrap();
    let read = |change: &dyn Fn(&mut Value)| {
        let mut value = serde_json::to_value(&good).unwrap();
        change(&mut value);
        let statement = Statement::parse(value.to_string().as_bytes())?;
        ModelStatement::from_statement(&statement, false)
    };
    assert!(read(&|_| {}).is_ok());
    let set = |pointer: &'static str, new: Value| {
        move |value: &mut Value| *value.pointer_mut(pointer).unwrap() = new.clone()
    };
    let resource = "/predicate/resources/0/name";
    for name in [
        "/etc/passwd",
        "../x",
        "a/../x",
        "a//b",
        "a/",
        "./a",
        "",
        "a.txt",
    ] {
        assert!(read(&set(resource, json!(name))).is_err(), "{name}");
    }
    let changes: [(&str, Value); 9] = [
        ("/predicate/resources/0/digest", json!("00")),
        ("/predicate/resources/0/algorithm", json!("md5")),
        ("/predicate/resources/0/algorithm", json!("blake3")),
        ("/predicate/resources", json!([])),
        ("/predicate/serialization/method", json!("pickle")),
        ("/predicate/serialization/hash_type", json!("md5")),
        ("/predicate/serialization/allow_symlinks", json!("no")),
        ("/subject/0/digest/sha256", json!("00".repeat(32))),
        ("/_type", json!("https://in-toto.io/Statement/v0.1")),
    ];
    for (pointer, new) in changes {
        assert!(read(&set(pointer, new)).is_err(), "{pointer}");
    }
    let error = read(&set(
        "/predicateType",
        json!("https://slsa.dev/provenance/v1"),
    ));
    assert!(matches!(error, Err(VerifyError::Predicate { .. })));
}

fn policy(text: &str) -> TrustPolicy {
    TrustPolicy::parse(text, &|name| fs::read(fixture(name))).unwrap()
}

#[test]
fn a_policy_says_who_may_sign_what_and_until_when() {
    let today = "2026-11-21".parse().unwrap();
    let judge = |text: &str, name: &str| {
        let policy = policy(text);
        policy
            .verify(&bundle(name), today, false)
            .map(|(_, _, signer)| signer.name.clone())
            .map_err(|finding| format!("{}: {}", finding.rule.id, finding.message))
    };
    let root = "certificates: [keys/root.pem]";
    let key = "key: keys/prime256v1.pub";
    let one = |rest: &str| format!("signers: [{{ name: team, {rest} }}]");
    let good = Ok("team".to_owned());
    assert_eq!(judge(&one(key), "prime256v1"), good);
    assert_eq!(
        judge(
            &one(&format!("{key}, models: [mod*], until: '2026-11-21'")),
            "prime256v1"
        ),
        good
    );
    let identity = format!("{root}, identities: [signer@example.com]");
    assert_eq!(judge(&one(&identity), "certificate"), good);
    let untrusted = |why: &str| Err(format!("signature.untrusted-signer: {why}"));
    assert_eq!(
        judge(&one(key), "secp384r1"),
        untrusted("no signer of the policy made the signature")
    );
    assert_eq!(
        judge(&one(&format!("{key}, models: [other]")), "prime256v1"),
        untrusted("signed by `team`, who may not sign this model")
    );
    assert_eq!(
        judge(&one(&format!("{key}, until: '2026-11-20'")), "prime256v1"),
        untrusted("signed by `team`, whose time is over")
    );
    let other = format!("{root}, identities: ['other@example.com']");
    assert_eq!(
        judge(&one(&other), "certificate"),
        untrusted("signed by `team`, under another identity")
    );
    let error = judge(&one(key), "old").unwrap_err();
    assert!(error.starts_with("signature.invalid"), "{error}");
}

#[test]
fn policies_that_trust_too_much_are_refused() {
    for bad in [
        "signers: []",
        "signers: [{ name: a, certificates: [keys/root.pem] }]",
        "signers: [{ name: a, key: keys/nothing.pub }]",
        "signers: [{ name: a }]",
        "signers: [{ name: a, key: keys/root.pem }]",
        "signers: [{ name: a, key: keys/prime256v1.pub, until: soon }]",
        "signers: [{ name: a, key: keys/prime256v1.pub }, { name: a, key: keys/secp384r1.pub }]",
        "signers: [{ name: a, key: keys/prime256v1.pub, typo: 1 }]",
    ] {
        let read = |name: &str| fs::read(fixture(name));
        assert!(TrustPolicy::parse(bad, &read).is_err(), "{bad}");
    }
}
