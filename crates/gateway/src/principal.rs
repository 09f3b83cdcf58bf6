//! Who asks, and what they may ask for.

use std::{collections::BTreeSet, sync::Arc};

use bartizan_access::Who;

/// Who asks. Made by [`crate::identity`] only, after a credential was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its stable name: the id of an API key, the subject of a token, the identity of a
    /// certificate. Never a credential.
    pub id: Arc<str>,
    /// How it was proved.
    pub proof: Proof,
    /// The tenant, empty for none.
    pub tenant: Arc<str>,
    /// The team whose budget it spends, empty for none.
    pub team: Arc<str>,
    /// Groups of its claims, each as `issuer:group`.
    pub groups: Vec<Arc<str>>,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Models that it may use, with `*` as a wildcard at the end; empty for all.
    pub models: Vec<Arc<str>>,
    /// Fields of answers that others do not see.
    pub entitlements: Entitlements,
}

/// How a principal was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// An API key.
    ApiKey,
    /// A signed token.
    Jwt,
    /// A client certificate.
    Certificate,
    /// Nothing: the operator switched authentication off.
    Anonymous,
}

/// What a principal may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Ask models: the routes of [`crate::endpoint::Endpoint`], `/predict`.
    Infer,
    /// Ask the guard alone: `/v1/guard/check` and its like.
    Guard,
    /// Read the audit record and explanations of requests.
    Audit,
    /// Read metrics.
    Metrics,
    /// Decide about what is held for review.
    Review,
    /// Manage keys, reload the configuration.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 6] = [
        Self::Infer,
        Self::Guard,
        Self::Audit,
        Self::Metrics,
        Self::Review,
        Self::Admin,
    ];

    /// The name used in keys, tokens, and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Infer => "infer",
            Self::Guard => "guard",
            Self::Audit => "audit",
            Self::Metrics => "metrics",
            Self::Review => "review",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// Fields of answers that help who copies a model, see `EX-09`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entitlements {
    /// Probabilities of tokens.
    pub logprobs: bool,
    /// All classes of a prediction with unrounded probabilities.
    pub probabilities: bool,
}

impl Principal {
    /// Whether it may do that.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The same, as access policies see it.
    #[must_use]
    pub fn who(&self) -> Who {
        Who {
            name: Arc::clone(&self.id),
            tenant: Arc::clone(&self.tenant),
            team: Arc::clone(&self.team),
            groups: self.groups.clone(),
            scopes: self.scopes.iter().map(|scope| scope.as_str()).collect(),
        }
    }

    /// The same with another scope, for a route that the access policy opened to it.
    #[must_use]
    pub(crate) fn let_in(self: Arc<Self>, scope: Scope) -> Arc<Self> {
        if self.may(scope) {
            return self;
        }
        let mut admitted = (*self).clone();
        admitted.scopes.insert(scope);
        Arc::new(admitted)
    }

    /// Whether it may use the model of that name.
    #[must_use]
    pub fn may_use(&self, model: &str) -> bool {
        self.models.is_empty()
            || self.models.iter().any(|allowed| {
                allowed
                    .strip_suffix('*')
                    .map_or_else(|| &**allowed == model, |prefix| model.starts_with(prefix))
            })
    }
}
