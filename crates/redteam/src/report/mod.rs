//! What came of a run, as data and as text.

mod garak;
mod junit;
mod markdown;
mod sarif;
mod summary;
pub mod v1;

pub use garak::garak;
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;
pub use summary::{Adaptive, Setting, heat, stack, summarise, trend};

/// A share in percent with one digit, and its interval; `-` for none.
#[must_use]
pub fn percent(number: Option<v1::Number>) -> String {
    number.map_or_else(
        || "-".to_owned(),
        |number| format!("{:.1} %", number.value * 100.0),
    )
}

/// The interval of a share, in percent.
#[must_use]
pub fn interval(number: Option<v1::Number>) -> String {
    number.map_or_else(String::new, |number| {
        format!("[{:.1}, {:.1}]", number.low * 100.0, number.high * 100.0)
    })
}
