//! Rule packs: rules as data.
//!
//! A pack is a folder of YAML files, described in `packs/README.md`. [`RuleSet::load`] turns files
//! into a set of checked rules or into the list of every mistake in them; [`Rules::register`] adds
//! the set's patterns to the one scan of a text and is the [`Check`](bartizan_core::Check) that
//! reads the hits. A set never changes: a reload builds another one.

mod anchors;
mod builtin;
mod context;
mod error;
mod expand;
mod format;
mod load;
mod matcher;
mod mutate;
mod reload;
mod set;
mod sign;
pub mod template_tokens;
mod testing;
#[cfg(test)]
mod tests;
mod validator;

pub use error::{Mistake, PackError};
pub use format::{At, Context, PackDescription, Place, RawRule, RuleFile, schema};
pub use load::PackFile;
pub use matcher::{MAX_FINDINGS_PER_RULE, Rules};
pub use mutate::{MUTATIONS, Mutation};
pub use reload::reload;
pub use set::{Pack, PackDate, PackInfo, RuleInfo, RuleSet};
pub use sign::{MANIFEST, PublicKey, SIGNATURE, SignatureError, SignerKeyId, Trust, sign, verify};
pub use testing::{CrossHit, Survival, TestReport, test_rules, test_survival};
