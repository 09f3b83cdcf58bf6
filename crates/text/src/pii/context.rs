//! The words around a candidate, and the key, tag, or column that it stands under.

use std::{borrow::Cow, collections::VecDeque, ops::Range};

use super::starts::Starts;
use super::table::Tables;
use super::words::{at, last_char, letter_after};

/// Bytes before a candidate in which a word counts.
pub(super) const BEFORE: usize = 96;
/// Bytes after a candidate in which a word counts.
pub(super) const AFTER: usize = 40;
/// Bytes between a label and what it labels, for kinds whose shape says nothing.
const CLOSE: usize = 28;
/// Bytes between two values that share a label.
const LIST: usize = 6;
/// Bytes between a label and what it leads on to.
const GAP: usize = 16;
/// Bytes of a key or tag.
const KEY: usize = 48;

/// Numbers of recognisers, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds([u64; 6]);

impl Kinds {
    /// Recognisers that a set can hold.
    pub(super) const CAPACITY: usize = 64 * 6;

    pub(super) fn insert(&mut self, kind: u16) {
        if let Some(word) = self.0.get_mut(usize::from(kind / 64)) {
            *word |= 1 << (kind % 64);
        }
    }

    pub(super) fn contains(&self, kind: u16) -> bool {
        self.0
            .get(usize::from(kind / 64))
            .is_some_and(|word| word >> (kind % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; 6]
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }

    /// Those in both.
    #[must_use]
    pub(super) fn and(mut self, other: &Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
        self
    }

    /// In ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> + use<> {
        (0_u16..)
            .step_by(64)
            .zip(self.0)
            .flat_map(|(base, mut word)| {
                std::iter::from_fn(move || {
                    let bit = word.trailing_zeros() as u16;
                    (word != 0).then(|| {
                        word &= word - 1;
                        base + bit
                    })
                })
            })
    }
}

/// Every context word with the recognisers that it speaks for; none for a word that speaks
/// against all of them.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Folded, in lower case, in ascending order.
    words: Vec<String>,
    starts: Starts,
    labels: Vec<Kinds>,
}

/// A context word in the text.
#[derive(Clone, Copy, Debug)]
struct Hit {
    start: usize,
    end: usize,
    label: usize,
    /// Where the candidate ended that it was about, when the kind needs a label of its own.
    used: Option<usize>,
}

/// What the surroundings say about a candidate and a recogniser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Support {
    /// It is labelled as something that it cannot be: an order number, a version.
    Against,
    /// It is labelled as another kind.
    Other,
    /// Nothing.
    None,
    /// Its word is around, but another one is nearer.
    Near,
    /// Its word is around.
    Labelled,
    /// Its word is its key, tag, or column, or stands right before it.
    Direct,
}

