use super::Region;

/// What a number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A place.
    Fixed,
    /// A mobile phone.
    Mobile,
    /// A place or a mobile phone, or a service: the plan does not tell them apart, or neither is
    /// meant.
    Other,
    /// The length fits and the leading digits are not assigned.
    Unknown,
}

/// The numbering plan of one country.
pub(super) struct Numbering {
    pub(super) region: Region,
    /// E.164 country code.
    pub(super) code: &'static str,
    /// What callers inside the country dial first; empty where nothing.
    pub(super) trunk: &'static str,
    ranges: &'static [Numbers],
}

/// Numbers that begin alike.
struct Numbers {
    kind: Kind,
    /// Leading digits, separated by blanks: `20`, `23-29`, or `??9` with any digit for `?`.
    prefixes: &'static str,
    /// Digits without country code and trunk prefix.
    min: usize,
    max: usize,
}

impl Numbering {
    /// What the plan says about a national number without its trunk prefix.
    pub(super) fn kind(&self, digits: &[u8]) -> Option<Kind> {
        if self.code == "1" {
            return north_american(digits).then_some(Kind::Other);
        }
        self.ranges
            .iter()
            .filter(|numbers| (numbers.min..=numbers.max).contains(&digits.len()))
            .find(|numbers| {
                let mut prefixes = numbers.prefixes.as_bytes().split(|byte| *byte == b' ');
                prefixes.any(|prefix| begins(digits, prefix))
            })
            .map(|numbers| numbers.kind)
    }

    /// What the plan says about a number as it is dialled inside the country.
    pub(super) fn national_kind(&self, digits: &[u8]) -> Option<Kind> {
        let trunk = self.trunk.as_bytes();
        match digits.strip_prefix(trunk) {
            // The North American and the Russian prefix may be left out.
            None if matches!(trunk, b"1" | b"8") => self.kind(digits),
            None => None,
            Some(rest) => self.kind(rest),
        }
    }

    /// Whether some number of the plan has that many digits.
    pub(super) fn allows_length(&self, length: usize) -> bool {
        self.code == "1" && length == 10
            || self
                .ranges
                .iter()
                .any(|numbers| (numbers.min..=numbers.max).contains(&length))
    }
}

/// Area code and exchange begin with 2 to 9 and do not end in 11, no area code has 9 in the middle
/// (NANPA, "NPA Codes" and "Central Office Code Assignment Guidelines").
fn north_american(digits: &[u8]) -> bool {
    let &[a, b, c, x, y, z, _, _, _, _] = digits else {
        return false;
    };
    a >= b'2'
        && b <= b'8'
        && [b, c] != *b"11"
        && x >= b'2'
        && [y, z] != *b"11"
        && [a, b, c] != *b"555"
}

/// Whether `digits` begin with `prefix` as in [`Numbers::prefixes`].
fn begins(digits: &[u8], prefix: &[u8]) -> bool {
    let dash = prefix.iter().position(|&byte| byte == b'-');
    let Some((low, [_, high @ ..])) = dash.and_then(|dash| prefix.split_at_checked(dash)) else {
        return digits.len() >= prefix.len()
            && digits
                .iter()
                .zip(prefix)
                .all(|(digit, wanted)| digit == wanted || *wanted == b'?');
    };
    // Equal lengths compare like numbers.
    digits
        .get(..low.len())
        .is_some_and(|head| (low..=high).contains(&head))
}

const fn plan(
    region: Region,
    code: &'static str,
    trunk: &'static str,
    ranges: &'static [Numbers],
) -> Numbering {
    Numbering {
        region,
        code,
        trunk,
        ranges,
    }
}

const fn fixed(prefixes: &'static str, min: usize, max: usize) -> Numbers {
    Numbers {
        kind: Kind::Fixed,
        prefixes,
        min,
        max,
    }
}

