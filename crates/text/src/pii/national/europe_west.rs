//! The United Kingdom, Ireland, France, Benelux, Germany, Austria, and Switzerland.

use super::{
    Kind, Validity,
    checksum::{
        all_same, digits, is_date, is_short_date, iso7064_mod_11_10, luhn, number, two, verhoeff,
        weighted,
    },
    plausible_if, valid_if,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        id: "pii.uk-nino",
        entity: "UK_NINO",
        title: "national insurance number (United Kingdom)",
        shapes: &[
            "AA999999A",
            "AA 99 99 99 A",
            "AA-99-99-99-A",
            "AA 999999 A",
            "AA999999 A",
        ],
        check: uk_nino,
        plausible: 0.85,
        valid: 0.9,
        context: &[
            "nino",
            "national insurance",
            "ni number",
            "ni no",
            "insurance number",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999 999 9999", "999-999-9999"],
        valid: 0.6,
        ..UK_NHS
    }
    .recogniser(),
    UK_NHS.recogniser(),
    Kind {
        id: "pii.uk-utr",
        entity: "UK_UTR",
        title: "unique taxpayer reference (United Kingdom)",
        shapes: &["9999999999", "99999 99999"],
        check: uk_utr,
        plausible: 0.1,
        valid: 0.2,
        context: &[
            "utr",
            "unique taxpayer",
            "taxpayer reference",
            "self assessment",
            "hmrc",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.ie-pps",
        entity: "IE_PPS",
        title: "personal public service number (Ireland)",
        shapes: &["9999999A", "9999999AA", "9999999 A", "9999999 AA"],
        check: ie_pps,
        plausible: 0.4,
        valid: 0.8,
        context: &[
            "pps",
            "ppsn",
            "pps no",
            "personal public service",
            "uimhir phearsanta",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &[
            "9 99 99 99 999 999 99",
            "9 99 99 99 999 999",
            "9 99 99 9X 999 999 99",
            "9-99-99-99-999-999-99",
            "9.99.99.99.999.999.99",
            "9 99 99 99 999 999/99",
        ],
        valid: 0.98,
        plausible: 0.7,
        ..FR_NIR
    }
    .recogniser(),
    FR_NIR.recogniser(),
    Kind {
        id: "pii.fr-spi",
        entity: "FR_SPI",
        title: "numero fiscal of a person (France)",
        shapes: &["9999999999999", "99 99 999 999 999"],
        check: fr_spi,
        plausible: 0.2,
        valid: 0.6,
        context: &[
            "numero fiscal",
            "spi",
            "impots",
            "reference fiscale",
            "avis d'imposition",
            "nif",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["9999.99.999", "9999 99 999", "999.999.999", "999 999 999"],
        valid: 0.45,
        ..NL_BSN
    }
    .recogniser(),
    NL_BSN.recogniser(),
    Kind {
        shapes: &[
            "99.99.99-999.99",
            "99 99 99 999 99",
            "999999-999-99",
            "999999-999.99",
            "999999 999 99",
        ],
        valid: 0.97,
        ..BE_NRN
    }
    .recogniser(),
    BE_NRN.recogniser(),
    Kind {
        id: "pii.lu-nin",
        entity: "LU_NIN",
        title: "matricule number (Luxembourg)",
        shapes: &[
            "9999999999999",
            "9999 9999 99999",
            "99999999 99999",
            "9999 99 99 99999",
        ],
        check: lu_nin,
        plausible: 0.3,
        valid: 0.9,
        context: &[
            "matricule",
            "numero d'identification",
            "identifikationsnummer",
            "cns",
            "securite sociale",
            "sozialversicherung",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["99 999 999 999", "99/999/999/999"],
        valid: 0.85,
        ..DE_TAX_ID
    }
    .recogniser(),
    DE_TAX_ID.recogniser(),
    Kind {
        id: "pii.de-social-security",
        entity: "DE_SOCIAL_SECURITY",
        title: "pension insurance number (Germany)",
        shapes: &[
            "99999999A999",
            "99 999999 A 999",
            "99 99 99 99 A 999",
            "99-999999-A-999",
            "99 999999 A 99 9",
        ],
        check: de_social_security,
        plausible: 0.6,
        valid: 0.93,
        context: &[
            "sozialversicherungsnummer",
            "rentenversicherungsnummer",
            "versicherungsnummer",
            "rvnr",
            "svnr",
            "sv-nummer",
            "sv-nr",
            "vsnr",
            "rentenversicherung",
            "sozialversicherung",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["9999 999999", "9999-999999", "999 9 999999"],
        valid: 0.6,
        ..AT_SVNR
    }
    .recogniser(),
    AT_SVNR.recogniser(),
    Kind {
        shapes: &["999.9999.9999.99", "999 9999 9999 99", "999-9999-9999-99"],
        valid: 0.97,
        ..CH_AHV
    }
    .recogniser(),
    CH_AHV.recogniser(),
];

const UK_NHS: Kind = Kind {
    id: "pii.uk-nhs",
    entity: "UK_NHS",
    title: "NHS number (United Kingdom)",
    shapes: &["9999999999"],
    check: uk_nhs,
    plausible: 0.2,
    valid: 0.3,
    context: &[
        "nhs",
        "nhs number",
        "nhs no",
        "health service",
        "patient",
        "chi number",
    ],
};

const FR_NIR: Kind = Kind {
    id: "pii.fr-nir",
    entity: "FR_NIR",
    title: "NIR social security number (France)",
    shapes: &[
        "999999999999999",
        "99999 9X 999 999 99",
        "999999X99999999",
        "9999999999999 99",
    ],
    check: fr_nir,
    plausible: 0.3,
    valid: 0.95,
    context: &[
        "nir",
        "securite sociale",
        "numero de secu",
        "n° secu",
        "secu",
        "insee",
        "carte vitale",
        "assure social",
        "numero de securite sociale",
        "immatriculation",
    ],
};

const NL_BSN: Kind = Kind {
    id: "pii.nl-bsn",
    entity: "NL_BSN",
    title: "burgerservicenummer (Netherlands)",
    shapes: &["999999999"],
    check: nl_bsn,
    plausible: 0.1,
    valid: 0.3,
    context: &[
        "bsn",
        "burgerservicenummer",
        "burger service nummer",
        "sofinummer",
        "sofi-nummer",
        "sofi",
        "burgerservice",
    ],
};

const BE_NRN: Kind = Kind {
    id: "pii.be-nrn",
    entity: "BE_NRN",
    title: "national register number (Belgium)",
    shapes: &["99999999999"],
    check: be_nrn,
    plausible: 0.3,
    valid: 0.8,
    context: &[
        "rijksregisternummer",
        "rijksregister",
        "registre national",
        "numero national",
        "nationaal nummer",
        "nationalregisternummer",
        "nrn",
        "insz",
        "niss",
        "rrn",
        "inss",
        "insz-nummer",
    ],
};

const DE_TAX_ID: Kind = Kind {
    id: "pii.de-tax-id",
    entity: "DE_TAX_ID",
    title: "steuerliche Identifikationsnummer (Germany)",
    shapes: &["99999999999"],
    check: de_tax_id,
    plausible: 0.2,
    valid: 0.55,
    context: &[
        "steuer-id",
        "steuerid",
        "steuer id",
        "steueridentifikationsnummer",
        "steuer-identifikationsnummer",
        "identifikationsnummer",
        "steuernummer",
        "idnr",
        "id-nr",
        "steuer-idnr",
        "steuerliche",
        "finanzamt",
        "tin",
    ],
};

const AT_SVNR: Kind = Kind {
    id: "pii.at-svnr",
    entity: "AT_SVNR",
    title: "social insurance number (Austria)",
    shapes: &["9999999999"],
    check: at_svnr,
    plausible: 0.3,
    valid: 0.45,
    context: &[
        "svnr",
        "sv-nr",
        "sv-nummer",
        "sozialversicherungsnummer",
        "versicherungsnummer",
        "vsnr",
        "e-card",
        "sozialversicherung",
    ],
};

const CH_AHV: Kind = Kind {
    id: "pii.ch-ahv",
    entity: "CH_AHV",
    title: "AHV social insurance number (Switzerland)",
    shapes: &["9999999999999"],
    check: ch_ahv,
    plausible: 0.5,
    valid: 0.85,
    context: &[
        "ahv",
        "avs",
        "ahv-nr",
        "ahv-nummer",
        "ahvn13",
        "navs13",
        "sozialversicherungsnummer",
        "numero avs",
        "numero ahv",
        "oasi",
    ],
};

/// Prefixes that HMRC never allots, and the suffix A to D (HMRC NIM39110).
fn uk_nino(value: &[u8]) -> Validity {
    let [first, second, middle @ .., suffix] = value else {
        return Validity::Invalid;
    };
    plausible_if(
        value.len() == 9
            && !b"DFIQUV".contains(first)
            && !b"DFIQUVO".contains(second)
            && ![*b"BG", *b"GB", *b"KN", *b"NK", *b"NT", *b"TN", *b"ZZ"]
                .contains(&[*first, *second])
            && middle.iter().all(u8::is_ascii_digit)
            && matches!(suffix, b'A'..=b'D'),
    )
}

/// Modulo 11 with weights 10 to 2 (NHS Data Dictionary, "NHS NUMBER").
fn uk_nhs(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        let check = (11 - weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        check == u32::from(d[9]) && !all_same(&d)
    }))
}

/// The first digit checks the rest: weights 6 7 8 9 10 5 4 3 2 modulo 11 (HMRC).
fn uk_utr(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        let [check, payload @ ..] = d;
        let rest = weighted(&payload, &[6, 7, 8, 9, 10, 5, 4, 3, 2]) as usize % 11;
        [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1].get(rest) == Some(&check) && !all_same(&payload)
    }))
}

