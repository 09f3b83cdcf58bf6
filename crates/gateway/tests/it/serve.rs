//! Bounds of the data plane (API-14, API-22).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bartizan_gateway::{
    body::Body,
    fault::Fault,
    serve::{Peer, ServerConfig, Service, from_fn, read_body},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::Notify, time::Instant};

use crate::helpers::{raw, read_all, read_until, serve};

fn hurried() -> ServerConfig {
    ServerConfig {
        header_ms: 150,
        idle_ms: 400,
        body_ms: 2_000,
        grace_ms: 200,
        min_bytes_per_second: 1_000,
        drain_ms: 2_000,
        max_body_bytes: 1_000,
        ..ServerConfig::default()
    }
}

/// Gives the body back, or says what was wrong with it.
fn giving_back(config: &ServerConfig) -> impl Service + use<> {
    let limits = config.body_limits();
    from_fn(move |request: Request<Incoming>, _peer| async move {
        match read_body(request.into_body(), &limits).await {
            Ok(body) => Response::new(Body::from(body)),
            Err(fault) => refused(&fault),
        }
    })
}

fn refused(fault: &Fault) -> Response<Body> {
    let mut response = Response::new(Body::from(fault.to_string()));
    *response.status_mut() = fault.kind.status();
    response
}

fn hello() -> impl Service {
    from_fn(|_request, _peer| async { Response::new(Body::from("hello".to_owned())) })
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const GET_CLOSE: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn answers_and_keeps_the_connection() {
    let running = serve(
        ServerConfig::default(),
        giving_back(&ServerConfig::default()),
    )
    .await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    for word in ["one", "two"] {
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n{word}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, word).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.to_lowercase().contains("server:"));
    }
}

