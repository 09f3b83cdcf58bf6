//! One pass over one text.

use std::ops::Range;

use bartizan_core::Confidence;

use super::{
    Match, bank,
    config::Settings,
    context::{Context, Kinds, Support},
    crypto, date, email,
    engine::{ANY_NATIONAL, Engine},
    keyed, net, phone,
    recogniser::{Recogniser, Validity},
    tokens::{Token, Tokens},
    words::{at, run_end},
};
use crate::{scan::Hit, secrets::benign};

/// Bytes of the longest candidate with a shape.
const LONGEST: usize = 64;
/// Letters and digits of the longest candidate with a shape.
const LONGEST_COMPACT: usize = 40;
/// Bytes of the longest run of letters and digits that is looked at: two Monero addresses.
const LONGEST_RUN: usize = 212;
/// Below, a plausible candidate counts only right behind its label.
const WEAK: f32 = 0.3;

/// What a label for any national identifier counts less than the kind's own: the number behind
/// `social security number` is rather one that merely may be of that kind than another country's
/// with its check digit right.
const GENERAL: f32 = 0.1;

/// `hits` are those of the words that [`keyed::register`] adds.
pub(super) fn find<'h>(
    engine: &Engine,
    settings: &Settings,
    text: &str,
    hits: impl IntoIterator<Item = &'h Hit>,
    out: &mut Vec<Match>,
) {
    let bytes = text.as_bytes();
    let mut hits = hits.into_iter().peekable();
    let nothing_to_try = hits.peek().is_none()
        && Tokens::new(bytes, 0).next().is_none()
        && memchr::memchr(b'@', bytes).is_none()
        && !settings.enabled(engine.own.url);
    if nothing_to_try {
        return;
    }
    let lexicon = engine.lexicon();
    let mut run = Run {
        engine,
        settings,
        text: bytes,
        context: Context::new(bytes, lexicon),
        out,
        colons_done: 0,
        phones_done: 0,
        claimed: 0,
        labelled: None,
    };
    run.digits();
    run.signs();
    run.announced(hits);
    if settings.enabled(engine.own.url) {
        run.urls();
    }
}

/// The state of one pass.
struct Run<'a> {
    engine: &'a Engine,
    settings: &'a Settings,
    text: &'a [u8],
    context: Context<'a>,
    out: &'a mut Vec<Match>,
    /// Hex digits and colons before here have been looked at.
    colons_done: usize,
    /// A telephone number reaches to here.
    phones_done: usize,
    /// Something that explains every digit before here.
    claimed: usize,
    /// A candidate of a weak kind whose label must not serve another one.
    labelled: Option<(Range<usize>, u16)>,
}

