//! The record from outside: its schema, and PostgreSQL.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bartizan_gateway::{
    clock::SystemClock,
    record::{
        AuditStore, Gap, Interaction, Query, RecordConfig, Recorder, RequestId, SqlAudit, What,
        schema,
    },
    store::Store,
};

/// AUD-10: the schema is a file, and a change of it is seen. `UPDATE_SCHEMAS=1` writes it.
#[test]
fn aud_10_the_schema_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/audit-event.v1.json");
    let mut now = schema().to_value();
    // The order of keys must not hang on what else is compiled in.
    now.sort_all_objects();
    let now = schemars::Schema::try_from(now).unwrap();
    let now = serde_json::to_string_pretty(&now).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), now);
    for kind in What::KINDS {
        assert!(now.contains(&format!("\"const\": \"{kind}\"")), "{kind}");
    }
}

/// A PostgreSQL of this test's own, which ends with it.
struct Postgres {
    folder: tempfile::TempDir,
    binaries: PathBuf,
    port: u16,
}

impl Postgres {
    /// `None` where no PostgreSQL is installed.
    fn start() -> Option<Self> {
        let binaries = fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .find(|path| path.join("initdb").exists())?;
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let postgres = Self {
            folder,
            binaries,
            port,
        };
        let own = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        if own {
            // PostgreSQL refuses to run as root.
            let owned = Command::new("chown")
                .arg("nobody")
                .arg(postgres.folder.path())
                .status();
            assert!(owned.unwrap().success());
        }
        let data = postgres.folder.path().join("data");
        let data = data.to_str().unwrap();
        postgres.run(
            "initdb",
            &["-D", data, "-A", "trust", "-U", "bartizan", "-N"],
        );
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {}",
            postgres.folder.path().display()
        );
        postgres.run("pg_ctl", &["-D", data, "-w", "-o", &options, "start"]);
        Some(postgres)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.runs(program, arguments), "{program} {arguments:?}");
    }

    fn runs(&self, program: &str, arguments: &[&str]) -> bool {
        let program = self.binaries.join(program);
        let own = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let mut command = if own {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=nobody", "--clear-groups", "--"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        let done = command
            .args(arguments)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        done.unwrap().success()
    }

    fn url(&self) -> String {
        format!("postgres://bartizan@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        self.runs(
            "pg_ctl",
            &["-D", data.to_str().unwrap(), "-m", "immediate", "stop"],
        );
    }
}

#[tokio::test]
async fn postgres_keeps_the_record_of_two_gateways() {
    let Some(postgres) = Postgres::start() else {
        assert!(
            std::env::var("BARTIZAN_TEST_POSTGRES").as_deref() != Ok("required"),
            "no PostgreSQL is installed"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let config = || RecordConfig {
        wait_ms: 10_000,
        ..RecordConfig::default()
    };
    let mut recorders = Vec::new();
    for name in ["one", "two"] {
        let store = Store::open(&postgres.url()).await.unwrap();
        let audit: Arc<dyn AuditStore> = Arc::new(SqlAudit::new(store));
        let clock = Arc::new(SystemClock);
        let journal = folder.path().join(name);
        let opened = Recorder::open(config(), &journal, audit, &[1; 32], clock, Vec::new());
        recorders.push(opened.await.unwrap());
    }
    let mut last = None;
    for recorder in &recorders {
        for _ in 0..100 {
            let id = RequestId::new(&SystemClock);
            let slot = recorder
                .admit(id, "key_1".into(), "/v1/messages")
                .await
                .unwrap();
            slot.finish(Interaction {
                user_id: "key_1".into(),
                ..Interaction::default()
            })
            .await
            .unwrap();
            last = Some(id);
        }
        recorder.emit(What::Gap(Gap::default())).await.unwrap();
        recorder.flush().await.unwrap();
    }
    let [one, _] = recorders.as_slice() else {
        panic!("two")
    };
    let store = one.store();
    assert_eq!(store.count(&Query::default()).await.unwrap(), 202);
    let about = Query {
        principal: Some("key_1".to_owned()),
        kind: Some("llm_interaction".to_owned()),
        limit: 7,
        ..Query::default()
    };
    assert_eq!(store.count(&about).await.unwrap(), 200);
    assert_eq!(store.query(&about).await.unwrap().len(), 7);
    assert!(one.story(last.unwrap()).await.unwrap().is_some());
    let days = store.days(0, u64::MAX >> 1).await.unwrap();
    assert_eq!(days.iter().map(|day| day.count).sum::<u64>(), 202);

    // The record is append-only here too.
    let change = Command::new("psql")
        .args([&postgres.url(), "-c", "DELETE FROM audit_events"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&change.stderr).contains("append-only"));

    // The database is lost: events gather, and are moved when it is back.
    let data = postgres.folder.path().join("data");
    postgres.run(
        "pg_ctl",
        &["-D", data.to_str().unwrap(), "-m", "immediate", "stop"],
    );
    one.emit(What::Gap(Gap::default())).await.unwrap();
    let lost = async {
        while one.store_answers() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), lost)
        .await
        .unwrap();
    assert!(one.backlog() > 0);
    let options = format!(
        "-p {} -c listen_addresses=127.0.0.1 -c fsync=off -k {}",
        postgres.port,
        postgres.folder.path().display()
    );
    postgres.run(
        "pg_ctl",
        &["-D", data.to_str().unwrap(), "-w", "-o", &options, "start"],
    );
    one.flush().await.unwrap();
    assert_eq!(one.store().count(&Query::default()).await.unwrap(), 203);
}
