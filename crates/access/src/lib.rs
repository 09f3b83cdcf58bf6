//! Who may do what: permissions, roles, grants, and policies in the Cedar language.
//!
//! An [`AccessConfig`] and the policy files that it names become an [`Access`], which answers an
//! [`Ask`] with a [`Decision`]. What nothing permits is denied. What anything forbids is denied, for
//! administrators too. A policy that cannot be asked denies. No IO, no clock, no randomness.
//!
//! Grants are turned into policies, so that there is one mechanism: the policies of
//! [Cedar](https://www.cedarpolicy.com), checked against [`cedar_schema`].

mod access;
mod compile;
mod config;
mod decision;
mod expect;
mod index;
mod permission;
mod resource;
mod review;
mod role;
mod schema;
mod source;
mod time;
mod who;

pub use access::{Access, AccessError, Ask, SCOPES};
pub use config::{AccessConfig, GrantConfig, Grantee, ResourceConfig, RoleConfig};
pub use decision::{Because, Decision};
pub use expect::{Expectation, Expectations, Failure, Outcome, truth_table};
pub use permission::Permission;
pub use resource::{Pattern, Resource, ResourceKind, Scope};
pub use review::{Candidate, Conflict, GrantState, Review, ReviewedGrant, Use, who_can};
pub use role::{CONFLICTS, ROLES, Roles};
pub use schema::cedar_schema;
pub use source::{Mistake, PolicyFile};
pub use who::Who;
