//! Every shape of every recogniser as one table, walked a byte at a time.

use std::collections::{HashMap, VecDeque};

use super::context::Kinds;

/// No shape goes on from here.
const DEAD: u16 = 0;
const START: u16 = 1;
/// Bytes that no shape holds.
const OTHER: u8 = 0;
/// Room for classes: digits, letters, [`OTHER`], and every letter and sign that a shape spells out; a
/// unit test keeps the built-in set within it.
const CLASSES: usize = 32;
/// Beyond, further shapes are left out; a unit test keeps the built-in set far below.
const MAX_STATES: usize = 60_000;

/// A deterministic automaton over byte classes.
#[derive(Debug)]
pub(super) struct Shapes {
    class_of: [u8; 256],
    /// By state and class.
    next: Vec<[u16; CLASSES]>,
    /// By state: which of `sets` it accepts, 0 for none.
    ends: Vec<u16>,
    sets: Vec<Kinds>,
}

/// Where a walk through [`Shapes`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(u16);

/// A shape and how far it has been walked.
type Item = (u16, u8);

impl Shapes {
    /// The automaton of `shapes`, each with the number that it stands for.
    pub(super) fn new(shapes: &[(&str, u16)]) -> Self {
        let class_of = classes(shapes);
        let expanded: [u32; 256] = {
            let mut masks = [0; 256];
            let shaped = shapes.iter().flat_map(|(shape, _)| shape.bytes());
            for byte in shaped {
                if let Some(mask) = masks.get_mut(usize::from(byte)).filter(|mask| **mask == 0) {
                    *mask = expand(byte, &class_of);
                }
            }
            masks
        };
        let mut built = Self {
            class_of,
            next: Vec::new(),
            ends: Vec::new(),
            sets: vec![Kinds::default()],
        };
        let first: Vec<Item> = (0..).take(shapes.len()).map(|shape| (shape, 0)).collect();
        let mut states: HashMap<Vec<Item>, u16> = HashMap::new();
        states.insert(Vec::new(), DEAD);
        states.insert(first.clone(), START);
        let mut queue = VecDeque::from([Vec::new(), first]);
        let mut targets: [Vec<Item>; CLASSES] = std::array::from_fn(|_| Vec::new());
        while let Some(items) = queue.pop_front() {
            let mut ends = Kinds::default();
            for &(shape, position) in &items {
                let Some((written, kind)) = shapes.get(usize::from(shape)) else {
                    continue;
                };
                let Some(byte) = written.as_bytes().get(usize::from(position)) else {
                    ends.insert(*kind);
                    continue;
                };
                let mut classes = expanded.get(usize::from(*byte)).copied().unwrap_or(0);
                while let Some(target) = targets.get_mut(classes.trailing_zeros() as usize) {
                    target.push((shape, position + 1));
                    classes &= classes - 1;
                }
            }
            built.accept(ends);
            built.next.push(std::array::from_fn(|class| {
                let Some(target) = targets.get_mut(class).filter(|target| !target.is_empty())
                else {
                    return DEAD;
                };
                let state = states.get(target.as_slice()).copied().unwrap_or_else(|| {
                    if states.len() >= MAX_STATES {
                        return DEAD;
                    }
                    let fresh = u16::try_from(states.len()).unwrap_or(DEAD);
                    states.insert(target.clone(), fresh);
                    queue.push_back(target.clone());
                    fresh
                });
                target.clear();
                state
            }));
        }
        built
    }

    /// Says what the next state accepts.
    fn accept(&mut self, ends: Kinds) {
        let known = self.sets.iter().position(|set| *set == ends);
        let number = known.unwrap_or_else(|| {
            self.sets.push(ends);
            self.sets.len() - 1
        });
        self.ends.push(u16::try_from(number).unwrap_or(0));
    }

    #[cfg(test)]
    fn states(&self) -> usize {
        self.next.len()
    }

    pub(super) const fn start(&self) -> State {
        State(START)
    }

    /// One byte further; `None` when no shape goes on.
    #[inline]
    pub(super) fn step(&self, state: State, byte: u8) -> Option<State> {
        let class = self.class_of.get(usize::from(byte)).copied()?;
        let row = self.next.get(usize::from(state.0))?;
        let next = *row.get(usize::from(class))?;
        (next != DEAD).then_some(State(next))
    }

    /// The numbers of the shapes that end here, if any.
    #[inline]
    pub(super) fn accepted(&self, state: State) -> Option<&Kinds> {
        match self.ends.get(usize::from(state.0)) {
            None | Some(0) => None,
            Some(&number) => self.sets.get(usize::from(number)),
        }
    }
}

/// Digits, letters, and every literal get a class; the rest is [`OTHER`].
fn classes(shapes: &[(&str, u16)]) -> [u8; 256] {
    let mut class_of = [OTHER; 256];
    let mut set = |byte: u8, class: u8| {
        if let Some(slot) = class_of.get_mut(usize::from(byte)) {
            *slot = class;
        }
    };
    (b'0'..=b'9').for_each(|byte| set(byte, 1));
    (b'a'..=b'z')
        .chain(b'A'..=b'Z')
        .for_each(|byte| set(byte, 2));
    let mut class = 2;
    let mut literals: Vec<u8> = shapes
        .iter()
        .flat_map(|(shape, _)| shape.bytes())
        .filter(|byte| !matches!(byte, b'9' | b'A' | b'X'))
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    literals.sort_unstable();
    literals.dedup();
    for byte in literals {
        class += 1;
        set(byte, class);
        set(byte.to_ascii_lowercase(), class);
    }
    class_of
}

/// The classes of the bytes that `byte` of a shape stands for, one bit each.
fn expand(byte: u8, class_of: &[u8; 256]) -> u32 {
    let wanted = |candidate: u8| match byte {
        b'9' => candidate.is_ascii_digit(),
        b'A' => candidate.is_ascii_alphabetic(),
        b'X' => candidate.is_ascii_alphanumeric(),
        literal => candidate.eq_ignore_ascii_case(&literal),
    };
    (0..=u8::MAX)
        .zip(class_of)
        .filter(|(candidate, class)| wanted(*candidate) && **class != OTHER)
        .fold(0, |mask, (_, class)| mask | 1 << class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[u16]) {
        let shapes = Shapes::new(&[
            ("999-99-9999", 0),
            ("AA9X", 1),
            ("P9X9", 2),
            ("999999999", 3),
            ("A9", 4),
        ]);
        let end = text
            .bytes()
            .try_fold(shapes.start(), |state, byte| shapes.step(state, byte));
        assert_eq!(
            end.and_then(|state| shapes.accepted(state))
                .map_or_else(Vec::new, |kinds| kinds.iter().collect()),
            expected
        );
    }

    #[test]
    fn shapes_are_walked_byte_by_byte() {
        check("123-45-6789", &[0]);
        check("123456789", &[3]);
        check("ab1z", &[1]);
        check("PB1z", &[1]);
        check("p1z2", &[2]);
        check("P1", &[4]);
        check("123-4", &[]);
        check("12_", &[]);
    }

    #[test]
    fn the_built_in_shapes_fit() {
        let engine = crate::pii::engine::builtin();
        let shapes = engine.shapes();
        assert!(shapes.states() < MAX_STATES / 4, "{}", shapes.states());
        let classes = shapes.class_of.iter().max();
        assert!(classes.is_some_and(|class| usize::from(*class) < CLASSES));
    }
}
