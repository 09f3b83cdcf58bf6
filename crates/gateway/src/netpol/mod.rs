//! Kubernetes NetworkPolicies: who may speak to whom under them, and what is wrong with them.
//!
//! Follows the semantics of `networking.k8s.io/v1`: policies only add up, a pod that no policy
//! selects for a direction is open in it, and a connection needs both its ends to agree.

mod around;
mod lint;
mod simulate;

pub use around::{Label, ParseLabelError, lint_all};
pub use lint::{Concern, ConcernKind, lint};
pub use simulate::{End, Network, Pod};

use std::{collections::BTreeMap, net::IpAddr};

use serde::Deserialize;

/// A policy as written.
#[derive(Clone, Debug, Deserialize)]
pub struct NetworkPolicy {
    /// Its name and namespace.
    pub metadata: Metadata,
    /// What it says.
    pub spec: Spec,
}

/// The name and namespace of a policy.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Its namespace; empty for whichever it is applied to.
    #[serde(default)]
    pub namespace: String,
}

/// What a policy says.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The pods that it is about.
    #[serde(default)]
    pub pod_selector: Selector,
    /// The directions that it closes; without it ingress, and egress if it has rules for it.
    #[serde(default)]
    pub policy_types: Vec<String>,
    /// Who may come in.
    #[serde(default)]
    pub ingress: Vec<Ingress>,
    /// Where may be gone.
    #[serde(default)]
    pub egress: Vec<Egress>,
}

/// Who may come in.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ingress {
    /// From whom; empty for everybody.
    #[serde(default)]
    pub from: Vec<Peer>,
    /// To which ports; empty for all.
    #[serde(default)]
    pub ports: Vec<Port>,
}

/// Where may be gone.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Egress {
    /// To whom; empty for everybody.
    #[serde(default)]
    pub to: Vec<Peer>,
    /// To which ports; empty for all.
    #[serde(default)]
    pub ports: Vec<Port>,
}

/// One kind of other end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Pods in namespaces with these labels.
    pub namespace_selector: Option<Selector>,
    /// Pods with these labels.
    pub pod_selector: Option<Selector>,
    /// Addresses.
    pub ip_block: Option<IpBlock>,
}

/// Addresses.
#[derive(Clone, Debug, Deserialize)]
pub struct IpBlock {
    /// A network.
    pub cidr: Cidr,
    /// Networks in it that are not meant.
    #[serde(default)]
    pub except: Vec<Cidr>,
}

/// Labels that must be there; none for everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// Labels with their values.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on labels.
    #[serde(default)]
    pub match_expressions: Vec<Expression>,
}

/// A condition on a label.
#[derive(Clone, Debug, Deserialize)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, or `DoesNotExist`.
    pub operator: String,
    /// What it is compared with.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A port, or a range.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Port {
    /// `TCP`, `UDP`, or `SCTP`; `TCP` if it is not said.
    #[serde(default = "tcp")]
    pub protocol: String,
    /// A number; names of ports are not resolved and match nothing.
    pub port: Option<PortName>,
    /// The last of a range.
    pub end_port: Option<u16>,
}

/// A port by number or name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum PortName {
    /// By number.
    Number(u16),
    /// By name.
    Name(String),
}

fn tcp() -> String {
    "TCP".to_owned()
}

/// A network, `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Whether `address` is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
            IpAddr::V6(address) => address.to_bits(),
        };
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        let differ = bits(self.address) ^ bits(address);
        same_family && differ.leading_zeros() >= self.prefix.into()
    }

    /// Whether every address of `other` is in it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// Whether it is every address of its family.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a network like `10.0.0.0/8`")]
pub struct ParseCidrError;

impl std::str::FromStr for Cidr {
    type Err = ParseCidrError;

    fn from_str(text: &str) -> Result<Self, ParseCidrError> {
        let (address, prefix) = text.split_once('/').ok_or(ParseCidrError)?;
        let address: IpAddr = address.parse().map_err(|_| ParseCidrError)?;
        let prefix: u8 = prefix.parse().map_err(|_| ParseCidrError)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= bits)
            .then_some(Self { address, prefix })
            .ok_or(ParseCidrError)
    }
}

impl Selector {
    /// Whether something with these labels is meant.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|expression| {
                let value = labels.get(&expression.key);
                let listed = value.is_some_and(|value| expression.values.contains(value));
                match expression.operator.as_str() {
                    "In" => listed,
                    "NotIn" => !listed,
                    "Exists" => value.is_some(),
                    "DoesNotExist" => value.is_none(),
                    _ => false,
                }
            })
    }
}

impl Spec {
    /// Whether it closes the ingress of its pods.
    #[must_use]
    pub fn closes_ingress(&self) -> bool {
        self.policy_types.is_empty() || self.policy_types.iter().any(|kind| kind == "Ingress")
    }

    /// Whether it closes the egress of its pods.
    #[must_use]
    pub fn closes_egress(&self) -> bool {
        if self.policy_types.is_empty() {
            !self.egress.is_empty()
        } else {
            self.policy_types.iter().any(|kind| kind == "Egress")
        }
    }
}
