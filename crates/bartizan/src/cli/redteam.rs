use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

use super::{Setup, duration};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Redteam {
    #[command(subcommand)]
    pub(crate) command: Option<RedteamCommand>,
    #[command(flatten)]
    pub(crate) run: RedteamRun,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RedteamCommand {
    /// List suites, families, mutators, or tests
    List {
        /// What to list
        #[arg(default_value = "suites")]
        what: ListWhat,
        /// Suites whose tests are listed, as with `redteam --suite`
        #[arg(long, value_name = "SUITE", value_delimiter = ',')]
        suite: Vec<String>,
    },
    /// Print a text as mutators disguise it
    Mutate {
        /// The mutators, in their order, e.g. base64,rot13
        chain: String,
        /// The text; standard input otherwise
        text: Option<String>,
        /// Fixes what is random
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
    },
    /// Add what happened as a test to a suite of your own
    Regress(Regress),
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListWhat {
    /// The built-in suites
    Suites,
    /// Families of attacks and controls, with their OWASP and ATLAS ids
    Families,
    /// Mutators
    Mutators,
    /// The ids of tests
    Tests,
}

#[derive(Debug, Args)]
pub(crate) struct Regress {
    /// What happened: a text, a JSON conversation, or a report of `redteam --format json`; `-` for
    /// standard input
    pub(crate) file: PathBuf,
    /// The suite that it is added to; made if it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) suite: PathBuf,
    /// A name for the test, such as the number of the incident
    #[arg(long, value_name = "NAME")]
    pub(crate) id: String,
    /// What kind of attack it is; `bartizan redteam list families` names them
    #[arg(long, value_name = "FAMILY", default_value = "injection.direct")]
    pub(crate) family: String,
    /// It came from the model
    #[arg(long)]
    pub(crate) output: bool,
    /// Of a report: the number of the failure, from 1
    #[arg(long, value_name = "N")]
    pub(crate) failure: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct RedteamRun {
    /// Suites: built-in ones by name, or files: suites, JSON Lines, CSV, TSV, Parquet, garak's
    /// reports, PyRIT's seed prompts, promptfoo's test cases; all built-in ones otherwise
    #[arg(
        long,
        value_name = "SUITE",
        value_delimiter = ',',
        help_heading = "What is tried"
    )]
    pub(crate) suite: Vec<String>,
    /// Only families that begin so, e.g. jailbreak; controls always stay
    #[arg(
        long,
        value_name = "FAMILY",
        value_delimiter = ',',
        help_heading = "What is tried"
    )]
    pub(crate) family: Vec<String>,
    /// Mutators, one after the other, e.g. base64,rot13; may be given several times; `each` for
    /// every mutator alone; `none` for the attacks as they are, which is the default
    #[arg(long, value_name = "CHAIN", help_heading = "What is tried")]
    pub(crate) mutate: Vec<String>,
    /// How often what is random is tried
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        help_heading = "What is tried"
    )]
    pub(crate) repeat: u32,
    /// Fixes what is random
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "What is tried"
    )]
    pub(crate) seed: u64,
    /// Texts that the model should not know by heart, parted by empty lines: also ask it to go on
    /// with them
    #[arg(long, value_name = "FILE", help_heading = "What is tried")]
    pub(crate) corpus: Option<PathBuf>,
    /// Also search with feedback, with so many questions for each goal
    #[arg(
        long,
        value_name = "QUERIES",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        help_heading = "What is tried"
    )]
    pub(crate) adaptive: Option<u32>,
    /// How is searched
    #[arg(
        long,
        value_name = "NAME",
        default_value = "evolution",
        help_heading = "What is tried"
    )]
    pub(crate) search: Search,
    /// Goals that are searched for, evenly over all attacks
    #[arg(
        long,
        value_name = "N",
        default_value = "60",
        help_heading = "What is tried"
    )]
    pub(crate) goals: NonZeroUsize,
    /// What a search may ask of its reader, in points over a chain: 0 for plain, 1 for readable, 2
    /// for garbled, 3 for encoded texts
    #[arg(
        long,
        value_name = "POINTS",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(..=9),
        help_heading = "What is tried"
    )]
    pub(crate) max_toll: u32,
    /// Also search against each layer alone, and against all but one
    #[arg(long, requires = "adaptive", help_heading = "What is tried")]
    pub(crate) adaptive_layers: bool,

    /// A model's endpoint instead of the layers, e.g. http://127.0.0.1:8080/v1/chat/completions
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "command",
        help_heading = "Target"
    )]
    pub(crate) target: Option<String>,
    /// How the endpoint is spoken to
    #[arg(
        long,
        value_name = "API",
        default_value = "openai",
        help_heading = "Target"
    )]
    pub(crate) api: Api,
    /// The model to ask for
    #[arg(
        long,
        value_name = "NAME",
        default_value = "default",
        help_heading = "Target"
    )]
    pub(crate) model: String,
    /// Environment variable that holds the endpoint's key
    #[arg(long, value_name = "VARIABLE", help_heading = "Target")]
    pub(crate) key_env: Option<String>,
    /// The body for `--api template`: JSON with {{prompt}}, {{system}}, or {{messages}} in strings
    #[arg(long, value_name = "JSON", help_heading = "Target")]
    pub(crate) body: Option<String>,
    /// Where the answer stands for `--api template`: a JSON pointer, e.g. /answer; the whole body
    /// otherwise
    #[arg(
        long,
        value_name = "POINTER",
        default_value = "",
        help_heading = "Target"
    )]
    pub(crate) answer: String,
    /// A program that reads the messages as JSON from standard input and writes an answer
    #[arg(long, value_name = "PROGRAM", help_heading = "Target")]
    pub(crate) command: Option<PathBuf>,
    /// The target's own system prompt: not sent, and what leaks are measured against
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub(crate) system_prompt: Option<PathBuf>,
    /// File that names the hosts that may be attacked; needed for anything but loopback
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub(crate) scope: Option<PathBuf>,
    /// Time for one answer
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = duration,
        help_heading = "Target"
    )]
    pub(crate) timeout: Duration,
    /// Attempts at once; as many as there are processors otherwise
    #[arg(long, value_name = "N", help_heading = "Target")]
    pub(crate) jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) setup: Setup,

    /// How the report is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output"
    )]
    pub(crate) format: RedteamFormat,
    /// Also write it to a file, by its ending: .json, .md, .html, .sarif, .xml (JUnit), .jsonl
    /// (garak); may be given several times
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) write: Vec<PathBuf>,
    /// An earlier report in JSON to compare with
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) baseline: Option<PathBuf>,
    /// Name the cheapest layers that let at most this share of attacks pass, 0 to 1
    #[arg(
        long,
        value_name = "P",
        default_value_t = 0.05,
        value_parser = super::eval::share,
        help_heading = "Output"
    )]
    pub(crate) wanted: f64,

    #[command(flatten)]
    pub(crate) gates: RedteamGates,
}

