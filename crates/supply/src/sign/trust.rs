use std::collections::HashSet;

use jiff::civil::Date;
use serde::Deserialize;

use super::{
    ABSENT, Bundle, INVALID, PublicKey, Roots, Statement, Trust, UNTRUSTED, Verified, VerifyError,
    finding,
};
use bartizan_core::Finding;

/// Who may sign what: the file behind `--trust`.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    signers: Vec<TrustedSigner>,
}

/// Someone whose signatures count.
#[derive(Clone, Debug)]
pub struct TrustedSigner {
    /// What they are called in reports.
    pub name: String,
    trust: Trust,
    identities: Vec<String>,
    models: Vec<String>,
    until: Option<Date>,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustPolicyError {
    /// It is not the YAML that it should be.
    #[error("{0}")]
    Yaml(#[from] serde_saphyr::Error),
    /// It trusts nobody.
    #[error("it names no signer")]
    Nobody,
    /// Two signers cannot be told apart.
    #[error("two signers are called `{0}`")]
    Twice(String),
    /// A signer has neither a key nor certificates, or both.
    #[error("signer `{0}` needs either `key` or `certificates` with `identities`")]
    Material(String),
    /// A day is none.
    #[error("signer `{0}`: `until` is no day, e.g. `2027-06-30`")]
    Day(String),
    /// A file cannot be read.
    #[error("signer `{signer}`: cannot read `{file}`: {source}")]
    File {
        /// Whose.
        signer: String,
        /// As the policy names it.
        file: String,
        /// What the file system says.
        source: std::io::Error,
    },
    /// A file holds no key or certificate.
    #[error("signer `{signer}`: {source}")]
    Unusable {
        /// Whose.
        signer: String,
        /// Why.
        source: VerifyError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    signers: Vec<RawSigner>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSigner {
    name: String,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    certificates: Vec<String>,
    #[serde(default)]
    identities: Vec<String>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    until: Option<String>,
}

impl TrustPolicy {
    /// Reads a policy; `read` gives the bytes of the files that it names.
    ///
    /// # Errors
    /// When it is malformed, trusts nobody, or names a file that is of no use.
    pub fn parse(
        yaml: &str,
        read: &dyn Fn(&str) -> std::io::Result<Vec<u8>>,
    ) -> Result<Self, TrustPolicyError> {
        let raw: RawPolicy = serde_saphyr::from_str(yaml)?;
        let mut seen = HashSet::new();
        let mut signers = Vec::new();
        for signer in raw.signers {
            if !seen.insert(signer.name.clone()) {
                return Err(TrustPolicyError::Twice(signer.name));
            }
            signers.push(signer.check(read)?);
        }
        if signers.is_empty() {
            return Err(TrustPolicyError::Nobody);
        }
        Ok(Self { signers })
    }

    /// The statement in `bundle`, if somebody who may sign that model on that day signed it.
    ///
    /// # Errors
    /// A finding that says why not: the signature does not hold, or its maker may not.
    pub fn verify(
        &self,
        bundle: &Bundle,
        today: Date,
        accept_old: bool,
    ) -> Result<(Statement, Verified, &TrustedSigner), Box<Finding>> {
        let mut reason = None;
        for signer in &self.signers {
            let trust = Trust {
                accept_old,
                ..signer.trust.clone()
            };
            match bundle.verify(&trust) {
                Ok((statement, verified)) => match signer.refuses(&statement, &verified, today) {
                    None => return Ok((statement, verified, signer)),
                    Some(why) => {
                        let message = format!("signed by `{}`, {why}", signer.name);
                        reason = Some(finding(&UNTRUSTED, message));
                    }
                },
                Err(
                    VerifyError::OtherKey
                    | VerifyError::OtherMaterial { .. }
                    | VerifyError::Chain(_),
                ) => {}
                Err(error) => {
                    reason.get_or_insert_with(|| finding(&INVALID, error.to_string()));
                }
            }
        }
        let nobody = || finding(&UNTRUSTED, "no signer of the policy made the signature");
        Err(Box::new(reason.unwrap_or_else(nobody)))
    }

    /// What is to be said about a model without a signature.
    #[must_use]
    pub fn absent() -> Finding {
        finding(&ABSENT, "there is no signature")
    }
}

impl RawSigner {
    fn check(
        self,
        read: &dyn Fn(&str) -> std::io::Result<Vec<u8>>,
    ) -> Result<TrustedSigner, TrustPolicyError> {
        let file = |file: &String| {
            read(file).map_err(|source| TrustPolicyError::File {
                signer: self.name.clone(),
                file: file.clone(),
                source,
            })
        };
        let unusable = |source| TrustPolicyError::Unusable {
            signer: self.name.clone(),
            source,
        };
        // A root alone would let everybody in whom it ever certified.
        let (keys, roots) = match (&self.key, self.certificates.is_empty()) {
            (Some(key), true) if self.identities.is_empty() => {
                let pem = if key.contains("-----BEGIN") {
                    key.clone().into_bytes()
                } else {
                    file(key)?
                };
                (vec![PublicKey::from_pem(&pem).map_err(unusable)?], None)
            }
            (None, false) if !self.identities.is_empty() => {
                let pems: Vec<_> = self
                    .certificates
                    .iter()
                    .map(file)
                    .collect::<Result<_, _>>()?;
                (Vec::new(), Some(Roots::from_pem(&pems).map_err(unusable)?))
            }
            _ => return Err(TrustPolicyError::Material(self.name)),
        };
        let until = self.until.as_ref().map(|day| day.parse()).transpose();
        let until = until.map_err(|_| TrustPolicyError::Day(self.name.clone()))?;
        Ok(TrustedSigner {
            name: self.name,
            trust: Trust {
                keys,
                roots,
                accept_old: false,
            },
            identities: self.identities,
            models: self.models,
            until,
        })
    }
}

impl TrustedSigner {
    fn refuses(
        &self,
        statement: &Statement,
        verified: &Verified,
        today: Date,
    ) -> Option<&'static str> {
        let model = |name: &str| self.models.iter().any(|own| fits(own, name));
        if self.until.is_some_and(|until| today > until) {
            Some("whose time is over")
        } else if !verified.bears(&self.identities) {
            Some("under another identity")
        } else if !self.models.is_empty()
            && !statement.subject.iter().all(|subject| model(&subject.name))
        {
            Some("who may not sign this model")
        } else {
            None
        }
    }
}

impl Verified {
    /// Whether the certificate is under one of these identities; without any, whose it is does not
    /// matter.
    #[must_use]
    pub fn bears(&self, identities: &[String]) -> bool {
        let named = |name: &String| identities.iter().any(|own| fits(own, name));
        identities.is_empty() || self.names.iter().any(named)
    }
}

/// The same name, or one that starts as a pattern with `*` at its end says.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}
