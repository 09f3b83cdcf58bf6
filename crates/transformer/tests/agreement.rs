//! Classifiers with random weights say what the reference implementation says of the same texts.
//!
//! The fixtures and their logits were made by `tests/transformers/make.py tiny`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on must fail, and tells how near it came"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use bartizan_transformer::{LoadError, Meaning, Transformer};

#[derive(serde::Deserialize)]
struct Expected {
    text: String,
    logits: Vec<f32>,
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn load(name: &str) -> Transformer {
    let folder = Path::new(FIXTURES).join(name);
    Transformer::load(&folder, &BTreeMap::new(), 46).unwrap()
}

/// The largest difference of any logit.
fn difference(folder: &Path) -> f32 {
    let transformer = Transformer::load(folder, &BTreeMap::new(), 512).unwrap();
    let expected = fs::read(folder.join("expected.json")).unwrap();
    let expected: Vec<Expected> = serde_json::from_slice(&expected).unwrap();
    assert!(expected.len() >= 8);
    let mut most = 0.0_f32;
    for Expected { text, logits } in expected {
        // The longest text is cut at the end, as the reference was given it.
        let cut = text.get(..text.len().min(20_000)).unwrap();
        let (ours, _) = transformer.ask(cut).unwrap();
        assert_eq!(ours.len(), logits.len());
        for (ours, theirs) in ours.iter().zip(logits) {
            most = most.max((ours - theirs).abs());
        }
    }
    most
}

#[test]
fn logits_agree_with_the_reference() {
    let mut differ = Vec::new();
    let mut seen = 0;
    for folder in fs::read_dir(FIXTURES).unwrap() {
        let folder = folder.unwrap().path();
        let most = difference(&folder);
        println!("{}: {most:.1e}", folder.display());
        differ.extend((most > 1e-4).then_some(folder));
        seen += 1;
    }
    assert_eq!(differ, Vec::<PathBuf>::new());
    assert_eq!(seen, 6);
}

/// The shapes of published classifiers: `BARTIZAN_TRANSFORMERS=FOLDER cargo test -p
/// bartizan-transformer --release -- --ignored`, with what `make.py full FOLDER` wrote.
#[test]
#[ignore = "needs classifiers of gigabytes, see tests/transformers/make.py"]
fn logits_of_published_shapes_agree() {
    let root = std::env::var("BARTIZAN_TRANSFORMERS").unwrap();
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        let most = difference(&folder);
        println!("{}: {most:.1e}", folder.file_name().unwrap().display());
        assert!(most < 1e-3, "{}: {most}", folder.display());
    }
}

#[test]
fn long_texts_are_cut_into_windows_that_overlap() {
    for name in ["bert", "deberta-v2", "roberta"] {
        let transformer = load(name);
        let text = "The harbour was quiet. Ünd ein Zug fährt ab, 図書館! ".repeat(40);
        let (windows, is_all) = transformer.cut(&text, 1_000);
        assert!(is_all);
        assert!(windows.len() > 5, "{name}: {}", windows.len());
        assert_eq!(windows.first().unwrap().start, 0);
        assert_eq!(windows.last().unwrap().end, text.len());
        for pair in windows.windows(2) {
            assert!(pair[0].start < pair[1].start, "{name}: {pair:?}");
            assert!(pair[1].start < pair[0].end, "{name}: {pair:?}");
            assert!(text.is_char_boundary(pair[1].start));
        }
        let (some, is_all) = transformer.cut(&text, 3);
        assert_eq!((some.as_slice(), is_all), (&windows[..3], false));
    }
}

#[test]
fn a_text_without_spaces_is_cut_too() {
    let transformer = load("bert");
    // WordPiece makes one token of a word that it cannot spell, however long.
    let text = "x".repeat(50_000);
    let (windows, is_all) = transformer.cut(&text, 1_000);
    assert!(is_all);
    assert_eq!(windows.last().unwrap().end, text.len());
    let (windows, is_all) = transformer.cut("", 8);
    assert!(is_all && windows.len() == 1, "an empty text is one window");
}

#[test]
fn what_is_wrong_with_a_folder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| {
        let from = Path::new(FIXTURES).join("bert").join(name);
        fs::copy(from, folder.path().join(name)).unwrap();
    };
    let error = || {
        let labels = BTreeMap::new();
        let loaded = Transformer::load(folder.path(), &labels, 46);
        loaded.unwrap_err().to_string()
    };
    assert!(error().contains("config.json"));
    fs::write(
        folder.path().join("config.json"),
        r#"{"model_type": "gpt2"}"#,
    )
    .unwrap();
    assert!(error().contains("architecture `gpt2`"), "{}", error());
    copy("config.json");
    assert!(error().contains("tokenizer.json"));
    copy("tokenizer.json");
    assert!(error().contains("model.safetensors"));
    fs::write(folder.path().join("model.safetensors"), [0xff; 16]).unwrap();
    assert!(error().contains("cannot be used"), "{}", error());
    copy("model.safetensors");
    let config = fs::read_to_string(folder.path().join("config.json")).unwrap();
    let wider = config.replace("\"intermediate_size\": 64", "\"intermediate_size\": 65");
    assert_ne!(config, wider);
    fs::write(folder.path().join("config.json"), wider).unwrap();
    assert!(error().contains("expected [65, 32]"), "{}", error());
    let deeper = config.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
    fs::write(folder.path().join("config.json"), deeper).unwrap();
    assert!(
        error().contains("no tensor `bert.encoder.layer.2"),
        "{}",
        error()
    );
    let foreign = config
        .replace("INJECTION", "SPAM")
        .replace("JAILBREAK", "HAM");
    fs::write(folder.path().join("config.json"), foreign).unwrap();
    assert!(
        error().contains("what the label `SPAM` means"),
        "{}",
        error()
    );
    let said = BTreeMap::from([
        ("SPAM".to_owned(), Meaning::Injection),
        ("HAM".to_owned(), Meaning::Benign),
    ]);
    Transformer::load(folder.path(), &said, 46).unwrap();
    let unknown = BTreeMap::from([("EGGS".to_owned(), Meaning::Benign)]);
    let error = Transformer::load(folder.path(), &unknown, 46).unwrap_err();
    assert!(matches!(error, LoadError::UnknownLabel { .. }), "{error}");
}
