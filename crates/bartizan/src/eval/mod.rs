//! `bartizan eval`: labelled texts in, numbers out.
//!
//! [`source`] reads rows of any format, [`columns`] finds text and label in them, [`judging`] asks
//! the judge on all processors, [`results`] keeps a few bytes of each row, and [`summary`] makes the
//! numbers of [`v1`] out of them, which the renderers write. Texts are gone once they were judged.

mod columns;
mod delimited;
mod gates;
mod jsonl;
mod judging;
mod misses;
#[cfg(feature = "data")]
mod parquet;
mod results;
mod rows;
mod sample;
mod scores;
mod source;
mod summary;
mod texts;
pub(crate) mod v1;

pub(crate) use judging::{Counting, Judges, judge_all};
pub(crate) use results::Results;
pub(crate) use rows::{Row, Rows};
pub(crate) use sample::reservoir;
pub(crate) use scores::ScoreFile;
pub(crate) use summary::{Setting, summarise};
pub(crate) use texts::{Texts, texts};