impl Run<'_> {
    /// Every candidate that holds a digit.
    fn digits(&mut self) {
        let text = self.text;
        let mut tokens = Tokens::new(text, LONGEST_RUN + 1);
        while let Some(Token { start, digit, end }) = tokens.next() {
            if end - start > LONGEST_RUN {
                continue;
            }
            match explained(text, start, digit, end) {
                Some(Explained::Id(behind)) => tokens.pass(behind),
                Some(Explained::Time(behind)) => {
                    self.date(start, true);
                    tokens.pass(behind);
                }
                None => self.token(start, digit, end),
            }
        }
    }

    /// The candidates that start in or right before the run `start..end`, whose first digit is at
    /// `digit`.
    fn token(&mut self, start: usize, digit: usize, end: usize) {
        let text = self.text;
        let (before, next) = (at(text, start.wrapping_sub(1)), at(text, end));
        let own = self.engine.own;
        let length = end - start;

        if length <= 4 && start >= self.colons_done && (is_joint(next) || is_joint(before)) {
            self.addresses(start, end, before, next);
        }
        if length >= 26 {
            self.wallet(start, end);
            if length > LONGEST_COMPACT {
                return;
            }
        }
        let continued = matches!(
            before,
            b'-' | b'.' | b'/' | b'_' | b':' | b',' | b'\'' | b'+'
        ) && start > 1
            && at(text, start - 2).is_ascii_digit()
            && !(before == b',' && length >= 5);
        if digit == start + 2
            && length >= 4
            && let Some((end, validity)) = bank::iban(text, start)
        {
            self.claimed = self.claimed.max(end);
            if validity == Validity::Valid {
                let confidence = self.weigh(own.iban, Validity::Valid, start, end);
                self.report(own.iban, start..end, confidence);
                return;
            }
        }
        let amount = matches!(before, b'$' | b'%') || (before >= 0x80 && is_currency(text, start));
        if digit == start && !continued && !amount && before != b'_' {
            if next == b'.' && length <= 3 {
                self.ipv4(start);
            }
            self.date(start, false);
            if start >= self.phones_done
                && may_be_phone(text, start)
                && (!self.is_bare(start, end, before) || self.has_word(own.phone, start, end))
            {
                self.phone(start, end, before);
            }
        }
        if continued || before == b'_' || amount {
            return;
        }
        self.shaped(start);
        // `B-EF 427`, `KL 1234`: short words in capitals before the digits belong to a shape.
        let mut first = start;
        for _ in 0..2 {
            let Some(word) = capitals_before(text, first) else {
                break;
            };
            first = word;
            self.shaped(first);
        }
        if let Some((range, kind)) = self.labelled.take() {
            self.context.consume(&range, kind);
        }
    }

    /// Whether the digits `start..end` would be a telephone number only behind a word for one: one
    /// run without any sign, or part of something that is explained already.
    fn is_bare(&self, start: usize, end: usize, before: u8) -> bool {
        let text = self.text;
        if start < self.claimed {
            return true;
        }
        if matches!(before, b'+' | b'(')
            || text
                .get(start..end)
                .is_some_and(|run| run.starts_with(b"00"))
        {
            return false;
        }
        let mut next = end;
        while next - end < 3 && matches!(at(text, next), b' ' | b'-' | b'.' | b'/' | b'(' | b')') {
            next += 1;
        }
        next == end || !at(text, next).is_ascii_digit()
    }

    fn has_word(&mut self, kind: u16, start: usize, end: usize) -> bool {
        self.context.reachable(start, end).contains(kind)
    }

    /// Every shape that starts at `start`.
    fn shaped(&mut self, start: usize) {
        let text = self.text;
        let shapes = self.engine.shapes();
        let mut state = shapes.start();
        let mut spaced = false;
        let Some(window) = text.get(start..) else {
            return;
        };
        for (offset, byte) in window.iter().take(LONGEST).enumerate() {
            let Some(next) = shapes.step(state, *byte) else {
                return;
            };
            state = next;
            spaced |= *byte == b' ';
            let Some(accepted) = shapes.accepted(state) else {
                continue;
            };
            let end = start + offset + 1;
            if goes_on(text, end) {
                continue;
            }
            // Most shapes say nothing without a word: those are settled before the check.
            let mut likely = accepted.and(&self.settings.alone);
            let unlikely = accepted.and(&self.settings.with_word);
            if !unlikely.is_empty() {
                let around = self.context.reachable(start, end);
                likely.extend(&unlikely.and(&around));
                if around.contains(ANY_NATIONAL) {
                    likely.extend(&unlikely.and(self.engine.national()));
                }
            }
            if likely.is_empty() {
                continue;
            }
            let cut = spaced
                && (at(text, end) == b' ' && at(text, end + 1).is_ascii_digit()
                    || start > 1
                        && at(text, start - 1) == b' '
                        && at(text, start - 2).is_ascii_digit());
            let mut compact = [0_u8; LONGEST_COMPACT];
            let written = window.get(..=offset).unwrap_or_default();
            let Some(value) = compacted(written, &mut compact) else {
                return;
            };
            let labelled = self.labelled_nationals(&likely, value, start, end);
            for kind in likely.iter() {
                // A label names one country's identifier: the same digits are not another's.
                if labelled.is_empty() || labelled.contains(kind) || !self.engine.is_national(kind)
                {
                    self.shape_of(kind, value, start, end, cut);
                }
            }
        }
    }

    /// Those of several national identifiers in `likely` that `value` may be and that have a label
    /// of their own around `start..end`.
    fn labelled_nationals(
        &mut self,
        likely: &Kinds,
        value: &[u8],
        start: usize,
        end: usize,
    ) -> Kinds {
        let mut labelled = Kinds::default();
        let national = likely.and(self.engine.national());
        if national.iter().nth(1).is_none() {
            return labelled;
        }
        let around = self.context.reachable(start, end);
        for kind in national.and(&around).iter() {
            if self.context.support(start, end, kind) >= Support::Labelled
                && self
                    .engine
                    .recogniser(kind)
                    .is_some_and(|of| (of.check)(value) != Validity::Invalid)
            {
                labelled.insert(kind);
            }
        }
        labelled
    }

    fn shape_of(&mut self, kind: u16, value: &[u8], start: usize, end: usize, cut: bool) {
        let Some(recogniser) = self.engine.recogniser(kind) else {
            return;
        };
        let validity = (recogniser.check)(value);
        if validity == Validity::Invalid {
            return;
        }
        let mut confidence = self.weigh(kind, validity, start, end);
        if end <= self.claimed || (cut && validity == Validity::Plausible) {
            confidence *= 0.5;
        }
        self.report(kind, start..end, confidence);
    }

    /// How likely a candidate is meant, given its check and what stands around it.
    fn weigh(&mut self, kind: u16, validity: Validity, start: usize, end: usize) -> f32 {
        let Some(recogniser) = self.engine.recogniser(kind) else {
            return 0.0;
        };
        let mut support = self.context.support(start, end, kind);
        let mut general = 0.0;
        if support < Support::Labelled && self.engine.is_national(kind) {
            let any = self.context.support(start, end, ANY_NATIONAL);
            if any >= Support::Labelled {
                (support, general) = (any, GENERAL);
            }
        }
        let base = recogniser.base(validity, self.settings.favoured(kind));
        let confidence = confidence(recogniser, validity, base, support);
        if support >= Support::Labelled {
            (confidence - general).max(base)
        } else {
            confidence
        }
    }

    fn report(&mut self, kind: u16, range: Range<usize>, confidence: f32) {
        if confidence < self.settings.min_confidence || !self.settings.enabled(kind) {
            return;
        }
        let Some(recogniser) = self.engine.recogniser(kind) else {
            return;
        };
        if recogniser.plausible < WEAK {
            self.labelled = Some((range.clone(), kind));
        }
        self.out.push(Match {
            rule: &recogniser.rule,
            range,
            confidence: Confidence::clamped(confidence),
        });
    }

    /// IPv6 and MAC addresses: hex digits in short runs.
    fn addresses(&mut self, start: usize, end: usize, before: u8, next: u8) {
        let text = self.text;
        let own = self.engine.own;
        let hex = text
            .get(start..end)
            .is_some_and(|run| run.iter().all(u8::is_ascii_hexdigit));
        if !hex {
            return;
        }
        if let Some(range) = net::mac(text, start, end) {
            self.colons_done = range.end;
            self.claimed = self.claimed.max(range.end);
            let confidence = self.weigh(own.mac, Validity::Valid, range.start, range.end);
            self.report(own.mac, range, confidence);
        } else if next == b':' || before == b':' {
            if let Some((range, reachable)) = net::ipv6(text, start) {
                self.colons_done = range.end;
                self.claimed = self.claimed.max(range.end);
                self.ip(range, reachable);
            } else {
                let more = text.get(end..).unwrap_or_default();
                self.colons_done = end
                    + more
                        .iter()
                        .take(40)
                        .take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':')
                        .count();
            }
        }
    }

    fn ipv4(&mut self, start: usize) {
        if start >= self.claimed
            && let Some((end, reachable)) = net::ipv4(self.text, start)
        {
            self.claimed = self.claimed.max(end);
            self.ip(start..end, reachable);
        }
    }

    fn ip(&mut self, range: Range<usize>, reachable: net::Reachable) {
        let kind = self.engine.own.ip;
        let support = self.context.support(range.start, range.end, kind);
        let base = match reachable {
            net::Reachable::Yes => 0.7,
            net::Reachable::No => 0.2,
        };
        let confidence = match (support, reachable) {
            (_, net::Reachable::No) => base,
            (Support::Direct | Support::Labelled, _) => 0.95,
            (Support::Against, _) => base * 0.3,
            (Support::Other | Support::None | Support::Near, _) => base,
        };
        self.report(kind, range, confidence);
    }

    fn wallet(&mut self, start: usize, end: usize) {
        let Some(token) = self.text.get(start..end) else {
            return;
        };
        let validity = crypto::wallet(token);
        if validity != Validity::Invalid {
            let own = self.engine.own;
            let kind = if token.starts_with(b"0x") {
                own.ethereum
            } else {
                own.wallet
            };
            let confidence = self.weigh(kind, validity, start, end);
            self.report(kind, start..end, confidence);
        }
    }

    /// The date that starts at `start`; with the time of day behind it when it is `timed`.
    fn date(&mut self, start: usize, timed: bool) {
        if start < self.claimed {
            return;
        }
        let Some((from, to)) = date::date(self.text, start) else {
            return;
        };
        let own = self.engine.own;
        // The time of an event that a line starts with, as logs do: no words label that.
        let event = timed && opens_line(self.text, from) && self.context.is_prose(from);
        let support = if !event && self.has_word(own.date_of_birth, from, to) {
            self.context.support(from, to, own.date_of_birth)
        } else {
            Support::None
        };
        // Eight digits are a date only where a label says so.
        let bare = to - from == 8 && run_end(self.text, from) == to;
        if bare && support < Support::Labelled {
            return;
        }
        self.claimed = self.claimed.max(to);
        let confidence = match support {
            Support::Direct => 0.9,
            Support::Labelled => 0.85,
            Support::Near => 0.55,
            _ => 0.0,
        };
        self.report(own.date_of_birth, from..to, confidence);
        if confidence < 0.5 {
            self.report(own.date_time, from..to, 0.6);
        }
    }

    /// The telephone number that starts with the digits `start..end`, or at the sign before them.
    fn phone(&mut self, start: usize, end: usize, before: u8) {
        let mut from = start;
        if before == b'(' {
            from -= 1;
        }
        if from > 0 && at(self.text, from - 1) == b'+' {
            from -= 1;
        }
        let own = self.engine.own;
        // One of many numbers in a row is a telephone number only where a word says so, or where
        // it looks like nothing else.
        let listed = before == b' ' && at(self.text, start.wrapping_sub(2)).is_ascii_digit();
        if listed
            && self.settings.is_plain()
            && !phone::stands_out(self.text, start)
            && !self.has_word(own.phone, from, end)
        {
            return;
        }
        let found = phone::match_at(self.text, from).or_else(|| {
            (from < start)
                .then(|| phone::match_at(self.text, start))
                .flatten()
        });
        let reach = found.as_ref().map_or(start, |found| found.range.end);
        // A label says that it is a number even where no plan knows it.
        if self.has_word(own.phone, from, end)
            && let Some(range) = loose_number(self.text, from)
            && range.end > reach
            && range.end > self.claimed
            && self.context.support(range.start, range.end, own.phone) == Support::Direct
        {
            self.phones_done = range.end;
            self.report(own.phone, range, 0.8);
            return;
        }
        let Some(found) = found else {
            return;
        };
        let range = found.range.clone();
        let explained = range.end <= self.claimed;
        let support = self.context.support(range.start, range.end, own.phone);
        let international = found.form == phone::Form::International;
        let doubtful = if !international && starts_with_year(self.text, range.start) {
            0.5
        } else {
            1.0
        };
        let favour = if self.settings.favours(found.region) {
            0.3
        } else {
            0.0
        };
        let written = found.confidence + (1.0 - found.confidence) * favour;
        let confidence = match support {
            Support::Direct | Support::Labelled => found.confidence_with_context(),
            _ if explained => 0.0,
            Support::Near => (written + found.confidence_with_context()) / 2.0 * doubtful,
            Support::None => written * doubtful,
            Support::Other if international => written * 0.8,
            Support::Other => written * 0.6,
            Support::Against if international => written * 0.7,
            Support::Against => written * 0.4,
        };
        if confidence >= self.settings.min_confidence {
            self.phones_done = range.end;
        }
        self.report(own.phone, range, confidence);
    }

    /// E-mail addresses around every `@`.
    fn signs(&mut self) {
        let kind = self.engine.own.email;
        if !self.settings.enabled(kind) {
            return;
        }
        let mut done = 0;
        for sign in memchr::memchr_iter(b'@', self.text) {
            if sign >= done
                && let Some(range) = email::address(self.text, sign)
            {
                done = range.end;
                self.report(kind, range, 0.95);
            }
        }
    }

    /// What a word announces.
    fn announced<'h>(&mut self, hits: impl IntoIterator<Item = &'h Hit>) {
        let own = self.engine.own;
        let mut done = 0;
        for hit in hits {
            let Some((announced, word)) = keyed::announced(self.text, hit) else {
                continue;
            };
            if announced == keyed::Kind::Spelled {
                if let Some(range) =
                    email::spelled(self.text, word).filter(|range| range.start >= done)
                {
                    done = range.end;
                    self.report(own.email, range, 0.85);
                }
                continue;
            }
            let kind = if announced == keyed::Kind::Bic {
                own.bic
            } else {
                own.username
            };
            if !self.settings.enabled(kind) || word.start < done {
                continue;
            }
            for value in keyed::values(self.text, announced, &word) {
                done = done.max(value.end);
                self.report(kind, value, 0.85);
            }
        }
    }

    fn urls(&mut self) {
        let mut done = 0;
        for sign in memchr::memmem::find_iter(self.text, b"://") {
            if sign >= done
                && let Some(range) = net::url(self.text, sign)
            {
                done = range.end;
                self.report(self.engine.own.url, range, 0.6);
            }
        }
    }
}

