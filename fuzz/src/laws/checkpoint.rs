use bartizan_ledger::{
    Checkpoint, SignedCheckpoint, SignedNote, Signer, TlogProof, Trust, VerifierKey,
};

/// Notes, checkpoints, keys, and proofs: what is read is written as it was, and nothing that the key
/// did not sign is trusted.
pub fn checkpoint(data: &[u8]) {
    let signer = Signer::new("example.com/ledger", &[1; 32]).expect("a name");
    let witness = Signer::new("witness.example/w1", &[2; 32]).expect("a name");
    let trust = Trust {
        ledger: signer.verifier(),
        witnesses: vec![witness.witness()],
    };
    if let Ok(note) = SignedNote::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data);
        assert!(note.text().ends_with('\n'));
    }
    if let Ok(signed) = SignedCheckpoint::open(data, &trust) {
        // Only what is in the corpus is signed, or was cosigned again.
        assert_eq!(signed.checkpoint.origin, "example.com/ledger");
        assert!(signed.note.verify(&trust.ledger).is_ok());
    }
    if let Ok(proof) = TlogProof::parse(data) {
        let again = TlogProof::parse(proof.to_string().as_bytes());
        assert_eq!(again.as_ref(), Ok(&proof));
        assert!(proof.verify(data, &trust).is_err(), "a proof of itself");
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text.trim());
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        let known = checkpoint.to_string();
        assert!(text.starts_with(&known));
        let signed = checkpoint.clone().sign(&signer);
        let opened = SignedCheckpoint::open(signed.note.to_string().as_bytes(), &trust);
        // Control characters in the name of a ledger cannot be in a note.
        if let Ok(opened) = opened {
            assert_eq!(opened.checkpoint, checkpoint);
        }
    }
}
