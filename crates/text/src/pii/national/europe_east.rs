//! Central and eastern Europe, and Kazakhstan.

use super::{
    Kind, Validity,
    checksum::{
        all_same, digits, is_date, is_short_date, iso7064_mod_11_10, number, two, weighted,
    },
    valid_if, valid_or_plausible,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        id: "pii.pl-pesel",
        entity: "PL_PESEL",
        title: "PESEL number (Poland)",
        shapes: &["99999999999"],
        check: pl_pesel,
        plausible: 0.3,
        valid: 0.75,
        context: &[
            "pesel",
            "nr pesel",
            "numer pesel",
            "numer ewidencyjny",
            "peselu",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999999/9999", "999999/999", "999999 / 9999"],
        plausible: 0.6,
        valid: 0.92,
        ..CZ_RC
    }
    .recogniser(),
    CZ_RC.recogniser(),
    Kind {
        id: "pii.hu-personal-number",
        entity: "HU_PERSONAL_NUMBER",
        title: "személyi azonosító (Hungary)",
        shapes: &["9-999999-9999", "9 999999 9999", "99999999999"],
        check: hu_personal,
        plausible: 0.3,
        valid: 0.75,
        context: &[
            "szemelyi szam",
            "szemelyi azonosito",
            "szemelyi szama",
            "szemelyi szamom",
            "szemelyi azonositom",
            "szemelyazonosito",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.hu-tax-id",
        entity: "HU_TAX_ID",
        title: "adóazonosító jel (Hungary)",
        shapes: &["9999999999"],
        check: hu_tax,
        plausible: 0.2,
        valid: 0.5,
        context: &[
            "adoazonosito",
            "adoazonosito jel",
            "adoszam",
            "ado azonosito",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.hu-taj",
        entity: "HU_TAJ",
        title: "TAJ social security number (Hungary)",
        shapes: &["999 999 999", "999-999-999", "999999999"],
        check: hu_taj,
        plausible: 0.1,
        valid: 0.25,
        context: &[
            "taj",
            "taj szam",
            "taj-szam",
            "tajszam",
            "tarsadalombiztositasi",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.ro-cnp",
        entity: "RO_CNP",
        title: "cod numeric personal (Romania)",
        shapes: &["9999999999999", "9 999999 999999", "9 99 99 99 99 999 9"],
        check: ro_cnp,
        plausible: 0.4,
        valid: 0.92,
        context: &[
            "cnp",
            "cod numeric personal",
            "codul numeric personal",
            "cnp-ul",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.bg-egn",
        entity: "BG_EGN",
        title: "EGN civil number (Bulgaria)",
        shapes: &["9999999999", "999999 9999"],
        check: bg_egn,
        plausible: 0.2,
        valid: 0.5,
        context: &[
            "егн",
            "egn",
            "единен граждански номер",
            "граждански номер",
            "лнч",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.hr-oib",
        entity: "HR_OIB",
        title: "OIB personal number (Croatia)",
        shapes: &["99999999999", "HR99999999999"],
        check: |value| {
            let value = value.strip_prefix(b"HR").unwrap_or(value);
            valid_if(digits::<11>(value).is_some_and(|d| !all_same(&d) && iso7064_mod_11_10(&d)))
        },
        plausible: 0.2,
        valid: 0.35,
        context: &[
            "oib",
            "osobni identifikacijski broj",
            "osobni broj",
            "identifikacijski broj",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.si-emso",
        entity: "SI_EMSO",
        title: "EMŠO personal number (Slovenia)",
        shapes: &["9999999999999", "999999 9999999", "9999999 999999"],
        check: |value| unique_master_number(value, |region| matches!(region, 50..=59)),
        plausible: 0.4,
        valid: 0.92,
        context: &["emso", "maticna stevilka", "enotna maticna", "emso:"],
    }
    .recogniser(),
    Kind {
        id: "pii.rs-jmbg",
        entity: "RS_JMBG",
        title: "JMBG personal number (Serbia and the other successors of Yugoslavia)",
        shapes: &["9999999999999", "999999 9999999", "9999999 999999"],
        check: |value| unique_master_number(value, |region| !matches!(region, 50..=59)),
        plausible: 0.3,
        valid: 0.85,
        context: &[
            "jmbg",
            "јмбг",
            "maticni broj",
            "матични броj",
            "матични број",
            "јединствени матични",
            "jedinstveni maticni",
            "матичен броj",
            "матичен број",
            "ембг",
            "embg",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.ua-tin",
        entity: "UA_TIN",
        title: "RNOKPP taxpayer number (Ukraine)",
        shapes: &["9999999999"],
        check: ua_tin,
        plausible: 0.2,
        valid: 0.45,
        context: &[
            "рнокпп",
            "іпн",
            "ипн",
            "ідентифікаційний",
            "податковий номер",
            "облікової картки",
            "номер платника",
            "код платника",
            "інн",
            "rnokpp",
            "ipn",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999-999-999 99", "999-999-999-99", "999 999 999 99"],
        valid: 0.97,
        ..RU_SNILS
    }
    .recogniser(),
    RU_SNILS.recogniser(),
    Kind {
        id: "pii.ru-inn",
        entity: "RU_INN",
        title: "INN taxpayer number of a person (Russia)",
        shapes: &["999999999999", "9999 999999 99"],
        check: ru_inn,
        plausible: 0.3,
        valid: 0.85,
        context: &["инн", "inn", "налогоплательщика", "идентификационный номер"],
    }
    .recogniser(),
    Kind {
        id: "pii.kz-iin",
        entity: "KZ_IIN",
        title: "IIN personal number (Kazakhstan)",
        shapes: &["999999999999"],
        check: kz_iin,
        plausible: 0.3,
        valid: 0.7,
        context: &[
            "иин",
            "жсн",
            "iin",
            "индивидуальный идентификационный",
            "личный номер",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.md-idnp",
        entity: "MD_IDNP",
        title: "IDNP personal number (Moldova)",
        shapes: &["9999999999999"],
        check: md_idnp,
        plausible: 0.2,
        valid: 0.4,
        context: &[
            "idnp",
            "cod personal",
            "codul personal",
            "cod numeric personal",
            "персональный код",
        ],
    }
    .recogniser(),
];

const CZ_RC: Kind = Kind {
    id: "pii.cz-rc",
    entity: "CZ_RC",
    title: "rodné číslo (Czechia and Slovakia)",
    shapes: &["9999999999"],
    check: cz_rc,
    plausible: 0.2,
    valid: 0.55,
    context: &[
        "rodne cislo",
        "rodneho cisla",
        "rodnym cislem",
        "rc",
        "r.c.",
        "rodcislo",
        "rodne c",
        "r. c.",
    ],
};

const RU_SNILS: Kind = Kind {
    id: "pii.ru-snils",
    entity: "RU_SNILS",
    title: "SNILS insurance number (Russia)",
    shapes: &["99999999999"],
    check: ru_snils,
    plausible: 0.2,
    valid: 0.5,
    context: &[
        "снилс",
        "snils",
        "страховой номер",
        "лицевого счета",
        "пенсионного страхования",
    ],
};

/// Weights 1 3 7 9 modulo 10 and the birth date, whose month tells the century (Ustawa z 24
/// września 2010 r. o ewidencji ludności, art. 15).
fn pl_pesel(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let sum = weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
        let (century, month) = match two(d[2], d[3]) {
            month @ 81..=92 => (1800, month - 80),
            month @ 21..=32 => (2000, month - 20),
            month @ 41..=52 => (2100, month - 40),
            month @ 61..=72 => (2200, month - 60),
            month => (1900, month),
        };
        sum.is_multiple_of(10)
            && is_date(century + u32::from(two(d[0], d[1])), month, two(d[4], d[5]))
    }))
}

/// Birth date (women: month plus 50; since 2004 also plus 20 or 70) and divisible by eleven;
/// numbers before 1954 have nine digits and no check digit (Zákon č. 133/2000 Sb., § 13).
fn cz_rc(value: &[u8]) -> Validity {
    let month = |tens: u8, ones: u8| match two(tens, ones) {
        month @ 21..=32 => month - 20,
        month @ 51..=62 => month - 50,
        month @ 71..=82 => month - 70,
        month => month,
    };
    if let Some(d) = digits::<9>(value) {
        let date = is_date(
            1900 + u32::from(two(d[0], d[1])),
            month(d[2], d[3]),
            two(d[4], d[5]),
        );
        return valid_or_plausible(false, date && two(d[0], d[1]) <= 53 && number(&d[6..]) > 0);
    }
    valid_if(digits::<10>(value).is_some_and(|d| {
        let [body @ .., check] = d;
        // Until 1985 a remainder of 10 was written 0.
        let agrees = number(&body) % 11 % 10 == u64::from(check);
        agrees && is_short_date(two(d[0], d[1]), month(d[2], d[3]), two(d[4], d[5]))
    }))
}

/// Century and sex, birth date, and weights 1 to 10, for births from 1997 on 10 to 1, modulo 11
/// (1996. évi XX. törvény).
fn hu_personal(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let up = weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) % 11;
        let down = weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11;
        let recent = matches!(d[0], 3 | 4) || two(d[1], d[2]) >= 97;
        let sum = if recent { down } else { up };
        (1..=8).contains(&d[0])
            && is_short_date(two(d[1], d[2]), two(d[3], d[4]), two(d[5], d[6]))
            && sum == u32::from(d[10])
    }))
}

/// Begins with 8, then the birth date as days since 1867; weights 1 to 9 modulo 11 (2017. évi CL.
/// törvény, 1. melléklet).
fn hu_tax(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        d[0] == 8 && weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 == u32::from(d[9])
    }))
}