fn confidence(recogniser: &Recogniser, validity: Validity, base: f32, support: Support) -> f32 {
    let labelled: f32 = match validity {
        Validity::Invalid => 0.0,
        Validity::Plausible => 0.86,
        Validity::Valid => 0.95,
    };
    let weak = validity == Validity::Plausible && recogniser.plausible < WEAK;
    match support {
        Support::Direct => base.max(labelled),
        Support::Labelled if weak => base,
        Support::Labelled => base.max(labelled),
        Support::Near if validity == Validity::Valid => base.max(0.6),
        Support::Near | Support::None => base,
        Support::Other if base >= 0.8 => base * 0.9,
        Support::Other => base * 0.5,
        Support::Against if base >= 0.9 => base * 0.6,
        Support::Against => base * 0.3,
    }
}

/// Digits in groups, 7 to 15 in all, from the digit, `+`, or `(` at `start` on.
fn loose_number(text: &[u8], start: usize) -> Option<Range<usize>> {
    let mut end = start;
    let mut digits = 0;
    let mut last = start;
    while end - start < 28 {
        match at(text, end) {
            b'0'..=b'9' => {
                digits += 1;
                last = end + 1;
            }
            b'+' if end == start => {}
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' if end - last < 3 => {}
            _ => break,
        }
        end += 1;
    }
    // One point alone makes a decimal number.
    let written = text.get(start..last)?;
    let signs = written.iter().filter(|byte| !byte.is_ascii_digit()).count();
    let decimal = signs == 1 && written.contains(&b'.');
    ((7..=15).contains(&digits) && !decimal && !goes_on(text, last)).then_some(start..last)
}

