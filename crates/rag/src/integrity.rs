//! Whether stored chunks are the ones that were admitted.
//!
//! A [`Manifest`] names every chunk with a keyed hash (HMAC-SHA-256, RFC 2104) over its tenant,
//! document, id, text, and embedding, and is signed (Ed25519, RFC 8032). Both keys are derived from
//! one master key, so that nobody without it can add, change, or take out a chunk unseen. A plain
//! hash of a short chunk could be guessed; a keyed one says nothing.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::{
    constant_time, hmac,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use bartizan_core::{Category, Layer, Report, Rule, Severity, hex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    admission::Chunk,
    telling::{Teller, Told},
};

/// Chunks of one manifest.
const MAX_CHUNKS: usize = 5_000_000;

/// The keys of manifests, derived from a master key.
#[derive(Debug)]
pub struct ManifestKey {
    chunks: hmac::Key,
    signer: Ed25519KeyPair,
}

/// The signed list of what was admitted. Holds no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Bartizan RAG manifest")]
pub struct Manifest {
    /// 1
    pub version: u32,
    /// Every chunk, by id.
    pub chunks: BTreeMap<String, Entry>,
    /// Every document: the keyed hash over its chunks' hashes, in the order of their ids.
    pub documents: BTreeMap<String, String>,
    /// Ids of chunks that were withdrawn: never to be answered from or cited.
    pub withdrawn: BTreeSet<String>,
    /// The public key of the signature, in hexadecimal, for those without the master key.
    pub public_key: String,
    /// Over all of the above, in hexadecimal.
    pub signature: String,
}

/// A chunk of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The document that it is a part of.
    pub document: String,
    /// The keyed hash, in hexadecimal.
    pub hash: String,
}

/// What is wrong with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tampering {
    /// Its text, embedding, document, or tenant is not what was admitted.
    Changed,
    /// It was never admitted.
    Foreign,
    /// It was admitted, and is gone.
    Removed,
    /// It was withdrawn, and is there again.
    Withdrawn,
}

/// A manifest does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It was written by a later version.
    #[error("the manifest has version {0}, this program reads version 1")]
    Version(u32),
    /// It is not signed with this key, or was changed since.
    #[error("the manifest's signature does not hold: it was changed, or signed with another key")]
    Signature,
    /// Two chunks have one id, or one has none.
    #[error("chunk {number} has no id of its own")]
    Id {
        /// Its number, from 0.
        number: usize,
    },
    /// There are more chunks than one manifest takes.
    #[error("more than {MAX_CHUNKS} chunks")]
    TooMany,
    /// The key cannot be used.
    #[error("the key cannot be used to sign")]
    Key,
}

impl ManifestKey {
    /// Keys derived from `master` with a label each.
    ///
    /// # Errors
    /// [`ManifestError::Key`] if the provider refuses the derived seed.
    pub fn new(master: &[u8; 32]) -> Result<Self, ManifestError> {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        let chunks = hmac::sign(&master, b"bartizan/v1/rag-chunk");
        let seed = hmac::sign(&master, b"bartizan/v1/rag-manifest");
        Ok(Self {
            chunks: hmac::Key::new(hmac::HMAC_SHA256, chunks.as_ref()),
            signer: Ed25519KeyPair::from_seed_unchecked(seed.as_ref())
                .map_err(|_| ManifestError::Key)?,
        })
    }

    /// The keyed hash of a chunk: every field with its length before it, so that no two chunks run
    /// together to the same bytes.
    fn hash(&self, chunk: &Chunk) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.chunks);
        let mut field = |bytes: &[u8]| {
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        };
        field(chunk.tenant.as_deref().unwrap_or_default().as_bytes());
        field(chunk.document.as_bytes());
        field(chunk.id.as_bytes());
        field(chunk.source.as_deref().unwrap_or_default().as_bytes());
        field(chunk.text.as_bytes());
        let vector = chunk.vector.as_deref().unwrap_or_default();
        let vector: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
        field(&vector);
        context.sign()
    }

    /// The seal of a chunk that was admitted, for those who keep it beside the chunk and no manifest:
    /// 64 hexadecimal digits.
    #[must_use]
    pub fn seal(&self, chunk: &Chunk) -> String {
        hex::encode(self.hash(chunk).as_ref())
    }

    /// What is wrong with a chunk by its seal; it cannot tell that a chunk is gone.
    #[must_use]
    pub fn broken_seal(&self, chunk: &Chunk, seal: Option<&str>) -> Option<Tampering> {
        let Some(seal) = seal else {
            return Some(Tampering::Foreign);
        };
        let is_whole = hex::decode(seal).is_some_and(|seal| {
            constant_time::verify_slices_are_equal(&seal, self.hash(chunk).as_ref()).is_ok()
        });
        (!is_whole).then_some(Tampering::Changed)
    }

    fn documents(&self, chunks: &BTreeMap<String, Entry>) -> BTreeMap<String, String> {
        let mut open: BTreeMap<&str, hmac::Context> = BTreeMap::new();
        for (id, entry) in chunks {
            let context = open
                .entry(&entry.document)
                .or_insert_with(|| hmac::Context::with_key(&self.chunks));
            context.update(&(id.len() as u64).to_be_bytes());
            context.update(id.as_bytes());
            context.update(entry.hash.as_bytes());
        }
        open.into_iter()
            .map(|(document, context)| (document.to_owned(), hex::encode(context.sign().as_ref())))
            .collect()
    }
}

