use std::{
    collections::{BTreeMap, HashSet},
    num::{NonZeroU64, NonZeroUsize},
    path::Path,
};

use aws_lc_rs::digest;
use bartizan_core::hex;
use serde_json::{Value, json};

use super::{
    Bundle, Certificate, Content, Envelope, IN_TOTO, Material, PublicKey, Roots, Scheme, SignError,
    SigningKey, Statement, Subject, VerifyError, envelope,
};
use crate::digest::{
    Algorithm, Digest, Granularity, Manifest, Resource, ResourceName, Selection, Tree, hash_tree,
};

/// The predicate of model signing 1.0.
const SIGNATURE: &str = "https://model_signing/signature/v1.0";

/// What the drafts before 1.0 wrote: digests in the subject.
const DIGESTS: &str = "https://model_signing/Digests/v0.1";

/// What a signature says about a model: how it was digested, and every digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatement {
    /// The model's name; it decides nothing.
    pub name: String,
    /// In the order in which they were recorded.
    pub manifest: Manifest,
    /// What made the digests.
    pub algorithm: Algorithm,
    /// Files or shards.
    pub granularity: Granularity,
    /// Links and ignored files, as recorded.
    pub selection: Selection,
}

/// Digests the model at `root` for a signature.
///
/// # Errors
/// When a file cannot be digested, or there is none.
pub fn describe(
    root: &Path,
    selection: Selection,
    algorithm: Algorithm,
    granularity: Granularity,
    threads: NonZeroUsize,
) -> Result<ModelStatement, SignError> {
    let tree = Tree::walk(root, &selection)?.complete(root)?;
    let manifest = hash_tree(&tree, algorithm, granularity, threads)?;
    if manifest.resources.is_empty() {
        return Err(SignError::Digest(crate::digest::DigestError::Empty {
            path: root.to_owned(),
        }));
    }
    Ok(ModelStatement {
        name: tree.name,
        manifest,
        algorithm,
        granularity,
        selection,
    })
}

impl ModelStatement {
    /// The in-toto statement that is signed.
    #[must_use]
    pub fn to_statement(&self) -> Statement {
        let algorithm = match self.granularity {
            Granularity::Files => self.algorithm.to_string(),
            // The name that the reference implementation gives to digests of shards.
            Granularity::Shards(size) => format!("{}-sharded-{size}", self.algorithm),
        };
        let resources = self.manifest.resources.iter().map(|resource| {
            json!({
                "algorithm": algorithm,
                "digest": resource.digest.to_hex(),
                "name": resource.name.to_string(),
            })
        });
        let mut ignored = self.selection.ignored.clone();
        ignored.sort();
        let mut serialization = json!({
            "allow_symlinks": self.selection.allow_symlinks,
            "hash_type": self.algorithm.as_str(),
            "ignore_paths": ignored,
            "method": match self.granularity {
                Granularity::Files => "files",
                Granularity::Shards(_) => "shards",
            },
        });
        if let (Granularity::Shards(size), Some(fields)) =
            (self.granularity, serialization.as_object_mut())
        {
            fields.insert("shard_size".to_owned(), size.get().into());
        }
        let predicate = json!({
            "resources": resources.collect::<Vec<Value>>(),
            "serialization": serialization,
        });
        let root = self.manifest.root().to_hex();
        Statement::new(
            vec![Subject::sha256(&self.name, root)],
            SIGNATURE,
            predicate,
        )
    }

    /// Reads a statement that was verified. `old` also takes the drafts' form.
    ///
    /// # Errors
    /// When it is about something else, contradicts itself, or names a file outside the model.
    pub fn from_statement(statement: &Statement, old: bool) -> Result<Self, VerifyError> {
        match statement.predicate_type.as_str() {
            SIGNATURE => Self::read(statement),
            DIGESTS if old => Self::read_old(statement),
            found => Err(VerifyError::Predicate {
                found: found.to_owned(),
                expected: SIGNATURE,
            }),
        }
    }

