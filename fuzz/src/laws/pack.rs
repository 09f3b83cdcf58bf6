use std::sync::{Arc, OnceLock};

use bartizan_text::rules::{
    PackFile, PublicKey, RuleSet, SignatureError, reload, sign, test_rules, verify,
};

use crate::input::Input;

/// Rule packs: every mistake has a place in the file; what loads can be tested and survives being
/// written as JSON; a reload of it replaces all or nothing.
pub fn pack(data: &[u8]) {
    let file = PackFile {
        name: "rules.yaml".to_owned(),
        text: String::from_utf8_lossy(data).into_owned(),
    };
    let lines = 1 + file.text.matches(['\n', '\r']).count() as u64;
    match RuleSet::load(std::slice::from_ref(&file)) {
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error.place.line <= lines + 1, "{:?}", error.place);
                assert!(!error.to_string().is_empty());
            }
        }
        Ok(set) => {
            let json = set.to_json().expect("rules can be written");
            let read = RuleSet::from_json(&json).expect("what was written can be read");
            assert_eq!(read.version(), set.version());
            assert_eq!(read.len(), set.len());
            assert_eq!(read.to_json().expect("rules can be written"), json);
            let set = Arc::new(set);
            test_rules(&set).expect("patterns that loaded can be matched");
            let current = RuleSet::builtin();
            let trust = bartizan_text::rules::Trust::AllowUnsigned;
            if let Ok(next) = reload(&current, &current, &[file], &trust) {
                assert!(next.len() >= set.len());
            }
        }
    }
}

/// Signatures: a pack is its signer's only while nothing of it changed.
pub fn pack_signature(data: &[u8]) {
    struct Signed {
        files: Vec<PackFile>,
        key: PublicKey,
    }
    static SIGNED: OnceLock<Signed> = OnceLock::new();
    let signed = SIGNED.get_or_init(|| {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().expect("randomness");
        let file = |name: &str, text: &str| PackFile {
            name: format!("mine/{name}"),
            text: text.to_owned(),
        };
        let mut files = vec![file("pack.yaml", "name: mine"), file("a.yaml", "rules: []")];
        files.extend(sign(&files, &pair.sk, "pack mine 1").expect("the key is open"));
        Signed {
            files,
            key: pair.pk.into(),
        }
    });
    let text = String::from_utf8_lossy(data);
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.id().as_str().len(), 16);
    }
    let mut input = Input::new(data);
    let mut files = signed.files.clone();
    let number = input.below(files.len());
    let how = input.below(3);
    let rest = String::from_utf8_lossy(input.rest()).into_owned();
    let before = files[number].text.clone();
    match how {
        0 => files[number].text = rest,
        1 => files[number].text.push_str(&rest),
        _ => {
            let at = rest.len() % (before.len() + 1);
            files[number].text.insert_str(at, &rest);
        }
    }
    let keys = [signed.key.clone()];
    let verified = verify(&files, &keys);
    let is_signature = files[number].name.ends_with("pack.sig");
    if files[number].text == before {
        assert_eq!(verified, Ok(signed.key.id()));
    } else if !is_signature {
        // Of `pack.sig` the first line is a comment that nobody signed.
        assert!(verified.is_err(), "a change in file {number} was not seen");
    }
    files.truncate(2);
    assert!(matches!(
        verify(&files, &keys),
        Err(SignatureError::Missing(_))
    ));
}
