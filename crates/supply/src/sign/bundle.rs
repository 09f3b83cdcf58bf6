use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{Envelope, VerifyError};

/// Most bytes of a bundle: a statement over a million files has fewer.
pub const MAX_BUNDLE_BYTES: usize = 256 << 20;

/// The only version that model signing 1.0 and cosign 3 write.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A Sigstore bundle of version 0.3: a signature, and what it takes to verify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Whose signature it claims to be.
    pub material: Material,
    /// What was signed.
    pub content: Content,
}

/// Whose signature a bundle claims to carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// That of a key, which is not in the bundle.
    PublicKey {
        /// The SHA-256 of its PEM form; old bundles have none.
        hint: Option<String>,
    },
    /// That of the first certificate, DER; the others lead towards a trusted one.
    Chain(Vec<Vec<u8>>),
    /// That of a certificate for minutes, with the entry of a log as proof of when.
    Keyless,
}

impl Material {
    /// What it is, in words.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::PublicKey { .. } => "a key's signature",
            Self::Chain(_) => "a certificate's signature",
            Self::Keyless => "a keyless signature",
        }
    }
}

/// What a bundle carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A signed statement.
    Envelope(Envelope),
    /// A signature over a file that is elsewhere, as `cosign sign-blob` makes it.
    Message {
        /// The file's SHA-256, as a claim.
        sha256: Option<Vec<u8>>,
        /// Over the file's bytes.
        signature: Vec<u8>,
    },
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// When it is too long, no JSON, of another version, or says more than the format allows.
    pub fn parse(bytes: &[u8]) -> Result<Self, VerifyError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(VerifyError::TooLong {
                max: MAX_BUNDLE_BYTES,
            });
        }
        let raw: RawBundle = serde_json::from_slice(bytes)
            .map_err(|_| VerifyError::Bundle("it is not the JSON that the format describes"))?;
        if raw.media_type != MEDIA_TYPE {
            return Err(VerifyError::Bundle("its media type is another one"));
        }
        let material = raw.verification_material.read()?;
        let content = match (raw.dsse_envelope, raw.message_signature) {
            (Some(envelope), None) => Content::Envelope(envelope.read()?),
            (None, Some(message)) => message.read()?,
            _ => {
                return Err(VerifyError::Bundle(
                    "it carries not exactly one thing that was signed",
                ));
            }
        };
        Ok(Self { material, content })
    }

    /// The bundle as JSON, the same for the same signature.
    #[must_use]
    pub fn to_json(&self) -> String {
        let raw = RawBundle {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: RawMaterial::write(&self.material),
            dsse_envelope: match &self.content {
                Content::Envelope(envelope) => Some(RawEnvelope::write(envelope)),
                Content::Message { .. } => None,
            },
            message_signature: match &self.content {
                Content::Message { sha256, signature } => Some(RawMessage {
                    message_digest: sha256.as_ref().map(|digest| RawDigest {
                        algorithm: "SHA2_256".to_owned(),
                        digest: STANDARD.encode(digest),
                    }),
                    signature: STANDARD.encode(signature),
                }),
                Content::Envelope(_) => None,
            },
        };
        // Strings and lists cannot fail to be written.
        serde_json::to_string(&raw).unwrap_or_default()
    }
}

fn base64(text: &str) -> Result<Vec<u8>, VerifyError> {
    STANDARD
        .decode(text)
        .map_err(|_| VerifyError::Bundle("a value is no base64"))
}

// The message `dev.sigstore.bundle.v1.Bundle` (sigstore/protobuf-specs) in protobuf's JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawBundle {
    media_type: String,
    verification_material: RawMaterial,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<RawEnvelope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_signature: Option<RawMessage>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawMaterial {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<RawKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<RawChain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<RawCertificate>,
    #[serde(default)]
    tlog_entries: Vec<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<serde_json::Value>,
}

