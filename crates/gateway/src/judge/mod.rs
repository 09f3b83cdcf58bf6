//! Asks a model whether a text is an attack, in the grey band only.
//!
//! The judge can only make a decision stricter: it adds a finding or a gap, it never takes one away.
//! So a text that talks the judge over ends where it would have ended without a judge. An answer
//! counts only in one of two exact forms that name the question's nonce; everything else (`Yes.`, an
//! error, silence) is no answer, and no answer is a gap in coverage, which the policy decides about:
//! closed unless configured otherwise.

mod cache;
mod config;
mod layer;
mod question;

pub use config::{JudgeConfig, JudgeScope};
pub use layer::{Asked, JudgeLayer, Opinions, RULES, amend};
pub use question::{Ask, Opinion, Question, Unanswered, parse_answer};
