use super::format::Place;

/// A mistake in a pack, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{place}: {mistake}")]
pub struct PackError {
    /// The file's name as it was given.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong in a pack. Messages name keys, never the text of an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// Not YAML, or not of the format.
    #[error("{0}")]
    Yaml(String),
    /// The file is too large.
    #[error("the file has {bytes} bytes, at most {limit} are read; split it")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The most that is read.
        limit: usize,
    },
    /// A folder without description.
    #[error("the folder has no `pack.yaml`; it needs `name`, `version`, and `title`")]
    NoDescription,
    /// Two packs of one name.
    #[error("the pack `{name}` is also described in `{first}`; names are unique")]
    DuplicatePack {
        /// The name.
        name: String,
        /// The file that took it first.
        first: String,
    },
    /// Two rules of one id.
    #[error("the id `{id}` is taken by {first}; ids are unique over all packs")]
    DuplicateId {
        /// The id.
        id: String,
        /// The file and place that took it first.
        first: String,
    },
    /// Malformed id.
    #[error(
        "the id `{0}` is not of the form `area.kebab-name`, e.g. `prompt.instruction-override`"
    )]
    BadId(String),
    /// A name outside its list.
    #[error("unknown {what} `{given}`{hint}")]
    Unknown {
        /// What kind of name, e.g. `severity`.
        what: &'static str,
        /// The name.
        given: String,
        /// The nearest name or all of them, starting with a comma or a semicolon.
        hint: String,
    },
    /// A list that must not be empty.
    #[error("`{0}` is empty; {1}")]
    EmptyList(&'static str, &'static str),
    /// A required text is missing.
    #[error("`{0}` is empty; {1}")]
    EmptyText(&'static str, &'static str),
    /// A title that is not one line, lower case, without full stop.
    #[error("`title` must be one line that starts in lower case and has no full stop")]
    BadTitle,
    /// Neither patterns nor phrases.
    #[error("the rule matches nothing; give `any` or `patterns`")]
    NoPattern,
    /// A pattern that is not usable.
    #[error("bad pattern: {0}")]
    Pattern(crate::scan::PatternError),
    /// A pattern with an alternative that the scan cannot look for.
    #[error(
        "bad pattern: a match can start with `{start}`, fewer than {min} fixed bytes; write a blank after a short word as `[ ]`, narrow the alternative, or give `anchors`",
        min = crate::scan::MIN_ANCHOR
    )]
    ShortStart {
        /// The start of the alternative, as an expression.
        start: String,
    },
    /// The pack is not trusted.
    #[error("{0}")]
    Signature(super::SignatureError),
    /// A define that expands without end.
    #[error("`{{{{{0}}}}}` expands to itself or to more than 64 KiB; defines may nest 8 deep")]
    Endless(String),
    /// A number outside its range.
    #[error("`{key}` must be {range}")]
    Range {
        /// The key.
        key: &'static str,
        /// The range in words.
        range: &'static str,
    },
    /// Not a date.
    #[error("`{0}` is not a date of the form `2026-11-21`")]
    BadDate(String),
    /// An example that the rule does not hit.
    #[error("`{rule}` does not hit its example {number}; widen a pattern or drop the example")]
    ExampleMissed {
        /// The rule.
        rule: String,
        /// Which example, counted from 1.
        number: usize,
    },
    /// A negative example that the rule hits.
    #[error(
        "`{rule}` hits its negative example {number}; narrow a pattern or add a veto under `context.unless`"
    )]
    NegativeHit {
        /// The rule.
        rule: String,
        /// Which one, counted from 1.
        number: usize,
    },
}

/// How the message for an unknown `given` ends: the nearest of `names`, or all of them.
pub(super) fn hint<'a>(given: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let nearest = names
        .clone()
        .map(|name| (strsim::osa_distance(given, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len() / 3 + 1);
    match nearest {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => {
            let names: Vec<_> = names.collect();
            if names.is_empty() {
                "; the file defines none".to_owned()
            } else {
                format!(", expected one of {}", names.join(", "))
            }
        }
    }
}
