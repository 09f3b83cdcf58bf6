use bartizan_core::Severity;
use serde_json::Value;

use super::advisory::{by_score, score};
use crate::bom::{Ecosystem, Package};

/// A scanner whose reports are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `trivy --format json`.
    Trivy,
    /// `grype --output json`.
    Grype,
    /// `snyk test --json`.
    Snyk,
    /// `safety check --json` and `safety scan --output json`.
    Safety,
    /// `pip-audit --format json`.
    PipAudit,
}

impl Tool {
    /// The name in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trivy => "trivy",
            Self::Grype => "grype",
            Self::Snyk => "snyk",
            Self::Safety => "safety",
            Self::PipAudit => "pip-audit",
        }
    }
}

/// A weakness that another scanner found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Which scanner.
    pub tool: Tool,
    /// What it is called, first the scanner's own name.
    pub ids: Vec<String>,
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How bad it is, where that is stated.
    pub severity: Option<Severity>,
    /// Where it is mended.
    pub fixed: Option<String>,
}

/// Why a report cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is no JSON.
    #[error("it is no JSON")]
    Json,
    /// It is of no scanner that is known.
    #[error("it is no report of trivy, grype, snyk, safety, or pip-audit")]
    Unknown,
    /// The scanner says that it failed, so that its silence means nothing.
    #[error("the scanner reports that it failed")]
    Failed,
}

impl Imported {
    pub(super) fn package(&self) -> Package {
        Package::new(Ecosystem::PyPi, &self.name, Some(&self.version))
    }

    pub(super) fn message(&self) -> String {
        let id = self.ids.first().map_or("a weakness", String::as_str);
        let mut message = format!(
            "{id} in `{}` {}, found by {}",
            self.name,
            self.version,
            self.tool.as_str()
        );
        if self.severity.is_none() {
            message.push_str(", severity not stated");
        }
        if let Some(fixed) = &self.fixed {
            message.push_str(&format!(", fixed in {fixed}"));
        }
        message
    }
}

/// Reads a scanner's report, whichever it is.
///
/// # Errors
/// When it is no report that is known, or says that the scanner failed.
pub fn import(text: &str) -> Result<(Tool, Vec<Imported>), ImportError> {
    let report: Value = serde_json::from_str(text).map_err(|_| ImportError::Json)?;
    let has = |pointer: &str| report.pointer(pointer).is_some();
    if report.get("ok").and_then(Value::as_bool) == Some(false) && has("/error") {
        return Err(ImportError::Failed);
    }
    let (tool, found) = if has("/SchemaVersion") && (has("/Results") || has("/ArtifactName")) {
        (Tool::Trivy, trivy(&report))
    } else if has("/matches") {
        (Tool::Grype, grype(&report))
    } else if has("/dependencies") && !has("/packageManager") {
        (Tool::PipAudit, pip_audit(&report))
    } else if has("/report_meta") || has("/meta/scan_type") {
        (Tool::Safety, safety(&report))
    } else if has("/vulnerabilities") && (has("/packageManager") || has("/ok"))
        || is_snyk_list(&report)
    {
        (Tool::Snyk, snyk(&report))
    } else {
        return Err(ImportError::Unknown);
    };
    Ok((tool, found))
}

