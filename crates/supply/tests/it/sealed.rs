//! Sealed files: what opens them, what does not, and what is noticed.

use bartizan_core::Secret;
use bartizan_formats::{Bytes, Source};
use bartizan_supply::sealed::{Fresh, Lock, Opened, Sealed, SealedError, Unlock, seal};
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];
const CHUNK: usize = 256 << 10;

fn fresh() -> Fresh {
    Fresh {
        data_key: Secret::new([9; 32]),
        nonce: [3; 12],
    }
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let written = seal(
        &mut &*plain,
        plain.len() as u64,
        Lock::Key,
        Some(&Secret::new(KEY)),
        &fresh(),
        &mut out,
    );
    assert_eq!(written.unwrap(), out.len() as u64);
    out
}

fn open(bytes: &[u8]) -> Result<Vec<u8>, SealedError> {
    open_with(bytes, &Unlock::Key(&Secret::new(KEY)))
}

fn open_with(bytes: &[u8], with: &Unlock<'_>) -> Result<Vec<u8>, SealedError> {
    let opened = Opened::new(Bytes(bytes), with)?;
    let mut out = Vec::new();
    opened.each(|plain| {
        out.extend_from_slice(plain);
        Ok::<_, SealedError>(())
    })?;
    Ok(out)
}

fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn art_20_a_file_opens_with_its_key_only() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        let plain = plain(length);
        let bytes = sealed(&plain);
        assert_eq!(
            Sealed::read(&Bytes(&bytes)).unwrap().length(),
            length as u64
        );
        assert!(open(&bytes).unwrap() == plain, "{length}");
    }
    let bytes = sealed(b"weights");
    assert!(!bytes.windows(7).any(|window| window == b"weights"));
    assert!(matches!(
        open_with(&bytes, &Unlock::Key(&Secret::new([8; 32]))),
        Err(SealedError::WrongKey)
    ));
    assert!(matches!(
        open_with(&bytes, &Unlock::DataKey(&Secret::new([9; 32]))),
        Err(SealedError::Kind)
    ));
    assert!(matches!(open(b"plain"), Err(SealedError::NotSealed)));
}

#[test]
fn any_place_is_read_alone() {
    let plain = plain(2 * CHUNK + 100);
    let bytes = sealed(&plain);
    let opened = Opened::new(Bytes(&bytes), &Unlock::Key(&Secret::new(KEY))).unwrap();
    for (from, length) in [
        (0, 10),
        (CHUNK - 5, 10),
        (2 * CHUNK, 1_000),
        (10, 2 * CHUNK),
        (plain.len(), 1),
    ] {
        let end = (from + length).min(plain.len());
        let read = opened.read(from as u64, length as u64).unwrap();
        assert!(read == plain[from..end], "{from} {length}");
    }
    // A broken chunk takes only itself along.
    let mut broken = bytes;
    let last = broken.len() - 1;
    broken[last] ^= 1;
    let opened = Opened::new(Bytes(&broken), &Unlock::Key(&Secret::new(KEY))).unwrap();
    assert!(opened.read(0, CHUNK as u64).is_ok());
    assert!(opened.read(2 * CHUNK as u64, 1).is_err());
}

#[test]
fn what_was_done_to_a_file_is_told_apart() {
    let plain = plain(3 * CHUNK);
    let bytes = sealed(&plain);
    let head = bytes.len() - 3 * (CHUNK + 16);
    let chunk = |number: usize| head + number * (CHUNK + 16);
    let mut swapped = bytes[..head].to_vec();
    for number in [1, 0, 2] {
        swapped.extend(&bytes[chunk(number)..chunk(number + 1)]);
    }
    assert!(matches!(open(&swapped), Err(SealedError::AlteredChunk(0))));
    for cut in [9, head - 1, chunk(1), chunk(2), bytes.len() - 1] {
        assert!(matches!(open(&bytes[..cut]), Err(SealedError::Truncated)));
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(matches!(open(&longer), Err(SealedError::Trailing)));
    // Shorter by whole chunks, with a length in the head that says so.
    let mut shorter = bytes[..chunk(2)].to_vec();
    shorter[10..18].copy_from_slice(&(2 * CHUNK as u64).to_le_bytes());
    assert!(matches!(open(&shorter), Err(SealedError::AlteredHead)));
    let mut later = bytes;
    later[8] = 2;
    assert!(matches!(open(&later), Err(SealedError::Version(2))));
}

#[test]
fn passphrases_and_services_are_named_in_the_head() {
    let salt = [5; 16];
    let mut out = Vec::new();
    let key = Secret::new(KEY);
    let lock = Lock::Passphrase { salt };
    seal(&mut &b"x"[..], 1, lock, Some(&key), &fresh(), &mut out).unwrap();
    let head = Sealed::read(&Bytes(&out)).unwrap();
    assert_eq!(*head.lock(), Lock::Passphrase { salt });
    assert_eq!(open(&out).unwrap(), b"x");
    let lock = Lock::Transit {
        mount: "transit".to_owned(),
        key: "models".to_owned(),
        token: "vault:v1:abc".to_owned(),
    };
    let mut out = Vec::new();
    seal(&mut &b"x"[..], 1, lock.clone(), None, &fresh(), &mut out).unwrap();
    assert_eq!(*Sealed::read(&Bytes(&out)).unwrap().lock(), lock);
    let data_key = Secret::new([9; 32]);
    assert_eq!(open_with(&out, &Unlock::DataKey(&data_key)).unwrap(), b"x");
    assert!(matches!(
        open_with(&out, &Unlock::DataKey(&Secret::new([1; 32]))),
        Err(SealedError::AlteredHead)
    ));
    let mut none = Vec::new();
    let made = seal(&mut &b"x"[..], 1, lock, Some(&key), &fresh(), &mut none);
    assert!(matches!(made, Err(SealedError::Kind)));
}

#[test]
fn a_file_that_changes_meanwhile_is_not_sealed() {
    for length in [1, 3] {
        let mut out = Vec::new();
        let key = Secret::new(KEY);
        let made = seal(
            &mut &b"ab"[..],
            length,
            Lock::Key,
            Some(&key),
            &fresh(),
            &mut out,
        );
        assert!(matches!(made, Err(SealedError::Changed)));
    }
}

#[test]
fn every_byte_counts() {
    let bytes = sealed(b"a few bytes");
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            assert!(open(&altered).is_err(), "{at} {bit}");
        }
        assert!(open(&bytes[..at]).is_err(), "{at}");
    }
}

proptest! {
    #[test]
    fn any_content_comes_back_and_any_change_is_noticed(
        content in proptest::collection::vec(any::<u8>(), 0..2_000),
        at in any::<proptest::sample::Index>(),
        mask in 1_u8..,
    ) {
        let mut bytes = sealed(&content);
        prop_assert_eq!(open(&bytes).unwrap(), content);
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        prop_assert!(open(&bytes).is_err());
    }
}
