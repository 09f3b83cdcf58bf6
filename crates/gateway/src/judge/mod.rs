//! Asks others about texts: a model whether a text is an attack, in the grey band only, and
//! classifiers outside whether it harms somebody.
//!
//! Whoever is asked can only make a decision stricter: it adds a finding or a gap, it never takes one away.
//! So a text that talks the judge over ends where it would have ended without a judge. A judge's
//! answer counts only in one of two exact forms that name the question's nonce, a classifier's only
//! where all of it is understood; everything else (`Yes.`, an error, silence) is no answer, and no answer is a gap in coverage, which the policy decides about:
//! closed unless configured otherwise.

mod asker;
mod cache;
mod config;
mod examiner;
mod external;
mod layer;
mod question;
mod terms;

pub use config::{JudgeConfig, JudgeScope, Streams};
pub use examiner::RULES;
pub use external::{ClassifierConfig, ServiceKind, rules as external_rules};
pub use layer::{Asked, JudgeLayer, Opinions, amend};
pub use question::{Addressee, Ask, Opinion, Question, Unanswered, parse_answer};
