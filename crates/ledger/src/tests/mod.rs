//! Laws: whatever the power does, what was acknowledged is there; whatever is done to files, it is
//! noticed.

mod crash;
mod export;
mod tamper;

use std::sync::Arc;

use crate::{Ledger, Signer, Storage};

pub(super) fn signer() -> Signer {
    Signer::new("example.com/ledger", &[1; 32]).unwrap()
}

/// An entry that no other is equal to, of 1 to about 40 bytes.
pub(super) fn entry(number: u64) -> Vec<u8> {
    let mut entry = format!("entry {number} ").into_bytes();
    entry.resize(entry.len() + (number % 27) as usize, b'.');
    entry
}

pub(super) fn entries(from: u64, count: u64) -> Vec<Vec<u8>> {
    (from..from + count).map(entry).collect()
}

/// A ledger of so many entries, published and settled.
pub(super) fn written(storage: Arc<dyn Storage>, size: u64) -> Ledger {
    let (mut ledger, _) = Ledger::open(storage, signer()).unwrap();
    while ledger.size() < size {
        let count = (size - ledger.size()).min(97);
        ledger.append(&entries(ledger.size(), count), None).unwrap();
    }
    ledger.settle().unwrap().run().unwrap();
    ledger
}

/// How many cases a test tries: `BARTIZAN_LEDGER_CASES`, or so many.
pub(super) fn cases(otherwise: u64) -> u64 {
    std::env::var("BARTIZAN_LEDGER_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(otherwise)
}

/// Numbers that look random and are the same in every run (PCG's multiplier).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }
}
