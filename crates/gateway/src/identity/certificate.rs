use rustls_pki_types::CertificateDer;

use super::CertificateConfig;

/// The names in a certificate by which a principal may be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateName {
    /// A URI among the subject alternative names, e.g. a SPIFFE id.
    Uri(String),
    /// A DNS name among the subject alternative names.
    Dns(String),
    /// The common name of the subject.
    Common(String),
}

/// The names in `certificate`, which was verified in the TLS handshake; none if it cannot be read.
#[must_use]
pub fn names(certificate: &CertificateDer<'_>) -> Vec<CertificateName> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else {
        return Vec::new();
    };
    let uris = certificate.valid_uri_names();
    let dns = certificate.valid_dns_names();
    let mut names: Vec<CertificateName> = uris
        .map(|uri| CertificateName::Uri(uri.to_owned()))
        .chain(dns.map(|name| CertificateName::Dns(name.to_ascii_lowercase())))
        .collect();
    names.extend(common_name(certificate.subject()).map(CertificateName::Common));
    names
}

impl CertificateConfig {
    /// Whether it means a certificate with `name`.
    pub(super) fn means(&self, name: &CertificateName) -> bool {
        let fits = |wanted: &Option<String>, name: &str| {
            wanted.as_deref().is_some_and(|wanted| {
                wanted
                    .strip_suffix('*')
                    .map_or_else(|| wanted == name, |start| name.starts_with(start))
            })
        };
        match name {
            CertificateName::Uri(uri) => fits(&self.uri, uri),
            CertificateName::Dns(dns) => fits(&self.dns, dns),
            CertificateName::Common(common) => self.common_name.as_ref() == Some(common),
        }
    }
}

impl CertificateName {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Uri(name) | Self::Dns(name) | Self::Common(name) => name,
        }
    }
}

/// The common name in the content of a distinguished name (X.501; DER of X.690). Several are
/// refused: which one counted would depend on who reads them.
fn common_name(mut subject: &[u8]) -> Option<String> {
    const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
    // UTF8String, PrintableString, IA5String.
    const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
    let mut found = None;
    while !subject.is_empty() {
        let (set, rest) = element(subject)?;
        subject = rest;
        let mut set = set.of(0x31)?;
        while !set.is_empty() {
            let (pair, rest) = element(set)?;
            set = rest;
            let (kind, value) = element(pair.of(0x30)?)?;
            if kind.of(0x06)? != COMMON_NAME {
                continue;
            }
            let (value, _) = element(value)?;
            if found.is_some() || !TEXTS.contains(&value.tag) {
                return None;
            }
            found = Some(std::str::from_utf8(value.content).ok()?.to_owned());
        }
    }
    found
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Element<'a> {
    fn of(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// The first element of `der` and what follows it; lengths of at most two bytes.
fn element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (length, tag, body) = match der {
        [tag, 0x81, length, body @ ..] if *length >= 0x80 => (usize::from(*length), *tag, body),
        [tag, 0x82, high, low, body @ ..] if *high > 0 => {
            (usize::from(u16::from_be_bytes([*high, *low])), *tag, body)
        }
        [tag, length @ 0..=0x7f, body @ ..] => (usize::from(*length), *tag, body),
        _ => return None,
    };
    let (content, rest) = body.split_at_checked(length)?;
    Some((Element { tag, content }, rest))
}
