//! A scriptable upstream: speaks every wire format, well or badly, at any pace, and remembers what
//! it was sent. Written on bare TCP, so that it can also speak what is no HTTP.
#![allow(dead_code, reason = "each user needs another part")]

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The upstream; ends with its last clone.
#[derive(Clone)]
pub(crate) struct Mock {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _stop: Arc<Abort>,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    script: Mutex<VecDeque<Reply>>,
    /// What is said where, once the script is over; by path, `""` for everywhere else.
    standing: Mutex<BTreeMap<String, Reply>>,
    forgetful: bool,
    requests: AtomicUsize,
    connections: AtomicUsize,
    open: AtomicUsize,
}

struct Abort(tokio::task::AbortHandle);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Everything that came, as text: to look for what must not be in it.
    pub(crate) fn text(&self) -> String {
        format!("{self:?} {}", String::from_utf8_lossy(&self.body))
    }
}

/// What is answered: bytes on the wire, and what happens between them.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Nothing more, connection open.
    Stall,
    /// Connection reset.
    Reset,
    /// Connection closed.
    Close,
    /// The same bytes again and again until the client goes away.
    Endless(Bytes),
}

impl Reply {
    /// Exactly these steps.
    pub(crate) fn raw(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
        }
    }

    /// A whole answer.
    pub(crate) fn whole(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        Self::with_headers(status, &[("content-type", kind)], body)
    }

    pub(crate) fn with_headers(
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Self {
        let body = body.into();
        let mut wire = head(status, headers);
        wire.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let mut bytes = wire.into_bytes();
        bytes.extend_from_slice(&body);
        Self::raw([Step::Send(bytes.into())])
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::whole(status, "application/json", body.to_string())
    }

    /// An error in OpenAI's shape.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let error = json!({"message": "UPSTREAM-SECRET-TEXT", "type": "t", "code": code});
        Self::json(status, &json!({"error": error}))
    }

    /// A stream of events in chunks of `size` bytes, wherever that cuts them.
    pub(crate) fn stream(events: &str, size: usize) -> Self {
        let mut steps = vec![Step::Send(stream_head())];
        for piece in events.as_bytes().chunks(size.max(1)) {
            steps.push(Step::Send(chunk(piece)));
        }
        steps.push(Step::Send(Bytes::from_static(b"0\r\n\r\n")));
        Self { steps }
    }

    /// A stream of events, each in a chunk of its own.
    pub(crate) fn each(events: &str) -> Self {
        let mut steps = vec![Step::Send(stream_head())];
        for event in events.split_inclusive("\n\n") {
            steps.push(Step::Send(chunk(event.as_bytes())));
        }
        steps.push(Step::Send(Bytes::from_static(b"0\r\n\r\n")));
        Self { steps }
    }

    /// Waits before each piece but the head.
    pub(crate) fn paced(mut self, wait: Duration) -> Self {
        let steps = std::mem::take(&mut self.steps);
        for (at, step) in steps.into_iter().enumerate() {
            if at > 0 {
                self.steps.push(Step::Wait(wait));
            }
            self.steps.push(step);
        }
        self
    }

    /// Waits before everything.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.steps.insert(0, Step::Wait(wait));
        self
    }

    /// Only the first `steps` steps, then `end`.
    pub(crate) fn cut(mut self, steps: usize, end: Step) -> Self {
        self.steps.truncate(steps);
        self.steps.push(end);
        self
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps.len()
    }
}

