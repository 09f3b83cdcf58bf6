use std::{convert::Infallible, path::Path, sync::Arc, time::Duration};

use bartizan_siem::{Format, webhook::WebhookKey};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use parking_lot::Mutex;
use prost::Message as _;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    net::{TcpListener, UnixListener},
    sync::mpsc,
    time::timeout,
};

use super::*;
use crate::{
    clock::{Clock, ManualClock, SystemClock},
    record::{AuthFailure, RecordConfig, Recorder, SqlAudit, What},
    store::{Store, with_pool},
};

/// A record in memory, whose sinks are told of what is noted in it.
struct Record {
    folder: tempfile::TempDir,
    store: Store,
    recorder: Recorder,
    clock: Arc<dyn Clock>,
}

impl Record {
    async fn new() -> Self {
        Self::at(Arc::new(SystemClock)).await
    }

    async fn at(clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_memory().await.unwrap();
        let config = RecordConfig {
            move_interval_ms: 1,
            ..RecordConfig::default()
        };
        let audit = Arc::new(SqlAudit::new(store.clone()));
        let journal = folder.path().join("journal");
        let opened = Recorder::open(
            config,
            &journal,
            audit,
            &[9; 32],
            Arc::clone(&clock),
            vec![],
        );
        let recorder = opened.await.unwrap();
        Self {
            folder,
            store,
            recorder,
            clock,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn places(&self) -> Places {
        Places::new(self.store.clone(), self.recorder.journal())
    }

    fn tell(&self, yaml: &str, outlet: impl Outlet + 'static) -> Sinks {
        let sinks: Vec<(SinkConfig, Box<dyn Outlet>)> = vec![(config(yaml), Box::new(outlet))];
        Sinks::start(sinks, &self.places(), &self.clock, &self.recorder.moved())
    }

    /// Notes events of these names and waits until the store has them.
    async fn note(&self, names: &[&'static str]) {
        for name in names {
            self.recorder.note(What::AuthFailure(AuthFailure {
                reason: (*name).into(),
                ..AuthFailure::default()
            }));
        }
        self.recorder.flush().await.unwrap();
    }
}

/// A sink of that YAML, told of everything.
fn config(yaml: &str) -> SinkConfig {
    let yaml = format!("{{name: test, format: event, history: true, {yaml}}}");
    serde_saphyr::from_str(&yaml).unwrap()
}

fn syslog(record: &Record) -> SyslogOutlet {
    let yaml = format!(
        "to: {{syslog: {{address: 'unix://{}'}}}}",
        record.path("log").display()
    );
    syslog_of(&yaml, None)
}

fn syslog_of(yaml: &str, tls: Option<Arc<rustls::ClientConfig>>) -> SyslogOutlet {
    let SinkTarget::Syslog(to) = config(yaml).to else {
        panic!("syslog");
    };
    SyslogOutlet::new(to, Format::Event, tls)
}

async fn next<T>(from: &mut mpsc::Receiver<T>) -> T {
    let came = timeout(Duration::from_secs(30), from.recv()).await;
    came.expect("something comes").expect("the receiver runs")
}

/// The names of the next so many events, without those that came before.
async fn names(from: &mut mpsc::Receiver<String>, count: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    while names.len() < count {
        let event: Value = serde_json::from_str(&next(from).await).unwrap();
        let name = event["reason"].as_str().unwrap().to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Reads frames with their lengths, and hands on what their messages carry, at most `most` of them.
async fn frames(mut from: impl AsyncRead + Unpin, most: usize, to: mpsc::Sender<String>) {
    for _ in 0..most {
        let mut length = 0;
        loop {
            match from.read_u8().await {
                Ok(b' ') => break,
                Ok(digit) => length = length * 10 + usize::from(digit - b'0'),
                Err(_) => return,
            }
        }
        let mut message = vec![0; length];
        from.read_exact(&mut message).await.unwrap();
        let message = String::from_utf8(message).unwrap();
        assert!(message.starts_with("<108>1 "), "{message}");
        let text = message.split_once("\"] ").unwrap().1;
        to.send(text.to_owned()).await.unwrap();
    }
}

/// Listens on a socket, and takes so many messages of each connection before it ends it.
fn listen(path: &Path, most: usize) -> (mpsc::Receiver<String>, tokio::task::JoinHandle<()>) {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).unwrap();
    let (seen, received) = mpsc::channel(64);
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            frames(stream, most, seen.clone()).await;
        }
    });
    (received, task)
}

#[tokio::test]
async fn aud_13_a_receiver_of_syslog_that_was_down_is_told_of_all() {
    let record = Record::new().await;
    record.note(&["a", "b"]).await;
    let sinks = record.tell("to: {file: {path: x}}", syslog(&record));
    let (mut received, task) = listen(&record.path("log"), usize::MAX);
    assert_eq!(names(&mut received, 2).await, ["a", "b"]);
    task.abort();
    let _ = task.await;
    record.note(&["c"]).await;
    let (mut received, _task) = listen(&record.path("log"), usize::MAX);
    record.note(&["d"]).await;
    // What was taken just before the end may come again, in front of what did not.
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "d") {
        seen.extend(names(&mut received, 1).await);
    }
    assert_eq!(seen[seen.len() - 2..], ["c", "d"]);
    assert!(sinks.states()[0].failures() > 0);
    sinks.close().await;
    assert_eq!(sinks.states()[0].behind(), 0);
}

