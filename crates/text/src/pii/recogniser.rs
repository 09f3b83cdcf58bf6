use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

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
    ///
    /// Empty for a kind that the engine finds by a grammar of its own, such as e-mail.
    pub shapes: &'static [&'static str],
    /// Looks at the candidate without its separators, letters in upper case.
    pub check: fn(&[u8]) -> Validity,
    /// Confidence when the check says [`Validity::Plausible`] and no context word is near.
    ///
    /// Below 0.3 the shape says so little that only a label right before the candidate counts.
    pub plausible: f32,
    /// Confidence when the check says [`Validity::Valid`] and no context word is near.
    pub valid: f32,
    /// Words near the candidate that make it likelier: lower case, folded, at least 2 bytes, in
    /// the languages of the country. A context word lifts the confidence to at least 0.85 when
    /// plausible, at least 0.95 when valid.
    pub context: &'static [&'static str],
}

impl Recogniser {
    /// Confidence of a candidate without a word near it.
    pub(super) fn base(&self, validity: Validity, favoured: bool) -> f32 {
        let base = match validity {
            Validity::Invalid => 0.0,
            Validity::Plausible => self.plausible,
            Validity::Valid => self.valid,
        };
        if favoured {
            base + (1.0 - base) * 0.3
        } else {
            base
        }
    }
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

impl Validity {
    /// [`Validity::Valid`] when a strong test agrees, else [`Validity::Invalid`].
    #[must_use]
    pub const fn strict(agrees: bool) -> Self {
        if agrees { Self::Valid } else { Self::Invalid }
    }

    /// [`Validity::Plausible`] when a weak test agrees, else [`Validity::Invalid`].
    #[must_use]
    pub const fn weak(agrees: bool) -> Self {
        if agrees {
            Self::Plausible
        } else {
            Self::Invalid
        }
    }
}

/// A rule for one kind of personal data.
pub(super) const fn rule(
    id: &'static str,
    title: &'static str,
    entity: &'static str,
    severity: Severity,
) -> Rule {
    const REFS: &[Cow<'static, str>] = &[Cow::Borrowed("LLM02:2025"), Cow::Borrowed("CWE-359")];
    const TEXTS: [&str; 2] = [
        "It identifies a person or gives access to what is theirs, and whoever sees the text sees it too.",
        "Mask it, replace it by a pseudonym, or leave it out unless the task needs it.",
    ];
    Rule::new(
        id,
        title,
        severity,
        Category::Pii,
        REFS,
        TEXTS,
        Some(entity),
    )
}

/// The check of a kind whose grammar has already checked everything.
pub(super) const fn by_grammar(_: &[u8]) -> Validity {
    Validity::Plausible
}
