//! Retrieved documents under control.
//!
//! A document goes through [`document::sanitise`], which parts what a reader sees from what is kept
//! from them; [`admission`] judges both and where it comes from; an [`integrity`] manifest holds
//! what was admitted, and is asked again when chunks are retrieved; [`embedding`] finds chunks that
//! stand where no honest chunk stands; [`grounding`] holds answers against their evidence.

pub mod admission;
pub mod document;
pub mod embedding;
pub mod grounding;
pub mod integrity;
mod telling;

use bartizan_core::RuleRef;

/// Every rule of this crate, by id.
#[must_use]
pub fn rules() -> Vec<RuleRef> {
    let hiding = document::Hiding::ALL.map(document::Hiding::rule);
    let all = hiding
        .into_iter()
        .chain([&document::HIDDEN_INSTRUCTION])
        .chain(admission::RULES)
        .chain(integrity::RULES)
        .chain(embedding::RULES)
        .chain(grounding::RULES);
    let mut rules: Vec<RuleRef> = all.map(RuleRef::from).collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules
}
