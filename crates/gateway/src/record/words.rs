use std::{borrow::Cow, fmt, net::IpAddr, str::FromStr, sync::Arc};

use aws_lc_rs::hmac;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::clock::Clock;

/// A name that the program or its configuration knows: of a model, a rule, a principal, an
/// upstream. Never a word of a client or an upstream.
#[derive(Clone, Eq)]
pub enum Label {
    /// Compiled in.
    Fixed(&'static str),
    /// From the configuration or the key store.
    Known(Arc<str>),
}

impl Label {
    /// No name.
    pub const NONE: Self = Self::Fixed("");

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Fixed(name) => name,
            Self::Known(name) => name,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.as_str().is_empty()
    }

    /// The network of an address, `192.0.2.0/24` or `2001:db8::/48`: enough to see where attacks
    /// come from, too little to name a person.
    #[must_use]
    pub fn network(address: IpAddr) -> Self {
        let text = match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                let network = std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
                format!("{network}/48")
            }
        };
        Self::Known(text.into())
    }

    /// The whole address, where the operator asked for it.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self::Known(address.to_canonical().to_string().into())
    }
}

impl Default for Label {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<&'static str> for Label {
    fn from(name: &'static str) -> Self {
        Self::Fixed(name)
    }
}

impl From<Arc<str>> for Label {
    fn from(name: Arc<str>) -> Self {
        Self::Known(name)
    }
}

impl From<&Arc<str>> for Label {
    fn from(name: &Arc<str>) -> Self {
        Self::Known(Arc::clone(name))
    }
}

impl From<Cow<'static, str>> for Label {
    fn from(name: Cow<'static, str>) -> Self {
        match name {
            Cow::Borrowed(name) => Self::Fixed(name),
            Cow::Owned(name) => Self::Known(name.into()),
        }
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl std::hash::Hash for Label {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::Known(name.into()))
    }
}

/// The id of a request: a UUID of version 7, so that ids are in order of time. Also its receipt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(Uuid);

impl RequestId {
    /// A new id. Random bytes come from the operating system; should it have none, the id is still
    /// unique within the process.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        let mut random = [0; 10];
        if getrandom::fill(&mut random).is_err() {
            let [.., a, b, c, d, e, f, g, h] = clock.nanos().to_be_bytes();
            random = [a, b, c, d, e, f, g, h, a, b];
        }
        Self(uuid::Builder::from_unix_timestamp_millis(clock.unix_ms(), &random).into_uuid())
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

/// The text is no request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a request id, which looks like `01936b5e-7c1a-7000-8000-000000000000`")]
pub struct NoRequestId;

impl FromStr for RequestId {
    type Err = NoRequestId;

    fn from_str(text: &str) -> Result<Self, NoRequestId> {
        Uuid::try_parse(text).map(Self).map_err(|_| NoRequestId)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = Uuid::encode_buffer();
        f.write_str(self.0.hyphenated().encode_lower(&mut buffer))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = Uuid::encode_buffer();
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut buffer))
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// HMAC-SHA-256 of content under the record's key, all 256 bits: equal contents are recognised,
/// and nobody without the key finds a content by trying.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyedHash([u8; 32]);

impl KeyedHash {
    /// In lower-case hexadecimal, 64 characters.
    fn hex(self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        let mut hex = [0; 64];
        for (byte, [high, low]) in self.0.iter().zip(hex.as_chunks_mut().0) {
            *high = digit(byte >> 4);
            *low = digit(byte & 15);
        }
        hex
    }
}

impl fmt::Display for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for KeyedHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for KeyedHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(D::Error::custom("expected 64 hexadecimal digits"));
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            *byte = std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or_else(|| D::Error::custom("expected hexadecimal digits"))?;
        }
        Ok(Self(bytes))
    }
}

/// Makes [`KeyedHash`]es; dropping the key makes every hash of it meaningless.
#[derive(Clone)]
pub struct ContentHasher(hmac::Key);

impl ContentHasher {
    /// A hasher under a key of 32 random bytes.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The hash of `content`.
    #[must_use]
    pub fn hash(&self, content: &[u8]) -> KeyedHash {
        let tag = hmac::sign(&self.0, content);
        KeyedHash(tag.as_ref().try_into().unwrap_or([0; 32]))
    }

    /// The hash of a content that comes in pieces.
    #[must_use]
    pub fn begin(&self) -> Hashing {
        Hashing(hmac::Context::with_key(&self.0))
    }
}

impl fmt::Debug for ContentHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentHasher([redacted])")
    }
}

/// A hash in the making, of a stream.
#[derive(Clone)]
pub struct Hashing(hmac::Context);

impl Hashing {
    /// Takes in the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(self) -> KeyedHash {
        KeyedHash(self.0.sign().as_ref().try_into().unwrap_or([0; 32]))
    }
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashing([redacted])")
    }
}

/// Money in millionths of a US dollar; written in dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(pub u64);

impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        Ok(Self((dollars * 1e6).round() as u64))
    }
}

/// Milliseconds since 1970-01-01 UTC; written as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub u64);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = i64::try_from(self.0).unwrap_or(i64::MAX);
        let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{at:.3}")
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        u64::try_from(at.as_millisecond())
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// Schemas of the words above, all of them texts or numbers of one shape.
macro_rules! schema {
    ($type:ident, $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(Label, { "type": "string" });
schema!(RequestId, { "type": "string", "format": "uuid" });
schema!(KeyedHash, { "type": "string", "pattern": "^[0-9a-f]{64}$" });
schema!(Cost, { "type": "number", "minimum": 0.0 });
schema!(At, { "type": "string", "format": "date-time" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn ids_are_in_order_of_time_and_read_back() {
        let clock = ManualClock::at(1_700_000_000_000);
        let first = RequestId::new(&clock);
        clock.advance_ms(1);
        let second = RequestId::new(&clock);
        assert!(first < second);
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!("x".parse::<RequestId>(), Err(NoRequestId));
    }

    /// The seed's hash was 8 hexadecimal digits of a plain SHA-256: half of all audits of 77,000
    /// requests hold a collision, and short prompts are found by trying.
    #[test]
    fn ws_18_hashes_are_keyed_and_full_length() {
        let (ours, theirs) = (
            ContentHasher::new(&[1; 32]).hash(b"yes"),
            ContentHasher::new(&[2; 32]).hash(b"yes"),
        );
        assert_ne!(ours, theirs);
        let text = ours.to_string();
        assert_eq!(text.len(), 64);
        let plain = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"yes");
        assert_ne!(ours.0.as_slice(), plain.as_ref());
        let json = serde_json::to_string(&ours).unwrap();
        assert_eq!(serde_json::from_str::<KeyedHash>(&json).unwrap(), ours);
        let mut pieces = ContentHasher::new(&[1; 32]).begin();
        pieces.update(b"y");
        pieces.update(b"es");
        assert_eq!(pieces.finish(), ours);
    }

    #[test]
    fn networks_not_addresses() {
        let shown = |text: &str| Label::network(text.parse().unwrap()).to_string();
        assert_eq!(shown("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(shown("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(shown("2001:db8:1:2::3"), "2001:db8:1::/48");
    }

    #[test]
    fn money_and_time_read_back() {
        let json = serde_json::to_string(&(Cost(1_234_567), At(1_763_730_000_123))).unwrap();
        assert_eq!(json, r#"[1.234567,"2025-11-21T13:00:00.123Z"]"#);
        let back: (Cost, At) = serde_json::from_str(&json).unwrap();
        assert_eq!(back, (Cost(1_234_567), At(1_763_730_000_123)));
    }
}