impl Manifest {
    /// The manifest of `chunks`.
    ///
    /// # Errors
    /// When a chunk has no id of its own, or there are too many.
    pub fn new<'c>(
        chunks: impl IntoIterator<Item = &'c Chunk>,
        withdrawn: BTreeSet<String>,
        key: &ManifestKey,
    ) -> Result<Self, ManifestError> {
        let mut entries = BTreeMap::new();
        for (number, chunk) in chunks.into_iter().enumerate() {
            if number >= MAX_CHUNKS {
                return Err(ManifestError::TooMany);
            }
            let entry = Entry {
                document: chunk.document.clone(),
                hash: hex::encode(key.hash(chunk).as_ref()),
            };
            let is_taken = entries.insert(chunk.id.clone(), entry).is_some();
            if chunk.id.is_empty() || is_taken {
                return Err(ManifestError::Id { number });
            }
        }
        let mut manifest = Self {
            version: 1,
            documents: key.documents(&entries),
            chunks: entries,
            withdrawn,
            public_key: hex::encode(key.signer.public_key().as_ref()),
            signature: String::new(),
        };
        manifest.signature = hex::encode(key.signer.sign(&manifest.signed()).as_ref());
        Ok(manifest)
    }

    /// Checks the signature under `key`; what the file says about keys is not believed.
    ///
    /// # Errors
    /// When the signature does not hold.
    pub fn verify(&self, key: &ManifestKey) -> Result<(), ManifestError> {
        if self.version != 1 {
            return Err(ManifestError::Version(self.version));
        }
        let signature = hex::decode(&self.signature).ok_or(ManifestError::Signature)?;
        UnparsedPublicKey::new(&ED25519, key.signer.public_key().as_ref())
            .verify(&self.signed(), &signature)
            .map_err(|_| ManifestError::Signature)
    }

    /// What is wrong with a chunk that was retrieved. Ask a manifest that was verified.
    #[must_use]
    pub fn tampering(&self, chunk: &Chunk, key: &ManifestKey) -> Option<Tampering> {
        if self.withdrawn.contains(&chunk.id) {
            return Some(Tampering::Withdrawn);
        }
        let Some(entry) = self.chunks.get(&chunk.id) else {
            return Some(Tampering::Foreign);
        };
        let is_same = hex::decode(&entry.hash).is_some_and(|hash| {
            constant_time::verify_slices_are_equal(&hash, key.hash(chunk).as_ref()).is_ok()
        });
        (!is_same).then_some(Tampering::Changed)
    }

    /// Ids of admitted chunks that are not among `present`, those withdrawn left out.
    pub fn removed<'m>(&'m self, present: &'m BTreeSet<&str>) -> impl Iterator<Item = &'m str> {
        let ids = self.chunks.keys().map(String::as_str);
        ids.filter(|id| !present.contains(id) && !self.withdrawn.contains(*id))
    }

    /// What the signature is over: every field, each with its length before it.
    fn signed(&self) -> Vec<u8> {
        let mut out = b"bartizan rag manifest 1\n".to_vec();
        let mut field = |text: &str| {
            out.extend((text.len() as u64).to_be_bytes());
            out.extend(text.as_bytes());
        };
        field(&self.chunks.len().to_string());
        for (id, entry) in &self.chunks {
            field(id);
            field(&entry.document);
            field(&entry.hash);
        }
        field(&self.documents.len().to_string());
        for (document, hash) in &self.documents {
            field(document);
            field(hash);
        }
        field(&self.withdrawn.len().to_string());
        for id in &self.withdrawn {
            field(id);
        }
        field(&self.public_key);
        out
    }
}

/// Adds to the `report` on a chunk what is wrong with it, as `check` found out.
pub fn report(tampering: Option<Tampering>, check: &'static str, report: &mut Report) {
    let teller = Teller {
        check,
        layer: Layer::Provenance,
    };
    let found = tampering.map(|tampering| Told::certain(tampering.rule()));
    teller.tell(report, Ok(()), found);
}

impl Tampering {
    /// The rule of a chunk that was tampered with so.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        match self {
            Self::Changed => &CHUNK_CHANGED,
            Self::Foreign => &CHUNK_FOREIGN,
            Self::Removed => &CHUNK_REMOVED,
            Self::Withdrawn => &CHUNK_WITHDRAWN,
        }
    }
}

const REFS: &[std::borrow::Cow<'static, str>] = &[
    std::borrow::Cow::Borrowed("LLM04:2025"),
    std::borrow::Cow::Borrowed("AML.T0070"),
    std::borrow::Cow::Borrowed("CWE-345"),
];

