use bartizan_core::hex;

use super::{MemoryStore, gcra::Level, memory::Counter};
use crate::{
    clock::Clock,
    store::{Store, with_pool},
};

impl MemoryStore {
    /// Saves every live counter to `store`, in place of what was saved before, so that a restart
    /// keeps them. Called every few seconds and at the end; a crash forgets what came since.
    ///
    /// # Errors
    /// When the database failed; the last save then still stands.
    pub async fn save(&self, store: &Store, clock: &dyn Clock) -> Result<(), sqlx::Error> {
        let counters = self.snapshot();
        let now = number(clock.unix_ms());
        with_pool!(store, pool => {
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM limit_counters").execute(&mut *transaction).await?;
            for (name, counter) in counters {
                let (kind, amount, fraction, ends) = match counter {
                    Counter::Rate(level) => ("rate", level.us, level.fraction, 0),
                    Counter::Budget { used, ends_ms } => ("budget", used, 0, ends_ms),
                };
                sqlx::query(
                    "INSERT INTO limit_counters (name, kind, amount, fraction, ends_ms, saved_ms) \
                     VALUES ($1, $2, $3, $4, $5, $6)")
                    .bind(format!("{:032x}", u128::from_be_bytes(name)))
                    .bind(kind)
                    .bind(number(amount))
                    .bind(number(fraction))
                    .bind(number(ends))
                    .bind(now)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        })
    }

    /// Loads what was saved; counters that are live already stay as they are. Buckets have refilled
    /// by the time that has passed since, of which a clock that went back takes nothing away.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn load(&self, store: &Store, clock: &dyn Clock) -> Result<(), sqlx::Error> {
        type Row = (String, String, i64, i64, i64, i64);
        let rows: Vec<Row> = with_pool!(store, pool => sqlx::query_as(
            "SELECT name, kind, amount, fraction, ends_ms, saved_ms FROM limit_counters")
            .fetch_all(pool)
            .await)?;
        let saved_ms = rows.iter().map(|row| positive(row.5)).max().unwrap_or(0);
        let passed_us = clock
            .unix_ms()
            .saturating_sub(saved_ms)
            .saturating_mul(1_000);
        let counters = rows
            .into_iter()
            .filter_map(|(name, kind, amount, fraction, ends, _)| {
                let name: [u8; 16] = hex::decode(&name)?.try_into().ok()?;
                let counter = match kind.as_str() {
                    "rate" => Counter::Rate(Level {
                        us: positive(amount),
                        fraction: positive(fraction),
                    }),
                    "budget" => Counter::Budget {
                        used: positive(amount),
                        ends_ms: positive(ends),
                    },
                    _ => return None,
                };
                Some((name, counter))
            });
        self.restore(counters, passed_us);
        Ok(())
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn positive(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
