use sqlparser::{
    dialect::GenericDialect,
    tokenizer::{Token, Tokenizer},
};

/// A query with its values kept apart, so that no value can become part of the statement.
///
/// ```
/// use bartizan_guard::sink::ParameterisedQuery;
///
/// type Query = ParameterisedQuery<String>;
/// let query = Query::new("SELECT id FROM users WHERE name = ?", ["O'Brien"]).unwrap();
/// assert_eq!(query.values(), ["O'Brien"]);
/// assert!(Query::new("SELECT 1 WHERE '?' = ?", ["a", "b"]).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterisedQuery<V> {
    text: String,
    values: Vec<V>,
}

/// Why a query and its values do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// Too many or too few values.
    #[error("the query has {placeholders} placeholders, but {values} values were given")]
    Mismatch {
        /// Distinct placeholders outside strings and comments.
        placeholders: usize,
        /// Values.
        values: usize,
    },
    /// `?` and numbered or named placeholders in one query.
    #[error("the query mixes `?` with other placeholders, use one kind")]
    Mixed,
    /// `$1` and `$3` without `$2`.
    #[error("the numbered placeholders of the query do not count up from 1")]
    Gap,
    /// The query is no SQL, e.g. a string is not closed.
    #[error("the query is malformed at line {line}, column {column}")]
    Malformed {
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
    },
    /// More than one statement.
    #[error("the query holds more than one statement, prepare each on its own")]
    Stacked,
}

impl<V> ParameterisedQuery<V> {
    /// A query with `?`, `$1`, or `:name` where values go, and the values.
    ///
    /// # Errors
    /// [`QueryError`] when the placeholders and the values do not match, or `text` is not one
    /// statement.
    pub fn new(
        text: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<V>>,
    ) -> Result<Self, QueryError> {
        let text = text.into();
        let values: Vec<V> = values.into_iter().map(Into::into).collect();
        let placeholders = count(&text)?;
        if placeholders != values.len() {
            return Err(QueryError::Mismatch {
                placeholders,
                values: values.len(),
            });
        }
        Ok(Self { text, values })
    }

    /// The statement, for the driver to prepare.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values, for the driver to bind.
    #[must_use]
    pub fn values(&self) -> &[V] {
        &self.values
    }
}

fn count(text: &str) -> Result<usize, QueryError> {
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize()
        .map_err(|error| QueryError::Malformed {
            line: error.location.line,
            column: error.location.column,
        })?;
    let mut after_end = false;
    let mut anonymous = 0;
    let mut named: Vec<String> = Vec::new();
    let mut colon = false;
    for token in tokens {
        let was_colon = std::mem::take(&mut colon);
        match token {
            Token::Whitespace(_) => continue,
            Token::SemiColon => {
                after_end = true;
                continue;
            }
            _ if after_end => return Err(QueryError::Stacked),
            Token::Question => anonymous += 1,
            Token::Placeholder(name) if name == "?" => anonymous += 1,
            Token::Placeholder(name) => named.push(name),
            Token::Word(word) if was_colon => named.push(word.value),
            Token::Colon => colon = true,
            _ => {}
        }
    }
    named.sort_unstable();
    named.dedup();
    match (anonymous, named.len()) {
        (0, count) => {
            let number = |name: &String| name.get(1..).and_then(|n| n.parse::<usize>().ok());
            let numbers: Vec<_> = named.iter().filter_map(number).collect();
            if numbers.iter().any(|number| !(1..=count).contains(number)) {
                return Err(QueryError::Gap);
            }
            Ok(count)
        }
        (count, 0) => Ok(count),
        _ => Err(QueryError::Mixed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str, values: &[&str]) -> Result<ParameterisedQuery<String>, QueryError> {
        ParameterisedQuery::new(text, values.iter().copied())
    }

    #[test]
    fn placeholders_and_values_must_match() {
        for (text, values) in [
            ("SELECT * FROM t WHERE a = ? AND b = ?", 2),
            ("SELECT * FROM t WHERE a = $1 AND b = $2 OR c = $1", 2),
            ("SELECT * FROM t WHERE a = :name", 1),
            ("SELECT '?' -- ?\n", 0),
            ("SELECT a::text FROM t;", 0),
        ] {
            let given = vec!["x"; values];
            assert_eq!(
                new(text, &given).map(|q| q.values().len()),
                Ok(values),
                "{text}"
            );
            let more = vec!["x"; values + 1];
            assert!(new(text, &more).is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_bound_is_refused() {
        assert_eq!(new("SELECT ?, $1", &["a", "b"]), Err(QueryError::Mixed));
        assert_eq!(new("SELECT $1, $3", &["a", "b"]), Err(QueryError::Gap));
        assert_eq!(new("SELECT 1; DROP TABLE t", &[]), Err(QueryError::Stacked));
        assert!(matches!(
            new("SELECT 'a", &[]),
            Err(QueryError::Malformed { .. })
        ));
    }
}
