use std::fmt;

/// What is wrong with a policy file: every mistake, in order of place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    /// At least one.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

/// One mistake and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line of the file, from 1; 0 where it is unknown.
    pub line: u64,
    /// Column in characters, from 1; 0 where it is unknown.
    pub column: u64,
    /// Bytes of the file it is about, where known.
    pub bytes: Option<std::ops::Range<usize>>,
    /// What is wrong.
    pub kind: MistakeKind,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.kind)
    }
}

/// What can be wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MistakeKind {
    /// Not YAML, an unknown field, or a value of the wrong type.
    #[error("{0}")]
    Yaml(String),
    /// A number outside `[0, 1]`.
    #[error("`{field}` is {value}, expected a number from 0 to 1")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// A stricter action acts from a lower confidence on than a milder one.
    #[error(
        "`{milder}` can never act since `{stricter}` acts from a lower or the same confidence on, remove it or lower it"
    )]
    NeverActs {
        /// The milder action.
        milder: &'static str,
        /// The stricter one.
        stricter: &'static str,
    },
    /// A row without any threshold.
    #[error(
        "row `{0}` does nothing, give it one of `flag`, `redact`, `ask`, `block`, or `ignore: true`"
    )]
    NoAction(String),
    /// A row that is told to ignore and to act.
    #[error("row `{0}` has `ignore: true` and thresholds, keep one of them")]
    IgnoresAndActs(String),
    /// Two rows of one name.
    #[error("two rows are named `{0}`, names appear in decisions and must differ")]
    DuplicateName(String),
    /// A name that is kept for built-in rows.
    #[error("row `{0}`: names that start with `default.` are the built-in rows'")]
    ReservedName(String),
    /// A row that an earlier one without conditions hides.
    #[error("row `{0}` is never reached, row `{1}` before it has no condition")]
    Unreachable(String, String),
    /// An empty text where one is needed.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// Not a day.
    #[error("`{0}` is no day, write it as 2026-11-30")]
    BadDay(String),
    /// An exception for everything that a rule finds.
    #[error(
        "an exception needs one of `text`, `origin`, `route`, `tenant`; to change a rule everywhere, add a row"
    )]
    UnboundedException,
    /// Not a keyed hash.
    #[error(
        "`text` is no keyed hash, expected at least 32 hexadecimal digits as printed by the decision"
    )]
    BadHash,
    /// The bands overlap.
    #[error("`review` is above `serve`, so nothing would be reviewed")]
    BandsReversed,
    /// Not a locale.
    #[error("`{0}` is no locale, write it as `de` or `pt-BR`")]
    BadLocale(String),
}
