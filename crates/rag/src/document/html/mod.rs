//! Pages: what a browser would show of them.

mod select;
mod sheet;
mod style;
mod tree;
mod visible;

pub(super) use visible::read;
