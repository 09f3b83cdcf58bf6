use http::{HeaderMap, HeaderName, header::AUTHORIZATION};

/// What a request brings in its headers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// Nothing.
    None,
    /// One text, in whichever header.
    Text(&'a str),
    /// Several that differ, or something that is no text.
    Unclear,
}

/// Longer credentials are refused unread.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// Where clients put keys: OpenAI's and others' `authorization: Bearer`, Anthropic's `x-api-key`,
/// Azure's `api-key`. No model is to see them.
pub(crate) const CREDENTIAL_HEADERS: [HeaderName; 3] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
];

impl<'a> Credential<'a> {
    /// The credential in `headers`. Several that differ are refused: which one counted would depend
    /// on who reads them.
    pub(super) fn read(headers: &'a HeaderMap) -> Self {
        let mut found = Self::None;
        for name in &CREDENTIAL_HEADERS {
            for value in headers.get_all(name) {
                let text = value.to_str().ok();
                found = found.and(match *name {
                    AUTHORIZATION => text.and_then(bearer),
                    _ => text.map(str::trim),
                });
            }
        }
        found
    }

    fn and(self, text: Option<&'a str>) -> Self {
        let Some(text) = text.filter(|text| (1..=MAX_BYTES).contains(&text.len())) else {
            return Self::Unclear;
        };
        match self {
            Self::None => Self::Text(text),
            Self::Text(one) if one == text => self,
            _ => Self::Unclear,
        }
    }
}

/// The token after `Bearer` (RFC 6750), whose name has no case (RFC 9110, section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.contains(' ')).then_some(token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn finds_the_one_credential() {
        let text = |text| Credential::Text(text);
        for (headers, expected) in [
            (&[][..], Credential::None),
            (&[("authorization", "Bearer a")], text("a")),
            (&[("authorization", "bearer  a ")], text("a")),
            (&[("x-api-key", "a")], text("a")),
            (&[("api-key", "a")], text("a")),
            (
                &[("authorization", "Bearer a"), ("x-api-key", "a")],
                text("a"),
            ),
            (
                &[("authorization", "Bearer a"), ("x-api-key", "b")],
                Credential::Unclear,
            ),
            (
                &[("x-api-key", "a"), ("x-api-key", "b")],
                Credential::Unclear,
            ),
            (&[("authorization", "Basic YTpi")], Credential::Unclear),
            (&[("authorization", "Bearer")], Credential::Unclear),
            (&[("authorization", "Bearer ")], Credential::Unclear),
            (&[("authorization", "Bearer a b")], Credential::Unclear),
            (&[("authorization", "")], Credential::Unclear),
            (&[("x-api-key", "\u{e9}")], Credential::Unclear),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert!(Credential::read(&map) == expected, "{headers:?}");
        }
    }

    #[test]
    fn huge_credentials_are_not_read() {
        let mut map = HeaderMap::new();
        let huge = HeaderValue::from_str(&"a".repeat(MAX_BYTES + 1)).unwrap();
        map.insert("x-api-key", huge);
        assert!(Credential::read(&map) == Credential::Unclear);
    }
}
