//! What `bartizan redteam` needs from the outside: files of tests, targets, scope.

mod command;
mod endpoint;
mod gates;
mod rows;
mod scope;
mod suites;

pub(crate) use command::CommandTarget;
pub(crate) use endpoint::Endpoint;
pub(crate) use gates::judged;
pub(crate) use scope::Scope;
pub(crate) use suites::load;
