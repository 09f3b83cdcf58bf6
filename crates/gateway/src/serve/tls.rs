//! TLS towards clients, from files that may change under us.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use parking_lot::{Mutex, RwLock};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::config::{ClientAuth, MinVersion, TlsConfig};

/// A TLS configuration that can be read anew; connections that are open keep theirs.
pub struct Tls {
    config: TlsConfig,
    current: RwLock<Arc<ServerConfig>>,
    stamps: Mutex<Vec<Stamp>>,
}

/// Why TLS cannot be set up. Names files, never what is in them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read or is not PEM of the right kind.
    #[error("`{}` cannot be read as PEM of {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<pem::Error>,
    },
    /// A file holds nothing of the kind.
    #[error("`{}` holds no {what}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
    },
    /// Client certificates are wanted, and no authority is named.
    #[error("client certificates are wanted, name their authorities in `ca_file`")]
    NoAuthorities,
    /// The system's authorities cannot be read.
    #[error("the system's authorities cannot be read")]
    SystemRoots(#[source] std::io::Error),
    /// The client verifier cannot be made.
    #[error("the authorities or revocation lists cannot be used")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
    /// The certificate and key do not fit, or are of a kind that is not known.
    #[error("the certificate and its key cannot be used together")]
    Certificate(#[source] rustls::Error),
}

impl TlsError {
    pub(crate) fn file(path: &Path, what: &'static str, source: pem::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            what,
            source: Box::new(source),
        }
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        let stamps = stamps(config);
        let current = RwLock::new(Arc::new(server_config(config)?));
        Ok(Self {
            config: config.clone(),
            current,
            stamps: Mutex::new(stamps),
        })
    }

    /// What new connections get.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read())
    }

    /// Reads the files anew, for new connections.
    ///
    /// # Errors
    /// When one cannot be used; then everything stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        // Stamped first: what is written while we read is read again at the next look.
        let stamps = stamps(&self.config);
        *self.stamps.lock() = stamps;
        let fresh = Arc::new(server_config(&self.config)?);
        *self.current.write() = fresh;
        Ok(())
    }

    /// Reads the files anew if one was changed since they were last read. Tells whether it did.
    ///
    /// # Errors
    /// When one cannot be used; then everything stays as it was until a file changes again.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        if *self.stamps.lock() == stamps(&self.config) {
            return Ok(false);
        }
        self.reload().map(|()| true)
    }

    pub(super) const fn config(&self) -> &TlsConfig {
        &self.config
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("config", &self.config).finish()
    }
}

/// What tells one state of a file from another.
type Stamp = Option<(SystemTime, u64)>;

fn stamps(config: &TlsConfig) -> Vec<Stamp> {
    [&config.cert_file, &config.key_file]
        .into_iter()
        .chain(&config.ca_file)
        .chain(&config.crl_files)
        .map(|path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        })
        .collect()
}

fn server_config(config: &TlsConfig) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain: Vec<CertificateDer<'static>> = pem_objects(&config.cert_file, "certificates")?;
    let key = PrivateKeyDer::from_pem_file(&config.key_file)
        .map_err(|source| TlsError::file(&config.key_file, "a private key", source))?;
    let verifier = client_verifier(config, &provider)?;
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(config.min_version))
        .map_err(TlsError::Certificate)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(TlsError::Certificate)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}

fn versions(least: MinVersion) -> &'static [&'static SupportedProtocolVersion] {
    static NEWEST: [&SupportedProtocolVersion; 1] = [&TLS13];
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    match least {
        MinVersion::Tls13 => &NEWEST,
        MinVersion::Tls12 => &BOTH,
    }
}

fn client_verifier(
    config: &TlsConfig,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if config.client_auth == ClientAuth::None {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let ca_file = config.ca_file.as_ref().ok_or(TlsError::NoAuthorities)?;
    let mut roots = RootCertStore::empty();
    for authority in pem_objects::<CertificateDer<'static>>(ca_file, "certificates")? {
        roots.add(authority).map_err(TlsError::Certificate)?;
    }
    let mut lists: Vec<CertificateRevocationListDer<'static>> = Vec::new();
    for path in &config.crl_files {
        lists.extend(pem_objects(path, "revocation lists")?);
    }
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    if !lists.is_empty() {
        builder = builder.with_crls(lists).enforce_revocation_expiration();
    }
    if config.client_auth == ClientAuth::Optional {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(TlsError::Verifier)?;
    Ok(verifier)
}

/// Everything of one kind in a PEM file; `what` says what that is.
pub(crate) fn pem_objects<T: PemObject>(
    path: &Path,
    what: &'static str,
) -> Result<Vec<T>, TlsError> {
    let objects: Vec<T> = T::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::file(path, what, source))?;
    if objects.is_empty() {
        let path = path.to_owned();
        return Err(TlsError::Empty { path, what });
    }
    Ok(objects)
}
