use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, PlainFormat, Reported, Setup};

#[derive(Debug, Subcommand)]
pub(crate) enum RagCommand {
    /// Judge documents and chunks before they are stored: what they show, what they hide, and where
    /// they come from
    Check(RagCheck),
    /// Print what a reader sees of a document, with personal data and secrets replaced
    Sanitise(RagSanitise),
    /// Write the signed list of admitted chunks; needs `BARTIZAN_KEY`
    Manifest(RagManifest),
    /// Name chunks that were changed, added, or taken out since; needs `BARTIZAN_KEY`
    Verify(RagVerify),
    /// Hold an answer against the chunks that it was made from
    Answer(RagAnswer),
}

/// How documents are read.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// What the documents are: text, html, markdown, mail, docx, pdf; told from their content
    /// otherwise
    #[arg(long, value_name = "KIND", help_heading = "Documents")]
    pub(crate) kind: Option<String>,
    /// The address that the documents were fetched from
    #[arg(long, value_name = "URL", help_heading = "Documents")]
    pub(crate) source: Option<String>,
    /// The day of the documents, `YYYY-MM-DD`
    #[arg(long, value_name = "DATE", help_heading = "Documents")]
    pub(crate) date: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RagCheck {
    /// Documents, folders of them, and chunks in `.jsonl`
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Chunks must be of this tenant
    #[arg(long, value_name = "TENANT", help_heading = "Documents")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) setup: Setup,
    #[command(flatten)]
    pub(crate) reported: Reported,
}

#[derive(Debug, Args)]
pub(crate) struct RagSanitise {
    /// The document
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Print the text with personal data and secrets in it
    #[arg(long, help_heading = "Output")]
    pub(crate) keep_personal_data: bool,
    #[command(flatten)]
    pub(crate) setup: Setup,
    /// How the answer is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output"
    )]
    pub(crate) format: PlainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RagManifest {
    /// Files of chunks, one JSON object a line
    #[arg(required = true)]
    pub(crate) chunks: Vec<PathBuf>,
    /// Id of a chunk that was withdrawn; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) withdraw: Vec<String>,
    /// File to write; standard output otherwise
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RagVerify {
    /// Files of chunks as the store holds them, one JSON object a line
    #[arg(required = true)]
    pub(crate) chunks: Vec<PathBuf>,
    /// The manifest
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: PathBuf,
    /// The chunks are some of the store's, so that those that are not here are not missed
    #[arg(long)]
    pub(crate) partial: bool,
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
}

#[derive(Debug, Args)]
pub(crate) struct RagAnswer {
    /// File with the answer, `-` for standard input
    pub(crate) answer: PathBuf,
    /// Files of the chunks that it was made from, one JSON object a line
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) evidence: Vec<PathBuf>,
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
}
