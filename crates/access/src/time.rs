//! The time, as policies see it.

use std::sync::Mutex;

use cedar_policy::{Context, RestrictedExpression};

/// Makes contexts, and keeps that of the last second: a `datetime` costs more than a decision.
#[derive(Debug, Default)]
pub(crate) struct Times(Mutex<Option<(i64, Context)>>);

impl Times {
    /// The context of a second since 1970; `None` for one that the calendar does not reach.
    pub(crate) fn at(&self, unix: i64) -> Option<Context> {
        let mut kept = match self.0.lock() {
            Ok(kept) => kept,
            // What is kept is whole: it is put there in one step.
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((second, context)) = &*kept
            && *second == unix
        {
            return Some(context.clone());
        }
        let at = jiff::Timestamp::from_second(unix).ok()?;
        let text = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let pairs = [
            ("now".to_owned(), RestrictedExpression::new_datetime(text)),
            ("unix".to_owned(), RestrictedExpression::new_long(unix)),
        ];
        let context = Context::from_pairs(pairs).ok()?;
        *kept = Some((unix, context.clone()));
        Some(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_context() {
        let times = Times::default();
        let unix = |context: Context| format!("{:?}", context.get("unix"));
        let (one, two) = (times.at(1), times.at(2));
        assert_ne!(unix(one.clone().unwrap()), unix(two.unwrap()));
        assert_eq!(unix(one.unwrap()), unix(times.at(1).unwrap()));
        assert!(times.at(i64::MAX).is_none());
    }
}
