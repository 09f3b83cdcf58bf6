//! The master key of hashes, pseudonyms, encryption, and text hashes.

use bartizan_core::hex;

use crate::{env, problem::Problem};

/// A master key, and whether the next run has it too.
pub(crate) struct Key {
    /// 32 bytes.
    pub(crate) bytes: [u8; 32],
    /// Whether it came from the environment; otherwise it is random and gone with the process.
    pub(crate) is_lasting: bool,
}

impl Key {
    /// The key in the environment, or a random one.
    pub(crate) fn get() -> Result<Self, Problem> {
        if let Some(text) = env::get(env::KEY) {
            let bytes = text.to_str().and_then(from_hex).ok_or_else(|| {
                Problem::new(format!("`{}` is not 64 hexadecimal digits", env::KEY))
                    .help("make one with `openssl rand -hex 32` and keep it secret")
            })?;
            return Ok(Self {
                bytes,
                is_lasting: true,
            });
        }
        Self::fresh()
    }

    /// A random one, whatever the environment says.
    pub(crate) fn fresh() -> Result<Self, Problem> {
        let mut bytes = [0; 32];
        // Not aws-lc's generator: it gathers jitter for 40 ms before its first byte.
        getrandom::fill(&mut bytes)
            .map_err(|_| Problem::new("the system gives no random bytes for a key"))?;
        Ok(Self {
            bytes,
            is_lasting: false,
        })
    }
}

/// 32 bytes of 64 hexadecimal digits.
pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    hex::decode(text.trim())?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_64_digits() {
        assert_eq!(from_hex(&"0f".repeat(32)), Some([15; 32]));
        for bad in [
            "",
            "0f",
            &"0g".repeat(32),
            &"+f".repeat(32),
            &"0f".repeat(33),
        ] {
            assert_eq!(from_hex(bad), None);
        }
    }
}
