use bartizan_access::{
    Access, AccessConfig, Because, Permission, ROLES, Who, cedar_schema, truth_table,
};

use super::{NOW, access, config, decide, may};

#[test]
fn rb_01_the_eleven_permissions_have_the_names_of_the_seed() {
    let names: Vec<&str> = Permission::all().take(11).map(Permission::as_str).collect();
    assert_eq!(
        names,
        [
            "model:read",
            "model:write",
            "model:deploy",
            "model:delete",
            "model:predict",
            "data:read",
            "data:write",
            "experiment:read",
            "experiment:write",
            "audit:read",
            "admin"
        ]
    );
}

#[test]
fn rb_02_the_truth_table_of_55_cells_holds() {
    let outcome = truth_table().unwrap();
    assert_eq!(outcome.asked, 55);
    assert_eq!(outcome.failures, []);
    let roles: Vec<&str> = ROLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        roles,
        [
            "viewer",
            "data_scientist",
            "ml_engineer",
            "auditor",
            "admin"
        ]
    );
}

#[test]
fn rb_03_permissions_are_added_and_denied_per_user() {
    let access = access(
        "grants: [{user: eve, roles: [viewer], permissions: ['model:predict'], denied: ['experiment:read']}]",
    );
    assert!(may(&access, "eve", "model:read", "m"));
    assert!(may(&access, "eve", "model:predict", "m"));
    assert!(!may(&access, "eve", "experiment:read", "e"));
    assert!(!may(&access, "eve", "model:write", "m"));
    assert!(!may(&access, "mallory", "model:read", "m"));
}

#[test]
fn if_23_the_fields_of_the_seed_are_taken() {
    let access = access(
        "grants: [{user_id: eve, roles: [viewer], extra_permissions: ['data:read'], denied_permissions: ['model:read']}]",
    );
    assert!(may(&access, "eve", "data:read", "d"));
    assert!(!may(&access, "eve", "model:read", "d"));
}

const DENIED_ADMIN: &str =
    "grants: [{id: root, user: eve, roles: [admin], denied: ['model:predict']}]\n";

#[test]
fn ws_51_a_denied_admin_is_denied() {
    let strict = access(DENIED_ADMIN);
    let decision = decide(&strict, &Who::named("eve"), "model:predict", "m");
    assert_eq!(decision.because, Because::Forbidden);
    assert_eq!(&*decision.policies[0], "root/denied");
    assert!(may(&strict, "eve", "model:delete", "m"));
}

#[test]
fn ws_51_the_seeds_order_can_be_had_and_is_for_admins_only() {
    let text = format!("{DENIED_ADMIN}dangerously-admin-ignores-denied: true\n");
    assert!(may(&access(&text), "eve", "model:predict", "m"));
    let viewer = "grants: [{user: eve, roles: [viewer], denied: ['model:read']}]\ndangerously-admin-ignores-denied: true\n";
    assert!(!may(&access(viewer), "eve", "model:read", "m"));
    // Admin of one model is admin of nothing else.
    let scoped = "grants: [{user: eve, roles: [admin], denied: ['model:predict'], on: ['model:m']}]\ndangerously-admin-ignores-denied: true\n";
    assert!(!may(&access(scoped), "eve", "model:predict", "m"));
}

#[test]
fn ws_52_a_grant_on_one_model_is_none_on_another() {
    let access = access(
        "grants:\n- {user: eve, roles: [data_scientist], on: ['model:fraud', 'model:spam-*', 'dataset:claims']}\n",
    );
    assert!(may(&access, "eve", "model:read", "fraud"));
    assert!(may(&access, "eve", "model:predict", "spam-2"));
    assert!(may(&access, "eve", "data:read", "claims"));
    assert!(may(&access, "eve", "data:read", "dataset:claims"));
    for other in ["fraud2", "spam", "model:claims", "fraud-1"] {
        assert!(!may(&access, "eve", "model:read", other), "{other}");
    }
    assert!(!may(&access, "eve", "data:read", "document:claims"));
}

#[test]
fn ws_52_unknown_words_are_mistakes_with_their_place() {
    let config = config(
        "roles: {releaser: {permissions: ['model:depoy']}, viewer: {}}\n\
         conflicts: [[auditor, nobody]]\n\
         resources: [{name: fraud, tenant: ''}]\n\
         grants:\n\
         - {user: eve, roles: [viever], permissions: ['model:reed'], on: ['modl:x']}\n\
         - {user: eve, group: g, roles: [viewer]}\n\
         - {user: 'a*b', roles: [viewer]}\n\
         - {scope: infre, roles: [viewer], expires: tomorrow}\n\
         - {user: eve}\n\
         - {user: eve, permissions: ['data:read'], on: ['model:x']}\n\
         - {id: one, user: a, roles: [viewer]}\n\
         - {id: one, user: b, roles: [viewer]}\n",
    );
    let mistakes = config.check(&bartizan_access::SCOPES);
    let text: Vec<String> = mistakes
        .iter()
        .map(|(at, what)| format!("{at}: {}", what.split(';').next().unwrap()))
        .collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    roles.releaser.permissions[0]: there is no permission `model:depoy`
    roles.viewer: `viewer` is a built-in role
    conflicts[0]: there is no role `nobody`
    resources[0].name: `fraud` is no resource
    resources[0].tenant: is no name
    grants[0].roles[0]: there is no role `viever`
    grants[0].permissions[0]: there is no permission `model:reed`
    grants[0].on[0]: `modl:x` is no resource
    grants[1]: needs one of `user`, `group`, `team`, and `scope`, with a name of at most 256 bytes
    grants[2]: needs one of `user`, `group`, `team`, and `scope`, with a name of at most 256 bytes
    grants[3].scope: there is no scope `infre`
    grants[3].expires: is no day and no moment
    grants[4]: gives nothing and denies nothing
    grants[5].permissions[0]: `data:read` is about nothing that `on` names
    grants[7].id: stands twice
    "#);
    assert!(Access::new(&config, &[]).is_err());
}

