use aws_lc_rs::hmac;
use bartizan_core::hex;
use serde_json::{Map, Value, json};

use super::{SignError, VerifyError, python};
use crate::digest::{Algorithm, Digest};

/// Fewest bytes of a key that signs: half of the security of HMAC-SHA-256.
const MIN_KEY_BYTES: usize = 16;

/// A manifest of one model under a shared key: name, digest, time, and metadata as JSON with an
/// HMAC-SHA-256 (RFC 2104) over what Python's `json.dumps(…, sort_keys=True)` writes of them.
///
/// Whoever can verify it can also make it. Between people who do not trust each other in that way,
/// a signature with a key pair is the right thing.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedKeyManifest {
    fields: Map<String, Value>,
}

impl SharedKeyManifest {
    /// Signs the digest of a model. `signed_at` is a time as RFC 3339 writes it.
    ///
    /// # Errors
    /// When the key has fewer than 16 bytes.
    pub fn sign(
        name: &str,
        digest: &Digest,
        signed_at: &str,
        metadata: Map<String, Value>,
        key: &[u8],
    ) -> Result<Self, SignError> {
        if key.len() < MIN_KEY_BYTES {
            return Err(SignError::Key);
        }
        let fields = json!({
            "hash_algorithm": digest.algorithm().as_str(),
            "metadata": metadata,
            "model_hash": digest.to_hex(),
            "model_path": name,
            "signed_at": signed_at,
        });
        let mut fields = match fields {
            Value::Object(fields) => fields,
            _ => return Err(SignError::Crypto),
        };
        let tag = hmac::sign(&hmac_key(key), &signed_bytes(&fields));
        fields.insert("signature".to_owned(), hex::encode(tag.as_ref()).into());
        Ok(Self { fields })
    }

    /// Reads a manifest; nothing of it is to be believed before [`SharedKeyManifest::verify`].
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn parse(text: &str) -> Result<Self, VerifyError> {
        serde_json::from_str(text)
            .map(|fields| Self { fields })
            .map_err(|_| VerifyError::Statement("the manifest is no JSON object"))
    }

    /// What made the digest, so that the caller can make it; as stated, before anything is proved.
    ///
    /// # Errors
    /// When it names an unknown one.
    pub fn algorithm(&self) -> Result<Algorithm, VerifyError> {
        self.text("hash_algorithm")
            .and_then(Algorithm::from_name)
            .ok_or(VerifyError::Statement("it names an unknown digest"))
    }

    /// Whether somebody with `key` vouched for `digest`.
    ///
    /// # Errors
    /// When the manifest was made with another key or altered, or is about other bytes.
    pub fn verify(&self, digest: &Digest, key: &[u8]) -> Result<(), VerifyError> {
        let mut fields = self.fields.clone();
        let signature = fields.remove("signature");
        let signature = signature
            .as_ref()
            .and_then(Value::as_str)
            .and_then(hex::decode)
            .ok_or(VerifyError::Signature)?;
        hmac::verify(&hmac_key(key), &signed_bytes(&fields), &signature)
            .map_err(|_| VerifyError::Signature)?;
        let stated = self.text("model_hash").and_then(hex::decode);
        let stated = stated.and_then(|bytes| Digest::new(self.algorithm().ok()?, &bytes));
        if stated.as_ref() == Some(digest) {
            Ok(())
        } else {
            Err(VerifyError::Statement("it is about other bytes"))
        }
    }

    /// The manifest as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", Value::Object(self.fields.clone()))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }
}

fn hmac_key(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}

fn signed_bytes(fields: &Map<String, Value>) -> Vec<u8> {
    python::dumps(&Value::Object(fields.clone())).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a shared key of the team";

    /// Made by `sign_model_artifact` of the Python reference: `hmac.new(key, json.dumps(manifest,
    /// sort_keys=True).encode(), hashlib.sha256)`.
    const BY_PYTHON: &str = r#"{"model_path": "m.bin", "hash_algorithm": "sha256", "model_hash": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c", "signed_at": "2026-01-02T03:04:05.678901+00:00", "metadata": {"loss": 0.25, "lr": 1e-05, "epochs": 3, "by": "Zo\u00e9", "big": 1e+20, "flags": [true, null]}, "signature": "5d57a13c69bd8b86ad3e0916e5eb0fd23df2e4f97f4f958083e6d56025e93076"}"#;

    #[test]
    fn what_python_signed_verifies() {
        let manifest = SharedKeyManifest::parse(BY_PYTHON).unwrap();
        let digest = Algorithm::Sha256.digest(b"weights");
        manifest.verify(&digest, KEY).unwrap();
        let altered = BY_PYTHON.replace("0.25", "0.5");
        assert_ne!(altered, BY_PYTHON);
        let altered = SharedKeyManifest::parse(&altered).unwrap();
        assert!(altered.verify(&digest, KEY).is_err());
        assert!(
            manifest
                .verify(&digest, b"another key of the team")
                .is_err()
        );
        let other = Algorithm::Sha256.digest(b"weights!");
        assert!(manifest.verify(&other, KEY).is_err());
    }

    #[test]
    fn what_is_signed_here_verifies_and_is_stable() {
        let digest = Algorithm::Sha256.digest(b"weights");
        let sign = || {
            let metadata = Map::from_iter([("é".to_owned(), json!([1.5, 1e-7]))]);
            SharedKeyManifest::sign("m.bin", &digest, "2026-01-02T03:04:05Z", metadata, KEY)
        };
        let manifest = sign().unwrap();
        assert_eq!(manifest, sign().unwrap());
        let read = SharedKeyManifest::parse(&manifest.to_json()).unwrap();
        read.verify(&digest, KEY).unwrap();
        assert!(SharedKeyManifest::sign("m", &digest, "", Map::new(), b"short").is_err());
    }
}
