//! A reverse proxy that does nothing but forward: what a gateway's cost is compared with.
//!
//! `cargo run --release -p bartizan-gateway --example bare_proxy -- 127.0.0.1:9200 127.0.0.1:9100`
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example")]

use std::env;

use http::{Request, Uri};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:9200".into());
    let upstream = arguments.next().unwrap_or_else(|| "127.0.0.1:9100".into());
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind(&listen).await.unwrap();
    println!("listening at {listen}, forwarding to {upstream}");
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (client, upstream) = (client.clone(), upstream.clone());
        tokio::spawn(async move {
            let forward = service_fn(|mut request: Request<Incoming>| {
                let path = request
                    .uri()
                    .path_and_query()
                    .map_or("/", |path| path.as_str());
                *request.uri_mut() = Uri::builder()
                    .scheme("http")
                    .authority(upstream.as_str())
                    .path_and_query(path)
                    .build()
                    .unwrap();
                client.request(request)
            });
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), forward)
                .await;
        });
    }
}
