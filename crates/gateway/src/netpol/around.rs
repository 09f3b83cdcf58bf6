use super::{
    Cidr, Concern, ConcernKind, NetworkPolicy, Peer, Selector, Spec, lint, lint::resolves,
};

/// A label, `app.kubernetes.io/name=bartizan`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A text is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a label is written `key=value`")]
pub struct ParseLabelError;

impl std::str::FromStr for Label {
    type Err = ParseLabelError;

    fn from_str(text: &str) -> Result<Self, ParseLabelError> {
        let (key, value) = text.split_once('=').ok_or(ParseLabelError)?;
        if key.is_empty() || value.is_empty() {
            return Err(ParseLabelError);
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// What is wrong with policies that are applied together and are meant to leave no way to models but
/// the gateway, whose pods have the label `gateway`; in the order of the policies.
///
/// Beside what [`lint`] finds in each: egress of other pods to addresses outside the cluster, where
/// the models of others are. What one policy leaves open or out and another closes or allows for the
/// same pods is no concern, since policies add up.
#[must_use]
pub fn lint_all(policies: &[NetworkPolicy], gateway: &Label) -> Vec<Concern> {
    let mut found = Vec::new();
    for policy in policies {
        let has = |what: fn(&Spec) -> bool| is_so(policies, policy, what);
        let is_closed = has(Spec::closes_ingress) && has(Spec::closes_egress);
        let has_names = has(resolves);
        found.extend(lint(policy).into_iter().filter(|one| match one.kind {
            ConcernKind::OpenDirection => !is_closed,
            ConcernKind::NoDns => !has_names,
            _ => true,
        }));
        if !is_about(policy, gateway) {
            found.extend(ways_around(policy));
        }
    }
    found
}

/// Whether `what` is so of the pods of `one`, by it or by another policy that is about them.
fn is_so(policies: &[NetworkPolicy], one: &NetworkPolicy, what: fn(&Spec) -> bool) -> bool {
    policies.iter().any(|other| {
        other.metadata.namespace == one.metadata.namespace
            && what(&other.spec)
            && covers(&other.spec.pod_selector, &one.spec.pod_selector)
    })
}

/// Whether every pod that `inner` means is meant by `outer`, as far as labels alone tell.
fn covers(outer: &Selector, inner: &Selector) -> bool {
    outer.match_expressions.is_empty()
        && outer
            .match_labels
            .iter()
            .all(|(key, value)| inner.match_labels.get(key) == Some(value))
}

/// Whether it is about pods of the gateway only.
fn is_about(policy: &NetworkPolicy, gateway: &Label) -> bool {
    policy.spec.pod_selector.match_labels.get(&gateway.key) == Some(&gateway.value)
}

fn ways_around(policy: &NetworkPolicy) -> impl Iterator<Item = Concern> {
    let rules = policy.spec.egress.iter().enumerate();
    let open = rules.filter(|(_, rule)| rule.to.is_empty() || rule.to.iter().any(leaves));
    open.map(|(number, _)| Concern {
        policy: policy.metadata.name.clone(),
        place: format!("spec.egress[{number}]"),
        kind: ConcernKind::WayAround,
    })
}

/// Whether it means an address that is not private.
fn leaves(peer: &Peer) -> bool {
    let Some(block) = &peer.ip_block else {
        return false;
    };
    !PRIVATE.iter().any(|network| {
        network
            .parse()
            .is_ok_and(|network: Cidr| network.holds(&block.cidr))
    })
}

/// Networks that lead to no model of somebody else: private (RFC 1918, RFC 4193), shared
/// (RFC 6598), link-local (RFC 3927, RFC 4291), and loopback addresses.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];
