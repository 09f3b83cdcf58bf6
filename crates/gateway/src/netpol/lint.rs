use std::fmt;

use super::{NetworkPolicy, Peer, Port, PortName, Selector, Spec};

/// Something that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// The policy's name.
    pub policy: String,
    /// Where in it, e.g. `spec.egress[0]`.
    pub place: String,
    /// What.
    pub kind: ConcernKind,
}

/// What is wrong with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConcernKind {
    /// Egress is closed and names cannot be resolved.
    NoDns,
    /// A scrape is written as egress: Prometheus opens the connection.
    ScrapeAsEgress,
    /// A namespace is told by a label that Kubernetes does not set itself.
    HandMadeNamespaceLabel,
    /// Everybody in a namespace is let in.
    WholeNamespace,
    /// Everybody is let in or may be reached.
    Everybody,
    /// Ingress or egress is left open.
    OpenDirection,
    /// All ports are open.
    AllPorts,
    /// Others than the gateway reach addresses outside the cluster.
    WayAround,
}

impl ConcernKind {
    /// A stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoDns => "no-dns",
            Self::ScrapeAsEgress => "scrape-as-egress",
            Self::HandMadeNamespaceLabel => "hand-made-namespace-label",
            Self::WholeNamespace => "whole-namespace",
            Self::Everybody => "everybody",
            Self::OpenDirection => "open-direction",
            Self::AllPorts => "all-ports",
            Self::WayAround => "way-around",
        }
    }
}

impl fmt::Display for ConcernKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NoDns => {
                "egress is closed, but names cannot be resolved; allow UDP and TCP port 53 to \
                 kube-system"
            }
            Self::ScrapeAsEgress => {
                "Prometheus opens the connection of a scrape: allow it as ingress from the \
                 monitoring namespace, to the port of the metrics"
            }
            Self::HandMadeNamespaceLabel => {
                "Kubernetes does not set this label; use `kubernetes.io/metadata.name`"
            }
            Self::WholeNamespace => "every pod of the namespace is meant; add a `podSelector`",
            Self::Everybody => "everybody is meant; name who",
            Self::OpenDirection => {
                "a direction is left open; list `Ingress` and `Egress` in `policyTypes`"
            }
            Self::AllPorts => "all ports are open; name them",
            Self::WayAround => {
                "others than the gateway reach addresses outside the cluster, where models are; \
                 let only the gateway go there"
            }
        };
        f.write_str(text)
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at {}: {}", self.policy, self.place, self.kind)
    }
}

/// What is wrong with a policy that is meant to close a service off, in the order of its text.
#[must_use]
pub fn lint(policy: &NetworkPolicy) -> Vec<Concern> {
    let spec = &policy.spec;
    let mut found = Vec::new();
    let mut say = |place: String, kind| {
        found.push(Concern {
            policy: policy.metadata.name.clone(),
            place,
            kind,
        });
    };
    if !spec.closes_ingress() || !spec.closes_egress() {
        say("spec.policyTypes".to_owned(), ConcernKind::OpenDirection);
    }
    for (number, rule) in spec.ingress.iter().enumerate() {
        let place = format!("spec.ingress[{number}]");
        for kind in peers(&rule.from, &rule.ports) {
            say(place.clone(), kind);
        }
    }
    for (number, rule) in spec.egress.iter().enumerate() {
        let place = format!("spec.egress[{number}]");
        if rule.ports.iter().any(is_scrape) {
            say(place.clone(), ConcernKind::ScrapeAsEgress);
        }
        for kind in peers(&rule.to, &rule.ports) {
            // To go to a whole namespace is common, and harmless compared with being open to it.
            if kind != ConcernKind::WholeNamespace {
                say(place.clone(), kind);
            }
        }
    }
    let only_closes = spec.egress.is_empty() && spec.ingress.is_empty();
    if spec.closes_egress() && !only_closes && !resolves(spec) {
        say("spec.egress".to_owned(), ConcernKind::NoDns);
    }
    found
}

/// Whether its pods may ask for names.
pub(super) fn resolves(spec: &Spec) -> bool {
    let allows = |rule: &super::Egress| {
        rule.ports.is_empty() || rule.ports.iter().any(|port| number(port) == Some(53))
    };
    spec.egress.iter().any(allows)
}

fn peers(peers: &[Peer], ports: &[Port]) -> Vec<ConcernKind> {
    let mut kinds = Vec::new();
    if ports.is_empty() {
        kinds.push(ConcernKind::AllPorts);
    }
    if peers.is_empty() {
        kinds.push(ConcernKind::Everybody);
    }
    for peer in peers {
        let block = peer.ip_block.as_ref();
        if block.is_some_and(|block| block.cidr.is_everything() && block.except.is_empty()) {
            kinds.push(ConcernKind::Everybody);
        }
        if let Some(selector) = &peer.namespace_selector {
            if selector
                .match_labels
                .keys()
                .any(|key| !is_set_by_kubernetes(key))
            {
                kinds.push(ConcernKind::HandMadeNamespaceLabel);
            }
            let all = Selector::matches(selector, &std::collections::BTreeMap::new());
            if peer.pod_selector.is_none() {
                kinds.push(if all {
                    ConcernKind::Everybody
                } else {
                    ConcernKind::WholeNamespace
                });
            }
        }
    }
    kinds
}

fn is_set_by_kubernetes(key: &str) -> bool {
    key == "kubernetes.io/metadata.name"
}

fn is_scrape(port: &Port) -> bool {
    matches!(number(port), Some(9090 | 9100))
        || matches!(&port.port, Some(PortName::Name(name)) if name == "metrics")
}

fn number(port: &Port) -> Option<u16> {
    match &port.port {
        Some(PortName::Number(number)) => Some(*number),
        _ => None,
    }
}
