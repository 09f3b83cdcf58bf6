use aws_lc_rs::{
    digest,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

/// Signs predictions, so that a client knows that nobody changed them on the way.
///
/// Ed25519 (RFC 8032) over the answer's canonical JSON (RFC 8785) without its field `signature`.
pub struct Signer {
    pair: Ed25519KeyPair,
    key_id: String,
}

/// The header with a signature over the bytes of an answer: `ed25519;KEY-ID;BASE64`.
pub const SIGNATURE_HEADER: &str = "x-bartizan-signature";

/// Why a signed answer is not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It has no field `signature` of the right shape.
    #[error("the answer is not signed")]
    Missing,
    /// It was signed with another key, or changed.
    #[error("the signature does not fit the answer")]
    Wrong,
    /// The seed is no key.
    #[error("the seed is no key")]
    Seed,
}

impl Signer {
    /// A signer whose private key is `seed`: 32 bytes from a secure random source or a key store.
    ///
    /// # Errors
    /// When the seed is no key.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignatureError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SignatureError::Seed)?;
        let key_id = key_id(pair.public_key().as_ref());
        Ok(Self { pair, key_id })
    }

    /// The public key, 32 bytes, for clients.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The first 16 hexadecimal digits of the SHA-256 of the public key.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The value of [`SIGNATURE_HEADER`] for an answer of those bytes.
    #[must_use]
    pub fn header(&self, answer: &[u8]) -> String {
        let signature = STANDARD.encode(self.pair.sign(answer).as_ref());
        format!("ed25519;{};{signature}", self.key_id)
    }

    /// Adds the field `signature` to `answer`.
    pub fn sign(&self, answer: &mut Map<String, Value>) {
        answer.remove("signature");
        let text = canonical(&Value::Object(answer.clone()));
        let signature = self.pair.sign(text.as_bytes());
        answer.insert(
            "signature".into(),
            serde_json::json!({
                "algorithm": "Ed25519",
                "key_id": self.key_id,
                "value": STANDARD.encode(signature.as_ref()),
            }),
        );
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Checks a signed answer with the public key that the client trusts; for clients.
///
/// # Errors
/// When it is not signed, or not with that key, or was changed.
pub fn verify(answer: &Map<String, Value>, public_key: &[u8]) -> Result<(), SignatureError> {
    let mut unsigned = answer.clone();
    let signature = unsigned.remove("signature");
    let value = signature
        .as_ref()
        .and_then(|signature| signature.get("value"))
        .and_then(Value::as_str)
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or(SignatureError::Missing)?;
    let text = canonical(&Value::Object(unsigned));
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(text.as_bytes(), &value)
        .map_err(|_| SignatureError::Wrong)
}

/// Checks the value of [`SIGNATURE_HEADER`] against the bytes of the answer; for clients.
///
/// # Errors
/// When the value is no signature, or not of that answer and key.
pub fn verify_header(value: &str, answer: &[u8], public_key: &[u8]) -> Result<(), SignatureError> {
    let signature = value
        .strip_prefix("ed25519;")
        .and_then(|rest| rest.split_once(';'))
        .and_then(|(_, text)| STANDARD.decode(text).ok())
        .ok_or(SignatureError::Missing)?;
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(answer, &signature)
        .map_err(|_| SignatureError::Wrong)
}

fn key_id(public_key: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, public_key);
    let bytes = digest.as_ref().iter().take(8);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 8785: no white space, keys by their UTF-16 code units, numbers as ECMAScript writes them.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, (key, item)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        Value::Number(number) => out.push_str(&number_text(number.as_f64().unwrap_or(0.0))),
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

/// `Number::toString` of ECMA-262, section 6.1.6.1.20: the shortest digits that read back.
fn number_text(number: f64) -> String {
    if number == 0.0 {
        return "0".into();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if number < 0.0 { "-" } else { "" };
    let count = digits.len() as i32;
    // The decimal point stands behind so many digits.
    let point = exponent + 1;
    let zeros = |many: i32| "0".repeat(usize::try_from(many).unwrap_or(0));
    let body = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, rest) = digits.split_at(usize::try_from(point).unwrap_or(0));
        format!("{whole}.{rest}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1.min(digits.len()));
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!(".{rest}")
        };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{rest}e{sign}{}", exponent.abs())
    };
    format!("{sign}{body}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(fields) = value else {
            panic!("no object")
        };
        fields
    }

    #[test]
    fn a_changed_answer_does_not_verify() {
        let signer = Signer::from_seed(&[7; 32]).unwrap();
        let mut answer = object(json!({"predictions": [{"label": "a", "probability": 0.1}]}));
        assert_eq!(
            verify(&answer, signer.public_key()),
            Err(SignatureError::Missing)
        );
        signer.sign(&mut answer);
        assert_eq!(verify(&answer, signer.public_key()), Ok(()));
        // As it comes off the wire.
        let text = serde_json::to_string(&answer).unwrap();
        let read = object(serde_json::from_str(&text).unwrap());
        assert_eq!(verify(&read, signer.public_key()), Ok(()));
        for change in [
            json!({"predictions": [{"label": "b", "probability": 0.1}]}),
            json!({"predictions": [{"label": "a", "probability": 0.2}]}),
            json!({"predictions": []}),
        ] {
            let mut altered = answer.clone();
            altered.extend(object(change));
            assert_eq!(
                verify(&altered, signer.public_key()),
                Err(SignatureError::Wrong)
            );
        }
        let mut more = answer.clone();
        more.insert("model".into(), json!("other"));
        assert_eq!(
            verify(&more, signer.public_key()),
            Err(SignatureError::Wrong)
        );
        let other = Signer::from_seed(&[8; 32]).unwrap();
        assert_eq!(
            verify(&answer, other.public_key()),
            Err(SignatureError::Wrong)
        );
    }

    /// The examples of RFC 8785, appendix B and section 3.2.3.
    #[test]
    fn canonical_as_rfc_8785_has_it() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5e-324, "5e-324"),
            (-5e-324, "-5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (295_147_905_179_352_830_000.0, "295147905179352830000"),
            (9.999_999_999_999_997e22, "9.999999999999997e+22"),
            (1e23, "1e+23"),
            (999_999_999_999_999_700_000.0, "999999999999999700000"),
            (1e21, "1e+21"),
            (9.999_999_999_999_997e-7, "9.999999999999997e-7"),
            (0.000_001, "0.000001"),
            (333_333_333.333_333_3, "333333333.3333333"),
            (4.5, "4.5"),
            (2e-3, "0.002"),
            (0.000_000_000_000_000_000_000_000_001, "1e-27"),
        ] {
            assert_eq!(number_text(number), text);
        }
        let value =
            json!({"\u{20ac}": 1, "\r": 2, "1": 3, "\u{1f600}": 4, "\u{80}": 5, "\u{fb33}": 6});
        assert_eq!(
            canonical(&value),
            "{\"\\r\":2,\"1\":3,\"\u{80}\":5,\"\u{20ac}\":1,\"\u{1f600}\":4,\"\u{fb33}\":6}"
        );
    }
}
