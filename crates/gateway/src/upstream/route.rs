//! From the name of a model to the upstreams that serve it.

use std::sync::Arc;

use bartizan_policy::glob_matches;

use super::{config::RouteConfig, upstreams::Upstream};

/// Where requests for a model go.
#[derive(Debug)]
pub struct Route {
    /// The name in the configuration, perhaps with `*`.
    pattern: Arc<str>,
    targets: Vec<Arc<Target>>,
    fallbacks: Vec<Arc<Target>>,
    /// Sum of the targets' weights.
    weight: u64,
}

/// An upstream that serves a model.
pub struct Target {
    pub(super) upstream: Arc<Upstream>,
    model: Option<Arc<str>>,
    weight: u32,
}

impl Target {
    /// The upstream's name in the configuration.
    #[must_use]
    pub fn upstream(&self) -> &Arc<str> {
        self.upstream.name()
    }

    /// What the upstream speaks.
    #[must_use]
    pub fn kind(&self) -> super::Kind {
        self.upstream.kind()
    }

    /// The upstream's name of the model; `None` for the name that the client used.
    #[must_use]
    pub const fn model(&self) -> Option<&Arc<str>> {
        self.model.as_ref()
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("upstream", self.upstream())
            .field("model", &self.model)
            .finish()
    }
}

impl Route {
    /// The route of `config`, whose upstreams `find` knows; those it does not know are left out.
    pub(super) fn new(config: &RouteConfig, find: impl Fn(&str) -> Option<Arc<Upstream>>) -> Self {
        let target = |config: &super::TargetConfig| {
            Some(Arc::new(Target {
                upstream: find(&config.upstream)?,
                model: config.model.as_deref().map(Arc::from),
                weight: config.weight.max(1),
            }))
        };
        let targets: Vec<_> = config.targets.iter().filter_map(target).collect();
        Self {
            pattern: config.model.as_str().into(),
            weight: targets.iter().map(|target| u64::from(target.weight)).sum(),
            fallbacks: config.fallbacks.iter().filter_map(target).collect(),
            targets,
        }
    }

    /// Its name in the configuration, perhaps with `*`: a bounded label for metrics.
    #[must_use]
    pub const fn pattern(&self) -> &Arc<str> {
        &self.pattern
    }

    /// Whether it is for the model of that name.
    #[must_use]
    pub fn fits(&self, model: &str) -> bool {
        glob_matches(&self.pattern, model)
    }

    /// Every target, fallbacks last.
    pub fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.targets.iter().chain(&self.fallbacks)
    }

    /// Targets in the order in which they are asked: one of `targets` by weight, the others, then
    /// the fallbacks. `random` is any number.
    pub(super) fn order(&self, random: u64) -> impl Iterator<Item = &Arc<Target>> {
        let mut rest = random % self.weight.max(1);
        let first = self
            .targets
            .iter()
            .position(|target| {
                let weight = u64::from(target.weight);
                let here = rest < weight;
                rest = rest.saturating_sub(weight);
                here
            })
            .unwrap_or(0);
        let (before, from) = self.targets.split_at_checked(first).unwrap_or_default();
        from.iter().chain(before).chain(&self.fallbacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, name, expected) in [
            ("*", "gpt-4o", true),
            ("gpt-*", "gpt-4o", true),
            ("gpt-*", "claude", false),
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("*-mini", "gpt-4o-mini", true),
            ("a*a", "a", false),
            ("org/*/x", "org/m/x", true),
        ] {
            assert_eq!(glob_matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
