use std::path::PathBuf;

use clap::Args;

/// Where the key lies. A place is `env:NAME`, `file:/path`, `vault:mount/path#field`,
/// `aws:name#field`, `gcp:name`, or `azure:name`; never the key itself.
#[derive(Debug, Args)]
pub(crate) struct SealingKey {
    /// Place of 32 bytes in base64 or hexadecimal digits; `env:BARTIZAN_KEY` if nothing is given
    #[arg(long, value_name = "PLACE", help_heading = "Key")]
    pub(crate) key: Option<String>,
    /// Place of a passphrase of at least 12 characters
    #[arg(long, value_name = "PLACE", help_heading = "Key")]
    pub(crate) passphrase: Option<String>,
    /// Configuration file with `secrets`; `bartizan.yaml` in the current folder if there is one
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(crate) config: Option<PathBuf>,
}

/// Where the key of sealed files lies, for commands that read them as the plain ones.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct UnsealKey {
    /// Read sealed files with the key at this place: `env:NAME`, `file:/path`, or one of a secret
    /// manager
    #[arg(long, value_name = "PLACE", help_heading = "Sealed files")]
    pub(crate) unseal_key: Option<String>,
    /// Read sealed files with the passphrase at this place
    #[arg(long, value_name = "PLACE", help_heading = "Sealed files")]
    pub(crate) unseal_passphrase: Option<String>,
    /// Read sealed files with keys that Vault's transit engine opens
    #[arg(long, help_heading = "Sealed files")]
    pub(crate) unseal_transit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// A file, or a folder such as a model
    pub(crate) from: PathBuf,
    /// Where the sealed file or folder goes
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) key: SealingKey,
    /// Let Vault's transit engine make the keys: `MOUNT/KEY`, e.g. `transit/models`
    #[arg(
        long,
        value_name = "MOUNT/KEY",
        conflicts_with_all = ["key", "passphrase"],
        help_heading = "Key"
    )]
    pub(crate) transit: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Unseal {
    /// A sealed file, or a folder of them
    pub(crate) from: PathBuf,
    /// Where the plain file or folder goes; only its owner can read it
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) key: SealingKey,
}
