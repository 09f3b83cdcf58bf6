use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Numbers, cases, entries, entry, signer, written};
use crate::{
    CHECKPOINT, Damage, Entries, Kind, Ledger, Outcome, ReadError, Reader, SignedCheckpoint,
    Storage, Trust, bundle_path, encode_entry, storage::Simulated, verify,
};

type Files = BTreeMap<String, Vec<u8>>;

/// Two full bundles and more, some of it still in the tail only.
const SIZE: u64 = 700;

fn files(size: u64) -> Files {
    let storage = Arc::new(Simulated::default());
    let mut ledger = written(storage.clone(), size - 10);
    ledger.append(&entries(size - 10, 10), None).unwrap();
    ledger.publish().unwrap();
    storage.files()
}

fn trust() -> Trust {
    Trust {
        ledger: signer().verifier(),
        witnesses: Vec::new(),
    }
}

fn look(files: Files, against: &[SignedCheckpoint]) -> Outcome {
    verify(&Simulated::of(files), &trust(), against, false).unwrap()
}

fn is_clean(outcome: &Outcome) -> bool {
    outcome.damage.is_none() && outcome.torn_bytes == 0
}

#[test]
fn every_single_change_of_a_byte_is_noticed() {
    let whole = files(SIZE);
    assert!(is_clean(&look(whole.clone(), &[])));
    let names: Vec<&String> = whole.keys().collect();
    let mut numbers = Numbers(7);
    for case in 0..cases(700) {
        let mut files = whole.clone();
        let name = names[numbers.below(names.len())];
        let bytes = files.get_mut(name).unwrap();
        let at = numbers.below(bytes.len());
        let what = numbers.below(4);
        match what {
            0 => bytes[at] ^= 1 << numbers.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, numbers.below(256) as u8),
            _ => bytes.truncate(at),
        }
        // How many zeros were put behind the tail in advance says nothing.
        if same(&files[name], &whole[name], name.starts_with("tail/")) {
            continue;
        }
        let outcome = verify(&Simulated::of(files), &trust(), &[], false);
        let clean = outcome.is_ok_and(|outcome| is_clean(&outcome));
        assert!(!clean, "case {case}: {name}, byte {at}, change {what}");
    }
}

fn same(one: &[u8], other: &[u8], in_tail: bool) -> bool {
    let end = |bytes: &[u8]| match bytes.iter().rposition(|byte| *byte != 0) {
        _ if !in_tail => bytes.len(),
        last => last.map_or(0, |last| last + 1),
    };
    one[..end(one)] == other[..end(other)]
}

#[test]
fn every_lost_file_is_noticed() {
    let whole = files(SIZE);
    for name in whole.keys().filter(|name| *name != "checkpoint") {
        let mut files = whole.clone();
        files.remove(name);
        let outcome = look(files, &[]);
        // Without a tail it is a copy for readers.
        assert_eq!(is_clean(&outcome), name.starts_with("tail/"), "{name}");
    }
}

