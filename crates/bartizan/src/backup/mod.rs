//! Copies of what the gateway keeps: taken while it runs, verified before they are put back.

mod archive;
mod stage;

pub(crate) use archive::{pack, unpack};
pub(crate) use stage::{DATABASE, FOLDERS, JOURNAL, broken_ledger, stage};
