//! Headers as Envoy writes them, and what is to become of them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::messages::{
    self, HeaderAppendAction, HeaderMutation, HeaderValueOption, HttpStatus, ImmediateResponse,
};
use crate::body::Body;

/// The head of a request.
pub(super) struct Head {
    pub(super) method: Method,
    /// Without its query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
}

impl Head {
    /// The head in `map`; `None` where it is none, in which case nothing of it may be trusted.
    pub(super) fn read(map: Option<messages::HeaderMap>) -> Option<Self> {
        let (pseudo, headers) = split(map)?;
        let target = only(&pseudo, ":path")?;
        let path = target.split(['?', '#']).next().unwrap_or_default();
        Some(Self {
            method: only(&pseudo, ":method")?.parse().ok()?,
            path: path.to_owned(),
            headers,
        })
    }
}

/// Status and headers of an answer.
pub(super) fn answer(map: Option<messages::HeaderMap>) -> Option<(StatusCode, HeaderMap)> {
    let (pseudo, headers) = split(map)?;
    let status = only(&pseudo, ":status")?.parse().ok()?;
    Some((status, headers))
}

type Pseudo = Vec<(String, String)>;

/// Pseudo-headers (RFC 9113, section 8.3) and the others.
fn split(map: Option<messages::HeaderMap>) -> Option<(Pseudo, HeaderMap)> {
    let mut pseudo = Vec::new();
    let mut headers = HeaderMap::new();
    for header in map?.headers {
        let value = if header.raw_value.is_empty() {
            header.value.into_bytes()
        } else {
            header.raw_value
        };
        if header.key.starts_with(':') {
            pseudo.push((header.key, String::from_utf8(value).ok()?));
        } else {
            let name = HeaderName::try_from(header.key).ok()?;
            headers.append(
                name,
                HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?,
            );
        }
    }
    Some((pseudo, headers))
}

/// The value of a pseudo-header that is there once.
fn only<'a>(pseudo: &'a Pseudo, name: &str) -> Option<&'a str> {
    let mut found = pseudo.iter().filter(|(key, _)| key == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

/// Headers of which only one may be there.
pub(super) fn set(headers: &HeaderMap) -> Vec<HeaderValueOption> {
    headers
        .iter()
        // Envoy counts itself.
        .filter(|(name, _)| **name != header::CONTENT_LENGTH)
        .map(|(name, value)| option(name.as_str(), value.as_bytes()))
        .collect()
}

/// `content-length`, for a body that was changed while its head waits.
pub(super) fn length(bytes: usize) -> HeaderValueOption {
    option("content-length", bytes.to_string().as_bytes())
}

fn option(name: &str, value: &[u8]) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(messages::HeaderValue {
            key: name.to_owned(),
            value: String::new(),
            raw_value: value.to_vec(),
        }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
    }
}

/// A whole answer in the place of whatever else would come.
pub(super) fn immediate(response: Response<Body>) -> ImmediateResponse {
    let (head, body) = response.into_parts();
    ImmediateResponse {
        status: Some(HttpStatus {
            code: i32::from(head.status.as_u16()),
        }),
        headers: Some(HeaderMutation {
            set_headers: set(&head.headers),
            remove_headers: Vec::new(),
        }),
        body: whole(body),
        details: "bartizan".to_owned(),
    }
}

/// The bytes of a body that is all there, as those of refusals and whole answers are.
pub(super) fn whole(body: Body) -> Bytes {
    match body {
        Body::Full(bytes) => bytes,
        Body::Empty | Body::Stream(_) => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> Option<messages::HeaderMap> {
        let headers = headers.iter().enumerate().map(|(at, (key, value))| {
            let (value, raw_value) = if at % 2 == 0 {
                ((*value).to_owned(), Vec::new())
            } else {
                (String::new(), value.as_bytes().to_vec())
            };
            messages::HeaderValue {
                key: (*key).to_owned(),
                value,
                raw_value,
            }
        });
        Some(messages::HeaderMap {
            headers: headers.collect(),
        })
    }

    #[test]
    fn heads_are_read_in_both_encodings_or_not_at_all() {
        let head = Head::read(map(&[
            (":method", "POST"),
            (":path", "/v1/messages?beta=true"),
            ("a", "1"),
            ("a", "2"),
        ]));
        let head = head.unwrap();
        assert_eq!(
            (head.method, head.path.as_str()),
            (Method::POST, "/v1/messages")
        );
        assert_eq!(head.headers.get_all("a").iter().count(), 2);
        for bad in [
            &[(":method", "POST")][..],
            &[(":path", "/")],
            &[(":method", "POST"), (":path", "/a"), (":path", "/b")],
            &[(":method", "POST"), (":path", "/a"), ("a b", "c")],
            &[(":method", "POST"), (":path", "/a"), ("a", "b\nc")],
            &[(":method", "PO ST"), (":path", "/a")],
        ] {
            assert!(Head::read(map(bad)).is_none(), "{bad:?}");
        }
        assert!(Head::read(None).is_none());
        assert!(answer(map(&[(":status", "x")])).is_none());
    }
}