/// Modulo 23 with weights 8 to 2, and 9 for the second letter (Department of Social Protection).
fn ie_pps(value: &[u8]) -> Validity {
    let Some((payload, letters)) = value.split_at_checked(7) else {
        return Validity::Invalid;
    };
    let (Some(d), [check, second @ ..]) = (digits::<7>(payload), letters) else {
        return Validity::Invalid;
    };
    let extra = match second {
        // W, or T for trusts, weighs nothing.
        [] | [b'W' | b'T'] => 0,
        [letter @ b'A'..=b'I'] => u32::from(letter - b'A' + 1) * 9,
        _ => return Validity::Invalid,
    };
    let rest = (weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) + extra) as usize % 23;
    valid_if(b"WABCDEFGHIJKLMNOPQRSTUV".get(rest) == Some(check) && !all_same(&d))
}

/// Key = 97 - number modulo 97; Corsica's 2A and 2B count as 19 and 18 (INSEE, "Le numéro
/// d'inscription au répertoire").
fn fr_nir(value: &[u8]) -> Validity {
    let Ok(mut ascii) = <[u8; 15]>::try_from(value) else {
        return fr_nir_without_key(value);
    };
    match [ascii[5], ascii[6]] {
        [b'2', b'A'] => [ascii[5], ascii[6]] = *b"19",
        [b'2', b'B'] => [ascii[5], ascii[6]] = *b"18",
        _ => {}
    }
    valid_if(digits::<15>(&ascii).is_some_and(|d| {
        let [body @ .., k1, k2] = d;
        fr_nir_fields(&d) && 97 - number(&body) % 97 == u64::from(two(k1, k2))
    }))
}

