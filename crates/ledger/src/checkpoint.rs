use crate::{Hash, NoteError, SignedNote, Signer, VerifierKey};

/// What a ledger held at some time: its name, how many entries, and the root over them (C2SP
/// tlog-checkpoint).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger's name.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// A checkpoint whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The note, as it was read.
    pub note: SignedNote,
    /// The witnesses that cosigned it.
    pub cosigned: Vec<Cosigned>,
}

/// A witness that saw a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness's name.
    pub witness: String,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// Whose signatures count.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The ledger's key; its name is the ledger's.
    pub ledger: VerifierKey,
    /// Witnesses: a cosignature of one of them must be right where there is one.
    pub witnesses: Vec<VerifierKey>,
}

/// Why a checkpoint is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It is no note, or not signed by whom it should be.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note's text is no checkpoint.
    #[error("the note is no checkpoint")]
    Malformed,
    /// It belongs to another ledger.
    #[error("the checkpoint is of the ledger `{found}`")]
    Origin {
        /// The other ledger's name.
        found: String,
    },
}

impl Checkpoint {
    /// Reads the text of a note.
    ///
    /// # Errors
    /// When it is no checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let read = || {
            let lines = text.strip_suffix('\n')?;
            let mut lines = lines.split('\n');
            let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
            // Extension lines are opaque, but not empty.
            if origin.is_empty() || lines.any(str::is_empty) {
                return None;
            }
            let parsed: u64 = size.parse().ok()?;
            (parsed.to_string() == size).then_some(Self {
                origin: origin.to_owned(),
                size: parsed,
                root: Hash::from_base64(root)?,
            })
        };
        read().ok_or(CheckpointError::Malformed)
    }

    /// Signed by the ledger.
    #[must_use]
    pub fn sign(self, signer: &Signer) -> SignedCheckpoint {
        SignedCheckpoint {
            note: SignedNote::sign(self.to_string(), signer),
            checkpoint: self,
            cosigned: Vec::new(),
        }
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

impl SignedCheckpoint {
    /// Reads a checkpoint and verifies who signed it.
    ///
    /// # Errors
    /// When the ledger did not sign it, a witness's line is wrong, or it is of another ledger.
    pub fn open(bytes: &[u8], trust: &Trust) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(bytes)?;
        note.verify(&trust.ledger)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        if checkpoint.origin != trust.ledger.name() {
            return Err(CheckpointError::Origin {
                found: checkpoint.origin,
            });
        }
        let mut cosigned = Vec::new();
        for witness in &trust.witnesses {
            match note.verify(witness) {
                Ok(time) => cosigned.push(Cosigned {
                    witness: witness.name().to_owned(),
                    time: time.unwrap_or_default(),
                }),
                Err(NoteError::Unsigned { .. }) => {}
                Err(wrong) => return Err(wrong.into()),
            }
        }
        Ok(Self {
            checkpoint,
            note,
            cosigned,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_checkpoint() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap();
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.to_string(), text);
        assert!(Checkpoint::parse(&format!("{text}extension\n")).is_ok());
        for bad in [
            text.trim_ascii_end(),
            &format!("{text}\n"),
            &text.replace("2085", "02085"),
            &text.replace("2085", "+2085"),
            &text.replace("20852163", "18446744073709551616"),
            &text.replace("CsUY", "CsU"),
            "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        ] {
            assert_eq!(Checkpoint::parse(bad), Err(CheckpointError::Malformed));
        }
    }

    #[test]
    fn only_the_ledger_and_witnesses_that_are_right_count() {
        let signer = Signer::new("example.com/a", &[1; 32]).unwrap();
        let witness = Signer::new("witness.example", &[2; 32]).unwrap();
        let trust = Trust {
            ledger: signer.verifier(),
            witnesses: vec![witness.witness()],
        };
        let checkpoint = |origin: &str| Checkpoint {
            origin: origin.to_owned(),
            size: 0,
            root: Hash::of_nothing(),
        };
        let mut signed = checkpoint("example.com/a").sign(&signer);
        let open = |signed: &SignedCheckpoint| {
            SignedCheckpoint::open(signed.note.to_string().as_bytes(), &trust)
        };
        assert!(open(&signed).unwrap().cosigned.is_empty());
        witness.cosign(&mut signed.note, 9);
        assert_eq!(open(&signed).unwrap().cosigned[0].time, 9);
        let mut line = signed.note.signatures()[1].clone();
        line.bytes[0] ^= 1;
        signed.note.add(line);
        assert!(matches!(
            open(&signed),
            Err(CheckpointError::Note(NoteError::Wrong { .. }))
        ));
        assert!(matches!(
            open(&checkpoint("example.com/b").sign(&signer)),
            Err(CheckpointError::Origin { .. })
        ));
        let stranger = Signer::new("example.com/a", &[3; 32]).unwrap();
        assert!(open(&checkpoint("example.com/a").sign(&stranger)).is_err());
    }
}