const fn mobile(prefixes: &'static str, min: usize, max: usize) -> Numbers {
    Numbers {
        kind: Kind::Mobile,
        prefixes,
        min,
        max,
    }
}

const fn other(prefixes: &'static str, min: usize, max: usize) -> Numbers {
    Numbers {
        kind: Kind::Other,
        prefixes,
        min,
        max,
    }
}

/// The national numbering plans filed with ITU-T E.129, by what is in use rather than reserved.
#[rustfmt::skip]
pub(super) static PLANS: &[Numbering] = &[
    plan("US", "1", "1", &[]),
    plan("GB", "44", "0", &[fixed("1", 9, 10), fixed("20 23 24 28 29", 10, 10), mobile("71-75 77-79 7624", 10, 10), other("3 55 56 70 76 80 82 84 87 9", 10, 10), other("800 808", 7, 9)]),
    plan("FR", "33", "0", &[fixed("1-5", 9, 9), mobile("6 7", 9, 9), other("8 9", 9, 9)]),
    plan("DE", "49", "0", &[mobile("15", 11, 11), mobile("16 17", 9, 11), other("18 19 700 800 900", 7, 12), fixed("2-9", 5, 11)]),
    plan("NL", "31", "0", &[fixed("1-5 7", 9, 9), mobile("6", 9, 9), other("85 88 91 84 82", 9, 9), other("800 900 906 909", 7, 10)]),
    plan("BE", "32", "0", &[mobile("45-49", 9, 9), fixed("1-3 50-59 60-69 71 8 9", 8, 8), other("78 70", 8, 8), other("800", 8, 8)]),
    plan("LU", "352", "", &[mobile("621 628 651 658 661 668 671 678 691 698", 9, 9), fixed("2-5 7-9", 6, 9)]),
    plan("CH", "41", "0", &[fixed("21 22 24 26 27 31-34 41 43 44 52 55 56 58 61 62 71 81 91", 9, 9), mobile("74-79", 9, 9), other("80 84 86 90", 9, 9)]),
    plan("AT", "43", "0", &[mobile("65-69", 7, 13), fixed("1", 5, 12), fixed("2-5 61-64 7", 6, 12), other("8 9", 7, 12)]),
    plan("ES", "34", "", &[mobile("6 71-74", 9, 9), fixed("81-88 91-98", 9, 9), other("51 70 80 90", 9, 9)]),
    plan("PT", "351", "", &[fixed("2", 9, 9), mobile("91-93 96", 9, 9), other("30 60-69 70 76 80 88", 9, 9)]),
    plan("IT", "39", "", &[fixed("0", 6, 11), mobile("3", 9, 10), other("8", 6, 10), other("55", 10, 10)]),
    plan("IE", "353", "0", &[fixed("1", 8, 8), mobile("82-89", 9, 9), fixed("21-29 4-6 71 74 9", 7, 9), other("18 15", 10, 10)]),
    plan("SE", "46", "0", &[mobile("70 72 73 76 79", 9, 9), fixed("8", 7, 9), fixed("1-6 90-98", 7, 9), other("71 74 75 77 20", 6, 12)]),
    plan("NO", "47", "", &[fixed("2 3 5-7", 8, 8), mobile("4 9", 8, 8), other("80-89", 8, 8)]),
    plan("DK", "45", "", &[other("2-9", 8, 8)]),
    plan("FI", "358", "0", &[mobile("4 50", 6, 10), fixed("13-19 2 3 5 6 8 9", 5, 9), other("10 20 29 30 60 70 71 73 75 80", 6, 10)]),
    plan("IS", "354", "", &[fixed("4 5", 7, 7), mobile("6-8", 7, 7), mobile("38", 9, 9)]),
    plan("PL", "48", "", &[mobile("45 50 51 53 57 60 66 69 72 73 78 79 88", 9, 9), fixed("12-18 22-26 29 32-34 41-44 46 48 52 54-56 58 59 61-63 65 67 68 71 74-77 81-87 89 91 94 95", 9, 9), other("19 20 21 30 39 47 64 70 80", 9, 9)]),
    plan("CZ", "420", "", &[fixed("2-5", 9, 9), mobile("6 70 72 73 77 79", 9, 9), other("8 9", 9, 9)]),
    plan("SK", "421", "0", &[fixed("2-5", 8, 9), mobile("901-908 91 94 95", 9, 9), other("6 80 85 90", 9, 9)]),
    plan("HU", "36", "06", &[mobile("20 30 31 50 70", 9, 9), fixed("1 22-29 32-37 42 44-49 52-57 59 62 63 66 68 69 72-79 82-85 87-89 92-96 99", 8, 8), other("21 38 40 51 80 90 91", 8, 9)]),
    plan("RO", "40", "0", &[fixed("2 3", 9, 9), mobile("7", 9, 9), other("8 9", 9, 9)]),
    plan("BG", "359", "0", &[mobile("87-89 98 99", 8, 9), fixed("2", 7, 8), fixed("3-7 81-86 90-97", 7, 8), other("700 800 900", 8, 9)]),
    plan("HR", "385", "0", &[fixed("1", 7, 8), fixed("2-5", 8, 9), mobile("91 92 95-99", 8, 9), other("60 62 72 74-77 80", 6, 9)]),
    plan("SI", "386", "0", &[fixed("1-5 7", 8, 8), mobile("30 31 40 41 51 64 65 68-71", 8, 8), other("59 80 81 82 90", 6, 8)]),
    plan("RS", "381", "0", &[fixed("1-3", 7, 9), mobile("60-69 67", 8, 10), other("7 8 9", 6, 9)]),
    plan("GR", "30", "", &[fixed("21-28", 10, 10), mobile("68 69", 10, 10), other("50 70 80 90", 10, 10)]),
    plan("TR", "90", "0", &[fixed("2-4", 10, 10), mobile("50 51 53-56", 10, 10), other("800 811 822 850 888 900", 10, 10)]),
    plan("UA", "380", "0", &[fixed("31-38 41 43-48 51-57 61-65 69", 9, 9), mobile("39 50 63 66-68 73 75 77 79 91-99", 9, 9), other("44 800 900 89", 9, 10)]),
    plan("RU", "7", "8", &[mobile("9", 10, 10), fixed("3 4 81-88", 10, 10), other("80", 10, 10)]),
    plan("KZ", "7", "8", &[fixed("71 72", 10, 10), mobile("70 747 75 76 77 78", 10, 10)]),
    plan("EE", "372", "", &[fixed("3 4 6 7 88", 7, 7), mobile("5", 7, 8), mobile("81-87", 8, 8), other("80 90", 7, 8)]),
    plan("LV", "371", "", &[fixed("6", 8, 8), mobile("2", 8, 8), other("80 81 90 78", 8, 8)]),
    plan("LT", "370", "0", &[fixed("3-5", 8, 8), mobile("6", 8, 8), other("7-9", 8, 8)]),
    plan("IL", "972", "0", &[fixed("2-4 8 9", 8, 8), fixed("7", 9, 9), mobile("5", 9, 9), other("1", 9, 12)]),
    plan("SA", "966", "0", &[mobile("5", 9, 9), fixed("11-14 16 17", 9, 9), other("800 811 92", 9, 10)]),
    plan("AE", "971", "0", &[fixed("2-4 6 7 9", 8, 8), mobile("50 52-56 58", 9, 9), other("80 60 70 90", 5, 12)]),
    plan("EG", "20", "0", &[mobile("10-12 15", 10, 10), fixed("2 3", 8, 9), fixed("13 15 40 45-48 50 55 57 62 64-66 68 69 82 84 86 88 92 93 95-97", 8, 9), other("800 900", 10, 10)]),
    plan("ZA", "27", "0", &[fixed("1-5", 9, 9), mobile("6 7 81-85", 9, 9), other("80 86-89", 9, 9)]),
    plan("NG", "234", "0", &[mobile("70 80 81 90 91", 10, 10), fixed("1-9", 7, 8), other("700 800 900", 10, 10)]),
    plan("KE", "254", "0", &[mobile("7 10 11", 9, 9), fixed("2 4-6", 7, 9), other("8 9", 9, 10)]),
    plan("IN", "91", "0", &[mobile("6-9", 10, 10), fixed("11 2-5", 10, 10), fixed("12-19", 10, 10)]),
    plan("PK", "92", "0", &[mobile("3", 10, 10), fixed("2 4-9", 8, 10), other("800 900", 8, 10)]),
    plan("BD", "880", "0", &[mobile("13-19", 10, 10), fixed("2-9", 6, 10)]),
    plan("CN", "86", "", &[mobile("13-19", 11, 11)]),
    plan("CN", "86", "0", &[fixed("10 2", 9, 10), fixed("3-9", 9, 11)]),
    plan("HK", "852", "", &[fixed("2 3", 8, 8), mobile("4-9", 8, 8)]),
    plan("TW", "886", "0", &[mobile("9", 9, 9), fixed("2-8", 8, 9), other("70 800", 8, 10)]),
    plan("JP", "81", "0", &[mobile("70 80 90", 10, 10), other("50 20", 10, 10), fixed("1-9", 9, 9), other("800", 10, 10)]),
    plan("KR", "82", "0", &[mobile("10", 10, 10), mobile("11 16-19", 9, 10), fixed("2", 8, 9), fixed("31-33 41-44 51-55 61-64", 8, 10), other("50 70 80 60", 9, 11)]),
    plan("TH", "66", "0", &[fixed("2-5 7", 8, 8), mobile("6 8 9", 9, 9), other("1", 9, 10)]),
    plan("VN", "84", "0", &[mobile("3 5 7-9", 9, 9), fixed("2", 10, 10), other("1", 8, 10)]),
    plan("MY", "60", "0", &[mobile("1", 9, 10), fixed("3", 9, 9), fixed("4-9", 8, 8)]),
    plan("SG", "65", "", &[fixed("6", 8, 8), mobile("8 9", 8, 8), other("3", 8, 8), other("1", 10, 11)]),
    plan("ID", "62", "0", &[mobile("8", 9, 12), fixed("2-7 9", 7, 11)]),
    plan("PH", "63", "0", &[mobile("9", 10, 10), fixed("2", 8, 9), fixed("3-8", 8, 9), other("1", 10, 12)]),
    plan("AU", "61", "0", &[fixed("2 3 7 8", 9, 9), mobile("4 5", 9, 9), other("180 190", 7, 10), other("13", 6, 10)]),
    plan("NZ", "64", "0", &[fixed("3 4 6 7 9", 8, 8), mobile("2", 8, 10), other("50 80 90", 7, 10)]),
    plan("BR", "55", "", &[mobile("??9", 11, 11), fixed("??2 ??3 ??4 ??5", 10, 10), other("800 300 400 500 900", 8, 10)]),
    plan("AR", "54", "0", &[fixed("11 2 3", 10, 10), mobile("911 92 93", 11, 11), other("800 600 810", 10, 11)]),
    plan("CL", "56", "", &[mobile("9", 9, 9), fixed("2-7", 9, 9), other("80 60", 9, 11)]),
    plan("CO", "57", "", &[mobile("3", 10, 10), fixed("60", 10, 10), other("180", 11, 11)]),
    plan("PE", "51", "0", &[fixed("1", 8, 8), fixed("4-8", 8, 8), other("800", 8, 8)]),
    plan("PE", "51", "", &[mobile("9", 9, 9)]),
    plan("MX", "52", "", &[other("2-9", 10, 10), mobile("12-19", 11, 11)]),
    plan("EC", "593", "0", &[fixed("2-7", 8, 8), mobile("9", 9, 9), other("1", 10, 11)]),
];
