//! Accounts: payment cards, IBAN, BIC, routing and account numbers.

use bartizan_core::Severity;

use super::recogniser::{Recogniser, Validity, by_grammar, rule};
use super::words::at;

/// Payment cards.
pub(super) static CARD: Recogniser = Recogniser {
    rule: rule(
        "pii.credit-card",
        "payment card number",
        "CREDIT_CARD",
        Severity::High,
    ),
    shapes: &[
        "999999999999",
        "9999 9999 9999",
        "9999999999999",
        "99999999999999",
        "999999999999999",
        "9999999999999999",
        "99999999999999999",
        "999999999999999999",
        "9999999999999999999",
        "9999 9999 9999 9999",
        "9999-9999-9999-9999",
        "9999.9999.9999.9999",
        "9999/9999/9999/9999",
        "9999 999999 99999",
        "9999-999999-99999",
        "9999 999999 9999",
        "9999-999999-9999",
        "9999 999 999 999",
        "9999-999-999-999",
        "9999 9999 9999 999",
        "9999-9999-9999-999",
        "9999 9999 9999 9",
        "9999 9999 9999 99",
        "9999 9999 9999 9999 999",
        "9999-9999-9999-9999-999",
        "999999 9999999999",
        "99999999 99999999",
        "9999999 999 999 9999",
        "9999  9999  9999  9999",
    ],
    check: card,
    plausible: 0.1,
    valid: 0.85,
    context: &[
        "card",
        "cards",
        "credit",
        "debit",
        "visa",
        "mastercard",
        "amex",
        "american express",
        "maestro",
        "diners",
        "discover",
        "jcb",
        "unionpay",
        "cc",
        "ccn",
        "pan",
        "cvc",
        "cvv",
        "card number",
        "credit card",
        "creditcard",
        "cardnumber",
        "kreditkarte",
        "karte",
        "kartennummer",
        "carte",
        "carte bancaire",
        "tarjeta",
        "cartao",
        "carta",
        "carta di credito",
        "kaart",
        "kaartnummer",
        "kort",
        "kortnummer",
        "karta",
        "karty",
        "karte nr",
        "kartya",
        "bankkartya",
        "kortti",
        "kart",
        "kartı",
        "kredi karti",
        "карта",
        "карты",
        "карту",
        "картка",
        "картки",
        "картата",
        "κάρτα",
        "κάρτας",
        "カード",
        "クレジットカード",
        "信用卡",
        "卡号",
        "银行卡",
        "카드",
        "بطاقة",
        "البطاقة",
        "כרטיס",
        "card de credit",
        "cardul",
    ],
};

