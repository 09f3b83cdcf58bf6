use std::sync::LazyLock;

use super::{
    Plan, Region,
    plans::{Kind, Numbering, PLANS},
};

/// How one country groups its numbers.
struct Written {
    region: Region,
    /// Confidence without a context word, for a number that the plan allows.
    confidence: f32,
    /// `9` a digit, `#` a run of 4 to 9 digits, a blank one of blank `-` `.`, anything else itself.
    shapes: &'static [&'static str],
}

/// Confidence of a number that is grouped like a country's and whose leading digits are not
/// assigned there, as a part of what an assigned one gets.
const UNASSIGNED: f32 = 0.6;

/// The likeliest plan of a number in national form, with the confidence; `outline` has a bit for each
/// byte of `written`, set for a digit, the last byte lowest.
pub(super) fn best(written: &[u8], digits: &[u8], outline: u64) -> Option<(Plan, f32)> {
    let known = &*OUTLINES;
    let key = key(written.len(), outline)?;
    if !known.may_hold(key)
        || digits.iter().all(|digit| Some(digit) == digits.first())
        || looks_like_other(written)
    {
        return None;
    }
    let mut best: Option<(Plan, f32)> = None;
    let mut last = None;
    for alike in known.alike(key) {
        if last == Some(alike.number) || !matches(written, alike.shape.as_bytes()) {
            continue;
        }
        last = Some(alike.number);
        let format = alike.format;
        let confidence = format.confidence;
        if best.is_some_and(|(_, so_far)| so_far >= confidence) {
            continue;
        }
        let kind = alike
            .plans
            .iter()
            .find_map(|plan| plan.national_kind(digits));
        let (kind, confidence) = match kind {
            Some(kind) => (kind, confidence),
            // Everybody knows what a North American number looks like: no second guess.
            None if format.region == "US" => continue,
            None => (Kind::Unknown, confidence * UNASSIGNED),
        };
        if best.is_none_or(|(_, so_far)| so_far < confidence) {
            best = Some((
                Plan {
                    region: format.region,
                    kind,
                },
                confidence,
            ));
        }
    }
    best
}

/// Whether a number can begin like `text`, by which of its first bytes are digits.
pub(super) fn may_begin(text: &[u8]) -> bool {
    // A code of a country may stand by itself; anything may follow it.
    let digits = text.strip_prefix(b"(").unwrap_or(text);
    if let [b'+', ..] | [b'0', b'0', ..] | [b'0', b'1', b'1', ..] = digits {
        return true;
    }
    OUTLINES.beginnings.hold(text)
}

/// Whether a national number of confidence `least` or more can begin like `text`, which starts with
/// a digit other than 0.
pub(super) fn may_begin_listed(text: &[u8]) -> bool {
    OUTLINES.listed.hold(text)
}

/// The least confidence of a format that is told from other numbers around it.
const LISTED: f32 = 0.5 / super::NEIGHBOUR;

/// The outlines of first bytes, one bit each.
#[derive(Clone, Copy)]
struct Beginnings(u64);

impl Beginnings {
    /// Bytes that are looked at.
    const LENGTH: usize = 6;

    /// Adds the first bytes of a shape of `length` bytes.
    const fn add(&mut self, length: usize, outline: u64) {
        if let Some(behind) = length.checked_sub(Self::LENGTH) {
            self.0 |= 1 << (outline >> behind);
        }
    }

    fn hold(self, text: &[u8]) -> bool {
        let Some(first) = text.first_chunk::<{ Self::LENGTH }>() else {
            return true;
        };
        let outline = first.iter().fold(0_u32, |outline, byte| {
            outline << 1 | u32::from(byte.is_ascii_digit())
        });
        self.0 >> outline & 1 == 1
    }
}

/// How many bytes there are, and which of them are digits: numbers of one shape share it.
fn key(length: usize, outline: u64) -> Option<u64> {
    (length <= LONGEST).then(|| (length as u64) << length | outline)
}

/// No shape is longer, in bytes.
const LONGEST: usize = 32;

