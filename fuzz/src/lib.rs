//! Laws of everything that reads untrusted bytes.
//!
//! A law takes any bytes and panics when the product breaks a promise. The fuzzers in
//! `fuzz_targets/` look for bytes that do; `replay` tries the committed ones without a fuzzer.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

// The gateway's streams are plain structs, and the gateway itself takes minutes to build with
// coverage counters: its modules are compiled here without the rest of it.
#[expect(dead_code, reason = "the gateway uses more of it")]
#[path = "../../crates/gateway/src/endpoint.rs"]
mod endpoint;
mod guards;
mod input;
pub mod laws;
#[expect(dead_code, unused_imports, reason = "the gateway uses more of it")]
mod wire;

/// A law: panics on bytes for which it does not hold.
pub type Law = fn(&[u8]);

/// Every law by the name of its target, its folder in `corpus/`, and its folder in `regressions/`.
pub const TARGETS: &[(&str, Law)] = &[
    ("agents", laws::agents),
    ("checkpoint", laws::checkpoint),
    ("advisory", laws::advisory),
    ("bundle", laws::bundle),
    ("classifier", laws::classifier),
    ("conversation", laws::conversation),
    ("convert", laws::convert),
    ("flatbuffer", laws::flatbuffer),
    ("gguf", laws::gguf),
    ("document_docx", laws::document_docx),
    ("document_html", laws::document_html),
    ("document_mail", laws::document_mail),
    ("document_pdf", laws::document_pdf),
    ("guarded_stream", laws::guarded_stream),
    ("hdf5", laws::hdf5),
    ("jinja", laws::jinja),
    ("leak", laws::leak),
    ("ledger_tiles", laws::ledger_tiles),
    ("lock", laws::lock),
    ("configuration", laws::configuration),
    ("git_patch", laws::git_patch),
    ("gitleaks", laws::gitleaks),
    ("mcp", laws::mcp),
    ("names", laws::names),
    ("offset_map", laws::offset_map),
    ("pack", laws::pack),
    ("pack_signature", laws::pack_signature),
    ("patterns", laws::patterns),
    ("pickle", laws::pickle),
    ("personal", laws::personal),
    ("pii", laws::pii),
    ("policy", laws::policy),
    ("protobuf", laws::protobuf),
    ("python_source", laws::python_source),
    ("redact", laws::redact),
    ("redteam", laws::redteam),
    ("safetensors", laws::safetensors),
    ("sealed", laws::sealed),
    ("secrets", laws::secrets),
    ("settings", laws::settings),
    ("sink", laws::sink),
    ("sse", laws::sse),
    ("stream", laws::stream),
    ("tagged_values", laws::tagged_values),
    ("template_tokens", laws::template_tokens),
    ("vault", laws::vault),
    ("views", laws::views),
    ("zip_walk", laws::zip_walk),
];
