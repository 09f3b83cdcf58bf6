use super::{Form, PhoneMatch, Plan};

/// Bytes that a candidate may take.
const REACH: usize = 40;
/// E.164 allows 15 digits; `00`, `011`, and a trunk prefix come on top.
const MAX_DIGITS: usize = 18;
const MAX_ENDS: usize = 10;

/// Digits and separators from one place of a text on.
pub(super) struct Candidate<'a> {
    text: &'a [u8],
    at: usize,
    digits: [u8; MAX_DIGITS],
    ends: [End; MAX_ENDS],
    count: usize,
}

/// A place where the number may end: behind a run of digits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    /// Byte behind the last digit or closing parenthesis.
    byte: usize,
    /// Digits up to there.
    pub(super) digits: usize,
    /// The bytes up to there, one bit each, the last one lowest: which are digits.
    pub(super) outline: u64,
}

impl<'a> Candidate<'a> {
    /// Reads the runs of digits from `at` on, as far as single separators hold them together.
    pub(super) fn read(text: &'a [u8], at: usize) -> Option<Self> {
        let mut candidate = Self {
            text,
            at,
            digits: [0; MAX_DIGITS],
            ends: [End::default(); MAX_ENDS],
            count: 0,
        };
        let plus = candidate.has_plus();
        let mut position = at + usize::from(plus);
        let mut digits = 0;
        let mut outline = 0_u64;
        while position < at + REACH {
            let rest = text.get(position..)?;
            if plus && digits > 0 && rest.starts_with(b"(0)") {
                // `+44 (0)20`: the trunk prefix for callers inside the country.
                position += 3;
                continue;
            }
            let run = rest
                .iter()
                .take(REACH)
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if run > 0 {
                for (slot, byte) in candidate
                    .digits
                    .iter_mut()
                    .skip(digits)
                    .zip(rest.iter().take(run))
                {
                    *slot = *byte;
                }
                digits += run;
                // Digits behind whatever stands between: too many fall out at the left.
                let gap = text.get(at..position)?.iter();
                let gap = gap.rev().take_while(|byte| !byte.is_ascii_digit()).count();
                let shift = u32::try_from(gap + run).unwrap_or(u32::MAX);
                let ones = (1_u64 << run.min(63)) - 1;
                outline = outline.checked_shl(shift).unwrap_or(0) | ones;
                position += run;
                if digits > MAX_DIGITS || candidate.count == MAX_ENDS {
                    break;
                }
                if let Some(end) = candidate.ends.get_mut(candidate.count) {
                    *end = End {
                        byte: position,
                        digits,
                        outline,
                    };
                    candidate.count += 1;
                }
            }
            let Some(gap) = separator(text.get(position..)?) else {
                break;
            };
            position += gap;
        }
        (candidate.count > 0 && candidate.ends().any(|end| end.digits >= 6)).then_some(candidate)
    }

    /// Where it may end, farthest first.
    pub(super) fn ends(&self) -> impl Iterator<Item = End> + use<> {
        self.ends.into_iter().take(self.count).rev()
    }

    pub(super) fn has_plus(&self) -> bool {
        self.text.get(self.at) == Some(&b'+')
    }

    pub(super) fn digits(&self, end: End) -> &[u8] {
        self.digits.get(..end.digits).unwrap_or_default()
    }

    /// The digits from the country code on, if it is written in international form.
    pub(super) fn international_digits(&self, end: End) -> Option<&[u8]> {
        let digits = self.digits(end);
        if self.has_plus() {
            return Some(digits);
        }
        digits.strip_prefix(b"00").or_else(|| {
            let grouped = self
                .text
                .get(self.at + 3)
                .is_some_and(|byte| !byte.is_ascii_digit());
            digits.strip_prefix(b"011").filter(|_| grouped)
        })
    }

