//! The Nordic and Baltic countries.

use super::{
    Kind, Validity,
    checksum::{digits, is_date, is_short_date, luhn, number, two, weighted},
    valid_if, valid_or_plausible,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        shapes: &[
            "999999-9999",
            "99999999-9999",
            "999999+9999",
            "99999999 9999",
            "999999 9999",
        ],
        valid: 0.9,
        ..SE_PNR
    }
    .recogniser(),
    SE_PNR.recogniser(),
    Kind {
        shapes: &["999999 99999", "999999-99999", "99 99 99 99999"],
        valid: 0.93,
        ..NO_FNR
    }
    .recogniser(),
    NO_FNR.recogniser(),
    Kind {
        shapes: &["999999-9999", "999999 9999"],
        plausible: 0.6,
        valid: 0.8,
        ..DK_CPR
    }
    .recogniser(),
    DK_CPR.recogniser(),
    Kind {
        id: "pii.fi-personal-identity-code",
        entity: "FI_PERSONAL_IDENTITY_CODE",
        title: "henkilotunnus (Finland)",
        shapes: &["999999-999X", "999999A999X", "999999+999X"],
        check: fi_hetu,
        plausible: 0.6,
        valid: 0.95,
        context: &[
            "hetu",
            "henkilotunnus",
            "henkilotunnukseni",
            "henkilotunnuksen",
            "personbeteckning",
            "sotu",
            "sosiaaliturvatunnus",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999999-9999", "999999 9999"],
        valid: 0.85,
        ..IS_KENNITALA
    }
    .recogniser(),
    IS_KENNITALA.recogniser(),
    Kind {
        id: "pii.ee-ik",
        entity: "EE_IK",
        title: "isikukood (Estonia)",
        shapes: &["99999999999"],
        check: baltic_code,
        plausible: 0.3,
        valid: 0.75,
        context: &["isikukood", "isikukoodi", "id-kood", "isikukoodiga", "ik"],
    }
    .recogniser(),
    Kind {
        id: "pii.lt-asmens-kodas",
        entity: "LT_ASMENS_KODAS",
        title: "asmens kodas (Lithuania)",
        shapes: &["99999999999"],
        check: baltic_code,
        plausible: 0.3,
        valid: 0.7,
        context: &["asmens kodas", "asmens kodo", "a.k.", "a/k", "ak"],
    }
    .recogniser(),
    Kind {
        shapes: &["999999-99999"],
        plausible: 0.75,
        valid: 0.93,
        ..LV_PK
    }
    .recogniser(),
    LV_PK.recogniser(),
];

const SE_PNR: Kind = Kind {
    id: "pii.se-pnr",
    entity: "SE_PNR",
    title: "personnummer (Sweden)",
    shapes: &["9999999999", "999999999999"],
    check: se_pnr,
    plausible: 0.3,
    valid: 0.5,
    context: &[
        "personnummer",
        "personnr",
        "pers.nr",
        "pnr",
        "samordningsnummer",
        "personnumret",
        "svenskt personnummer",
        "folkbokforing",
    ],
};

const NO_FNR: Kind = Kind {
    id: "pii.no-fnr",
    entity: "NO_FNR",
    title: "fodselsnummer (Norway)",
    shapes: &["99999999999"],
    check: no_fnr,
    plausible: 0.3,
    valid: 0.85,
    context: &[
        "fodselsnummer",
        "fødselsnummer",
        "fodselsnr",
        "fødselsnr",
        "fnr",
        "personnummer",
        "d-nummer",
        "fodselsnummeret",
        "fødselsnummeret",
        "f.nr",
    ],
};

const DK_CPR: Kind = Kind {
    id: "pii.dk-cpr",
    entity: "DK_CPR",
    title: "CPR number (Denmark)",
    shapes: &["9999999999"],
    check: dk_cpr,
    plausible: 0.2,
    valid: 0.3,
    context: &[
        "cpr",
        "cpr-nummer",
        "cprnummer",
        "cpr-nr",
        "cpr nr",
        "personnummer",
        "cpr-nummeret",
    ],
};

const IS_KENNITALA: Kind = Kind {
    id: "pii.is-kennitala",
    entity: "IS_KENNITALA",
    title: "kennitala (Iceland)",
    shapes: &["9999999999"],
    check: is_kennitala,
    plausible: 0.2,
    valid: 0.4,
    context: &["kennitala", "kennitolu", "kt.", "kennitalan"],
};

const LV_PK: Kind = Kind {
    id: "pii.lv-personas-kods",
    entity: "LV_PERSONAS_KODS",
    title: "personas kods (Latvia)",
    shapes: &["99999999999"],
    check: lv_pk,
    plausible: 0.3,
    valid: 0.6,
    context: &["personas kods", "personas koda", "p.k.", "pk"],
};