fn head(status: u16, headers: &[(&str, &str)]) -> String {
    let mut head = format!("HTTP/1.1 {status} Mock\r\nserver: mock\r\nset-cookie: mock=1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

pub(crate) fn stream_head() -> Bytes {
    let mut wire = head(200, &[("content-type", "text/event-stream")]);
    wire.push_str("transfer-encoding: chunked\r\n\r\n");
    wire.into()
}

/// A chunk of a chunked body.
pub(crate) fn chunk(data: &[u8]) -> Bytes {
    let mut wire = format!("{:x}\r\n", data.len()).into_bytes();
    wire.extend_from_slice(data);
    wire.extend_from_slice(b"\r\n");
    wire.into()
}

impl Mock {
    /// An upstream at a free port of loopback that says `text` in every format.
    pub(crate) async fn saying(text: &str) -> Self {
        Self::at("127.0.0.1:0", text, false).await
    }

    /// The same at an address; a forgetful one keeps no requests, for benches.
    pub(crate) async fn at(address: &str, text: &str, forgetful: bool) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            forgetful,
            ..Shared::default()
        });
        let mock = Self {
            address,
            shared: Arc::clone(&shared),
            _stop: Arc::new(Abort(
                tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle(),
            )),
        };
        mock.say(text, Duration::ZERO);
        mock
    }

    /// From now on says `text` in every format, streams with `pace` before each event.
    pub(crate) fn say(&self, text: &str, pace: Duration) {
        let mut standing = lock(&self.shared.standing);
        standing.clear();
        for format in Format::ALL {
            standing.insert(format.path().to_owned(), format.whole(text));
            let mut stream = Reply::each(&format.events(text, 16));
            if !pace.is_zero() {
                stream = stream.paced(pace);
            }
            standing.insert(format!("{}#stream", format.path()), stream);
        }
        let models = json!({"object": "list", "data": [{"id": "mock", "object": "model"}]});
        standing.insert("/models".to_owned(), Reply::json(200, &models));
    }

    /// The next request that is not answered yet gets this.
    pub(crate) fn then(&self, reply: Reply) -> &Self {
        lock(&self.shared.script).push_back(reply);
        self
    }

    /// All requests get this.
    pub(crate) fn always(&self, reply: Reply) -> &Self {
        let mut standing = lock(&self.shared.standing);
        standing.clear();
        standing.insert(String::new(), reply);
        self
    }

    /// What came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    pub(crate) fn last(&self) -> Received {
        self.received().pop().unwrap()
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Connections that were ever made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// `http://127.0.0.1:port`, with `/v1` as OpenAI's SDKs have it.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        shared.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(async move {
            shared.open.fetch_add(1, Ordering::Relaxed);
            let _ = converse(stream, &shared).await;
            shared.open.fetch_sub(1, Ordering::Relaxed);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(16 * 1_024);
    while let Some(received) = read_request(&mut stream, &mut buffer).await? {
        let reply = shared.reply(received);
        for step in reply.steps {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await?,
                Step::Wait(wait) => tokio::time::sleep(wait).await,
                Step::Close => return Ok(()),
                Step::Reset => {
                    stream.set_zero_linger()?;
                    return Ok(());
                }
                Step::Stall => {
                    // Until the client goes away.
                    while stream.read_buf(&mut buffer).await? > 0 {
                        buffer.clear();
                    }
                    return Ok(());
                }
                Step::Endless(bytes) => loop {
                    stream.write_all(&bytes).await?;
                },
            }
        }
    }
    Ok(())
}

async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
) -> io::Result<Option<Received>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = buffer.split_to(end + 4);
            let mut received = read_head(&String::from_utf8_lossy(&head));
            let length = received.header("content-length").unwrap_or("0");
            let length = length.parse().unwrap_or(0);
            while buffer.len() < length {
                if stream.read_buf(buffer).await? == 0 {
                    return Ok(None);
                }
            }
            received.body = buffer.split_to(length).freeze();
            return Ok(Some(received));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn read_head(head: &str) -> Received {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    Received {
        method: first.next().unwrap_or_default().to_owned(),
        target: first.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: Bytes::new(),
    }
}

impl Shared {
    fn reply(&self, received: Received) -> Reply {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let scripted = lock(&self.script).pop_front();
        let reply = scripted.unwrap_or_else(|| self.standing_reply(&received));
        if !self.forgetful {
            lock(&self.received).push(received);
        }
        reply
    }

    fn standing_reply(&self, received: &Received) -> Reply {
        let path = received.target.split('?').next().unwrap_or_default();
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let path = match path.strip_prefix("/openai") {
            Some(azure) => azure
                .trim_start_matches("/deployments")
                .trim_start_matches('/'),
            None => path,
        };
        let streamed = [&b"\"stream\":true"[..], b"\"stream\": true"]
            .iter()
            .any(|flag| received.body.windows(flag.len()).any(|at| at == *flag));
        let standing = lock(&self.standing);
        let fits = |key: &str| {
            let (key, stream) = key
                .strip_suffix("#stream")
                .map_or((key, false), |key| (key, true));
            key.is_empty() || (path.ends_with(key) && stream == streamed)
        };
        let found = standing
            .iter()
            .filter(|(key, _)| fits(key))
            .max_by_key(|(key, _)| key.len());
        found.map_or_else(
            || Reply::error(404, "unknown_url"),
            |(_, reply)| reply.clone(),
        )
    }
}

/// A wire format of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Chat,
    Completion,
    Response,
    Message,
    Embedding,
    CountTokens,
}

