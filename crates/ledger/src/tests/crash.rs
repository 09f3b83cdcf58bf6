use std::{collections::BTreeSet, sync::Arc};

use super::{Numbers, cases, entries, entry, signer};
use crate::{Ledger, Reader, Storage, storage::Simulated, verify};

/// Appends until the power goes, and gives how many entries and which mark were acknowledged.
fn write_until_dark(storage: &Arc<Simulated>, numbers: &mut Numbers) -> (u64, Vec<u8>) {
    let mut acknowledged = (0, Vec::new());
    let Ok((mut ledger, _)) = Ledger::open(storage.clone(), signer()) else {
        return acknowledged;
    };
    acknowledged = (ledger.size(), ledger.mark().to_vec());
    for _ in 0..40 {
        let count = numbers.below(300) as u64;
        let mark = format!("mark {}", ledger.size() + count).into_bytes();
        let appended = ledger.append(&entries(ledger.size(), count), Some(&mark));
        if let Ok(range) = appended {
            acknowledged = (range.end, mark);
        }
        // Whatever becomes of these, what is acknowledged is kept.
        if numbers.below(2) == 0 {
            let _ = ledger.publish();
        }
        if numbers.below(4) == 0
            && let Ok(settle) = ledger.settle()
        {
            let _ = settle.run();
        }
    }
    acknowledged
}

#[test]
fn what_was_acknowledged_outlives_every_power_cut() {
    for case in 0..cases(50) {
        let mut numbers = Numbers(case);
        let fuse = numbers.below(260) as u64;
        let mut storage = Arc::new(Simulated::with_fuse(fuse));
        // The power goes again while what it left is put in order.
        for round in 0..3 {
            let (size, mark) = write_until_dark(&storage, &mut numbers);
            let luck = case.wrapping_mul(31).wrapping_add(round);
            let restored = storage.after_power_cut(luck);
            storage = Arc::new(Simulated::of(restored.files()));
            let (ledger, _) = Ledger::open(storage.clone(), signer())
                .unwrap_or_else(|error| panic!("case {case}: {error}"));
            // One commit that nobody was told of may be there too, but whole and with its mark.
            assert!(
                ledger.size() >= size,
                "case {case}: {} < {size}",
                ledger.size()
            );
            if ledger.size() > size {
                let expected = format!("mark {}", ledger.size());
                assert_eq!(ledger.mark(), expected.as_bytes(), "case {case}");
            } else {
                assert_eq!(ledger.mark(), mark, "case {case}");
            }
            let trust = ledger.trust();
            let kept = ledger.size();
            drop(ledger);
            let outcome = verify(&*storage, &trust, &[], false).unwrap();
            assert_eq!(outcome.damage, None, "case {case}");
            assert_eq!((outcome.entries, outcome.torn_bytes), (kept, 0));
            let reader = Reader::new(&*storage, kept);
            for number in (0..kept).step_by(37) {
                assert_eq!(reader.entry(number).unwrap(), entry(number));
            }
            let again = Simulated::with_fuse(numbers.below(120) as u64);
            again.replace(restored.files());
            storage = Arc::new(again);
        }
    }
}

#[test]
fn a_full_disk_keeps_what_there_is_and_goes_on_later() {
    let storage = Arc::new(Simulated::default());
    let (mut ledger, _) = Ledger::open(storage.clone(), signer()).unwrap();
    ledger.append(&entries(0, 300), Some(b"a")).unwrap();
    storage.set_fuse(Some(1));
    assert!(ledger.append(&entries(300, 5), Some(b"b")).is_err());
    assert!(ledger.publish().is_err());
    assert!(ledger.settle().is_err());
    assert_eq!((ledger.size(), ledger.mark()), (300, b"a".as_slice()));
    storage.set_fuse(None);
    let range = ledger.append(&entries(300, 5), Some(b"c")).unwrap();
    assert_eq!(range, 300..305);
    ledger.settle().unwrap().run().unwrap();
    ledger.append(&entries(305, 5), None).unwrap();
    drop(ledger);
    let (ledger, opened) = Ledger::open(storage.clone(), signer()).unwrap();
    assert_eq!((ledger.size(), ledger.mark()), (310, b"c".as_slice()));
    assert_eq!((opened.replayed, opened.torn_bytes), (5, 0));
    assert_eq!(
        verify(&*storage, &ledger.trust(), &[], false)
            .unwrap()
            .damage,
        None
    );
}

#[test]
fn a_tile_that_was_written_before_the_disk_was_full_is_waited_for() {
    let storage = Arc::new(Simulated::default());
    let (mut ledger, _) = Ledger::open(storage.clone(), signer()).unwrap();
    ledger.append(&entries(0, 600), None).unwrap();
    // Some tiles are written, others are not.
    storage.set_fuse(Some(2));
    assert!(ledger.publish().is_err());
    storage.set_fuse(None);
    let settle = ledger.settle().unwrap();
    let waited_for = settle.unsettled.pending.lock().tiles.clone();
    for name in storage.files().keys() {
        let is_waited_for = name.starts_with("tail/") || waited_for.contains(name);
        assert!(is_waited_for, "{name}");
    }
}

#[test]
fn what_is_waited_for_is_what_is_there_and_each_once() {
    let storage = Arc::new(Simulated::default());
    let (mut ledger, _) = Ledger::open(storage.clone(), signer()).unwrap();
    for from in 0..300 {
        ledger.append(&entries(from, 1), None).unwrap();
        ledger.publish().unwrap();
    }
    let settle = ledger.settle().unwrap();
    let waited_for = settle.unsettled.pending.lock().tiles.clone();
    let there = storage.files().into_keys();
    let there: BTreeSet<String> = there.filter(|name| !name.starts_with("tail/")).collect();
    assert_eq!(waited_for, there);
}

#[test]
fn a_lost_or_foreign_tail_is_refused() {
    let storage = Arc::new(Simulated::default());
    drop(super::written(storage.clone(), 10));
    let other = crate::Signer::new("example.com/ledger", &[2; 32]).unwrap();
    assert!(Ledger::open(storage.clone(), other).is_err());
    for name in storage.list("tail").unwrap() {
        storage.remove(&format!("tail/{name}")).unwrap();
    }
    let error = Ledger::open(storage.clone(), signer()).unwrap_err();
    assert!(matches!(error, crate::LedgerError::NoTail));
    // A tail of earlier would let the ledger go on with another past.
    let earlier = Arc::new(Simulated::default());
    drop(super::written(earlier.clone(), 5));
    let mut files = storage.files();
    files.extend(
        earlier
            .files()
            .into_iter()
            .filter(|(name, _)| name.starts_with("tail/")),
    );
    let error = Ledger::open(Arc::new(Simulated::of(files)), signer()).unwrap_err();
    assert!(matches!(error, crate::LedgerError::Altered { .. }));
}
