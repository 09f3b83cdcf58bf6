//! An evaluation, for people: on a terminal and as a page.

pub(crate) mod html;
pub(crate) mod human;
pub(crate) mod plot;
pub(crate) mod text;
