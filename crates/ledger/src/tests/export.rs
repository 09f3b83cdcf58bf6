use std::sync::Arc;

use super::{Numbers, cases, entries, signer, written};
use crate::{Kind, Reader, Signer, Trust, storage::Simulated, verify_export, write_export};

fn trust() -> Trust {
    Trust {
        ledger: signer().verifier(),
        witnesses: Vec::new(),
    }
}

fn export(range: std::ops::Range<u64>, signer: Option<&Signer>) -> Vec<u8> {
    let storage = Arc::new(Simulated::default());
    let mut ledger = written(storage.clone(), 600);
    ledger.append(&[vec![0xff, 0xfe]], None).unwrap();
    ledger.append(&entries(601, 99), None).unwrap();
    ledger.publish().unwrap();
    let (reader, signed) = Reader::newest(&*storage, &trust()).unwrap();
    let mut file = Vec::new();
    write_export(&reader, &signed, range, signer, "key", &mut file).unwrap();
    file
}

#[test]
fn any_stretch_is_proved() {
    for range in [
        0..700,
        0..0,
        700..700,
        0..1,
        699..700,
        255..257,
        256..512,
        100..650,
        13..14,
    ] {
        for signer in [None, Some(&signer())] {
            let file = export(range.clone(), signer);
            let exported = verify_export(&mut file.as_slice(), &trust()).unwrap();
            assert_eq!(exported.damage, None, "{range:?}");
            assert_eq!(exported.entries, range);
            assert_eq!(exported.is_signed, signer.is_some());
        }
    }
}

#[test]
fn every_single_change_of_a_byte_is_noticed() {
    let whole = export(250..620, Some(&signer()));
    let mut numbers = Numbers(5);
    for case in 0..cases(300) {
        let mut file = whole.clone();
        let at = numbers.below(file.len());
        match numbers.below(3) {
            0 => file[at] ^= 1 << numbers.below(8),
            1 => drop(file.remove(at)),
            _ => file.insert(at, numbers.below(256) as u8),
        }
        // The last line feed is no part of what is said.
        if file == whole || file.trim_ascii_end() == whole.trim_ascii_end() {
            continue;
        }
        let verified = verify_export(&mut file.as_slice(), &trust());
        let clean = verified.is_ok_and(|exported| exported.damage.is_none() && exported.is_signed);
        assert!(!clean, "case {case}: byte {at}");
    }
}

#[test]
fn every_change_of_a_line_is_named() {
    let whole = String::from_utf8(export(100..300, None)).unwrap();
    let check = |kind, edit: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = whole.lines().map(|line| format!("{line}\n")).collect();
        edit(&mut lines);
        let file = lines.concat();
        let exported = verify_export(&mut file.as_bytes(), &trust()).unwrap();
        let damage = exported.damage.expect("damage");
        assert_eq!((damage.kind, damage.exact), (kind, true), "{damage}");
        damage.entry.unwrap()
    };
    // The first line is the head.
    let altered = check(Kind::Altered, &|lines| {
        lines[51] = lines[51].replace("entry 150", "entry 151")
    });
    let missing = check(Kind::Missing, &|lines| drop(lines.remove(51)));
    let inserted = check(Kind::Inserted, &|lines| lines.insert(51, lines[20].clone()));
    let swapped = check(Kind::Swapped, &|lines| lines.swap(51, 52));
    let truncated = check(Kind::Truncated, &|lines| lines.truncate(51));
    assert_eq!([altered, missing, inserted, swapped, truncated], [150; 5]);
}

#[test]
fn what_is_no_export_is_refused() {
    let whole = String::from_utf8(export(0..3, None)).unwrap();
    for bad in [
        String::new(),
        "{}\n".to_owned(),
        whole.replace("ledger-export", "other"),
        whole.replace("\"version\":1", "\"version\":2"),
        "x".repeat(1 << 20),
    ] {
        assert!(verify_export(&mut bad.as_bytes(), &trust()).is_err());
    }
    let other = Trust {
        ledger: Signer::new("example.com/ledger", &[2; 32])
            .unwrap()
            .verifier(),
        witnesses: Vec::new(),
    };
    assert!(verify_export(&mut whole.as_bytes(), &other).is_err());
}
