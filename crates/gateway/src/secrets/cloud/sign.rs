//! Signature version 4 of AWS:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use aws_lc_rs::{digest, hmac};
use bartizan_core::{Secret, hex};

/// Who signs, for where.
pub(super) struct Signer<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) secret_access_key: &'a Secret<String>,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// What is signed. Headers are sorted by name, in lower case, and have values without spaces around.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) time: &'a str,
}

impl Signer<'_> {
    /// The value of `Authorization`.
    pub(super) fn authorization(&self, request: &Signed<'_>) -> String {
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let headers: String = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{names}\n{}",
            request.method,
            request.path,
            request.query,
            hash(request.body)
        );
        let day = request.time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            request.time,
            hash(canonical.as_bytes())
        );
        let signature = hex::encode(mac(&self.key(day), to_sign.as_bytes()).as_ref());
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key_id
        )
    }

    /// The key of one day, region, and service.
    fn key(&self, day: &str) -> Secret<Vec<u8>> {
        let first = Secret::new(format!("AWS4{}", self.secret_access_key.expose()).into_bytes());
        [day, self.region, self.service, "aws4_request"]
            .into_iter()
            .fold(first, |key, part| {
                Secret::new(mac(&key, part.as_bytes()).as_ref().to_vec())
            })
    }
}

fn mac(key: &Secret<Vec<u8>>, text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), text)
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer<'a>(service: &'a str, secret: &'a Secret<String>) -> Signer<'a> {
        Signer {
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: secret,
            region: "us-east-1",
            service,
        }
    }

    /// The worked example of the documentation: the key of a day, and the signature of `ListUsers`.
    #[test]
    fn signs_the_published_example() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        let signer = signer("iam", &secret);
        assert_eq!(
            hex::encode(signer.key("20150830").expose()),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
        let authorization = signer.authorization(&Signed {
            method: "GET",
            path: "/",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: &[
                (
                    "content-type",
                    "application/x-www-form-urlencoded; charset=utf-8",
                ),
                ("host", "iam.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
            time: "20150830T123600Z",
        });
        assert_eq!(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    /// `get-vanilla` of the published test suite.
    #[test]
    fn signs_the_vanilla_request_of_the_test_suite() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        let authorization = signer("service", &secret).authorization(&Signed {
            method: "GET",
            path: "/",
            query: "",
            headers: &[
                ("host", "example.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
            time: "20150830T123600Z",
        });
        assert!(
            authorization.ends_with(
                "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
            ),
            "{authorization}"
        );
    }
}
