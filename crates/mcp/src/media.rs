//! Pictures, sounds, and files in results: what they say they are, and what they are.

use bartizan_core::{Confidence, Finding, Layer};
use bartizan_guard::conversation::Value;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{McpConfig, rules};

/// First bytes, at which place, and what begins so.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"MZ", "application/x-msdownload"),
];
/// Names of the same kind.
const ALIASES: &[(&str, &str)] = &[
    ("image/jpg", "image/jpeg"),
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/mp3", "audio/mpeg"),
];
/// Characters of base64 that hold the bytes that are looked at.
const HEAD: usize = 64;

/// What is wrong with the content of a result: blocks, resources, and the contents of those that
/// were read.
pub(crate) fn check(result: Value<'_, '_>, config: &McpConfig) -> Vec<Finding> {
    let mut found = Vec::new();
    let messages = result.get("messages").into_iter().flat_map(Value::items);
    let carriers = std::iter::once(result).chain(messages);
    for list in carriers.flat_map(|carrier| [carrier.get("content"), carrier.get("contents")]) {
        let Some(list) = list else { continue };
        // A message holds one block, or a list of them.
        let single = list.is_object().then_some(list);
        for block in list.items().chain(single) {
            let inner = block.get("resource").unwrap_or(block);
            let is_media = matches!(text(block, "type"), Some("image" | "audio"));
            let payload = if is_media {
                text(block, "data")
            } else {
                text(inner, "blob")
            };
            if let Some(payload) = payload {
                found.extend(fault(payload, text(inner, "mimeType"), config));
            }
        }
    }
    found
}

fn text<'d>(value: Value<'d, '_>, key: &str) -> Option<&'d str> {
    value.get(key)?.as_str()
}

fn fault(payload: &str, declared: Option<&str>, config: &McpConfig) -> Option<Finding> {
    let message = match (declared.map(canonical), sniffed(payload)) {
        (_, Err(())) => "content that is no base64",
        (Some(declared), Ok(Some(found))) if declared != found => {
            "content that is not of the kind that it says"
        }
        (Some(kind), _) if !config.admits_media(&kind) => "content of a kind that is not allowed",
        (None, Ok(Some(found))) if !config.admits_media(found) => {
            "content of a kind that is not allowed"
        }
        (None, Ok(None)) => "content of a kind that nobody knows",
        // A picture that does not begin like one is something else.
        (Some(kind), Ok(None)) if MAGIC.iter().any(|(_, _, known)| *known == kind) => {
            "content that is not of the kind that it says"
        }
        _ => return None,
    };
    Some(Finding {
        rule: (&rules::MEDIA).into(),
        layer: Layer::Provenance,
        confidence: Confidence::CERTAIN,
        span: None,
        via: Vec::new(),
        message: message.into(),
    })
}

/// The kind without its parameters, in lower case and under its first name.
fn canonical(media: &str) -> String {
    let bare = media.split(';').next().unwrap_or_default();
    let bare = bare.trim().to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == bare);
    alias.map_or(bare, |(_, name)| (*name).to_owned())
}

/// What the first bytes of `payload` are; `Err` if it does not begin with base64.
fn sniffed(payload: &str) -> Result<Option<&'static str>, ()> {
    let head = payload.get(..payload.len().min(HEAD)).ok_or(())?;
    // What is cut off may leave no whole group.
    let whole = head.trim_end_matches('=').len() / 4 * 4;
    let bytes = STANDARD
        .decode(head.get(..whole).unwrap_or_default())
        .map_err(|_| ())?;
    let begins = |(at, magic, _): &&(usize, &[u8], &str)| {
        bytes
            .get(*at..)
            .is_some_and(|bytes| bytes.starts_with(magic))
    };
    Ok(MAGIC.iter().find(begins).map(|(_, _, media)| *media))
}

#[cfg(test)]
mod tests {
    use bartizan_guard::conversation::{Document, ParseLimits};
    use serde_json::json;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn found(result: &serde_json::Value, config: &McpConfig) -> Vec<String> {
        let text = result.to_string();
        let document = Document::read(text.as_bytes(), &ParseLimits::default()).unwrap();
        let found = check(document.root(), config).into_iter();
        found.map(|finding| finding.message.into_owned()).collect()
    }

    #[test]
    fn content_is_what_it_says_and_allowed() {
        let image = |bytes: &[u8], media: &str| json!({"content": [{"type": "image", "data": STANDARD.encode(bytes), "mimeType": media}]});
        let config = McpConfig::default();
        assert!(found(&image(PNG, "image/png"), &config).is_empty());
        assert_eq!(
            found(&image(PNG, "image/jpeg"), &config),
            ["content that is not of the kind that it says"]
        );
        assert_eq!(
            found(&image(b"<svg onload=x>", "image/svg+xml"), &config),
            ["content of a kind that is not allowed"]
        );
        assert_eq!(
            found(&image(b"plain words here", "image/png"), &config),
            ["content that is not of the kind that it says"]
        );
    }

    #[test]
    fn files_are_looked_at_wherever_they_stand() {
        let config = McpConfig::default();
        let elf = STANDARD.encode(b"\x7fELF\x02\x01\x01\0\0\0\0\0");
        let inside =
            json!({"content": [{"type": "resource", "resource": {"uri": "a", "blob": elf}}]});
        let read = json!({"contents": [{"uri": "a", "mimeType": "text/plain", "blob": elf}]});
        let prompt = json!({"messages": [{"role": "user", "content": {"type": "audio", "data": elf, "mimeType": "audio/wav"}}]});
        for result in [inside, read, prompt] {
            assert_eq!(found(&result, &config).len(), 1, "{result}");
        }
        let open = McpConfig {
            media: Some(vec!["audio/*".into()]),
            ..McpConfig::default()
        };
        let wav = STANDARD.encode(b"RIFF\x24\0\0\0WAVEfmt ");
        let sound = json!({"content": [{"type": "audio", "data": wav, "mimeType": "audio/x-wav"}]});
        assert!(found(&sound, &open).is_empty());
        assert_eq!(found(&sound, &config).len(), 1);
    }
}
