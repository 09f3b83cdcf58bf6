use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bartizan_ledger::{Reader, SignedNote, VerifierKey};

use super::{signer, written};

/// Where Go keeps its own copy of `golang.org/x/mod/sumdb`, which it verifies downloads with.
fn sources() -> Option<PathBuf> {
    let root = Command::new("go").args(["env", "GOROOT"]).output().ok()?;
    let root = PathBuf::from(String::from_utf8(root.stdout).ok()?.trim());
    let sumdb = root.join("src/cmd/vendor/golang.org/x/mod/sumdb");
    sumdb.join("tlog/tlog.go").is_file().then_some(sumdb)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "go")
            && !path.ends_with("_test.go")
        {
            let source = fs::read_to_string(&path).unwrap();
            // Older copies name the package that the standard library has taken in since.
            let source = source.replace("golang.org/x/crypto/ed25519", "crypto/ed25519");
            fs::write(to.join(path.file_name().unwrap()), source).unwrap();
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says that nothing was tested")]
fn go_reads_our_ledger_and_we_read_its_notes() {
    let Some(sumdb) = sources() else {
        eprintln!("skipped: there is no Go with the source of `golang.org/x/mod/sumdb`");
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("oracle");
    copy(&sumdb.join("note"), &program.join("note"));
    copy(&sumdb.join("tlog"), &program.join("tlog"));
    fs::write(program.join("main.go"), include_str!("../go/oracle.go")).unwrap();
    fs::write(program.join("go.mod"), "module oracle\n\ngo 1.19\n").unwrap();

    let root = place.path().join("ledger");
    let (folder, ledger, before) = written(&root, 300, 1_000);
    let signed = ledger.checkpoint();
    let reader = Reader::new(&*folder, signed.checkpoint.size);
    let proofs = place.path().join("proofs");
    fs::create_dir(&proofs).unwrap();
    for index in [0, 255, 256, 511, 999] {
        let (proof, entry) = reader.prove(index, signed).unwrap();
        fs::write(
            proofs.join(format!("{index}.tlog-proof")),
            proof.to_string(),
        )
        .unwrap();
        fs::write(proofs.join(format!("{index}.entry")), entry).unwrap();
    }
    let hashes = reader.consistency(300).unwrap();
    let hashes: String = hashes.iter().map(|hash| format!("{hash}\n")).collect();
    fs::write(proofs.join("consistency"), hashes).unwrap();
    fs::write(proofs.join("old"), before.note.to_string()).unwrap();

    let run = Command::new("go")
        .args(["run", "."])
        .args([&root, &proofs])
        .arg(signer().verifier().to_string())
        .current_dir(&program)
        .env("GOFLAGS", "-mod=mod")
        .env("GOPROXY", "off")
        .env("GOCACHE", place.path().join("cache"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{stderr}");
    // A key and a note of Go's own.
    let said = String::from_utf8(run.stdout).unwrap();
    let (key, note) = said.split_once('\n').unwrap();
    let key = VerifierKey::parse(key).unwrap();
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    assert_eq!(note.verify(&key), Ok(None));
    assert_eq!(note.text(), "Go says so\n");
}