/// Whether the digits from `start` on could be enough for a telephone number.
fn may_be_phone(text: &[u8], start: usize) -> bool {
    let mut digits = 0;
    for byte in text.iter().skip(start).take(28) {
        match byte {
            b'0'..=b'9' => digits += 1,
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' => {}
            _ => break,
        }
        if digits >= 6 {
            return true;
        }
    }
    false
}

/// `2026-598323` is more often the number of a file than of a telephone.
fn starts_with_year(text: &[u8], start: usize) -> bool {
    matches!(
        text.get(start..start + 5),
        Some([b'1', b'9', _, _, b'-' | b'/'] | [b'2', b'0', _, _, b'-' | b'/'])
    )
}

/// What is no candidate, however many digits it holds.
enum Explained {
    /// A UUID (RFC 9562 section 4) ends here.
    Id(usize),
    /// The time behind a date ends here (RFC 3339 section 5.6).
    Time(usize),
}

/// Whether the token `start..end` with its first digit at `digit` begins a UUID or a date with time.
fn explained(text: &[u8], start: usize, digit: usize, end: usize) -> Option<Explained> {
    if at(text, end) != b'-' {
        return None;
    }
    match end - start {
        8 => {
            let id = text.get(start..start + 36)?;
            let last = start + id.len();
            (benign::is_uuid(id) && !at(text, last).is_ascii_alphanumeric())
                .then_some(Explained::Id(last))
        }
        4 if digit == start => date::time_behind(text, start).map(Explained::Time),
        _ => None,
    }
}

