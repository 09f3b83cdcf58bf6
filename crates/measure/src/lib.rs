//! How well a detector does: rates, curves, calibration, comparisons, and their intervals.
//!
//! Everything starts from [`Case`]s: a score, and whether the case is one that should be caught.
//! [`Ranking`] sorts them once; areas, precision, recall at a false-positive rate, and calibration
//! are read off it. [`Bootstrap`] gives intervals for whatever can be read off rankings, and
//! [`delong`], [`wilson`], and [`paired_difference`] where there is a formula.
//!
//! No IO, no clock; randomness comes from a seed that the caller gives.

mod bootstrap;
mod calibration;
mod confusion;
mod delong;
mod interval;
mod paired;
mod random;
mod ranking;

pub use bootstrap::{Bootstrap, Scores};
pub use calibration::{Bin, Calibration};
pub use confusion::Confusion;
pub use delong::{AucDifference, delong, delong_paired};
pub use interval::{Estimate, Interval, wilson};
pub use paired::{Discordant, paired_difference};
pub use random::SplitMix;
pub use ranking::{Case, Level, Operating, Point, Ranking};
