use bartizan_core::Severity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{range::Event, rustsec};
use crate::bom::Ecosystem;

/// A known weakness: what is kept of an OSV record (OSV schema 1.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its identifier.
    pub id: String,
    /// What others call it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// When it was last changed, RFC 3339 or a day.
    pub modified: String,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// One line about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// CVSS vectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cvss: Vec<String>,
    /// A severity in words, where the source gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stated: Option<String>,
    /// It tells something about the package rather than a weakness, e.g. `unmaintained`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub informational: Option<String>,
    pub(super) affected: Vec<Affected>,
}

/// A package with the versions that are weak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Affected {
    pub(super) ecosystem: String,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) versions: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ranges: Vec<Vec<Event>>,
}

/// Why an advisory cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvisoryError {
    /// It is not in the form that its name promises.
    #[error("it is not {0}")]
    Malformed(&'static str),
}

impl Advisory {
    /// Reads an OSV record in JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_json(text: &str) -> Result<Self, AdvisoryError> {
        let value = serde_json::from_str(text);
        Self::from_osv(&value.map_err(|_| AdvisoryError::Malformed("JSON"))?)
    }

    /// Reads an OSV record in YAML, as PyPA writes them.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_yaml(text: &str) -> Result<Self, AdvisoryError> {
        let value: Result<Value, _> = serde_saphyr::from_str(text);
        Self::from_osv(&value.map_err(|_| AdvisoryError::Malformed("YAML"))?)
    }

    /// Reads an advisory of RustSec: TOML in front of Markdown.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_rustsec(text: &str) -> Result<Self, AdvisoryError> {
        rustsec::read(text)
    }

    /// Fields that are not known are passed over, as the schema asks.
    fn from_osv(value: &Value) -> Result<Self, AdvisoryError> {
        let wrong = || AdvisoryError::Malformed("an OSV record");
        let text =
            |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let list = |value: &Value, name: &str| -> Vec<Value> {
            value
                .get(name)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let strings = |value: &Value, name: &str| -> Vec<String> {
            let items = list(value, name);
            items.iter().filter_map(version_text).collect()
        };
        let scores = |value: &Value| -> Vec<String> {
            let all = list(value, "severity");
            all.iter().filter_map(|one| text(one, "score")).collect()
        };
        let mut cvss = scores(value);
        let mut affected = Vec::new();
        for one in list(value, "affected") {
            cvss.extend(scores(&one));
            let Some(package) = one.get("package") else {
                continue;
            };
            let ecosystem = text(package, "ecosystem").ok_or_else(wrong)?;
            let name = text(package, "name").ok_or_else(wrong)?;
            let mut ranges = Vec::new();
            for range in list(&one, "ranges") {
                // Commits cannot be compared without the repository.
                if text(&range, "type").as_deref() == Some("GIT") {
                    continue;
                }
                ranges.push(
                    list(&range, "events")
                        .iter()
                        .map(event)
                        .collect::<Option<Vec<Event>>>()
                        .ok_or_else(wrong)?,
                );
            }
            let name = match Ecosystem::from_name(&ecosystem) {
                Some(ecosystem) => ecosystem.folded(&name),
                None => name,
            };
            affected.push(Affected {
                ecosystem,
                name,
                versions: strings(&one, "versions"),
                ranges,
            });
        }
        let specific = value.get("database_specific");
        let informational = value
            .pointer("/affected/0/database_specific/informational")
            .and_then(Value::as_str);
        Ok(Self {
            id: text(value, "id").ok_or_else(wrong)?,
            aliases: strings(value, "aliases"),
            modified: text(value, "modified").ok_or_else(wrong)?,
            withdrawn: text(value, "withdrawn"),
            summary: text(value, "summary").unwrap_or_default(),
            cvss,
            stated: specific.and_then(|specific| text(specific, "severity")),
            informational: informational.map(str::to_owned),
            affected,
        })
    }

    /// The identifier and every alias.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// The worst of the stated severities with its score: CVSS 4.0 and 3.x computed from the vector,
    /// or the source's own word; `None` where nothing is stated.
    #[must_use]
    pub fn severity(&self) -> Option<(Severity, Option<f64>)> {
        let computed = self.cvss.iter().filter_map(|vector| score(vector));
        let worst = computed.max_by(f64::total_cmp);
        if let Some(score) = worst {
            return Some((by_score(score), Some(score)));
        }
        let word = match self.stated.as_deref()?.to_ascii_lowercase().as_str() {
            "critical" => Severity::Critical,
            "high" => Severity::High,
            "medium" | "moderate" => Severity::Medium,
            "low" => Severity::Low,
            _ => return None,
        };
        Some((word, None))
    }
}

/// The base score of a CVSS 3.x or 4.0 vector.
pub(super) fn score(vector: &str) -> Option<f64> {
    vector.parse::<cvss::Cvss>().ok().map(|cvss| cvss.score())
}

/// The qualitative rating of a score (CVSS 3.1, section 5; CVSS 4.0, section 6).
pub(super) fn by_score(score: f64) -> Severity {
    match score {
        score if score >= 9.0 => Severity::Critical,
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        score if score > 0.0 => Severity::Low,
        _ => Severity::Info,
    }
}

/// YAML reads `1.10` without quotes as a number; its text is gone then, and JSON has it as text.
fn version_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn event(value: &Value) -> Option<Event> {
    let fields = value.as_object()?;
    let (kind, version) = fields.iter().next()?;
    let version = version_text(version)?;
    match kind.as_str() {
        "introduced" => Some(Event::Introduced(version)),
        "fixed" => Some(Event::Fixed(version)),
        "last_affected" => Some(Event::LastAffected(version)),
        "limit" => Some(Event::Limit(version)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bad case: a critical weakness was called medium because there is a fix.
    #[test]
    fn ws_69_severity_is_that_of_the_vector_whether_there_is_a_fix_or_not() {
        let record = |fixed: &str| {
            Advisory::from_json(&format!(
                r#"{{"id":"X-1","modified":"2026-01-01T00:00:00Z","severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
                "affected":[{{"package":{{"ecosystem":"PyPI","name":"A_b"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{fixed}]}}]}}]}}"#
            ))
            .unwrap()
        };
        for record in [record(""), record(r#",{"fixed":"2"}"#)] {
            assert_eq!(record.severity(), Some((Severity::Critical, Some(9.8))));
            assert_eq!(record.affected[0].name, "a-b");
        }
    }

    /// Examples of the specifications' own calculators.
    #[test]
    fn scores_are_computed() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
                10.0,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                9.3,
            ),
        ] {
            assert_eq!(score(vector), Some(expected), "{vector}");
        }
        assert_eq!(score("CVSS:9.9/X"), None);
    }
}
