use std::fmt;

use crate::{
    CheckpointError, Hash, Inclusion, ProofError, SignedCheckpoint, Trust, inclusion_holds,
};

/// That an entry is in a ledger, in the form that third parties check (C2SP tlog-proof, v1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// The way to the root.
    pub inclusion: Inclusion,
    /// The signed checkpoint, as bytes.
    pub checkpoint: String,
}

/// Why a proof is none, or proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// Not in the form.
    #[error("this is no proof in the form of tlog-proof v1")]
    Malformed,
    /// Its checkpoint is not to be trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It does not lead to the checkpoint.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// Longest way: a tree of 64-bit size has no more levels.
const MAX_HASHES: usize = 63;

impl TlogProof {
    /// Reads a proof; nothing is verified. Extra data is passed over.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        let read = || {
            let text = std::str::from_utf8(bytes).ok()?;
            let (head, checkpoint) = text.split_once("\n\n")?;
            let mut lines = head.split('\n').peekable();
            if lines.next()? != HEAD {
                return None;
            }
            lines.next_if(|line| line.starts_with("extra "));
            let number = lines.next()?.strip_prefix("index ")?;
            let index: u64 = number.parse().ok()?;
            if index.to_string() != number {
                return None;
            }
            let hashes: Option<Vec<Hash>> =
                lines.take(MAX_HASHES + 1).map(Hash::from_base64).collect();
            let hashes = hashes.filter(|hashes| hashes.len() <= MAX_HASHES)?;
            Some(Self {
                inclusion: Inclusion { index, hashes },
                checkpoint: checkpoint.to_owned(),
            })
        };
        read().ok_or(TlogProofError::Malformed)
    }

    /// That `entry` is in the ledger, as its checkpoint says.
    ///
    /// # Errors
    /// When the checkpoint is not signed, or the proof does not lead to it.
    pub fn verify(&self, entry: &[u8], trust: &Trust) -> Result<SignedCheckpoint, TlogProofError> {
        let signed = SignedCheckpoint::open(self.checkpoint.as_bytes(), trust)?;
        let (size, root) = (signed.checkpoint.size, signed.checkpoint.root);
        inclusion_holds(Hash::leaf(entry), &self.inclusion, size, root)?;
        Ok(signed)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}\nindex {}", self.inclusion.index)?;
        for hash in &self.inclusion.hashes {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, Signer};

    #[test]
    fn is_read_as_it_was_written() {
        let signer = Signer::new("example.com/log", &[1; 32]).unwrap();
        let trust = Trust {
            ledger: signer.verifier(),
            witnesses: Vec::new(),
        };
        let (one, two) = (Hash::leaf(b"one"), Hash::leaf(b"two"));
        let checkpoint = Checkpoint {
            origin: "example.com/log".to_owned(),
            size: 2,
            root: Hash::node(one, two),
        };
        let proof = TlogProof {
            inclusion: Inclusion {
                index: 0,
                hashes: vec![two],
            },
            checkpoint: checkpoint.sign(&signer).note.to_string(),
        };
        let text = proof.to_string();
        assert!(text.starts_with(&format!(
            "c2sp.org/tlog-proof@v1\nindex 0\n{two}\n\nexample.com"
        )));
        assert_eq!(TlogProof::parse(text.as_bytes()), Ok(proof.clone()));
        assert!(proof.verify(b"one", &trust).is_ok());
        assert!(proof.verify(b"two", &trust).is_err());
        let with_extra = text.replace("index 0", "extra AAAA\nindex 0");
        assert_eq!(TlogProof::parse(with_extra.as_bytes()), Ok(proof));
        for bad in [
            text.replace("v1", "v2"),
            text.replace("index 0", "index 00"),
            text.replace("index 0", "index 0\nextra AAAA"),
            text.replace(
                "index 0",
                &format!("index 0\n{}", format!("{two}\n").repeat(63)),
            ),
            text.replacen("\n\n", "\n", 1),
        ] {
            assert!(
                TlogProof::parse(bad.as_bytes())
                    .and_then(|proof| proof.verify(b"one", &trust))
                    .is_err(),
                "{bad}"
            );
        }
    }
}
