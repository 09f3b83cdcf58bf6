//! Signatures at the crate's edge: those of the reference implementation, and what attackers do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod attacks;
mod own;
mod reference;

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use bartizan_supply::sign::{
    Bundle, Comparison, Mismatch, ModelStatement, PublicKey, Roots, Trust, VerifyError, compare,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/oms")
        .join(name)
}

fn bundle(name: &str) -> Bundle {
    let bytes = fs::read(fixture(&format!("signatures/{name}.sig"))).unwrap();
    Bundle::parse(&bytes).unwrap()
}

fn trust_key(name: &str) -> Trust {
    let pem = fs::read(fixture(&format!("keys/{name}.pub"))).unwrap();
    Trust {
        keys: vec![PublicKey::from_pem(&pem).unwrap()],
        roots: None,
        accept_old: false,
    }
}

fn trust_root() -> Trust {
    let pem = fs::read(fixture("keys/root.pem")).unwrap();
    Trust {
        keys: Vec::new(),
        roots: Some(Roots::from_pem(&[pem]).unwrap()),
        accept_old: false,
    }
}

fn statement(bundle: &Bundle, trust: &Trust) -> Result<ModelStatement, VerifyError> {
    let (statement, _) = bundle.verify(trust)?;
    ModelStatement::from_statement(&statement, trust.accept_old)
}

fn comparison<'a>(root: &'a Path, statement: &'a ModelStatement) -> Comparison<'a> {
    Comparison {
        root,
        statement,
        signature: None,
        also_ignored: &[],
        ignore_unsigned: false,
        threads: NonZeroUsize::new(2).unwrap(),
    }
}

fn mismatches(root: &Path, statement: &ModelStatement) -> Vec<String> {
    let all = compare(&comparison(root, statement)).unwrap();
    all.iter().map(Mismatch::to_string).collect()
}

/// A copy of the model that the fixtures are about.
fn copy_of_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture("model"), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
