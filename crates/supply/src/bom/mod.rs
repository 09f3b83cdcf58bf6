//! What is in a folder: packages, models, adapters, data sets, and prompts, as bills of materials in
//! CycloneDX and SPDX.

mod cyclonedx;
mod inventory;
mod licence;
mod lock;
mod model;
mod package;
mod spdx;

pub use cyclonedx::{CycloneDxVersion, cyclonedx};
pub use inventory::{Asset, Gap, Inventory, LockFile};
pub use lock::{LockError, LockKind};
pub use model::{Model, ModelFile};
pub use package::{Ecosystem, Package};
pub use spdx::spdx;

/// What a bill of materials says about itself; the same facts give the same bytes.
#[derive(Clone, Debug)]
pub struct BomFacts<'a> {
    /// Version of the tool.
    pub tool_version: &'a str,
    /// When it was made, RFC 3339; left out where the format allows it.
    pub created: Option<&'a str>,
}
