use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Advisory;
use crate::{
    bom::Ecosystem,
    digest::{Algorithm, Digest},
};

/// Advisories on this machine, with their date and digest.
///
/// The file has one line of JSON about itself, and one for each advisory. The first line holds the
/// digest of the rest, so that a database that was cut or altered is none.
#[derive(Debug)]
pub struct Database {
    header: DatabaseHeader,
    advisories: Vec<Advisory>,
    by_package: HashMap<(Ecosystem, String), Vec<usize>>,
}

/// What a database says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseHeader {
    format: String,
    /// Version of the format.
    pub version: u32,
    /// The day when it was made, `YYYY-MM-DD`.
    pub imported: String,
    /// The day of the newest advisory in it.
    pub newest: String,
    /// How many advisories it holds.
    pub records: usize,
    /// Where they come from.
    pub sources: Vec<SourceRecord>,
    /// The digest of the lines behind this one.
    pub digest: String,
}

/// One source of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRecord {
    /// The name of the file or folder.
    pub name: String,
    /// Its digest, as `bartizan hash` says it.
    pub digest: String,
    /// How many advisories it gave.
    pub records: usize,
}

/// Why a database cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It is no database.
    #[error("it is no database of advisories: line {0} is not what it should be")]
    Malformed(usize),
    /// It is of a later version.
    #[error("it is of version {0}, which this program does not know")]
    Version(u32),
    /// It was cut or altered.
    #[error("its content is not what its first line says")]
    Altered,
    /// It holds nothing.
    #[error("it holds no advisory")]
    Empty,
}

const FORMAT: &str = "bartizan-advisories";

impl Database {
    /// A database of `advisories`, those that were taken back left out.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(
        mut advisories: Vec<Advisory>,
        sources: Vec<SourceRecord>,
        imported: &str,
    ) -> Result<Self, DatabaseError> {
        advisories.retain(|advisory| advisory.withdrawn.is_none());
        advisories.sort_by(|a, b| a.id.cmp(&b.id));
        advisories.dedup_by(|a, b| a.id == b.id);
        if advisories.is_empty() {
            return Err(DatabaseError::Empty);
        }
        let newest = advisories
            .iter()
            .filter_map(|advisory| advisory.modified.get(..10));
        let header = DatabaseHeader {
            format: FORMAT.to_owned(),
            version: 1,
            imported: imported.to_owned(),
            newest: newest.max().unwrap_or_default().to_owned(),
            records: advisories.len(),
            sources,
            digest: Algorithm::Sha256
                .digest(lines(&advisories).as_bytes())
                .to_string(),
        };
        Ok(Self::indexed(header, advisories))
    }

    /// Reads a database.
    ///
    /// # Errors
    /// When it is malformed, of a later version, or not what its first line says.
    pub fn parse(text: &str) -> Result<Self, DatabaseError> {
        let (first, rest) = text.split_once('\n').ok_or(DatabaseError::Malformed(1))?;
        let header: DatabaseHeader =
            serde_json::from_str(first).map_err(|_| DatabaseError::Malformed(1))?;
        if header.format != FORMAT {
            return Err(DatabaseError::Malformed(1));
        }
        if header.version != 1 {
            return Err(DatabaseError::Version(header.version));
        }
        let digest = Algorithm::Sha256.digest(rest.as_bytes());
        if Digest::parse(&header.digest) != Some(digest) {
            return Err(DatabaseError::Altered);
        }
        let mut advisories = Vec::new();
        for (number, line) in rest.lines().enumerate() {
            let advisory = serde_json::from_str(line);
            advisories.push(advisory.map_err(|_| DatabaseError::Malformed(number + 2))?);
        }
        if advisories.is_empty() {
            return Err(DatabaseError::Empty);
        }
        Ok(Self::indexed(header, advisories))
    }

    /// The file; the same advisories and day give the same bytes.
    #[must_use]
    pub fn to_text(&self) -> String {
        let header = serde_json::to_string(&self.header).unwrap_or_default();
        format!("{header}\n{}", lines(&self.advisories))
    }

    /// What it says about itself.
    #[must_use]
    pub const fn header(&self) -> &DatabaseHeader {
        &self.header
    }

    /// Whether it has anything about an ecosystem; where it has nothing, nothing was looked up.
    #[must_use]
    pub fn covers(&self, ecosystem: Ecosystem) -> bool {
        self.by_package.keys().any(|(own, _)| *own == ecosystem)
    }

    /// What is known about a package; its name as [`Ecosystem::folded`].
    pub(super) fn about(
        &self,
        ecosystem: Ecosystem,
        name: &str,
    ) -> impl Iterator<Item = &Advisory> {
        let found = self.by_package.get(&(ecosystem, name.to_owned()));
        let numbers = found.into_iter().flatten();
        numbers.filter_map(|&number| self.advisories.get(number))
    }

    fn indexed(header: DatabaseHeader, advisories: Vec<Advisory>) -> Self {
        let mut by_package: HashMap<(Ecosystem, String), Vec<usize>> = HashMap::new();
        for (number, advisory) in advisories.iter().enumerate() {
            for affected in &advisory.affected {
                if let Some(ecosystem) = Ecosystem::from_name(&affected.ecosystem) {
                    let numbers = by_package
                        .entry((ecosystem, affected.name.clone()))
                        .or_default();
                    if numbers.last() != Some(&number) {
                        numbers.push(number);
                    }
                }
            }
        }
        Self {
            header,
            advisories,
            by_package,
        }
    }
}

fn lines(advisories: &[Advisory]) -> String {
    let mut text = String::new();
    for advisory in advisories {
        text.push_str(&serde_json::to_string(advisory).unwrap_or_default());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Database {
        let record = r#"{"id":"X-1","modified":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#;
        let advisory = Advisory::from_json(record).unwrap();
        Database::new(vec![advisory], Vec::new(), "2026-02-03").unwrap()
    }

    #[test]
    fn a_database_reads_what_it_writes() {
        let text = database().to_text();
        let read = Database::parse(&text).unwrap();
        assert_eq!(read.to_text(), text);
        assert_eq!(read.header().newest, "2026-01-02");
        assert_eq!(read.about(Ecosystem::PyPi, "a").count(), 1);
        assert!(read.covers(Ecosystem::PyPi) && !read.covers(Ecosystem::Npm));
    }

    #[test]
    fn one_that_was_cut_or_altered_is_none() {
        let text = database().to_text();
        let (first, _) = text.split_once('\n').unwrap();
        let cut = format!("{first}\n");
        assert_eq!(Database::parse(&cut).unwrap_err(), DatabaseError::Altered);
        let altered = text.replace("\"X-1\"", "\"X-2\"");
        assert_eq!(
            Database::parse(&altered).unwrap_err(),
            DatabaseError::Altered
        );
        assert_eq!(
            Database::parse("").unwrap_err(),
            DatabaseError::Malformed(1)
        );
    }

    #[test]
    fn an_empty_one_is_none() {
        let empty = Database::new(Vec::new(), Vec::new(), "2026-02-03");
        assert_eq!(empty.unwrap_err(), DatabaseError::Empty);
    }
}
