use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::Hash;

/// A text with signatures under it (C2SP signed-note).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A line under a note: who signed, and what; not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The first bytes of a hash of name, algorithm, and key.
    pub key_id: [u8; 4],
    /// The signature.
    pub bytes: Vec<u8>,
}

/// Why bytes are no note, or a note is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// More than 64 KiB, or more than 64 signatures.
    #[error("the note is longer than 64 KiB or has more than 64 signatures")]
    TooLong,
    /// Not a text with signature lines.
    #[error("the note is malformed")]
    Malformed,
    /// No line is by a key that was given.
    #[error("the note is not signed by `{name}`")]
    Unsigned {
        /// The key's name.
        name: String,
    },
    /// A line by a key that was given is not its signature of this text.
    #[error("the signature of `{name}` is wrong")]
    Wrong {
        /// The key's name.
        name: String,
    },
    /// Not a verifier key.
    #[error(
        "this is no verifier key; hint: it looks like `name+0123abcd+AbC…`, as `bartizan ledger checkpoint` shows it"
    )]
    Key,
}

/// What a key signs, and how (C2SP signed-note, "Signature types").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 (RFC 8032) over the text.
    Ed25519,
    /// Ed25519 over the text and a time, by a witness (C2SP tlog-cosignature, v1).
    Cosignature,
}

/// A key that verifies signatures of notes: `name+id+key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    algorithm: Algorithm,
    public: [u8; 32],
}

/// A key that signs notes. Clones share it.
#[derive(Clone)]
pub struct Signer {
    name: String,
    pair: Arc<Ed25519KeyPair>,
}

const MAX_NOTE: usize = 64 << 10;
const MAX_SIGNATURES: usize = 64;

impl SignedNote {
    /// Reads a note; nothing is verified.
    ///
    /// # Errors
    /// When it is too long or malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::Malformed);
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures = lines
            .split('\n')
            .take(MAX_SIGNATURES + 1)
            .map(|line| NoteSignature::parse(line).ok_or(NoteError::Malformed))
            .collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// `text`, which ends in a line feed, signed by `signer`.
    #[must_use]
    pub fn sign(text: String, signer: &Signer) -> Self {
        let signature = NoteSignature {
            name: signer.name.clone(),
            key_id: signer.verifier().id(),
            bytes: signer.pair.sign(text.as_bytes()).as_ref().to_vec(),
        };
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// The text, with its last line feed. Not to be trusted before [`SignedNote::verify`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines under the text.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a line, e.g. of a witness.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures.push(signature);
    }

    /// That `key` signed this text; gives the time for a cosignature, in seconds since 1970.
    ///
    /// # Errors
    /// When there is no line of that key, or one that is wrong.
    pub fn verify(&self, key: &VerifierKey) -> Result<Option<u64>, NoteError> {
        let id = key.id();
        let mut time = Err(NoteError::Unsigned {
            name: key.name.clone(),
        });
        for line in &self.signatures {
            if line.name == key.name && line.key_id == id {
                let wrong = || NoteError::Wrong {
                    name: key.name.clone(),
                };
                time = Ok(key.time_of(&self.text, &line.bytes).ok_or_else(wrong)?);
            }
        }
        time
    }
}

impl std::fmt::Display for SignedNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let bytes = [line.key_id.as_slice(), &line.bytes].concat();
            writeln!(f, "\u{2014} {} {}", line.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            key_id: *key_id,
            bytes: bytes.to_vec(),
        })
    }
}

/// Whether a key may have that name.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

impl Algorithm {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }
}

impl VerifierKey {
    /// The key of those 32 bytes (RFC 8032); `None` if nobody may have that name.
    #[must_use]
    pub fn new(name: &str, algorithm: Algorithm, public: [u8; 32]) -> Option<Self> {
        is_name(name).then(|| Self {
            name: name.to_owned(),
            algorithm,
            public,
        })
    }

    /// Reads `name+id+key`, white space around it aside.
    ///
    /// # Errors
    /// When it is none, or its id is not that of its key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let key = || {
            let (name, rest) = text.trim().split_once('+')?;
            // Base64 may hold a `+` too.
            let (id, key) = rest.split_once('+')?;
            let bytes = STANDARD.decode(key).ok()?;
            let (algorithm, public) = bytes.split_first()?;
            let algorithm = match algorithm {
                1 => Algorithm::Ed25519,
                4 => Algorithm::Cosignature,
                _ => return None,
            };
            let key = Self::new(name, algorithm, public.try_into().ok()?)?;
            (key.to_string() == text.trim() && id.len() == 8).then_some(key)
        };
        key().ok_or(NoteError::Key)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `SHA-256(name || 0x0A || algorithm || key)[:4]`.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let mut bytes = self.name.clone().into_bytes();
        bytes.extend_from_slice(&[b'\n', self.algorithm.byte()]);
        bytes.extend_from_slice(&self.public);
        let hash = Hash::sha256(&bytes);
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// The time of a signature of `text` that is right: `None` inside for those without a time.
    fn time_of(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        let (time, message, signature) = match self.algorithm {
            Algorithm::Ed25519 => (None, text.to_owned(), signature),
            Algorithm::Cosignature => {
                let (time, signature) = signature.split_first_chunk()?;
                let time = u64::from_be_bytes(*time);
                if time > i64::MAX as u64 {
                    return None;
                }
                let message = format!("cosignature/v1\ntime {time}\n{text}");
                (Some(time), message, signature)
            }
        };
        UnparsedPublicKey::new(&ED25519, self.public)
            .verify(message.as_bytes(), signature)
            .ok()?;
        Some(time)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let key = [&[self.algorithm.byte()], self.public.as_slice()].concat();
        write!(f, "{}+{id:08x}+{}", self.name, STANDARD.encode(key))
    }
}

