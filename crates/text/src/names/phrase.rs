//! A phrase as the tagger sees it: its tokens, what stands around them, and their features.

use std::ops::Range;

use super::{
    gazetteer::Gazetteer,
    model::Model,
    token::{self, Class, MAX_STEP, Piece, SEED, Token, mix},
};

/// Longest stretch of text that is labelled as one, in bytes.
pub(super) const MAX_PHRASE: usize = 256;
/// Tokens looked at on each side of a phrase.
const CONTEXT: usize = 3;
/// How far outside a phrase its features look, in bytes: the context, then the key of a field.
pub(super) const CONTEXT_REACH: usize = (CONTEXT + 2) * MAX_STEP;

/// Features of one token, hashed.
#[derive(Clone, Copy, Debug)]
pub struct Features {
    hashes: [u32; Self::MAX],
    count: usize,
}

impl Features {
    const MAX: usize = 32;

    /// The hashes.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[u32] {
        self.hashes.get(..self.count).unwrap_or_default()
    }

    #[inline]
    fn add(&mut self, template: u32, a: u32, b: u32) {
        if let Some(place) = self.hashes.get_mut(self.count) {
            // Odd constants of xxHash32: a multiplication per part mixes enough before `bucket`.
            let first = a
                .wrapping_add(template.wrapping_mul(0x9e37_79b1))
                .wrapping_mul(0x85eb_ca77);
            *place = (first ^ first >> 15)
                .wrapping_add(b)
                .wrapping_mul(0xc2b2_ae3d);
            self.count += 1;
        }
    }
}

/// A phrase with its surroundings.
#[derive(Clone, Debug, Default)]
pub struct Phrase {
    // INVARIANT: `CONTEXT` tokens, the phrase, `CONTEXT` tokens.
    tokens: Vec<Token>,
    /// Flags of the two and three characters that start at each token, for ideographs.
    joined: Vec<[u8; 2]>,
    key: u32,
}

impl Phrase {
    /// A phrase to read into.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tokens: Vec::new(),
            joined: Vec::new(),
            key: 0,
        }
    }

    /// Reads the phrase at `range`.
    pub fn read(&mut self, text: &str, range: Range<usize>, model: &Model<'_>) {
        let gazetteer = model.gazetteer();
        let mut before = [Piece {
            start: 0,
            end: 0,
            class: Class::Break,
            first: '\0',
        }; CONTEXT];
        let mut at = range.start;
        for place in before.iter_mut().rev() {
            let piece = token::previous(text, at);
            *place = piece;
            if piece.class == Class::Break {
                break;
            }
            at = piece.start;
        }
        self.tokens.clear();
        let tokens = &mut self.tokens;
        let mut last = at;
        let mut push = |piece: Piece, tokens: &mut Vec<Token>| {
            tokens.push(token::describe(text, piece, last, gazetteer));
            last = piece.end;
        };
        for piece in before {
            push(piece, tokens);
        }
        let mut at = range.start;
        while at < range.end {
            let piece = token::next(text, at);
            push(piece, tokens);
            at = piece.end.max(at + 1);
        }
        let mut ended = false;
        for _ in 0..CONTEXT {
            let piece = if ended {
                Piece {
                    start: at,
                    end: at,
                    class: Class::Break,
                    first: '\0',
                }
            } else {
                token::next(text, at)
            };
            ended |= piece.class == Class::Break;
            push(piece, tokens);
            at = piece.end;
        }
        // Only a mark or a line feed may stand between a key and its value.
        self.key = match before.last().map(|piece| piece.class) {
            Some(Class::Mark | Class::Newline) => key_before(text, range.start),
            _ => 0,
        };
        join_flags(&self.tokens, gazetteer, &mut self.joined);
    }

    /// The word before the phrase, then the tokens of the phrase itself.
    #[must_use]
    pub fn tokens_from_before(&self) -> &[Token] {
        self.tokens
            .get(CONTEXT - 1..self.tokens.len().saturating_sub(CONTEXT))
            .unwrap_or_default()
    }

    /// The tokens of the phrase itself.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        self.tokens
            .get(CONTEXT..self.tokens.len().saturating_sub(CONTEXT))
            .unwrap_or_default()
    }

    /// The tokens of the phrase itself, for a trainer that hides some of what it knows.
    pub fn tokens_mut(&mut self) -> &mut [Token] {
        let end = self.tokens.len().saturating_sub(CONTEXT);
        self.tokens.get_mut(CONTEXT..end).unwrap_or_default()
    }

    /// The features of the token `index` of the phrase.
    #[must_use]
    pub fn features(&self, index: usize) -> Features {
        let mut features = Features {
            hashes: [0; Features::MAX],
            count: 0,
        };
        let Some(&[t3, t2, t1, t0, n1, n2, _]) = self.tokens.get(index..index + 2 * CONTEXT + 1)
        else {
            return features;
        };
        let form = |t: Token| u32::from(t.shape) << 1 | u32::from(t.spaced);
        let list = |t: Token| u32::from(t.listed);
        let pair = |a: u32, b: u32| a << 8 ^ b;
        let f = &mut features;
        f.add(1, 0, 0);
        f.add(2, t0.id, 0);
        f.add(3, t1.id, 0);
        f.add(4, n1.id, 0);
        f.add(5, t2.id, 0);
        f.add(6, n2.id, 0);
        f.add(7, t1.id, t0.id);
        f.add(8, t0.id, n1.id);
        f.add(9, t2.id, t1.id);
        f.add(10, n1.id, n2.id);
        f.add(11, pair(form(t1), form(t0)), form(n1));
        f.add(12, form(t0), list(t0));
        f.add(13, pair(list(t1), list(t0)), list(n1));
        f.add(14, pair(form(t0), list(t0)), pair(form(n1), list(n1)));
        f.add(15, pair(form(t0), list(t0)), pair(form(t1), list(t1)));
        f.add(
            16,
            pair(pair(form(t2), form(t1)), form(t0)),
            pair(form(n1), form(n2)),
        );
        f.add(17, pair(form(t0), list(t0)), t1.id);
        f.add(18, pair(form(t0), list(t0)), n1.id);
        f.add(23, pair(list(t2), list(t1)), pair(list(t0), form(t0)));
        if self.key != 0 {
            f.add(25, self.key, index.min(3) as u32);
            f.add(26, self.key, pair(form(t0), list(t0)));
        }
        if t0.class == Class::Ideograph {
            let joined = |at: usize| self.joined.get(at).copied().unwrap_or_default();
            let here = index + CONTEXT;
            let [two, three] = joined(here);
            let [two_before, three_before] = joined(here.wrapping_sub(1));
            let [_, three_earlier] = joined(here.wrapping_sub(2));
            f.add(30, mix(mix(SEED, t1.id), t0.id), n1.id);
            f.add(31, mix(mix(SEED, t2.id), t1.id), t0.id);
            f.add(32, mix(mix(SEED, t0.id), n1.id), n2.id);
            f.add(
                33,
                pair(u32::from(two), u32::from(three)),
                pair(u32::from(two_before), u32::from(three_before)),
            );
            f.add(
                34,
                pair(u32::from(three_earlier), u32::from(two_before)),
                pair(list(t1), list(t0)),
            );
            f.add(
                35,
                pair(u32::from(two), list(t0)),
                pair(list(t1), u32::from(joined(here + 1)[0])),
            );
            f.add(37, mix(mix(SEED, t3.id), t2.id), t1.id);
        } else if t0.class == Class::Word {
            f.add(40, t0.affixes[0], 0);
            f.add(41, t0.affixes[1], 0);
            f.add(42, t0.affixes[2], 0);
            f.add(43, t0.affixes[3], 0);
        }
        features
    }
}

