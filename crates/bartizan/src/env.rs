//! The environment variables that the program reads, all of them.

use std::ffi::OsString;

/// The configuration file, as with `--config`.
pub(crate) const CONFIG: &str = "BARTIZAN_CONFIG";

/// The policy file, as with `--policy`.
pub(crate) const POLICY: &str = "BARTIZAN_POLICY";

/// The key of hashes, pseudonyms, and encryption: 64 hexadecimal digits.
pub(crate) const KEY: &str = "BARTIZAN_KEY";

/// The folder of the gateway's database, as with `--data`.
pub(crate) const DATA: &str = "BARTIZAN_DATA";

/// The private key of `bartizan sign`, PEM.
pub(crate) const SIGNING_KEY: &str = "BARTIZAN_SIGNING_KEY";

/// What `bartizan verify --exec` tells the command: where the verified copy is.
pub(crate) const MODEL: &str = "BARTIZAN_MODEL";

/// The time that a bill of materials states, in seconds since 1970.
pub(crate) const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The address of a gateway, as with `--gateway`.
pub(crate) const GATEWAY: &str = "BARTIZAN_GATEWAY";

/// The key for that gateway.
pub(crate) const TOKEN: &str = "BARTIZAN_TOKEN";

/// The filter of the gateway's log.
pub(crate) const LOG: &str = "BARTIZAN_LOG";

/// Where programs keep data, and where home is (XDG Base Directory Specification).
pub(crate) const XDG_DATA_HOME: &str = "XDG_DATA_HOME";
pub(crate) const HOME: &str = "HOME";

/// Columns to write in, where the output is no terminal.
pub(crate) const COLUMNS: &str = "COLUMNS";

// `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, and `TERM` are read by `anstream`.

/// The value of a variable; `None` if it is not set or empty.
pub(crate) fn get(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
