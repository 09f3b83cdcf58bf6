//! `bartizan convert`, `seal`, and `unseal` over files.

use crate::helpers::Project;

const KEY: (&str, &str) = (
    "BARTIZAN_KEY",
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
);

/// An array as `numpy.save` writes it.
fn array() -> Vec<u8> {
    let mut header = b"{'descr': '<u2', 'fortran_order': False, 'shape': (3,), }".to_vec();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    out.extend(header);
    out.extend([1, 0, 2, 0, 3, 0]);
    out
}

#[test]
fn art_23_tensors_are_converted_and_nothing_is_run() {
    let project = Project::new().with("a.npy", array()).with(
        "model.pkl",
        b"(dp0\nS'a'\ncos\nsystem\n(S'touch made-by-the-conversion'\ntRs.",
    );
    let run = project.run(&["convert", "a.npy", "a.safetensors", "--verify"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(
        run.stdout.contains("converted: 1 tensor in"),
        "{}",
        run.all()
    );
    let file = std::fs::read(project.path("a.safetensors")).unwrap();
    assert!(file.ends_with(&[1, 0, 2, 0, 3, 0]));
    assert_eq!(project.run(&["scan", "a.safetensors"]).code, 0);
    let run = project.run(&["convert", "model.pkl", "b.safetensors"]);
    assert_eq!(run.code, 2, "{}", run.all());
    for name in ["made-by-the-conversion", "b.safetensors"] {
        assert!(!project.path(name).exists(), "{name}");
    }
    // An array and a number: nobody gave the number up.
    let zip = {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in [("a.npy", array()), ("notes.txt", b"x".to_vec())] {
            zip.start_file(name, options).unwrap();
            std::io::Write::write_all(&mut zip, &bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let project = project.with("all.npz", zip);
    let run = project.run(&["convert", "all.npz", "all.safetensors"]);
    assert_eq!(run.code, 2, "{}", run.all());
    assert!(
        run.stdout
            .contains("left out: notes.txt: a file that is no array"),
        "{}",
        run.all()
    );
    let run = project.run(&[
        "convert",
        "all.npz",
        "all.safetensors",
        "--tensors-only",
        "--format",
        "json",
    ]);
    assert_eq!(run.code, 0, "{}", run.all());
    let said: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(said["tensors"][0]["dtype"], "U16");
    assert_eq!(said["left_out"][0]["path"], "notes.txt");
}

#[test]
fn art_20_a_sealed_folder_opens_with_its_key_only() {
    let project = Project::new()
        .with("model/weights.npy", array())
        .with("model/sub/config.json", "{}");
    let plain = project.run(&["hash", "model"]).stdout;
    let run = |arguments: &[&str]| project.run_with(arguments, "", &[KEY]);
    let sealed = run(&["seal", "model", "sealed"]);
    assert_eq!(sealed.code, 0, "{}", sealed.all());
    assert!(
        sealed.stdout.contains("sealed: 2 files"),
        "{}",
        sealed.all()
    );
    let digest = |text: &str| text.split_whitespace().next().unwrap().to_owned();
    let hashed = run(&["hash", "sealed", "--unseal-key", "env:BARTIZAN_KEY"]);
    assert_eq!(digest(&hashed.stdout), digest(&plain), "{}", hashed.all());
    assert_eq!(run(&["scan", "sealed"]).code, 3);
    let scanned = run(&["scan", "sealed", "--unseal-key", "env:BARTIZAN_KEY"]);
    assert_eq!(scanned.code, 0, "{}", scanned.all());
    assert_eq!(run(&["seal", "sealed", "twice"]).code, 2);
    assert_eq!(run(&["unseal", "sealed", "model"]).code, 2);
    let opened = run(&["unseal", "sealed", "opened"]);
    assert_eq!(opened.code, 0, "{}", opened.all());
    assert_eq!(
        std::fs::read(project.path("opened/weights.npy")).unwrap(),
        array()
    );
    let other = "ff".repeat(32);
    let wrong = project.run_with(
        &["unseal", "sealed", "wrong"],
        "",
        &[("BARTIZAN_KEY", other.as_str())],
    );
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("sealed under another key"),
        "{}",
        wrong.all()
    );
    let given = run(&["unseal", "sealed", "wrong", "--key", KEY.1]);
    assert_eq!(given.code, 2, "{}", given.all());
    assert!(!given.all().contains(KEY.1));
    // One file in the place of another, one taken out, and one that was altered.
    let path = |name: &str| project.path(&format!("sealed/{name}"));
    let weights = std::fs::read(path("weights.npy")).unwrap();
    let config = std::fs::read(path("sub/config.json")).unwrap();
    std::fs::write(path("weights.npy"), &config).unwrap();
    let swapped = run(&["unseal", "sealed", "wrong"]);
    assert!(
        swapped.stderr.contains("another file stands"),
        "{}",
        swapped.all()
    );
    let mut altered = weights;
    *altered.last_mut().unwrap() ^= 1;
    std::fs::write(path("weights.npy"), &altered).unwrap();
    let run_altered = run(&["unseal", "sealed", "wrong"]);
    assert!(
        run_altered.stderr.contains("chunk 0"),
        "{}",
        run_altered.all()
    );
    std::fs::remove_file(path("weights.npy")).unwrap();
    let missing = run(&["unseal", "sealed", "wrong"]);
    assert!(
        missing.stderr.contains("was taken out of"),
        "{}",
        missing.all()
    );
    assert!(!project.path("wrong").exists());
}

#[test]
fn a_passphrase_lies_in_a_file() {
    let project = Project::new()
        .with("a.txt", "secret weights")
        .with("words", "correct horse battery\n");
    let run = project.run(&["seal", "a.txt", "a.sealed", "--passphrase", "file:words"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert_eq!(project.run(&["unseal", "a.sealed", "b.txt"]).code, 2);
    let run = project.run(&["unseal", "a.sealed", "b.txt", "--passphrase", "file:words"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let text = std::fs::read_to_string(project.path("b.txt")).unwrap();
    assert_eq!(text, "secret weights");
    let run = project.run(&["seal", "a.txt", "b.sealed", "--transit", "transit/models"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("secrets.vault"), "{}", run.all());
}
