//! The arguments.

mod access;
mod approve;
mod backup;
mod convert;
mod dependencies;
mod eval;
mod findings;
mod init;
mod ledger;
mod mcp;
mod personal;
mod rag;
mod redteam;
mod scan;
mod sealing;
mod secrets;
mod signing;

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

pub(crate) use access::{AccessCommand, CheckAccess, ReportAccess, TestAccess, WhoCan};
pub(crate) use approve::{ApproveCommand, At, SwitchKind};
pub(crate) use backup::{Backup, Restore};
use bartizan_core::{Origin, Sink};
use bartizan_gateway::{netpol::Label, principal::Scope};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
pub(crate) use convert::Convert;
pub(crate) use dependencies::{Bom, BomFormat, DatabaseCommand, Dependencies};
pub(crate) use eval::{Eval, EvalFormat, Gates, InputFormat, ScoreKind};
pub(crate) use findings::{Diff, Keeping};
pub(crate) use init::{InitCommand, Platform};
pub(crate) use ledger::{Anchor, Export, LedgerCommand, Prove, Timeline, VerifyLedger};
pub(crate) use mcp::{McpCommand, McpPin, McpScan, McpServer, McpWrap};
pub(crate) use personal::{ConsentCommand, RetentionCommand, SubjectCommand, Whom};
pub(crate) use rag::{RagAnswer, RagCheck, RagCommand, RagManifest, RagSanitise, RagVerify};
pub(crate) use redteam::{
    Api, ListWhat, Redteam, RedteamCommand, RedteamFormat, RedteamGates, RedteamRun, Regress,
    Search,
};
pub(crate) use scan::Scan;
pub(crate) use sealing::{Seal, SealingKey, Unseal, UnsealKey};
pub(crate) use secrets::Secrets;
pub(crate) use signing::{
    DigestAlgorithm, Digesting, Hash, ProvenanceCommand, RecordRun, Sign, SigningKeyPlace,
    TrustPlace, Verify,
};

/// Watches what an AI system takes in, loads, does, and gives out: findings come out, a policy turns
/// them into a verdict.
#[derive(Debug, Parser)]
#[command(name = "bartizan", disable_version_flag = true, max_term_width = 100)]
#[command(after_help = "\
Exit codes:
  0  everything was looked at and nothing was found
  1  something was found
  2  the command could not do its work
  3  nothing was found, but not everything was looked at

Environment:
  BARTIZAN_CONFIG  configuration file, as with `--config`
  BARTIZAN_POLICY  policy file, as with `--policy`
  BARTIZAN_KEY     64 hexadecimal digits: key of hashes, pseudonyms, and encryption
  BARTIZAN_GATEWAY address of a gateway, as with `--gateway`
  BARTIZAN_TOKEN   key for the gateway, with `approve`
  BARTIZAN_DATA    folder of the gateway's database, as with `--data`
  BARTIZAN_SIGNING_KEY  private key of `bartizan sign`, PEM
  BARTIZAN_LOG     filter of the gateway's log, e.g. `info`
  NO_COLOR         no colour in any output")]
pub(crate) struct Cli {
    /// Print the version of the program and of its rules
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal that wants it
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check texts, files, conversations, or a stream
    Check(Box<Check>),
    /// Measure how well labelled texts are told apart
    Eval(Box<Eval>),
    /// Show the page of a rule, or list all rules
    Explain(Explain),
    /// Test, list, sign, and verify rule packs
    #[command(subcommand)]
    Rules(Rules),
    /// Check a policy file, or show the decision table
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Say what a system prompt leaves out, or add it
    #[command(subcommand)]
    Prompt(PromptCommand),
    /// Check a configuration file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the JSON schema of a file format
    Schema(Schema),
    /// Decide a stored decision again
    Replay(Replay),
    /// Start the gateway: point an application's base URL at it
    Serve(Serve),
    /// Make, list, renew, and withdraw the gateway's keys, also while it runs
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check Kubernetes NetworkPolicies
    #[command(subcommand)]
    Netpol(NetpolCommand),
    /// Look for code and traps in model files, folders, and archives, without loading them
    Scan(Scan),
    /// Say the digest of files and folders, wherever they stand
    Hash(Box<Hash>),
    /// Sign a model: OpenSSF model signing 1.0
    Sign(Box<Sign>),
    /// Say whether a model is what somebody trusted signed, and run a command on just that
    Verify(Box<Verify>),
    /// Record how a model was made, and sign the record
    #[command(subcommand)]
    Provenance(ProvenanceCommand),
    /// Write a bill of materials: packages, models, data sets, and prompts
    Bom(Bom),
    /// Name packages with known weaknesses, from advisories on this machine
    Deps(Box<Dependencies>),
    /// Make and show the database of advisories
    #[command(subcommand)]
    Db(DatabaseCommand),
    /// Verify, prove, and export the tamper-evident record
    #[command(subcommand)]
    Ledger(LedgerCommand),
    Backup(Backup),
    Restore(Restore),
    /// Say who may do what, and review who has which rights
    #[command(subcommand)]
    Access(AccessCommand),
    /// Write down, check, and list what people agreed to
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// Remove data that is too old
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Show or remove everything about somebody, with a signed certificate
    #[command(subcommand)]
    Subject(SubjectCommand),
    /// Attack your own system, and measure what each layer stops
    Redteam(Box<Redteam>),
    /// Decide about calls of agents that wait for a person, and stop agents
    #[command(subcommand)]
    Approve(ApproveCommand),
    /// Check documents before they are stored, chunks when they are retrieved, and answers
    #[command(subcommand)]
    Rag(Box<RagCommand>),
    /// Say what changed between two runs of `scan` or `deps`
    Diff(Diff),
    /// Write the tensors of a PyTorch or NumPy file as safetensors, without loading it
    Convert(Convert),
    /// Encrypt a file or a folder at rest
    Seal(Seal),
    /// Open what `seal` encrypted
    Unseal(Unseal),
    /// Look for keys, tokens, and passwords in files, in a history, and in what is staged
    Secrets(Box<Secrets>),
    /// Print files to begin with
    #[command(subcommand)]
    Init(InitCommand),
    /// Guard servers of the Model Context Protocol: wrap, scan, and pin them
    #[command(subcommand)]
    Mcp(Box<McpCommand>),
}