/// Every shape by its outline.
struct Outlines {
    /// One bit for the hash of each key.
    filter: [u64; 64],
    /// Those of every shape, and a run of digits.
    beginnings: Beginnings,
    /// Those of the shapes of [`LISTED`] confidence that do not begin with 0.
    listed: Beginnings,
    /// In ascending order of the key, and of the format.
    shapes: Vec<Alike>,
}

/// A shape, and what it is a shape of.
struct Alike {
    key: u64,
    number: usize,
    shape: &'static str,
    format: &'static Written,
    /// The plans of its region.
    plans: Vec<&'static Numbering>,
}

static OUTLINES: LazyLock<Outlines> = LazyLock::new(|| {
    let mut outlines = Outlines {
        filter: [0; 64],
        beginnings: Beginnings(1 << ((1 << Beginnings::LENGTH) - 1)),
        listed: Beginnings(0),
        shapes: Vec::new(),
    };
    for (number, format) in FORMATS.iter().enumerate() {
        let plans = PLANS.iter().filter(|plan| plan.region == format.region);
        let plans: Vec<&Numbering> = plans.collect();
        for shape in format.shapes {
            let runs = if shape.ends_with('#') { RUN } else { 1..=1 };
            for run in runs {
                let (mut length, mut outline) = (0_usize, 0_u64);
                for byte in shape.bytes() {
                    let digit = byte == b'#' || byte.is_ascii_digit();
                    for _ in 0..if byte == b'#' { run } else { 1 } {
                        outline = outline << 1 | u64::from(digit);
                        length += 1;
                    }
                }
                outlines.beginnings.add(length, outline);
                if format.confidence >= LISTED && !shape.starts_with('0') {
                    outlines.listed.add(length, outline);
                }
                outlines
                    .shapes
                    .extend(key(length, outline).map(|key| Alike {
                        key,
                        number,
                        shape,
                        format,
                        plans: plans.clone(),
                    }));
            }
        }
    }
    for alike in &outlines.shapes {
        let (index, bit) = slot(alike.key);
        if let Some(bits) = outlines.filter.get_mut(index) {
            *bits |= 1 << bit;
        }
    }
    outlines
        .shapes
        .sort_by_key(|alike| (alike.key, alike.number));
    outlines
});

impl Outlines {
    /// `false` when no shape has the key.
    fn may_hold(&self, key: u64) -> bool {
        let (index, bit) = slot(key);
        self.filter
            .get(index)
            .is_some_and(|bits| bits >> bit & 1 == 1)
    }

    /// The shapes with the key, in the order of the formats.
    fn alike(&self, key: u64) -> impl Iterator<Item = &Alike> {
        let from = self.shapes.partition_point(|alike| alike.key < key);
        let rest = self.shapes.get(from..).unwrap_or_default();
        rest.iter().take_while(move |alike| alike.key == key)
    }
}

/// Word and bit of the filter.
const fn slot(key: u64) -> (usize, u32) {
    let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52;
    ((hash >> 6) as usize, (hash & 63) as u32)
}

/// Digits that `#` stands for.
const RUN: std::ops::RangeInclusive<usize> = 4..=9;

/// Whether `written` has the shape.
fn matches(mut written: &[u8], shape: &[u8]) -> bool {
    for &wanted in shape {
        if wanted == b'#' {
            let run = written
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if !RUN.contains(&run) {
                return false;
            }
            written = written.get(run..).unwrap_or_default();
            continue;
        }
        let Some((byte, rest)) = written.split_first() else {
            return false;
        };
        let fits = match wanted {
            b'9' => byte.is_ascii_digit(),
            b' ' => matches!(byte, b' ' | b'-' | b'.'),
            _ => *byte == wanted,
        };
        if !fits {
            return false;
        }
        written = rest;
    }
    written.is_empty()
}

