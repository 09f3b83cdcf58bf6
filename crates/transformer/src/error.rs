use std::{borrow::Cow, io, path::PathBuf};

/// Why a folder holds no classifier that can be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is larger than a classifier of these kinds.
    #[error("`{}` has {bytes} bytes, more than the {most} that are taken", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The bound.
        most: u64,
    },
    /// The configuration is no JSON of the expected shape.
    #[error("`config.json` cannot be used: {0}")]
    Config(Cow<'static, str>),
    /// Another architecture.
    #[error(
        "`config.json` names the architecture `{0}`; expected `bert`, `roberta`, `xlm-roberta`, \
         `distilbert`, or `deberta-v2`"
    )]
    Architecture(String),
    /// The tokenizer cannot be used.
    #[error("`tokenizer.json` cannot be used")]
    Tokenizer,
    /// The weights are no safetensors.
    #[error("`model.safetensors` cannot be used: {0}")]
    Weights(Cow<'static, str>),
    /// A tensor is missing.
    #[error("`model.safetensors` has no tensor `{0}`")]
    Missing(String),
    /// A tensor has another shape than the configuration says.
    #[error("tensor `{name}` has the shape {found:?}, expected {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// It is not said which label is an attack.
    #[error(
        "cannot tell what the label `{label}` means; say it under `labels`, e.g. `labels: \
         {{{label}: benign}}`"
    )]
    Label {
        /// The label.
        label: String,
    },
    /// `labels` names a label that the classifier does not have.
    #[error("`labels` names `{label}`, the classifier has {known}")]
    UnknownLabel {
        /// The label.
        label: String,
        /// Those that there are.
        known: String,
    },
    /// No label stands for an attack, or none for ordinary text.
    #[error("one label must be `benign` and another must not be")]
    OneSided,
}
