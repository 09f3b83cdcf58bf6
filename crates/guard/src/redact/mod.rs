//! Replaces what was found: styles, format-preserving encryption, the reversible vault.

mod clusters;
mod format_preserving;
mod keys;
mod style;
mod vault;

pub use clusters::{Stretch, stretches};
pub use format_preserving::{FormatError, FormatPreserving};
pub use keys::Keys;
pub use style::{Redactor, Style, StyleError, Styles, short_name};
pub use vault::{Restorer, Vault, VaultError};
