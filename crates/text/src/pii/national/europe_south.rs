//! Spain, Portugal, Italy, and Greece.

use super::{
    Kind, Validity,
    checksum::{all_same, digits, is_short_date, luhn, number, two, weighted},
    plausible_if, valid_if,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        id: "pii.es-nif",
        entity: "ES_NIF",
        title: "DNI or NIF number (Spain)",
        shapes: &[
            "99999999A",
            "99999999-A",
            "99999999 A",
            "99.999.999-A",
            "99.999.999 A",
            "A9999999A",
        ],
        check: es_nif,
        plausible: 0.4,
        valid: 0.9,
        context: &[
            "dni",
            "nif",
            "documento nacional",
            "documento de identidad",
            "identificacion fiscal",
            "numero de identificacion",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.es-nie",
        entity: "ES_NIE",
        title: "foreigner's identity number (Spain)",
        shapes: &[
            "A9999999A",
            "A-9999999-A",
            "A 9999999 A",
            "A9999999-A",
            "A-9999999A",
            "A 9999999A",
        ],
        check: es_nie,
        plausible: 0.5,
        valid: 0.93,
        context: &[
            "nie",
            "extranjero",
            "numero de identidad de extranjero",
            "tarjeta de residencia",
            "dni",
            "nif",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.es-nuss",
        entity: "ES_NUSS",
        title: "social security number (Spain)",
        shapes: &[
            "999999999999",
            "99 9999999999",
            "99/99999999/99",
            "99 99999999 99",
            "99-99999999-99",
        ],
        check: es_nuss,
        plausible: 0.3,
        valid: 0.55,
        context: &[
            "seguridad social",
            "nuss",
            "naf",
            "afiliacion",
            "numero de la seguridad social",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999 999 999", "999.999.999"],
        valid: 0.45,
        ..PT_NIF
    }
    .recogniser(),
    PT_NIF.recogniser(),
    Kind {
        id: "pii.pt-cc",
        entity: "PT_CC",
        title: "citizen card number (Portugal)",
        shapes: &[
            "99999999 9 AA9",
            "99999999 9 XX9",
            "999999999AA9",
            "99999999-9-AA9",
            "99999999 9AA9",
        ],
        check: pt_cc,
        plausible: 0.4,
        valid: 0.9,
        context: &[
            "cartao de cidadao",
            "cartao cidadao",
            "bilhete de identidade",
            "numero de documento",
            "cc",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.it-fiscal-code",
        entity: "IT_FISCAL_CODE",
        title: "codice fiscale (Italy)",
        shapes: &[
            "AAAAAAXXAXXAXXXA",
            "AAA AAA XXAXX AXXXA",
            "AAA AAA XXAXX AXXX A",
        ],
        check: it_fiscal_code,
        plausible: 0.7,
        valid: 0.98,
        context: &[
            "codice fiscale",
            "cod. fisc",
            "cod fisc",
            "c.f.",
            "cf",
            "codicefiscale",
            "codice_fiscale",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.gr-amka",
        entity: "GR_AMKA",
        title: "AMKA social security number (Greece)",
        shapes: &["99999999999", "999999 99999", "999999-99999"],
        check: gr_amka,
        plausible: 0.3,
        valid: 0.6,
        context: &[
            "αμκα",
            "α.μ.κ.α",
            "amka",
            "κοινωνικησ ασφαλισησ",
            "κοινωνικης ασφαλισης",
            "μητρωο",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.gr-afm",
        entity: "GR_AFM",
        title: "AFM tax number (Greece)",
        shapes: &["999999999", "EL999999999", "EL 999999999"],
        check: gr_afm,
        plausible: 0.1,
        valid: 0.25,
        context: &[
            "αφμ",
            "α.φ.μ",
            "afm",
            "φορολογικο μητρωο",
            "δου",
            "φορολογικου μητρωου",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.gr-id-card",
        entity: "GR_ID_CARD",
        title: "identity card number (Greece)",
        shapes: &["AA 999999", "AA-999999", "AA999999"],
        check: |value| {
            plausible_if(
                value
                    .iter()
                    .take(2)
                    .all(|letter| b"ABEZHIKMNOPTYX".contains(letter)),
            )
        },
        plausible: 0.15,
        valid: 0.15,
        context: &[
            "ταυτοτητα",
            "ταυτοτητας",
            "αδτ",
            "α.δ.τ",
            "αριθμος ταυτοτητας",
            "δελτιο ταυτοτητας",
        ],
    }
    .recogniser(),
];

const PT_NIF: Kind = Kind {
    id: "pii.pt-nif",
    entity: "PT_NIF",
    title: "NIF tax number (Portugal)",
    shapes: &["999999999", "PT999999999"],
    check: pt_nif,
    plausible: 0.1,
    valid: 0.3,
    context: &[
        "nif",
        "contribuinte",
        "numero de contribuinte",
        "identificacao fiscal",
        "nipc",
        "cpf/nif",
    ],
};

/// The control letter of a number modulo 23 (Ministerio del Interior, "Cálculo del dígito de
/// control del NIF/NIE").
fn spanish_letter(number: u64) -> Option<&'static u8> {
    b"TRWAGMYFPDXBNJZSQVHLCKE".get(usize::try_from(number % 23).ok()?)
}

/// Control letter; `K`, `L`, and `M` in front are persons without a DNI.
fn es_nif(value: &[u8]) -> Validity {
    let Some((check, payload)) = value.split_last() else {
        return Validity::Invalid;
    };
    let body = match payload {
        [b'K' | b'L' | b'M', rest @ ..] => digits::<7>(rest).map(|d| number(&d)),
        _ => digits::<8>(payload)
            .filter(|d| !all_same(d))
            .map(|d| number(&d)),
    };
    valid_if(body.is_some_and(|body| spanish_letter(body) == Some(check)))
}

/// `X`, `Y`, `Z` in front count as 0, 1, 2.
fn es_nie(value: &[u8]) -> Validity {
    let [first @ b'X'..=b'Z', payload @ .., check] = value else {
        return Validity::Invalid;
    };
    let prefix = u64::from(first - b'X') * 10_000_000;
    valid_if(
        digits::<7>(payload).is_some_and(|d| spanish_letter(prefix + number(&d)) == Some(check)),
    )
}

/// Province 01 to 53 or 66, number, and both together modulo 97 (Tesorería General de la Seguridad
/// Social); a number below ten million is added to the province times ten million.
fn es_nuss(value: &[u8]) -> Validity {
    valid_if(digits::<12>(value).is_some_and(|d| {
        let [p1, p2, body @ .., k1, k2] = d;
        let (province, body) = (u64::from(two(p1, p2)), number(&body));
        let all = if body < 10_000_000 {
            province * 10_000_000 + body
        } else {
            province * 100_000_000 + body
        };
        matches!(province, 1..=53 | 66) && body > 0 && all % 97 == u64::from(two(k1, k2))
    }))
}

/// Modulo 11 with weights 9 to 2, and the first digits in use (Decreto-Lei 14/2013).
fn pt_nif(value: &[u8]) -> Validity {
    let value = value.strip_prefix(b"PT").unwrap_or(value);
    valid_if(digits::<9>(value).is_some_and(|d| {
        let check = (11 - weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
        let prefix = matches!(d[0], 1..=3 | 5 | 6 | 8 | 9) || [d[0], d[1]] == [4, 5] || d[0] == 7;
        prefix && check == u32::from(d[8]) && !all_same(&d)
    }))
}

/// Luhn over digits and letters (A = 10), all twelve characters (AMA, "Algoritmo de validação do
/// número de documento").
fn pt_cc(value: &[u8]) -> Validity {
    let Ok(value) = <[u8; 12]>::try_from(value) else {
        return Validity::Invalid;
    };
    let sum: u32 = value
        .iter()
        .enumerate()
        .map(|(place, &byte)| {
            let digit = match byte {
                b'0'..=b'9' => u32::from(byte - b'0'),
                letter => u32::from(letter.wrapping_sub(b'A')) + 10,
            };
            match (place % 2, digit * 2) {
                (1, _) => digit,
                (_, doubled @ 10..) => doubled - 9,
                (_, doubled) => doubled,
            }
        })
        .sum();
    valid_if(sum.is_multiple_of(10) && value[9].is_ascii_uppercase())
}

/// Name, birth date (women: day plus 40), place, and the control letter; digits may be replaced by
/// letters where two persons share a code (Decreto Ministeriale 23 dicembre 1976).
fn it_fiscal_code(value: &[u8]) -> Validity {
    let Ok(value) = <[u8; 16]>::try_from(value) else {
        return Validity::Invalid;
    };
    let month = b"ABCDEHLMPRST"
        .iter()
        .position(|&letter| letter == value[8]);
    let digit = |at: usize| value.get(at).and_then(|&byte| omocodia(byte));
    let (Some(month), Some(y1), Some(y2), Some(d1), Some(d2), Some(_), Some(_), Some(_)) = (
        month,
        digit(6),
        digit(7),
        digit(9),
        digit(10),
        digit(12),
        digit(13),
        digit(14),
    ) else {
        return Validity::Invalid;
    };
    let day = two(d1, d2);
    let day = if day > 40 { day - 40 } else { day };
    let month = u8::try_from(month + 1).unwrap_or(0);
    let [body @ .., check] = value;
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(place, &byte)| {
            let value = if byte.is_ascii_digit() {
                byte - b'0'
            } else {
                byte.wrapping_sub(b'A')
            };
            if place % 2 == 1 {
                u32::from(value)
            } else {
                IT_ODD.get(usize::from(value)).copied().unwrap_or(0).into()
            }
        })
        .sum();
    valid_if(
        is_short_date(two(y1, y2), month, day) && sum % 26 == u32::from(check.wrapping_sub(b'A')),
    )
}

/// Values of digits, and of letters from A on, in odd places of the codice fiscale.
static IT_ODD: [u8; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/// The digit behind a character of a codice fiscale, where L M N P Q R S T U V stand for 0 to 9.
fn omocodia(byte: u8) -> Option<u8> {
    if byte.is_ascii_digit() {
        return Some(byte - b'0');
    }
    let at = b"LMNPQRSTUV".iter().position(|&letter| letter == byte)?;
    u8::try_from(at).ok()
}

/// Birth date DDMMYY and Luhn (ΗΔΙΚΑ, AMKA).
fn gr_amka(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        is_short_date(two(d[4], d[5]), two(d[2], d[3]), two(d[0], d[1])) && luhn(&d)
    }))
}

/// Powers of two modulo 11 modulo 10 (ΑΑΔΕ; OECD "Greece TIN").
fn gr_afm(value: &[u8]) -> Validity {
    let value = value.strip_prefix(b"EL").unwrap_or(value);
    valid_if(digits::<9>(value).is_some_and(|d| {
        let [body @ .., check] = d;
        let sum = body
            .iter()
            .fold(0, |sum, &digit| sum * 2 + u32::from(digit))
            * 2;
        sum % 11 % 10 == u32::from(check) && !all_same(&d)
    }))
}
