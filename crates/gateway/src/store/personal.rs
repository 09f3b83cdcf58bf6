use bartizan_govern::{Holds, SqlConfig, StoreFault, Subject, TimeIn};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::{Store, StoreError, with_pool};

/// A table of others that holds personal data.
///
/// Names of tables and columns come from the configuration, which lets letters, digits, and `_`
/// through and nothing else; values are always bound.
#[derive(Clone, Debug)]
pub struct PersonalTable {
    store: Store,
    config: SqlConfig,
}

/// Whom a row is about: the text as it stands, or without case.
const ABOUT: &str = "(trim(CAST(\"{}\" AS TEXT)) = $1 OR lower(trim(CAST(\"{}\" AS TEXT))) = $2)";

impl PersonalTable {
    /// The table that `config` names, whose [mistakes](bartizan_govern::GovernConfig::check) are
    /// none, in the database at `place`.
    ///
    /// # Errors
    /// When the database is not there or cannot be opened.
    pub async fn open(config: &SqlConfig, place: &str) -> Result<Self, StoreFault> {
        let store = Store::connect(place)
            .await
            .map_err(|error| fault(config, &error))?;
        Ok(Self {
            store,
            config: config.clone(),
        })
    }

    /// How many rows are about `subject`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count(&self, subject: &Subject) -> Result<u64, StoreFault> {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE {}",
            self.table(),
            self.about()
        );
        self.told(self.number(&sql, subject).await)
    }

    /// Removes the rows about `subject`, all or none, and what SQLite keeps of them.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn erase(&self, subject: &Subject) -> Result<u64, StoreFault> {
        let sql = format!("DELETE FROM {} WHERE {}", self.table(), self.about());
        let (exact, lower) = identifiers(subject);
        let erased = async {
            let rows = with_pool!(&self.store, pool => sqlx::query(AssertSqlSafe(sql.clone()))
                .bind(exact)
                .bind(lower)
                .execute(pool)
                .await?
                .rows_affected());
            self.settle().await?;
            Ok(rows)
        };
        self.told(erased.await)
    }

    /// The rows about `subject`, each as an object.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn export(&self, subject: &Subject) -> Result<Vec<Value>, StoreFault> {
        self.told(self.rows(subject).await)
    }

    /// How many rows are older than `before_ms`, and how many of them are held.
    ///
    /// # Errors
    /// When the database refuses, rows have no time, or the configuration names no column of it.
    pub async fn count_old(&self, before_ms: i64, holds: &Holds) -> Result<(u64, u64), StoreFault> {
        let old = self.old(before_ms).await?;
        let held = old
            .iter()
            .filter(|(whom, _)| is_held(whom.as_deref(), holds));
        let held = held.map(|(_, rows)| rows).sum();
        Ok((old.iter().map(|(_, rows)| rows).sum(), held))
    }

    /// Removes those that are older and not held, all or none.
    ///
    /// # Errors
    /// As [`Self::count_old`].
    pub async fn remove_old(&self, before_ms: i64, holds: &Holds) -> Result<u64, StoreFault> {
        let old = self.old(before_ms).await?;
        let whom = old
            .into_iter()
            .map(|(whom, _)| whom)
            .filter(|whom| !is_held(whom.as_deref(), holds));
        let whom: Vec<Option<String>> = whom.collect();
        self.told(self.remove(before_ms, &whom).await)
    }

    async fn remove(&self, before_ms: i64, whom: &[Option<String>]) -> Result<u64, StoreError> {
        let (table, old) = (self.table(), self.is_old("$1"));
        let subject = self.subject();
        let named = format!("DELETE FROM {table} WHERE {old} AND {subject} = $2");
        let nameless = format!("DELETE FROM {table} WHERE {old} AND {subject} IS NULL");
        let begin = self.store.begin();
        let mut removed = 0;
        with_pool!(&self.store, pool => {
            let mut transaction = pool.begin_with(begin).await?;
            for one in whom {
                let sql = if one.is_some() { &named } else { &nameless };
                let query = sqlx::query(AssertSqlSafe(sql.clone()));
                let query = match self.config.time_in {
                    TimeIn::Text => query.bind(text_of(before_ms)),
                    TimeIn::Seconds => query.bind(before_ms.div_euclid(1_000)),
                    TimeIn::Milliseconds => query.bind(before_ms),
                };
                let query = match one {
                    Some(name) => query.bind(name.as_str()),
                    None => query,
                };
                removed += transaction.execute(query).await?.rows_affected();
            }
            transaction.commit().await?;
        });
        self.settle().await?;
        Ok(removed)
    }

    /// Whom the rows are about that are older than `before_ms`, and how many there are of each.
    async fn old(&self, before_ms: i64) -> Result<Vec<(Option<String>, u64)>, StoreFault> {
        if self.config.time.is_empty() {
            return Err(StoreFault::Timeless);
        }
        let (table, timeless) = (self.table(), self.is_timeless());
        let timeless = format!("SELECT count(*) FROM {table} WHERE {timeless}");
        let timeless = async {
            let rows: i64 = with_pool!(&self.store, pool => {
                sqlx::query_scalar(AssertSqlSafe(timeless.clone())).fetch_one(pool).await?
            });
            Ok(rows)
        };
        if self.told(timeless.await)? > 0 {
            return Err(StoreFault::NoTime {
                place: self.config.table.clone(),
                line: 0,
            });
        }
        let subject = self.subject();
        let sql = format!(
            "SELECT {subject}, count(*) FROM {table} WHERE {} GROUP BY 1",
            self.is_old("$1")
        );
        let found = async {
            with_pool!(&self.store, pool => {
                let query = sqlx::query(AssertSqlSafe(sql.clone()));
                let query = match self.config.time_in {
                    TimeIn::Text => query.bind(text_of(before_ms)),
                    TimeIn::Seconds => query.bind(before_ms.div_euclid(1_000)),
                    TimeIn::Milliseconds => query.bind(before_ms),
                };
                let rows = query.fetch_all(pool).await?;
                rows.iter()
                    .map(|row| {
                        let rows: i64 = row.try_get(1)?;
                        Ok((row.try_get(0)?, u64::try_from(rows).unwrap_or(0)))
                    })
                    .collect::<Result<Vec<(Option<String>, u64)>, StoreError>>()
            })
        };
        self.told(found.await)
    }

    async fn rows(&self, subject: &Subject) -> Result<Vec<Value>, StoreError> {
        let (table, about) = (self.table(), self.about());
        let sql = match &self.store {
            Store::Postgres(_) => {
                format!("SELECT row_to_json(one)::text FROM {table} one WHERE {about}")
            }
            Store::Sqlite(pool) => {
                let columns: Vec<String> =
                    sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
                        .bind(self.config.table.as_str())
                        .fetch_all(pool)
                        .await?;
                let fields: Vec<String> = columns.iter().map(|name| field(name)).collect();
                let fields = fields.join(", ");
                format!("SELECT json_object({fields}) FROM {table} WHERE {about}")
            }
        };
        let (exact, lower) = identifiers(subject);
        let texts: Vec<String> = with_pool!(&self.store, pool => {
            sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(exact)
                .bind(lower)
                .fetch_all(pool)
                .await?
        });
        let rows = texts.iter().map(|text| serde_json::from_str(text));
        rows.collect::<Result<_, _>>().map_err(|_| StoreError::Row)
    }

    async fn number(&self, sql: &str, subject: &Subject) -> Result<u64, StoreError> {
        let (exact, lower) = identifiers(subject);
        let rows: i64 = with_pool!(&self.store, pool => {
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
                .bind(exact)
                .bind(lower)
                .fetch_one(pool)
                .await?
        });
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    /// What SQLite keeps beside its file of what was removed goes, too.
    async fn settle(&self) -> Result<(), StoreError> {
        if let Store::Sqlite(pool) = &self.store {
            pool.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Ok(())
    }

    fn table(&self) -> String {
        format!("\"{}\"", self.config.table)
    }

    fn subject(&self) -> String {
        format!("CAST(\"{}\" AS TEXT)", self.config.subject)
    }

    fn about(&self) -> String {
        ABOUT.replace("{}", &self.config.subject)
    }

    fn is_old(&self, place: &str) -> String {
        let time = &self.config.time;
        match self.config.time_in {
            TimeIn::Text => format!("CAST(\"{time}\" AS TEXT) < {place}"),
            TimeIn::Seconds | TimeIn::Milliseconds => format!("\"{time}\" < {place}"),
        }
    }

    /// Whether a row has no time that can be compared: an empty text, or one of another form, would
    /// count as old. SQLite keeps texts in columns of numbers, too.
    fn is_timeless(&self) -> String {
        let time = &self.config.time;
        let text = format!("CAST(\"{time}\" AS TEXT)");
        let is_other = match (self.config.time_in, &self.store) {
            (TimeIn::Text, _) => {
                format!("{text} NOT LIKE '____-__-__T__:__:__%Z' OR {text} <> upper({text})")
            }
            (_, Store::Sqlite(_)) => format!(
                "typeof(\"{time}\") NOT IN ('integer', 'real') \
                 AND ({text} = '' OR {text} GLOB '*[^0-9]*')"
            ),
            (_, Store::Postgres(_)) => return format!("\"{time}\" IS NULL"),
        };
        format!("(\"{time}\" IS NULL OR {is_other})")
    }

    fn told<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreFault> {
        result.map_err(|error| fault(&self.config, &error))
    }
}

/// A column as a field of an object; bytes as hexadecimal digits.
fn field(column: &str) -> String {
    let (text, name) = (column.replace('\'', "''"), column.replace('"', "\"\""));
    format!(
        "'{text}', CASE typeof(\"{name}\") WHEN 'blob' THEN hex(\"{name}\") ELSE \"{name}\" END"
    )
}

fn identifiers(subject: &Subject) -> (String, String) {
    let text = subject.expose();
    (text.to_owned(), text.to_lowercase())
}

fn is_held(whom: Option<&str>, holds: &Holds) -> bool {
    whom.is_some_and(|whom| holds.hold(whom))
}

fn text_of(unix_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(unix_ms).unwrap_or(jiff::Timestamp::MIN);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn fault(config: &SqlConfig, error: &StoreError) -> StoreFault {
    StoreFault::Io {
        place: config.table.clone(),
        why: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bartizan_govern::{GovernConfig, HoldConfig, SubjectKey};

    use super::*;

    fn key() -> SubjectKey {
        SubjectKey::derive(&[7; 32])
    }

    fn subject(text: &str) -> Subject {
        Subject::new(text, &key()).unwrap()
    }

    fn holds(on: &[&str]) -> Holds {
        let hold = |text: &&str| HoldConfig {
            id: "case".to_owned(),
            class: None,
            subject: Some(key().hash(text)),
        };
        Holds::new(&on.iter().map(hold).collect::<Vec<_>>(), key())
    }

    /// A database of a shop, in WAL mode as the shop has it, and its table.
    async fn shop(folder: &std::path::Path) -> PersonalTable {
        let place = folder.join("shop.db").display().to_string();
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&place)
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        pool.execute("CREATE TABLE orders (email TEXT, at BIGINT NOT NULL, note BLOB)")
            .await
            .unwrap();
        pool.execute("CREATE INDEX by_email ON orders (email)")
            .await
            .unwrap();
        for (email, at) in [
            ("alice@example.com", 1_000_i64),
            ("ALICE@example.com", 2_000),
            ("bob@example.com", 1_000),
            ("malice@example.com", 5_000),
        ] {
            sqlx::query("INSERT INTO orders VALUES ($1, $2, $3)")
                .bind(email)
                .bind(at)
                .bind(vec![1_u8, 2])
                .execute(&pool)
                .await
                .unwrap();
        }
        pool.close().await;
        let config = SqlConfig {
            table: "orders".to_owned(),
            subject: "email".to_owned(),
            time: "at".to_owned(),
            ..SqlConfig::default()
        };
        PersonalTable::open(&config, &place).await.unwrap()
    }

    #[tokio::test]
    async fn gov_13_nobody_is_left_in_any_file_of_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let table = shop(folder.path()).await;
        let alice = subject("Alice@example.com");
        let rows = table.export(&alice).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["email"], "alice@example.com");
        assert_eq!(rows[0]["note"], "0102");
        assert_eq!(table.count(&alice).await, Ok(2));
        assert_eq!(table.erase(&alice).await, Ok(2));
        assert_eq!(table.erase(&alice).await, Ok(0));
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let all = text.matches("alice@example.com").count();
            assert_eq!(all, text.matches("malice@example.com").count());
        }
        assert_eq!(table.count(&subject("malice@example.com")).await, Ok(1));
    }

    #[tokio::test]
    async fn gov_12_what_is_old_goes_unless_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let table = shop(folder.path()).await;
        let none = holds(&[]);
        assert_eq!(table.count_old(2_000, &none).await, Ok((2, 0)));
        let held = holds(&["bob@example.com"]);
        assert_eq!(table.count_old(2_000, &held).await, Ok((2, 1)));
        assert_eq!(table.remove_old(2_000, &held).await, Ok(1));
        assert_eq!(table.count_old(2_000, &held).await, Ok((1, 1)));
        assert_eq!(table.remove_old(2_000, &none).await, Ok(1));
        assert_eq!(table.count(&subject("ALICE@example.com")).await, Ok(1));
        assert_eq!(GovernConfig::default().check(), []);
    }

    #[tokio::test]
    async fn a_time_of_another_form_is_not_old() {
        let none = holds(&[]);
        let no_time = Err(StoreFault::NoTime {
            place: "orders".to_owned(),
            line: 0,
        });
        for (time_in, at) in [
            (TimeIn::Text, ""),
            (TimeIn::Text, "21/11/1969"),
            (TimeIn::Text, "1969-11-21 12:00:00"),
            (TimeIn::Text, "1969-11-21t12:00:00z"),
            (TimeIn::Milliseconds, ""),
            (TimeIn::Milliseconds, "1969-11-21"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut table = shop(folder.path()).await;
            table.config.time = "day".to_owned();
            table.config.time_in = time_in;
            let Store::Sqlite(pool) = &table.store else {
                panic!()
            };
            let good = match time_in {
                TimeIn::Text => "1969-11-21T12:00:00Z",
                TimeIn::Seconds | TimeIn::Milliseconds => "5",
            };
            let sql = format!("ALTER TABLE orders ADD COLUMN day TEXT DEFAULT '{good}'");
            pool.execute(AssertSqlSafe(sql)).await.unwrap();
            assert!(table.count_old(1_000, &none).await.is_ok(), "{good}");
            let query = sqlx::query("UPDATE orders SET day = $1 WHERE email LIKE 'bob%'");
            query.bind(at).execute(pool).await.unwrap();
            assert_eq!(table.remove_old(1_000, &none).await, no_time, "{at}");
            assert_eq!(table.count(&subject("bob@example.com")).await, Ok(1));
        }
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_a_fault_and_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("none.db");
        let config = SqlConfig::default();
        let opened = PersonalTable::open(&config, &place.display().to_string()).await;
        assert!(opened.is_err());
        assert!(!place.exists());
    }
}
