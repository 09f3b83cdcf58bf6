//! Signed accounts of what was removed.

use aws_lc_rs::hmac;
use bartizan_core::hex;
use bartizan_gateway::predict::{Signer, verify as verify_signature};
use serde_json::{Map, Value};

use crate::{
    key::{Key, from_hex},
    problem::Problem,
};

/// Signs accounts: Ed25519 (RFC 8032) over canonical JSON (RFC 8785).
pub(crate) struct Proof(Signer);

impl Proof {
    /// The signer whose key is derived from the master key for this purpose only.
    pub(crate) fn new(key: &Key) -> Result<Self, Problem> {
        let master = hmac::Key::new(hmac::HMAC_SHA256, &key.bytes);
        let seed = hmac::sign(&master, b"bartizan account signing 1");
        let seed: [u8; 32] = seed.as_ref().first_chunk().copied().unwrap_or_default();
        let signer = Signer::from_seed(&seed);
        Ok(Self(signer.map_err(|_| {
            Problem::new("the signing key cannot be made")
        })?))
    }

    /// The account with the public key and the signature in it, as lines of JSON.
    pub(crate) fn sign(&self, mut account: Map<String, Value>) -> Result<String, Problem> {
        account.insert(
            "public_key".to_owned(),
            hex::encode(self.0.public_key()).into(),
        );
        self.0.sign(&mut account);
        let text = serde_json::to_string_pretty(&account);
        let text = text.map_err(|_| Problem::new("the account cannot be written"))?;
        Ok(text + "\n")
    }

    /// The public key, as 64 hexadecimal digits.
    pub(crate) fn public_key(&self) -> String {
        hex::encode(self.0.public_key())
    }
}

/// Whether an account was signed with `public_key`, 64 hexadecimal digits.
pub(crate) fn verify(account: &Map<String, Value>, public_key: &str) -> Result<bool, Problem> {
    let bytes = from_hex(public_key)
        .ok_or_else(|| Problem::new("a public key has 64 hexadecimal digits"))?;
    Ok(verify_signature(account, &bytes).is_ok())
}