fn is_snyk_list(report: &Value) -> bool {
    let list = report.as_array();
    list.is_some_and(|list| {
        !list.is_empty() && list.iter().all(|one| one.get("packageManager").is_some())
    })
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    let found = value.pointer(pointer)?.as_str()?;
    (!found.is_empty()).then(|| found.to_owned())
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn strings(value: &Value, pointer: &str) -> Vec<String> {
    list(value, pointer)
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn word(text: Option<String>) -> Option<Severity> {
    match text?.to_ascii_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "high" => Some(Severity::High),
        "medium" | "moderate" => Some(Severity::Medium),
        "low" | "negligible" => Some(Severity::Low),
        _ => None,
    }
}

fn trivy(report: &Value) -> Vec<Imported> {
    let results = list(report, "/Results");
    results
        .flat_map(|result| list(result, "/Vulnerabilities"))
        .filter_map(|one| {
            // A vector says more than a word; vendors give several.
            let vectors = one.get("CVSS").and_then(Value::as_object);
            let vectors = vectors.into_iter().flat_map(|all| all.values());
            let scores =
                vectors.filter_map(|by| text(by, "/V3Vector").and_then(|vector| score(&vector)));
            let computed = scores.max_by(f64::total_cmp).map(by_score);
            Some(Imported {
                tool: Tool::Trivy,
                ids: vec![text(one, "/VulnerabilityID")?],
                name: text(one, "/PkgName")?,
                version: text(one, "/InstalledVersion").unwrap_or_default(),
                severity: word(text(one, "/Severity")).or(computed),
                fixed: text(one, "/FixedVersion"),
            })
        })
        .collect()
}

fn grype(report: &Value) -> Vec<Imported> {
    list(report, "/matches")
        .filter_map(|one| {
            let related = list(one, "/relatedVulnerabilities");
            let mut ids = vec![text(one, "/vulnerability/id")?];
            ids.extend(related.filter_map(|other| text(other, "/id")));
            ids.dedup();
            Some(Imported {
                tool: Tool::Grype,
                ids,
                name: text(one, "/artifact/name")?,
                version: text(one, "/artifact/version").unwrap_or_default(),
                severity: word(text(one, "/vulnerability/severity")),
                fixed: strings(one, "/vulnerability/fix/versions")
                    .into_iter()
                    .next(),
            })
        })
        .collect()
}

fn snyk(report: &Value) -> Vec<Imported> {
    let one = [report.clone()];
    let projects = report.as_array().map_or(one.as_slice(), Vec::as_slice);
    let mut found: Vec<Imported> = projects
        .iter()
        .flat_map(|project| list(project, "/vulnerabilities"))
        .filter_map(|one| {
            let mut ids = vec![text(one, "/id")?];
            ids.extend(strings(one, "/identifiers/CVE"));
            Some(Imported {
                tool: Tool::Snyk,
                ids,
                name: text(one, "/packageName").or_else(|| text(one, "/name"))?,
                version: text(one, "/version").unwrap_or_default(),
                severity: word(text(one, "/severity")),
                fixed: strings(one, "/fixedIn").into_iter().next(),
            })
        })
        .collect();
    // One entry for each way that leads to the package.
    found.dedup_by(|a, b| (&a.ids, &a.name, &a.version) == (&b.ids, &b.name, &b.version));
    found
}

fn safety(report: &Value) -> Vec<Imported> {
    let mut found: Vec<Imported> = list(report, "/vulnerabilities")
        .filter_map(|one| {
            let mut ids = vec![text(one, "/vulnerability_id")?];
            ids.extend(text(one, "/CVE"));
            Some(Imported {
                tool: Tool::Safety,
                ids,
                name: text(one, "/package_name")?,
                version: text(one, "/analyzed_version").unwrap_or_default(),
                severity: word(text(one, "/severity/cvssv3/base_severity")),
                fixed: strings(one, "/fixed_versions").into_iter().next(),
            })
        })
        .collect();
    // Version 3 nests projects, files, and specifications.
    let files = list(report, "/scan_results/projects").flat_map(|project| list(project, "/files"));
    for dependency in files.flat_map(|file| list(file, "/results/dependencies")) {
        let Some(name) = text(dependency, "/name") else {
            continue;
        };
        for specification in list(dependency, "/specifications") {
            let version = text(specification, "/raw").unwrap_or_default();
            let version = version.split("==").nth(1).unwrap_or_default().to_owned();
            for one in list(specification, "/vulnerabilities/known_vulnerabilities") {
                found.extend(text(one, "/id").map(|id| Imported {
                    tool: Tool::Safety,
                    ids: vec![id],
                    name: name.clone(),
                    version: version.clone(),
                    severity: word(text(one, "/severity")),
                    fixed: None,
                }));
            }
        }
    }
    found
}

fn pip_audit(report: &Value) -> Vec<Imported> {
    let mut found = Vec::new();
    for dependency in list(report, "/dependencies") {
        for one in list(dependency, "/vulns") {
            let (Some(id), Some(name)) = (text(one, "/id"), text(dependency, "/name")) else {
                continue;
            };
            let mut ids = vec![id];
            ids.extend(strings(one, "/aliases"));
            found.push(Imported {
                tool: Tool::PipAudit,
                ids,
                name,
                version: text(dependency, "/version").unwrap_or_default(),
                severity: None,
                fixed: strings(one, "/fix_versions").into_iter().next(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let (_, found) = import(text).unwrap();
        let line = |one: &Imported| format!("{} [{:?}]", one.message(), one.severity);
        found.iter().map(line).collect()
    }

    /// The forms that the tools' documentation shows.
    #[test]
    fn every_report_is_read() {
        assert_eq!(
            said(
                r#"{"SchemaVersion":2,"ArtifactName":"x","Results":[{"Target":"r","Vulnerabilities":[{"VulnerabilityID":"CVE-1","PkgName":"a","InstalledVersion":"1","FixedVersion":"2","Severity":"UNKNOWN","CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}}]},{"Target":"clean"}]}"#
            ),
            ["CVE-1 in `a` 1, found by trivy, fixed in 2 [Some(Critical)]"]
        );
        assert_eq!(
            said(
                r#"{"matches":[{"vulnerability":{"id":"GHSA-1","severity":"High","fix":{"versions":["2"]}},"relatedVulnerabilities":[{"id":"CVE-1"}],"artifact":{"name":"a","version":"1"}}]}"#
            ),
            ["GHSA-1 in `a` 1, found by grype, fixed in 2 [Some(High)]"]
        );
        assert_eq!(
            said(
                r#"{"ok":false,"packageManager":"pip","vulnerabilities":[{"id":"SNYK-1","packageName":"a","version":"1","severity":"medium","identifiers":{"CVE":["CVE-1"]},"fixedIn":["2"]}]}"#
            ),
            ["SNYK-1 in `a` 1, found by snyk, fixed in 2 [Some(Medium)]"]
        );
        assert_eq!(
            said(
                r#"{"report_meta":{},"vulnerabilities":[{"vulnerability_id":"39611","package_name":"a","analyzed_version":"1","CVE":"CVE-1","severity":null,"fixed_versions":[]}]}"#
            ),
            ["39611 in `a` 1, found by safety, severity not stated [None]"]
        );
        assert_eq!(
            said(
                r#"{"dependencies":[{"name":"a","version":"1","vulns":[{"id":"PYSEC-1","fix_versions":["2"],"aliases":["CVE-1"]}]},{"name":"b","version":"1","vulns":[]}],"fixes":[]}"#
            ),
            ["PYSEC-1 in `a` 1, found by pip-audit, severity not stated, fixed in 2 [None]"]
        );
    }

    /// The bad case: a report was read only when the scanner ended with 0, that is, without findings.
    #[test]
    fn ws_66_findings_count_and_failures_are_no_silence() {
        assert_eq!(import("{}"), Err(ImportError::Unknown));
        assert_eq!(import("[]"), Err(ImportError::Unknown));
        assert_eq!(import("Traceback"), Err(ImportError::Json));
        let failed = r#"{"ok":false,"error":"no lock file","path":"x"}"#;
        assert_eq!(import(failed), Err(ImportError::Failed));
    }
}
