//! One law per target.

mod agents;
mod classifier;
mod conversation;
mod guarded_stream;
mod leak;
mod offset_map;
mod pack;
mod patterns;
mod policy;
mod redact;
mod sensitive;
mod sink;
mod sse;
mod stream;
mod template_tokens;
mod vault;
mod views;

pub use agents::agents;
pub use classifier::classifier;
pub use conversation::conversation;
pub use guarded_stream::guarded_stream;
pub use leak::leak;
pub use offset_map::offset_map;
pub use pack::{pack, pack_signature};
pub use patterns::patterns;
pub use policy::policy;
pub use redact::redact;
pub use sensitive::{names, pii, secrets};
pub use sink::sink;
pub use sse::sse;
pub use stream::stream;
pub use template_tokens::template_tokens;
pub use vault::vault;
pub use views::views;
