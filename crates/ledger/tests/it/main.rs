//! What others make of a ledger: Cloudflare's `tlog_tiles`, and Go's `golang.org/x/mod/sumdb`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod cloudflare;
mod go;

use std::{path::Path, sync::Arc};

use bartizan_ledger::{Folder, Ledger, Signer};

const ORIGIN: &str = "example.com/ledger";

fn signer() -> Signer {
    Signer::new(ORIGIN, &[1; 32]).unwrap()
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

/// A ledger on disk that was written in two pieces, with the checkpoint between them.
fn written(
    place: &Path,
    old: u64,
    size: u64,
) -> (Arc<Folder>, Ledger, bartizan_ledger::SignedCheckpoint) {
    let folder = Arc::new(Folder::exclusive(place).unwrap());
    let (mut ledger, _) = Ledger::open(folder.clone(), signer()).unwrap();
    let entries = |from, to| (from..to).map(entry).collect::<Vec<_>>();
    ledger.append(&entries(0, old), None).unwrap();
    ledger.publish().unwrap();
    let before = ledger.checkpoint().clone();
    ledger.append(&entries(old, size), None).unwrap();
    ledger.publish().unwrap();
    (folder, ledger, before)
}