impl Lexicon {
    /// A lexicon of `(word, recogniser)`; `None` for words that speak against every recogniser.
    pub(super) fn new<'a>(entries: impl IntoIterator<Item = (&'a str, Option<u16>)>) -> Self {
        let mut entries: Vec<(Cow<'a, str>, Option<u16>)> = entries
            .into_iter()
            .map(|(word, kind)| (folded(word), kind))
            .filter(|(word, _)| !word.is_empty())
            .collect();
        entries.sort_unstable();
        let mut words: Vec<String> = Vec::with_capacity(entries.len());
        let mut labels: Vec<Kinds> = Vec::with_capacity(entries.len());
        // The longest word wins where several start, so it speaks for the shorter ones as well:
        // `my number is` for whatever `my number` speaks for. These stand before it.
        let mut shorter: Vec<(usize, Kinds)> = Vec::new();
        for same in entries.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((word, _)) = same.first() else {
                continue;
            };
            let mut label = Kinds::default();
            for kind in same.iter().filter_map(|(_, kind)| *kind) {
                label.insert(kind);
            }
            while let Some((head, _)) = shorter.last()
                && !words
                    .get(*head)
                    .is_some_and(|head| word.starts_with(head.as_str()))
            {
                shorter.pop();
            }
            let mut all = label;
            if let Some((_, kinds)) = shorter.last() {
                all.extend(kinds);
            }
            shorter.push((words.len(), all));
            words.push(word.clone().into_owned());
            labels.push(if label.is_empty() { label } else { all });
        }
        Self {
            starts: Starts::new(&words),
            words,
            labels,
        }
    }

    /// Calls `found` for the words that start in `from..to` and end before `limit`; returns where
    /// the search goes on.
    fn hits(
        &self,
        text: &[u8],
        from: usize,
        to: usize,
        limit: usize,
        found: &mut impl FnMut(Hit),
    ) -> usize {
        let mut from = from;
        while let Some(start) = self.starts.next(text, from, to) {
            from = start + 1;
            if !starts_word(text, start) {
                continue;
            }
            if let Some((label, end)) = self.longest(text, start, limit)
                && ends_word(text, start, end)
            {
                found(Hit {
                    start,
                    end,
                    label,
                    used: None,
                });
                from = end;
            }
        }
        from.max(to)
    }

    #[cfg(test)]
    pub(super) const fn words(&self) -> usize {
        self.words.len()
    }

    /// The longest word at `start` that ends before `limit`, and where it ends.
    fn longest(&self, text: &[u8], start: usize, limit: usize) -> Option<(usize, usize)> {
        let rest = text.get(start..limit)?;
        self.starts.words_at(rest).find_map(|label| {
            let word = self.words.get(label)?.as_bytes();
            rest.get(..word.len())?
                .eq_ignore_ascii_case(word)
                .then_some((label, start + word.len()))
        })
    }

    /// What the key in `region` stands for: the last label in it.
    fn label_of(&self, text: &[u8], from: usize, to: usize) -> Option<Kinds> {
        let mut last: Option<Hit> = None;
        let mut against = None;
        let mut all = Kinds::default();
        self.hits(text, from, to, to, &mut |hit| {
            if let Some(kinds) = self.labels.get(hit.label) {
                if kinds.is_empty() {
                    against = Some(hit.end);
                } else {
                    all.extend(kinds);
                    last = Some(hit);
                }
            }
        });
        match (last, against) {
            (None, None) => None,
            (None, Some(_)) => Some(Kinds::default()),
            (Some(hit), Some(end)) if end > hit.end => Some(Kinds::default()),
            (Some(_), _) => Some(all),
        }
    }
}

/// `word` as it stands in a folded text, in lower case.
fn folded(word: &str) -> Cow<'_, str> {
    if word.is_ascii() && !word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(crate::views::main_view(word.as_bytes()).text.to_lowercase())
}

/// Whether a word stands alone at its start, begins at a hump of camel case, or belongs to a script
/// without spaces.
fn starts_word(text: &[u8], start: usize) -> bool {
    let first = at(text, start);
    if first >= 0xe0 || (first < 0x80 && !first.is_ascii_alphabetic()) {
        return true;
    }
    let Some(before) = start.checked_sub(1).map(|index| at(text, index)) else {
        return true;
    };
    if before < 0x80 {
        let hump = first.is_ascii_uppercase() && before.is_ascii_lowercase();
        return !before.is_ascii_alphabetic() || hump;
    }
    last_char(text, start).is_none_or(|before| !before.is_alphabetic() || is_unspaced(before))
}

/// Whether a word stands alone at its end, ends before a hump of camel case, or belongs to a script
/// without spaces; longer words may carry an ending.
fn ends_word(text: &[u8], start: usize, end: usize) -> bool {
    if at(text, start) >= 0xe0 {
        return true;
    }
    let hump = at(text, end).is_ascii_uppercase() && at(text, end - 1).is_ascii_lowercase();
    let last = at(text, end - 1);
    if hump || !(last.is_ascii_alphabetic() || last >= 0x80) {
        return true;
    }
    let ending = letter_after(text, end);
    ending == 0 || (ending <= 4 && end - start >= 6)
}

