//! `bartizan keys`, beside a gateway that runs and without one.

use bartizan_gateway::{
    record::{AuditStore as _, Query, SqlAudit, What},
    store::Store,
};
use serde_json::Value;

use crate::serving::{Home, until};

const QUICK: &str = "identity:\n  poll-ms: 50\n";

/// What a command says as JSON.
fn json(home: &Home, arguments: &[&str]) -> Value {
    let place = ["--data", "data", "--format", "json"];
    let run = home.run(&[&["keys"], arguments, &place].concat());
    assert_eq!(run.code, 0, "{}", run.all());
    serde_json::from_str(&run.stdout).unwrap()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

#[test]
fn keys_are_managed_beside_a_gateway_that_runs() {
    let home = Home::new();
    home.write("bartizan.yaml", QUICK);
    let serving = home.serve(&["--config", "bartizan.yaml"]);
    let first = serving.key().unwrap();
    let create = [
        "create",
        "a service",
        "--scope",
        "infer",
        "--scope",
        "metrics",
    ];
    let more = ["--team", "red", "--model", "echo*", "--expires-in", "90d"];
    let made = json(&home, &[&create[..], &more].concat());
    let (id, key) = (text(&made, "/info/id"), text(&made, "/key"));
    assert_eq!(made.pointer("/info/team").unwrap(), "red");
    let lives = made.pointer("/info/expires_ms").unwrap().as_u64().unwrap()
        - made.pointer("/info/created_ms").unwrap().as_u64().unwrap();
    assert!((89..=90).contains(&(lives / 86_400_000)), "{lives}");
    until("the gateway knows the new key", || {
        serving.chat(key, "Hello.").status == 200
    });

    // Both live while the former one is to go on; without overlap it ends at once.
    let second = json(&home, &["rotate", id, "--overlap", "1h"]);
    let second = text(&second, "/key");
    until("the second secret", || {
        serving.chat(second, "Hello.").status == 200
    });
    assert_eq!(serving.chat(key, "Hello.").status, 200);
    let third = json(&home, &["rotate", id]);
    let third = text(&third, "/key");
    until("the former ones end", || {
        serving.chat(second, "Hello.").status == 401
    });
    assert_eq!(serving.chat(key, "Hello.").status, 401);
    until("the third secret", || {
        serving.chat(third, "Hello.").status == 200
    });

    let listed = json(&home, &["list"]);
    assert_eq!(
        listed.pointer("/keys").unwrap().as_array().unwrap().len(),
        2
    );
    let shown = home.run(&["keys", "list", "--data", "data"]);
    for said in [
        id,
        "a service",
        "may infer, metrics",
        "models echo*",
        "team red",
        "2 keys",
    ] {
        assert!(shown.stdout.contains(said), "{said}: {}", shown.all());
    }
    for secret in [first.as_str(), key, second, third] {
        let secret = secret.get(16..40).unwrap();
        assert!(!shown.all().contains(secret) && !listed.to_string().contains(secret));
    }

    let gone = home.run(&["keys", "revoke", id, "--data", "data"]);
    assert_eq!(gone.code, 0, "{}", gone.all());
    assert!(
        gone.stdout.contains("50 ms") || gone.stdout.contains("500 ms"),
        "{}",
        gone.all()
    );
    until("the revoked key is refused", || {
        serving.chat(third, "Hello.").status == 401
    });
    let again = home.run(&["keys", "revoke", id, "--data", "data"]);
    assert_eq!(again.code, 2, "{}", again.all());
    assert!(
        again.stderr.contains("bartizan keys list"),
        "{}",
        again.all()
    );
    assert_eq!(serving.chat(&first, "Hello.").status, 200);

    // Also when nothing runs; and everything is in the record.
    serving.signal("TERM");
    assert_eq!(serving.end(), Some(0));
    let offline = json(&home, &["create", "later"]);
    assert_eq!(offline.pointer("/info/scopes/0").unwrap(), "infer");
    assert_eq!(
        recorded(&home),
        ["create", "rotate", "rotate", "revoke", "create"]
            .map(|action| ("command-line".to_owned(), action.to_owned()))
    );
    let serving = home.serve(&[]);
    assert_eq!(serving.chat(text(&offline, "/key"), "Hello.").status, 200);
    assert_eq!(serving.chat(third, "Hello.").status, 401);
}

/// Who did what to keys.
fn recorded(home: &Home) -> Vec<(String, String)> {
    let file = home.path("data/bartizan.db").display().to_string();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let events = runtime.block_on(async {
        let store = Store::open(&file).await.unwrap();
        let query = Query {
            kind: Some("key_management".to_owned()),
            ..Query::default()
        };
        SqlAudit::new(store).query(&query).await.unwrap()
    });
    let told = events.into_iter().map(|stored| match stored.event.what {
        What::KeyManagement(event) => (
            event.user_id.as_str().to_owned(),
            event.action.as_str().to_owned(),
        ),
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_made() {
    let home = Home::new();
    let nowhere = home.run(&["keys", "create", "a", "--data", "data"]);
    assert_eq!(nowhere.code, 2, "{}", nowhere.all());
    assert!(
        nowhere.stderr.contains("there is no database"),
        "{}",
        nowhere.all()
    );
    assert!(!home.path("data").exists() && !home.path("config").exists());

    drop(home.serve(&[]));
    for (arguments, said) in [
        (&["create", "a", "--scope", "infr"][..], "infer"),
        (&["create", "a", "--expires-in", "soon"], "90d"),
        (&["create", "a\u{1b}[1m"], "control characters"),
        (&["create", "a", "--team", "a b"], "without spaces"),
        (&["rotate", "key-0"], "bartizan keys list"),
        (&["revoke", "key-0"], "bartizan keys list"),
    ] {
        let run = home.run(&[&["keys"], arguments, &["--data", "data"]].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.all());
        assert!(run.stderr.contains(said), "{arguments:?}: {}", run.all());
        assert!(!run.all().contains("bz_"), "{}", run.all());
    }
    // Another user's settings lead to another master key, which no gateway knows.
    let mut command = home.command(&["keys", "create", "a", "--data", "data"]);
    let output = command.env("XDG_CONFIG_HOME", home.path("other")).output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no master key"), "{said}");
    assert!(!home.path("other").exists());
    // Files that the gateway's user could not write would be left beside the database. Only root
    // can give a file away, so that others cannot try.
    let file = home.path("data/bartizan.db");
    if std::os::unix::fs::chown(&file, Some(12_345), None).is_ok() {
        let run = home.run(&["keys", "list", "--data", "data"]);
        assert_eq!(run.code, 2, "{}", run.all());
        assert!(run.stderr.contains("the user 12345"), "{}", run.all());
    }
}
