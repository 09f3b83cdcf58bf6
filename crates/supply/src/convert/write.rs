//! The new file, and whether it is what was meant (<https://github.com/huggingface/safetensors#format>).

use std::io::Write;

use bartizan_formats::{Json, MAX_HEADER, ParseError, Reader, SafeTensors, Source};
use serde_json::{Map, Value, json};

use super::{ConvertError, Plan, stream::stream};
use crate::digest::{Algorithm, BLOCK, Digest, Hasher};

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Bytes of the new file.
    pub bytes: u64,
    header: u64,
    tensors: Vec<Digest>,
}

impl Plan<'_> {
    /// Writes the new file, tensor by tensor; `facts` are texts that go into its metadata beside the
    /// names that stand for others, as `save_model` of the reference writes them.
    ///
    /// # Errors
    /// When the file cannot be read or the new one cannot be written.
    pub fn write(
        &self,
        out: &mut dyn Write,
        facts: &[(&str, &str)],
    ) -> Result<Written, ConvertError> {
        let header = self.header(facts)?;
        let length = header.len() as u64;
        let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(ConvertError::Write);
        put(&length.to_le_bytes())?;
        put(&header)?;
        let mut written = Written {
            bytes: 8 + length,
            header: length,
            tensors: Vec::with_capacity(self.tensors.len()),
        };
        for tensor in &self.tensors {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            stream(self.source, tensor, &mut |bytes| {
                hasher.update(bytes);
                put(bytes)
            })?;
            written.bytes = written.bytes.saturating_add(tensor.bytes());
            written.tensors.push(hasher.finish());
        }
        Ok(written)
    }

    fn header(&self, facts: &[(&str, &str)]) -> Result<Vec<u8>, ConvertError> {
        let mut metadata = Map::new();
        for (kept, name) in self.ties.iter().map(|(name, kept)| (kept, name)) {
            metadata.insert(name.clone(), kept.as_str().into());
        }
        metadata.insert("format".to_owned(), self.framework.into());
        for &(key, value) in facts {
            metadata.insert(key.to_owned(), value.into());
        }
        let mut header = Map::new();
        header.insert("__metadata__".to_owned(), Value::Object(metadata));
        let mut at = 0_u64;
        for tensor in &self.tensors {
            let end = at.saturating_add(tensor.bytes());
            let entry = json!({
                "dtype": tensor.dtype(),
                "shape": tensor.shape,
                "data_offsets": [at, end],
            });
            header.insert(tensor.name.clone(), entry);
            at = end;
        }
        let mut header = Value::Object(header).to_string().into_bytes();
        // The data begins at a multiple of eight.
        header.resize(header.len().next_multiple_of(8), b' ');
        if header.len() as u64 > MAX_HEADER {
            return Err(ConvertError::Exhausted {
                limit: "bytes of the header",
                max: MAX_HEADER,
            });
        }
        Ok(header)
    }
}

/// Reads the new file again: its form, its description of every tensor, and every byte.
///
/// # Errors
/// When it is not what was written.
pub fn verify(plan: &Plan<'_>, file: &dyn Source, written: &Written) -> Result<(), ConvertError> {
    let differs = |what| Err(ConvertError::Differs(what));
    let read = SafeTensors::read(file)?;
    if !read.faults.is_empty() || read.tensors != plan.tensors.len() {
        return differs("its form");
    }
    let mut reader = Reader::new(file, 8);
    let header = reader.bytes(written.header, MAX_HEADER, "safetensors header")?;
    let header = String::from_utf8_lossy(&header).into_owned();
    let header = Json::parse(header.trim_end())?;
    if file.len() != written.bytes {
        return differs("its length");
    }
    let mut at = reader.position();
    for (tensor, digest) in plan.tensors.iter().zip(&written.tensors) {
        let entry = header.get(&tensor.name);
        let is_same = entry.is_some_and(|entry| {
            let shape = entry.get("shape").map(Json::items).unwrap_or_default();
            entry.text("dtype") == Some(tensor.dtype())
                && shape
                    .iter()
                    .map(Json::as_u64)
                    .eq(tensor.shape.iter().map(|&side| Some(side)))
        });
        if !is_same {
            return differs("the description of a tensor");
        }
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut left = tensor.bytes();
        while left > 0 {
            let bytes = file
                .read(at, left.min(BLOCK as u64))
                .map_err(ParseError::from)?;
            if bytes.is_empty() {
                return differs("its length");
            }
            hasher.update(&bytes);
            at += bytes.len() as u64;
            left -= bytes.len() as u64;
        }
        if hasher.finish() != *digest {
            return differs("the bytes of a tensor");
        }
    }
    Ok(())
}