/// Birth date (coordination numbers: day plus 60) and Luhn over the last ten digits (Skatteverket
/// SKV 704).
fn se_pnr(value: &[u8]) -> Validity {
    let short = value.iter().filter(|&&byte| byte != b'+');
    let mut ascii = [0; 12];
    let mut length = 0;
    for (slot, &byte) in ascii.iter_mut().zip(short) {
        *slot = byte;
        length += 1;
    }
    let ten = match length {
        10 => ascii.first_chunk::<10>(),
        12 if matches!(ascii, [b'1', b'8' | b'9', ..] | [b'2', b'0', ..]) => {
            ascii.last_chunk::<10>()
        }
        _ => None,
    };
    valid_if(ten.and_then(|ten| digits::<10>(ten)).is_some_and(|d| {
        let day = two(d[4], d[5]);
        let day = if day > 60 { day - 60 } else { day };
        is_short_date(two(d[0], d[1]), two(d[2], d[3]), day) && luhn(&d)
    }))
}

/// Birth date (D numbers: day plus 40; H numbers and test numbers: month plus 40, 65, or 80) and
/// two check digits modulo 11 (Skatteetaten, "Fødselsnummer"). Numbers issued from 2032 on may
/// leave another remainder in the first check.
fn no_fnr(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let day = two(d[0], d[1]);
        let day = if day > 40 { day - 40 } else { day };
        let month = match two(d[2], d[3]) {
            month @ 41..=52 => month - 40,
            month @ 66..=77 => month - 65,
            month @ 81..=92 => month - 80,
            month => month,
        };
        let first = (11 - weighted(&d, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11;
        let second = (11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        is_short_date(two(d[4], d[5]), month, day)
            && first == u32::from(d[9])
            && second == u32::from(d[10])
    }))
}

/// Birth date; modulo 11 holds only for numbers issued before 2007 (CPR-kontoret, "Personnumre
/// uden kontrolciffer").
fn dk_cpr(value: &[u8]) -> Validity {
    let Some(d) = digits::<10>(value) else {
        return Validity::Invalid;
    };
    let sum = weighted(&d, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    valid_or_plausible(
        sum.is_multiple_of(11),
        is_short_date(two(d[4], d[5]), two(d[2], d[3]), two(d[0], d[1])) && number(&d[6..]) > 0,
    )
}

/// Birth date, century sign, and the check character: nine digits modulo 31 (Digi- ja
/// väestötietovirasto). The hyphen has been dropped as a separator by the caller.
fn fi_hetu(value: &[u8]) -> Validity {
    let (date, serial, check) = match value {
        [date @ .., s1, s2, s3, check] if date.len() == 6 => (date, [*s1, *s2, *s3], check),
        [date @ .., sign, s1, s2, s3, check]
            if date.len() == 6 && b"ABCDEFYXWVU+-".contains(sign) =>
        {
            (date, [*s1, *s2, *s3], check)
        }
        _ => return Validity::Invalid,
    };
    let (Some(d), Some(s)) = (digits::<6>(date), digits::<3>(&serial)) else {
        return Validity::Invalid;
    };
    let rest = (number(&d) * 1000 + number(&s)) % 31;
    let expected = usize::try_from(rest)
        .ok()
        .and_then(|rest| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(rest));
    valid_if(
        is_short_date(two(d[4], d[5]), two(d[2], d[3]), two(d[0], d[1]))
            && number(&s) >= 2
            && expected == Some(check),
    )
}

/// Birth date DDMMYY, a check digit modulo 11 in the ninth place, and the century 8, 9, or 0
/// (Þjóðskrá). Numbers issued from 2026 on may lack the check digit.
fn is_kennitala(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        let century = match d[9] {
            8 => 1800,
            9 => 1900,
            0 => 2000,
            _ => return false,
        };
        let sum = weighted(&d, &[3, 2, 7, 6, 5, 4, 3, 2, 1]);
        let year = century + u32::from(two(d[4], d[5]));
        sum.is_multiple_of(11) && is_date(year, two(d[2], d[3]), two(d[0], d[1]))
    }))
}

/// Century and sex, birth date, and a check digit modulo 11 in two rounds (Estonia EVS 585:2007;
/// Lithuania uses the same).
fn baltic_code(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let century = match d[0] {
            1 | 2 => 1800,
            3 | 4 => 1900,
            5 | 6 => 2000,
            7 | 8 => 2100,
            _ => return false,
        };
        let first = weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
        let second = weighted(&d, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
        let check = if first < 10 { first } else { second % 10 };
        let year = century + u32::from(two(d[1], d[2]));
        check == u32::from(d[10]) && is_date(year, two(d[3], d[4]), two(d[5], d[6]))
    }))
}

/// Old numbers carry the birth date and a check digit; those issued since 2017 begin with 32 and
/// carry neither (Pilsonības un migrācijas lietu pārvalde).
fn lv_pk(value: &[u8]) -> Validity {
    let Some(d) = digits::<11>(value) else {
        return Validity::Invalid;
    };
    let sum = weighted(&d, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9]);
    let agrees = (1 + sum) % 11 % 10 == u32::from(d[10]);
    let dated = d[6] <= 2 && is_short_date(two(d[4], d[5]), two(d[2], d[3]), two(d[0], d[1]));
    valid_or_plausible(
        dated && agrees,
        (dated && agrees) || (d[0] == 3 && d[1] >= 2),
    )
}
