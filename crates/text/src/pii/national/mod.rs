//! National identifiers with their checks, one file per region.
//!
//! Each kind lists every usual way to write it, the full check (check digits, embedded dates,
//! ranges that were never issued) and the words that stand near it. The confidence without a
//! context word says how likely it is that a number of that shape which passes the check is meant:
//! one check digit on a bare run of digits passes one time in ten and says little, one check
//! letter behind a rare shape says a lot.
//!
//! A kind whose shapes differ much in that respect (`078-05-1121` and `078051121`) is listed
//! twice under the same rule.

mod africa_oceania;
mod americas;
mod asia;
mod checksum;
mod europe_east;
mod europe_north;
mod europe_south;
mod europe_west;
mod middle_east;

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

use super::{Recogniser, Validity};

/// Every national identifier, region by region.
pub fn recognisers() -> impl Iterator<Item = &'static Recogniser> {
    [
        americas::RECOGNISERS,
        europe_west::RECOGNISERS,
        europe_south::RECOGNISERS,
        europe_north::RECOGNISERS,
        europe_east::RECOGNISERS,
        middle_east::RECOGNISERS,
        asia::RECOGNISERS,
        africa_oceania::RECOGNISERS,
    ]
    .into_iter()
    .flatten()
}

/// Words that mean "some national identifier" in any country: context for every kind here.
/// Lower case, folded.
pub static GENERIC_CONTEXT: &[&str] = &[
    "national id",
    "national_id",
    "nationalid",
    "national-id",
    "national identity",
    "national identification",
    "national number",
    "national insurance",
    "identity number",
    "identity no",
    "identity card",
    "identification number",
    "id number",
    "id_number",
    "idnumber",
    "id no",
    "id card",
    "id_card",
    "personal id",
    "personal_id",
    "personal number",
    "personal identification",
    "personal code",
    "citizen id",
    "citizen number",
    "citizen card",
    "citizenship number",
    "civil id",
    "government id",
    "tax id",
    "tax_id",
    "taxid",
    "tax number",
    "tax no",
    "tax code",
    "taxpayer",
    "tax identification",
    "fiscal number",
    "fiscal code",
    "social security",
    "social insurance",
    "social_security",
    "socialsecurity",
    "insurance number",
    "health number",
    "ssn",
    "tin",
    "nin",
    "nid",
];

/// One line of a region's table.
struct Kind {
    /// Rule id: `pii.` and the entity in kebab case.
    id: &'static str,
    /// Presidio's name, or one in the same style.
    entity: &'static str,
    /// What it is, in one line.
    title: &'static str,
    /// As in [`Recogniser::shapes`].
    shapes: &'static [&'static str],
    /// As in [`Recogniser::check`].
    check: fn(&[u8]) -> Validity,
    /// As in [`Recogniser::plausible`].
    plausible: f32,
    /// As in [`Recogniser::valid`].
    valid: f32,
    /// As in [`Recogniser::context`].
    context: &'static [&'static str],
}

const REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-359"), Cow::Borrowed("LLM02:2025")];

/// Why it matters, and what to do.
const TEXTS: [&str; 2] = [
    "A national identifier stays with a person for life and opens accounts, benefits, and tax records \
     in their name.",
    "Mask it before the text leaves the place that needs it, or replace it by a keyed pseudonym.",
];

impl Kind {
    const fn recogniser(self) -> Recogniser {
        Recogniser {
            rule: Rule::new(
                self.id,
                self.title,
                Severity::High,
                Category::Pii,
                REFS,
                TEXTS,
                Some(self.entity),
            ),
            shapes: self.shapes,
            check: self.check,
            plausible: self.plausible,
            valid: self.valid,
            context: self.context,
        }
    }
}

/// [`Validity::Valid`] if a check digit or an equally strong test `agrees`.
const fn valid_if(agrees: bool) -> Validity {
    if agrees {
        Validity::Valid
    } else {
        Validity::Invalid
    }
}

/// [`Validity::Plausible`] if nothing rules it out, for kinds without a check digit.
const fn plausible_if(allowed: bool) -> Validity {
    if allowed {
        Validity::Plausible
    } else {
        Validity::Invalid
    }
}

/// [`Validity::Valid`] if the check digit agrees, [`Validity::Plausible`] if only the rest does:
/// for kinds that were also issued without, or with a wrong, check digit.
const fn valid_or_plausible(agrees: bool, allowed: bool) -> Validity {
    if !allowed {
        Validity::Invalid
    } else if agrees {
        Validity::Valid
    } else {
        Validity::Plausible
    }
}

#[cfg(test)]
mod tests;