/// Whether nothing but an opening bracket stands before `start` in its line.
fn opens_line(text: &[u8], start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let before = before.strip_suffix(b"[").unwrap_or(before);
    matches!(before.last(), None | Some(b'\n'))
}

/// The letters and digits of `written`, letters in upper case; `None` when there are too many.
fn compacted<'b>(written: &[u8], compact: &'b mut [u8; LONGEST_COMPACT]) -> Option<&'b [u8]> {
    let mut length = 0;
    for byte in written.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        *compact.get_mut(length)? = byte.to_ascii_uppercase();
        length += 1;
    }
    compact.get(..length)
}

const fn is_joint(byte: u8) -> bool {
    matches!(byte, b':' | b'-' | b'.')
}

/// Whether a candidate that ends at `end` is the head of something longer.
fn goes_on(text: &[u8], end: usize) -> bool {
    let (next, after) = (at(text, end), at(text, end + 1));
    next.is_ascii_alphanumeric()
        || next == b'_'
        || (matches!(next, b'-' | b'.' | b'/' | b':') && after.is_ascii_digit())
        || (next == b'-'
            && after.is_ascii_alphabetic()
            && at(text, end + 2).is_ascii_alphanumeric()
            && text
                .get(end + 1..end + 5)
                .is_some_and(|word| word.iter().any(u8::is_ascii_digit)))
}

/// Whether a currency sign stands right before `start`: `£`, `¥`, `€`, `₹`, `₽`.
fn is_currency(text: &[u8], start: usize) -> bool {
    let before = text.get(start.saturating_sub(3)..start).unwrap_or_default();
    before.ends_with("£".as_bytes())
        || before.ends_with("¥".as_bytes())
        || before.ends_with("€".as_bytes())
        || before.ends_with("₹".as_bytes())
        || before.ends_with("₽".as_bytes())
}

/// The start of a word of one to four capitals that a single separator joins to `start`.
fn capitals_before(text: &[u8], start: usize) -> Option<usize> {
    let sign = start.checked_sub(1)?;
    if !matches!(at(text, sign), b' ' | b'-' | b'.' | b'/') {
        return None;
    }
    let mut first = sign;
    while sign - first < 5 && first > 0 && at(text, first - 1).is_ascii_uppercase() {
        first -= 1;
    }
    let alone =
        first == 0 || !(at(text, first - 1).is_ascii_alphanumeric() || at(text, first - 1) == b'_');
    ((1..=4).contains(&(sign - first)) && alone).then_some(first)
}