/// Where a gateway keeps its keys, and how they are shown.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeyPlace {
    /// Folder of the gateway's database
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Configuration file of the gateway; `bartizan.yaml` in the current folder if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlainFormat,
}

/// How a report is written, and how much of it.
#[derive(Debug, Args)]
pub(crate) struct Reported {
    /// How the report is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output"
    )]
    pub(crate) format: Format,
    /// Show every place, and which policy row decides
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// How an answer without places in a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlainFormat {
    /// For people
    Human,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key, and show it this once
    Create(CreateKey),
    /// List keys, without their secrets
    List {
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Give a key a new secret, and show it this once
    Rotate {
        /// The key's id, as `bartizan keys list` shows it
        id: String,
        /// How long the former secret goes on working, e.g. `36h`
        #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
        overlap: Duration,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Withdraw a key for good
    Revoke {
        /// The key's id, as `bartizan keys list` shows it
        id: String,
        #[command(flatten)]
        place: KeyPlace,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    /// A name for people
    pub(crate) name: String,
    /// What it may do; may be given several times
    #[arg(long, value_name = "SCOPE", default_value = "infer", value_parser = scopes())]
    pub(crate) scope: Vec<String>,
    /// A model that it may use, `*` at the end for all that begin so; all if none is given
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Vec<String>,
    /// The team whose budget it spends
    #[arg(long, value_name = "TEAM", default_value = "")]
    pub(crate) team: String,
    /// The tenant
    #[arg(long, value_name = "TENANT", default_value = "")]
    pub(crate) tenant: String,
    /// How long it works, e.g. `90d`; without end if not given
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) expires_in: Option<Duration>,
    /// It may see probabilities of tokens
    #[arg(long)]
    pub(crate) logprobs: bool,
    /// It may see all classes of predictions with unrounded probabilities
    #[arg(long)]
    pub(crate) probabilities: bool,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

/// A time like `90d` or `36h 30min`; a day has 24 hours.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write `90d`, `36h`, or `30min`");
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    let time = time.map_err(|_| wrong())?;
    Duration::try_from(time).map_err(|_| wrong())
}

fn scopes() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str))
}

