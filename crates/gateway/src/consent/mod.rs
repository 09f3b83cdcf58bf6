//! What people agreed to: kept in the database, asked for requests to models.

mod table;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use bartizan_govern::{
    ConsentConfig, ConsentRule, Consents, GovernConfig, PurposeConfig, Subject, SubjectHash,
    SubjectKey, Without,
};
use http::HeaderMap;

use crate::{
    fault::{Fault, FaultKind},
    principal::Principal,
    store::{Step, StoreError},
};

pub use table::ConsentTable;

/// Tables of this module, in the order in which they came; never edited, only added to.
pub(crate) const MIGRATIONS: &[Step] = &[table::TABLE];

/// The rules of a configuration, for one generation of the gateway.
#[derive(Clone, Debug, Default)]
pub struct ConsentRules {
    config: ConsentConfig,
    purposes: BTreeMap<String, PurposeConfig>,
}

impl ConsentRules {
    /// The rules of `config`.
    #[must_use]
    pub fn new(config: &GovernConfig) -> Self {
        Self {
            config: config.consent.clone(),
            purposes: config.purposes.clone(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.config.rules.is_empty()
    }
}

/// Says whether whoever a request is about agreed to what it is used for. Asks the database every
/// time, so that what was taken back on one replica counts on all with the next request.
#[derive(Debug)]
pub struct ConsentDesk {
    table: ConsentTable,
    key: Arc<SubjectKey>,
}

impl ConsentDesk {
    /// The desk over a table; `key` is that of `bartizan consent`.
    #[must_use]
    pub const fn new(table: ConsentTable, key: Arc<SubjectKey>) -> Self {
        Self { table, key }
    }

    /// Whom a request is about: whom a trusted caller names by the header or by `user`, the request's
    /// own field, else the caller.
    pub(crate) fn subject(
        &self,
        rules: &ConsentRules,
        principal: &Principal,
        headers: &HeaderMap,
        user: Option<&str>,
    ) -> Option<SubjectHash> {
        let config = &rules.config;
        let name = if config.trusts(&principal.id) {
            let header = config.header.as_deref();
            let header = header.and_then(|name| headers.get(name)?.to_str().ok());
            // A caller that may name somebody and names nobody asks for nobody that is known.
            header.or(user)?
        } else {
            &*principal.id
        };
        Some(Subject::new(name, &self.key)?.hash().clone())
    }

    /// The purposes that a request to `model` about `subject` is kept out of.
    ///
    /// # Errors
    /// With 403 when a rule wants it refused, and with 503 when it cannot be known whether one does.
    pub(crate) async fn ask(
        &self,
        rules: &ConsentRules,
        subject: Option<&SubjectHash>,
        model: &str,
        now_ms: u64,
    ) -> Result<Vec<String>, Fault> {
        let mut all = rules.config.rules_for(model).peekable();
        if all.peek().is_none() {
            return Ok(Vec::new());
        }
        let at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        let consents = match subject {
            Some(subject) => self.table.of(subject).await,
            None => Ok(Consents::default()),
        };
        let mut excluded = Vec::new();
        for rule in all {
            let is_given = match (subject, &consents) {
                (Some(subject), Ok(consents)) => {
                    let purpose = rules.purposes.get(&rule.purpose);
                    purpose.is_some_and(|purpose| {
                        let state = consents.check(subject, &rule.purpose, purpose, at_ms);
                        state.is_given()
                    })
                }
                (_, Err(error)) if rule.without == Without::Refuse => return Err(unknown(error)),
                _ => false,
            };
            match rule.without {
                _ if is_given => {}
                Without::Refuse => return Err(refused(rule)),
                Without::Exclude if excluded.contains(&rule.purpose) => {}
                Without::Exclude => excluded.push(rule.purpose.clone()),
            }
        }
        Ok(excluded)
    }
}

fn refused(rule: &ConsentRule) -> Fault {
    Fault::new(
        FaultKind::Forbidden,
        "consent_missing",
        format!(
            "no consent to `{}` is recorded for whom this request is about",
            rule.purpose
        ),
    )
}

fn unknown(error: &StoreError) -> Fault {
    tracing::error!(%error, "the record of consent cannot be read");
    Fault::new(
        FaultKind::Unavailable,
        "consent_unavailable",
        "the record of consent cannot be read now",
    )
}
