use std::fmt;

use aws_lc_rs::{
    digest,
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};
use bartizan_core::hex;
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls_pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer, pem::PemObject};
use x509_parser::{oid_registry, prelude::FromDer, x509::SubjectPublicKeyInfo};

use super::{SignError, VerifyError};

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// ECDSA on P-256 with SHA-256, signatures in DER.
    P256,
    /// ECDSA on P-384 with SHA-384, signatures in DER.
    P384,
    /// ECDSA on P-521 with SHA-512, signatures in DER.
    P521,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl Scheme {
    const CURVES: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// The name in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "ecdsa-p256-sha256",
            Self::P384 => "ecdsa-p384-sha384",
            Self::P521 => "ecdsa-p521-sha512",
            Self::Ed25519 => "ed25519",
        }
    }

    const fn signing(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::P256 => Some(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::P384 => Some(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::P521 => Some(&signature::ECDSA_P521_SHA512_ASN1_SIGNING),
            Self::Ed25519 => None,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_ASN1,
            Self::P384 => &signature::ECDSA_P384_SHA384_ASN1,
            Self::P521 => &signature::ECDSA_P521_SHA512_ASN1,
            Self::Ed25519 => &signature::ED25519,
        }
    }

    /// With SHA-256 for every curve, as the certificate method of model signing did before 1.0.
    fn legacy(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_ASN1,
            Self::P384 => &signature::ECDSA_P384_SHA256_ASN1,
            Self::P521 => &signature::ECDSA_P521_SHA256_ASN1,
            Self::Ed25519 => &signature::ED25519,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A private key; says nothing of itself when it is printed.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Curve(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a PEM file: PKCS #8 or SEC 1, not encrypted.
    ///
    /// # Errors
    /// [`SignError::EncryptedKey`] for one under a passphrase, [`SignError::Key`] for anything else
    /// that is no key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SignError> {
        if pem
            .windows(10)
            .any(|window| window.eq_ignore_ascii_case(b" ENCRYPTED") || window == b"ENCRYPTED ")
        {
            return Err(SignError::EncryptedKey);
        }
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| SignError::Key)?;
        let bytes = der.secret_der();
        for scheme in Scheme::CURVES {
            let Some(algorithm) = scheme.signing() else {
                continue;
            };
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(algorithm, bytes) {
                let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())
                    .map_err(|_| SignError::Key)?;
                return Ok(Self {
                    public: PublicKey {
                        scheme,
                        spki: spki.as_ref().to_vec(),
                    },
                    pair: Pair::Curve(pair),
                });
            }
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map_err(|_| SignError::Key)?;
        let spki =
            AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map_err(|_| SignError::Key)?;
        Ok(Self {
            public: PublicKey {
                scheme: Scheme::Ed25519,
                spki: spki.as_ref().to_vec(),
            },
            pair: Pair::Edwards(pair),
        })
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`. The nonces of ECDSA come from inside the library of cryptography, which
    /// takes no other ones.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.pair {
            Pair::Curve(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SignError::Crypto),
            Pair::Edwards(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    scheme: Scheme,
    /// SubjectPublicKeyInfo (RFC 5280, section 4.1) in DER.
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a PEM file with a `PUBLIC KEY`.
    ///
    /// # Errors
    /// When it is none, or of a kind that model signing does not use.
    pub fn from_pem(pem: &[u8]) -> Result<Self, VerifyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| VerifyError::Key)?;
        Self::from_spki(&der)
    }

    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When it is none, or of a kind that model signing does not use.
    pub fn from_spki(der: &[u8]) -> Result<Self, VerifyError> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| VerifyError::Key)?;
        if !rest.is_empty() {
            return Err(VerifyError::Key);
        }
        let algorithm = &info.algorithm.algorithm;
        let curve = || {
            let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
            [
                (oid_registry::OID_EC_P256, Scheme::P256),
                (oid_registry::OID_NIST_EC_P384, Scheme::P384),
                (oid_registry::OID_NIST_EC_P521, Scheme::P521),
            ]
            .into_iter()
            .find_map(|(oid, scheme)| (oid == curve).then_some(scheme))
        };
        let scheme = if *algorithm == oid_registry::OID_KEY_TYPE_EC_PUBLIC_KEY {
            curve()
        } else if *algorithm == oid_registry::OID_SIG_ED25519 {
            Some(Scheme::Ed25519)
        } else {
            None
        };
        let key = Self {
            scheme: scheme.ok_or(VerifyError::Key)?,
            spki: der.to_vec(),
        };
        // A point that is not on its curve is no key.
        key.unparsed(key.scheme.verification())
            .parse()
            .map_err(|_| VerifyError::Key)?;
        Ok(key)
    }

    /// How it signs.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its PEM form: lines of 64 columns, as OpenSSL writes it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let text = STANDARD.encode(&self.spki);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }

    /// What a bundle calls it: the SHA-256 of its PEM form as hexadecimal digits (what `sha256sum`
    /// says about the file).
    #[must_use]
    pub fn hint(&self) -> String {
        hex::encode(digest::digest(&digest::SHA256, self.to_pem().as_bytes()).as_ref())
    }

    /// Whether a bundle means this key: by [`PublicKey::hint`], or by the SHA-256 of its DER form in
    /// base64, as Sigstore's Go libraries write it. A hint proves nothing; it only tells "another key"
    /// from "altered".
    pub(super) fn is_called(&self, hint: &str) -> bool {
        let own = STANDARD.encode(digest::digest(&digest::SHA256, &self.spki));
        hint == own || hint == self.hint()
    }

    /// Whether `signature` is this key's under `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.unparsed(self.scheme.verification())
            .verify(message, signature)
            .is_ok()
    }

    /// The same with SHA-256 for every curve; see [`super::Trust::accept_old`].
    pub(super) fn verify_with_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        self.unparsed(self.scheme.legacy())
            .verify(message, signature)
            .is_ok()
    }

    fn unparsed(&self, algorithm: &'static dyn VerificationAlgorithm) -> UnparsedPublicKey<&[u8]> {
        UnparsedPublicKey::new(algorithm, &self.spki)
    }
}
