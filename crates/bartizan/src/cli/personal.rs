use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::KeyPlace;

/// What people agreed to. Needs `BARTIZAN_KEY`: who it was is kept as a keyed hash.
#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Write down that somebody agreed
    Record {
        #[command(flatten)]
        whom: Whom,
        /// For what, e.g. training
        purpose: String,
        /// The version of the words that they agreed to; that of the configuration if not given
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        /// The last moment, e.g. 2027-12-31T00:00:00Z; that of the configuration if not given
        #[arg(long, value_name = "TIME")]
        until: Option<jiff::Timestamp>,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Say whether somebody agrees; exit code 1 if not
    Check {
        #[command(flatten)]
        whom: Whom,
        /// For what, e.g. training
        purpose: String,
        /// When, e.g. 2026-12-31T12:00:00Z; now if not given
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Write down that somebody took it back; it counts at once
    Withdraw {
        #[command(flatten)]
        whom: Whom,
        /// For what, e.g. training
        purpose: String,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// List what somebody did, or everybody, by keyed hashes
    List {
        /// Who; everybody if not given
        #[arg(long, value_name = "SUBJECT")]
        subject: Option<String>,
        #[command(flatten)]
        place: KeyPlace,
    },
}

/// Whom it is about.
#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Who, e.g. an address of mail; `-` reads it from standard input, so that no list of processes
    /// shows it
    pub(crate) subject: String,
}

/// Data that is too old. Needs `BARTIZAN_KEY` for holds and for the signature.
#[derive(Debug, Subcommand)]
pub(crate) enum RetentionCommand {
    /// Say what would be removed, and remove nothing
    Plan {
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Remove what is too old and not held, and look again
    Run {
        /// Write a signed account of it into this file
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
        #[command(flatten)]
        place: KeyPlace,
    },
}

/// Everything about somebody. Needs `BARTIZAN_KEY`: who it was is told as a keyed hash.
#[derive(Debug, Subcommand)]
pub(crate) enum SubjectCommand {
    /// Print the keyed hash of somebody, for holds
    Hash {
        #[command(flatten)]
        whom: Whom,
    },
    /// Print everything about somebody, as JSON
    Export {
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Remove somebody from every store; run it again where it was interrupted
    Erase {
        #[command(flatten)]
        whom: Whom,
        /// Count, and remove nothing
        #[arg(long)]
        dry_run: bool,
        /// Write the signed certificate into this file; printed if not given
        #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
        certificate: Option<PathBuf>,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Check the signature of a certificate or of an account of `retention run`
    Verify {
        /// The file
        file: PathBuf,
        /// The public key that is trusted, 64 hexadecimal digits; that of `BARTIZAN_KEY` if not given
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
    },
}
