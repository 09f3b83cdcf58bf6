use std::{collections::HashMap, path::Path};

use bartizan_policy::Date;
use serde::Deserialize;

use crate::{
    input::{escaped, read_text},
    problem::{Problem, Problems},
};

/// Findings that somebody accepted, each with a reason and a last day.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    until: Date,
    is_used: bool,
}

/// What a baseline says about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    New,
    /// It is accepted today.
    Accepted,
    /// It was accepted up to that day.
    RunOut(Date),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    accepted: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    fingerprint: String,
    until: String,
    reason: String,
    /// For the reader.
    #[serde(default, rename = "rule")]
    _rule: Option<String>,
    /// For the reader.
    #[serde(default, rename = "path")]
    _path: Option<String>,
}

impl Baseline {
    /// Reads a YAML file with `accepted`, each with `fingerprint`, `until`, and `reason`.
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let text = read_text(path)?;
        Self::parse(&text).map_err(|why| Problem::new(format!("{}: {why}", escaped(path))).into())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: RawFile = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let mut entries = HashMap::new();
        for raw in file.accepted {
            let name = raw.fingerprint;
            let is_digits = name.bytes().all(|byte| byte.is_ascii_hexdigit());
            if name.len() != 32 || !is_digits {
                return Err(format!("`{name}` is no fingerprint: 32 hexadecimal digits"));
            }
            if raw.reason.trim().is_empty() {
                return Err(format!("`{name}` has no `reason`"));
            }
            let until = raw.until.parse();
            let until =
                until.map_err(|_| format!("`{name}`: `until` is no day, e.g. `2027-06-30`"))?;
            let entry = Entry {
                until,
                is_used: false,
            };
            if entries.insert(name.to_ascii_lowercase(), entry).is_some() {
                return Err(format!("`{name}` stands twice"));
            }
        }
        Ok(Self { entries })
    }

    /// What it says about a finding today, and remembers that it was asked.
    pub(crate) fn standing(&mut self, fingerprint: &str, today: Date) -> Standing {
        let Some(entry) = self.entries.get_mut(fingerprint) else {
            return Standing::New;
        };
        entry.is_used = true;
        if today > entry.until {
            Standing::RunOut(entry.until)
        } else {
            Standing::Accepted
        }
    }

    /// How many entries accept nothing any more.
    pub(crate) fn unused(&self) -> usize {
        let entries = self.entries.values();
        entries.filter(|entry| !entry.is_used).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_needs_a_name_a_day_and_a_reason() {
        let name = "0123456789abcdef0123456789abcdef";
        let read = |text: &str| Baseline::parse(&format!("accepted: [{{ {text} }}]"));
        let whole = format!("fingerprint: '{name}', until: '2027-01-01', reason: ours");
        let mut baseline = read(&whole).unwrap();
        assert_eq!(baseline.unused(), 1);
        let day = |text: &str| text.parse().unwrap();
        assert_eq!(baseline.standing("other", day("2026-01-01")), Standing::New);
        assert_eq!(
            baseline.standing(name, day("2027-01-01")),
            Standing::Accepted
        );
        assert_eq!(
            baseline.standing(name, day("2027-01-02")),
            Standing::RunOut(day("2027-01-01"))
        );
        assert_eq!(baseline.unused(), 0);
        for (from, to) in [
            ("2027-01-01", "soon"),
            ("ours", "' '"),
            (", reason: ours", ""),
            ("'0123", "'123"),
            ("reason: ours", "reason: ours, typo: 1"),
        ] {
            assert!(read(&whole.replace(from, to)).is_err(), "{from} {to}");
        }
        assert!(Baseline::parse(&format!("accepted: [{{ {whole} }}, {{ {whole} }}]")).is_err());
    }
}