impl RawMaterial {
    fn read(self) -> Result<Material, VerifyError> {
        match (
            self.public_key,
            self.x509_certificate_chain,
            self.certificate,
        ) {
            (Some(key), None, None) => Ok(Material::PublicKey {
                hint: key.hint.filter(|hint| !hint.is_empty()),
            }),
            (None, Some(chain), None) => {
                let certificates = chain.certificates.iter();
                let certificates: Vec<_> = certificates
                    .map(|certificate| base64(&certificate.raw_bytes))
                    .collect::<Result<_, _>>()?;
                if certificates.is_empty() {
                    return Err(VerifyError::Bundle("its chain has no certificate"));
                }
                Ok(Material::Chain(certificates))
            }
            (None, None, Some(_)) => Ok(Material::Keyless),
            _ => Err(VerifyError::Bundle(
                "it names not exactly one kind of signer",
            )),
        }
    }

    fn write(material: &Material) -> Self {
        match material {
            Material::PublicKey { hint } => Self {
                public_key: Some(RawKey {
                    hint: hint.clone(),
                    raw_bytes: None,
                    key_details: None,
                }),
                ..Self::default()
            },
            Material::Chain(certificates) => Self {
                x509_certificate_chain: Some(RawChain {
                    certificates: certificates
                        .iter()
                        .map(|certificate| RawCertificate {
                            raw_bytes: STANDARD.encode(certificate),
                        })
                        .collect(),
                }),
                ..Self::default()
            },
            // Never made here; read ones are not written.
            Material::Keyless => Self::default(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawKey {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Of bundles before 1.0; the key that is trusted is given, never taken from the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_details: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChain {
    certificates: Vec<RawCertificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawCertificate {
    raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawEnvelope {
    payload: String,
    payload_type: String,
    signatures: Vec<RawSignature>,
}

impl RawEnvelope {
    fn read(self) -> Result<Envelope, VerifyError> {
        let [signature] = self.signatures.as_slice() else {
            return Err(VerifyError::Bundle("it has not exactly one signature"));
        };
        Ok(Envelope {
            payload: base64(&self.payload)?,
            payload_type: self.payload_type,
            signature: base64(&signature.sig)?,
        })
    }

    fn write(envelope: &Envelope) -> Self {
        Self {
            payload: STANDARD.encode(&envelope.payload),
            payload_type: envelope.payload_type.clone(),
            signatures: vec![RawSignature {
                sig: STANDARD.encode(&envelope.signature),
                keyid: String::new(),
            }],
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    sig: String,
    #[serde(default)]
    keyid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawMessage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_digest: Option<RawDigest>,
    signature: String,
}

impl RawMessage {
    fn read(self) -> Result<Content, VerifyError> {
        let sha256 = match self.message_digest {
            Some(digest) if digest.algorithm == "SHA2_256" => Some(base64(&digest.digest)?),
            _ => None,
        };
        Ok(Content::Message {
            sha256,
            signature: base64(&self.signature)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDigest {
    algorithm: String,
    digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        Bundle {
            material: Material::PublicKey {
                hint: Some("ab".to_owned()),
            },
            content: Content::Envelope(Envelope {
                payload: b"{}".to_vec(),
                payload_type: super::super::IN_TOTO.to_owned(),
                signature: vec![1, 2, 3],
            }),
        }
    }

    #[test]
    fn a_bundle_reads_what_it_writes() {
        let message = Bundle {
            content: Content::Message {
                sha256: Some(vec![7; 32]),
                signature: vec![1],
            },
            ..bundle()
        };
        let chain = Bundle {
            material: Material::Chain(vec![vec![48, 0], vec![48, 1]]),
            ..bundle()
        };
        for bundle in [bundle(), message, chain] {
            assert_eq!(Bundle::parse(bundle.to_json().as_bytes()).unwrap(), bundle);
        }
    }

    #[test]
    fn what_the_format_does_not_allow_is_refused() {
        let good = bundle().to_json();
        for (from, to) in [
            ("v0.3", "v0.9"),
            ("{\"mediaType\"", "{\"extra\":1,\"mediaType\""),
            (
                "\"tlogEntries\":[]",
                "\"tlogEntries\":[],\"certificate\":{\"rawBytes\":\"\"}",
            ),
            ("\"publicKey\":{\"hint\":\"ab\"},", ""),
            ("\"payload\":\"e30=\"", "\"payload\":\"e30\""),
            ("\"keyid\":\"\"}", "\"keyid\":\"\"},{\"sig\":\"\"}"),
            (
                "\"payload\":\"e30=\"",
                "\"payload\":\"e30=\",\"payload\":\"e30=\"",
            ),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(Bundle::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