/// Edits the entries as a whole, and writes bundles anew as the format asks for.
fn edited(whole: &Files, edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Files {
    let storage = Simulated::of(whole.clone());
    let reader = Reader::new(&storage, SIZE);
    let mut all: Vec<Vec<u8>> = (0..SIZE).map(|n| reader.entry(n).unwrap()).collect();
    edit(&mut all);
    let mut files = whole.clone();
    files.retain(|name, _| !name.starts_with("tile/entries"));
    let last = SIZE / 256;
    for number in 0..=last {
        let from = (number as usize * 256).min(all.len());
        let to = if number == last {
            all.len()
        } else {
            (from + 256).min(all.len())
        };
        let mut bundle = Vec::new();
        for entry in &all[from..to] {
            assert!(encode_entry(entry, &mut bundle));
        }
        let width = if number == last { SIZE % 256 } else { 256 };
        files.insert(bundle_path(number, width), bundle);
    }
    files
}

fn named(files: Files) -> Damage {
    look(files, &[]).damage.expect("damage")
}

#[test]
fn every_change_of_an_entry_is_named() {
    let whole = files(SIZE);
    let mut numbers = Numbers(3);
    for _ in 0..60 {
        let at = numbers.below(SIZE as usize - 1);
        let check = |kind, edit: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let damage = named(edited(&whole, edit));
            assert_eq!(
                (damage.kind, damage.entry),
                (kind, Some(at as u64)),
                "{damage}"
            );
            assert!(damage.exact, "{damage}");
        };
        let bit = numbers.below(40);
        check(Kind::Altered, &|all| {
            let byte = bit / 8 % all[at].len();
            all[at][byte] ^= 1 << (bit % 8);
        });
        check(Kind::Missing, &|all| drop(all.remove(at)));
        check(Kind::Inserted, &|all| {
            all.insert(at, b"never written".to_vec())
        });
        let other = at + 1 + numbers.below(SIZE as usize - at - 1);
        check(Kind::Swapped, &|all| all.swap(at, other));
    }
    let cut = named(edited(&whole, |all| all.truncate(690)));
    assert_eq!((cut.kind, cut.entry), (Kind::Truncated, Some(690)));
}

#[test]
fn files_of_tiles_are_told_from_entries() {
    let whole = files(SIZE);
    let mut files = whole.clone();
    files.get_mut("tile/0/001").unwrap()[32 * 5] ^= 1;
    let damage = named(files);
    assert_eq!((damage.entry, damage.exact), (Some(261), true), "{damage}");
    assert_eq!(damage.file, "tile/0/001");
    let mut files = whole.clone();
    files.get_mut("tile/1/000.p/2").unwrap()[32] ^= 1;
    let damage = named(files);
    assert_eq!((damage.entry, damage.exact), (Some(256), false), "{damage}");
    let mut files = whole.clone();
    for (name, kind) in [
        ("tile/entries/001", Kind::Missing),
        ("tile/entries/002.p/188", Kind::Truncated),
    ] {
        let mut files = files.clone();
        files.remove(name);
        let damage = named(files);
        assert_eq!((damage.kind, &*damage.file), (kind, name), "{damage}");
    }
    files.retain(|name, _| !name.contains("002.p"));
    let damage = named(files);
    assert_eq!((damage.kind, damage.entry), (Kind::Truncated, Some(512)));
}

/// Whoever has the key can write another ledger; a checkpoint that was kept elsewhere gives it away.
#[test]
fn another_past_does_not_fit_a_kept_checkpoint() {
    let storage = Arc::new(Simulated::default());
    let kept = written(storage.clone(), 500).checkpoint().clone();
    let grown = written(storage.clone(), SIZE).checkpoint().clone();
    let files = storage.files();
    let both = [kept.clone(), grown.clone()];
    assert!(is_clean(&look(files, &both)));
    let forged = Arc::new(Simulated::default());
    let (mut ledger, _) = Ledger::open(forged.clone(), signer()).unwrap();
    let mut past = entries(0, SIZE);
    past[123] = b"it was not me".to_vec();
    ledger.append(&past, None).unwrap();
    ledger.settle().unwrap().run().unwrap();
    assert!(is_clean(&look(forged.files(), &[])));
    let damage = look(forged.files(), std::slice::from_ref(&kept))
        .damage
        .unwrap();
    assert_eq!(damage.kind, Kind::Rollback);
    let old = Arc::new(Simulated::default());
    drop(written(old.clone(), 500));
    assert!(is_clean(&look(old.files(), &[kept])));
    let damage = look(old.files(), &[grown]).damage.unwrap();
    assert_eq!((damage.kind, damage.entry), (Kind::Rollback, Some(500)));
}

