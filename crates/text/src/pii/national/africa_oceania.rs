//! Sub-Saharan Africa, Australia, and New Zealand.

use super::{
    Kind, Validity,
    checksum::{all_same, digits, is_short_date, luhn, number, two, weighted},
    plausible_if, valid_if,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        id: "pii.za-id",
        entity: "ZA_ID",
        title: "identity number (South Africa)",
        shapes: &[
            "9999999999999",
            "999999 9999 999",
            "999999 9999 99 9",
            "999999 9999 9 99",
        ],
        check: za_id,
        plausible: 0.3,
        valid: 0.85,
        context: &[
            "identiteitsnommer",
            "id-nommer",
            "inombolo kamazisi",
            "kamazisi",
            "umazisi",
            "sa id",
            "rsa id",
            "id nommer",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.ng-nin",
        entity: "NG_NIN",
        title: "national identification number (Nigeria)",
        shapes: &["99999999999", "9999 999 9999"],
        check: |value| plausible_if(!all_same(value)),
        plausible: 0.05,
        valid: 0.05,
        context: &["nimc", "nigeria", "nigerian", "bvn"],
    }
    .recogniser(),
    Kind {
        id: "pii.ke-pin",
        entity: "KE_PIN",
        title: "KRA tax number (Kenya)",
        shapes: &["A999999999A"],
        check: |value| plausible_if(matches!(value.first(), Some(b'A' | b'P'))),
        plausible: 0.6,
        valid: 0.6,
        context: &["kra", "kra pin", "itax", "pin"],
    }
    .recogniser(),
    Kind {
        id: "pii.ke-id",
        entity: "KE_ID",
        title: "national identity card number (Kenya)",
        shapes: &["99999999"],
        check: |value| plausible_if(!all_same(value) && value.first() != Some(&b'0')),
        plausible: 0.05,
        valid: 0.05,
        context: &["kitambulisho", "huduma", "kenya", "kenyan"],
    }
    .recogniser(),
    Kind {
        id: "pii.gh-card",
        entity: "GH_CARD",
        title: "Ghana card number",
        shapes: &["GHA-999999999-9"],
        check: |_| Validity::Plausible,
        plausible: 0.95,
        valid: 0.95,
        context: &["ghana card", "ghanacard", "nia"],
    }
    .recogniser(),
    Kind {
        shapes: &["999 999 999", "999-999-999", "99 999 999", "999 999 99"],
        valid: 0.5,
        ..AU_TFN
    }
    .recogniser(),
    AU_TFN.recogniser(),
    Kind {
        shapes: &[
            "9999 99999 9",
            "9999-99999-9",
            "9999 99999 9/9",
            "9999 99999 9 9",
        ],
        valid: 0.9,
        ..AU_MEDICARE
    }
    .recogniser(),
    AU_MEDICARE.recogniser(),
    Kind {
        id: "pii.au-abn",
        entity: "AU_ABN",
        title: "business number (Australia)",
        shapes: &["99 999 999 999", "99999999999"],
        check: au_abn,
        plausible: 0.2,
        valid: 0.6,
        context: &["abn", "australian business"],
    }
    .recogniser(),
    Kind {
        id: "pii.au-acn",
        entity: "AU_ACN",
        title: "company number (Australia)",
        shapes: &["999 999 999", "999999999"],
        check: au_acn,
        plausible: 0.1,
        valid: 0.2,
        context: &["acn", "australian company"],
    }
    .recogniser(),
    Kind {
        id: "pii.nz-ird",
        entity: "NZ_IRD",
        title: "IRD tax number (New Zealand)",
        shapes: &[
            "99-999-999",
            "999-999-999",
            "99 999 999",
            "999 999 999",
            "99999999",
            "999999999",
        ],
        check: nz_ird,
        plausible: 0.1,
        valid: 0.3,
        context: &["ird", "inland revenue", "ird number", "gst number"],
    }
    .recogniser(),
];

const AU_TFN: Kind = Kind {
    id: "pii.au-tfn",
    entity: "AU_TFN",
    title: "tax file number (Australia)",
    shapes: &["999999999", "99999999"],
    check: au_tfn,
    plausible: 0.1,
    valid: 0.3,
    context: &["tfn", "tax file", "tax file number", "ato"],
};

const AU_MEDICARE: Kind = Kind {
    id: "pii.au-medicare",
    entity: "AU_MEDICARE",
    title: "Medicare number (Australia)",
    shapes: &["9999999999", "99999999999"],
    check: au_medicare,
    plausible: 0.2,
    valid: 0.4,
    context: &["medicare", "medicare card", "irn"],
};

/// Birth date, citizenship 0 to 2, and Luhn (Department of Home Affairs).
fn za_id(value: &[u8]) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        is_short_date(two(d[0], d[1]), two(d[2], d[3]), two(d[4], d[5])) && d[10] <= 2 && luhn(&d)
    }))
}

/// Weights 1 4 3 7 5 8 6 9 10, or 10 7 8 4 6 3 5 1 for eight digits, modulo 11 (ATO).
fn au_tfn(value: &[u8]) -> Validity {
    let sum = if let Some(d) = digits::<9>(value) {
        weighted(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10])
    } else if let Some(d) = digits::<8>(value) {
        weighted(&d, &[10, 7, 8, 4, 6, 3, 5, 1])
    } else {
        return Validity::Invalid;
    };
    valid_if(sum.is_multiple_of(11) && !all_same(value))
}

/// Begins with 2 to 6; weights 1 3 7 9 modulo 10 in the ninth digit, then the issue number and
/// sometimes the person's place on the card (Services Australia).
fn au_medicare(value: &[u8]) -> Validity {
    let Some((ten, person)) = value.split_at_checked(10) else {
        return Validity::Invalid;
    };
    valid_if(digits::<10>(ten).is_some_and(|d| {
        let check = weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10;
        (2..=6).contains(&d[0])
            && check == u32::from(d[8])
            && d[9] != 0
            && matches!(person, [] | [b'1'..=b'9'])
    }))
}

/// One less in the first digit, then weights 10 1 3 5 to 19 modulo 89 (ABR).
fn au_abn(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let sum = weighted(&d, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
        d[0] != 0 && sum % 89 == 10
    }))
}

/// Weights 8 to 1 modulo 10 (ASIC).
fn au_acn(value: &[u8]) -> Validity {
    valid_if(digits::<9>(value).is_some_and(|d| {
        let sum = weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1]);
        (10 - sum % 10) % 10 == u32::from(d[8]) && !all_same(&d)
    }))
}

/// Two rounds of weights modulo 11; between 10 and 150 million (Inland Revenue, "IRD number
/// validation").
fn nz_ird(value: &[u8]) -> Validity {
    let padded = match (digits::<9>(value), digits::<8>(value)) {
        (Some(d), _) => d,
        (_, Some([a, b, c, d, e, f, g, h])) => [0, a, b, c, d, e, f, g, h],
        _ => return Validity::Invalid,
    };
    let check = |weights: &[u8]| (11 - weighted(&padded, weights) % 11) % 11;
    let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    let expected = if first == 10 {
        check(&[7, 4, 3, 2, 5, 2, 7, 6])
    } else {
        first
    };
    valid_if(
        (10_000_000..150_000_000).contains(&number(&padded)) && expected == u32::from(padded[8]),
    )
}
