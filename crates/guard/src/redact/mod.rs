//! Replaces what was found: styles, format-preserving encryption, the reversible vault.
