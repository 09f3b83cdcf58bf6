//! Advisories of RustSec: TOML in front of Markdown, with requirements for versions that are *not*
//! affected, turned into OSV's events.

use semver::{Comparator, Op, Prerelease, Version, VersionReq};
use serde::Deserialize;

use super::{
    advisory::{Advisory, AdvisoryError, Affected},
    range::Event,
};
use crate::bom::Ecosystem;

#[derive(Deserialize)]
struct Raw {
    advisory: RawAdvisory,
    #[serde(default)]
    versions: RawVersions,
}

#[derive(Deserialize)]
struct RawAdvisory {
    id: String,
    package: String,
    date: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    cvss: Option<String>,
    #[serde(default)]
    informational: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawVersions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// Reads one advisory.
pub(super) fn read(text: &str) -> Result<Advisory, AdvisoryError> {
    let wrong = AdvisoryError::Malformed("an advisory of RustSec");
    let front = text
        .strip_prefix("```toml")
        .and_then(|rest| rest.split_once("\n```"))
        .ok_or(wrong.clone())?;
    let raw: Raw = toml::from_str(front.0).map_err(|_| wrong.clone())?;
    let title = front.1.lines().find_map(|line| line.strip_prefix("# "));
    let sound = raw.versions.patched.iter().chain(&raw.versions.unaffected);
    let mut intervals = Vec::new();
    for requirement in sound {
        let requirement = VersionReq::parse(requirement).map_err(|_| wrong.clone())?;
        intervals.extend(interval(&requirement));
    }
    Ok(Advisory {
        id: raw.advisory.id,
        aliases: raw.advisory.aliases,
        modified: raw.advisory.date,
        withdrawn: raw.advisory.withdrawn,
        summary: title.unwrap_or_default().trim().to_owned(),
        cvss: raw.advisory.cvss.into_iter().collect(),
        stated: None,
        informational: raw.advisory.informational,
        affected: vec![Affected {
            ecosystem: Ecosystem::CratesIo.as_str().to_owned(),
            name: raw.advisory.package,
            versions: Vec::new(),
            ranges: vec![complement(intervals)],
        }],
    })
}

/// From the first version to the one before the second; without a second, to the end.
type Interval = (Version, Option<Version>);

/// What a requirement allows, as one stretch of the line; `None` if it allows nothing.
fn interval(requirement: &VersionReq) -> Option<Interval> {
    let mut low = Version::new(0, 0, 0);
    low.pre = Prerelease::new("0").ok()?;
    let mut high: Option<Version> = None;
    for comparator in &requirement.comparators {
        let (from, to) = stretch(comparator);
        if let Some(from) = from {
            low = low.max(from);
        }
        if let Some(to) = to {
            high = Some(high.map_or(to.clone(), |high| high.min(to)));
        }
    }
    high.as_ref()
        .is_none_or(|high| low < *high)
        .then_some((low, high))
}

/// One comparator as a half-open stretch (documentation of `semver::Op`).
fn stretch(comparator: &Comparator) -> (Option<Version>, Option<Version>) {
    let Comparator {
        major,
        minor,
        patch,
        ..
    } = *comparator;
    let own = || {
        let mut version = Version::new(major, minor.unwrap_or(0), patch.unwrap_or(0));
        version.pre = comparator.pre.clone();
        version
    };
    // The first version of all behind a partial one: `1.2` ends before `1.3.0-0`.
    let behind = || match (minor, patch) {
        (None, _) => floor(major.saturating_add(1), 0, 0),
        (Some(minor), None) => floor(major, minor.saturating_add(1), 0),
        (Some(minor), Some(patch)) if comparator.pre.is_empty() => {
            floor(major, minor, patch.saturating_add(1))
        }
        _ => {
            let mut next = own();
            next.pre = Prerelease::new(&format!("{}.0", comparator.pre)).unwrap_or_default();
            next
        }
    };
    let next_breaking = || match (major, minor, patch) {
        (0, None, _) => floor(1, 0, 0),
        (0, Some(0), None) => floor(0, 1, 0),
        (0, Some(0), Some(patch)) => floor(0, 0, patch.saturating_add(1)),
        (0, Some(minor), _) => floor(0, minor.saturating_add(1), 0),
        _ => floor(major.saturating_add(1), 0, 0),
    };
    match comparator.op {
        Op::Greater => (Some(behind()), None),
        Op::GreaterEq => (Some(own()), None),
        Op::Less => (None, Some(own())),
        Op::LessEq => (None, Some(behind())),
        Op::Tilde => {
            let end = match minor {
                Some(minor) => floor(major, minor.saturating_add(1), 0),
                None => floor(major.saturating_add(1), 0, 0),
            };
            (Some(own()), Some(end))
        }
        Op::Caret => (Some(own()), Some(next_breaking())),
        // `=1.2.3` and `1.2.*`.
        _ => (Some(own()), Some(behind())),
    }
}

fn floor(major: u64, minor: u64, patch: u64) -> Version {
    let mut version = Version::new(major, minor, patch);
    version.pre = Prerelease::new("0").unwrap_or_default();
    version
}

/// What stands between the stretches, as events.
fn complement(mut intervals: Vec<Interval>) -> Vec<Event> {
    intervals.sort();
    let mut events = vec![Event::Introduced("0".to_owned())];
    let mut sound_until: Option<Version> = None;
    for (low, high) in intervals {
        // Stretches that touch are one.
        if sound_until.as_ref().is_some_and(|until| low <= *until) {
            let Some(high) = high else {
                events.pop();
                return events;
            };
            if sound_until.as_ref().is_some_and(|until| high > *until) {
                events.pop();
                events.push(Event::Introduced(high.to_string()));
                sound_until = Some(high);
            }
            continue;
        }
        events.push(Event::Fixed(low.to_string()));
        match high {
            None => return events,
            Some(high) => {
                events.push(Event::Introduced(high.to_string()));
                sound_until = Some(high);
            }
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vuln::range::affects;

    /// The truth is what `semver` itself says of the requirements.
    #[test]
    fn events_say_what_requirements_say() {
        let versions = [
            "0.0.1", "0.1.0", "0.3.9", "0.4.0", "0.4.1", "0.4.2", "0.5.0", "1.0.0", "1.2.2",
            "1.2.3", "1.2.4", "1.3.0", "1.9.9", "2.0.0", "2.0.5", "3.1.0",
        ];
        for requirements in [
            vec![">= 0.4.2"],
            vec![">= 1.2.3, < 2.0.0", ">= 2.0.5"],
            vec!["^1.2.3", "< 0.4.0"],
            vec!["~0.4.1", "> 1.9.9"],
            vec!["<= 0.4.1", "= 1.2.3", "1.3"],
            vec!["0.5", ">= 1.0.0"],
            vec![],
        ] {
            let parsed: Vec<VersionReq> = requirements
                .iter()
                .map(|text| VersionReq::parse(text).unwrap())
                .collect();
            let events = complement(parsed.iter().filter_map(interval).collect());
            for version in versions {
                let parsed_version = Version::parse(version).unwrap();
                let expected = !parsed.iter().any(|req| req.matches(&parsed_version));
                let said = affects(Ecosystem::CratesIo, &events, version);
                assert_eq!(
                    said,
                    Some(expected),
                    "{requirements:?} {version} {events:?}"
                );
            }
        }
    }
}