const fn rule(id: &'static str, title: &'static str, texts: [&'static str; 2]) -> Rule {
    Rule::new(
        id,
        title,
        Severity::High,
        Category::Integrity,
        REFS,
        texts,
        None,
    )
}

/// Every rule of integrity.
pub static RULES: [&Rule; 4] = [
    &CHUNK_CHANGED,
    &CHUNK_FOREIGN,
    &CHUNK_REMOVED,
    &CHUNK_WITHDRAWN,
];
static CHUNK_CHANGED: Rule = rule(
    "rag.chunk-changed",
    "a chunk that was changed after it was admitted",
    [
        "Whoever can write to the store can put words into answers past every check at admission.",
        "Drop the chunk, restore it from its document, and find out who wrote to the store.",
    ],
);
static CHUNK_FOREIGN: Rule = rule(
    "rag.chunk-foreign",
    "a chunk that was never admitted",
    [
        "It came into the store past admission, so nobody looked at it.",
        "Drop the chunk, and admit its document if it is wanted.",
    ],
);
static CHUNK_REMOVED: Rule = rule(
    "rag.chunk-removed",
    "an admitted chunk that is gone from the store",
    [
        "Taking out a correction or a warning changes answers as well as adding a lie does.",
        "Restore it, or make the manifest again after withdrawing it.",
    ],
);
static CHUNK_WITHDRAWN: Rule = rule(
    "rag.chunk-withdrawn",
    "a chunk that was withdrawn and is still there",
    [
        "It was taken back, so no answer may rest on it.",
        "Delete it from the store and from every replica.",
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks() -> Vec<Chunk> {
        (0..3)
            .map(|number| Chunk {
                id: format!("c{number}"),
                text: format!("text {number}"),
                document: "d".to_owned(),
                tenant: Some("a".to_owned()),
                vector: Some(vec![0.5, 1.0]),
                ..Chunk::default()
            })
            .collect()
    }

    #[test]
    fn changed_foreign_removed_and_withdrawn_chunks_are_named() {
        let key = ManifestKey::new(&[7; 32]).unwrap();
        let chunks = chunks();
        let withdrawn = BTreeSet::from(["c2".to_owned()]);
        let manifest = Manifest::new(&chunks, withdrawn, &key).unwrap();
        manifest.verify(&key).unwrap();
        let mut changed = chunks[0].clone();
        assert_eq!(manifest.tampering(&changed, &key), None);
        changed.text.replace_range(0..1, "T");
        assert_eq!(manifest.tampering(&changed, &key), Some(Tampering::Changed));
        let moves: [fn(&mut Chunk); 3] = [
            |chunk| chunk.tenant = Some("b".to_owned()),
            |chunk| chunk.vector = Some(vec![0.5, 1.5]),
            |chunk| chunk.document = "e".to_owned(),
        ];
        for change in moves {
            let mut chunk = chunks[0].clone();
            change(&mut chunk);
            assert_eq!(manifest.tampering(&chunk, &key), Some(Tampering::Changed));
        }
        changed.id = "x".to_owned();
        assert_eq!(manifest.tampering(&changed, &key), Some(Tampering::Foreign));
        assert_eq!(
            manifest.tampering(&chunks[2], &key),
            Some(Tampering::Withdrawn)
        );
        let present = BTreeSet::from(["c0"]);
        assert_eq!(manifest.removed(&present).collect::<Vec<_>>(), ["c1"]);
    }

    #[test]
    fn seals_hold_for_the_chunk_that_they_were_made_for() {
        let key = ManifestKey::new(&[7; 32]).unwrap();
        let chunks = chunks();
        let seal = key.seal(&chunks[0]);
        assert_eq!(key.broken_seal(&chunks[0], Some(&seal)), None);
        assert_eq!(
            key.broken_seal(&chunks[1], Some(&seal)),
            Some(Tampering::Changed)
        );
        assert_eq!(key.broken_seal(&chunks[0], None), Some(Tampering::Foreign));
        assert_eq!(
            key.broken_seal(&chunks[0], Some("zz")),
            Some(Tampering::Changed)
        );
    }

    #[test]
    fn a_manifest_that_was_changed_or_is_anothers_does_not_hold() {
        let key = ManifestKey::new(&[7; 32]).unwrap();
        let manifest = Manifest::new(&chunks(), BTreeSet::new(), &key).unwrap();
        let other = ManifestKey::new(&[8; 32]).unwrap();
        assert_eq!(manifest.verify(&other), Err(ManifestError::Signature));
        let changes: [fn(&mut Manifest); 4] = [
            |m| m.chunks.retain(|id, _| id != "c1"),
            |m| m.withdrawn.extend(["c1".to_owned()]),
            |m| m.documents.clear(),
            |m| m.signature.clear(),
        ];
        for change in changes {
            let mut changed = manifest.clone();
            change(&mut changed);
            assert_eq!(changed.verify(&key), Err(ManifestError::Signature));
        }
        let twice = [chunks(), chunks()].concat();
        assert!(Manifest::new(&twice, BTreeSet::new(), &key).is_err());
        let json = serde_json::to_string(&manifest).unwrap();
        assert!(!json.contains("text 0"));
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    }
}
