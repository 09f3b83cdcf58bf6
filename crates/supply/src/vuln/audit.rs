use bartizan_core::{CheckError, Coverage, Finding, Layer, Report, Severity};
use jiff::civil::Date;

use super::{
    Advisory, Database, Exceptions, Hygiene, Imported,
    advisory::Affected,
    exception::Exception,
    range::{affects, fix},
    rules::{EXPIRED, NOTICE, finding, of_severity, severity_of},
};
use crate::bom::{Ecosystem, Inventory, LockFile, Package};

/// How packages are looked at.
#[derive(Debug)]
pub struct AuditOptions<'a> {
    /// What is known.
    pub database: &'a Database,
    /// What was accepted.
    pub exceptions: &'a Exceptions,
    /// How packages are asked for.
    pub hygiene: Hygiene,
    /// Today, for exceptions that run out.
    pub today: Date,
    /// Days after which the database is too old for "nothing found" to mean anything.
    pub max_age_days: Option<u32>,
}

/// What was found in each file that names packages.
#[derive(Debug)]
pub struct Audit {
    /// One for each file, in their order.
    pub files: Vec<Audited>,
    /// Weaknesses that an exception in force covers.
    pub accepted: usize,
    /// Packages that were looked up.
    pub packages: usize,
}

/// What was found in one file.
#[derive(Debug)]
pub struct Audited {
    /// The file.
    pub path: String,
    /// Its text, for places.
    pub text: String,
    /// Findings, and whether everything was looked at.
    pub report: Report,
}

/// The check's name in reports.
const CHECK: &str = "dependencies";

/// Looks every package of an inventory up.
#[must_use]
pub fn audit(inventory: &Inventory, options: &AuditOptions<'_>) -> Audit {
    let mut audit = Audit {
        files: Vec::new(),
        accepted: 0,
        packages: 0,
    };
    let stale = stale(options);
    let exact = inventory.exact();
    for lock in &inventory.locks {
        let mut report = Report::default();
        let mut unknown = None;
        for package in &lock.packages {
            let looked_up = match &package.version {
                Some(version) => audit.look_up(package, version, options, &mut report.findings),
                // A range has no weakness of its own; what it comes to is looked up where that stands.
                None if exact.contains(&(package.ecosystem, package.name.as_str())) => Ok(()),
                None => {
                    let message = format!("no file names an exact version of `{}`", package.name);
                    Err(CheckError::Unavailable(message.into()))
                }
            };
            if let Err(error) = looked_up {
                unknown.get_or_insert(error);
            }
        }
        for (package, found) in options.hygiene.findings(lock) {
            let exception = options.exceptions.of_rule(&found.rule.id, package);
            if !audit.accepts(exception, package, options.today, &mut report.findings) {
                report.findings.push(found);
            }
        }
        let uncovered = uncovered(lock, options.database);
        let outcome = match unknown.or(uncovered).or_else(|| stale.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        };
        report.coverage.push(coverage(outcome));
        audit.files.push(Audited {
            path: lock.path.clone(),
            text: lock.text.clone(),
            report,
        });
    }
    for gap in &inventory.gaps {
        let outcome = Err(CheckError::Malformed(gap.why.clone().into()));
        audit.files.push(Audited {
            path: gap.path.clone(),
            text: String::new(),
            report: Report {
                findings: Vec::new(),
                coverage: vec![coverage(outcome)],
            },
        });
    }
    audit
}

impl Audit {
    /// Adds what another scanner found, each report as a file of its own. What it did not look at is
    /// not known, so it vouches for nothing.
    pub fn add_imported(
        &mut self,
        path: &str,
        found: &[Imported],
        exceptions: &Exceptions,
        today: Date,
    ) {
        let mut findings = Vec::new();
        for one in found {
            let package = one.package();
            let own = |name: &String| exceptions.of_rule(name, &package);
            // One in force counts more than one under another name that is not any more.
            let exception = one
                .ids
                .iter()
                .filter_map(own)
                .min_by_key(|exception| exception.has_run_out(today));
            if self.accepts(exception, &package, today, &mut findings) {
                continue;
            }
            let rule = of_severity(severity_of(one.severity));
            findings.push(finding(rule, (0, 0), one.message()));
        }
        self.files.push(Audited {
            path: path.to_owned(),
            text: String::new(),
            report: Report {
                findings,
                coverage: vec![coverage(Ok(()))],
            },
        });
    }

    fn look_up(
        &mut self,
        package: &Package,
        version: &str,
        options: &AuditOptions<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), CheckError> {
        // Distributions name weaknesses by the source package.
        let (name, version) = match &package.source {
            Some((name, version)) => (name.as_str(), version.as_str()),
            None => (package.name.as_str(), version),
        };
        let mut outcome = Ok(());
        for advisory in options.database.about(package.ecosystem, name) {
            match advisory.affects(package, version) {
                Some(false) => {}
                Some(true) => self.weak(package, version, advisory, options, findings),
                None => {
                    let message = format!("`{}` has no version that can be compared", package.name);
                    outcome = Err(CheckError::Malformed(message.into()));
                }
            }
        }
        outcome
    }