fn join_flags(tokens: &[Token], gazetteer: &Gazetteer<'_>, joined: &mut Vec<[u8; 2]>) {
    joined.clear();
    if !tokens.iter().any(|t| t.class == Class::Ideograph) {
        return;
    }
    let all = |group: &[Token]| {
        let whole = group.iter().all(|t| t.class == Class::Ideograph);
        // The identity of one ideograph is FNV over it alone, so a first one can be continued
        // only from its character: two and three of them are looked up by a hash of identities.
        whole.then(|| gazetteer.flags(join(group.iter().map(|t| t.id))))
    };
    joined.extend(
        (0..tokens.len())
            .map(|at| [2, 3].map(|length| tokens.get(at..at + length).and_then(all).unwrap_or(0))),
    );
}

/// The identity under which the gazetteer lists several ideographs.
#[must_use]
pub fn join(ids: impl Iterator<Item = u32>) -> u32 {
    ids.fold(SEED, mix)
}

/// The word that names the field whose value starts at `at`, as in `name: `, `"name": "`,
/// `name=` or `<name>`; 0 without one.
fn key_before(text: &str, at: usize) -> u32 {
    let mut at = at;
    let mut assigned = false;
    for _ in 0..4 {
        let piece = token::previous(text, at);
        match (piece.class, piece.first) {
            (Class::Mark, ':' | '=' | '>' | '：') => assigned = true,
            (Class::Mark, '"' | '\'' | ')') => {}
            (Class::Word | Class::Ideograph, _) if assigned => {
                return token::piece_identity(text, piece);
            }
            (Class::Newline, _) if assigned => {}
            _ => return 0,
        }
        at = piece.start;
    }
    0
}

/// Splits a phrase that is longer than `MAX_PHRASE` at its line feeds, then at its commas, then
/// between any two tokens, so that no decision leans on a longer stretch of text.
#[must_use]
pub fn stretches(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut done = Vec::new();
    let mut open: Vec<_> = std::iter::once(0..tokens.len()).collect();
    for separator in [Some('\n'), Some(','), None] {
        let mut longer = Vec::new();
        for range in open {
            let part = tokens.get(range.clone()).unwrap_or_default();
            let (Some(first), Some(last)) = (part.first(), part.last()) else {
                continue;
            };
            if last.end - first.start <= MAX_PHRASE {
                done.push(range);
                continue;
            }
            let mark = separator.map(|c| mix(SEED, u32::from(c)));
            let mut start = range.start;
            for (at, token) in range.clone().zip(part) {
                if mark.is_none_or(|id| token.id == id && token.class != Class::Word) {
                    longer.push(start..at);
                    start = at + usize::from(mark.is_some());
                }
            }
            longer.push(start..range.end);
        }
        longer.retain(|range: &Range<usize>| !range.is_empty());
        open = longer;
    }
    done.extend(open);
    done.sort_by_key(|range| range.start);
    done
}
