/// Why a suite cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// It is not of the form that suites have.
    #[error("{0}")]
    Syntax(String),
    /// A family that there is not.
    #[error(
        "`{test}` is of family `{family}`, which there is not; `bartizan redteam list` names them"
    )]
    UnknownFamily {
        /// The test.
        test: String,
        /// The family.
        family: String,
    },
    /// Two tests of the same id.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// A test that says nothing.
    #[error("`{0}` holds no text")]
    NoText(String),
    /// A test that cannot pass, or cannot fail.
    #[error("`{test}` proves nothing: {fault}")]
    Goal {
        /// The test.
        test: String,
        /// What is wrong with its goal.
        fault: &'static str,
    },
    /// A pair of a test that there is not.
    #[error("`{test}` is a pair with `{pair}`, which there is not")]
    NoPair {
        /// The test.
        test: String,
        /// The other.
        pair: String,
    },
    /// A test of pairs without its other half.
    #[error("`{0}` is of a family of pairs and has no `pair`")]
    Alone(String),
}
