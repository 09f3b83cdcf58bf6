//! Every shape of every recogniser as one table, walked a byte at a time.

use std::collections::BTreeMap;

use super::context::Kinds;

/// No shape goes on from here.
const DEAD: u16 = 0;
const START: u16 = 1;
/// Bytes that no shape holds.
const OTHER: u8 = 0;
/// Beyond, further shapes are left out; a unit test keeps the built-in set far below.
const MAX_STATES: usize = 60_000;

/// A deterministic automaton over byte classes.
#[derive(Debug)]
pub(super) struct Shapes {
    class_of: [u8; 256],
    classes: usize,
    next: Vec<u16>,
    accepted: Vec<Kinds>,
}

/// Where a walk through [`Shapes`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(u16);

impl Shapes {
    /// The automaton of `shapes`, each with the number that it stands for.
    pub(super) fn new(shapes: &[(&str, u16)]) -> Self {
        let class_of = classes(shapes);
        let classes = usize::from(class_of.iter().copied().max().unwrap_or(0)) + 1;
        let compiled: Vec<Vec<Vec<u8>>> = shapes
            .iter()
            .map(|(shape, _)| shape.bytes().map(|byte| expand(byte, &class_of)).collect())
            .collect();

        let mut states: BTreeMap<Vec<(u16, u8)>, u16> = BTreeMap::new();
        let first: Vec<(u16, u8)> = (0..).take(shapes.len()).map(|shape| (shape, 0)).collect();
        let mut queue = vec![Vec::new(), first.clone()];
        states.insert(Vec::new(), DEAD);
        states.insert(first, START);
        let mut next = Vec::new();
        let mut accepted = Vec::new();
        let mut at = 0;
        while let Some(items) = queue.get(at).cloned() {
            at += 1;
            let mut ends = Kinds::default();
            let mut targets = vec![Vec::new(); classes];
            for &(shape, position) in &items {
                let Some(steps) = compiled.get(usize::from(shape)) else {
                    continue;
                };
                match steps.get(usize::from(position)) {
                    None => {
                        if let Some((_, kind)) = shapes.get(usize::from(shape)) {
                            ends.insert(*kind);
                        }
                    }
                    Some(step) => {
                        for &class in step {
                            if let Some(target) = targets.get_mut(usize::from(class)) {
                                target.push((shape, position + 1));
                            }
                        }
                    }
                }
            }
            accepted.push(ends);
            for target in targets {
                let fresh = u16::try_from(states.len()).unwrap_or(DEAD);
                let state = match states.get(&target) {
                    Some(state) => *state,
                    None if states.len() >= MAX_STATES => DEAD,
                    None => {
                        states.insert(target.clone(), fresh);
                        queue.push(target);
                        fresh
                    }
                };
                next.push(state);
            }
        }
        Self {
            class_of,
            classes,
            next,
            accepted,
        }
    }

    pub(super) const fn start(&self) -> State {
        State(START)
    }

    /// One byte further; `None` when no shape goes on.
    #[inline]
    pub(super) fn step(&self, state: State, byte: u8) -> Option<State> {
        let class = self.class_of.get(usize::from(byte)).copied()?;
        if class == OTHER {
            return None;
        }
        match self
            .next
            .get(usize::from(state.0) * self.classes + usize::from(class))
        {
            None | Some(&DEAD) => None,
            Some(&state) => Some(State(state)),
        }
    }

    /// The numbers of the shapes that end here.
    #[inline]
    pub(super) fn accepted(&self, state: State) -> Kinds {
        self.accepted
            .get(usize::from(state.0))
            .copied()
            .unwrap_or_default()
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

fn expand(byte: u8, class_of: &[u8; 256]) -> Vec<u8> {
    let wanted = |candidate: u8| match byte {
        b'9' => candidate.is_ascii_digit(),
        b'A' => candidate.is_ascii_alphabetic(),
        b'X' => candidate.is_ascii_alphanumeric(),
        literal => candidate.eq_ignore_ascii_case(&literal),
    };
    let mut classes: Vec<u8> = (0..=u8::MAX)
        .zip(class_of)
        .filter(|(candidate, _)| wanted(*candidate))
        .map(|(_, class)| *class)
        .collect();
    classes.sort_unstable();
    classes.dedup();
    classes
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
            end.map_or_else(Vec::new, |state| shapes.accepted(state).iter().collect()),
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
}
