use bartizan_supply::{
    bom::LockKind,
    sign::{Bundle, Content, ModelStatement, PublicKey, SharedKeyManifest, Statement, Trust},
    vuln::{Advisory, Database, import},
};

/// A key whose private half is gone, and that made no signature of the corpus.
const KEY: &str = include_str!("../../../crates/supply/tests/fixtures/oms/keys/secp521r1.pub");

/// A bundle is what it writes, nobody's signature is made up, and a statement names files below the
/// model only.
pub fn bundle(data: &[u8]) {
    if let Ok(bundle) = Bundle::parse(data) {
        let again = Bundle::parse(bundle.to_json().as_bytes());
        if !matches!(bundle.material, bartizan_supply::sign::Material::Keyless) {
            assert_eq!(
                again.ok().as_ref(),
                Some(&bundle),
                "a bundle changed on writing"
            );
        }
        let Ok(key) = PublicKey::from_pem(KEY.as_bytes()) else {
            panic!("the key of the fixtures is a key");
        };
        let trust = Trust {
            keys: vec![key],
            roots: None,
            accept_old: true,
        };
        assert!(bundle.verify(&trust).is_err(), "a signature was made up");
        if let Content::Envelope(envelope) = &bundle.content {
            statement(&envelope.payload);
        }
    }
    statement(data);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(manifest) = SharedKeyManifest::parse(text)
    {
        let digest = bartizan_supply::digest::Algorithm::Sha256.digest(b"");
        assert!(manifest.verify(&digest, b"a key that nobody has").is_err());
    }
}

fn statement(payload: &[u8]) {
    let Ok(statement) = Statement::parse(payload) else {
        return;
    };
    for old in [false, true] {
        let Ok(model) = ModelStatement::from_statement(&statement, old) else {
            continue;
        };
        for resource in &model.manifest.resources {
            let path = resource.name.path.as_str();
            let is_below =
                path == "." || path.split('/').all(|part| !matches!(part, "" | "." | ".."));
            assert!(is_below, "a name leads elsewhere");
        }
        if !old {
            let again = ModelStatement::from_statement(&model.to_statement(), false);
            assert_eq!(again.ok().map(|again| again.manifest), Some(model.manifest));
        }
    }
}

/// Files that name packages: what is read is the same twice, and places lie in the text.
pub fn lock(data: &[u8]) {
    const NAMES: [&str; 13] = [
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "pylock.toml",
        "Pipfile.lock",
        "pyproject.toml",
        "Cargo.lock",
        "package-lock.json",
        "go.mod",
        "go.sum",
        "pom.xml",
        "requirements.txt",
        "a.dist-info/METADATA",
    ];
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let (Ok(text), Some(name)) = (
        std::str::from_utf8(rest),
        NAMES.get(usize::from(*first) % NAMES.len()),
    ) else {
        return;
    };
    let Some(kind) = LockKind::of(name) else {
        panic!("`{name}` is known");
    };
    let Ok(packages) = kind.read(text) else {
        return;
    };
    assert_eq!(kind.read(text).as_ref(), Ok(&packages));
    for package in &packages {
        let (start, end) = package.place;
        assert!(
            start <= end && end <= text.len() as u64,
            "a place outside of the text"
        );
        assert!(package.purl().starts_with("pkg:"));
    }
}

/// Advisories and reports of other scanners: what is kept is read back from a database.
pub fn advisory(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = import(text);
    let _ = Database::parse(text);
    for read in [
        Advisory::from_json,
        Advisory::from_yaml,
        Advisory::from_rustsec,
    ] {
        let Ok(advisory) = read(text) else { continue };
        let _ = advisory.severity();
        let Ok(database) = Database::new(vec![advisory], Vec::new(), "2026-01-01") else {
            continue;
        };
        let written = database.to_text();
        match Database::parse(&written) {
            Ok(again) => assert_eq!(again.to_text(), written),
            Err(error) => panic!("a database does not read what it writes: {error}"),
        }
    }
}
