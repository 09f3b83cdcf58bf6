//! Wallet addresses: Bitcoin, Litecoin, Tron, Ethereum, Monero, Solana.

use bartizan_core::Severity;

use super::recogniser::{Recogniser, Validity, by_grammar, rule};
use super::sha256::sha256;

/// Every kind of wallet; found by [`wallet`].
pub(super) static WALLET: Recogniser = Recogniser {
    rule: rule(
        "pii.crypto-wallet",
        "address of a cryptocurrency wallet",
        "CRYPTO",
        Severity::Medium,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.2,
    valid: 0.9,
    context: &[
        "wallet",
        "btc",
        "bitcoin",
        "eth",
        "ethereum",
        "0x address",
        "crypto address",
        "ltc",
        "litecoin",
        "xmr",
        "monero",
        "trx",
        "tron",
        "usdt",
        "solana",
        "sol address",
        "deposit address",
        "portefeuille crypto",
        "billetera",
        "carteira",
        "cartera",
        "portafoglio",
        "кошелек",
        "кошелька",
        "钱包",
        "ウォレット",
        "지갑",
        "محفظة",
        "ארנק",
        "cuzdan",
        "portfel",
        "penezenka",
        "портфейл",
        "гаманець",
        "πορτοφολι",
        "plånbok",
        "lommebok",
        "tegnebog",
        "lompakko",
        "penztarca",
    ],
};

/// Addresses of Ethereum and of what is compatible with it: forty hex digits without a checksum
/// that this module could check, since that of EIP-55 is optional.
pub(super) static ETHEREUM: Recogniser = Recogniser {
    rule: rule(
        "pii.ethereum-address",
        "address of an Ethereum wallet",
        "CRYPTO",
        Severity::Medium,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.65,
    valid: 0.65,
    context: WALLET.context,
};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What the whole token `token` (letters and digits only) says as a wallet address.
pub(super) fn wallet(token: &[u8]) -> Validity {
    match token {
        [b'0', b'x' | b'X', hex @ ..] => Validity::weak(
            hex.len() == 40 && hex.iter().all(u8::is_ascii_hexdigit) && !is_uniform(hex),
        ),
        [b'b', b'c', b'1', data @ ..] => segwit(b"bc", data),
        [b'B', b'C', b'1', data @ ..] => segwit(b"bc", &data.to_ascii_lowercase()),
        [b'l', b't', b'c', b'1', data @ ..] => segwit(b"ltc", data),
        [b'1' | b'3' | b'L' | b'M' | b'T', ..] if (26..=35).contains(&token.len()) => {
            Validity::strict(base58check(token))
        }
        // Monero: 95 base58 characters, or 106 with a payment id (LIP-0006).
        [b'4' | b'8', ..] if matches!(token.len(), 95 | 106) => Validity::strict(all_base58(token)),
        // Solana: 32 bytes in base58 without any checksum.
        _ if (43..=44).contains(&token.len()) => Validity::weak(
            all_base58(token)
                && token.iter().any(u8::is_ascii_digit)
                && token.iter().any(u8::is_ascii_lowercase)
                && token.iter().any(u8::is_ascii_uppercase),
        ),
        _ => Validity::Invalid,
    }
}

fn is_uniform(hex: &[u8]) -> bool {
    hex.iter().all(|byte| Some(byte) == hex.first())
}

fn all_base58(token: &[u8]) -> bool {
    token.iter().all(|byte| BASE58.contains(byte))
}

/// Version byte, 20 bytes, and the first four bytes of a double SHA-256 over both
/// (<https://en.bitcoin.it/wiki/Base58Check_encoding>).
fn base58check(token: &[u8]) -> bool {
    let mut bytes = [0_u8; 25];
    for &byte in token {
        let Some(digit) = BASE58.iter().position(|candidate| *candidate == byte) else {
            return false;
        };
        let mut carry = u32::try_from(digit).unwrap_or(0);
        for slot in bytes.iter_mut().rev() {
            carry += u32::from(*slot) * 58;
            let [low, rest @ ..] = carry.to_le_bytes();
            *slot = low;
            carry = u32::from_le_bytes([rest[0], rest[1], rest[2], 0]);
        }
        if carry != 0 {
            return false;
        }
    }
    let Some((payload, checksum)) = bytes.split_last_chunk::<4>() else {
        return false;
    };
    // Versions: Bitcoin P2PKH and P2SH, Litecoin P2PKH and P2SH, Tron.
    matches!(payload.first(), Some(0x00 | 0x05 | 0x30 | 0x32 | 0x41))
        && sha256(&sha256(payload)).starts_with(checksum)
}

/// Bech32 (BIP 173) and bech32m (BIP 350).
fn segwit(prefix: &[u8], data: &[u8]) -> Validity {
    if !(38..=75).contains(&data.len()) {
        return Validity::Invalid;
    }
    let mut checksum = 1;
    for byte in prefix {
        checksum = polymod(checksum, u32::from(byte >> 5));
    }
    checksum = polymod(checksum, 0);
    for byte in prefix {
        checksum = polymod(checksum, u32::from(byte & 31));
    }
    for byte in data {
        let Some(value) = BECH32.iter().position(|candidate| candidate == byte) else {
            return Validity::Invalid;
        };
        checksum = polymod(checksum, u32::try_from(value).unwrap_or(0));
    }
    Validity::strict(matches!(checksum, 1 | 0x2bc8_30a3))
}

fn polymod(checksum: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let top = checksum >> 25;
    GENERATOR
        .iter()
        .enumerate()
        .filter(|(bit, _)| top >> bit & 1 == 1)
        .fold((checksum & 0x1ff_ffff) << 5 ^ value, |sum, (_, term)| {
            sum ^ term
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(token: &str, expected: Validity) {
        assert_eq!(wallet(token.as_bytes()), expected, "{token}");
    }

    #[test]
    fn published_addresses() {
        // The genesis block, and the vectors of BIP 173 and BIP 350.
        check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Validity::Valid);
        check("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", Validity::Valid);
        check(
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            Validity::Valid,
        );
        check(
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            Validity::Valid,
        );
        check(
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            Validity::Valid,
        );
        check(
            "0x52908400098527886E0F7030069857D2E4169EE7",
            Validity::Plausible,
        );
    }

    #[test]
    fn a_wrong_checksum_is_no_address() {
        check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", Validity::Invalid);
        check(
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            Validity::Invalid,
        );
        check("0x5290840009852788", Validity::Invalid);
        check(
            "0x0000000000000000000000000000000000000000",
            Validity::Invalid,
        );
    }
}
