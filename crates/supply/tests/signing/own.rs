//! What is signed here.

use std::{fs, num::NonZeroU64, path::Path};

use aws_lc_rs::{
    encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    },
};
use bartizan_supply::{
    digest::{Algorithm, Granularity, Selection},
    sign::{
        Bundle, Certificate, ModelStatement, Roots, Scheme, SignError, Signer, SigningKey, Trust,
        VerifyError, describe, seal, seal_in_folder, sign_blob, sign_statement, verify_blob,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{comparison, copy_of_model, mismatches, statement};

pub(crate) fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
    .into_bytes()
}

/// One key of each kind, in the forms that OpenSSL writes.
pub(crate) fn keys() -> Vec<SigningKey> {
    let curves = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    let mut keys: Vec<SigningKey> = curves
        .into_iter()
        .flat_map(|curve| {
            let pair = EcdsaKeyPair::generate(curve).unwrap();
            let sec1 = AsDer::<EcPrivateKeyRfc5915Der<'_>>::as_der(&pair.private_key()).unwrap();
            let pkcs8 = pair.to_pkcs8v1().unwrap();
            [
                SigningKey::from_pem(&pem("EC PRIVATE KEY", sec1.as_ref())).unwrap(),
                SigningKey::from_pem(&pem("PRIVATE KEY", pkcs8.as_ref())).unwrap(),
            ]
        })
        .collect();
    let pair = Ed25519KeyPair::generate().unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    keys.push(SigningKey::from_pem(&pem("PRIVATE KEY", pkcs8.as_ref())).unwrap());
    keys
}

fn trust(key: &SigningKey) -> Trust {
    let pem = key.public().to_pem();
    Trust {
        keys: vec![bartizan_supply::sign::PublicKey::from_pem(pem.as_bytes()).unwrap()],
        roots: None,
        accept_old: false,
    }
}

fn described(root: &Path, algorithm: Algorithm, granularity: Granularity) -> ModelStatement {
    let selection = Selection {
        allow_symlinks: false,
        ignored: Selection::GIT.map(str::to_owned).into(),
    };
    let threads = std::num::NonZeroUsize::MIN;
    describe(root, selection, algorithm, granularity, threads).unwrap()
}

fn shards() -> Granularity {
    Granularity::Shards(NonZeroU64::new(4).unwrap())
}

#[test]
fn every_key_digest_and_method_verifies() {
    let model = copy_of_model();
    for key in keys() {
        let trust = trust(&key);
        let signer = Signer::Key(key);
        for algorithm in Algorithm::ALL {
            for granularity in [Granularity::Files, shards()] {
                let said = described(model.path(), algorithm, granularity);
                let bundle = sign_statement(&said.to_statement(), &signer).unwrap();
                let read = Bundle::parse(bundle.to_json().as_bytes()).unwrap();
                let read = statement(&read, &trust).unwrap();
                assert_eq!(read, said);
                assert_eq!(mismatches(model.path(), &read), [""; 0]);
            }
        }
    }
}

#[test]
fn the_order_on_writing_is_that_of_the_specification() {
    let model = copy_of_model();
    let said = described(model.path(), Algorithm::Sha256, Granularity::Files);
    let names: Vec<_> = said
        .manifest
        .resources
        .iter()
        .map(|resource| resource.name.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "a name.txt",
            "a-b.txt",
            "a.txt",
            "a/z",
            "empty",
            "sub/w.bin"
        ]
    );
    let again = described(model.path(), Algorithm::Sha256, Granularity::Files);
    assert_eq!(
        said.to_statement().to_json(),
        again.to_statement().to_json()
    );
}

#[test]
fn keys_that_are_none_are_refused() {
    let encrypted = pem("ENCRYPTED PRIVATE KEY", b"x");
    assert!(matches!(
        SigningKey::from_pem(&encrypted),
        Err(SignError::EncryptedKey)
    ));
    for bad in [b"".as_slice(), b"not a key", &pem("PRIVATE KEY", b"x")] {
        assert!(matches!(SigningKey::from_pem(bad), Err(SignError::Key)));
    }
}