/// Weights 3 and 7 modulo 10 (1996. évi XX. törvény, 3. melléklet).
fn hu_taj(value: &[u8]) -> Validity {
    valid_if(digits::<9>(value).is_some_and(|d| {
        weighted(&d, &[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == u32::from(d[8]) && !all_same(&d)
    }))
}

/// Sex and century, birth date, county, and weights 2 7 9 1 4 6 3 5 8 2 7 9 modulo 11 (OUG
/// 97/2005).
fn ro_cnp(value: &[u8]) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        let sum = weighted(&d, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        let check = if sum == 10 { 1 } else { sum };
        d[0] != 0
            && is_short_date(two(d[1], d[2]), two(d[3], d[4]), two(d[5], d[6]))
            && matches!(two(d[7], d[8]), 1..=52 | 60..=75 | 80..=85 | 90..=99)
            && check == u32::from(d[12])
    }))
}

/// Birth date, whose month tells the century, and weights 2 4 8 5 10 9 7 3 6 modulo 11 (ГРАО).
fn bg_egn(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        let (century, month) = match two(d[2], d[3]) {
            month @ 21..=32 => (1800, month - 20),
            month @ 41..=52 => (2000, month - 40),
            month => (1900, month),
        };
        let check = weighted(&d, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
        check == u32::from(d[9])
            && is_date(century + u32::from(two(d[0], d[1])), month, two(d[4], d[5]))
    }))
}

