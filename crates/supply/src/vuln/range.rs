use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::version::{compare_versions, parses};
use crate::bom::Ecosystem;

/// One step on the line of versions (OSV schema 1.7, "events").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    /// From here on it is weak.
    Introduced(String),
    /// From here on it is not.
    Fixed(String),
    /// Behind here it is not.
    LastAffected(String),
    /// Nothing is known from here on.
    Limit(String),
}

impl Event {
    const fn is_start(&self) -> bool {
        matches!(self, Self::Introduced(_))
    }

    fn version(&self) -> &str {
        match self {
            Self::Introduced(version)
            | Self::Fixed(version)
            | Self::LastAffected(version)
            | Self::Limit(version) => version,
        }
    }
}

/// Whether `version` is weak by these events (OSV schema 1.7, "Evaluation"); `None` when a version
/// cannot be compared.
pub(super) fn affects(ecosystem: Ecosystem, events: &[Event], version: &str) -> Option<bool> {
    if !parses(ecosystem, version) {
        return None;
    }
    let order = |other: &str| compare_versions(ecosystem, version, other);
    let mut limits = events.iter().filter_map(|event| match event {
        Event::Limit(limit) if limit != "*" => Some(limit),
        _ => None,
    });
    if let Some(first) = limits.next() {
        let mut is_before = order(first)? == Ordering::Less;
        for limit in limits {
            is_before |= order(limit)? == Ordering::Less;
        }
        if !is_before {
            return Some(false);
        }
    }
    for event in events {
        if !matches!(event, Event::Limit(_)) {
            order(event.version())?;
        }
    }
    let mut sorted: Vec<&Event> = events.iter().collect();
    // Where one range ends and the next begins at the same version, the next one counts.
    sorted.sort_by(|a, b| {
        compare_versions(ecosystem, a.version(), b.version())
            .unwrap_or(Ordering::Equal)
            .then_with(|| a.is_start().cmp(&b.is_start()))
    });
    let mut is_weak = false;
    for event in sorted {
        match (event, order(event.version())) {
            (Event::Introduced(_), Some(Ordering::Greater | Ordering::Equal)) => is_weak = true,
            (Event::Fixed(_), Some(Ordering::Greater | Ordering::Equal))
            | (Event::LastAffected(_), Some(Ordering::Greater)) => is_weak = false,
            _ => {}
        }
    }
    Some(is_weak)
}

/// The first version behind `version` that a range says is fixed.
pub(super) fn fix<'e>(ecosystem: Ecosystem, events: &'e [Event], version: &str) -> Option<&'e str> {
    let fixes = events.iter().filter_map(|event| match event {
        Event::Fixed(fixed) => Some(fixed.as_str()),
        _ => None,
    });
    fixes
        .filter(|fixed| compare_versions(ecosystem, fixed, version) == Some(Ordering::Greater))
        .min_by(|a, b| compare_versions(ecosystem, a, b).unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<Event> {
        text.split_whitespace()
            .map(|event| {
                let (kind, version) = event.split_once(':').unwrap();
                let version = version.to_owned();
                match kind {
                    "i" => Event::Introduced(version),
                    "f" => Event::Fixed(version),
                    "l" => Event::LastAffected(version),
                    _ => Event::Limit(version),
                }
            })
            .collect()
    }

    fn check(text: &str, version: &str, expected: Option<bool>) {
        let said = affects(Ecosystem::PyPi, &events(text), version);
        assert_eq!(said, expected, "{text} {version}");
    }

    #[test]
    fn ranges_are_half_open_and_may_be_several() {
        let two = "i:0 f:2.1.4 i:2.2.0 f:2.2.3";
        for (version, expected) in [
            ("0.1", true),
            ("2.1.3", true),
            ("2.1.4rc1", true),
            ("2.1.4", false),
            ("2.1.9", false),
            ("2.2.0", true),
            ("2.2.0rc1", false),
            ("2.2.3", false),
            ("3", false),
        ] {
            check(two, version, Some(expected));
        }
        check("f:2.2.3 i:2.2.0 i:0 f:2.1.4", "2.1.9", Some(false));
        check("i:1.3 f:1.4 i:1 f:1.3", "1.3", Some(true));
        check("i:1 l:1.5", "1.5", Some(true));
        check("i:1 l:1.5", "1.5.1", Some(false));
        check("i:0", "99", Some(true));
        check("i:0 x:2", "3", Some(false));
        check("i:0 x:2", "1", Some(true));
        check("i:0 f:2", "weird", None);
        check("i:0 f:weird", "1", None);
    }

    #[test]
    fn the_nearest_fix_is_named() {
        let two = events("i:0 f:2.1.4 i:2.2.0 f:2.2.3");
        assert_eq!(fix(Ecosystem::PyPi, &two, "2.2.1"), Some("2.2.3"));
        assert_eq!(fix(Ecosystem::PyPi, &two, "1.0"), Some("2.1.4"));
        assert_eq!(fix(Ecosystem::PyPi, &two, "5"), None);
    }
}