/// Whether it is a year and a number, four numbers with dots, `dd.mm.yyyy`, `yyyy-mm-dd`, or `dd-mm-yy` with a month and a day that exist.
fn looks_like_other(written: &[u8]) -> bool {
    let field = |from: usize| match written.get(from..from + 2) {
        Some([tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => (tens - b'0') * 10 + ones - b'0',
        _ => 0,
    };
    let day_and_month =
        |a: u8, b: u8| (1..=31).contains(&a) && (1..=31).contains(&b) && (a <= 12 || b <= 12);
    let separator = |at: usize| written.get(at).is_some_and(|byte| !byte.is_ascii_digit());
    let dots = written.iter().filter(|byte| **byte == b'.').count();
    let quad = dots == 3
        && written
            .split(|byte| *byte == b'.')
            .all(|part| (1..=3).contains(&part.len()));
    let year = matches!(
        written,
        [b'2', b'0', b'0'..=b'3', _, b'-' | b'/', ..] | [b'1', b'9', _, _, b'-' | b'/', ..]
    );
    if quad || year {
        return true;
    }
    match written.len() {
        8 => separator(2) && separator(5) && day_and_month(field(0), field(3)),
        10 if separator(2) && separator(5) => day_and_month(field(0), field(3)),
        10 if separator(4) && separator(7) => day_and_month(field(5), field(8)),
        _ => false,
    }
}

const fn written(region: Region, confidence: f32, shapes: &'static [&'static str]) -> Written {
    Written {
        region,
        confidence,
        shapes,
    }
}

/// How numbers are grouped (ITU-T E.123 and the national habits that CLDR and libphonenumber's
/// formatting rules record).
#[rustfmt::skip]
static FORMATS: &[Written] = &[
    written("US", 0.85, &["(999) 999 9999", "(999)999 9999", "(999)-999-9999", "1 (999) 999 9999", "1(999)999 9999"]),
    written("US", 0.8, &["999-999-9999", "999.999.9999", "1-999-999-9999", "1.999.999.9999", "1 999 999 9999", "999/999-9999"]),
    written("US", 0.75, &["999 999 9999"]),
    written("GB", 0.82, &["029 9999 9999", "(029) 9999 9999", "0999 999 9999", "(0999) 999 9999", "09999 999999", "(09999) 999999", "09999 999 999", "(09999) 999 999", "09999 99999"]),
    written("FR", 0.85, &["09 99 99 99 99", "09/99/99/99/99"]),
    written("FR", 0.75, &["0 899 99 99 99", "0899 99 99 99"]),
    written("BE", 0.8, &["099 99 99 99", "0999 99 99 99", "09 999 99 99", "0999/99.99.99", "0999/99 99 99", "099/99.99.99", "099/99 99 99", "09/999.99.99", "09/999 99 99"]),
    written("NL", 0.78, &["06 99999999", "06 9999 9999", "06 99 99 99 99", "06 999 999 99", "099 9999999", "0999 999999", "099 999 9999", "099 999 99 99", "(099) 999 99 99", "(099) 9999999"]),
    written("CH", 0.82, &["099 999 99 99", "(099) 999 99 99", "099/999 99 99"]),
    written("DE", 0.75, &["099 #", "0999 #", "09999 #", "(099) #", "(0999) #", "(09999) #", "099/#", "0999/#", "09999/#", "099 / #", "0999 / #", "09999 / #", "(099)/#", "0199 999 9999", "0199 999 99999", "0999 9999 9999", "0999 9999 999", "099 999 9999", "099 99 99 99", "099 9999 9999", "0199 99 99 99 9"]),
    written("AT", 0.72, &["01 #", "01 999 99 99", "01/#", "0699 #", "0699 999 9999", "0699 999 99 99", "0999/#", "0999 #", "0699/999 99 99", "0699/9999999"]),
    written("LU", 0.7, &["699 999 999"]),
    written("ES", 0.72, &["999 99 99 99", "99 999 99 99"]),
    written("PT", 0.72, &["99 999 99 99"]),
    written("IT", 0.72, &["09 #", "099 #", "0999 #", "09/#", "099/#", "0999/#", "399 9999999", "399 999999", "399 999 9999", "399/9999999", "399 99 99 999", "399 999 99 99"]),
    written("IE", 0.78, &["01 999 9999", "(01) 999 9999", "089 999 9999", "0899 999999", "099 999 9999", "(099) 999 9999"]),
    written("SE", 0.78, &["09 999 99 99", "09-#", "099-#", "0999-#", "099-999 99 99", "099-999 999 99", "099 999 99 99", "099-99 99 99", "0999-999 99", "09-99 99 99", "08-999 999 99"]),
    written("NO", 0.65, &["99 99 99 99", "999 99 999"]),
    written("DK", 0.65, &["99 99 99 99", "9999 9999"]),
    written("FI", 0.76, &["099 9999999", "099 999 9999", "099 999999", "09 9999999", "0999 999 999", "09 999 9999", "099 99 99 999"]),
    written("IS", 0.5, &["999-9999", "999 9999"]),
    written("PL", 0.7, &["99 999 99 99", "(99) 999 99 99"]),
    written("CZ", 0.45, &["999 999 999"]),
    written("PL", 0.45, &["999 999 999"]),
    written("ES", 0.45, &["999 999 999"]),
    written("PT", 0.45, &["999 999 999"]),
    written("SK", 0.78, &["0999 999 999", "09/9999 9999", "099/999 99 99", "0999/999 999"]),
    written("HU", 0.82, &["06 99 999 9999", "06 9 999 9999", "06 99 999 999", "(06 9) 999 9999", "(06-99) 999-999", "06-99/999-9999", "06-99/999-999", "06-9/999-9999", "06 99 9999999", "06 99 999 99 99", "(99) 999-9999", "(99) 999-999", "99/999-9999", "99/999-999", "99-999-9999"]),
    written("RO", 0.78, &["0999 999 999", "0999.999.999", "099 999 9999", "09 999 9999"]),
    written("BG", 0.76, &["099 999 9999", "0999 999 999", "09 999 9999", "099 999 999", "0999 99 99 99", "09/999 99 99"]),
    written("HR", 0.78, &["09 9999 999", "099 999 9999", "099 9999 999", "099/999-9999", "099/9999-999", "09/9999-999", "099/999-999", "099 999 999"]),
    written("SI", 0.74, &["099 999 999", "09 999 99 99", "099/999-999", "(09) 999 99 99"]),
    written("RS", 0.76, &["099/9999-999", "099/999-999", "099/999-9999", "099 999 9999", "099 9999999", "099/9999999", "099 999 99 99"]),
    written("GR", 0.74, &["219 999 9999", "2999 999999", "2999 999 999", "699 999 9999", "69 9999 9999", "21 9999 9999", "299 9999999", "699 9999999"]),
    written("TR", 0.85, &["0999 999 99 99", "0(999) 999 99 99", "0 (999) 999 99 99", "(0999) 999 99 99", "0 999 999 99 99", "(999) 999 99 99", "0(999)9999999"]),
    written("UA", 0.84, &["(099) 999 99 99", "(099)999 99 99", "099 999 99 99", "099 999 9999", "(0999) 99 99 99"]),
    written("RU", 0.85, &["8 (999) 999 99 99", "8(999)999 99 99", "8(999) 999 99 99", "8 999 999 99 99", "8 999 999 9999", "(999) 999 99 99", "8-(999)-999-99-99", "8 (9999) 99 99 99"]),
    written("EE", 0.5, &["999 9999", "5999 9999"]),
    written("LV", 0.55, &["29 999 999", "69 999 999", "2999 9999", "6999 9999"]),
    written("LT", 0.74, &["(09 999) 99999", "(09) 999 9999", "0 699 99999", "0699 99999", "8 699 99999", "(8-699) 99999"]),
    written("IL", 0.8, &["099-9999999", "09-9999999", "099 999 9999", "09 999 9999", "099 9999999", "099-999-99-99", "099-99-99-999"]),
    written("SA", 0.76, &["059 999 9999", "019 999 9999", "05 9999 9999"]),
    written("AE", 0.76, &["059 999 9999", "09 999 9999", "05 9999 9999"]),
    written("EG", 0.76, &["0199 999 9999", "0199 9999999", "02 9999 9999", "019 9999 9999", "(02) 9999 9999"]),
    written("ZA", 0.8, &["099 999 9999", "(099) 999 9999"]),
    written("NG", 0.8, &["0999 999 9999", "09 999 9999"]),
    written("KE", 0.76, &["0999 999999", "0999 999 999", "099 9999999"]),
    written("IN", 0.6, &["99999 99999"]),
    written("IN", 0.72, &["099 9999 9999", "099-99999999", "0999-9999999", "09999 999999", "(099) 9999 9999", "(099) 99999999"]),
    written("PK", 0.8, &["0399-9999999", "0399 9999999", "0399 999 9999", "(099) 99999999", "099-99999999", "(0399) 9999999"]),
    written("BD", 0.76, &["01999-999999", "01999 999999", "019 9999 9999", "01999 999 999"]),
    written("CN", 0.8, &["199 9999 9999", "099-99999999", "0999-99999999", "0999-9999999", "099 9999 9999", "0999 9999 9999", "0999 9999999", "(099) 9999 9999", "(099)99999999", "(099)9999 9999", "(0999)99999999"]),
    written("HK", 0.45, &["9999 9999"]),
    written("SG", 0.45, &["9999 9999"]),
    written("TW", 0.78, &["09-9999-9999", "0999-999-999", "0999 999 999", "(09) 9999 9999", "(09)9999-9999", "09-999-9999", "0999-999999", "(099)999-9999", "09 9999 9999"]),
    written("JP", 0.85, &["099-9999-9999", "09-9999-9999", "099-999-9999", "0999-99-9999", "09999-9-9999", "09(9999)9999", "099(9999)9999", "099(999)9999", "0999(99)9999", "0199-999-999"]),
    written("JP", 0.7, &["099 9999 9999", "09 9999 9999"]),
    written("KR", 0.85, &["019-9999-9999", "019-999-9999", "02-9999-9999", "02-999-9999", "02)999-9999", "099-999-9999", "099-9999-9999", "019 9999 9999", "02 999 9999", "02 9999 9999"]),
    written("TH", 0.78, &["099-999-9999", "09-999-9999", "099 999 9999", "09 9999 9999", "099-9999999", "09 999 9999"]),
    written("VN", 0.76, &["0999 999 999", "099 999 99 99", "099 999 9999", "0299 9999 999", "0999 99 99 99", "(0299) 9999 999", "029 9999 9999"]),
    written("MY", 0.78, &["019-999 9999", "019-9999999", "019 999 9999", "011-9999 9999", "011-99999999", "09-9999 9999", "09-99999999", "099-999 999"]),
    written("ID", 0.78, &["0899-9999-9999", "0899-9999-999", "0899-9999-99999", "0899 9999 9999", "0899 9999 999", "(099) 9999999", "(099) 9999 9999", "(0999) 999999", "099-9999999", "0999-999999", "(0999) 9999999"]),
    written("PH", 0.76, &["0999 999 9999", "(09) 9999 9999", "(09) 999 9999", "09 9999 9999"]),
    written("AU", 0.85, &["(09) 9999 9999", "0499 999 999", "09 9999 9999", "(09)99999999"]),
    written("AU", 0.6, &["1399 999 999", "1899 999 999", "1300 999 999", "1800 999 999"]),
    written("NZ", 0.76, &["09 999 9999", "(09) 999 9999", "029 999 9999", "029 999 999", "029 9999 999", "(029) 999 9999"]),
    written("BR", 0.85, &["(99) 99999-9999", "(99)99999-9999", "(99) 9999-9999", "(99)9999-9999", "(99) 9 9999-9999", "99 99999-9999", "99 9999-9999", "99 9 9999-9999", "(099) 99999-9999", "(99) 999999999"]),
    written("AR", 0.78, &["(011) 9999-9999", "011 9999-9999", "(0999) 999-9999", "0999 999-9999", "11 9999-9999", "999 999-9999", "(09999) 99-9999", "011 15-9999-9999"]),
    written("CL", 0.74, &["9 9999 9999", "2 2999 9999", "(2) 2999 9999", "(9) 9999 9999", "99 999 9999", "(99) 999 9999"]),
    written("CO", 0.76, &["399 999 9999", "399 9999999", "(609) 999 9999", "609 999 9999"]),
    written("PE", 0.72, &["(01) 999 9999", "01 999 9999", "(099) 999999"]),
    written("MX", 0.74, &["99 9999 9999", "(99) 9999 9999", "999 999 9999", "(999) 999 9999"]),
    written("EC", 0.76, &["099 999 9999", "09 9999999", "(09) 999 9999", "09-999-9999", "09 999 9999"]),
];
