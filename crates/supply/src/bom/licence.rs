/// How a licence is stated in a bill of materials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Licence {
    /// An identifier of the SPDX list.
    Id(&'static str),
    /// An expression over such identifiers.
    Expression(String),
    /// Any other name.
    Name(String),
}

/// Identifiers of the SPDX list 3.25 that packages and models use, as it writes them.
static IDS: [&str; 47] = [
    "0BSD",
    "AFL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ECL-2.0",
    "EPL-2.0",
    "EUPL-1.2",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "HPND",
    "ISC",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "MS-PL",
    "MulanPSL-2.0",
    "NCSA",
    "ODC-By-1.0",
    "ODbL-1.0",
    "OFL-1.1",
    "OSL-3.0",
    "PDDL-1.0",
    "PSF-2.0",
    "Python-2.0",
    "Unicode-3.0",
    "Unlicense",
    "WTFPL",
    "Zlib",
    "bzip2-1.0.6",
];

/// What people write for them.
static ALIASES: [(&str, &str); 12] = [
    ("apache 2.0", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache software license", "Apache-2.0"),
    ("bsd license", "BSD-3-Clause"),
    ("mit license", "MIT"),
    ("isc license (iscl)", "ISC"),
    ("mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"),
    ("gpl-3.0", "GPL-3.0-only"),
    ("lgpl-3.0", "LGPL-3.0-only"),
    ("agpl-3.0", "AGPL-3.0-only"),
    ("gpl-2.0", "GPL-2.0-only"),
    ("odc-by", "ODC-By-1.0"),
];

impl Licence {
    /// What `text` states.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim();
        if let Some(id) = known(text) {
            return Self::Id(id);
        }
        let words = text.split([' ', '(', ')']).filter(|word| !word.is_empty());
        let is_operator = |word: &str| matches!(word, "AND" | "OR" | "WITH");
        let mut operators = words.clone().filter(|word| is_operator(word)).peekable();
        let all_known = || {
            let mut names = words.clone().filter(|word| !is_operator(word));
            names.all(|word| IDS.contains(&word) || word == "LLVM-exception")
        };
        if operators.peek().is_some() && all_known() {
            return Self::Expression(text.to_owned());
        }
        Self::Name(text.to_owned())
    }
}

fn known(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
    let id = || IDS.into_iter().find(|id| id.eq_ignore_ascii_case(text));
    alias.map(|(_, id)| *id).or_else(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_as_people_write_them() {
        assert_eq!(Licence::of("apache-2.0"), Licence::Id("Apache-2.0"));
        assert_eq!(Licence::of("MIT License"), Licence::Id("MIT"));
        let both = "MIT OR Apache-2.0 WITH LLVM-exception";
        assert_eq!(Licence::of(both), Licence::Expression(both.to_owned()));
        assert_eq!(Licence::of("llama3"), Licence::Name("llama3".to_owned()));
        assert_eq!(
            Licence::of("MINE OR MIT"),
            Licence::Name("MINE OR MIT".to_owned())
        );
    }
}
