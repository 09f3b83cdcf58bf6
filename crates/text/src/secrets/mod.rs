//! Keys, tokens, and passwords.
