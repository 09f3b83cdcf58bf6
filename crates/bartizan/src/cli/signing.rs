//! The arguments of `bartizan hash`, `sign`, `verify`, and `provenance`.

use std::{
    ffi::OsString,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args, Subcommand, ValueEnum};

use super::{PlainFormat, UnsealKey};

/// What a digest is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DigestAlgorithm {
    /// SHA-256
    Sha256,
    /// BLAKE2b, 64 bytes
    Blake2b,
    /// BLAKE3, 32 bytes
    Blake3,
}

/// How files are digested, and which.
#[derive(Clone, Debug, Args)]
pub(crate) struct Digesting {
    /// What digests are made with
    #[arg(
        long,
        value_name = "NAME",
        default_value = "sha256",
        help_heading = "Digests"
    )]
    pub(crate) algorithm: DigestAlgorithm,
    /// Digest pieces of that many bytes, 1000000000 if no number is given, so that all processors
    /// work on one file
    #[arg(
        long,
        value_name = "BYTES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1000000000",
        help_heading = "Digests"
    )]
    pub(crate) shards: Option<NonZeroU64>,
    /// Take links to files as the files that they lead to
    #[arg(long, help_heading = "Digests")]
    pub(crate) allow_symlinks: bool,
    /// A file or folder to pass over, named from the model's folder; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Digests")]
    pub(crate) ignore: Vec<String>,
    /// Threads; as many as there are processors if not given
    #[arg(long, value_name = "N", help_heading = "Digests")]
    pub(crate) threads: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct Hash {
    /// Files or folders
    #[arg(required = true)]
    pub(crate) path: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) digesting: Digesting,
    /// Pass over what Git adds to a folder: `.git`, `.gitattributes`, `.github`, `.gitignore`
    #[arg(long, help_heading = "Digests")]
    pub(crate) ignore_git: bool,
    /// The digest that it must be; exit code 1 if it is another one
    #[arg(long, value_name = "DIGEST")]
    pub(crate) expect: Option<String>,
    /// List every file, as `sha256sum` does
    #[arg(long)]
    pub(crate) files: bool,
    #[command(flatten)]
    pub(crate) unseal: UnsealKey,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
}

/// Who signs. Keys come from a file or the environment, never as arguments.
#[derive(Clone, Debug, Args)]
pub(crate) struct SigningKeyPlace {
    /// Private key, PEM: P-256, P-384, P-521, or Ed25519; `BARTIZAN_SIGNING_KEY` holds it if not
    /// given
    #[arg(long, value_name = "FILE", help_heading = "Signer")]
    pub(crate) key: Option<PathBuf>,
    /// Certificate of the key, PEM
    #[arg(long, value_name = "FILE", help_heading = "Signer")]
    pub(crate) certificate: Option<PathBuf>,
    /// Certificates that lead from it towards a trusted one, PEM; may be given several times
    #[arg(
        long,
        value_name = "FILE",
        requires = "certificate",
        help_heading = "Signer"
    )]
    pub(crate) certificate_chain: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// A model: a folder or a file
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) signer: SigningKeyPlace,
    /// File with a key that signer and verifier share: a manifest under an HMAC instead of a
    /// signature
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["key", "certificate"],
        help_heading = "Signer"
    )]
    pub(crate) shared_key: Option<PathBuf>,
    /// Where the signature goes; `model.sig` if not given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Sign the bytes of one file, as `cosign sign-blob` does
    #[arg(long, conflicts_with_all = ["shared_key", "shards"])]
    pub(crate) blob: bool,
    #[command(flatten)]
    pub(crate) digesting: Digesting,
    /// Sign what Git adds to a folder too
    #[arg(long, help_heading = "Digests")]
    pub(crate) include_git: bool,
}

