//! One match for each place of a text.

use super::Match;

/// Reduces overlapping matches to the ones to act on, in order of their start.
///
/// Matches that overlap, directly or through others, form a cluster. Its best match (higher
/// confidence, then longer, then first) stays and grows over the whole cluster, so that replacing
/// the results leaves no fragment of any match behind.
#[must_use]
pub fn resolve(mut matches: Vec<Match>) -> Vec<Match> {
    matches.retain(|found| !found.range.is_empty());
    matches.sort_by(|a, b| {
        a.range
            .start
            .cmp(&b.range.start)
            .then(b.range.end.cmp(&a.range.end))
    });
    let mut resolved: Vec<Match> = Vec::new();
    let mut best_length = 0;
    for found in matches {
        let length = found.range.len();
        match resolved.last_mut() {
            Some(last) if found.range.start < last.range.end => {
                let covered = last.range.start..last.range.end.max(found.range.end);
                let ahead = found
                    .confidence
                    .get()
                    .total_cmp(&last.confidence.get())
                    .then(length.cmp(&best_length));
                if ahead.is_gt() {
                    *last = found;
                    best_length = length;
                }
                last.range = covered;
            }
            _ => {
                best_length = length;
                resolved.push(found);
            }
        }
    }
    resolved
}