impl Signer {
    /// The key of that seed; `None` if nobody may have that name.
    #[must_use]
    pub fn new(name: &str, seed: &[u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        is_name(name).then(|| Self {
            name: name.to_owned(),
            pair: Arc::new(pair),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What verifies its signatures.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        self.key(Algorithm::Ed25519)
    }

    /// What verifies its cosignatures, where it is a witness.
    #[must_use]
    pub fn witness(&self) -> VerifierKey {
        self.key(Algorithm::Cosignature)
    }

    /// Cosigns `note` as a witness at `time`, in seconds since 1970.
    pub fn cosign(&self, note: &mut SignedNote, time: u64) {
        let message = format!("cosignature/v1\ntime {time}\n{}", note.text);
        let signature = self.pair.sign(message.as_bytes());
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(signature.as_ref());
        note.add(NoteSignature {
            name: self.name.clone(),
            key_id: self.witness().id(),
            bytes,
        });
    }

    fn key(&self, algorithm: Algorithm) -> VerifierKey {
        let public = self.pair.public_key().as_ref();
        VerifierKey {
            name: self.name.clone(),
            algorithm,
            public: public.first_chunk().copied().unwrap_or_default(),
        }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the note that Go's `golang.org/x/mod/sumdb/note` documents and tests with.
    #[test]
    fn published_note() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key = VerifierKey::parse(key).unwrap();
        let text = "If you think cryptography is the answer to your problem,\n\
             then you don't know what your problem is.\n";
        let signed = format!(
            "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        let note = SignedNote::parse(signed.as_bytes()).unwrap();
        assert_eq!(note.text(), text);
        assert_eq!(note.verify(&key), Ok(None));
        assert_eq!(note.to_string(), signed);
        let other = signed.replace("answer", "Answer");
        let other = SignedNote::parse(other.as_bytes()).unwrap();
        assert!(matches!(other.verify(&key), Err(NoteError::Wrong { .. })));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let signer = Signer::new("example.com/log", &[7; 32]).unwrap();
        let signed = SignedNote::sign("a\n\nb\n".to_owned(), &signer).to_string();
        for bit in 0..signed.len() * 8 {
            let mut bytes = signed.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let verified =
                SignedNote::parse(&bytes).and_then(|note| note.verify(&signer.verifier()));
            assert!(verified.is_err(), "bit {bit}");
        }
        for cut in 0..signed.len() {
            assert!(SignedNote::parse(&signed.as_bytes()[..cut]).is_err());
        }
    }

    #[test]
    fn witnesses_are_told_from_logs() {
        let log = Signer::new("example.com/log", &[1; 32]).unwrap();
        let witness = Signer::new("witness.example/w1", &[2; 32]).unwrap();
        let mut note = SignedNote::sign("a\n".to_owned(), &log);
        witness.cosign(&mut note, 1_679_315_147);
        let note = SignedNote::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(note.verify(&log.verifier()), Ok(None));
        assert_eq!(note.verify(&witness.witness()), Ok(Some(1_679_315_147)));
        assert!(note.verify(&witness.verifier()).is_err());
        assert!(note.verify(&log.witness()).is_err());
        let key = witness.witness();
        assert_eq!(VerifierKey::parse(&key.to_string()), Ok(key));
    }

    /// The cosigned checkpoint of C2SP tlog-cosignature, of which the specification gives no keys:
    /// it must be read, and written as it was.
    #[test]
    fn published_cosignature_is_read() {
        let signed = "example.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
            \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let note = SignedNote::parse(signed.as_bytes()).unwrap();
        assert_eq!(note.to_string(), signed);
        assert_eq!(note.signatures()[1].key_id, [0x8d, 0x66, 0xcf, 0x3f]);
        assert_eq!(note.signatures()[1].bytes.len(), 72);
    }

    #[test]
    fn malformed_notes_and_keys_are_refused() {
        let long = format!("a\n\n{}", "\u{2014} a AAAAAAA=\n".repeat(65));
        for bad in [
            "",
            "a",
            "a\n",
            "a\n\n",
            "a\n\n\n",
            "a\n\n- a AAAAAAA=\n",
            "a\n\n\u{2014} a AAAA\n",
            "a\n\n\u{2014} a+b AAAAAAA=\n",
            "a\n\n\u{2014}  AAAAAAA=\n",
            "a\r\n\n\u{2014} a AAAAAAA=\n",
            &long,
        ] {
            assert!(SignedNote::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        for bad in [
            "",
            "a+b",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            assert_eq!(VerifierKey::parse(bad), Err(NoteError::Key), "{bad}");
        }
    }
}
