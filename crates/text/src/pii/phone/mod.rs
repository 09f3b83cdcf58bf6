//! Telephone numbers: numbering plans, national ways of writing, and candidates in a text.
//!
//! [`match_at`] looks at one place of a folded text. A number in international form is checked
//! against the plan of its country; a number in national form must also be grouped the way that
//! country groups it; a bare run of digits only counts near one of [`CONTEXT`].

mod candidate;
mod codes;
mod formats;
mod plans;
mod words;

use std::ops::Range;

pub use plans::Kind;
pub use words::{CONTEXT, DENY};

use candidate::Candidate;

/// ISO 3166-1 alpha-2 code of the country whose plan a number follows; `US` stands for the whole
/// North American plan, `RU` and `KZ` are told apart, `001` is a code of no country.
pub type Region = &'static str;

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Digits alone, in the national form of some country: counts only with a context word.
    Bare,
    /// Grouped as some country groups its numbers.
    National,
    /// With `+`, `00`, or `011` and a country code.
    International,
}

/// A telephone number at one place of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneMatch {
    /// Where it stands, with its extension if it has one.
    pub range: Range<usize>,
    /// Whose plan it follows; the likeliest one for forms that several countries share.
    pub region: Region,
    /// What the plan says about it; [`Kind::Unknown`] when only its length fits.
    pub kind: Kind,
    /// How it is written.
    pub form: Form,
    /// Confidence without a context word, from 0 to 1.
    pub confidence: f32,
}

impl PhoneMatch {
    /// Confidence when one of [`CONTEXT`] is near, from 0 to 1.
    #[must_use]
    pub const fn confidence_with_context(&self) -> f32 {
        match self.form {
            Form::International => 0.97,
            Form::National => 0.93,
            Form::Bare => 0.85,
        }
    }
}

/// What a plan says about the digits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whose plan.
    pub region: Region,
    /// Which part of it; [`Kind::Unknown`] when the length fits and the leading digits are not
    /// assigned.
    pub kind: Kind,
}

/// The plan that `digits` (ASCII) follow, if any: country code first for [`Form::International`],
/// otherwise with the trunk prefix where the country has one.
#[must_use]
pub fn classify(digits: &[u8], form: Form) -> Option<Plan> {
    match form {
        Form::International => codes::international(digits),
        Form::National | Form::Bare => plans::PLANS.iter().find_map(|plan| {
            let kind = plan.national_kind(digits)?;
            // Service numbers begin with anything: without any grouping they say nothing.
            let telling = form == Form::National || kind != Kind::Other || plan.region == "US";
            // So does a leading 1, with which amounts, ids, and times begin, unless it is a mobile.
            let telling = telling
                && (form == Form::National
                    || kind == Kind::Mobile
                    || digits.first() != Some(&b'1')
                    || digits.len() == 11 && plan.region == "US");
            telling.then_some(Plan {
                region: plan.region,
                kind,
            })
        }),
    }
}

/// The telephone number at byte `at` of a folded `text`, where a digit, `+`, or `(` stands.
///
/// Looks at no more than 48 bytes. `None` if something before or behind says that the number is a
/// piece of something longer.
#[must_use]
pub fn match_at(text: &[u8], at: usize) -> Option<PhoneMatch> {
    if !candidate::may_start(text, at) || !formats::may_begin(text.get(at..)?) {
        return None;
    }
    let candidate = Candidate::read(text, at)?;
    let found = candidate
        .ends()
        .filter_map(|end| international(&candidate, end).or_else(|| national(&candidate, end)));
    let mut best: Option<PhoneMatch> = None;
    for found in found {
        let better = best.as_ref().is_none_or(|best| {
            (best.kind == Kind::Unknown && found.kind != Kind::Unknown)
                || best.confidence + 0.2 < found.confidence
        });
        if better {
            best = Some(found);
        }
    }
    let mut best = best.or_else(|| bare(&candidate))?;
    best.range.end = candidate::extension_end(text, best.range.end);
    candidate::may_end(text, best.range.end).then_some(best)
}

fn international(candidate: &Candidate<'_>, end: candidate::End) -> Option<PhoneMatch> {
    let digits = candidate.international_digits(end)?;
    let plan = codes::international(digits)?;
    let confidence = match (candidate.has_plus(), plan.kind) {
        (true, Kind::Unknown) => 0.8,
        (true, _) => 0.95,
        (false, Kind::Unknown) => return None,
        (false, _) if candidate.is_one_run(end) => 0.6,
        (false, _) => 0.9,
    };
    Some(candidate.found(end, plan, Form::International, confidence))
}

fn national(candidate: &Candidate<'_>, end: candidate::End) -> Option<PhoneMatch> {
    if candidate.has_plus() || candidate.is_one_run(end) || end.digits < MIN_NATIONAL {
        return None;
    }
    let written = candidate.written(end)?;
    let (plan, confidence) = formats::best(written, candidate.digits(end), end.outline)?;
    // A number among other numbers is more likely a part of them.
    let confidence = if candidate.has_neighbour(end) {
        confidence * NEIGHBOUR
    } else {
        confidence
    };
    Some(candidate.found(end, plan, Form::National, confidence))
}

/// What other numbers around it leave of the confidence of a national number.
const NEIGHBOUR: f32 = 0.6;

/// Whether a number at `start`, where a digit stands one blank behind another number, can have a
/// confidence of 0.5 or more without a context word.
pub(super) fn stands_out(text: &[u8], start: usize) -> bool {
    match text.get(start..) {
        Some([b'0', ..]) | None => true,
        Some(rest) => formats::may_begin_listed(rest),
    }
}

/// No country groups fewer digits.
const MIN_NATIONAL: usize = 6;

fn bare(candidate: &Candidate<'_>) -> Option<PhoneMatch> {
    let end = candidate.ends().last()?;
    if candidate.has_plus() || !candidate.is_one_run(end) || candidate.has_neighbour(end) {
        return None;
    }
    let plan = classify(candidate.digits(end), Form::Bare)?;
    let confidence = if plan.kind == Kind::Mobile {
        0.35
    } else {
        0.25
    };
    Some(candidate.found(end, plan, Form::Bare, confidence))
}

#[cfg(test)]
mod tests;