/// Whether words of the script are written without spaces: kana, ideographs, Hangul, Thai.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// The context of one text, read once from left to right.
pub(super) struct Context<'a> {
    text: &'a [u8],
    lexicon: &'a Lexicon,
    hits: VecDeque<Hit>,
    done: usize,
    tables: Tables<'a>,
    place: Option<(usize, Place)>,
    /// The end of the last candidate, and the word behind it.
    behind: Option<(usize, Option<usize>)>,
    /// The last candidate, and every kind that a word around it speaks for.
    around: Option<((usize, usize), Kinds)>,
}

/// Where a candidate stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Under a key, a tag, or a column with this label; empty: one that speaks against.
    Key(Kinds),
    /// Under a key, a tag, or a column that says nothing.
    UnknownKey,
    /// In running text.
    Prose,
}

impl<'a> Context<'a> {
    pub(super) fn new(text: &'a [u8], lexicon: &'a Lexicon) -> Self {
        Self {
            text,
            lexicon,
            hits: VecDeque::new(),
            done: 0,
            tables: Tables::new(text),
            place: None,
            behind: None,
            around: None,
        }
    }

    /// What stands around `start..end` for recogniser `kind`.
    pub(super) fn support(&mut self, start: usize, end: usize, kind: u16) -> Support {
        match self.place(start) {
            Place::Key(kinds) if kinds.is_empty() => return Support::Against,
            Place::Key(kinds) if kinds.contains(kind) => return Support::Direct,
            Place::Key(_) => return Support::Other,
            Place::UnknownKey => return Support::None,
            Place::Prose => {}
        }
        self.read_around(start, end);
        let (before, gap) = self.before(start, kind);
        match before {
            Support::Labelled if gap <= CLOSE => Support::Direct,
            Support::None | Support::Against | Support::Other => {
                let after = self.after(end, kind);
                if after == Support::None {
                    before
                } else {
                    after
                }
            }
            other => other,
        }
    }

    /// Every kind that a word around `start..end` speaks for.
    pub(super) fn reachable(&mut self, start: usize, end: usize) -> Kinds {
        if let Some((known, kinds)) = &self.around
            && *known == (start, end)
        {
            return *kinds;
        }
        let kinds = match self.place(start) {
            Place::Key(kinds) => kinds,
            Place::UnknownKey => Kinds::default(),
            Place::Prose => {
                self.read_around(start, end);
                let behind = self.behind(end);
                let labels = &self.lexicon.labels;
                let mut kinds = Kinds::default();
                let before = self.hits.iter().take_while(|hit| hit.end <= start);
                for label in before.map(|hit| hit.label).chain(behind) {
                    if let Some(more) = labels.get(label) {
                        kinds.extend(more);
                    }
                }
                kinds
            }
        };
        self.around = Some(((start, end), kinds));
        kinds
    }

    /// Says that the label before `candidate` has been used up by it; what follows in a list
    /// (`born 1990-05-03 and 1991-02-01`) shares it.
    pub(super) fn consume(&mut self, candidate: &Range<usize>, kind: u16) {
        let labels = &self.lexicon.labels;
        let about = |hit: &Hit| {
            labels
                .get(hit.label)
                .is_some_and(|kinds| kinds.contains(kind))
        };
        for hit in self
            .hits
            .iter_mut()
            .filter(|hit| hit.end <= candidate.start && about(hit))
        {
            if hit
                .used
                .is_none_or(|end| candidate.start.saturating_sub(end) <= LIST)
            {
                hit.used = Some(candidate.end);
            }
        }
    }

    /// Whether `start` stands under no key, tag, or column.
    pub(super) fn is_prose(&mut self, start: usize) -> bool {
        matches!(self.place(start), Place::Prose)
    }

    fn place(&mut self, start: usize) -> Place {
        if let Some((known, place)) = self.place
            && known == start
        {
            return place;
        }
        let place = self.find_place(start);
        self.place = Some((start, place));
        place
    }

