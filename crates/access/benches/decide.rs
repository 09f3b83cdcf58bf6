//! The time of one decision with 1,000 policies, by how well their scopes divide them.

use bartizan_access::{Access, AccessConfig, Ask, GrantConfig, Permission, PolicyFile};
use bartizan_access::{Resource, ResourceKind, Who};
use divan::Bencher;

fn main() {
    divan::main();
}

const POLICIES: usize = 1_000;

fn grant(user: String, on: Vec<String>) -> GrantConfig {
    GrantConfig {
        user: Some(user),
        roles: vec!["data_scientist".to_owned()],
        on,
        expires: Some("2030-12-31".to_owned()),
        ..GrantConfig::default()
    }
}

fn access(grants: Vec<GrantConfig>, policies: String) -> Option<Access> {
    let config = AccessConfig {
        grants,
        ..AccessConfig::default()
    };
    let file = PolicyFile {
        name: "bench".to_owned(),
        text: policies,
    };
    Access::new(&config, &[file]).ok()
}

fn decide(bencher: Bencher<'_, '_>, access: Option<Access>) {
    let Some(access) = access else {
        return;
    };
    let who = Who {
        groups: vec!["corp:ml".into(), "corp:all".into()],
        scopes: vec!["infer"],
        ..Who::named("corp:user-500")
    };
    let resource = Resource::new(ResourceKind::Model, "model-500");
    bencher.bench(|| {
        access.decide(&Ask {
            who: &who,
            permission: Permission::ModelPredict,
            resource: &resource,
            now_ms: 1_780_272_000_000,
        })
    });
}

/// No configuration: scopes alone.
#[divan::bench(sample_count = 200, sample_size = 50)]
fn built_in(bencher: Bencher<'_, '_>) {
    decide(bencher, access(Vec::new(), String::new()));
}

/// A grant for each of 1,000 users.
#[divan::bench(sample_count = 200, sample_size = 50)]
fn a_thousand_users(bencher: Bencher<'_, '_>) {
    let grants = (0..POLICIES).map(|n| grant(format!("corp:user-{n}"), Vec::new()));
    decide(bencher, access(grants.collect(), String::new()));
}

/// A policy for each of 1,000 models, for whoever asks.
#[divan::bench(sample_count = 200, sample_size = 50)]
fn a_thousand_models(bencher: Bencher<'_, '_>) {
    let policies = (0..POLICIES).map(|n| {
        format!("permit (principal in Group::\"corp:ml\", action in Action::\"role:ml_engineer\", resource == Model::\"model-{n}\");\n")
    });
    decide(bencher, access(Vec::new(), policies.collect()));
}

/// Ten grants with a star for each of 100 groups of names: none can be left out by its scope.
#[divan::bench(sample_count = 100, sample_size = 5)]
fn a_thousand_stars(bencher: Bencher<'_, '_>) {
    let grants = (0..POLICIES).map(|n| grant("corp:*".to_owned(), vec![format!("model:m-{n}-*")]));
    decide(bencher, access(grants.collect(), String::new()));
}