/// A receiver that ends its connection in the middle has the rest sent again.
#[tokio::test]
async fn aud_13_what_a_receiver_did_not_read_is_sent_again() {
    let record = Record::new().await;
    let (mut received, _task) = listen(&record.path("log"), 2);
    record.note(&["a", "b", "c"]).await;
    let sinks = record.tell("to: {file: {path: x}}", syslog(&record));
    // It never takes three at once, so that the place does not move on.
    assert_eq!(names(&mut received, 2).await, ["a", "b"]);
    assert_eq!(names(&mut received, 2).await, ["a", "b"]);
    assert_eq!(sinks.states()[0].sent(), 0);
    assert_eq!(
        record.places().claim("test", true, 0, 0).await.unwrap(),
        Some(0)
    );
}

#[tokio::test]
async fn aud_13_syslog_goes_over_tls_to_whom_it_knows() {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = |builder: rustls::ConfigBuilder<rustls::ServerConfig, rustls::WantsVersions>| {
        builder.with_safe_default_protocol_versions().unwrap()
    };
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = versions(rustls::ServerConfig::builder_with_provider(Arc::clone(
        &provider,
    )))
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key)
    .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, mut received) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                frames(stream, usize::MAX, seen.clone()).await;
            }
        }
    });
    let client = |roots| {
        let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    };
    let yaml = format!("to: {{syslog: {{address: 'tls://localhost:{port}'}}}}");
    let record = Record::new().await;
    record.note(&["a"]).await;
    let mut stranger = syslog_of(&yaml, Some(client(rustls::RootCertStore::empty())));
    let notices = record.places().read(0, 1).await.unwrap();
    assert!(stranger.send(&notices).await.is_err());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let _sinks = record.tell(&yaml, syslog_of(&yaml, Some(client(roots))));
    assert_eq!(names(&mut received, 1).await, ["a"]);
}

fn file(record: &Record, more: &str) -> FileOutlet {
    let yaml = format!("to: {{file: {{path: out/events.jsonl, max-bytes: 4096, {more}}}}}");
    let SinkTarget::File(to) = config(&yaml).to else {
        panic!("a file");
    };
    FileOutlet::new(to, Format::Event, record.folder.path())
}