    fn find_place(&mut self, start: usize) -> Place {
        let text = self.text;
        // A value may have a head that the candidate has not: `ORD-` before `46006939`.
        let mut value = start;
        while value > 0
            && start - value < 24
            && (at(text, value - 1).is_ascii_alphanumeric()
                || matches!(at(text, value - 1), b'-' | b'_' | b'.' | b'/' | b'#' | b'+'))
        {
            value -= 1;
        }
        let mut before = value;
        while before > 0
            && value - before < 8
            && matches!(
                at(text, before - 1),
                b' ' | b'"' | b'\'' | b'`' | b'*' | b'+' | b'#' | b'\\'
            )
        {
            before -= 1;
        }
        let sign = before.checked_sub(1).map_or(b'\n', |index| at(text, index));
        match sign {
            b'=' | b':' => self.key(before - 1, sign),
            b'>' => self.tag(before - 1),
            b'(' | b',' | b';' | b'\t' | b'|' | b'\n' => self.cell(value),
            _ => Place::Prose,
        }
    }

    /// The key before the sign at `sign_at`.
    fn key(&self, sign_at: usize, sign: u8) -> Place {
        let text = self.text;
        let mut end = sign_at;
        while end > 0 && matches!(at(text, end - 1), b'"' | b'\'' | b' ' | b'`' | b'*') {
            end -= 1;
        }
        let quoted = end < sign_at && matches!(at(text, end), b'"' | b'\'');
        let floor = end.saturating_sub(KEY);
        let from = (floor..end)
            .rev()
            .find(|index| {
                let byte = at(text, *index);
                matches!(
                    byte,
                    b'\n' | b',' | b';' | b'{' | b'|' | b'&' | b'?' | b'"' | b'=' | b'<' | b'>'
                ) || (sign == b'=' && byte == b' ' && !prose_key(text, *index, end))
            })
            .map_or(floor, |index| index + 1);
        match self.lexicon.label_of(self.text, from, end) {
            Some(kinds) => Place::Key(kinds),
            None if quoted || sign == b'=' => Place::UnknownKey,
            // `created: 2024-05-02` on a line of its own is a key as well.
            None if from
                .checked_sub(1)
                .is_none_or(|index| matches!(at(text, index), b'\n' | b';' | b'{'))
                && text.get(from..end).is_some_and(is_identifier) =>
            {
                Place::UnknownKey
            }
            None => Place::Prose,
        }
    }

    /// The tag that ends at `end`.
    fn tag(&self, end: usize) -> Place {
        let floor = end.saturating_sub(KEY);
        let Some(from) = (floor..end)
            .rev()
            .find(|index| at(self.text, *index) == b'<')
        else {
            return Place::Prose;
        };
        match self.lexicon.label_of(self.text, from, end) {
            Some(kinds) => Place::Key(kinds),
            None if at(self.text, from + 1) != b'/' => Place::UnknownKey,
            None => Place::Prose,
        }
    }

    /// The column above, or the cell to the left.
    fn cell(&mut self, start: usize) -> Place {
        let Some(header) = self.tables.header(start) else {
            return Place::Prose;
        };
        match self.lexicon.label_of(self.text, header.start, header.end) {
            Some(kinds) => Place::Key(kinds),
            None => Place::UnknownKey,
        }
    }

    /// What the words before `start` say, and how far the one that says it is away.
    fn before(&self, start: usize, kind: u16) -> (Support, usize) {
        let text = self.text;
        let mut nearest = None;
        let mut cut = start;
        for hit in self.hits.iter().rev().filter(|hit| hit.end <= start) {
            if breaks(text, hit.end, cut) {
                break;
            }
            cut = hit.start;
            let Some(kinds) = self.lexicon.labels.get(hit.label) else {
                continue;
            };
            if kinds.contains(kind) {
                let listed = hit.used.filter(|end| start.saturating_sub(*end) <= LIST);
                if hit.used.is_some() && listed.is_none() {
                    return (Support::None, 0);
                }
                let gap = start.saturating_sub(listed.unwrap_or(hit.end));
                return match nearest {
                    None => (Support::Labelled, gap),
                    Some(_) => (Support::Near, gap),
                };
            }
            if nearest.is_none() {
                if kinds.is_empty() {
                    let gap = start - hit.end;
                    return (
                        if gap <= CLOSE {
                            Support::Against
                        } else {
                            Support::None
                        },
                        gap,
                    );
                }
                nearest = Some(Support::Other);
            }
        }
        (nearest.unwrap_or(Support::None), 0)
    }

