//! An append-only log that proves what it holds: nothing in it can be altered, removed, inserted,
//! or moved without being noticed by whoever kept a checkpoint.
//!
//! Entries are the leaves of a Merkle tree (RFC 6962, section 2), laid out as the C2SP formats say:
//! [tlog-tiles](https://c2sp.org/tlog-tiles) for files,
//! [tlog-checkpoint](https://c2sp.org/tlog-checkpoint) and
//! [signed-note](https://c2sp.org/signed-note) for signed roots,
//! [tlog-cosignature](https://c2sp.org/tlog-cosignature) for witnesses, and
//! [tlog-proof](https://c2sp.org/tlog-proof) for proofs, so that tools of others can check all of it.
//!
//! [`Ledger`] writes, [`GroupCommit`] lets many threads write, [`Reader`] proves, [`verify`] and
//! [`verify_export`] find the first thing that is wrong. There is no clock, no randomness, and no
//! network here; files are behind [`Storage`].

mod bundle;
mod checkpoint;
mod damage;
mod edge;
mod export;
mod group;
mod hash;
mod layout;
mod ledger;
mod note;
mod peaks;
mod proof;
mod reader;
mod segment;
mod settle;
mod storage;
#[cfg(test)]
mod tests;
mod tlog_proof;
mod verify;

pub use bundle::{BundleError, Entries, MAX_ENTRY, encode_entry};
pub use checkpoint::{Checkpoint, CheckpointError, Cosigned, SignedCheckpoint, Trust};
pub use damage::{Damage, Kind};
pub use edge::{Completed, Edge};
pub use export::{ExportError, Exported, verify_export, write_export};
pub use group::GroupCommit;
pub use hash::Hash;
pub use layout::{CHECKPOINT, TILE_WIDTH, Tile, bundle_path};
pub use ledger::{Ledger, LedgerError, Opened};
pub use note::{Algorithm, NoteError, NoteSignature, SignedNote, Signer, VerifierKey};
pub use peaks::Peaks;
pub use proof::{Inclusion, ProofError, consistency_holds, inclusion_holds};
pub use reader::{ReadError, Reader};
pub use segment::read_frames;
pub use settle::Settle;
pub use storage::{Folder, Storage};
pub use tlog_proof::{TlogProof, TlogProofError};
pub use verify::{Outcome, verify};