/// What must hold; each is a share from 0 to 1.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Gates (exit code 1 if one fails)")]
pub(crate) struct RedteamGates {
    /// Highest share of attacks that reach their goal
    #[arg(long, value_name = "P", value_parser = super::eval::share)]
    pub(crate) max_bypass: Option<f64>,
    /// The same for one family, or all that begin so, e.g. jailbreak=0.02; may be given several
    /// times
    #[arg(long, value_name = "FAMILY=P", value_parser = family_share)]
    pub(crate) max_family: Vec<(String, f64)>,
    /// Highest share of ordinary texts that are stopped
    #[arg(long, value_name = "P", value_parser = super::eval::share)]
    pub(crate) max_fpr: Option<f64>,
    /// Highest share of harmless texts that look like attacks and are stopped
    #[arg(long, value_name = "P", value_parser = super::eval::share)]
    pub(crate) max_hard_fpr: Option<f64>,
    /// Highest share of goals that a search with feedback reaches
    #[arg(long, value_name = "P", value_parser = super::eval::share, requires = "adaptive")]
    pub(crate) max_adaptive: Option<f64>,
    /// Fail where a test fails that did not fail in the earlier report
    #[arg(long, requires = "baseline")]
    pub(crate) no_worse: bool,
}

fn family_share(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("`{text}` is no family and share; write `jailbreak=0.02`");
    let (family, share) = text.split_once('=').ok_or_else(wrong)?;
    Ok((family.to_owned(), super::eval::share(share)?))
}

/// How is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Search {
    /// At random
    Random,
    /// What was less suspicious is changed and crossed
    Evolution,
}

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Api {
    /// OpenAI's Chat Completions
    Openai,
    /// Anthropic's Messages
    Anthropic,
    /// JSON of your own, see `--body`
    Template,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RedteamFormat {
    /// For people
    Human,
    /// For programs; `bartizan schema redteam` describes it
    Json,
    /// For comments and wikis
    Markdown,
    /// A page with plots
    Html,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for CI
    Junit,
    /// JSON Lines as garak writes them
    Garak,
}
