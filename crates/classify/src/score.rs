use std::ops::Range;

use crate::Harm;

/// What the classifier makes of one text: the answers of its worst windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The calibrated probability, in `[0, 1]`, that the text attacks.
    pub attack: f32,
    /// The calibrated probability, in `[0, 1]`, that an attack is a jailbreak rather than an
    /// injection.
    pub jailbreak: f32,
    /// The bytes of the window that looks most like an attack; empty for a text without words.
    pub span: Range<usize>,
    /// One entry per kind of harm, in the order of [`Harm::ALL`].
    pub harms: Vec<HarmScore>,
    /// Windows looked at.
    pub windows: usize,
}

/// What the classifier makes of one text for one kind of harm.
#[derive(Clone, Debug, PartialEq)]
pub struct HarmScore {
    /// The kind.
    pub harm: Harm,
    /// The calibrated probability, in `[0, 1]`.
    pub probability: f32,
    /// The bytes of the worst window.
    pub span: Range<usize>,
}
