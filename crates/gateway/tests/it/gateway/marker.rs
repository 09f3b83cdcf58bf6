//! A marker that clients and upstreams write is found nowhere afterwards (IN-19, OUT-26, AUD-04,
//! WS-40).

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use bartizan_gateway::telemetry::{LogConfig, subscriber};
use http::Method;
use serde_json::json;
use sqlx::{Row as _, SqlitePool};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{ATTACK, Got, ONE, Running, start_in};
use crate::{
    mock::{Format, Mock, Reply, Step},
    stream::CANARY,
    telemetry::collector,
};

/// No word of any language, and nothing that a check takes for a secret of its own.
const MARKER: &str = "zqmarkerwv";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of this process, at its most talkative.
static LOG: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    let out = lines.clone();
    let log = subscriber(&LogConfig::default(), Some("trace"), move || out.clone());
    tracing::subscriber::set_global_default(log).unwrap();
    lines
});

fn silent(place: &str, text: &str) {
    let hex: String = MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
    let text = text.to_lowercase();
    for sought in [MARKER, &hex] {
        if let Some(at) = text.find(sought) {
            let from = text.floor_char_boundary(at.saturating_sub(120));
            let to = text.ceil_char_boundary((at + 60).min(text.len()));
            panic!("the marker stands in {place}: {}", &text[from..to]);
        }
    }
}

/// Headers of every answer, and bodies of those that are errors.
fn silent_answer(place: &str, got: &Got) {
    silent(place, &format!("{:?}", got.headers));
    if got.status >= 400 {
        silent(place, &got.body);
    }
}

/// Every column of every table.
async fn silent_database(file: &Path) -> usize {
    let pool = SqlitePool::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&pool)
            .await
            .unwrap();
    let mut rows = 0;
    for table in &tables {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT '\"' || name || '\"' FROM pragma_table_info($1)")
                .bind(table)
                .fetch_all(&pool)
                .await
                .unwrap();
        let quoted: Vec<String> = columns
            .iter()
            .map(|column| format!("quote({column})"))
            .collect();
        let query = format!(
            "SELECT {} AS all_of_it FROM \"{table}\"",
            quoted.join(" || ' ' || ")
        );
        let query = sqlx::AssertSqlSafe(query);
        for row in sqlx::query(query).fetch_all(&pool).await.unwrap() {
            silent(&format!("table `{table}`"), row.get::<&str, _>(0));
            rows += 1;
        }
    }
    pool.close().await;
    rows
}

fn silent_files(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += silent_files(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        silent(
            &path.display().to_string(),
            &String::from_utf8_lossy(&bytes),
        );
        files += 1;
    }
    files
}

