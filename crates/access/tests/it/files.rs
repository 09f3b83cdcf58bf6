use bartizan_access::{AccessError, Because, Expectations, Who};

use super::{access, decide, may, with_policies};

/// The mistakes of a policy file, a line each.
fn mistakes(text: &str) -> String {
    match with_policies("{}", text) {
        Err(AccessError::Policies(mistakes)) => {
            let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            all.join("\n")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn policies_of_a_file_count_beside_the_grants() {
    let access = with_policies(
        "grants: [{user: eve, roles: [admin]}]",
        "@id(\"freeze\") forbid (principal, action == Action::\"model:deploy\", resource == Model::\"prod\");\n\
         permit (principal in Group::\"red\", action == Action::\"tool:call\", resource == Tool::\"shell\");\n",
    )
    .unwrap();
    let frozen = decide(&access, &Who::named("eve"), "model:deploy", "prod");
    assert_eq!(frozen.because, Because::Forbidden);
    assert_eq!(&*frozen.policies[0], "freeze");
    assert!(may(&access, "eve", "model:deploy", "test"));
    let red = Who {
        groups: vec!["red".into()],
        ..Who::named("bob")
    };
    let called = decide(&access, &red, "tool:call", "shell");
    assert!(called.is_allowed());
    assert_eq!(&*called.policies[0], "own.cedar#2");
}

#[test]
fn rb_07_mistakes_in_policies_have_lines() {
    insta::assert_snapshot!(mistakes("permit (principal, action, resource)\nwhen { true };\n\npermit (prncipal, action, resource);\n"), @"own.cedar:4:9: found an invalid variable in the policy scope: prncipal; hint: policy scopes must contain a `principal`, `action`, and `resource` element in that order");
    insta::assert_snapshot!(mistakes("permit (principal, action, resource);\npermit (principal, action == Action::\"model:reed\", resource);\n"), @r#"own.cedar:2:30: unrecognized action `Action::"model:reed"`; hint: did you mean `Action::"model:read"`?"#);
    insta::assert_snapshot!(mistakes("\npermit (principal, action in Action::\"role:viever\", resource);\n"), @r#"own.cedar:2:30: unrecognized action `Action::"role:viever"`; hint: did you mean `Action::"role:viewer"`?"#);
    insta::assert_snapshot!(mistakes("permit (principal, action, resource)\nwhen { resource.owner == principal };\n"), @"own.cedar:2:8: attribute `owner` on entity type `Dataset` not found; hint: did you mean `name`?");
    insta::assert_snapshot!(mistakes("permit (principal in\n  Scope::\"infre\", action, resource);\n"), @"own.cedar:2:3: there is no scope `infre`; did you mean `infer`?");
    insta::assert_snapshot!(mistakes("@id(\"a\") permit (principal, action, resource);\n@id(\"a\") forbid (principal, action, resource);\n"), @"own.cedar:2:29: two policies have the id `a`; decisions name policies");
    insta::assert_snapshot!(mistakes("permit (principal == ?principal, action, resource);\n"), @"own.cedar:1:22: templates are not taken; name the principal and the resource");
}

#[test]
fn a_policy_that_cannot_be_asked_denies() {
    let access = with_policies(
        "grants: [{user: eve, roles: [admin]}]",
        "@id(\"broken\") forbid (principal, action, resource is Model) when { 9223372036854775807 + 1 == 0 };",
    )
    .unwrap();
    let decision = decide(&access, &Who::named("eve"), "model:read", "m");
    assert_eq!(decision.because, Because::Unclear);
    assert_eq!(&*decision.policies[0], "broken");
    assert!(may(&access, "eve", "data:read", "d"));
}

#[test]
fn ids_differ_over_files_and_grants() {
    let error = with_policies(
        "grants: [{id: one, user: eve, roles: [viewer]}]",
        "@id(\"one\") permit (principal == User::\"a\", action, resource);",
    );
    assert!(matches!(error, Err(AccessError::Policies(_))), "{error:?}");
}

#[test]
fn expectations_are_tested() {
    let access = access("grants: [{user: eve, roles: [viewer], expires: 2026-12-31}]");
    let yaml = "expect:\n\
        - {user: eve, action: 'model:read', resource: fraud, decision: allow}\n\
        - {user: eve, action: 'model:read', resource: fraud, at: '2027-01-02T00:00:00Z', decision: deny}\n\
        - {user: eve, action: 'model:write', resource: fraud, decision: allow}\n\
        - {user: key, scopes: [infer], action: 'model:predict', resource: fraud, decision: allow}\n";
    let outcome = Expectations::from_yaml("e.yaml", yaml)
        .unwrap()
        .test(&access, super::NOW);
    assert_eq!(outcome.asked, 4);
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(outcome.failures[0].expected.line, 4);
    assert_eq!(outcome.failures[0].reason, "not-permitted");
}

#[test]
fn mistakes_in_expectations_have_lines() {
    let yaml = "expect:\n\
        - {user: eve, action: 'model:reed', resource: fraud, decision: allow}\n\
        - {scopes: [infre], action: 'model:read', resource: fraud, decision: allow}\n";
    let mistakes = Expectations::from_yaml("e.yaml", yaml).unwrap_err();
    let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    e.yaml:2:3: there is no permission `model:reed`; did you mean `model:read`?
    e.yaml:3:3: there is no scope `infre`; did you mean `infer`?
    "#);
    let none = Expectations::from_yaml("e.yaml", "expects: []\n").unwrap_err();
    assert_eq!(none[0].line, 1);
}
