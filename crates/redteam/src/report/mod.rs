//! What came of a run, as data and as text.

mod garak;
mod junit;
mod layers;
mod markdown;
mod sarif;
mod search;
mod summary;
mod trend;
pub mod v1;

pub use garak::garak;
pub use junit::junit;
pub use layers::{layer_table, stack};
pub use markdown::markdown;
pub use sarif::sarif;
pub use search::Adaptive;
pub use summary::{Setting, summarise};
pub use trend::trend;

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