    fn read(statement: &Statement) -> Result<Self, VerifyError> {
        let wrong = VerifyError::Statement;
        let [subject] = statement.subject.as_slice() else {
            return Err(wrong("it is not about exactly one model"));
        };
        let predicate = &statement.predicate;
        let how = predicate
            .get("serialization")
            .ok_or(wrong("it does not say how the model was digested"))?;
        let text = |name: &str| how.get(name).and_then(Value::as_str);
        let algorithm = text("hash_type")
            .and_then(Algorithm::from_name)
            .ok_or(wrong("it names an unknown digest"))?;
        let granularity = match text("method") {
            Some("files") => Granularity::Files,
            Some("shards") => Granularity::Shards(
                how.get("shard_size")
                    .and_then(whole)
                    .ok_or(wrong("it does not say how long shards are"))?,
            ),
            _ => return Err(wrong("it names an unknown method")),
        };
        let ignored = match how.get("ignore_paths") {
            None | Some(Value::Null) => Vec::new(),
            Some(paths) => paths
                .as_array()
                .and_then(|paths| {
                    let names = paths
                        .iter()
                        .map(|path| Some(path.as_str()?.trim_end_matches('/').to_owned()));
                    names.collect::<Option<Vec<_>>>()
                })
                .ok_or(wrong("its ignored paths are no list of names"))?,
        };
        let allow_symlinks = match how.get("allow_symlinks") {
            None => false,
            Some(value) => value
                .as_bool()
                .ok_or(wrong("it does not say whether links are followed"))?,
        };
        let resources = predicate
            .get("resources")
            .and_then(Value::as_array)
            .ok_or(wrong("it names no files"))?;
        let named_algorithm = |name: &str| {
            name == algorithm.as_str()
                || matches!(granularity, Granularity::Shards(size)
                    if name.strip_prefix(algorithm.as_str()) == Some(format!("-sharded-{size}").as_str()))
        };
        let read = |resource: &Value| {
            let text = |name: &str| resource.get(name).and_then(Value::as_str);
            let name = resource_name(text("name")?, granularity)?;
            text("algorithm").filter(|name| named_algorithm(name))?;
            let digest = Digest::new(algorithm, &hex::decode(text("digest")?)?)?;
            Some(Resource { name, digest })
        };
        let resources: Vec<Resource> = resources
            .iter()
            .map(read)
            .collect::<Option<_>>()
            .ok_or(wrong("it names a file in a way that is not allowed"))?;
        let manifest = Manifest { resources };
        unique(&manifest)?;
        if subject.digest.get("sha256") != Some(&manifest.root().to_hex()) {
            return Err(wrong("its root digest is not that of its files"));
        }
        Ok(Self {
            name: subject.name.clone(),
            manifest,
            algorithm,
            granularity,
            selection: Selection {
                allow_symlinks,
                ignored,
            },
        })
    }

    fn read_old(statement: &Statement) -> Result<Self, VerifyError> {
        let read = |subject: &Subject| {
            let name = resource_name(&subject.name, Granularity::Files)?;
            let digest = hex::decode(subject.digest.get("sha256")?)?;
            let digest = Digest::new(Algorithm::Sha256, &digest)?;
            Some(Resource { name, digest })
        };
        let resources: Option<Vec<Resource>> = statement.subject.iter().map(read).collect();
        let manifest = Manifest {
            resources: resources.ok_or(VerifyError::Statement(
                "it names a file in a way that is not allowed",
            ))?,
        };
        unique(&manifest)?;
        Ok(Self {
            name: String::new(),
            manifest,
            algorithm: Algorithm::Sha256,
            granularity: Granularity::Files,
            selection: Selection {
                allow_symlinks: false,
                ignored: Selection::GIT.map(str::to_owned).into(),
            },
        })
    }
}

