//! What happened, without content: events, a durable store, back-pressure.

use crate::store::Step;

/// Tables of this module, in the order in which they came; never edited, only added to.
pub(crate) const MIGRATIONS: &[Step] = &[];