    fn weak(
        &mut self,
        package: &Package,
        version: &str,
        advisory: &Advisory,
        options: &AuditOptions<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let id = &advisory.id;
        let name = &package.name;
        let exception = options.exceptions.of(advisory, package);
        if self.accepts(exception, package, options.today, findings) {
            return;
        }
        let severity = advisory.severity();
        let rule = match &advisory.informational {
            Some(_) => &NOTICE,
            None => of_severity(severity_of(severity.map(|(severity, _)| severity))),
        };
        let mut message = format!("{id} in `{name}` {version}");
        match (&advisory.informational, severity) {
            (Some(kind), _) => message.push_str(&format!(", {kind}")),
            (None, Some((_, Some(score)))) => message.push_str(&format!(", CVSS {score:.1}")),
            (None, Some((_, None))) => {}
            (None, None) => message.push_str(", severity not stated"),
        }
        if let Some(fixed) = advisory.fix(package, version) {
            message.push_str(&format!(", fixed in {fixed}"));
        }
        let cves: Vec<&str> = advisory
            .names()
            .filter(|name| name.starts_with("CVE-"))
            .collect();
        if !cves.is_empty() && !id.starts_with("CVE-") {
            message.push_str(&format!(" ({})", cves.join(", ")));
        }
        findings.push(finding(rule, package.place, message));
    }

    /// Whether an exception is in force; one that has run out is a finding of its own.
    fn accepts(
        &mut self,
        exception: Option<&Exception>,
        package: &Package,
        today: Date,
        findings: &mut Vec<Finding>,
    ) -> bool {
        match exception {
            Some(exception) if exception.has_run_out(today) => {
                let message = format!("`{}` for `{}`", exception.id, package.name);
                findings.push(finding(&EXPIRED, package.place, message));
                false
            }
            Some(_) => {
                self.accepted += 1;
                true
            }
            None => false,
        }
    }
}

impl Advisory {
    /// Whether that version is weak; `None` when it cannot be compared and is not listed.
    fn affects(&self, package: &Package, version: &str) -> Option<bool> {
        let own = self
            .affected
            .iter()
            .filter(|affected| affected.is_about(package));
        let mut is_unknown = false;
        for affected in own {
            let listed = affected.versions.iter().any(|listed| {
                listed == version
                    || super::compare_versions(package.ecosystem, listed, version)
                        == Some(std::cmp::Ordering::Equal)
            });
            if listed {
                return Some(true);
            }
            for events in &affected.ranges {
                match affects(package.ecosystem, events, version) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => is_unknown = true,
                }
            }
        }
        (!is_unknown).then_some(false)
    }

    fn fix(&self, package: &Package, version: &str) -> Option<&str> {
        self.affected
            .iter()
            .filter(|affected| affected.is_about(package))
            .flat_map(|affected| &affected.ranges)
            .filter(|events| affects(package.ecosystem, events, version) == Some(true))
            .find_map(|events| fix(package.ecosystem, events, version))
    }
}

impl Affected {
    /// Whether it is about a package, in the release that the package is of.
    fn is_about(&self, package: &Package) -> bool {
        let name = package
            .source
            .as_ref()
            .map_or(&package.name, |(name, _)| name);
        let (ecosystem, release) = match self.ecosystem.split_once(':') {
            Some((ecosystem, release)) => (ecosystem, Some(release)),
            None => (self.ecosystem.as_str(), None),
        };
        // `Ubuntu:22.04:LTS`
        let is_release = match (release, &package.release) {
            (Some(named), Some(own)) => named
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':')),
            _ => true,
        };
        self.name == *name
            && is_release
            && Ecosystem::from_name(ecosystem) == Some(package.ecosystem)
    }
}

fn coverage(outcome: Result<(), CheckError>) -> Coverage {
    Coverage {
        check: CHECK,
        layer: Layer::Artifact,
        outcome,
    }
}

/// A file with packages of which the database knows nothing at all was not looked up.
fn uncovered(lock: &LockFile, database: &Database) -> Option<CheckError> {
    let first = lock
        .packages
        .iter()
        .find(|package| !database.covers(package.ecosystem))?;
    let message = format!("the database has no advisories about {}", first.ecosystem);
    Some(CheckError::Unavailable(message.into()))
}

fn stale(options: &AuditOptions<'_>) -> Option<CheckError> {
    let max = options.max_age_days?;
    let why = match options.database.age_days(options.today) {
        Some(age @ 0..) if age <= i64::from(max) => return None,
        Some(age @ 0..) => format!("the database is {age} days old"),
        _ => "the database does not say how old it is".to_owned(),
    };
    Some(CheckError::Unavailable(why.into()))
}

impl Database {
    /// Days since it was made, fewer than none if that is in the future; `None` if its day is none.
    #[must_use]
    pub fn age_days(&self, today: Date) -> Option<i64> {
        let imported: Date = self.header().imported.parse().ok()?;
        today
            .since(imported)
            .ok()
            .map(|span| i64::from(span.get_days()))
    }
}

impl Audited {
    /// The worst severity among its findings; `None` without any.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.report
            .findings
            .iter()
            .map(|finding| finding.rule.severity)
            .max()
    }
}
