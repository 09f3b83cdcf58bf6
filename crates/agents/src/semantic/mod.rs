//! What an argument would do where it is used: paths, addresses, SQL, and command lines.

mod address;
mod command;
mod path;
mod sql;
mod url;

pub use address::{Refusal, refusal};
pub(crate) use command::unsafe_command;
pub(crate) use path::unsafe_path;
pub use sql::STATEMENTS;
pub(crate) use sql::unsafe_sql;
pub(crate) use url::unsafe_url;
