//! From a credential to a [`Principal`](crate::principal::Principal).
//!
//! [`Authenticator::authenticate`] takes an API key, a signed token, or the certificate of a
//! connection that was verified in the TLS handshake. It asks no database and no network: keys are
//! mirrored in memory ([`ApiKeys`]), and key sets are fetched beside ([`Jwks`]).

mod api_key;
mod authenticator;
mod certificate;
mod config;
mod credential;
mod issue;
mod jwks;
mod jwt;
mod keys;
mod migrations;
mod throttle;
mod view;

pub use api_key::{ApiKey, ParseKeyError};
pub use authenticator::{Authenticator, Denied, IdentityError, Parts, Peer, Reason};
pub use certificate::{CertificateName, names};
pub(crate) use config::is_name;
pub use config::{
    CertificateConfig, ConfiguredKey, Grants, IdentityConfig, IssuerConfig, KeySource,
    ThrottleConfig,
};
pub(crate) use credential::CREDENTIAL_HEADERS;
pub use issue::{IssueError, Issued, ServiceIssuer, TokenFor};
pub use jwks::{Jwks, JwksError};
pub use jwt::{JwtReason, TokenVerifier};
pub use keys::{ApiKeys, KeyError, KeyInfo, KeySpec, NewKey, SecretInfo};
pub(crate) use migrations::MIGRATIONS;
pub use throttle::{Attempt, Throttle};
pub use view::KeyView;
