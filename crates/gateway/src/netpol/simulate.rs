use std::{collections::BTreeMap, net::IpAddr};

use super::{NetworkPolicy, Peer, Port, PortName};

/// Policies, and the labels of namespaces.
#[derive(Clone, Debug, Default)]
pub struct Network {
    policies: Vec<NetworkPolicy>,
    namespaces: BTreeMap<String, BTreeMap<String, String>>,
}

/// A pod, for a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A pod of the cluster.
    Pod(Pod),
    /// Something outside of it.
    Outside(IpAddr),
}

impl Pod {
    /// A pod of that namespace with these labels.
    #[must_use]
    pub fn new<'l>(namespace: &str, labels: impl IntoIterator<Item = (&'l str, &'l str)>) -> Self {
        Self {
            namespace: namespace.to_owned(),
            labels: labels
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        }
    }
}

impl Network {
    /// A network under these policies; each must name its namespace.
    #[must_use]
    pub const fn new(policies: Vec<NetworkPolicy>) -> Self {
        Self {
            policies,
            namespaces: BTreeMap::new(),
        }
    }

    /// Gives a namespace a label beside `kubernetes.io/metadata.name`, which it always has.
    pub fn label_namespace(&mut self, namespace: &str, key: &str, value: &str) {
        self.namespaces
            .entry(namespace.to_owned())
            .or_default()
            .insert(key.to_owned(), value.to_owned());
    }

    /// Whether a connection may be opened; answers flow back on it without further leave.
    #[must_use]
    pub fn allows(&self, from: &End, to: &End, protocol: &str, port: u16) -> bool {
        self.egress(from, to, protocol, port) && self.ingress(from, to, protocol, port)
    }

    fn ingress(&self, from: &End, to: &End, protocol: &str, port: u16) -> bool {
        let End::Pod(pod) = to else { return true };
        let mut closing = self
            .about(pod)
            .filter(|policy| policy.spec.closes_ingress())
            .peekable();
        closing.peek().is_none()
            || closing.any(|policy| {
                policy.spec.ingress.iter().any(|rule| {
                    self.peers(&rule.from, from, &policy.metadata.namespace)
                        && ports(&rule.ports, protocol, port)
                })
            })
    }

    fn egress(&self, from: &End, to: &End, protocol: &str, port: u16) -> bool {
        let End::Pod(pod) = from else { return true };
        let mut closing = self
            .about(pod)
            .filter(|policy| policy.spec.closes_egress())
            .peekable();
        closing.peek().is_none()
            || closing.any(|policy| {
                policy.spec.egress.iter().any(|rule| {
                    self.peers(&rule.to, to, &policy.metadata.namespace)
                        && ports(&rule.ports, protocol, port)
                })
            })
    }

    fn about<'n>(&'n self, pod: &'n Pod) -> impl Iterator<Item = &'n NetworkPolicy> {
        self.policies.iter().filter(|policy| {
            policy.metadata.namespace == pod.namespace
                && policy.spec.pod_selector.matches(&pod.labels)
        })
    }

    fn peers(&self, peers: &[Peer], end: &End, own: &str) -> bool {
        peers.is_empty() || peers.iter().any(|peer| self.peer(peer, end, own))
    }

    fn peer(&self, peer: &Peer, end: &End, own: &str) -> bool {
        match end {
            End::Outside(address) => peer.ip_block.as_ref().is_some_and(|block| {
                block.cidr.contains(*address)
                    && !block.except.iter().any(|except| except.contains(*address))
            }),
            End::Pod(pod) => {
                let namespace = match &peer.namespace_selector {
                    Some(selector) => selector.matches(&self.labels_of(&pod.namespace)),
                    None => pod.namespace == own,
                };
                let labels = peer.pod_selector.as_ref();
                peer.ip_block.is_none()
                    && namespace
                    && labels.is_none_or(|selector| selector.matches(&pod.labels))
            }
        }
    }

    fn labels_of(&self, namespace: &str) -> BTreeMap<String, String> {
        let mut labels = self.namespaces.get(namespace).cloned().unwrap_or_default();
        labels.insert(
            "kubernetes.io/metadata.name".to_owned(),
            namespace.to_owned(),
        );
        labels
    }
}

fn ports(ports: &[Port], protocol: &str, port: u16) -> bool {
    ports.is_empty()
        || ports.iter().any(|allowed| {
            allowed.protocol == protocol
                && match (&allowed.port, allowed.end_port) {
                    (None, _) => true,
                    (Some(PortName::Number(first)), None) => *first == port,
                    (Some(PortName::Number(first)), Some(last)) => (*first..=last).contains(&port),
                    (Some(PortName::Name(_)), _) => false,
                }
        })
}