    /// Reads the words around `start..end`, each byte of the text once.
    fn read_around(&mut self, start: usize, end: usize) {
        let floor = start.saturating_sub(BEFORE);
        while self.hits.front().is_some_and(|hit| hit.start < floor) {
            self.hits.pop_front();
        }
        let to = (end + AFTER).min(self.text.len());
        if to > self.done {
            let hits = &mut self.hits;
            let from = self.done.max(floor);
            let mut found = |hit| hits.push_back(hit);
            self.done = self
                .lexicon
                .hits(self.text, from, to, self.text.len(), &mut found);
        }
    }

    /// What the words after `end` say, as in `078-05-1120 is my SSN`.
    fn after(&mut self, end: usize, kind: u16) -> Support {
        let label = self.behind(end);
        match label.and_then(|label| self.lexicon.labels.get(label)) {
            Some(kinds) if kinds.contains(kind) => Support::Labelled,
            _ => Support::None,
        }
    }

    /// The label of the word behind `end`, of which the words have been read.
    fn behind(&mut self, end: usize) -> Option<usize> {
        let mut behind = self.hits.iter().rev().take_while(|hit| hit.start >= end);
        if !behind.any(|hit| hit.start < end + AFTER) {
            return None;
        }
        if let Some((known, label)) = self.behind
            && known == end
        {
            return label;
        }
        let label = self.label_behind(end);
        self.behind = Some((end, label));
        label
    }

    /// The first word behind `end`, unless it belongs to what follows it.
    fn label_behind(&self, end: usize) -> Option<usize> {
        let text = self.text;
        let limit = (end + AFTER).min(text.len());
        let to = (end..limit)
            .find(|index| match at(text, *index) {
                b'\n' | b';' | b',' | b'|' | b'<' | b'"' | b'\t' => true,
                b'.' => at(text, index + 1) == b' ',
                _ => false,
            })
            .unwrap_or(limit);
        let mut first = None;
        self.lexicon.hits(text, end, to, to, &mut |hit| {
            first = first.or(Some(hit));
        });
        let hit = first?;
        // `... 555 0100 SSN: 078-05-1120`
        let mut next = hit.end;
        while next - hit.end < GAP && matches!(at(text, next), b' ' | b':' | b'=' | b'#') {
            next += 1;
        }
        let leads_on =
            at(text, next).is_ascii_digit() || (next > hit.end && at(text, next - 1) != b' ');
        (!leads_on).then_some(hit.label)
    }
}

/// Whether `from..to` holds the end of a line or of a sentence.
fn breaks(text: &[u8], from: usize, to: usize) -> bool {
    let Some(between) = text.get(from..text.len().min(to + 1)) else {
        return true;
    };
    let line = between.iter().position(|byte| *byte == b'\n');
    if let Some(line) = line {
        let blank =
            |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b':' | b'-' | b'>' | b'*');
        let (before, after) = between.split_at(line);
        let after = after.get(..after.len().saturating_sub(1)).unwrap_or(after);
        return !(before.iter().all(blank) && after.iter().all(blank));
    }
    between.windows(3).any(
        |window| matches!(window, [b'.' | b'!' | b'?', b' ', next] if next.is_ascii_uppercase()),
    ) && between.len() > 12
        || between.windows(3).any(|window| window == "。".as_bytes())
}

/// Whether the words from `space` to `end` read like a label of several words, not a new field.
fn prose_key(text: &[u8], space: usize, end: usize) -> bool {
    // `a=1 b=2`: what stands before the space is a value when a sign stands before it.
    let floor = space.saturating_sub(KEY);
    let mut index = space;
    while index > floor && !at(text, index - 1).is_ascii_whitespace() {
        index -= 1;
        if at(text, index) == b'=' {
            return false;
        }
    }
    // Spaces before the sign (`routing number = `) are how people write, not machines.
    at(text, end) == b' '
}

fn is_identifier(key: &[u8]) -> bool {
    !key.is_empty()
        && key.len() <= 32
        && key
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
