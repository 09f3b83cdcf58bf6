//! Markdown tables on standard output.

use std::io::{self, Write};

/// A table that is written row by row.
pub(crate) struct Table {
    out: io::Stdout,
}

impl Table {
    /// Writes the heading, `about`, and the first row.
    pub(crate) fn new(title: &str, about: &str, columns: &[&str]) -> Self {
        let mut table = Self { out: io::stdout() };
        table.line(&format!("\n## {title}\n\n{about}\n"));
        table.row(columns.iter().map(ToString::to_string));
        table.row(columns.iter().map(|_| "---".to_owned()));
        table
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    /// Writes a line below the table.
    pub(crate) fn note(&mut self, text: &str) {
        self.line(&format!("\n{text}"));
    }

    fn line(&mut self, text: &str) {
        // A closed pipe ends the reader's interest, not the measurement.
        let _ = writeln!(self.out, "{text}");
        let _ = self.out.flush();
    }
}

/// `within` its limit or not, in a word.
pub(crate) const fn verdict(within: bool) -> &'static str {
    if within { "yes" } else { "**no**" }
}
