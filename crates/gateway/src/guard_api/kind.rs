//! What kinds of harm other products tell apart.

use bartizan_core::{Category, Verdict};

use super::engine::Checked;

/// Whether it is what others call a prompt attack.
pub(super) fn is_attack(category: Category) -> bool {
    category.is_attack()
        || matches!(
            category,
            Category::Obfuscation | Category::Amplification | Category::Session | Category::Shape
        )
}

impl Checked {
    /// Whether it is to be asked about or blocked for findings of such a kind, or because not
    /// everything was looked at.
    pub(super) fn is_refused_for(&self, kind: fn(Category) -> bool) -> bool {
        let decision = &self.judgement.decision;
        if decision.enforced() < Verdict::Ask {
            return false;
        }
        let gap = decision
            .gaps
            .iter()
            .any(|gap| !gap.shadow && gap.action >= Verdict::Ask);
        let mut reasons = decision.reasons.iter();
        gap || reasons.any(|reason| {
            !reason.shadow && reason.action >= Verdict::Ask && kind(reason.evidence.category)
        })
    }
}