/// Whose signatures count.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrustPlace {
    /// Public key, PEM; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub(crate) key: Vec<PathBuf>,
    /// Trusted certificates, PEM; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub(crate) certificate_chain: Vec<PathBuf>,
    /// Name that the signing certificate must bear; `*` at the end for all that begin so
    #[arg(
        long,
        value_name = "NAME",
        requires = "certificate_chain",
        help_heading = "Trust"
    )]
    pub(crate) identity: Vec<String>,
    /// File that says who may sign what
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["key", "certificate_chain"],
        help_heading = "Trust"
    )]
    pub(crate) trust: Option<PathBuf>,
    /// Also take signatures in the form of before model signing 1.0
    #[arg(long, help_heading = "Trust")]
    pub(crate) accept_old: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A model: a folder or a file
    pub(crate) path: PathBuf,
    /// The signature; `model.sig` if not given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustPlace,
    /// File with the key that signer and verifier share
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["trust", "certificate_chain", "blob"],
        help_heading = "Trust"
    )]
    pub(crate) shared_key: Option<PathBuf>,
    /// The signature is over the bytes of one file, as `cosign sign-blob` makes it
    #[arg(long)]
    pub(crate) blob: bool,
    /// Pass over files that were not signed
    #[arg(long)]
    pub(crate) ignore_unsigned_files: bool,
    /// An unsigned file or folder to pass over; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) ignore: Vec<String>,
    /// Threads; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
    /// Run the command behind `--` on a private copy of exactly the bytes that were verified; `{}`
    /// in it and `BARTIZAN_MODEL` are the copy's path
    #[arg(long, requires = "command", conflicts_with_all = ["blob", "shared_key"])]
    pub(crate) exec: bool,
    /// The command for `--exec`
    #[arg(last = true, requires = "exec", value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProvenanceCommand {
    /// Run a command that makes a model, and sign a record of how it was made
    Record(Box<RecordRun>),
    /// Say who signed a record, and show it
    Verify {
        /// The record
        file: PathBuf,
        #[command(flatten)]
        trust: TrustPlace,
        /// The model that the record must be about
        #[arg(long, value_name = "PATH")]
        model: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RecordRun {
    /// The model that the command makes: a file or a folder
    #[arg(long, value_name = "PATH")]
    pub(crate) model: PathBuf,
    /// Where the signed record goes
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) signer: SigningKeyPlace,
    /// The model's name; that of its file if not given
    #[arg(long, default_value = "", help_heading = "Record")]
    pub(crate) name: String,
    /// The model's version
    #[arg(long, default_value = "", help_heading = "Record")]
    pub(crate) model_version: String,
    /// What trains it, e.g. `torch 2.9`
    #[arg(long, default_value = "", help_heading = "Record")]
    pub(crate) framework: String,
    /// The training data: a file or a folder, digested before the command runs
    #[arg(long, value_name = "PATH", help_heading = "Record")]
    pub(crate) data: Option<PathBuf>,
    /// Where the training data came from
    #[arg(long, value_name = "URI", default_value = "", help_heading = "Record")]
    pub(crate) data_uri: String,
    /// JSON object of hyperparameters
    #[arg(long, value_name = "FILE", help_heading = "Record")]
    pub(crate) hyperparameters: Option<PathBuf>,
    /// JSON object of metrics, which the command may write
    #[arg(long, value_name = "FILE", help_heading = "Record")]
    pub(crate) metrics: Option<PathBuf>,
    /// Lock file or environment with the packages that the command uses; may be given several times
    #[arg(long, value_name = "PATH", help_heading = "Record")]
    pub(crate) dependencies: Vec<PathBuf>,
    /// Who runs it; Git's `user.name` if not given
    #[arg(long, default_value = "", help_heading = "Record")]
    pub(crate) author: String,
    /// Who agreed, as `NAME` or `NAME=NOTE`; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Record")]
    pub(crate) approval: Vec<String>,
    /// Anything else
    #[arg(long, default_value = "", help_heading = "Record")]
    pub(crate) notes: String,
    /// The command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
