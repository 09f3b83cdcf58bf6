//! One law per target.

mod checkpoint;
mod artifact;
mod agents;
mod classifier;
mod conversation;
mod document;
mod guarded_stream;
mod leak;
mod ledger_tiles;
mod mcp;
mod models;
mod offset_map;
mod pack;
mod patterns;
mod personal;
mod policy;
mod redact;
mod redteam;
mod sensitive;
mod sink;
mod sse;
mod stream;
mod supply;
mod template_tokens;
mod vault;
mod views;

pub use checkpoint::checkpoint;
pub use artifact::{pickle, zip_walk};
pub use agents::agents;
pub use classifier::classifier;
pub use conversation::conversation;
pub use document::{document_docx, document_html, document_mail, document_pdf};
pub use guarded_stream::guarded_stream;
pub use leak::leak;
pub use ledger_tiles::ledger_tiles;
pub use mcp::mcp;
pub use models::{
    flatbuffer, gguf, hdf5, jinja, protobuf, python_source, safetensors, settings, tagged_values,
};
pub use offset_map::offset_map;
pub use pack::{pack, pack_signature};
pub use patterns::patterns;
pub use personal::personal;
pub use policy::policy;
pub use redact::redact;
pub use redteam::redteam;
pub use sensitive::{names, pii, secrets};
pub use sink::sink;
pub use sse::sse;
pub use stream::stream;
pub use supply::{advisory, bundle, lock};
pub use template_tokens::template_tokens;
pub use vault::vault;
pub use views::views;
