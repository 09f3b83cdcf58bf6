use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::Advisory;
use crate::bom::Package;

/// Weaknesses that somebody accepted, with a reason and a day.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    all: Vec<Exception>,
}

#[derive(Clone, Debug)]
pub(super) struct Exception {
    pub(super) id: String,
    /// A package's name, or an address without a version for all of them.
    package: Option<String>,
    until: Option<Date>,
}

/// Why exceptions cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExceptionError {
    /// It is not the YAML that it should be.
    #[error("{0}")]
    Yaml(#[from] serde_saphyr::Error),
    /// A day is none, or there is none: an exception that never ends is a decision nobody looks at
    /// again.
    #[error("exception `{0}`: `until` is no day, e.g. `2027-06-30`")]
    Day(String),
    /// There is no reason.
    #[error("exception `{0}` has no `reason`")]
    Reason(String),
    /// It is no OpenVEX document.
    #[error("it is no OpenVEX document")]
    Vex,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    exceptions: Vec<RawException>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawException {
    /// An advisory's identifier or alias, or a rule's.
    id: String,
    #[serde(default)]
    package: Option<String>,
    until: String,
    reason: String,
}

impl Exceptions {
    /// Reads a YAML file with `exceptions`, each with `id`, `until`, `reason`, and optionally
    /// `package`.
    ///
    /// # Errors
    /// When it is malformed, or an exception has no reason or no day.
    pub fn parse(yaml: &str) -> Result<Self, ExceptionError> {
        let file: RawFile = serde_saphyr::from_str(yaml)?;
        let checked = file.exceptions.into_iter().map(|raw| {
            if raw.reason.trim().is_empty() {
                return Err(ExceptionError::Reason(raw.id));
            }
            let until = raw.until.parse();
            Ok(Exception {
                until: Some(until.map_err(|_| ExceptionError::Day(raw.id.clone()))?),
                id: raw.id,
                package: raw.package,
            })
        });
        Ok(Self {
            all: checked.collect::<Result<_, _>>()?,
        })
    }

    /// Adds what an OpenVEX 0.2 document says is `not_affected` or `fixed`.
    ///
    /// # Errors
    /// When it is none.
    pub fn add_open_vex(&mut self, json: &str) -> Result<(), ExceptionError> {
        let document: Value = serde_json::from_str(json).map_err(|_| ExceptionError::Vex)?;
        let statements = document.get("statements").and_then(Value::as_array);
        for statement in statements.ok_or(ExceptionError::Vex)? {
            let status = statement.get("status").and_then(Value::as_str);
            if !matches!(status, Some("not_affected" | "fixed")) {
                continue;
            }
            let vulnerability = statement.get("vulnerability").ok_or(ExceptionError::Vex)?;
            let id = vulnerability
                .get("name")
                .or(Some(vulnerability))
                .and_then(Value::as_str)
                .ok_or(ExceptionError::Vex)?;
            let products = statement.get("products").and_then(Value::as_array);
            let products = products.into_iter().flatten().filter_map(|product| {
                let id = product
                    .get("@id")
                    .or(Some(product))
                    .and_then(Value::as_str)?;
                Some(id.to_owned())
            });
            // Without a product it is about none that is known here.
            self.all.extend(products.map(|product| Exception {
                id: id.to_owned(),
                package: Some(product),
                until: None,
            }));
        }
        Ok(())
    }

    /// The exception for an advisory about a package, whether it has run out or not.
    pub(super) fn of(&self, advisory: &Advisory, package: &Package) -> Option<&Exception> {
        let named = |exception: &&Exception| advisory.names().any(|name| name == exception.id);
        let mut all = self.all.iter().filter(named);
        all.find(|exception| exception.is_about(package))
    }

    /// The exception for a rule about a package.
    pub(super) fn of_rule(&self, rule: &str, package: &Package) -> Option<&Exception> {
        let mut all = self.all.iter().filter(|exception| exception.id == rule);
        all.find(|exception| exception.is_about(package))
    }
}

impl Exception {
    pub(super) fn has_run_out(&self, today: Date) -> bool {
        self.until.is_some_and(|until| today > until)
    }

    fn is_about(&self, package: &Package) -> bool {
        let Some(own) = &self.package else {
            return true;
        };
        let purl = package.purl();
        let without_version = purl.split('@').next().unwrap_or_default();
        *own == package.name
            || *own == purl
            || (package.ecosystem.folded(own) == package.name && !own.starts_with("pkg:"))
            || (!without_version.is_empty() && *own == without_version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bom::Ecosystem;

    #[test]
    fn exceptions_need_a_day_and_a_reason() {
        let read = |text: &str| Exceptions::parse(&format!("exceptions: [{{ id: A, {text} }}]"));
        assert!(read("until: '2027-01-01', reason: not reached").is_ok());
        for bad in [
            "until: '2027-01-01'",
            "until: '2027-01-01', reason: ' '",
            "until: soon, reason: x",
            "reason: x",
            "until: '2027-01-01', reason: x, typo: 1",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn vex_is_about_its_products_only() {
        let mut exceptions = Exceptions::default();
        let vex = r#"{"statements":[
            {"vulnerability":{"name":"CVE-1"},"products":[{"@id":"pkg:pypi/a@1"}],"status":"not_affected"},
            {"vulnerability":{"name":"CVE-1"},"products":[{"@id":"pkg:pypi/b@1"}],"status":"affected"}]}"#;
        exceptions.add_open_vex(vex).unwrap();
        let advisory =
            Advisory::from_json(r#"{"id":"X","aliases":["CVE-1"],"modified":"2026"}"#).unwrap();
        let is_accepted = |name: &str, version: &str| {
            let package = Package::new(Ecosystem::PyPi, name, Some(version));
            exceptions.of(&advisory, &package).is_some()
        };
        assert!(is_accepted("a", "1"));
        assert!(!is_accepted("a", "2") && !is_accepted("b", "1"));
        assert!(exceptions.add_open_vex("{}").is_err());
    }
}
