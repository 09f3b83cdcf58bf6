use bartizan_core::Category;
use bartizan_policy::{Policy, RefusalKey};

fn mistakes(yaml: &str) -> String {
    Policy::from_yaml(yaml).unwrap_err().to_string()
}

#[test]
fn every_mistake_is_told_with_its_place() {
    insta::assert_snapshot!(mistakes("rows:
  - { name: a, block: 1.5 }
  - { name: a, ask: 0.9, block: 0.8 }
  - { name: default.x, layer: [rules] }
allow:
  - { rule: pii.email, reason: '', expires: 2026-02-30 }
  - { rule: pii.email, text: abc, reason: r, expires: 2026-12-01 }
score: { serve: 0.5, review: 0.6 }
refusals:
  deutsch: { injection: Nein }
  de: { injection: '' }
default-locale: '?'
"), @r#"
2:5: `block` is 1.5, expected a number from 0 to 1
3:5: two rows are named `a`, names appear in decisions and must differ
3:5: row `a` is never reached, row `a` before it has no condition
3:5: `ask` can never act since `block` acts from a lower or the same confidence on, remove it or lower it
4:5: row `default.x`: names that start with `default.` are the built-in rows'
4:5: row `default.x` is never reached, row `a` before it has no condition
4:5: row `default.x` does nothing, give it one of `flag`, `redact`, `ask`, `block`, or `ignore: true`
6:5: `reason` is empty
6:5: an exception needs one of `text`, `origin`, `route`, `tenant`; to change a rule everywhere, add a row
6:5: `2026-02-30` is no day, write it as 2026-11-30
7:5: `text` is no keyed hash, expected at least 32 hexadecimal digits as printed by the decision
8:30: `review` is above `serve`, so nothing would be reviewed
10:25: `deutsch` is no locale, write it as `de` or `pt-BR`
11:20: `refusal text` is empty
12:17: `?` is no locale, write it as `de` or `pt-BR`
"#);
}

#[test]
fn unknown_fields_and_values_are_refused_with_their_place() {
    for (yaml, line, part) in [
        ("shadow: true\nshadows: 1\n", 2, "shadows"),
        (
            "rows:\n  - name: a\n    category: [injections]\n",
            3,
            "injections",
        ),
        ("layers:\n  rulez: {}\n", 2, "rulez"),
        ("layers:\n  rules: { on-incomplete: maybe }\n", 2, "maybe"),
    ] {
        let error = Policy::from_yaml(yaml).unwrap_err();
        assert_eq!(
            (error.mistakes.len(), error.mistakes[0].line),
            (1, line),
            "{error}"
        );
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn the_empty_file_is_the_default_policy() {
    for yaml in [
        "",
        "\n# nothing\n",
        "shadow: false",
        "layers: { rules: {} }",
    ] {
        assert_eq!(
            Policy::from_yaml(yaml).unwrap().version(),
            Policy::default().version(),
            "{yaml}"
        );
    }
}

#[test]
fn in_29_the_version_is_the_hash_of_what_the_file_means() {
    let one = Policy::from_yaml("shadow: true\nscore: { serve: 0.8 }").unwrap();
    let same = Policy::from_yaml("# comment\nscore:\n  serve: 0.80\nshadow: yes\n").unwrap();
    let other = Policy::from_yaml("score: { serve: 0.8 }").unwrap();
    assert_eq!(one.version(), same.version());
    assert_ne!(one.version(), other.version());
}

#[test]
fn own_refusal_texts_win() {
    let policy =
        Policy::from_yaml("default-locale: de\nrefusals: { de: { injection: Nein. } }").unwrap();
    let text = |category, locale| policy.refusal(RefusalKey::Category(category), locale);
    assert_eq!(text(Category::Injection, "de-CH"), "Nein.");
    assert_eq!(text(Category::Injection, "xx"), "Nein.");
    assert_eq!(
        text(Category::Jailbreak, "de"),
        "Bei dieser Anfrage kann ich nicht helfen."
    );
}

#[test]
fn the_schema_names_every_field() {
    let schema = serde_json::to_string(&bartizan_policy::schema()).unwrap();
    for field in [
        "shadow-rules",
        "on-incomplete",
        "prompt-extraction",
        "expires",
        "default-locale",
    ] {
        assert!(schema.contains(field), "{field}");
    }
}