    /// The number as it is written.
    pub(super) fn written(&self, end: End) -> Option<&'a [u8]> {
        self.text.get(self.at..end.byte)
    }

    /// Whether no separator stands in it.
    pub(super) const fn is_one_run(&self, end: End) -> bool {
        end.byte == self.at + end.digits
    }

    /// Whether a further run of digits stands one blank away.
    pub(super) fn has_neighbour(&self, end: End) -> bool {
        let blank_digit = |pair: Option<&[u8]>| matches!(pair, Some([b' ', b'0'..=b'9']));
        let before = self
            .at
            .checked_sub(2)
            .and_then(|from| self.text.get(from..self.at));
        blank_digit(self.text.get(end.byte..end.byte + 2))
            || matches!(before, Some([b'0'..=b'9', b' ']))
    }

    pub(super) const fn found(
        &self,
        end: End,
        plan: Plan,
        form: Form,
        confidence: f32,
    ) -> PhoneMatch {
        PhoneMatch {
            range: self.at..end.byte,
            region: plan.region,
            kind: plan.kind,
            form,
            confidence,
        }
    }
}

/// Bytes between two runs of one number: `-`, ` `, `.`, `/`, `) `, ` (`, ` / `.
fn separator(rest: &[u8]) -> Option<usize> {
    let length = match rest {
        [b')', b' ', b'/', b' ', ..] => 4,
        [b' ', b'/' | b'-', b' ', ..] => 3,
        [b')', b'-', b'(', ..] => 3,
        [b')', b' ' | b'/' | b'-', ..] | [b' ' | b'-', b'(', ..] => 2,
        [b')' | b'(' | b' ' | b'-' | b'.' | b'/', ..] => 1,
        _ => return None,
    };
    match rest.get(length..)? {
        [b'0'..=b'9', ..] => Some(length),
        // The trunk prefix in parentheses may follow.
        [b'(', b'0', b')', ..] => Some(length),
        _ => None,
    }
}

/// Whether a number can begin at `at`: not inside a word or a longer number.
pub(super) fn may_start(text: &[u8], at: usize) -> bool {
    let starts = match text.get(at) {
        Some(b'+') => text
            .get(at + 1)
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'('),
        Some(b'(') => text.get(at + 1).is_some_and(u8::is_ascii_digit),
        Some(byte) => byte.is_ascii_digit(),
        None => false,
    };
    let plus = text.get(at) == Some(&b'+');
    let Some(before) = at.checked_sub(1).and_then(|before| text.get(before)) else {
        return starts;
    };
    let joined = match before {
        b'+' => true,
        b'0'..=b'9' => true,
        _ if plus => false,
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' | b'$' => true,
        // A piece of a longer number, a path, a version, a negative amount.
        b'-' | b'.' | b'/' | b',' => at
            .checked_sub(2)
            .and_then(|index| text.get(index))
            .is_some_and(u8::is_ascii_alphanumeric),
        _ => false,
    };
    starts && !joined
}

/// Whether a number can end at `end`.
pub(super) fn may_end(text: &[u8], end: usize) -> bool {
    match (text.get(end), text.get(end + 1)) {
        (Some(byte), _) if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'%') => {
            false
        }
        (Some(b'-' | b'.' | b'/' | b':' | b','), Some(next)) => !next.is_ascii_digit(),
        _ => true,
    }
}

/// The end of an extension such as ` ext. 12` or `x12` that follows, else `end`.
pub(super) fn extension_end(text: &[u8], end: usize) -> usize {
    const WORDS: [&[u8]; 7] = [
        b"extension",
        b"ext.",
        b"ext",
        b"x.",
        b"x",
        b"#",
        b"durchwahl",
    ];
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(24)).unwrap_or_default();
    let blanks = |bytes: &[u8]| {
        bytes
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b',' | b';'))
            .count()
    };
    let lead = blanks(rest);
    let Some(tail) = rest.get(lead..) else {
        return end;
    };
    for word in WORDS {
        let Some((head, after)) = tail.split_at_checked(word.len()) else {
            continue;
        };
        if !head.eq_ignore_ascii_case(word) {
            continue;
        }
        let gap = blanks(after);
        let run = after
            .iter()
            .skip(gap)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if (1..=6).contains(&run) {
            return end + lead + word.len() + gap + run;
        }
    }
    end
}
