//! Findings over time: what they are called, which are accepted, and what changed since a run.

mod baseline;
mod changes;
mod record;

use aws_lc_rs::digest;
use bartizan_core::{Finding, hex};
pub(crate) use baseline::Baseline;
pub(crate) use changes::{Changes, changes};
pub(crate) use record::{Keeper, Saved, Seen};

/// Counts equal findings, so that each of them has a name of its own.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    met: std::collections::HashMap<String, u32>,
}

impl Fingerprints {
    /// The name of the next finding of `path`: 32 hexadecimal digits over rule, path, and message.
    ///
    /// Not over the place, so that it stays when bytes move; but over what was seen, so that one
    /// accepted import does not cover another.
    pub(crate) fn next(&mut self, path: &str, finding: &Finding) -> String {
        let identity = serde_json::json!([finding.rule.id, path, finding.message]).to_string();
        let met = self.met.entry(identity.clone()).or_insert(0);
        *met += 1;
        let identity = format!("bartizan-finding/1 {met} {identity}");
        let digest = digest::digest(&digest::SHA256, identity.as_bytes());
        hex::encode(digest.as_ref().get(..16).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Confidence, Layer, Span};

    use super::*;

    fn finding(rule: usize, message: &'static str, at: u64) -> Finding {
        let rules = bartizan_supply::rules();
        Finding {
            rule: rules[rule].into(),
            layer: Layer::Artifact,
            span: Span::new(at, at + 1),
            confidence: Confidence::CERTAIN,
            via: Vec::new(),
            message: message.into(),
        }
    }

    #[test]
    fn a_fingerprint_is_about_what_was_seen_and_not_where() {
        let name = |path: &str, finding: &Finding| Fingerprints::default().next(path, finding);
        let first = name("a", &finding(0, "calls `x`", 1));
        assert_eq!(first, name("a", &finding(0, "calls `x`", 900)));
        assert_ne!(first, name("b", &finding(0, "calls `x`", 1)));
        assert_ne!(first, name("a", &finding(0, "calls `y`", 1)));
        assert_ne!(first, name("a", &finding(1, "calls `x`", 1)));
        let mut both = Fingerprints::default();
        let same = finding(0, "calls `x`", 1);
        assert_ne!(both.next("a", &same), both.next("a", &same));
    }
}