#[derive(Debug, Subcommand)]
pub(crate) enum NetpolCommand {
    /// Name what leaves a way around the gateway open
    Lint {
        /// Files with manifests that are applied together, `-` for standard input; other kinds than
        /// NetworkPolicy are passed over
        #[arg(required = true)]
        file: Vec<PathBuf>,
        /// Label of the gateway's pods
        #[arg(
            long,
            value_name = "KEY=VALUE",
            default_value = "app.kubernetes.io/name=bartizan"
        )]
        gateway: Label,
        /// How the answer is written
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlainFormat,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address to listen at instead of the configured one; port 0 for any
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder of the database and the journal
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) setup: Setup,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A file, `-` for standard input, or a text with white space in it
    pub(crate) input: Vec<OsString>,
    /// A text, whatever it looks like
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// What the input is
    #[arg(long = "as", value_name = "KIND", default_value = "auto")]
    pub(crate) kind: Kind,
    /// Read files and standard input piece by piece, in constant memory
    #[arg(long, conflicts_with = "text")]
    pub(crate) stream: bool,

    /// Who wrote it: system, user, retrieved, tool, model
    #[arg(long, help_heading = "Where it stands")]
    pub(crate) origin: Option<Origin>,
    /// It comes from the model
    #[arg(long, help_heading = "Where it stands")]
    pub(crate) output: bool,
    /// Where the output goes: html, markdown, sql, shell, template, url, csv; implies `--output`
    #[arg(long, help_heading = "Where it stands")]
    pub(crate) sink: Option<Sink>,
    /// The route, for policy rows and exceptions
    #[arg(long, default_value = "", help_heading = "Where it stands")]
    pub(crate) route: String,

    #[command(flatten)]
    pub(crate) setup: Setup,

    /// How the report is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output"
    )]
    pub(crate) format: Format,
    /// Print the safe version of the text; the report goes to standard error
    #[arg(long, help_heading = "Output")]
    pub(crate) redact: bool,
    /// How values are replaced: typed, plain, mask, partial, last-four, hash, pseudonym,
    /// format-preserving, vault, keep, text:REPLACEMENT; or ENTITY=NAME for one kind of value
    #[arg(long, value_name = "STYLE", help_heading = "Output")]
    pub(crate) style: Vec<String>,
    /// Add each whole decision to the JSON, for `bartizan replay`
    #[arg(long, help_heading = "Output")]
    pub(crate) decision: bool,
    /// Say what each check cost
    #[arg(long, help_heading = "Output")]
    pub(crate) timings: bool,
    /// Show every place, and which policy row decides
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// No report, only the exit code, the safe text, and errors
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// What is looked for, and what is done about it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Setup {
    /// Configuration file; `bartizan.yaml` in the current folder if there is one
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) config: Option<PathBuf>,
    /// Policy file
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) policy: Option<PathBuf>,
    /// Folder of own rule packs; may be given several times
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    pub(crate) packs: Vec<PathBuf>,
    /// Public key whose packs are trusted: the line that starts with `RW`, or a file
    #[arg(long, value_name = "KEY", help_heading = "Configuration")]
    pub(crate) trusted_key: Vec<String>,
    /// Load packs that nobody signed
    #[arg(long, help_heading = "Configuration", conflicts_with = "trusted_key")]
    pub(crate) allow_unsigned: bool,
    /// Least confidence of personal data, 0 to 1
    #[arg(long, value_name = "P", help_heading = "Configuration")]
    pub(crate) min_confidence: Option<f32>,
    /// Only this personal data, e.g. EMAIL_ADDRESS,IBAN_CODE
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Configuration"
    )]
    pub(crate) entities: Vec<String>,
    /// Longest text in characters; longer ones are findings
    #[arg(long, value_name = "N", help_heading = "Configuration")]
    pub(crate) max_chars: Option<u32>,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A conversation if it is JSON that looks like one, a text otherwise
    Auto,
    /// A text
    Text,
    /// JSON of messages, a request, or an answer
    Conversation,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// For programs; `bartizan schema report` describes it
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for CI: a case per finding and per check
    Junit,
    /// A page that stands alone
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Id of a rule, e.g. `prompt.instruction-override`, or of a request, as the header
    /// `x-bartizan-request-id` gives it
    pub(crate) rule: Option<String>,
    /// Folder of the gateway's database, for requests
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) setup: Setup,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Run every rule's own examples and counter-examples
    Test {
        /// Folders of packs
        #[arg(required = true)]
        dir: Vec<PathBuf>,
        /// Also disguise every example and say how many are still seen
        #[arg(long)]
        mutations: bool,
    },
    /// List packs and their rules
    List {
        #[command(flatten)]
        setup: Setup,
    },
    /// Write `pack.manifest` and `pack.sig` into the folder of a pack
    Sign {
        /// Folder of a pack
        dir: PathBuf,
        /// Secret key of minisign without password, as `minisign -G -W` writes it
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Say who signed a pack, and whether it was altered
    Verify {
        /// Folder of a pack
        dir: PathBuf,
        /// Public key: the line that starts with `RW`, or a file
        #[arg(long, value_name = "KEY", required = true)]
        trusted_key: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say every mistake in a policy file
    Check {
        /// The file
        file: PathBuf,
    },
    /// Show the decision table
    Show {
        #[command(flatten)]
        setup: Setup,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say every mistake in a configuration file and in what it names
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PromptCommand {
    /// Name the rules that a system prompt does not state
    Lint {
        /// The file with the prompt
        file: PathBuf,
    },
    /// Print the prompt behind the rules that it does not state
    Harden {
        /// The file with the prompt
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Which format
    pub(crate) of: SchemaOf,
}

/// A file format with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// A policy file
    Policy,
    /// A configuration file
    Config,
    /// A file of a rule pack
    RulePack,
    /// What `check --format json` prints
    Report,
    /// What `eval --format json` prints
    Eval,
    /// What `scan --format json` prints
    Scan,
    /// A file of tests for `redteam`
    Suite,
    /// What `redteam --format json` prints
    Redteam,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// A report of `check --format json --decision`, or a single decision; `-` for standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) setup: Setup,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
