//! Container images without a daemon: what a container would see of the files that name packages.
//!
//! Reads what `docker save` writes and OCI layouts, as tar archives or folders (OCI Image Format
//! Specification 1.1, "Image Layout" and "Image Layer Filesystem Changeset"). Layers are read as
//! streams; only files that are asked for are kept.

mod blobs;
mod layers;
mod release;

use std::path::Path;

use blobs::Blobs;
pub(crate) use layers::Files;
pub(crate) use release::{is_release, release};
use serde_json::Value;

/// Why an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    #[error("it is no image: {0}")]
    Malformed(&'static str),
    #[error("the image lacks `{0}`")]
    Missing(String),
    #[error("`{0}` is not what its digest says")]
    Altered(String),
    #[error("limit `{limit}` reached at {max}")]
    Exhausted { limit: &'static str, max: u64 },
    #[error("a layer of the image cannot be read")]
    Layer,
    #[error("the image cannot be read")]
    Io(#[from] std::io::Error),
}

/// Most bytes of a document of an image.
const MAX_DOCUMENT: u64 = 16 << 20;

/// Most layers of an image.
const MAX_LAYERS: usize = 1_000;

/// Whether there is an image at `path`.
pub(crate) fn is_image(path: &Path) -> bool {
    Blobs::open(path).is_ok_and(|blobs| blobs.is_saved() || blobs.is_layout())
}

/// The files of the image that `wanted` asks for, as a container would see them.
pub(crate) fn files(path: &Path, wanted: fn(&str) -> bool) -> Result<Files, ImageError> {
    let blobs = Blobs::open(path)?;
    let layers = if blobs.is_saved() {
        saved(&blobs)?
    } else {
        layout(&blobs)?
    };
    if layers.len() > MAX_LAYERS {
        return Err(ImageError::Exhausted {
            limit: "layers of an image",
            max: MAX_LAYERS as u64,
        });
    }
    let mut files = Files::new(wanted);
    for layer in layers {
        files.apply(&*blobs.get(&layer)?)?;
    }
    Ok(files)
}

/// `docker save`: a list of images with the names of their layers.
fn saved(blobs: &Blobs) -> Result<Vec<String>, ImageError> {
    let manifest = document(blobs, "manifest.json")?;
    let images = manifest.as_array().map(Vec::as_slice).unwrap_or_default();
    let [image] = images else {
        return Err(ImageError::Malformed("it holds not just one image"));
    };
    let layers = image.get("Layers").and_then(Value::as_array);
    let layers = layers.ok_or(ImageError::Malformed("no list of layers"))?;
    let names = layers.iter().map(|layer| layer.as_str().map(str::to_owned));
    names
        .collect::<Option<_>>()
        .ok_or(ImageError::Malformed("a layer without a name"))
}

/// An OCI layout: an index, a manifest, layers by their digests.
fn layout(blobs: &Blobs) -> Result<Vec<String>, ImageError> {
    let mut named = "index.json".to_owned();
    // An index may hold one of indexes.
    for _ in 0..4 {
        let document = document(blobs, &named)?;
        if let Some(layers) = document.get("layers").and_then(Value::as_array) {
            return layers.iter().map(blob).collect();
        }
        let manifests = document.get("manifests").and_then(Value::as_array);
        let mut manifests = manifests.into_iter().flatten().filter(|one| {
            // Attestations stand beside images.
            let platform = one.pointer("/platform/os").and_then(Value::as_str);
            platform != Some("unknown")
        });
        match (manifests.next(), manifests.next()) {
            (Some(only), None) => named = blob(only)?,
            _ => return Err(ImageError::Malformed("it holds not just one image")),
        }
    }
    Err(ImageError::Malformed("an index without end"))
}

fn document(blobs: &Blobs, name: &str) -> Result<Value, ImageError> {
    let source = blobs.get(name)?;
    if source.len() > MAX_DOCUMENT {
        return Err(ImageError::Exhausted {
            limit: "bytes of a document of the image",
            max: MAX_DOCUMENT,
        });
    }
    let bytes = source.read(0, source.len())?;
    serde_json::from_slice(&bytes).map_err(|_| ImageError::Malformed("a document is no JSON"))
}

/// Where a described blob lies.
fn blob(descriptor: &Value) -> Result<String, ImageError> {
    let digest = descriptor.get("digest").and_then(Value::as_str);
    let (algorithm, digits) = digest
        .and_then(|digest| digest.split_once(':'))
        .ok_or(ImageError::Malformed("a blob without a digest"))?;
    let is_sound = algorithm == "sha256"
        && digits.len() == 64
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_sound {
        return Err(ImageError::Malformed("a digest that is none of SHA-256"));
    }
    Ok(format!("blobs/sha256/{}", digits.to_ascii_lowercase()))
}
