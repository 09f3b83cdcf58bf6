//! Which packages have known weaknesses, and which are named in a way that invites others: advisories
//! in OSV's form from a local database, versions in the order of their ecosystem, severities computed
//! from CVSS, exceptions that expire, and what other scanners found.

mod advisory;
mod alpine;
mod audit;
mod database;
mod debian;
mod exception;
mod hygiene;
mod import;
mod maven;
mod popular;
mod range;
mod rules;
mod rustsec;
mod version;

pub use advisory::{Advisory, AdvisoryError};
pub use audit::{Audit, AuditOptions, Audited, audit};
pub use database::{Database, DatabaseError, DatabaseHeader, SourceRecord};
pub use exception::{ExceptionError, Exceptions};
pub use hygiene::Hygiene;
pub use import::{ImportError, Imported, Tool, import};
pub use rules::{rules, severity_of};
pub use version::{Order, compare_versions};
