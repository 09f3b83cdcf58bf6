use crate::digest::DigestError;

/// Why something cannot be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key cannot be used.
    #[error("the private key is no unencrypted PEM key for P-256, P-384, P-521, or Ed25519")]
    Key,
    /// The key is there, under a passphrase.
    #[error("the private key is encrypted")]
    EncryptedKey,
    /// The certificate belongs to another key.
    #[error("the certificate is for another key")]
    OtherKey,
    /// The certificate cannot be read.
    #[error("there is no certificate in PEM form")]
    Certificate,
    /// Model signing 1.0 has no place for this key beside a certificate.
    #[error("a certificate signs with an elliptic curve key")]
    CertificateScheme,
    /// The files cannot be digested.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The library of cryptography refused.
    #[error("the signature could not be made")]
    Crypto,
}

/// Why a signature proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is no bundle.
    #[error("not a Sigstore bundle of version 0.3: {0}")]
    Bundle(&'static str),
    /// It is too long to be one.
    #[error("the signature has more than {max} bytes")]
    TooLong {
        /// The bound.
        max: usize,
    },
    /// A public key cannot be read.
    #[error("the public key is no PEM key for P-256, P-384, P-521, or Ed25519")]
    Key,
    /// It was made with a key that nobody named.
    #[error("the signature was made with another key")]
    OtherKey,
    /// It was made with another kind of proof than the one that is trusted.
    #[error("the signature carries {carried}, and {trusted} was given to verify it")]
    OtherMaterial {
        /// What it carries.
        carried: &'static str,
        /// What was given.
        trusted: &'static str,
    },
    /// The bytes were altered, or the signature was.
    #[error("the signature does not match what it is about")]
    Signature,
    /// A certificate cannot be read.
    #[error("there is no certificate in PEM form")]
    Certificate,
    /// No trusted certificate stands behind the signing one.
    #[error("the signing certificate is not backed by a trusted one: {0}")]
    Chain(&'static str),
    /// The certificate is for something else.
    #[error("the signing certificate is not for signing")]
    Usage,
    /// It is a statement about something else than a model.
    #[error("the statement is of type `{found}`, not `{expected}`")]
    Predicate {
        /// What it is.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// What was signed cannot be understood.
    #[error("the signed statement is malformed: {0}")]
    Statement(&'static str),
    /// The files cannot be digested.
    #[error(transparent)]
    Digest(#[from] DigestError),
}
