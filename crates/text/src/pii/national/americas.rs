//! North and South America.

use super::{
    Kind, Validity,
    checksum::{all_same, digits, is_date, is_short_date, luhn, number, two, weighted},
    plausible_if, valid_if, valid_or_plausible,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        shapes: &["999-99-9999", "999 99 9999", "999.99.9999"],
        plausible: 0.9,
        ..US_SSN
    }
    .recogniser(),
    US_SSN.recogniser(),
    Kind {
        shapes: &["999-99-9999", "999 99 9999"],
        plausible: 0.85,
        ..US_ITIN
    }
    .recogniser(),
    US_ITIN.recogniser(),
    Kind {
        id: "pii.us-ein",
        entity: "US_EIN",
        title: "employer identification number (United States)",
        shapes: &["99-9999999"],
        check: us_ein,
        plausible: 0.3,
        valid: 0.3,
        context: &[
            "ein",
            "employer identification",
            "employer id",
            "federal tax",
            "fein",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999-999-999", "999 999 999"],
        valid: 0.65,
        ..CA_SIN
    }
    .recogniser(),
    CA_SIN.recogniser(),
    Kind {
        id: "pii.mx-curp",
        entity: "MX_CURP",
        title: "CURP population key (Mexico)",
        shapes: &["AAAA999999AAAAAAX9"],
        check: mx_curp,
        plausible: 0.7,
        valid: 0.98,
        context: &["curp", "clave unica", "registro de poblacion"],
    }
    .recogniser(),
    Kind {
        id: "pii.mx-rfc",
        entity: "MX_RFC",
        title: "RFC taxpayer number of a person (Mexico)",
        shapes: &["AAAA999999XXX", "AAAA-999999-XXX", "AAAA 999999 XXX"],
        check: mx_rfc,
        plausible: 0.7,
        valid: 0.9,
        context: &["rfc", "registro federal", "contribuyente", "sat"],
    }
    .recogniser(),
    Kind {
        shapes: &["999.999.999-99", "999 999 999 99", "999999999-99"],
        valid: 0.97,
        ..BR_CPF
    }
    .recogniser(),
    BR_CPF.recogniser(),
    Kind {
        shapes: &["99-99999999-9", "99 99999999 9"],
        valid: 0.9,
        ..AR_CUIT
    }
    .recogniser(),
    AR_CUIT.recogniser(),
    Kind {
        id: "pii.ar-dni",
        entity: "AR_DNI",
        title: "identity document number (Argentina)",
        shapes: &["99.999.999", "9.999.999", "99999999"],
        check: |value| plausible_if(value.first() != Some(&b'0') && !all_same(value)),
        plausible: 0.15,
        valid: 0.15,
        context: &[
            "dni",
            "documento nacional",
            "documento de identidad",
            "nro de documento",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["99.999.999-X", "9.999.999-X"],
        valid: 0.95,
        ..CL_RUT
    }
    .recogniser(),
    CL_RUT.recogniser(),
    Kind {
        id: "pii.co-nit",
        entity: "CO_NIT",
        title: "NIT tax number (Colombia)",
        shapes: &[
            "999.999.999-9",
            "999999999-9",
            "9.999.999.999-9",
            "9999999999-9",
        ],
        check: co_nit,
        plausible: 0.3,
        valid: 0.7,
        context: &["nit", "dian", "cedula", "rut"],
    }
    .recogniser(),
    Kind {
        id: "pii.co-cedula",
        entity: "CO_CEDULA",
        title: "cedula de ciudadania (Colombia)",
        shapes: &["9.999.999.999", "99.999.999", "9999999999", "99999999"],
        check: |value| {
            plausible_if(value.first().is_some_and(|&first| match value.len() {
                10 => first == b'1',
                _ => first != b'0',
            }))
        },
        plausible: 0.1,
        valid: 0.1,
        context: &["cedula", "cedula de ciudadania", "cc no", "c.c."],
    }
    .recogniser(),
    Kind {
        id: "pii.pe-dni",
        entity: "PE_DNI",
        title: "identity document number with its check character (Peru)",
        shapes: &["99999999-X"],
        check: pe_dni,
        plausible: 0.3,
        valid: 0.6,
        context: &[
            "dni",
            "cui",
            "documento nacional",
            "documento de identidad",
            "reniec",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.pe-ruc",
        entity: "PE_RUC",
        title: "RUC taxpayer number (Peru)",
        shapes: &["99999999999"],
        check: pe_ruc,
        plausible: 0.2,
        valid: 0.4,
        context: &["ruc", "sunat", "registro unico"],
    }
    .recogniser(),
    Kind {
        shapes: &["999999999-9"],
        valid: 0.8,
        ..EC_CI
    }
    .recogniser(),
    EC_CI.recogniser(),
    Kind {
        shapes: &["9.999.999-9"],
        valid: 0.85,
        ..UY_CI
    }
    .recogniser(),
    UY_CI.recogniser(),
    Kind {
        shapes: &["999-9999999-9"],
        valid: 0.9,
        ..DO_CEDULA
    }
    .recogniser(),
    DO_CEDULA.recogniser(),
];

const US_SSN: Kind = Kind {
    id: "pii.us-ssn",
    entity: "US_SSN",
    title: "social security number (United States)",
    shapes: &["999999999"],
    check: us_ssn,
    plausible: 0.4,
    valid: 0.9,
    context: &[
        "ssn",
        "ssns",
        "ssn#",
        "ss#",
        "social security",
        "social sec",
        "social_security",
        "socialsecurity",
        "soc sec",
        "social",
    ],
};

const US_ITIN: Kind = Kind {
    id: "pii.us-itin",
    entity: "US_ITIN",
    title: "individual taxpayer identification number (United States)",
    shapes: &["999999999"],
    check: us_itin,
    plausible: 0.3,
    valid: 0.85,
    context: &[
        "itin",
        "individual taxpayer",
        "taxpayer",
        "tax id",
        "irs",
        "tin",
    ],
};

const CA_SIN: Kind = Kind {
    id: "pii.ca-sin",
    entity: "CA_SIN",
    title: "social insurance number (Canada)",
    shapes: &["999999999"],
    check: ca_sin,
    plausible: 0.1,
    valid: 0.3,
    context: &[
        "sin",
        "social insurance",
        "social_insurance",
        "numero d'assurance sociale",
        "assurance sociale",
        "nas",
    ],
};

const BR_CPF: Kind = Kind {
    id: "pii.br-cpf",
    entity: "BR_CPF",
    title: "CPF taxpayer number of a person (Brazil)",
    shapes: &["99999999999"],
    check: br_cpf,
    plausible: 0.3,
    valid: 0.75,
    context: &[
        "cpf",
        "cadastro de pessoa",
        "cadastro de pessoas fisicas",
        "contribuinte",
    ],
};

const AR_CUIT: Kind = Kind {
    id: "pii.ar-cuit",
    entity: "AR_CUIT",
    title: "CUIT or CUIL taxpayer number (Argentina)",
    shapes: &["99999999999"],
    check: ar_cuit,
    plausible: 0.3,
    valid: 0.6,
    context: &["cuit", "cuil", "clave unica", "afip"],
};

const CL_RUT: Kind = Kind {
    id: "pii.cl-rut",
    entity: "CL_RUT",
    title: "RUT or RUN identity number (Chile)",
    shapes: &["99999999-X", "9999999-X"],
    check: cl_rut,
    plausible: 0.3,
    valid: 0.75,
    context: &["rut", "run", "rol unico", "cedula de identidad"],
};

const EC_CI: Kind = Kind {
    id: "pii.ec-ci",
    entity: "EC_CI",
    title: "cedula de identidad (Ecuador)",
    shapes: &["9999999999"],
    check: ec_ci,
    plausible: 0.2,
    valid: 0.3,
    context: &["cedula", "cedula de identidad", "ci", "identidad", "ruc"],
};

const UY_CI: Kind = Kind {
    id: "pii.uy-ci",
    entity: "UY_CI",
    title: "cedula de identidad (Uruguay)",
    shapes: &["9999999-9"],
    check: uy_ci,
    plausible: 0.2,
    valid: 0.5,
    context: &[
        "cedula",
        "cedula de identidad",
        "ci",
        "documento de identidad",
    ],
};

const DO_CEDULA: Kind = Kind {
    id: "pii.do-cedula",
    entity: "DO_CEDULA",
    title: "cedula de identidad y electoral (Dominican Republic)",
    shapes: &["99999999999"],
    check: |value| {
        valid_if(digits::<11>(value).is_some_and(|d| luhn(&d) && number(&d) > 9_999_999))
    },
    plausible: 0.2,
    valid: 0.3,
    context: &[
        "cedula",
        "cedula de identidad",
        "identidad y electoral",
        "cie",
    ],
};

/// Areas 000, 666, and 900 to 999, group 00, and serial 0000 are not assigned (SSA, "Social
/// Security Number Randomization"); 078-05-1120, 219-09-9999, and 457-55-5462 were printed in
/// advertisements. `123-45-6789` may be a placeholder and is a number that can be assigned.
fn us_ssn(value: &[u8]) -> Validity {
    let Some(d) = digits::<9>(value) else {
        return Validity::Invalid;
    };
    let [a, b, c, group @ .., _, _, _, _] = d;
    let area = u16::from(a) * 100 + u16::from(two(b, c));
    let published = matches!(number(&d), 78_051_120 | 219_099_999 | 457_555_462);
    plausible_if(
        !matches!(area, 0 | 666 | 900..)
            && group != [0, 0]
            && !d.ends_with(&[0, 0, 0, 0])
            && !published
            && !all_same(&d),
    )
}

/// 9xx with the fourth and fifth digit in 50-65, 70-88, 90-92, or 94-99 (IRS Publication 1915).
fn us_itin(value: &[u8]) -> Validity {
    plausible_if(digits::<9>(value).is_some_and(|d| {
        d[0] == 9
            && matches!(two(d[3], d[4]), 50..=65 | 70..=88 | 90..=92 | 94..=99)
            && !all_same(&d)
    }))
}

/// The campus prefixes that the IRS assigns ("How EINs are assigned and valid EIN prefixes").
fn us_ein(value: &[u8]) -> Validity {
    plausible_if(digits::<9>(value).is_some_and(|d| {
        !matches!(
            two(d[0], d[1]),
            0 | 7..=9 | 17..=19 | 28..=29 | 49 | 69..=70 | 78..=79 | 89 | 96..=97
        )
    }))
}

/// Luhn; numbers that begin with 0 or 8 are not given to persons (Canada Revenue Agency).
fn ca_sin(value: &[u8]) -> Validity {
    valid_if(digits::<9>(value).is_some_and(|d| !matches!(d[0], 0 | 8) && luhn(&d)))
}

/// Weighted sum modulo 10 over the alphabet with the letter after N, birth date, sex, and state
/// (RENAPO, "Instructivo normativo para la asignación de la CURP", 2018).
fn mx_curp(value: &[u8]) -> Validity {
    let [
        initials @ ..,
        y1,
        y2,
        m1,
        m2,
        d1,
        d2,
        sex,
        s1,
        s2,
        _,
        _,
        _,
        century,
        check,
    ] = value
    else {
        return Validity::Invalid;
    };
    let [y1, y2, m1, m2, d1, d2] = [y1, y2, m1, m2, d1, d2].map(|b| b.wrapping_sub(b'0') % 10);
    let base = if century.is_ascii_digit() { 1900 } else { 2000 };
    let year = base + u32::from(two(y1, y2));
    let sum: u32 = value
        .iter()
        .take(17)
        .zip((2..=18).rev())
        .map(|(&byte, weight)| mexican_value(byte) * weight)
        .sum();
    let agrees = (10 - sum % 10) % 10 == u32::from(check.wrapping_sub(b'0'));
    valid_if(
        initials.len() == 4
            && is_date(year, two(m1, m2), two(d1, d2))
            && matches!(sex, b'H' | b'M' | b'X')
            && MX_STATES.contains(&[*s1, *s2])
            && agrees,
    )
}

/// Position in `0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ`.
const fn mexican_value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => (byte - b'0') as u32,
        b'A'..=b'N' => (byte - b'A') as u32 + 10,
        b'O'..=b'Z' => (byte - b'O') as u32 + 25,
        _ => 24,
    }
}

