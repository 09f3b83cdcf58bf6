//! Classical models behind input specifications.
