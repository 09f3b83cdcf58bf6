/// Why weights cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Not a file of weights, or one of another version or shape.
    #[error("not the weights of a classifier of version {version}, train them again")]
    Header {
        /// The version that is read.
        version: u32,
    },
    /// Cut short or padded.
    #[error("the weights of the classifier are {actual} bytes long, expected {expected}")]
    Length {
        /// Bytes there are.
        actual: usize,
        /// Bytes there should be.
        expected: usize,
    },
    /// Changed since they were made.
    #[error("the weights of the classifier do not have the digest that they name")]
    Digest,
    /// A number is none, or thresholds are out of order.
    #[error("the weights of the classifier hold a number that cannot be")]
    Number,
}