/// State codes of the CURP; `NE` is a birth abroad.
static MX_STATES: &[[u8; 2]] = &[
    *b"AS", *b"BC", *b"BS", *b"CC", *b"CH", *b"CL", *b"CM", *b"CS", *b"DF", *b"DG", *b"GR", *b"GT",
    *b"HG", *b"JC", *b"MC", *b"MN", *b"MS", *b"NE", *b"NL", *b"NT", *b"OC", *b"PL", *b"QR", *b"QT",
    *b"SL", *b"SP", *b"SR", *b"TC", *b"TL", *b"TS", *b"VZ", *b"YN", *b"ZS",
];

/// Birth date, and the check digit modulo 11, which old numbers do not always keep (SAT, "Anexo
/// 20", clave en el RFC).
fn mx_rfc(value: &[u8]) -> Validity {
    let [_, _, _, _, y1, y2, m1, m2, d1, d2, _, _, check] = value else {
        return Validity::Invalid;
    };
    let [y1, y2, m1, m2, d1, d2] = [y1, y2, m1, m2, d1, d2].map(|b| b.wrapping_sub(b'0') % 10);
    // The alphabet puts `&` where the CURP has the letter after N.
    let sum: u32 = value
        .iter()
        .take(12)
        .zip((2..=13).rev())
        .map(|(&byte, weight)| mexican_value(byte) * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'A',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    valid_or_plausible(
        expected == *check,
        is_short_date(two(y1, y2), two(m1, m2), two(d1, d2)) && matches!(check, b'0'..=b'9' | b'A'),
    )
}

/// Two check digits modulo 11 (Receita Federal, "Cálculo do dígito verificador do CPF").
fn br_cpf(value: &[u8]) -> Validity {
    let Some(d) = digits::<11>(value) else {
        return Validity::Invalid;
    };
    let check = |sum: u32| sum * 10 % 11 % 10;
    valid_if(
        !all_same(&d)
            && check(weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(d[9])
            && check(weighted(&d, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(d[10]),
    )
}

/// Modulo 11 with weights 5 4 3 2 7 6 5 4 3 2, and the prefixes of AFIP (persons and companies).
fn ar_cuit(value: &[u8]) -> Validity {
    let Some(d) = digits::<11>(value) else {
        return Validity::Invalid;
    };
    let check = (11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    let prefix = matches!(two(d[0], d[1]), 20 | 23..=27 | 30 | 33 | 34 | 50 | 51 | 55);
    valid_if(prefix && check == u32::from(d[10]))
}

/// Modulo 11 with weights 2 to 7 from the right, `K` for 10 (Servicio de Registro Civil).
fn cl_rut(value: &[u8]) -> Validity {
    let Some((check, payload)) = value.split_last() else {
        return Validity::Invalid;
    };
    let sum: u32 = payload
        .iter()
        .rev()
        .zip([2, 3, 4, 5, 6, 7].into_iter().cycle())
        .map(|(byte, weight)| u32::from(byte.wrapping_sub(b'0')) * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    valid_if(*check == expected && !all_same(payload) && payload.first() != Some(&b'0'))
}

/// Modulo 11 with the prime weights of DIAN, "Orden administrativa 4 de 1989".
fn co_nit(value: &[u8]) -> Validity {
    const WEIGHTS: [u32; 10] = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43];
    let Some((check, payload)) = value.split_last() else {
        return Validity::Invalid;
    };
    let sum: u32 = payload
        .iter()
        .rev()
        .zip(WEIGHTS)
        .map(|(byte, weight)| u32::from(byte.wrapping_sub(b'0')) * weight)
        .sum();
    let expected = match sum % 11 {
        rest @ (0 | 1) => rest,
        rest => 11 - rest,
    };
    valid_if(expected == u32::from(check.wrapping_sub(b'0')))
}

/// Weights 3 2 7 6 5 4 3 2 modulo 11; the check character is a digit on old cards, a letter on
/// others (RENIEC).
fn pe_dni(value: &[u8]) -> Validity {
    let Some((check, payload)) = value.split_last() else {
        return Validity::Invalid;
    };
    let Some(d) = digits::<8>(payload) else {
        return Validity::Invalid;
    };
    let rest = weighted(&d, &[3, 2, 7, 6, 5, 4, 3, 2]) as usize % 11;
    valid_if(b"65432110987".get(rest) == Some(check) || b"KJIHGFEDCBA".get(rest) == Some(check))
}

/// Prefix 10 (persons), 15, 17, or 20, and modulo 11 with weights 5 4 3 2 7 6 5 4 3 2 (SUNAT).
fn pe_ruc(value: &[u8]) -> Validity {
    let Some(d) = digits::<11>(value) else {
        return Validity::Invalid;
    };
    let check = (11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    valid_if(matches!(two(d[0], d[1]), 10 | 15 | 17 | 20) && check == u32::from(d[10]))
}

/// Province 01 to 24 or 30, third digit below 6, Luhn (Dirección General de Registro Civil).
fn ec_ci(value: &[u8]) -> Validity {
    valid_if(
        digits::<10>(value)
            .is_some_and(|d| matches!(two(d[0], d[1]), 1..=24 | 30) && d[2] < 6 && luhn(&d)),
    )
}

/// Weights 2 9 8 7 6 3 4 modulo 10 (Dirección Nacional de Identificación Civil).
fn uy_ci(value: &[u8]) -> Validity {
    valid_if(digits::<8>(value).is_some_and(|d| {
        let sum = weighted(&d, &[2, 9, 8, 7, 6, 3, 4]);
        !all_same(&d) && (10 - sum % 10) % 10 == u32::from(d[7])
    }))
}
