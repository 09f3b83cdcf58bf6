//! Turkey, Israel, the Arab countries, and Iran.

use super::{
    Kind, Validity,
    checksum::{all_same, digits, is_date, luhn, number, two, weighted},
    plausible_if, valid_if, valid_or_plausible,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        id: "pii.tr-tckn",
        entity: "TR_TCKN",
        title: "T.C. kimlik number (Turkey)",
        shapes: &["99999999999", "999 999 999 99"],
        check: tr_tckn,
        plausible: 0.3,
        valid: 0.8,
        context: &[
            "tckn",
            "tc kimlik",
            "t.c. kimlik",
            "tc no",
            "t.c. no",
            "kimlik no",
            "kimlik numarasi",
            "kimlik numarası",
            "kimlik numaram",
            "tc kimlik no",
            "tckimlik",
            "vatandaslik",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["99999999-9", "9-9999999-9", "9 9999999 9"],
        valid: 0.6,
        ..IL_ID
    }
    .recogniser(),
    IL_ID.recogniser(),
    Kind {
        shapes: &["784-9999-9999999-9", "784 9999 9999999 9"],
        plausible: 0.85,
        valid: 0.97,
        ..AE_EMIRATES_ID
    }
    .recogniser(),
    AE_EMIRATES_ID.recogniser(),
    Kind {
        id: "pii.sa-national-id",
        entity: "SA_NATIONAL_ID",
        title: "national or iqama number (Saudi Arabia)",
        shapes: &["9999999999"],
        check: sa_id,
        plausible: 0.2,
        valid: 0.35,
        context: &[
            "رقم الهوية",
            "الهوية الوطنية",
            "هوية",
            "الهوية",
            "الاقامة",
            "الإقامة",
            "السجل المدني",
            "رقم الاقامة",
            "iqama",
            "saudi id",
            "absher",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.eg-national-id",
        entity: "EG_NATIONAL_ID",
        title: "national number (Egypt)",
        shapes: &["99999999999999", "9 999999 99 99999"],
        check: eg_id,
        plausible: 0.6,
        valid: 0.9,
        context: &[
            "الرقم القومي",
            "رقم قومي",
            "الرقم القومى",
            "رقمي القومي",
            "بطاقة",
            "بطاقة الرقم القومي",
            "raqam qawmi",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.kw-civil-id",
        entity: "KW_CIVIL_ID",
        title: "civil number (Kuwait)",
        shapes: &["999999999999"],
        check: kw_civil_id,
        plausible: 0.3,
        valid: 0.7,
        context: &[
            "الرقم المدني",
            "البطاقة المدنية",
            "رقم مدني",
            "civil id",
            "civil number",
            "paci",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999-999999-9"],
        valid: 0.8,
        ..IR_NATIONAL_CODE
    }
    .recogniser(),
    IR_NATIONAL_CODE.recogniser(),
];

const IL_ID: Kind = Kind {
    id: "pii.il-id",
    entity: "IL_ID",
    title: "teudat zehut number (Israel)",
    shapes: &["999999999"],
    check: |value| {
        valid_if(
            digits::<9>(value).is_some_and(|d| luhn(&d) && !all_same(&d) && number(&d) > 9_999),
        )
    },
    plausible: 0.1,
    valid: 0.3,
    context: &[
        "תעודת זהות",
        "ת.ז",
        "ת\"ז",
        "תז",
        "מספר זהות",
        "מספר תעודת",
        "תעודת הזהות",
        "teudat zehut",
        "israeli id",
    ],
};

const AE_EMIRATES_ID: Kind = Kind {
    id: "pii.ae-emirates-id",
    entity: "AE_EMIRATES_ID",
    title: "Emirates ID number (United Arab Emirates)",
    shapes: &["784999999999999"],
    check: ae_emirates_id,
    plausible: 0.5,
    valid: 0.8,
    context: &[
        "emirates id",
        "eid",
        "الهوية الاماراتية",
        "الهوية الإماراتية",
        "هوية",
        "رقم الهوية",
        "بطاقة الهوية",
        "uae id",
    ],
};

const IR_NATIONAL_CODE: Kind = Kind {
    id: "pii.ir-national-code",
    entity: "IR_NATIONAL_CODE",
    title: "kod-e melli (Iran)",
    shapes: &["9999999999"],
    check: ir_national_code,
    plausible: 0.1,
    valid: 0.25,
    context: &[
        "کد ملی",
        "كد ملي",
        "شماره ملی",
        "کدملی",
        "kode melli",
        "code melli",
        "melli code",
    ],
};

/// Seven times the odd places less the even ones, then the sum of all ten, both modulo 10
/// (NVİ, T.C. kimlik numarası algoritması).
fn tr_tckn(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let odd = weighted(&d, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
        let even = weighted(&d, &[0, 1, 0, 1, 0, 1, 0, 1]);
        // 9 * even is -even modulo 10 and never negative.
        let first = (odd * 7 + even * 9) % 10;
        let second = (odd + even + first) % 10;
        d[0] != 0 && first == u32::from(d[9]) && second == u32::from(d[10])
    }))
}

/// Prefix 784 (ISO 3166-1), a birth year, and Luhn, which some cards do not keep.
fn ae_emirates_id(value: &[u8]) -> Validity {
    let Some(d) = digits::<15>(value) else {
        return Validity::Invalid;
    };
    let year = u32::from(two(d[3], d[4])) * 100 + u32::from(two(d[5], d[6]));
    valid_or_plausible(
        luhn(&d),
        d.starts_with(&[7, 8, 4]) && (1900..2100).contains(&year),
    )
}

/// Begins with 1 (citizens) or 2 (residents); Luhn (National Information Center).
fn sa_id(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| matches!(d[0], 1 | 2) && luhn(&d)))
}

/// Century, birth date, governorate, serial; the algorithm of its check digit is not published.
fn eg_id(value: &[u8]) -> Validity {
    plausible_if(digits::<14>(value).is_some_and(|d| {
        let century = match d[0] {
            2 => 1900,
            3 => 2000,
            _ => return false,
        };
        is_date(
            century + u32::from(two(d[1], d[2])),
            two(d[3], d[4]),
            two(d[5], d[6]),
        ) && matches!(two(d[7], d[8]), 1..=4 | 11..=19 | 21..=29 | 31..=35 | 88)
    }))
}

/// Century, birth date, and weights 2 1 6 3 7 9 10 5 8 4 2 modulo 11 (PACI).
fn kw_civil_id(value: &[u8]) -> Validity {
    valid_if(digits::<12>(value).is_some_and(|d| {
        let century = match d[0] {
            1 => 1800,
            2 => 1900,
            3 => 2000,
            _ => return false,
        };
        let check = 11 - weighted(&d, &[2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11;
        is_date(
            century + u32::from(two(d[1], d[2])),
            two(d[3], d[4]),
            two(d[5], d[6]),
        ) && check == u32::from(d[11])
    }))
}

/// Weights 10 to 2 modulo 11 (سازمان ثبت احوال).
fn ir_national_code(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        let rest = weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        let check = if rest < 2 { rest } else { 11 - rest };
        check == u32::from(d[9]) && !all_same(&d) && number(&d[..3]) > 0
    }))
}