/// Birth date DDMMYYY, region of registration, and weights 7 6 5 4 3 2 modulo 11 (JMBG, Službeni
/// list SFRJ 58/1976).
fn unique_master_number(value: &[u8], region: fn(u8) -> bool) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        let year = match u32::from(d[4]) * 100 + u32::from(two(d[5], d[6])) {
            year @ 850.. => 1000 + year,
            year => 2000 + year,
        };
        let check = (11 - weighted(&d, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        is_date(year, two(d[2], d[3]), two(d[0], d[1]))
            && region(two(d[7], d[8]))
            && check == u32::from(d[12])
    }))
}

/// Days since 31 December 1899 (a birth between 1920 and 2027 here) and weights -1 5 7 9 4 6 10 5
/// 7 modulo 11 (ДПС України).
fn ua_tin(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        let sum = weighted(&d, &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10;
        let days = number(&d[..5]);
        (3_650..=46_400).contains(&days) && sum == u32::from(d[9])
    }))
}

/// Weights 9 to 1 modulo 101; numbers up to 001-001-998 have no check digits (Постановление ПФР
/// 192п).
fn ru_snils(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let [body @ .., k1, k2] = d;
        let sum = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
        number(&body) > 1_001_998 && sum == u32::from(two(k1, k2))
    }))
}

/// Two check digits modulo 11 modulo 10 (Приказ ФНС ММВ-7-6/435).
fn ru_inn(value: &[u8]) -> Validity {
    valid_if(digits::<12>(value).is_some_and(|d| {
        let first = weighted(&d, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
        let second = weighted(&d, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
        number(&d[..2]) > 0 && first == u32::from(d[10]) && second == u32::from(d[11])
    }))
}

/// Birth date, century and sex, and weights 1 to 11 modulo 11, with a second round of weights when
/// that leaves 10 (Закон РК № 223-III).
fn kz_iin(value: &[u8]) -> Validity {
    valid_if(digits::<12>(value).is_some_and(|d| {
        let first = weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
        let second = weighted(&d, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11;
        let check = if first == 10 { second } else { first };
        d[6] <= 6
            && is_short_date(two(d[0], d[1]), two(d[2], d[3]), two(d[4], d[5]))
            && check == u32::from(d[11])
    }))
}

/// Begins with 0, 1, or 2; weights 7 3 1 modulo 10 (Agenția Servicii Publice).
fn md_idnp(value: &[u8]) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        let check = weighted(&d, &[7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10;
        matches!(d[0], 0 | 2) && check == u32::from(d[12]) && number(&d) > 9
    }))
}
