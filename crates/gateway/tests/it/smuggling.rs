//! Requests whose length is told in two ways must not hide a second request (RFC 9112, 6.3).

use std::sync::{Arc, Mutex};

use bartizan_gateway::{
    body::Body,
    serve::{ServerConfig, from_fn, read_body},
};
use http::{Request, Response};
use hyper::body::Incoming;

use crate::helpers::{raw, serve};

/// Paths of the requests that the server saw in `bytes`, and its first status line.
async fn seen(bytes: &str) -> (Vec<String>, String) {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let service = {
        let paths = Arc::clone(&paths);
        let limits = ServerConfig::default().body_limits();
        from_fn(move |request: Request<Incoming>, _peer| {
            paths.lock().unwrap().push(request.uri().path().to_owned());
            async move {
                let status = match read_body(request.into_body(), &limits).await {
                    Ok(_) => http::StatusCode::OK,
                    Err(fault) => fault.kind.status(),
                };
                let mut response = Response::new(Body::Empty);
                *response.status_mut() = status;
                response
            }
        })
    };
    let config = ServerConfig {
        idle_ms: 200,
        header_ms: 200,
        body_ms: 200,
        ..ServerConfig::default()
    };
    let running = serve(config, service).await;
    let answer = raw(running.address, bytes.as_bytes()).await;
    let first = answer.lines().next().unwrap_or_default().to_owned();
    let paths = paths.lock().unwrap().clone();
    (paths, first)
}

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn two_lengths_that_differ_are_refused() {
    for lengths in [
        "content-length: 0\r\ncontent-length: 35\r\n",
        "content-length: 0, 35\r\n",
        "content-length: +35\r\n",
        "content-length: 0x23\r\n",
        "content-length: -1\r\n",
    ] {
        let (paths, status) = seen(&format!(
            "POST / HTTP/1.1\r\nhost: a\r\n{lengths}\r\n{HIDDEN}"
        ))
        .await;
        assert_eq!(paths, [""; 0], "{lengths}");
        assert!(status.contains("400"), "{lengths} {status}");
    }
}

#[tokio::test]
async fn a_length_beside_chunks_does_not_count_twice() {
    // Either refused, or read as chunked and the connection not used any further.
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n\
         0\r\n\r\n{HIDDEN}"
    );
    let (paths, status) = seen(&request).await;
    assert!(
        !paths.contains(&"/hidden".to_owned()) || status.contains("400"),
        "{paths:?} {status}"
    );
    // The other way about: what the length covers is not a request.
    let covered = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: {}\r\n\r\n\
         {HIDDEN}",
        HIDDEN.len()
    );
    let (paths, _) = seen(&covered).await;
    assert!(!paths.contains(&"/hidden".to_owned()), "{paths:?}");
}

#[tokio::test]
async fn other_spellings_of_chunked_are_refused() {
    for coding in [
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding:\r\n chunked\r\n",
        "transfer\u{00ad}-encoding: chunked\r\n",
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\n{coding}\r\n0\r\n\r\n{HIDDEN}");
        let (paths, status) = seen(&request).await;
        assert!(!paths.contains(&"/hidden".to_owned()), "{coding} {paths:?}");
        assert!(
            status.contains("400") || status.is_empty(),
            "{coding} {status}"
        );
    }
}

#[tokio::test]
async fn bad_chunks_end_the_connection() {
    for body in [
        "z\r\n\r\n",
        "-1\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "ffffffffffffffffff\r\n",
        "5;\nhello\r\n0\r\n\r\n",
    ] {
        let request = format!(
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{body}{HIDDEN}"
        );
        let (paths, _) = seen(&request).await;
        assert_eq!(paths, ["/"], "{body:?}");
    }
}

#[tokio::test]
async fn lines_that_are_no_lines_are_refused() {
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\na\0b: c\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\na: b\rc\r\n\r\n",
        "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        "GET /a\x01b HTTP/1.1\r\nhost: a\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n",
    ] {
        let (paths, status) = seen(request).await;
        assert_eq!(paths, [""; 0], "{request:?} {status}");
    }
}