/// A whole number; protobuf's JSON writes it as `4.0`.
fn whole(value: &Value) -> Option<NonZeroU64> {
    let number = value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        // Below 2^53 every whole number is exact.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked"
        )]
        (1.0..9_007_199_254_740_992.0)
            .contains(&number)
            .then_some(number as u64)
    })?;
    NonZeroU64::new(number)
}

/// Names lead below the model and nowhere else (model-signing 1.0, "resource names"). `.` is what
/// the reference implementation calls a model of one file.
fn resource_name(text: &str, granularity: Granularity) -> Option<ResourceName> {
    let name = match granularity {
        Granularity::Files => ResourceName {
            path: text.to_owned(),
            range: None,
        },
        Granularity::Shards(_) => ResourceName::parse_shard(text)?,
    };
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    let path = name.path.as_str();
    let plain = path == "." || path.split('/').all(is_plain);
    (plain && !path.contains('\0')).then_some(name)
}

fn unique(manifest: &Manifest) -> Result<(), VerifyError> {
    if manifest.resources.is_empty() {
        return Err(VerifyError::Statement("it names no files"));
    }
    let mut seen = HashSet::new();
    for resource in &manifest.resources {
        if !seen.insert(&resource.name) {
            return Err(VerifyError::Statement("it names a file twice"));
        }
    }
    Ok(())
}

/// Who signs.
#[derive(Debug)]
pub enum Signer {
    /// A key, which verifiers must have.
    Key(SigningKey),
    /// A key, and the certificate that says whose it is.
    Certificate(SigningKey, Certificate),
}

impl Signer {
    /// A key with its certificate.
    ///
    /// # Errors
    /// When the certificate is for another key, or for no elliptic curve.
    pub fn certified(key: SigningKey, certificate: Certificate) -> Result<Self, SignError> {
        if key.public().scheme() == Scheme::Ed25519 {
            return Err(SignError::CertificateScheme);
        }
        if certificate.public_key()? != *key.public() {
            return Err(SignError::OtherKey);
        }
        Ok(Self::Certificate(key, certificate))
    }

    const fn key(&self) -> &SigningKey {
        match self {
            Self::Key(key) | Self::Certificate(key, _) => key,
        }
    }

    fn material(&self) -> Material {
        match self {
            Self::Key(key) => Material::PublicKey {
                hint: Some(key.public().hint()),
            },
            Self::Certificate(_, certificate) => Material::Chain(certificate.to_der()),
        }
    }
}

/// Signs a statement.
///
/// # Errors
/// When the library of cryptography refuses.
pub fn sign_statement(statement: &Statement, signer: &Signer) -> Result<Bundle, SignError> {
    let payload = statement.to_json();
    let signature = signer.key().sign(&envelope::pae(IN_TOTO, &payload))?;
    Ok(Bundle {
        material: signer.material(),
        content: Content::Envelope(Envelope {
            payload,
            payload_type: IN_TOTO.to_owned(),
            signature,
        }),
    })
}

/// Signs bytes as `cosign sign-blob` does.
///
/// # Errors
/// When the library of cryptography refuses.
pub fn sign_blob(bytes: &[u8], signer: &Signer) -> Result<Bundle, SignError> {
    Ok(Bundle {
        material: signer.material(),
        content: Content::Message {
            sha256: Some(digest::digest(&digest::SHA256, bytes).as_ref().to_vec()),
            signature: signer.key().sign(bytes)?,
        },
    })
}

/// Whose signatures count.
#[derive(Clone, Debug)]
pub struct Trust {
    /// These keys'.
    pub keys: Vec<PublicKey>,
    /// Those of certificates that these stand behind.
    pub roots: Option<Roots>,
    /// Also signatures as they were made before model signing 1.0: over Python's notation of the
    /// payload, and with SHA-256 for every curve. Off unless somebody asks for it.
    pub accept_old: bool,
}

