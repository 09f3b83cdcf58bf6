//! An evaluation, for people: on a terminal and as a page.

pub(crate) mod html;
pub(crate) mod human;
mod plot;
mod text;