#[tokio::test]
async fn api_14_a_head_that_trickles_in_is_cut() {
    let running = serve(hurried(), hello()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let started = Instant::now();
    for byte in GET.iter().cycle().take(20) {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(read_all(&mut stream).await, "");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn api_14_a_connection_that_says_nothing_is_closed() {
    let running = serve(hurried(), hello()).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let started = Instant::now();
    assert_eq!(read_all(&mut silent).await, "");
    assert!(started.elapsed() < Duration::from_secs(3));
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(GET).await.unwrap();
    read_until(&mut idle, "hello").await;
    // Longer than a head may take, shorter than it may be idle.
    tokio::time::sleep(Duration::from_millis(250)).await;
    idle.write_all(GET).await.unwrap();
    read_until(&mut idle, "hello").await;
    let started = Instant::now();
    assert_eq!(read_all(&mut idle).await, "");
    let open = started.elapsed();
    assert!(
        open > Duration::from_millis(300) && open < Duration::from_secs(3),
        "{open:?}"
    );
    assert_eq!(running.handle.load().connections, 0);
}

#[tokio::test]
async fn api_14_a_body_that_trickles_in_is_408() {
    let running = serve(hurried(), giving_back(&hurried())).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let answer = tokio::spawn(async move {
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        drop(stream);
        answer
    });
    let answer = tokio::time::timeout(Duration::from_secs(3), answer).await;
    let answer = answer.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn api_14_a_large_body_is_413_before_and_while_it_is_read() {
    let running = serve(hurried(), giving_back(&hurried())).await;
    let announced = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n";
    let answer = raw(running.address, announced).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let mut chunked = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..100 {
        chunked.extend_from_slice(b"64\r\n");
        chunked.extend_from_slice(&[b'x'; 100]);
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = raw(running.address, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn api_14_many_or_large_headers_are_431() {
    let config = ServerConfig {
        max_headers: 10,
        max_header_bytes: 2_048,
        ..ServerConfig::default()
    };
    let running = serve(config, hello()).await;
    let mut many = b"GET / HTTP/1.1\r\n".to_vec();
    many.extend((0..11).flat_map(|n| format!("a{n}: b\r\n").into_bytes()));
    many.extend_from_slice(b"\r\n");
    let answer = raw(running.address, &many).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let large = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(3_000));
    let answer = raw(running.address, large.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn api_14_over_the_bounds_clients_are_told_so_at_once() {
    let config = ServerConfig {
        max_requests: 1,
        max_queue: 1,
        queue_ms: 5_000,
        max_connections: 4,
        ..ServerConfig::default()
    };
    let go = Arc::new(Notify::new());
    let service = {
        let go = Arc::clone(&go);
        from_fn(move |_request, _peer| {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                Response::new(Body::from("hello".to_owned()))
            }
        })
    };
    let running = serve(config, service).await;
    let address = running.address;
    let first = tokio::spawn(async move { raw(address, GET_CLOSE).await });
    wait_for(|| running.handle.load().requests == 1).await;
    let second = tokio::spawn(async move { raw(address, GET_CLOSE).await });
    wait_for(|| running.handle.load().queued == 1).await;
    let third = raw(address, GET_CLOSE).await;
    assert!(third.starts_with("HTTP/1.1 503"), "{third}");
    assert!(third.contains("retry-after: 1\r\n"), "{third}");
    assert!(third.contains("\"code\":\"overloaded\""), "{third}");
    // Two more connections are let in, a fifth is not.
    let _held = [connect(address).await, connect(address).await];
    wait_for(|| running.handle.load().connections == 4).await;
    let mut fifth = connect(address).await;
    assert_eq!(read_all(&mut fifth).await, "");
    go.notify_one();
    assert!(first.await.unwrap().ends_with("hello"));
    go.notify_one();
    assert!(second.await.unwrap().ends_with("hello"));
}

async fn connect(address: std::net::SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

async fn wait_for(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !done() {
        assert!(Instant::now() < deadline, "never happened");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A long answer in many pieces.
fn long() -> impl Service {
    from_fn(|_request, _peer| async {
        let piece = Bytes::from(vec![b'x'; 64 * 1_024]);
        let pieces = stream::repeat(piece).take(1_000);
        let frames = pieces.map(|piece| Ok::<_, std::io::Error>(Frame::data(piece)));
        Response::new(Body::stream(StreamBody::new(frames)))
    })
}

#[tokio::test]
async fn api_14_a_client_that_does_not_take_its_answer_is_cut() {
    let running = serve(hurried(), long()).await;
    let mut stream = connect(running.address).await;
    stream.write_all(GET).await.unwrap();
    wait_for(|| running.handle.load().requests == 1).await;
    // Takes nothing; its request, slot, and connection are given up.
    wait_for(|| running.handle.load().connections == 0).await;
    assert_eq!(running.handle.load().requests, 0);
}

#[tokio::test]
async fn api_14_an_http2_stream_that_is_not_taken_is_cut() {
    let config = ServerConfig {
        http2_plain_text: true,
        min_bytes_per_second: 1_000_000,
        ..hurried()
    };
    let running = serve(config, long()).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let url = format!("http://{}/", running.address);
    let answer = client.get(url.parse().unwrap()).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    wait_for(|| running.handle.load().connections == 0).await;
    drop(answer);
}

#[tokio::test]
async fn http2_without_tls_is_off_unless_asked_for() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let running = serve(ServerConfig::default(), hello()).await;
    let answer = raw(running.address, preface).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 505"),
        "{answer}"
    );
    let config = ServerConfig {
        http2_plain_text: true,
        ..ServerConfig::default()
    };
    let running = serve(config, hello()).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let url = format!("http://{}/", running.address);
    let answer = client.get(url.parse().unwrap()).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "hello");
    assert!(raw(running.address, GET_CLOSE).await.ends_with("hello"));
}

struct Panics(AtomicUsize);

impl Service for Panics {
    async fn call(&self, _request: Request<Incoming>, _peer: Arc<Peer>) -> Response<Body> {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            panic!("MARKER");
        }
        Response::new(Body::from("hello".to_owned()))
    }
}

#[tokio::test]
async fn a_panic_is_one_requests_misfortune() {
    let running = serve(ServerConfig::default(), Panics(AtomicUsize::new(0))).await;
    let mut stream = connect(running.address).await;
    stream.write_all(GET).await.unwrap();
    let answer = read_until(&mut stream, "internal_error").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(!answer.contains("MARKER"));
    // Even on the same connection.
    stream.write_all(GET).await.unwrap();
    read_until(&mut stream, "hello").await;
    drop(stream);
    wait_for(|| running.handle.load() == Default::default()).await;
}

#[tokio::test]
async fn open_requests_end_before_the_server_does() {
    let go = Arc::new(Notify::new());
    let service = {
        let go = Arc::clone(&go);
        from_fn(move |_request, _peer| {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                Response::new(Body::from("hello".to_owned()))
            }
        })
    };
    let running = serve(hurried(), service).await;
    let address = running.address;
    let mut idle = connect(address).await;
    let open = tokio::spawn(async move { raw(address, GET).await });
    wait_for(|| running.handle.load().requests == 1).await;
    running.handle.shutdown();
    assert!(running.handle.is_stopping());
    // An idle connection ends, and nobody new gets in.
    assert_eq!(read_all(&mut idle).await, "");
    wait_for(|| std::net::TcpStream::connect(address).is_err()).await;
    go.notify_one();
    let answer = open.await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    running.task.await.unwrap();
}

#[tokio::test]
async fn requests_that_do_not_end_in_time_are_cut() {
    let config = ServerConfig {
        drain_ms: 100,
        ..ServerConfig::default()
    };
    let service = from_fn(|_request, _peer| std::future::pending::<Response<Body>>());
    let running = serve(config, service).await;
    let address = running.address;
    let open = tokio::spawn(async move { raw(address, GET).await });
    wait_for(|| running.handle.load().requests == 1).await;
    running.handle.shutdown();
    running.task.await.unwrap();
    assert_eq!(open.await.unwrap(), "");
}

#[tokio::test]
async fn a_request_whose_client_went_away_is_dropped() {
    let service = from_fn(|_request, _peer| std::future::pending::<Response<Body>>());
    let running = serve(ServerConfig::default(), service).await;
    let mut stream = connect(running.address).await;
    stream.write_all(GET).await.unwrap();
    wait_for(|| running.handle.load().requests == 1).await;
    drop(stream);
    wait_for(|| running.handle.load() == Default::default()).await;
}
