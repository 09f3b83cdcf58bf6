//! Consent, retention, and erasure, at the edge of the crate.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail"
)]

mod consent;
mod erasure;
mod lines;
mod retention;

use bartizan_govern::{Holds, StoreFault, Subject, SubjectKey, SubjectStore};
use serde_json::{Value, json};

fn key() -> SubjectKey {
    SubjectKey::derive(&[7; 32])
}

fn subject(text: &str) -> Subject {
    Subject::new(text, &key()).unwrap()
}

/// A store of names and times; fails at the call of that number.
#[derive(Clone, Debug, Default)]
struct Rows {
    name: String,
    class: String,
    rows: Vec<(String, i64)>,
    fails_at: Option<usize>,
    calls: usize,
}

impl Rows {
    fn new(name: &str, rows: &[(&str, i64)]) -> Self {
        Self {
            name: name.to_owned(),
            rows: rows
                .iter()
                .map(|(who, at)| ((*who).to_owned(), *at))
                .collect(),
            ..Self::default()
        }
    }

    fn call(&mut self) -> Result<(), StoreFault> {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Err(StoreFault::Timeless);
        }
        Ok(())
    }
}

impl SubjectStore for Rows {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "rows"
    }

    fn class(&self) -> &str {
        &self.class
    }

    fn count(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.call()?;
        let whom = subject.expose();
        Ok(self.rows.iter().filter(|(who, _)| who == whom).count() as u64)
    }

    fn erase(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.call()?;
        let before = self.rows.len();
        self.rows.retain(|(who, _)| who != subject.expose());
        Ok((before - self.rows.len()) as u64)
    }

    fn export(&mut self, subject: &Subject) -> Result<Vec<Value>, StoreFault> {
        self.call()?;
        let rows = self.rows.iter().filter(|(who, _)| who == subject.expose());
        Ok(rows.map(|(who, at)| json!([who, at])).collect())
    }

    fn count_old(&mut self, before_ms: i64, holds: &Holds) -> Result<(u64, u64), StoreFault> {
        self.call()?;
        let old: Vec<_> = self.rows.iter().filter(|(_, at)| *at < before_ms).collect();
        let held = old.iter().filter(|(who, _)| holds.hold(who)).count();
        Ok((old.len() as u64, held as u64))
    }

    fn remove_old(&mut self, before_ms: i64, holds: &Holds) -> Result<u64, StoreFault> {
        self.call()?;
        let before = self.rows.len();
        self.rows
            .retain(|(who, at)| *at >= before_ms || holds.hold(who));
        Ok((before - self.rows.len()) as u64)
    }
}
