//! Attacks on one's own AI system, and what each layer really stops.
//!
//! [`Suite`]s are data: tests with a [`Family`], turns, and a [`Goal`]. [`Chain`]s of mutators
//! disguise them. A [`Target`] is asked, [`Scorer`] says whether the attack reached its goal, and
//! [`run`](run::run) does so on all cores. [`Stack`] says what each layer does alone, what the stack
//! does without it, and which layers are enough; [`adaptive`] searches for what gets past.
//!
//! No IO, no clock, no network; randomness comes from a seed. Nothing in a request's path depends
//! on this crate.

pub mod adaptive;
mod attempt;
mod corpus;
pub mod endpoint;
mod family;
mod goal;
pub mod import;
pub mod incident;
mod layers;
mod mutate;
pub mod report;
pub mod run;
mod score;
mod stack;
mod suite;
mod target;
mod words;

pub use attempt::{Attempt, Turn, TurnKind};
pub use corpus::corpus;
pub use family::{Family, FamilyInfo, FamilyKind};
pub use goal::Goal;
pub use layers::Layers;
pub use mutate::{Chain, ChainError, MUTATORS, Mutator, Toll};
pub use score::{Outcome, Scorer, Stance, stance};
pub use stack::{Contribution, Stack, StackSample};
pub use suite::{Suite, SuiteError, Test, builtin, builtin_names, named, schema};
pub use target::{Answer, Evidence, LayerSet, Reply, Seen, Target, TargetError, ToolCall};