/// Asks in every way that an attacker or a fault could; gives the ids.
async fn ask_everything(gateway: &Running, mock: &Mock) -> BTreeSet<String> {
    let with = |text: &str| {
        json!({
            "model": "m",
            "user": MARKER,
            "metadata": {"note": MARKER},
            "messages": [
                {"role": "system", "content": format!("Be {MARKER}.")},
                {"role": "user", "content": [{"type": "text", "text": format!("{MARKER} {text}")}]},
                {"role": "assistant", "content": null, "tool_calls": [{"id": MARKER,
                    "type": "function", "function": {"name": MARKER,
                    "arguments": format!("{{\"{MARKER}\":\"{MARKER}\"}}")}}]},
                {"role": "tool", "tool_call_id": MARKER, "content": format!("found {MARKER} {text}")},
            ],
            "tools": [{"type": "function", "function": {"name": MARKER, "description": MARKER,
                "parameters": {"type": "object", "properties": {MARKER: {"type": "string"}}}}}],
        })
    };
    let mut ids = BTreeSet::new();
    let mut note = |place: &str, got: &Got| {
        silent_answer(place, got);
        ids.insert(got.header("x-bartizan-request-id").to_owned());
    };
    let mut streamed = with("hello");
    streamed["stream"] = true.into();
    let credential = format!("Bearer {}", gateway.key);
    let headers = [
        ("authorization", credential.as_str()),
        ("user-agent", MARKER),
        ("x-custom", MARKER),
        ("cookie", MARKER),
        ("accept-language", MARKER),
        ("tracestate", "vendor=zqmarkerwv"),
        ("openai-organization", MARKER),
        ("x-request-id", MARKER),
        ("x-forwarded-for", MARKER),
        ("idempotency-key", MARKER),
    ];
    let post =
        async |path: &str, body: String| gateway.send(Method::POST, path, &headers, &body).await;
    let chat = "/v1/chat/completions";
    for text in ["hello", ATTACK, "mail zqmarkerwv@example.com", CANARY] {
        note("a chat", &post(chat, with(text).to_string()).await);
    }
    note("a stream", &post(chat, streamed.to_string()).await);
    let query = format!("{chat}?{MARKER}={MARKER}");
    note("a query", &post(&query, with("hello").to_string()).await);
    // What cannot be read.
    for body in [
        format!("{{\"model\": \"{MARKER}"),
        format!("{{\"model\": \"m\", \"messages\": \"{MARKER}\"}}"),
        format!("{{\"model\": \"m\", \"{MARKER}\": 1, \"{MARKER}\": 2, \"messages\": []}}"),
        format!("{{\"model\": [\"{MARKER}\"]}}"),
        format!("{MARKER} \u{0}"),
    ] {
        note("an unreadable body", &post(chat, body).await);
    }
    let mut media = with("hello");
    media["messages"][1]["content"] =
        json!([{"type": "image_url", "image_url": {"url": format!("https://{MARKER}.example/i")}}]);
    note("a picture", &post(chat, media.to_string()).await);
    // What the upstream does.
    let mut cut = Reply::stream(&Format::Chat.events(MARKER, 3), 40);
    cut = cut.cut(3, Step::Reset);
    let detail =
        json!({"error": {"message": MARKER, "type": MARKER, "code": MARKER, "param": MARKER}});
    for reply in [
        Reply::json(500, &detail),
        Reply::json(400, &detail),
        Reply::with_headers(
            429,
            &[("retry-after", "1"), ("x-zqmarkerwv", MARKER)],
            detail.to_string(),
        ),
        Reply::with_headers(302, &[("location", MARKER)], ""),
        Reply::whole(200, "application/json", format!("{{\"{MARKER}")),
        Reply::whole(200, "text/html", MARKER),
        Reply::with_headers(
            200,
            &[
                ("content-type", "application/json"),
                ("content-encoding", MARKER),
            ],
            "x",
        ),
        Reply::raw([
            Step::Send(format!("{MARKER} HTTP\r\n\r\n").into()),
            Step::Close,
        ]),
        Format::Chat.whole(&format!("{MARKER} {CANARY}")),
        Format::Chat.whole(&format!("{MARKER} jane.austen@example.com")),
    ] {
        mock.then(reply);
        note(
            "a fault of the upstream",
            &post(chat, with("hello").to_string()).await,
        );
    }
    for reply in [
        cut,
        Reply::json(500, &detail),
        Reply::whole(200, "text/event-stream", format!("data: {{{MARKER}\n\n")),
    ] {
        mock.then(reply);
        note(
            "a fault of a stream",
            &post(chat, streamed.to_string()).await,
        );
    }
    // Other routes.
    let text = format!("{MARKER} {ATTACK}");
    for (path, body) in [
        (
            "/v1/responses",
            json!({"model": "m", "input": text, "previous_response_id": MARKER}),
        ),
        (
            "/v1/responses",
            json!({"model": "m", "input": MARKER, "instructions": MARKER}),
        ),
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 5, "system": MARKER,
            "messages": [{"role": "user", "content": text}]}),
        ),
        (
            "/v1/completions",
            json!({"model": "m", "prompt": [text, MARKER], "suffix": MARKER}),
        ),
        ("/v1/embeddings", json!({"model": "m", "input": [MARKER]})),
        ("/v1/moderations", json!({"model": "m", "input": [text]})),
        (
            chat,
            json!({"model": MARKER, "messages": [{"role": "user", "content": MARKER}]}),
        ),
        ("/v1/guard/check", json!({"text": text})),
        ("/v1/guard/check", json!({"text": MARKER, MARKER: 1})),
        (
            "/analyze",
            json!({"text": format!("{MARKER}@example.com"), "language": "en"}),
        ),
        (
            "/v2/guard",
            json!({"messages": [{"role": "user", "content": text}]}),
        ),
        ("/predict", json!({MARKER: MARKER})),
        ("/zqmarkerwv/zqmarkerwv", json!({})),
        ("/v1/requests/zqmarkerwv/feedback", json!({"label": MARKER})),
        ("/v1/review/zqmarkerwv", json!({"decision": MARKER})),
        (
            "/admin/keys",
            json!({"name": "n", "grants": {"scopes": [MARKER]}}),
        ),
    ] {
        note(path, &post(path, body.to_string()).await);
    }
    // Who is not let in.
    for (name, value) in [
        ("authorization", format!("Bearer {MARKER}")),
        (
            "authorization",
            format!("Bearer bz_zqmarkerwv0000_{MARKER}"),
        ),
        (
            "authorization",
            format!("Bearer eyJhbGciOiJub25lIn0.{MARKER}.{MARKER}"),
        ),
        ("authorization", format!("Basic {MARKER}")),
        ("x-api-key", MARKER.to_owned()),
    ] {
        let got = gateway
            .send(
                Method::POST,
                chat,
                &[(name, &value)],
                &with("x").to_string(),
            )
            .await;
        assert!(matches!(got.status, 400 | 401 | 429), "{got:?}");
        note("a refused credential", &got);
    }
    ids
}