impl Format {
    pub(crate) const ALL: [Self; 6] = [
        Self::Chat,
        Self::Completion,
        Self::Response,
        Self::Message,
        Self::Embedding,
        Self::CountTokens,
    ];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Completion => "/completions",
            Self::Response => "/responses",
            Self::Message => "/messages",
            Self::Embedding => "/embeddings",
            Self::CountTokens => "/messages/count_tokens",
        }
    }

    /// A whole answer that says `text`.
    pub(crate) fn whole(self, text: &str) -> Reply {
        Reply::json(200, &self.body(text))
    }

    /// The body of [`Self::whole`].
    pub(crate) fn body(self, text: &str) -> Value {
        let usage = json!({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12});
        match self {
            Self::Chat => json!({
                "id": "chatcmpl-mock", "object": "chat.completion", "created": 1, "model": "mock",
                "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null,
                    "message": {"role": "assistant", "content": text, "refusal": null}}],
                "usage": usage,
            }),
            Self::Completion => json!({
                "id": "cmpl-mock", "object": "text_completion", "created": 1, "model": "mock",
                "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": "stop"}],
                "usage": usage,
            }),
            Self::Response => response("completed", json!([message_item(text)])),
            Self::Message => json!({
                "id": "msg_mock", "type": "message", "role": "assistant", "model": "mock",
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": 5, "output_tokens": 7},
            }),
            Self::Embedding => json!({
                "object": "list", "model": "mock",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}],
                "usage": {"prompt_tokens": 5, "total_tokens": 5},
            }),
            Self::CountTokens => json!({"input_tokens": 5}),
        }
    }

    /// A stream of events that says `text` in pieces of `size` characters.
    pub(crate) fn events(self, text: &str, size: usize) -> String {
        let letters: Vec<char> = text.chars().collect();
        let pieces = letters.chunks(size.max(1)).map(String::from_iter);
        match self {
            Self::Chat => chat_events(pieces),
            Self::Completion => completion_events(pieces),
            Self::Response => response_events(text, pieces),
            Self::Message => message_events(pieces),
            Self::Embedding | Self::CountTokens => String::new(),
        }
    }
}

fn chat_events(pieces: impl Iterator<Item = String>) -> String {
    let chunk = |delta: Value, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({
                "id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1,
                "model": "mock", "system_fingerprint": "fp_mock",
                "choices": [{"index": 0, "delta": delta, "logprobs": null,
                    "finish_reason": finish}],
            })
        )
    };
    let mut out = chunk(json!({"role": "assistant", "content": ""}), Value::Null);
    for piece in pieces {
        out.push_str(&chunk(json!({"content": piece}), Value::Null));
    }
    out.push_str(&chunk(json!({}), json!("stop")));
    out.push_str("data: [DONE]\n\n");
    out
}

fn completion_events(pieces: impl Iterator<Item = String>) -> String {
    let chunk = |text: &str, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({
                "id": "cmpl-mock", "object": "text_completion", "created": 1, "model": "mock",
                "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": finish}],
            })
        )
    };
    let mut out: String = pieces.map(|piece| chunk(&piece, Value::Null)).collect();
    out.push_str(&chunk("", json!("stop")));
    out.push_str("data: [DONE]\n\n");
    out
}

fn message_item(text: &str) -> Value {
    json!({"id": "msg_mock", "type": "message", "status": "completed", "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn response(status: &str, output: Value) -> Value {
    json!({
        "id": "resp_mock", "object": "response", "created_at": 1, "status": status,
        "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
        "model": "mock", "output": output, "parallel_tool_calls": true, "temperature": 1.0,
        "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "usage": {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 12},
    })
}

fn response_events(text: &str, pieces: impl Iterator<Item = String>) -> String {
    let mut events = vec![
        json!({"type": "response.created", "response": response("in_progress", json!([]))}),
        json!({"type": "response.output_item.added", "output_index": 0,
            "item": {"id": "msg_mock", "type": "message", "status": "in_progress",
                "role": "assistant", "content": []}}),
        json!({"type": "response.content_part.added", "item_id": "msg_mock", "output_index": 0,
            "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": []}}),
    ];
    for piece in pieces {
        events.push(
            json!({"type": "response.output_text.delta", "item_id": "msg_mock",
            "output_index": 0, "content_index": 0, "delta": piece, "logprobs": []}),
        );
    }
    events.extend([
        json!({"type": "response.output_text.done", "item_id": "msg_mock", "output_index": 0,
            "content_index": 0, "text": text, "logprobs": []}),
        json!({"type": "response.content_part.done", "item_id": "msg_mock", "output_index": 0,
            "content_index": 0,
            "part": {"type": "output_text", "text": text, "annotations": []}}),
        json!({"type": "response.output_item.done", "output_index": 0,
            "item": message_item(text)}),
        json!({"type": "response.completed",
            "response": response("completed", json!([message_item(text)]))}),
    ]);
    let mut out = String::new();
    for (number, mut event) in events.into_iter().enumerate() {
        if let Value::Object(fields) = &mut event {
            fields.insert("sequence_number".to_owned(), json!(number));
        }
        out.push_str(&named(&event));
    }
    out
}

fn message_events(pieces: impl Iterator<Item = String>) -> String {
    let mut out = named(&json!({"type": "message_start", "message": {
        "id": "msg_mock", "type": "message", "role": "assistant", "model": "mock",
        "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 5, "output_tokens": 1}}}));
    out.push_str(&named(&json!({"type": "content_block_start", "index": 0,
        "content_block": {"type": "text", "text": ""}})));
    out.push_str(&named(&json!({"type": "ping"})));
    for piece in pieces {
        out.push_str(&named(&json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": piece}})));
    }
    out.push_str(&named(&json!({"type": "content_block_stop", "index": 0})));
    out.push_str(&named(&json!({"type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": 7}})));
    out.push_str(&named(&json!({"type": "message_stop"})));
    out
}

fn named(event: &Value) -> String {
    let name = event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    format!("event: {name}\ndata: {event}\n\n")
}
