//! The Cedar schema that policies are checked against: entities, actions, and roles as groups of
//! actions.

use std::fmt::Write as _;

use crate::{permission::Permission, resource::ResourceKind, role::Roles};

/// The schema in the Cedar language (<https://docs.cedarpolicy.com/schema/human-readable-schema.html>).
///
/// A role `viewer` is the group of actions `role:viewer`, so that a policy permits
/// `action in Action::"role:viewer"` for some principals on some resources.
#[must_use]
pub fn cedar_schema(roles: &Roles) -> String {
    let mut text = String::from(
        "// Who asks. Groups come from claims of tokens, scopes and teams from credentials.\n\
         entity Group, Scope, Team;\n\
         entity User in [Group, Scope, Team] = { name: String, tenant: String };\n\n\
         // What it is about; `tenant` is empty for what belongs to no tenant.\n",
    );
    let kinds: Vec<&str> = ResourceKind::all().map(ResourceKind::entity).collect();
    let _ = writeln!(
        text,
        "entity {} = {{ name: String, tenant: String }};\n",
        kinds.join(", ")
    );
    text.push_str("// `now` is the time, to the second; `unix` the same as seconds since 1970, which is faster.\n");
    text.push_str("// Roles are groups of actions.\n");
    for role in roles.names() {
        let _ = writeln!(text, "action \"role:{role}\";");
    }
    text.push('\n');
    for permission in Permission::all() {
        let groups: Vec<String> = roles
            .names()
            .filter(|role| roles.gives(role, permission))
            .map(|role| format!("\"role:{role}\""))
            .collect();
        let kinds: Vec<&str> = permission
            .kinds()
            .iter()
            .map(|kind| kind.entity())
            .collect();
        let _ = writeln!(
            text,
            "action \"{permission}\" in [{}] appliesTo {{ principal: [User], resource: [{}], context: {{ now: datetime, unix: Long }} }};",
            groups.join(", "),
            kinds.join(", ")
        );
    }
    text
}
