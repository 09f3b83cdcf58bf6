//! Decisions, at the edge of the crate.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail"
)]

mod files;
mod grants;
mod review;

use bartizan_access::{Access, AccessConfig, AccessError, Ask, Decision, Permission, PolicyFile};
use bartizan_access::{Resource, Who};

/// 2026-06-01, in milliseconds since 1970.
const NOW: i64 = 1_780_272_000_000;

fn config(yaml: &str) -> AccessConfig {
    serde_saphyr::from_str(yaml).unwrap()
}

fn access(yaml: &str) -> Access {
    Access::new(&config(yaml), &[]).unwrap()
}

fn with_policies(yaml: &str, text: &str) -> Result<Access, AccessError> {
    let file = PolicyFile {
        name: "own.cedar".to_owned(),
        text: text.to_owned(),
    };
    Access::new(&config(yaml), &[file])
}

fn decide(access: &Access, who: &Who, permission: &str, resource: &str) -> Decision {
    let permission = Permission::named(permission).unwrap();
    let resource = Resource::parse(resource, permission.kinds()[0]);
    access.decide(&Ask {
        who,
        permission,
        resource: &resource,
        now_ms: NOW,
    })
}

fn may(access: &Access, user: &str, permission: &str, resource: &str) -> bool {
    decide(access, &Who::named(user), permission, resource).is_allowed()
}