/// The files of a sink by name, with their lines.
fn files(record: &Record) -> Vec<(String, Vec<String>)> {
    let mut files: Vec<_> = std::fs::read_dir(record.path("out"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            assert!(text.is_empty() || text.ends_with('\n'));
            let name = entry.file_name().into_string().unwrap();
            (name, text.lines().map(str::to_owned).collect())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn aud_13_files_hold_every_event_once_and_begin_anew_when_they_are_full() {
    let record = Record::new().await;
    let many: Vec<&'static str> = vec!["x"; 70];
    for part in 0..3 {
        let sinks = record.tell("to: {file: {path: x}}", file(&record, "keep: 0"));
        record.note(&many).await;
        sinks.close().await;
        assert_eq!(sinks.states()[0].sent(), 70, "part {part}");
    }
    let files = files(&record);
    assert!(files.len() > 3, "{files:?}");
    let lines: usize = files.iter().map(|(_, lines)| lines.len()).sum();
    assert_eq!(lines, 210);
    for (name, lines) in &files {
        let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        assert!(bytes <= 4_096, "{name}");
    }
    // Full files are called by the number of the event that begins the next.
    let next = files[1]
        .0
        .rsplit('.')
        .next()
        .unwrap()
        .parse::<usize>()
        .unwrap();
    assert_eq!(files[1].1.len(), next - 1);
}

#[tokio::test]
async fn a_file_keeps_as_many_as_it_should_and_begins_anew_with_the_day() {
    let clock = Arc::new(ManualClock::at(86_400_000 * 20_000));
    let record = Record::at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let mut outlet = file(&record, "keep: 2");
    for _ in 0..5 {
        record.note(&["a"]).await;
        clock.advance_ms(86_400_000);
    }
    let notices = record.places().read(0, 10).await.unwrap();
    // In one go, since days are those of events and files are young.
    outlet.send(&notices).await.unwrap();
    let names: Vec<String> = files(&record).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "events.jsonl",
        "events.jsonl.000000000004",
        "events.jsonl.000000000005",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn half_a_line_of_a_crash_is_cut_off() {
    let record = Record::new().await;
    record.note(&["a", "b"]).await;
    let notices = record.places().read(0, 10).await.unwrap();
    file(&record, "daily: false")
        .send(&notices[..1])
        .await
        .unwrap();
    let path = record.path("out/events.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.extend(notices[1].body.chars().take(20));
    std::fs::write(&path, text).unwrap();
    file(&record, "daily: false")
        .send(&notices[1..])
        .await
        .unwrap();
    let bodies: Vec<&str> = notices.iter().map(|notice| notice.body.as_str()).collect();
    assert_eq!(files(&record)[0].1, bodies);
}

/// What a server of HTTP was sent: its headers and its body.
type Posted = (http::HeaderMap, Bytes);

/// A server that answers the first request with 503 and the rest with 204.
async fn receiver() -> (String, mpsc::Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let (seen, posted) = mpsc::channel(16);
    let first = Arc::new(Mutex::new(true));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (seen, first) = (seen.clone(), Arc::clone(&first));
            let service = service_fn(move |request: http::Request<Incoming>| {
                let (seen, first) = (seen.clone(), Arc::clone(&first));
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    seen.send((head.headers, body)).await.unwrap();
                    let status = if std::mem::take(&mut *first.lock()) {
                        503
                    } else {
                        204
                    };
                    let mut answer = http::Response::new(Full::new(Bytes::new()));
                    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
                    Ok::<_, Infallible>(answer)
                }
            });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    (url, posted)
}

#[tokio::test]
async fn aud_13_a_webhook_is_signed_and_sent_again_as_it_was() {
    let (url, mut posted) = receiver().await;
    let record = Record::new().await;
    record.note(&["a"]).await;
    let secret = "a secret of at least 24 bytes";
    let sinks = record.tell(
        "to: {file: {path: x}}",
        WebhookOutlet {
            name: "hook".to_owned(),
            url: url.clone(),
            key: WebhookKey::new(secret).unwrap(),
            format: Format::Ocsf,
            fetch: crate::adapters::client(&[url], true).unwrap(),
            clock: Arc::clone(&record.clock),
        },
    );
    let (refused, first) = next(&mut posted).await;
    record.note(&["b"]).await;
    let (taken, again) = next(&mut posted).await;
    assert_eq!(refused["webhook-id"], "hook_1_1");
    assert_eq!(refused["webhook-id"], taken["webhook-id"]);
    assert_eq!(first, again);
    let (after, body) = next(&mut posted).await;
    assert_eq!(after["webhook-id"], "hook_2_2");
    // As a receiver checks it.
    let header = |name: &str| after[name].to_str().unwrap();
    let at: u64 = header("webhook-timestamp").parse().unwrap();
    let signed = WebhookKey::new(secret).unwrap().sign("hook_2_2", at, &body);
    assert_eq!(signed.signature, header("webhook-signature"));
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body.pointer("/data/events/0/class_uid"),
        Some(&Value::from(3002))
    );
    sinks.close().await;
    assert_eq!(
        (sinks.states()[0].sent(), sinks.states()[0].failures()),
        (2, 1)
    );
}

#[tokio::test]
async fn aud_13_a_collector_is_sent_logs() {
    let (url, mut posted) = receiver().await;
    let record = Record::new().await;
    record.note(&["a"]).await;
    let yaml = format!("to: {{otlp: {{endpoint: '{url}', headers: {{authorization: token}}}}}}");
    let SinkTarget::Otlp(to) = config(&yaml).to else {
        panic!("a collector");
    };
    let _sinks = record.tell(
        &yaml,
        OtlpOutlet {
            config: to,
            format: Format::Event,
            fetch: crate::adapters::client(&[url], true).unwrap(),
        },
    );
    next(&mut posted).await;
    let (headers, body) = next(&mut posted).await;
    assert_eq!(headers["authorization"], "token");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let logs = ExportLogsServiceRequest::decode(body).unwrap();
    let record = &logs.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(record.event_name, "bartizan.auth_failure");
}

/// Hands on the numbers of what it is told.
struct Numbers(mpsc::Sender<Vec<u64>>);

impl Outlet for Numbers {
    fn send<'a>(&'a mut self, notices: &'a [Notice]) -> BoxFuture<'a, Result<(), SinkError>> {
        let numbers = notices.iter().map(|notice| notice.number).collect();
        Box::pin(async move { self.0.send(numbers).await.map_err(|_| SinkError::Closed) })
    }
}

#[tokio::test]
async fn a_sink_is_told_of_what_it_wants_from_when_it_came() {
    let record = Record::new().await;
    record.note(&["before"]).await;
    let (sender, mut told) = mpsc::channel(8);
    let yaml = "{name: new, to: {file: {path: x}}, events: [gap, service]}";
    let config: SinkConfig = serde_saphyr::from_str(yaml).unwrap();
    let sinks: Vec<(SinkConfig, Box<dyn Outlet>)> = vec![(config, Box::new(Numbers(sender)))];
    let moved = record.recorder.moved();
    let places = record.places();
    let first = places.claim("new", false, 0, 0).await.unwrap();
    assert_eq!(first, Some(1));
    let _sinks = Sinks::start(sinks, &places, &record.clock, &moved);
    record.note(&["not wanted"]).await;
    record
        .recorder
        .note(What::Gap(crate::record::Gap::default()));
    assert_eq!(next(&mut told).await, [3]);
}

#[tokio::test]
async fn one_process_at_a_time_tells_a_sink() {
    let record = Record::new().await;
    let ours = record.places();
    let theirs = Places::new(record.store.clone(), "another".to_owned());
    assert_eq!(ours.claim("a", true, 1_000, 2_000).await.unwrap(), Some(0));
    assert_eq!(theirs.claim("a", true, 1_500, 2_500).await.unwrap(), None);
    assert!(!theirs.move_on("a", 5).await.unwrap());
    assert!(ours.move_on("a", 4).await.unwrap());
    assert_eq!(
        theirs.claim("a", true, 2_001, 3_000).await.unwrap(),
        Some(4)
    );
    assert!(!ours.move_on("a", 9).await.unwrap());
    theirs.release("a").await.unwrap();
    assert_eq!(ours.claim("a", true, 2_002, 3_000).await.unwrap(), Some(4));
}

/// Nothing of ours removes events; should somebody, sinks are told how many are missing.
#[tokio::test]
async fn events_that_are_missing_are_told_of_as_a_gap() {
    let record = Record::new().await;
    record.note(&["a", "b", "c", "d"]).await;
    let (drop, delete) = (
        "DROP TRIGGER audit_events_no_delete",
        "DELETE FROM audit_events WHERE number IN (2, 3)",
    );
    with_pool!(&record.store, pool => {
        if let Store::Sqlite(_) = &record.store {
            sqlx::query(drop).execute(pool).await.unwrap();
            sqlx::query(delete).execute(pool).await.unwrap();
        }
    });
    let notices = record.places().read(0, 10).await.unwrap();
    let kinds: Vec<_> = notices
        .iter()
        .map(|notice| (notice.number, &*notice.kind))
        .collect();
    assert_eq!(
        kinds,
        [(1, "auth_failure"), (2, "gap"), (4, "auth_failure")]
    );
    assert!(
        notices[1].body.contains("\"lost\":2"),
        "{}",
        notices[1].body
    );
}

#[test]
fn mistakes_are_named_with_their_place() {
    let yaml = "[{name: A, to: {syslog: {address: 'udp://x:514', facility: 24}}},
        {name: b, format: cef, events: [nothing], to: {webhook: {url: x, secret: env:S}}},
        {name: b, to: {file: {path: x, max-bytes: 1}}}]";
    let sinks: Vec<SinkConfig> = serde_saphyr::from_str(yaml).unwrap();
    let places: Vec<String> = SinkConfig::check(&sinks)
        .into_iter()
        .map(|(at, _)| at)
        .collect();
    let expected = [
        "sinks[0].name",
        "sinks[0].to.syslog.address",
        "sinks[0].to.syslog.facility",
        "sinks[1].events",
        "sinks[1].to.webhook.url",
        "sinks[1].format",
        "sinks[2].name",
        "sinks[2].to.file.max-bytes",
    ];
    assert_eq!(places, expected);
}
