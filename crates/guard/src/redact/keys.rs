use aws_lc_rs::{hkdf, hmac};
use bartizan_core::Secret;

/// The keys of one tenant or session for hashes, pseudonyms, and encryption, derived from one
/// master key by HKDF-SHA-256 (RFC 5869) with a label each.
///
/// A plain hash of a phone number is the phone number: all 10^9 US social security numbers can be
/// hashed in minutes. Everything here is keyed.
#[derive(Debug)]
pub struct Keys {
    master: Secret<[u8; 32]>,
}

impl Keys {
    /// Keys derived from `master`: 32 bytes from a secure random source or a key store.
    #[must_use]
    pub const fn new(master: [u8; 32]) -> Self {
        Self {
            master: Secret::new(master),
        }
    }

    /// The 32-byte key for `purpose`.
    #[must_use]
    pub(crate) fn derive(&self, purpose: &'static str) -> Secret<[u8; 32]> {
        let mut key = [0; 32];
        let info = [b"bartizan/v1/".as_slice(), purpose.as_bytes()];
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, b"bartizan").extract(self.master.expose());
        if let Ok(material) = derived.expand(&info, hkdf::HKDF_SHA256) {
            // Fails only for more than 255 * 32 bytes.
            let _ = material.fill(&mut key);
        }
        Secret::new(key)
    }

    /// HMAC-SHA-256 of `value` under the key for `purpose`, bound to `scope`.
    #[must_use]
    pub(crate) fn mac(&self, purpose: &'static str, scope: &str, value: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.derive(purpose).expose());
        let mut context = hmac::Context::with_key(&key);
        context.update(&(scope.len() as u64).to_be_bytes());
        context.update(scope.as_bytes());
        context.update(value.as_bytes());
        let mut tag = [0; 32];
        for (byte, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *byte = *from;
        }
        tag
    }

    /// The hash by which exceptions of a policy name a text: HMAC-SHA-256 (RFC 2104) under a key
    /// that is made of the master key for this alone, in lower-case hexadecimal.
    #[must_use]
    pub fn text_hash(&self, text: &[u8]) -> String {
        let master = hmac::Key::new(hmac::HMAC_SHA256, self.master.expose());
        let derived = hmac::sign(&master, b"bartizan/v1/allow-list");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()), text);
        tag.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
