//! South, south-east, and east Asia.

use super::{
    Kind, Validity,
    checksum::{
        all_same, digits, is_date, is_short_date, iso7064_mod_11_2, number, two, verhoeff, weighted,
    },
    plausible_if, valid_if, valid_or_plausible,
};
use crate::pii::Recogniser;

/// The identifiers of this region.
pub(super) static RECOGNISERS: &[Recogniser] = &[
    Kind {
        shapes: &["9999 9999 9999", "9999-9999-9999"],
        valid: 0.85,
        ..IN_AADHAAR
    }
    .recogniser(),
    IN_AADHAAR.recogniser(),
    Kind {
        id: "pii.in-pan",
        entity: "IN_PAN",
        title: "permanent account number (India)",
        shapes: &["AAAAA9999A"],
        check: |value| {
            plausible_if(
                value
                    .get(3)
                    .is_some_and(|holder| b"ABCFGHJLPT".contains(holder)),
            )
        },
        plausible: 0.8,
        valid: 0.9,
        context: &["pan", "permanent account", "income tax", "pan card", "पैन"],
    }
    .recogniser(),
    Kind {
        id: "pii.in-voter",
        entity: "IN_VOTER",
        title: "voter identity card number (India)",
        shapes: &["AAA9999999"],
        check: |_| Validity::Plausible,
        plausible: 0.25,
        valid: 0.25,
        context: &["epic", "voter", "voter id", "election commission", "मतदाता"],
    }
    .recogniser(),
    Kind {
        shapes: &["99999-9999999-9"],
        plausible: 0.85,
        ..PK_CNIC
    }
    .recogniser(),
    PK_CNIC.recogniser(),
    Kind {
        id: "pii.bd-nid",
        entity: "BD_NID",
        title: "national identity number (Bangladesh)",
        shapes: &[
            "9999999999",
            "9999999999999",
            "99999999999999999",
            "999 999 9999",
        ],
        check: |value| plausible_if(!all_same(value) && value.first() != Some(&b'0')),
        plausible: 0.05,
        valid: 0.05,
        context: &[
            "জাতীয় পরিচয়পত্র",
            "পরিচয়পত্র",
            "এনআইডি",
            "bangladesh nid",
            "voter id",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.lk-nic",
        entity: "LK_NIC",
        title: "national identity card number (Sri Lanka)",
        shapes: &["999999999A", "999999999999"],
        check: lk_nic,
        plausible: 0.25,
        valid: 0.5,
        context: &["nic", "national identity card", "sri lanka", "හැඳුනුම්පත්"],
    }
    .recogniser(),
    Kind {
        shapes: &["9-9999-99999-99-9", "9 9999 99999 99 9"],
        valid: 0.97,
        ..TH_TNIN
    }
    .recogniser(),
    TH_TNIN.recogniser(),
    Kind {
        shapes: &["999999-99-9999", "999999 99 9999"],
        plausible: 0.85,
        ..MY_NRIC
    }
    .recogniser(),
    MY_NRIC.recogniser(),
    Kind {
        id: "pii.sg-nric-fin",
        entity: "SG_NRIC_FIN",
        title: "NRIC or FIN number (Singapore)",
        shapes: &["A9999999A"],
        check: sg_nric,
        plausible: 0.4,
        valid: 0.92,
        context: &[
            "nric",
            "fin",
            "nric/fin",
            "singpass",
            "identity card",
            "身份证",
            "身份證",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.id-nik",
        entity: "ID_NIK",
        title: "NIK identity number (Indonesia)",
        shapes: &[
            "9999999999999999",
            "999999 999999 9999",
            "999999-999999-9999",
        ],
        check: id_nik,
        plausible: 0.6,
        valid: 0.9,
        context: &[
            "nik",
            "ktp",
            "nomor induk",
            "induk kependudukan",
            "e-ktp",
            "no ktp",
            "npwp",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.ph-psn",
        entity: "PH_PSN",
        title: "PhilSys, SSS, or TIN number (Philippines)",
        shapes: &[
            "9999-9999-9999-9999",
            "9999-9999-9999",
            "9999-9999999-9",
            "99-9999999-9",
            "999-999-999-999",
            "999-999-999-99999",
        ],
        check: |value| plausible_if(!all_same(value)),
        plausible: 0.25,
        valid: 0.25,
        context: &[
            "philsys",
            "psn",
            "philid",
            "umid",
            "sss",
            "philhealth",
            "crn",
            "bir tin",
            "pag-ibig",
            "gsis",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.vn-cccd",
        entity: "VN_CCCD",
        title: "citizen identity number (Vietnam)",
        shapes: &["999999999999", "999 999 999 999"],
        check: vn_cccd,
        plausible: 0.3,
        valid: 0.3,
        context: &[
            "cccd",
            "cmnd",
            "can cuoc",
            "can cuoc cong dan",
            "chung minh nhan dan",
            "căn cước",
            "so dinh danh",
            "ma dinh danh",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.cn-ric",
        entity: "CN_RIC",
        title: "resident identity number (China)",
        shapes: &[
            "99999999999999999X",
            "999999 99999999 999X",
            "999999-99999999-999X",
        ],
        check: cn_ric,
        plausible: 0.5,
        valid: 0.97,
        context: &[
            "身份证",
            "身份证号",
            "身份证号码",
            "居民身份证",
            "公民身份号码",
            "身份號碼",
            "证件号",
            "shenfenzheng",
            "resident identity",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.hk-hkid",
        entity: "HK_HKID",
        title: "identity card number (Hong Kong)",
        shapes: &[
            "A999999(X)",
            "AA999999(X)",
            "A999999X",
            "A999999-X",
            "AA999999X",
            "A999999 (X)",
        ],
        check: hk_hkid,
        plausible: 0.3,
        valid: 0.7,
        context: &[
            "hkid",
            "身份證",
            "身份證號碼",
            "香港身份證",
            "hong kong identity",
            "hk id",
        ],
    }
    .recogniser(),
    Kind {
        id: "pii.tw-id",
        entity: "TW_ID",
        title: "national identification number (Taiwan)",
        shapes: &["A999999999"],
        check: tw_id,
        plausible: 0.4,
        valid: 0.9,
        context: &[
            "身分證",
            "身分證字號",
            "身份證字號",
            "國民身分證",
            "統一編號",
            "統一證號",
            "居留證",
            "身份證",
            "身份证",
        ],
    }
    .recogniser(),
    Kind {
        shapes: &["999999-9999999", "999999 9999999"],
        plausible: 0.8,
        valid: 0.97,
        ..KR_RRN
    }
    .recogniser(),
    KR_RRN.recogniser(),
    Kind {
        shapes: &["9999 9999 9999", "9999-9999-9999"],
        valid: 0.7,
        ..JP_MYNUMBER
    }
    .recogniser(),
    JP_MYNUMBER.recogniser(),
];

const IN_AADHAAR: Kind = Kind {
    id: "pii.in-aadhaar",
    entity: "IN_AADHAAR",
    title: "Aadhaar number (India)",
    shapes: &["999999999999"],
    check: in_aadhaar,
    plausible: 0.3,
    valid: 0.45,
    context: &[
        "aadhaar",
        "aadhar",
        "adhaar",
        "uidai",
        "uid",
        "आधार",
        "ஆதார்",
        "ಆಧಾರ್",
        "ఆధార్",
        "আধার",
        "آدھار",
    ],
};

const PK_CNIC: Kind = Kind {
    id: "pii.pk-cnic",
    entity: "PK_CNIC",
    title: "computerised national identity card number (Pakistan)",
    shapes: &["9999999999999"],
    check: |value| {
        plausible_if(digits::<13>(value).is_some_and(|d| (1..=8).contains(&d[0]) && !all_same(&d)))
    },
    plausible: 0.1,
    valid: 0.1,
    context: &[
        "cnic",
        "nicop",
        "شناختی کارڈ",
        "قومی شناختی",
        "nadra",
        "snic",
    ],
};

const TH_TNIN: Kind = Kind {
    id: "pii.th-tnin",
    entity: "TH_TNIN",
    title: "national identification number (Thailand)",
    shapes: &["9999999999999"],
    check: th_tnin,
    plausible: 0.2,
    valid: 0.5,
    context: &[
        "บัตรประชาชน",
        "เลขประจำตัวประชาชน",
        "เลขบัตรประชาชน",
        "เลขประจำตัว",
        "ประชาชน",
        "thai id",
    ],
};

const MY_NRIC: Kind = Kind {
    id: "pii.my-nric",
    entity: "MY_NRIC",
    title: "MyKad number (Malaysia)",
    shapes: &["999999999999"],
    check: my_nric,
    plausible: 0.35,
    valid: 0.9,
    context: &[
        "nric",
        "mykad",
        "kad pengenalan",
        "no kp",
        "no. kp",
        "ic no",
        "ic number",
        "no ic",
        "no. k/p",
    ],
};

const KR_RRN: Kind = Kind {
    id: "pii.kr-rrn",
    entity: "KR_RRN",
    title: "resident registration number (South Korea)",
    shapes: &["9999999999999"],
    check: kr_rrn,
    plausible: 0.3,
    valid: 0.85,
    context: &[
        "주민등록번호",
        "주민번호",
        "주민등록",
        "주민",
        "외국인등록번호",
        "외국인등록",
        "rrn",
        "resident registration",
        "jumin",
    ],
};

const JP_MYNUMBER: Kind = Kind {
    id: "pii.jp-mynumber",
    entity: "JP_MYNUMBER",
    title: "My Number (Japan)",
    shapes: &["999999999999"],
    check: jp_mynumber,
    plausible: 0.2,
    valid: 0.35,
    context: &[
        "マイナンバー",
        "個人番号",
        "mynumber",
        "my number",
        "my_number",
        "マイナンバーカード",
        "通知カード",
    ],
};

/// Verhoeff; begins with 2 to 9 and is no palindrome (UIDAI).
fn in_aadhaar(value: &[u8]) -> Validity {
    valid_if(digits::<12>(value).is_some_and(|d| {
        let mirrored = d.iter().eq(d.iter().rev());
        d[0] >= 2 && !mirrored && verhoeff(&d)
    }))
}

/// Birth year and day of the year (women: plus 500); old numbers end in V or X.
fn lk_nic(value: &[u8]) -> Validity {
    let day = |d: &[u8]| matches!(number(d), 1..=366 | 501..=866);
    plausible_if(match value {
        [body @ .., b'V' | b'X'] => digits::<9>(body).is_some_and(|d| day(&d[2..5])),
        _ => digits::<12>(value)
            .is_some_and(|d| (1900..2030).contains(&number(&d[..4])) && day(&d[4..7])),
    })
}

/// Weights 13 to 2 modulo 11; begins with 1 to 8 (กรมการปกครอง).
fn th_tnin(value: &[u8]) -> Validity {
    valid_if(digits::<13>(value).is_some_and(|d| {
        let sum = weighted(&d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        (1..=8).contains(&d[0]) && (11 - sum % 11) % 10 == u32::from(d[12])
    }))
}

/// Birth date and place of birth (Jabatan Pendaftaran Negara, place codes).
fn my_nric(value: &[u8]) -> Validity {
    plausible_if(digits::<12>(value).is_some_and(|d| {
        is_short_date(two(d[0], d[1]), two(d[2], d[3]), two(d[4], d[5]))
            && matches!(two(d[6], d[7]), 1..=16 | 21..=68 | 71 | 72 | 74..=79 | 82..=93 | 98 | 99)
    }))
}

/// Weights 2 7 6 5 4 3 2, an offset per series, and the letter of the remainder modulo 11 (ICA;
/// the series M came in 2022).
fn sg_nric(value: &[u8]) -> Validity {
    let [series, payload @ .., check] = value else {
        return Validity::Invalid;
    };
    let (offset, letters): (u32, &[u8; 11]) = match series {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return Validity::Invalid,
    };
    valid_if(digits::<7>(payload).is_some_and(|d| {
        let rest = (weighted(&d, &[2, 7, 6, 5, 4, 3, 2]) + offset) as usize % 11;
        letters.get(rest) == Some(check)
    }))
}

/// Province, regency, district, birth date (women: day plus 40), serial (Dukcapil).
fn id_nik(value: &[u8]) -> Validity {
    plausible_if(digits::<16>(value).is_some_and(|d| {
        let day = two(d[6], d[7]);
        let day = if day > 40 { day - 40 } else { day };
        matches!(two(d[0], d[1]), 11..=21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97)
            && two(d[2], d[3]) > 0
            && is_short_date(two(d[10], d[11]), two(d[8], d[9]), day)
            && number(&d[12..]) > 0
    }))
}

/// Province code 001 to 096, century and sex, birth year (Nghị định 137/2015/NĐ-CP).
fn vn_cccd(value: &[u8]) -> Validity {
    plausible_if(
        digits::<12>(value).is_some_and(|d| {
            (1..=96).contains(&number(&d[..3])) && d[3] <= 3 && number(&d[6..]) > 0
        }),
    )
}

/// Region, birth date, and ISO 7064 MOD 11-2 (GB 11643-1999).
fn cn_ric(value: &[u8]) -> Validity {
    let Some((check, payload)) = value.split_last() else {
        return Validity::Invalid;
    };
    let check = match check {
        b'0'..=b'9' => u32::from(check - b'0'),
        b'X' => 10,
        _ => return Validity::Invalid,
    };
    valid_if(digits::<17>(payload).is_some_and(|d| {
        let year = u32::from(two(d[6], d[7])) * 100 + u32::from(two(d[8], d[9]));
        matches!(two(d[0], d[1]), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
            && (1850..2100).contains(&year)
            && is_date(year, two(d[10], d[11]), two(d[12], d[13]))
            && (iso7064_mod_11_2(&d) + check) % 11 == 1
    }))
}

/// Letters count from A = 10, a missing first letter as 36; weights 9 to 1 modulo 11 (Immigration
/// Department).
fn hk_hkid(value: &[u8]) -> Validity {
    let mut plain = value.iter().copied().filter(u8::is_ascii_alphanumeric);
    let mut characters = [0; 9];
    let length = characters
        .iter_mut()
        .zip(&mut plain)
        .map(|(slot, byte)| *slot = byte)
        .count();
    if plain.next().is_some() {
        return Validity::Invalid;
    }
    let letter = |byte: u8| u32::from(byte.wrapping_sub(b'A')) + 10;
    let (prefix, rest) = match (length, characters) {
        (8, [one, rest @ .., _]) => (36 * 9 + letter(one) * 8, rest),
        (9, [one, two, rest @ ..]) => (letter(one) * 9 + letter(two) * 8, rest),
        _ => return Validity::Invalid,
    };
    let [serial @ .., check] = rest;
    let check = match check {
        b'A' => 10,
        b'0'..=b'9' => u32::from(check - b'0'),
        _ => return Validity::Invalid,
    };
    let sum = digits::<6>(&serial).map(|d| prefix + weighted(&d, &[7, 6, 5, 4, 3, 2]));
    valid_if(sum.is_some_and(|sum| (sum + check).is_multiple_of(11)))
}

/// The letter as two digits, then weights 1 9 8 7 6 5 4 3 2 1 1 modulo 10; the digit after the letter
/// is 1 or 2, for residents 8 or 9 (內政部).
fn tw_id(value: &[u8]) -> Validity {
    let [letter, payload @ ..] = value else {
        return Validity::Invalid;
    };
    let order = b"ABCDEFGHJKLMNPQRSTUVXYWZIO"
        .iter()
        .position(|other| other == letter);
    let (Some(order), Some(d)) = (
        order.and_then(|at| u32::try_from(at + 10).ok()),
        digits::<9>(payload),
    ) else {
        return Validity::Invalid;
    };
    let sum = order / 10 + order % 10 * 9 + weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    valid_if(matches!(d[0], 1 | 2 | 8 | 9) && sum.is_multiple_of(10))
}

/// Birth date, century and sex, and weights 2 to 9, 2 to 5 modulo 11; numbers issued since October
/// 2020 are random behind the sex digit (행정안전부).
fn kr_rrn(value: &[u8]) -> Validity {
    let Some(d) = digits::<13>(value) else {
        return Validity::Invalid;
    };
    let century = match d[6] {
        1 | 2 | 5 | 6 => 1900,
        3 | 4 | 7 | 8 => 2000,
        _ => 1800,
    };
    let sum = weighted(&d, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    let check = (11 - sum % 11) % 10;
    // Numbers of foreigners end two higher.
    let agrees = check == u32::from(d[12]) || (d[6] >= 5 && (check + 2) % 10 == u32::from(d[12]));
    let year = century + u32::from(two(d[0], d[1]));
    valid_or_plausible(agrees, is_date(year, two(d[2], d[3]), two(d[4], d[5])))
}

/// Weights 6 5 4 3 2 7 6 5 4 3 2 modulo 11 (総務省令第八十五号, 2014).
fn jp_mynumber(value: &[u8]) -> Validity {
    valid_if(digits::<12>(value).is_some_and(|d| {
        let rest = weighted(&d, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        let check = if rest <= 1 { 0 } else { 11 - rest };
        check == u32::from(d[11]) && !all_same(&d)
    }))
}
