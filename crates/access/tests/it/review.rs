use bartizan_access::{
    Candidate, GrantState, Permission, Resource, ResourceKind, Review, Use, Who, who_can,
};

use super::{NOW, access, config, with_policies};

const DAY: i64 = 86_400_000;

#[test]
fn rb_12_conflicting_roles_are_flagged_over_several_grants() {
    let review = Review::of(
        &config(
            "grants:\n\
             - {id: a, user: 'corp:eve', roles: [auditor]}\n\
             - {id: b, user: 'corp:*', roles: [ml_engineer]}\n\
             - {id: c, user: bob, roles: [auditor, viewer]}\n\
             - {id: d, user: bob, roles: [admin], expires: 2020-01-01}\n",
        ),
        NOW,
        DAY,
        None,
    );
    let told: Vec<String> = review
        .conflicts
        .iter()
        .map(|one| {
            format!(
                "{}: {} by {}",
                one.grantee,
                one.roles.join("+"),
                one.grants.join(",")
            )
        })
        .collect();
    assert_eq!(told, ["user corp:eve: auditor+ml_engineer by a,b"]);
}

#[test]
fn rb_10_grants_that_end_and_that_nobody_uses_are_named() {
    let config = config(
        "grants:\n\
         - {user: eve, roles: [viewer], on: ['model:fraud'], expires: 2026-06-10}\n\
         - {user: eve, permissions: ['model:predict'], on: ['model:spam']}\n\
         - {user: old, roles: [viewer], expires: 2026-05-31}\n\
         - {group: g, roles: [admin]}\n\
         - {user: bob, denied: ['model:read']}\n",
    );
    let uses = [Use {
        user: "eve".to_owned(),
        permission: Permission::ModelPredict,
        resource: Some(Resource::new(ResourceKind::Model, "spam")),
    }];
    let review = Review::of(&config, NOW, 30 * DAY, Some(&uses));
    let told: Vec<(&str, Option<bool>)> = review
        .grants
        .iter()
        .map(|grant| (grant.state.as_str(), grant.used))
        .collect();
    assert_eq!(
        told,
        [
            ("expiring", Some(false)),
            ("active", Some(true)),
            ("expired", Some(false)),
            ("active", None),
            ("active", None)
        ]
    );
    assert!(review.grants[3].is_everything && !review.grants[0].is_everything);
    assert!(!review.is_clean());
    let without = Review::of(&config, NOW, 0, None);
    assert_eq!(without.grants[0].used, None);
    assert_eq!(without.grants[0].state, GrantState::Active);
}

#[test]
fn who_can_names_users_groups_scopes_and_keys() {
    let yaml = "grants:\n\
        - {user: eve, roles: [ml_engineer]}\n\
        - {user: eve, denied: ['model:predict'], on: ['model:secret']}\n\
        - {group: ml, roles: [viewer]}\n";
    let access = with_policies(
        yaml,
        "permit (principal == User::\"svc\", action == Action::\"model:predict\", resource);",
    )
    .unwrap();
    let key = Candidate {
        label: "key k1".to_owned(),
        who: Who {
            scopes: vec!["infer"],
            ..Who::named("k1")
        },
    };
    let can = |model: &str| -> Vec<String> {
        let resource = Resource::new(ResourceKind::Model, model);
        let key = std::slice::from_ref(&key);
        who_can(
            &access,
            &config(yaml),
            key,
            Permission::ModelPredict,
            &resource,
            NOW,
        )
        .into_iter()
        .map(|(who, decision)| format!("{} by {}", who.label, decision.policies.join(",")))
        .collect()
    };
    assert_eq!(
        can("fraud"),
        [
            "user eve by grants[0]",
            "user svc by own.cedar#1",
            "scope infer by scope.infer",
            "key k1 by scope.infer"
        ]
    );
    assert!(
        !can("secret")
            .iter()
            .any(|line| line.starts_with("user eve"))
    );
    let _ = access.len();
}

#[test]
fn nothing_to_review_is_clean() {
    assert!(Review::of(&config("{}"), NOW, DAY, Some(&[])).is_clean());
    assert!(!access("{}").is_empty());
}
