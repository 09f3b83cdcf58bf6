use bartizan_core::Rule;

/// Recognises one kind of identifier by the shapes it is written in and by what can be checked.
///
/// The engine finds candidates by shape and asks [`Recogniser::check`]; context words near the
/// candidate raise its confidence.
#[derive(Debug)]
pub struct Recogniser {
    /// What it reports under; `entity` is Presidio's name.
    pub rule: Rule,
    /// Ways to write it: `9` a digit, `A` an ASCII letter, `X` a letter or digit, anything else
    /// itself. Runs are separated by single separators out of space `-` `.` `/`.
    pub shapes: &'static [&'static str],
    /// Looks at the candidate without its separators, letters in upper case.
    pub check: fn(&[u8]) -> Validity,
    /// Confidence when the check says [`Validity::Plausible`] and no context word is near.
    pub plausible: f32,
    /// Confidence when the check says [`Validity::Valid`] and no context word is near.
    pub valid: f32,
    /// Words near the candidate that make it likelier: lower case, folded, at least 2 bytes, in
    /// the languages of the country. A context word lifts the confidence to at least 0.85 when
    /// plausible, at least 0.95 when valid.
    pub context: &'static [&'static str],
}

/// What a check can say about a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Validity {
    /// A check digit, range or plan rules it out.
    Invalid,
    /// It has the right shape and nothing more can be checked.
    Plausible,
    /// A check digit or an equally strong test agrees.
    Valid,
}