/// Who made a signature that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key.
    pub key: PublicKey,
    /// What the certificate says about its owner; nothing for a bare key.
    pub names: Vec<String>,
    /// Whether only the form before 1.0 fitted.
    pub is_old: bool,
}

impl Bundle {
    /// Whether one of those who are trusted signed the statement; it is not to be looked at before.
    ///
    /// # Errors
    /// When it carries no statement, or nobody who is trusted signed it.
    pub fn verify(&self, trust: &Trust) -> Result<(Statement, Verified), VerifyError> {
        let Content::Envelope(envelope) = &self.content else {
            return Err(VerifyError::Bundle("it carries no statement"));
        };
        if envelope.payload_type != IN_TOTO {
            return Err(VerifyError::Bundle("its payload is no in-toto statement"));
        }
        let message = envelope::pae(IN_TOTO, &envelope.payload);
        let verified = match self.signed(trust, |key| key.verify(&message, &envelope.signature)) {
            Err(VerifyError::Signature) if trust.accept_old => {
                let message = envelope::old_pae(IN_TOTO, &envelope.payload);
                let is_chain = matches!(self.material, Material::Chain(_));
                let verified = self.signed(trust, |key| {
                    if is_chain {
                        key.verify_with_sha256(&message, &envelope.signature)
                    } else {
                        key.verify(&message, &envelope.signature)
                    }
                })?;
                Verified {
                    is_old: true,
                    ..verified
                }
            }
            other => other?,
        };
        Ok((Statement::parse(&envelope.payload)?, verified))
    }

    fn signed(
        &self,
        trust: &Trust,
        fits: impl Fn(&PublicKey) -> bool,
    ) -> Result<Verified, VerifyError> {
        let other = |trusted| VerifyError::OtherMaterial {
            carried: self.material.as_str(),
            trusted,
        };
        match &self.material {
            Material::PublicKey { .. } if trust.keys.is_empty() => Err(other("no public key")),
            Material::PublicKey { hint } => {
                let named: Vec<&PublicKey> = trust
                    .keys
                    .iter()
                    .filter(|key| hint.as_ref().is_none_or(|hint| key.is_called(hint)))
                    .collect();
                if named.is_empty() {
                    return Err(VerifyError::OtherKey);
                }
                let key = named.into_iter().find(|key| fits(key));
                Ok(Verified {
                    key: key.ok_or(VerifyError::Signature)?.clone(),
                    names: Vec::new(),
                    is_old: false,
                })
            }
            Material::Chain(chain) => {
                let roots = trust.roots.as_ref().ok_or(other("no certificate"))?;
                let certified = roots.verify(chain)?;
                if !fits(&certified.key) {
                    return Err(VerifyError::Signature);
                }
                Ok(Verified {
                    key: certified.key,
                    names: certified.names,
                    is_old: false,
                })
            }
            Material::Keyless => Err(other("no trusted root of a log")),
        }
    }
}

/// Whether one of those who are trusted signed `bytes`, as `cosign verify-blob` asks.
///
/// # Errors
/// When the bundle carries no signature over a file, or nobody who is trusted made it.
pub fn verify_blob(bytes: &[u8], bundle: &Bundle, trust: &Trust) -> Result<Verified, VerifyError> {
    let Content::Message { sha256, signature } = &bundle.content else {
        return Err(VerifyError::Bundle("it carries no signature over a file"));
    };
    let own = digest::digest(&digest::SHA256, bytes);
    if sha256
        .as_ref()
        .is_some_and(|claimed| claimed != own.as_ref())
    {
        return Err(VerifyError::Signature);
    }
    bundle.signed(trust, |key| key.verify(bytes, signature))
}

/// The files of a statement with their pieces, by name.
pub(super) fn by_file(manifest: &Manifest) -> BTreeMap<&str, Vec<&Resource>> {
    let mut files: BTreeMap<&str, Vec<&Resource>> = BTreeMap::new();
    for resource in &manifest.resources {
        files.entry(&resource.name.path).or_default().push(resource);
    }
    files
}
