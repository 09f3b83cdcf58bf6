use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
};

use super::{PublicKey, SignError, VerifyError};

/// A certificate for signing, and those that lead from it towards a trusted one.
#[derive(Clone, Debug)]
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
}

impl Certificate {
    /// Reads the signing certificate, and further ones in any order.
    ///
    /// # Errors
    /// When there is none, or one cannot be read.
    pub fn from_pem(pem: &[u8], further: &[Vec<u8>]) -> Result<Self, SignError> {
        let mut chain = certificates(pem).ok_or(SignError::Certificate)?;
        for pem in further {
            chain.extend(certificates(pem).ok_or(SignError::Certificate)?);
        }
        Ok(Self { chain })
    }

    /// The signing certificate and the others, DER.
    pub(super) fn to_der(&self) -> Vec<Vec<u8>> {
        let chain = self.chain.iter();
        chain.map(|certificate| certificate.to_vec()).collect()
    }

    /// The key of the signing certificate.
    pub(super) fn public_key(&self) -> Result<PublicKey, SignError> {
        let first = self.chain.first().ok_or(SignError::Certificate)?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|_| SignError::Certificate)?;
        PublicKey::from_spki(parsed.public_key().raw).map_err(|_| SignError::CertificateScheme)
    }
}

/// Certificates that are trusted to name signers.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Those that signed themselves.
    anchors: Vec<CertificateDer<'static>>,
    /// The others: they help to find a way, and end none.
    between: Vec<CertificateDer<'static>>,
}

/// What a verified certificate says about its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CertifiedKey {
    pub(super) key: PublicKey,
    /// Addresses, names, and identifiers of the owner, as the certificate writes them.
    pub(super) names: Vec<String>,
}

impl Roots {
    /// Reads PEM files.
    ///
    /// # Errors
    /// When one holds no certificate, or none of them signed itself.
    pub fn from_pem(files: &[Vec<u8>]) -> Result<Self, VerifyError> {
        let mut all = Vec::new();
        for pem in files {
            all.extend(certificates(pem).ok_or(VerifyError::Certificate)?);
        }
        let (anchors, between) = all.into_iter().partition(is_self_issued);
        let roots = Self { anchors, between };
        if roots.anchors.is_empty() {
            return Err(VerifyError::Chain("none of those given signed itself"));
        }
        Ok(roots)
    }

    /// Whether a chain leads to one of these, at the time when the signing certificate began to
    /// hold: the format carries no proof of a later one, and neither does the reference
    /// implementation ask for one.
    pub(super) fn verify(&self, chain: &[Vec<u8>]) -> Result<CertifiedKey, VerifyError> {
        let (first, rest) = chain.split_first().ok_or(VerifyError::Certificate)?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|_| VerifyError::Certificate)?;
        may_sign(&parsed)?;
        let since = u64::try_from(parsed.validity().not_before.timestamp())
            .map_err(|_| VerifyError::Chain("it began to hold before 1970"))?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(since));
        let anchors: Vec<TrustAnchor<'_>> = self
            .anchors
            .iter()
            .map(anchor_from_trusted_cert)
            .collect::<Result<_, _>>()
            .map_err(|_| VerifyError::Chain("a trusted certificate cannot be used"))?;
        let between: Vec<CertificateDer<'_>> = rest
            .iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .chain(
                self.between
                    .iter()
                    .map(|own| CertificateDer::from(own.as_ref())),
            )
            .collect();
        let first = CertificateDer::from(first.as_slice());
        let leaf =
            EndEntityCert::try_from(&first).map_err(|error| VerifyError::Chain(why(&error)))?;
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &between,
            time,
            AnyPurpose,
            None,
            None,
        )
        .map_err(|error| VerifyError::Chain(why(&error)))?;
        Ok(CertifiedKey {
            key: PublicKey::from_spki(parsed.public_key().raw)?,
            names: names(&parsed),
        })
    }
}

/// Purposes are looked at by [`may_sign`].
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// Model signing 1.0, "certificate": digital signatures are among the key's uses, or code signing
/// among its purposes; a purpose that is stated and another one does not do.
fn may_sign(certificate: &X509Certificate<'_>) -> Result<(), VerifyError> {
    let usage = certificate.key_usage().map_err(|_| VerifyError::Usage)?;
    let purposes = certificate
        .extended_key_usage()
        .map_err(|_| VerifyError::Usage)?;
    let signs = usage.map(|usage| usage.value.digital_signature());
    let is_for_code = purposes.map(|purposes| purposes.value.code_signing || purposes.value.any);
    match (signs, is_for_code) {
        (Some(false), _) | (_, Some(false)) | (None, None) => Err(VerifyError::Usage),
        _ => Ok(()),
    }
}

/// The common name, and the alternative ones.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let common = certificate.subject().iter_common_name();
    let mut names: Vec<String> = common
        .filter_map(|name| name.as_str().ok())
        .map(|name| format!("CN={name}"))
        .collect();
    for extension in certificate.extensions() {
        let ParsedExtension::SubjectAlternativeName(alternative) = extension.parsed_extension()
        else {
            continue;
        };
        for name in &alternative.general_names {
            match name {
                GeneralName::RFC822Name(name)
                | GeneralName::DNSName(name)
                | GeneralName::URI(name) => {
                    names.push((*name).to_owned());
                }
                _ => {}
            }
        }
    }
    names
}

fn is_self_issued(certificate: &CertificateDer<'static>) -> bool {
    X509Certificate::from_der(certificate)
        .is_ok_and(|(_, parsed)| parsed.issuer().as_raw() == parsed.subject().as_raw())
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .ok()?;
    (!all.is_empty()).then_some(all)
}

fn why(error: &webpki::Error) -> &'static str {
    match error {
        webpki::Error::UnknownIssuer => "no way leads to one",
        webpki::Error::CertExpired { .. } => "a certificate had expired when the signing one began",
        webpki::Error::CertNotValidYet { .. } => {
            "a certificate did not hold yet when the signing one began"
        }
        webpki::Error::CaUsedAsEndEntity => "it is for issuing certificates",
        webpki::Error::EndEntityUsedAsCa => "its issuer may not issue certificates",
        webpki::Error::InvalidSignatureForPublicKey => "a signature in the chain is false",
        webpki::Error::UnsupportedCertVersion => "a certificate is not of version 3",
        _ => "the chain breaks a rule of RFC 5280",
    }
}
