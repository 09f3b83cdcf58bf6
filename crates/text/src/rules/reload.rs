//! Replaces rules while the program runs.

use std::sync::Arc;

use super::{PackError, RuleSet, Trust, format::Place, test_rules};

/// Lays the packs in `files` over `base`, usually [`RuleSet::builtin`], in place of `current`.
///
/// Returns `current` itself when nothing changed, so that `Arc::ptr_eq` tells whether detectors
/// have to be built again. Everything is replaced or nothing: on a mistake, a bad signature, or an
/// example that a rule misses, the caller keeps `current`.
///
/// # Errors
/// Every mistake in the files.
pub fn reload(
    base: &RuleSet,
    current: &Arc<RuleSet>,
    files: &[super::PackFile],
    trust: &Trust,
) -> Result<Arc<RuleSet>, Vec<PackError>> {
    let loaded = Arc::new(RuleSet::load_trusted(files, trust)?);
    let next = base.overlaid(&loaded);
    if next.version() == current.version() {
        return Ok(Arc::clone(current));
    }
    let report = test_rules(&loaded).map_err(|error| {
        vec![PackError {
            file: String::new(),
            place: Place::default(),
            mistake: super::Mistake::Pattern(error),
        }]
    })?;
    if !report.failures.is_empty() {
        return Err(report.failures);
    }
    if let Some(duplicate) = next.duplicate() {
        return Err(vec![duplicate]);
    }
    Ok(Arc::new(next))
}