/// International bank account numbers.
pub(super) static IBAN: Recogniser = Recogniser {
    rule: rule(
        "pii.iban",
        "international bank account number (IBAN)",
        "IBAN_CODE",
        Severity::High,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.1,
    valid: 0.95,
    context: &[
        "iban",
        "konto",
        "kontonummer",
        "compte",
        "cuenta",
        "conto",
        "conta",
        "rekening",
        "account",
        "bank account",
    ],
};

/// Business identifier codes.
pub(super) static BIC: Recogniser = Recogniser {
    rule: rule(
        "pii.bic",
        "business identifier code of a bank (BIC, SWIFT)",
        "BIC_SWIFT",
        Severity::Low,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.1,
    valid: 0.2,
    context: &[
        "bic",
        "swift",
        "bic/swift",
        "swift/bic",
        "bic code",
        "swift code",
        "swiftcode",
        "swift-bic",
    ],
};

/// US routing numbers.
pub(super) static ABA: Recogniser = Recogniser {
    rule: rule(
        "pii.us-aba-routing",
        "ABA routing number (United States)",
        "US_ABA_ROUTING",
        Severity::Medium,
    ),
    shapes: &["999999999", "9999-9999-9"],
    check: aba,
    plausible: 0.1,
    valid: 0.15,
    context: &[
        "routing",
        "routing number",
        "routing no",
        "aba",
        "aba number",
        "rtn",
        "bank routing",
        "transit number",
        "fedwire",
        "ach routing",
        "aba/rtn",
    ],
};

/// Account numbers that are no IBAN.
pub(super) static ACCOUNT: Recogniser = Recogniser {
    rule: rule(
        "pii.bank-account",
        "bank account number",
        "BANK_ACCOUNT",
        Severity::High,
    ),
    shapes: &[
        "999999",
        "9999999",
        "99999999",
        "999999999",
        "9999999999",
        "99999999999",
        "999999999999",
        "9999999999999",
        "99999999999999",
        "999999999999999",
        "9999999999999999",
        "99999999999999999",
        "99-99-99 99999999",
        "999999 99999999",
        "999-999 999999",
        "999-999 99999999",
        "999-999 999999999",
        "99-9999-9999999-99",
        "99-9999-9999999-999",
        "9999 9999 99 9999999999",
        "9999-9999-99-9999999999",
        "99 9999 9999 9999 9999 9999 9999",
        "999999-9999999999",
        "9999.99.99999",
        "9999 99 99999",
        "999-99999-9",
        "9999-99-9999999",
        "999-9999-9999999",
    ],
    check: account,
    plausible: 0.1,
    valid: 0.1,
    context: &[
        "account",
        "account number",
        "account no",
        "acct",
        "acct no",
        "acc no",
        "a/c",
        "a/c no",
        "accountnumber",
        "sort code",
        "sort code and account",
        "bank account",
        "bankaccount",
        "checking account",
        "savings account",
        "checking",
        "savings",
        "konto",
        "kontonummer",
        "kontonr",
        "bankkonto",
        "bankverbindung",
        "compte",
        "numero de compte",
        "rib",
        "cuenta",
        "numero de cuenta",
        "cuenta bancaria",
        "clabe",
        "ccc",
        "conto",
        "numero di conto",
        "conto corrente",
        "conta",
        "conta corrente",
        "agencia",
        "nib",
        "rekening",
        "rekeningnummer",
        "bankrekening",
        "numer konta",
        "nr konta",
        "rachunek",
        "cislo uctu",
        "ucet",
        "bankszamla",
        "szamlaszam",
        "cont bancar",
        "numar cont",
        "tilinumero",
        "pankkitili",
        "hesap",
        "hesap no",
        "hesap numarasi",
        "расчетный счет",
        "р/с",
        "номер счета",
        "счет №",
        "рахунок",
        "λογαριασμος",
        "口座",
        "口座番号",
        "账号",
        "银行账号",
        "银行账户",
        "계좌",
        "계좌번호",
        "حساب",
        "رقم الحساب",
        "חשבון",
        "bsb",
        "bankgiro",
        "plusgiro",
        "reg.nr",
        "bank acct",
    ],
};

/// Countries of the IBAN registry (SWIFT, release 99) with the length of theirs.
const IBAN_LENGTHS: [(&[u8; 2], usize); 89] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The end of the IBAN that starts at `start`, and whether its check digits agree (ISO 13616).
pub(super) fn iban(text: &[u8], start: usize) -> Option<(usize, Validity)> {
    let country = [
        at(text, start).to_ascii_uppercase(),
        at(text, start + 1).to_ascii_uppercase(),
    ];
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| **code == country)?;
    if !at(text, start + 2).is_ascii_digit() {
        return None;
    }
    let mut compact = [0_u8; 34];
    let mut taken = 0;
    let mut end = start;
    let mut sign = None;
    while taken < *length {
        let byte = at(text, end);
        if byte.is_ascii_alphanumeric() {
            *compact.get_mut(taken)? = byte.to_ascii_uppercase();
            taken += 1;
        } else if matches!(byte, b' ' | b'-')
            && taken >= 4
            && *sign.get_or_insert(byte) == byte
            && at(text, end + 1).is_ascii_alphanumeric()
        {
            // one separator, always the same
        } else {
            return None;
        }
        end += 1;
    }
    let next = at(text, end);
    if next.is_ascii_alphanumeric() || (next == b'-' && at(text, end + 1).is_ascii_alphanumeric()) {
        return None;
    }
    let compact = compact.get(..taken)?;
    let (head, tail) = compact.split_at_checked(4)?;
    let remainder = tail.iter().chain(head).fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        letter => (sum * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    Some((end, Validity::strict(remainder == 1)))
}

/// Whether `token` has the form of a BIC (ISO 9362): bank, country, place, perhaps branch.
pub(super) fn is_bic(token: &[u8]) -> bool {
    let Some((bank, rest)) = token.split_at_checked(4) else {
        return false;
    };
    let Some((country, place)) = rest.split_at_checked(2) else {
        return false;
    };
    matches!(place.len(), 2 | 5)
        && bank.iter().all(u8::is_ascii_uppercase)
        && place
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && COUNTRIES.chunks(2).any(|code| code == country)
}

/// ISO 3166-1 alpha-2.
const COUNTRIES: &[u8] = b"ADAEAFAGAIALAMAOARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGUGWGYHKHNHRHTHUIDIEILIMINIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

/// Luhn, and a prefix that an issuer uses at that length (ISO/IEC 7812).
fn card(digits: &[u8]) -> Validity {
    let number = |count: usize| {
        digits
            .get(..count)
            .unwrap_or_default()
            .iter()
            .fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    };
    let (two, three, four, six) = (number(2), number(3), number(4), number(6));
    let issued = match digits.len() {
        // Maestro alone has cards of twelve digits.
        12 => matches!(four, 5018 | 5020 | 5038 | 6304 | 6759 | 6761..=6763),
        13 => two / 10 == 4 || matches!(four, 5018 | 5020 | 5038 | 6304),
        14 => matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37) || matches!(four, 1800 | 2131),
        16 => {
            two / 10 == 4
                || matches!(two, 51..=55 | 60 | 62 | 64 | 65 | 81 | 36 | 38 | 39 | 50 | 56..=58 | 67 | 63)
                || matches!(four, 2221..=2720 | 3528..=3589 | 2200..=2204 | 5610 | 6011 | 6304 | 9792)
                || matches!(six, 300_000..=305_999)
        }
        17 | 18 => matches!(two, 50 | 56..=58 | 62 | 63 | 67) || matches!(two, 60 | 81),
        19 => {
            matches!(two, 50 | 56..=58 | 62 | 63 | 67 | 60 | 64 | 65 | 81)
                || two / 10 == 4
                || matches!(two, 35..=39)
        }
        _ => false,
    };
    let uniform = digits.iter().all(|digit| Some(digit) == digits.first());
    Validity::strict(issued && !uniform && luhn(digits))
}

/// ISO/IEC 7812-1, annex B.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit.wrapping_sub(b'0'));
            match (index % 2, value * 2) {
                (0, _) => value,
                (_, doubled @ 0..=9) => doubled,
                (_, doubled) => doubled - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Weights 3, 7, 1 and the prefixes in use (ABA routing number policy).
fn aba(digits: &[u8]) -> Validity {
    let prefix = digits
        .iter()
        .take(2)
        .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let sum: u32 = digits
        .iter()
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    Validity::strict(matches!(prefix, 1..=12 | 21..=32 | 61..=72 | 80) && sum.is_multiple_of(10))
}

fn account(digits: &[u8]) -> Validity {
    Validity::weak(digits.iter().any(|digit| Some(digit) != digits.first()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ws_03_cards_pass_luhn_and_belong_to_an_issuer() {
        for (digits, expected) in [
            ("1234567812345678", Validity::Invalid),
            ("4111111111111111", Validity::Valid),
            ("378282246310005", Validity::Valid),
            ("30569309025904", Validity::Valid),
            ("0000000000000000", Validity::Invalid),
            ("4111111111111112", Validity::Invalid),
        ] {
            assert_eq!(card(digits.as_bytes()), expected, "{digits}");
        }
    }

    #[test]
    fn ws_59_ibans_have_the_length_and_check_digits_of_their_country() {
        for (text, expected) in [
            ("DE89 3704 0044 0532 0130 00", Some((27, Validity::Valid))),
            ("FR1420041010050500013M02606", Some((27, Validity::Valid))),
            ("FR1420041010050500013M02607", Some((27, Validity::Invalid))),
            ("AB12CDEF1234567", None),
            ("NO9386011117947", Some((15, Validity::Valid))),
            ("NO93860111179471", None),
        ] {
            assert_eq!(iban(text.as_bytes(), 0), expected, "{text}");
        }
    }

    #[test]
    fn codes_of_banks() {
        assert!(is_bic(b"DEUTDEFF"));
        assert!(is_bic(b"DEUTDEFF500"));
        assert!(!is_bic(b"PASSWORD"));
        assert!(!is_bic(b"DEUTDEFF5"));
        assert_eq!(aba(b"021000021"), Validity::Valid);
        assert_eq!(aba(b"021000022"), Validity::Invalid);
    }
}
