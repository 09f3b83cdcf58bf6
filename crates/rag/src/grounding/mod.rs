//! Whether an answer rests on the evidence it was given.
//!
//! The answer is taken apart into claims, a sentence each. A claim holds when the evidence has its
//! numbers, its dates, and its names, and enough of its words in one place. Words alone prove
//! little: "$9" and "$99" differ by none. What this cannot see is a sentence that uses the right
//! words and says the opposite in a way other than a plain "not"; a judge model can be asked about
//! that.

mod check;
mod citation;
mod facts;
mod rules;
mod sentences;
mod words;

pub use check::{Claim, Evidence, Grounding, GroundingSettings, Unsupported};
pub use citation::{Citation, CitationStyle};
pub use rules::RULES;
