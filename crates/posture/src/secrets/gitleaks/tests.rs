use super::*;
use crate::secrets::SecretScanner;

fn config(text: &str) -> GitleaksConfig {
    GitleaksConfig::parse(text).unwrap()
}

/// What a file of rules finds in `text`: ids and secrets.
fn found(rules: &str, path: &str, commit: Option<&str>, text: &str) -> Vec<(String, String)> {
    let scanner = SecretScanner::with_rules(config(rules)).unwrap();
    let leaks = scanner
        .look(text.as_bytes(), Where { path, commit })
        .unwrap();
    leaks
        .into_iter()
        .map(|leak| {
            (
                leak.rule.id.to_string(),
                text.get(leak.secret).unwrap().to_owned(),
            )
        })
        .collect()
}

fn secrets(rules: &str, text: &str) -> Vec<String> {
    let found = found(rules, "a.txt", None, text).into_iter();
    found.map(|(_, secret)| secret).collect()
}

const RULE: &str = r#"
[[rules]]
id = "mine"
description = "A key of mine."
regex = '''\bmy-([a-z0-9]{4})-([a-z0-9]{4})\b'''
keywords = ["MY-"]
"#;

#[test]
fn scn_06_rules_load_and_find() {
    let hits = found(RULE, "a.txt", None, "k = my-ab12-cd34\n");
    assert_eq!(hits, [("gitleaks.mine".to_owned(), "ab12".to_owned())]);
    let second = format!("{RULE}secretGroup = 2\n");
    assert_eq!(secrets(&second, "my-ab12-cd34"), ["cd34"]);
    assert!(secrets(RULE, "no-ab12-cd34").is_empty());
}

#[test]
fn entropy_and_keywords_are_heeded() {
    let strict = format!("{RULE}entropy = 1.9\n");
    assert_eq!(secrets(&strict, "my-ab12-cd34"), ["ab12"]);
    assert!(secrets(&strict, "my-aaaa-cd34").is_empty());
    let other = RULE.replace("MY-", "elsewhere");
    assert!(secrets(&other, "my-ab12-cd34").is_empty());
    assert_eq!(secrets(&other, "Elsewhere my-ab12-cd34").len(), 1);
}

#[test]
fn paths_alone_accuse_files() {
    let rules = "[[rules]]\nid = \"key-file\"\npath = '''\\.pem$'''\n";
    assert_eq!(found(rules, "a/b.pem", None, "x").len(), 1);
    assert!(found(rules, "a/b.txt", None, "x").is_empty());
    let both = format!("{RULE}path = '''\\.env$'''\n");
    assert!(secrets(&both, "my-ab12-cd34").is_empty());
    assert_eq!(found(&both, ".env", None, "my-ab12-cd34").len(), 1);
}

#[test]
fn allow_lists_of_rules() {
    let with = |list: &str| format!("{RULE}[[rules.allowlists]]\n{list}\n");
    let text = "first my-ab12-cd34 # fixture\n";
    for (list, accepted) in [
        ("regexes = ['''ab12''']", true),
        ("regexes = ['''cd34''']", false),
        ("regexTarget = \"match\"\nregexes = ['''cd34$''']", true),
        ("regexTarget = \"line\"\nregexes = ['''fixture$''']", true),
        ("stopwords = [\"B1\"]", true),
        ("paths = ['''\\.txt$''']", true),
        ("paths = ['''\\.md$''']", false),
        (
            "condition = \"AND\"\npaths = ['''\\.txt$''']\nstopwords = [\"zz\"]",
            false,
        ),
        (
            "condition = \"AND\"\npaths = ['''\\.txt$''']\nstopwords = [\"ab\"]",
            true,
        ),
        ("commits = [\"c0ffee0\"]", false),
    ] {
        assert_eq!(secrets(&with(list), text).is_empty(), accepted, "{list}");
    }
    let commits = with("commits = [\"c0ffee0\"]");
    assert!(found(&commits, "a.txt", Some("c0ffee0123"), text).is_empty());
    // The older form has one table.
    let old = format!("{RULE}[rules.allowlist]\nregexes = ['''ab12''']\n");
    assert!(secrets(&old, text).is_empty());
}

#[test]
fn global_allow_lists() {
    let text = "my-ab12-cd34\n";
    for (list, accepted) in [
        ("[allowlist]\npaths = ['''a\\.txt''']", true),
        (
            "[[allowlists]]\ntargetRules = [\"mine\"]\nregexes = ['''ab12''']",
            true,
        ),
        (
            "[[allowlists]]\ntargetRules = [\"other\"]\nregexes = ['''ab12''']",
            false,
        ),
    ] {
        let rules = format!("{list}\n{RULE}");
        assert_eq!(secrets(&rules, text).is_empty(), accepted, "{list}");
    }
}

#[test]
fn the_default_rules_are_the_guards_own() {
    let key = "ghp_x7Kp2mQ9vRt4Zw8LbN3cYh6Jd1Sf5GaUoTe0";
    let text = format!("t = '{key}' my-ab12-cd34\n");
    assert_eq!(secrets(RULE, &text), ["ab12"]);
    let both = format!("[extend]\nuseDefault = true\n{RULE}");
    assert_eq!(secrets(&both, &text), [key, "ab12"]);
    let id = found(&both, "a", None, &text)[0].0.clone();
    let bare = id.strip_prefix("secret.").unwrap();
    let without = both.replace(
        "useDefault = true",
        &format!("useDefault = true\ndisabledRules = [\"{bare}\"]"),
    );
    assert_eq!(secrets(&without, &text), ["ab12"]);
}

#[test]
fn files_extend_files() {
    let base = config(
        "[[rules]]\nid = \"mine\"\nregex = '''never'''\n[[rules]]\nid = \"base\"\nregex = '''base-\\d'''\n[[rules]]\nid = \"gone\"\nregex = '''gone'''\n",
    );
    let own = config(&format!(
        "[extend]\npath = \"base.toml\"\ndisabledRules = [\"gone\"]\n{RULE}"
    ));
    assert_eq!(own.extends(), Some("base.toml"));
    let scanner = SecretScanner::with_rules(own.over(base).unwrap()).unwrap();
    let text = b"my-ab12-cd34 base-1 gone never";
    assert_eq!(scanner.look(text, Where::default()).unwrap().len(), 2);
}

#[test]
fn mistakes_have_lines() {
    let check = |text: &str, expected: &str| {
        let said = GitleaksConfig::parse(text).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    };
    check(
        "[[rules]]\nid = \"a\"\nregex = '''('''\n",
        "line 3: rule `a`: the expression",
    );
    check("[[rules]]\nregex = '''a'''\n", "line 1: a rule has no `id`");
    check("[[rules]]\nid = \"a\"\n", "neither `regex` nor `path`");
    check(
        "[[rules]]\nid = \"a\"\nregex = '''a'''\nsecretGroup = 1\n",
        "0 groups",
    );
    check(
        "[[rules]]\nid = \"a\"\nregex = '''a'''\nrequired = []\n",
        "line 4",
    );
    check("x = [\n", "line");
    check(
        "[allowlist]\ncondition = \"XOR\"\n",
        "line 2: unknown condition `XOR`",
    );
    let two = "[[rules]]\nid = \"a\"\nregex = '''('''\n[[rules]]\nid = \"a\"\nregex = '''['''\n";
    let Err(GitleaksError::Mistakes(mistakes)) = GitleaksConfig::parse(two) else {
        panic!("it has mistakes");
    };
    assert_eq!(mistakes.len(), 3);
}
