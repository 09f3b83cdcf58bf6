//! Who made a model, and whether it is still what they made: OpenSSF model signing 1.0 in Sigstore
//! bundles, statements of other kinds in the same envelope, signed blobs, and manifests under a
//! shared key.
//!
//! Signing and verifying are apart from hashing: [`Bundle::verify`] says what was signed and by whom,
//! [`compare`] says whether the files are that, and [`seal`] hands out exactly the bytes that were
//! compared.

mod bundle;
mod certificate;
mod compare;
mod envelope;
mod error;
mod key;
mod manifest;
mod model;
mod provenance;
mod python;
mod rules;
mod seal;
mod statement;
mod trust;

pub use bundle::{Bundle, Content, MAX_BUNDLE_BYTES, Material};
pub use certificate::{Certificate, Roots};
pub use compare::{Comparison, Mismatch, MismatchKind, compare};
pub use envelope::{Envelope, IN_TOTO, pae};
pub use error::{SignError, VerifyError};
pub use key::{PublicKey, Scheme, SigningKey};
pub use manifest::SharedKeyManifest;
pub use model::{
    ModelStatement, Signer, Trust, Verified, describe, sign_blob, sign_statement, verify_blob,
};
pub use provenance::{PROVENANCE_FIELDS, Provenance, RunFacts};
pub(crate) use rules::{ABSENT, INVALID, UNTRUSTED, finding};
pub use rules::{invalid, rules, untrusted};
pub use seal::{Sealed, seal, seal_in_folder};
pub use statement::{Statement, Subject};
pub use trust::{TrustPolicy, TrustPolicyError, TrustedSigner};