fn fr_nir_without_key(value: &[u8]) -> Validity {
    plausible_if(digits::<13>(value).is_some_and(|d| fr_nir_fields(&d)))
}

/// Sex, and the month with its values for unknown ones.
const fn fr_nir_fields(digits: &[u8]) -> bool {
    let [sex, _, _, m1, m2, ..] = digits else {
        return false;
    };
    matches!(sex, 1..=4 | 7 | 8) && matches!(two(*m1, *m2), 1..=12 | 20 | 30..=42 | 50..=99)
}

/// Modulo 511 over the first ten digits; the first is 0 to 3 (DGFiP, via OECD "France TIN").
fn fr_spi(value: &[u8]) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        let [body @ .., k1, k2, k3] = d;
        d[0] <= 3 && number(&body) % 511 == number(&[k1, k2, k3]) && number(&body) > 0
    }))
}

/// The eleven test: weights 9 to 2 and -1 (Logisch Ontwerp BSN).
fn nl_bsn(value: &[u8]) -> Validity {
    valid_if(digits::<9>(value).is_some_and(|d| {
        let sum = weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) + 11 - u32::from(d[8]);
        sum.is_multiple_of(11) && !all_same(&d) && number(&d) > 9_999_999
    }))
}

/// Key = 97 - number modulo 97, with a 2 in front for births from 2000 on; months up to 40 more
/// are the bis numbers (Royal Decree of 3 April 1984).
fn be_nrn(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let [body @ .., k1, k2] = d;
        let key = u64::from(two(k1, k2));
        let before = 97 - number(&body) % 97 == key;
        let after = 97 - (2_000_000_000 + number(&body)) % 97 == key;
        let month = two(d[2], d[3]) % 20;
        let (year, day) = (two(d[0], d[1]), two(d[4], d[5]));
        // Unknown birth dates have month or day 0.
        let date = is_short_date(year, month, day)
            || (month == 0 && day <= 31)
            || (day == 0 && month <= 12);
        (before || after) && date && two(d[2], d[3]) <= 52
    }))
}

