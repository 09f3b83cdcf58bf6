//! What several tests need.

use std::{net::SocketAddr, time::Duration};

use bartizan_core::{Coverage, Direction, Layer, Origin, Report};
use bartizan_gateway::serve::{Handle, ListenAddresses, Server, ServerConfig, Service};
use bartizan_policy::{DecisionContext, Permit, Policy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

/// `value`, as if every check had found it clean.
pub(crate) fn permit<T: std::fmt::Debug>(value: T) -> Permit<T> {
    let policy = Policy::default();
    let coverage = Layer::ALL
        .into_iter()
        .map(|layer| Coverage {
            check: "test",
            layer,
            outcome: Ok(()),
        })
        .collect();
    let report = Report {
        findings: Vec::new(),
        coverage,
    };
    let today = "2026-11-21".parse().unwrap();
    let context = DecisionContext::new(Direction::Input, Origin::User, today);
    let decision = policy.decide(&report, &context);
    policy.admit(value, &decision).unwrap()
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) task: JoinHandle<()>,
}

/// Runs `service` at a free port of loopback.
pub(crate) async fn serve<S: Service>(mut config: ServerConfig, service: S) -> Running {
    config.listen = ListenAddresses::One("127.0.0.1:0".parse().unwrap());
    let server = Server::bind(&config, true).await.unwrap();
    Running {
        address: server.addresses()[0],
        handle: server.handle(),
        task: tokio::spawn(server.run(service)),
    }
}

/// Sends bytes and reads until the other end closes, or nothing more comes for five seconds.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other end may close before it took everything.
    let _ = stream.write_all(bytes).await;
    read_all(&mut stream).await
}

/// Everything up to the end, or what came before nothing more came for five seconds.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4_096];
    while let Ok(Ok(n @ 1..)) =
        tokio::time::timeout(Duration::from_secs(5), stream.read(&mut piece)).await
    {
        all.extend_from_slice(&piece[..n]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `needle` came.
pub(crate) async fn read_until(stream: &mut TcpStream, needle: &str) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if text.contains(needle) {
            return text;
        }
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut piece));
        let n = read.await.unwrap().unwrap();
        assert!(n > 0, "closed before `{needle}`: {text}");
        all.extend_from_slice(&piece[..n]);
    }
}