/// A root made here, and a certificate below it for `key`.
fn certified(key_pem: &str) -> (Vec<u8>, Vec<u8>) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::from_pem(key_pem).unwrap();
    let mut leaf = CertificateParams::new(vec!["signer.example.com".to_owned()]).unwrap();
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    (root_certificate.pem().into_bytes(), leaf.pem().into_bytes())
}

#[test]
fn a_certificate_signs_and_another_root_does_not_count() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let pem = pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref());
    let (root, leaf) = certified(&String::from_utf8(pem.clone()).unwrap());
    let key = SigningKey::from_pem(&pem).unwrap();
    let certificate = Certificate::from_pem(&leaf, &[]).unwrap();
    let signer = Signer::certified(key, certificate.clone()).unwrap();
    let model = copy_of_model();
    let said = described(model.path(), Algorithm::Sha256, Granularity::Files);
    let bundle = sign_statement(&said.to_statement(), &signer).unwrap();
    let trust = |root: &[u8]| Trust {
        keys: Vec::new(),
        roots: Some(Roots::from_pem(&[root.to_vec()]).unwrap()),
        accept_old: false,
    };
    let (_, verified) = bundle.verify(&trust(&root)).unwrap();
    assert!(verified.names.contains(&"signer.example.com".to_owned()));
    let (other, _) = certified(&String::from_utf8(pem).unwrap());
    assert!(matches!(
        bundle.verify(&trust(&other)),
        Err(VerifyError::Chain(_))
    ));
    for key in keys() {
        let is_edwards = key.public().scheme() == Scheme::Ed25519;
        let error = Signer::certified(key, certificate.clone()).unwrap_err();
        assert_eq!(matches!(error, SignError::CertificateScheme), is_edwards);
    }
}

#[test]
fn blobs_verify_and_altered_ones_do_not() {
    for key in keys() {
        let trust = trust(&key);
        let bundle = sign_blob(b"weights", &Signer::Key(key)).unwrap();
        let bundle = Bundle::parse(bundle.to_json().as_bytes()).unwrap();
        verify_blob(b"weights", &bundle, &trust).unwrap();
        assert!(matches!(
            verify_blob(b"weight5", &bundle, &trust),
            Err(VerifyError::Signature)
        ));
    }
}

/// The bad case: the file is swapped after it was verified and before it is loaded.
#[cfg(target_os = "linux")]
#[test]
fn ws_35_what_is_loaded_is_what_was_verified() {
    use std::io::{Read as _, Write as _};
    let model = copy_of_model();
    let said = described(model.path(), Algorithm::Sha256, shards());
    let mut sealed = seal(&comparison(model.path(), &said)).unwrap();
    assert_eq!(sealed.mismatches, []);
    fs::write(model.path().join("sub/w.bin"), "evil bytes").unwrap();
    let (_, file) = sealed
        .files
        .iter_mut()
        .find(|(name, _)| name == "sub/w.bin")
        .unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "abcdefghij");
    assert!(file.write_all(b"x").is_err());
    assert!(file.set_len(0).is_err());
    let sealed = seal(&comparison(model.path(), &said)).unwrap();
    assert_eq!(sealed.mismatches.len(), 1);
    assert!(sealed.files.is_empty());
}

#[test]
fn a_folder_of_copies_holds_what_was_signed_and_nothing_else() {
    let model = copy_of_model();
    let said = described(model.path(), Algorithm::Blake3, Granularity::Files);
    fs::write(model.path().join("sitecustomize.py"), "evil").unwrap();
    let copies = tempfile::tempdir().unwrap();
    let mut how = comparison(model.path(), &said);
    let found = seal_in_folder(&how, &copies.path().join("no")).unwrap();
    assert_eq!(found.len(), 1);
    how.ignore_unsigned = true;
    let folder = copies.path().join("yes");
    assert_eq!(seal_in_folder(&how, &folder).unwrap(), []);
    assert_eq!(fs::read(folder.join("a/z")).unwrap(), b"q\n");
    assert!(!folder.join("sitecustomize.py").exists());
    assert!(
        fs::metadata(folder.join("a/z"))
            .unwrap()
            .permissions()
            .readonly()
    );
}