/// Birth date, then Luhn over eleven digits and Verhoeff over the same eleven (Règlement
/// grand-ducal du 28 novembre 2013).
fn lu_nin(value: &[u8]) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        let [body @ .., first, second] = d;
        let [y1, y2, y3, y4, m1, m2, d1, d2, _, _, _] = body;
        let year = u32::from(two(y1, y2)) * 100 + u32::from(two(y3, y4));
        let with = |check| {
            let mut all = [0; 12];
            all[..11].copy_from_slice(&body);
            all[11] = check;
            all
        };
        (1800..2100).contains(&year)
            && is_date(year, two(m1, m2), two(d1, d2))
            && luhn(&with(first))
            && verhoeff(&with(second))
    }))
}

/// ISO 7064 MOD 11,10; among the first ten digits one stands twice or three times and never three
/// in a row, none begins with 0 (BZSt, "Steuer-IdNr Prüfziffer").
fn de_tax_id(value: &[u8]) -> Validity {
    valid_if(digits::<11>(value).is_some_and(|d| {
        let [body @ .., _] = d;
        let counts = (0..10).map(|digit| body.iter().filter(|&&other| other == digit).count());
        let repeated = counts.clone().filter(|&count| count > 1).count() == 1;
        let most = counts.max().unwrap_or(0);
        d[0] != 0 && repeated && most <= 3 && iso7064_mod_11_10(&d)
    }))
}

/// Digit sums of products with weights 2 1 2 5 7 1 2 1 2 1 2 1 modulo 10, the letter as two digits
/// (§ 2 VKVV).
fn de_social_security(value: &[u8]) -> Validity {
    let [area @ .., letter, s1, s2, check] = value else {
        return Validity::Invalid;
    };
    let (Some(d), Some(tail)) = (digits::<8>(area), digits::<3>(&[*s1, *s2, *check])) else {
        return Validity::Invalid;
    };
    if !letter.is_ascii_uppercase() {
        return Validity::Invalid;
    }
    let ordinal = letter - b'A' + 1;
    let [a, b, d1, d2, m1, m2, y1, y2] = d;
    let all = [
        a,
        b,
        d1,
        d2,
        m1,
        m2,
        y1,
        y2,
        ordinal / 10,
        ordinal % 10,
        tail[0],
        tail[1],
    ];
    let sum: u32 = all
        .iter()
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    // Days over 31 mark numbers that were given out twice.
    let day = two(d1, d2) % 50;
    valid_if(sum % 10 == u32::from(tail[2]) && (1..=12).contains(&two(m1, m2)) && day <= 31)
}

/// Fourth digit: weights 3 7 9 over the serial, 5 8 4 2 1 6 over the birth date, modulo 11
/// (Hauptverband der österreichischen Sozialversicherungsträger). Months 13 to 15 are in use.
fn at_svnr(value: &[u8]) -> Validity {
    valid_if(digits::<10>(value).is_some_and(|d| {
        let sum = weighted(&d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]);
        let (day, month) = (two(d[4], d[5]), two(d[6], d[7]));
        d[0] != 0
            && sum % 11 == u32::from(d[3])
            && (1..=31).contains(&day)
            && (1..=15).contains(&month)
    }))
}

/// Prefix 756 (ISO 3166-1 of Switzerland) and the EAN-13 check digit (BSV, "Die AHV-Nummer").
fn ch_ahv(value: &[u8]) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        let sum = weighted(&d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
        d.starts_with(&[7, 5, 6]) && sum.is_multiple_of(10)
    }))
}
