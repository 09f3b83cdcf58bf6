//! What came of a red team's run, for people: on a terminal and as a page.

pub(crate) mod html;
pub(crate) mod human;