#[test]
fn grants_end() {
    let at = |expires: &str| {
        may(
            &access(&format!(
                "grants: [{{user: eve, roles: [viewer], denied: ['data:read'], expires: '{expires}'}}]"
            )),
            "eve",
            "model:read",
            "m",
        )
    };
    assert!(!at("2026-05-31"), "its last day is over");
    assert!(at("2026-06-01"), "its last day is today");
    assert!(!at("2026-06-01T00:00:00Z"));
    assert!(at("2026-06-01T00:00:01Z"));
}

#[test]
fn what_is_denied_stays_denied_when_the_grant_has_ended() {
    let access = access(
        "grants:\n- {user: eve, denied: ['model:read'], expires: 2020-01-01}\n- {user: eve, roles: [viewer]}\n",
    );
    assert!(!may(&access, "eve", "model:read", "m"));
}

#[test]
fn tenants_are_apart_for_administrators_too() {
    let access = access(
        "grants: [{user: '*', roles: [admin]}, {user: bob, roles: [viewer], tenant: acme}]\n\
         resources: [{name: 'model:acme-*', tenant: acme}]\n",
    );
    let of = |tenant: &str| Who {
        tenant: tenant.into(),
        ..Who::named("eve")
    };
    assert!(decide(&access, &of("acme"), "model:read", "acme-1").is_allowed());
    for other in ["", "globex"] {
        let decision = decide(&access, &of(other), "model:read", "acme-1");
        assert_eq!(&*decision.policies[0], "tenant.isolation", "{other}");
    }
    assert!(decide(&access, &of("globex"), "model:read", "free").is_allowed());
}

#[test]
fn rb_11_groups_teams_and_certificates_have_roles() {
    let access = access(
        "grants:\n\
         - {group: 'corp:ml', roles: [ml_engineer]}\n\
         - {team: fraud, roles: [viewer], on: ['model:fraud']}\n\
         - {user: 'certificate:spiffe://example.org/*', roles: [auditor]}\n",
    );
    let member = Who {
        groups: vec!["corp:other".into(), "corp:ml".into()],
        ..Who::named("corp:eve")
    };
    assert!(decide(&access, &member, "model:deploy", "m").is_allowed());
    let team = Who {
        team: "fraud".into(),
        ..Who::named("key")
    };
    assert!(decide(&access, &team, "model:read", "fraud").is_allowed());
    assert!(!decide(&access, &team, "model:read", "m").is_allowed());
    assert!(may(
        &access,
        "certificate:spiffe://example.org/a",
        "audit:read",
        "requests"
    ));
    assert!(!may(
        &access,
        "certificate:spiffe://example.com/a",
        "audit:read",
        "requests"
    ));
    // Nobody is a group by being named like one.
    assert!(!may(&access, "corp:ml", "model:deploy", "m"));
}

#[test]
fn scopes_permit_what_they_are_named_for_unless_switched_off() {
    let who = Who {
        scopes: vec!["infer", "admin"],
        ..Who::named("key")
    };
    let open = Access::built_in().unwrap();
    assert!(decide(&open, &who, "model:predict", "any").is_allowed());
    assert!(decide(&open, &who, "admin", "route:/admin/keys").is_allowed());
    assert!(!decide(&open, &who, "admin", "system:bartizan").is_allowed());
    assert!(!decide(&open, &who, "audit:read", "requests").is_allowed());
    assert!(!decide(&open, &who, "model:write", "any").is_allowed());
    assert!(open.may_permit(&who, Permission::ModelPredict));
    assert!(!open.may_permit(&who, Permission::AuditRead));
    let closed = access("scopes: false\n");
    assert!(!decide(&closed, &who, "model:predict", "any").is_allowed());
    assert!(!closed.may_permit(&who, Permission::ModelPredict));
}

#[test]
fn own_roles_are_roles() {
    let access = access(
        "roles: {releaser: {permissions: ['model:deploy', 'model:read']}}\n\
         grants: [{user: eve, roles: [releaser]}]\n",
    );
    assert!(may(&access, "eve", "model:deploy", "m"));
    assert!(!may(&access, "eve", "model:delete", "m"));
}

#[test]
fn the_version_is_that_of_what_decides() {
    let (one, two) = (access(DENIED_ADMIN), access(DENIED_ADMIN));
    assert_eq!(one.version(), two.version());
    assert_ne!(one.version(), access("scopes: false").version());
    assert_ne!(
        one.version(),
        access(&DENIED_ADMIN.replace("model:predict", "model:read")).version()
    );
}

#[test]
fn the_schema_names_roles_as_groups_of_actions() {
    let schema = cedar_schema(access("{}").roles());
    assert!(schema.contains(
        r#"action "audit:read" in ["role:admin", "role:auditor"] appliesTo { principal: [User], resource: [Record]"#
    ), "{schema}");
    let _ = (NOW, AccessConfig::default());
}