#[test]
fn a_checkpoint_of_another_key_is_named() {
    let mut files = files(SIZE);
    let other = crate::Signer::new("example.com/ledger", &[9; 32]).unwrap();
    let text = String::from_utf8(files["checkpoint"].clone()).unwrap();
    let note = crate::SignedNote::parse(text.as_bytes()).unwrap();
    let forged = crate::SignedNote::sign(note.text().to_owned(), &other);
    files.insert("checkpoint".to_owned(), forged.to_string().into_bytes());
    assert_eq!(named(files).kind, Kind::CheckpointSignature);
}

/// A reader of an old size finds what it needs in a ledger that has grown.
#[test]
fn old_sizes_are_read_and_proved() {
    let storage = Arc::new(Simulated::default());
    let mut ledger = written(storage.clone(), 1);
    let mut checkpoints = Vec::new();
    while ledger.size() < 70_000 {
        let count = if ledger.size() < 600 { 41 } else { 7_001 };
        ledger.append(&entries(ledger.size(), count), None).unwrap();
        ledger.publish().unwrap();
        checkpoints.push(ledger.checkpoint().clone());
    }
    let now = &ledger.checkpoint().checkpoint;
    let newest = Reader::new(&*storage, now.size);
    for signed in &checkpoints {
        let old = &signed.checkpoint;
        let reader = Reader::new(&*storage, old.size);
        assert_eq!(reader.root().unwrap(), old.root);
        let proof = newest.consistency(old.size).unwrap();
        let (before, after) = ((old.size, old.root), (now.size, now.root));
        assert_eq!(crate::consistency_holds(before, after, &proof), Ok(()));
        for index in [0, old.size / 3, old.size - 1] {
            let (proof, found) = reader.prove(index, signed).unwrap();
            assert_eq!(found, entry(index));
            assert!(proof.verify(&found, &trust()).is_ok());
            assert!(proof.verify(b"other", &trust()).is_err());
        }
    }
    assert!(newest.entry(now.size).is_err());
    let (bundle, width) = newest.bundle(0).unwrap();
    assert_eq!(Entries::of(&bundle).count(), width);
}

/// Files of which one cannot be read, and where the writer goes on after the first look.
struct Odd {
    files: Simulated,
    broken: Option<String>,
    /// The checkpoint from the second look on.
    later: Option<Vec<u8>>,
    looks: AtomicUsize,
}

impl Storage for Odd {
    fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        if self.broken.as_deref() == Some(name) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if name == CHECKPOINT
            && self.looks.fetch_add(1, Ordering::Relaxed) > 0
            && self.later.is_some()
        {
            return Ok(self.later.clone());
        }
        self.files.read(name, max)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.files.list(folder)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.write(name, bytes)
    }

    fn append(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.files.append(name, at, bytes)
    }

    fn sync(&self, names: &[String]) -> io::Result<()> {
        self.files.sync(names)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.files.truncate(name, length)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_is_not_an_alteration() {
    for name in [bundle_path(0, 256), "tile/0/001".to_owned()] {
        let odd = Odd {
            files: Simulated::of(files(SIZE)),
            broken: Some(name.clone()),
            later: None,
            looks: AtomicUsize::new(0),
        };
        match verify(&odd, &trust(), &[], false) {
            Err(ReadError::Storage { file, error }) => {
                assert_eq!(file, name);
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_altered_entry_is_named_exactly_while_the_writer_goes_on() {
    let whole = files(SIZE);
    let files = edited(&whole, |all| all[300] = b"forged".to_vec());
    let odd = Odd {
        files: Simulated::of(files),
        broken: None,
        later: Some(self::files(SIZE + 50)[CHECKPOINT].clone()),
        looks: AtomicUsize::new(0),
    };
    let outcome = verify(&odd, &trust(), &[], true).unwrap();
    let damage = outcome.damage.unwrap();
    assert_eq!(
        (damage.kind, damage.entry, damage.exact),
        (Kind::Altered, Some(300), true)
    );
}
