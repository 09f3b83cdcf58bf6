//! What model-signing 1.1.1 signed; `tests/fixtures/oms/make.sh` says how.

use bartizan_supply::sign::{VerifyError, verify_blob};

use crate::{bundle, fixture, mismatches, statement, trust_key, trust_root};

#[test]
fn every_curve_verifies() {
    for curve in ["prime256v1", "secp384r1", "secp521r1"] {
        let statement = statement(&bundle(curve), &trust_key(curve)).unwrap();
        assert_eq!(statement.name, "model");
        assert_eq!(
            mismatches(&fixture("model"), &statement),
            [""; 0],
            "{curve}"
        );
    }
}

#[test]
fn every_digest_and_shards_verify() {
    for name in ["shards", "blake2", "blake3", "ignored"] {
        let statement = statement(&bundle(name), &trust_key("prime256v1")).unwrap();
        assert_eq!(mismatches(&fixture("model"), &statement), [""; 0], "{name}");
    }
}

#[test]
fn the_recorded_order_is_kept_on_reading() {
    let statement = statement(&bundle("prime256v1"), &trust_key("prime256v1")).unwrap();
    let names: Vec<_> = statement
        .manifest
        .resources
        .iter()
        .map(|resource| resource.name.to_string())
        .collect();
    // By path component, where the specification says by code point.
    assert_eq!(
        names,
        [
            "a/z",
            "a name.txt",
            "a-b.txt",
            "a.txt",
            "empty",
            "sub/w.bin"
        ]
    );
}

#[test]
fn a_model_of_one_file_verifies_under_any_name() {
    let statement = statement(&bundle("one-file"), &trust_key("prime256v1")).unwrap();
    assert_eq!(mismatches(&fixture("model/a.txt"), &statement), [""; 0]);
    assert_eq!(
        mismatches(&fixture("model/a-b.txt"), &statement),
        ["`a-b.txt` is not what was signed"]
    );
}

#[test]
fn a_certificate_verifies_and_says_who() {
    let (_, verified) = bundle("certificate").verify(&trust_root()).unwrap();
    assert_eq!(verified.names, ["CN=test leaf", "signer@example.com"]);
    let statement = statement(&bundle("certificate"), &trust_root()).unwrap();
    assert_eq!(mismatches(&fixture("model"), &statement), [""; 0]);
}

#[test]
fn a_certificate_for_something_else_does_not() {
    assert!(matches!(
        bundle("server").verify(&trust_root()),
        Err(VerifyError::Usage)
    ));
}

#[test]
fn the_old_form_needs_to_be_asked_for() {
    let mut trust = trust_key("prime256v1");
    assert!(matches!(
        bundle("old").verify(&trust),
        Err(VerifyError::Signature)
    ));
    trust.accept_old = true;
    let (_, verified) = bundle("old").verify(&trust).unwrap();
    assert!(verified.is_old);
    let (_, verified) = bundle("prime256v1").verify(&trust).unwrap();
    assert!(!verified.is_old);
}

#[test]
fn another_key_or_proof_is_named() {
    let signed = bundle("prime256v1");
    assert!(matches!(
        signed.verify(&trust_key("secp384r1")),
        Err(VerifyError::OtherKey)
    ));
    let error = signed.verify(&trust_root()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the signature carries a key's signature, and no public key was given to verify it"
    );
    assert!(matches!(
        bundle("certificate").verify(&trust_key("secp384r1")),
        Err(VerifyError::OtherMaterial { .. })
    ));
}

#[test]
fn a_statement_is_no_signature_over_a_file() {
    let blob = verify_blob(b"", &bundle("prime256v1"), &trust_key("prime256v1"));
    assert!(matches!(blob, Err(VerifyError::Bundle(_))));
}