/// A receiver that keeps every byte, of whatever protocol, and says yes to HTTP.
async fn told() -> (Arc<Mutex<Vec<u8>>>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let keep = Arc::clone(&keep);
            tokio::spawn(async move {
                let (mut request, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    keep.lock().unwrap().extend_from_slice(&buffer[..read]);
                    request.extend_from_slice(&buffer[..read]);
                    if is_whole(&request) {
                        request.clear();
                        let yes = b"HTTP/1.1 204 No Content\r\n\r\n";
                        stream.write_all(yes).await.unwrap();
                    }
                }
            });
        }
    });
    (told, address)
}

/// Whether the bytes are a request of HTTP with all of its body.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse::<usize>().ok());
    head.starts_with("POST ")
        && length.is_some_and(|length| request.len() >= head.len() + 4 + length)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aud_04_a_marker_is_found_nowhere() {
    LazyLock::force(&LOG);
    let (endpoint, mut exports) = collector().await;
    let mock = Mock::saying(&format!("I say {MARKER}.")).await;
    let (told, sink) = told().await;
    let yaml = format!(
        "{ONE}telemetry:\n  traces: {{endpoint: '{endpoint}'}}\nrecord:\n  sinks:
    - {{name: ocsf, to: {{file: {{path: ocsf.jsonl}}}}}}
    - {{name: siem, format: cef, to: {{syslog: {{address: 'tcp://{sink}'}}}}}}
    - {{name: hook, format: event, to: {{webhook: {{url: 'http://{sink}/hook', secret: env:MASTER}}}}}}
    - {{name: logs, to: {{otlp: {{endpoint: 'http://{sink}/v1/logs'}}}}}}\n"
    );
    let gateway = start_in(&yaml, "", &[&mock], &format!("sk-{MARKER}")).await;
    let ids = ask_everything(&gateway, &mock).await;
    assert!(ids.len() > 40, "{}", ids.len());
    let sent = mock.received();
    assert!(sent.iter().any(|sent| sent.text().contains(MARKER)));

    gateway.gateway.recorder().flush().await.unwrap();
    let mut stories = 0;
    for id in &ids {
        let got = gateway.get(&format!("/v1/requests/{id}")).await;
        silent("a story", &format!("{got:?}"));
        let story = gateway.gateway.recorder().story(id.parse().unwrap()).await;
        if let Some(story) = story.unwrap() {
            silent("a story", &format!("{story} {story:?}"));
            stories += 1;
        }
    }
    assert!(stories > 25, "{stories}");
    silent("the metrics", &gateway.get("/metrics").await.body);
    silent("the metrics", &gateway.gateway.render_metrics());

    let page = gateway.gateway.render_metrics();
    for sink in ["ocsf", "siem", "hook", "logs"] {
        let up = format!("bartizan_sink_up{{sink=\"{sink}\"}} 1");
        assert!(page.contains(&up), "{page}");
    }
    let folder = gateway.stop().await;
    let told = told.lock().unwrap().clone();
    let told = String::from_utf8_lossy(&told);
    // Each of them was told of a refused attack.
    let ocsf = std::fs::read_to_string(folder.path().join("data/ocsf.jsonl")).unwrap();
    assert!(ocsf.contains("\"class_uid\":2004"));
    for sign in ["|security_event|", "webhook-signature", "/v1/logs"] {
        assert!(told.contains(sign), "{sign}");
    }
    silent("what sinks were told", &told);
    let mut spans = 0;
    while let Ok(Some((_, export))) =
        tokio::time::timeout(Duration::from_secs(6), exports.recv()).await
    {
        silent("a span", &format!("{export:?}"));
        for resource in &export.resource_spans {
            for scope in &resource.scope_spans {
                spans += scope.spans.len();
            }
        }
        if spans >= 20 {
            break;
        }
    }
    assert!(spans >= 20, "{spans}");
    let rows = silent_database(&folder.path().join("data/bartizan.db")).await;
    assert!(rows > 40, "{rows}");
    assert!(silent_files(folder.path()) >= 2);
    let log = LOG.0.lock().unwrap().clone();
    assert!(!log.is_empty());
    silent("the log", &String::from_utf8_lossy(&log));
}
