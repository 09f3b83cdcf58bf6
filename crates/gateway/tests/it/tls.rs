//! TLS of the data plane: versions, client certificates, reload (API-08 to API-10).

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use bartizan_gateway::{
    body::Body,
    serve::{ClientAuth, MinVersion, Peer, ServeError, Server, ServerConfig, TlsConfig, from_fn},
};
use http::{Request, Response};
use hyper::body::Incoming;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    certificates::{Authority, Issued, write},
    helpers::{Running, serve},
};

/// A server whose answer tells how many certificates its client showed.
async fn counting(folder: &Path, authority: &Authority, tls: TlsConfig) -> Running {
    let issued = authority.issue("localhost", 1);
    let config = ServerConfig {
        tls: Some(TlsConfig {
            cert_file: write(folder, "cert.pem", &issued.certificate),
            key_file: write(folder, "key.pem", &issued.key),
            ..tls
        }),
        ..ServerConfig::default()
    };
    let count = |_request: Request<Incoming>, peer: Arc<Peer>| async move {
        assert!(peer.encrypted);
        Response::new(Body::from(format!("{} shown", peer.certificates.len())))
    };
    serve(config, from_fn(count)).await
}

fn client(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    shown: Option<&Issued>,
    alpn: &str,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(issued) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    config
}

async fn connect(address: SocketAddr, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await?;
    let mut all = Vec::new();
    let mut piece = [0; 1_024];
    while !all.ends_with(b" shown") {
        let n = stream.read(&mut piece).await?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        all.extend_from_slice(&piece[..n]);
    }
    Ok(String::from_utf8_lossy(&all[all.len() - 7..]).into_owned())
}

/// Connects and asks; in TLS 1.3 a refusal shows only after the client's handshake.
async fn try_once(address: SocketAddr, config: ClientConfig) -> io::Result<String> {
    ask(&mut connect(address, config).await?).await
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
const OLD: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn api_08_less_than_tls_1_3_is_refused() {
    let (folder, authority) = (folder(), Authority::new("ours"));
    let running = counting(folder.path(), &authority, TlsConfig::default()).await;
    let new = client(&authority, BOTH, None, "http/1.1");
    assert_eq!(try_once(running.address, new).await.unwrap(), "0 shown");
    let old = || client(&authority, OLD, None, "http/1.1");
    assert!(connect(running.address, old()).await.is_err());
    // Unless the operator says so.
    let lax = TlsConfig {
        min_version: MinVersion::Tls12,
        ..TlsConfig::default()
    };
    let running = counting(folder.path(), &authority, lax).await;
    assert_eq!(try_once(running.address, old()).await.unwrap(), "0 shown");
    // Nor does anybody get an answer who does not speak TLS at all.
    let plain = crate::helpers::raw(running.address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(!plain.contains("HTTP"), "{plain}");
}

#[tokio::test]
async fn api_09_client_certificates_of_our_authority_only() {
    let (folder, ours, other) = (folder(), Authority::new("ours"), Authority::new("other"));
    let tls = TlsConfig {
        ca_file: Some(write(folder.path(), "ca.pem", &ours.pem())),
        crl_files: vec![write(folder.path(), "crl.pem", &ours.revocations(&[66]))],
        client_auth: ClientAuth::Require,
        ..TlsConfig::default()
    };
    let running = counting(folder.path(), &ours, tls.clone()).await;
    let ask = |shown: Option<Issued>| {
        let config = client(&ours, BOTH, shown.as_ref(), "http/1.1");
        try_once(running.address, config)
    };
    let shown = ask(Some(ours.issue("service-a", 2))).await;
    assert_eq!(shown.unwrap(), "1 shown");
    assert!(ask(None).await.is_err(), "without a certificate");
    let foreign = ask(Some(other.issue("service-a", 2))).await;
    assert!(foreign.is_err(), "of another authority");
    let revoked = ask(Some(ours.issue("service-a", 66))).await;
    assert!(revoked.is_err(), "revoked");

    let optional = TlsConfig {
        client_auth: ClientAuth::Optional,
        ..tls
    };
    let running = counting(folder.path(), &ours, optional).await;
    let none = client(&ours, BOTH, None, "http/1.1");
    assert_eq!(try_once(running.address, none).await.unwrap(), "0 shown");
    let foreign = client(&ours, BOTH, Some(&other.issue("a", 2)), "http/1.1");
    assert!(try_once(running.address, foreign).await.is_err());
}

#[tokio::test]
async fn api_10_certificates_are_read_anew_and_connections_stay() {
    let (folder, old, new) = (folder(), Authority::new("old"), Authority::new("new"));
    let running = counting(folder.path(), &old, TlsConfig::default()).await;
    let of_old = || client(&old, BOTH, None, "http/1.1");
    let of_new = || client(&new, BOTH, None, "http/1.1");
    let mut open = connect(running.address, of_old()).await.unwrap();
    ask(&mut open).await.unwrap();

    // A bad file changes nothing.
    write(folder.path(), "cert.pem", "nothing");
    assert!(running.handle.reload_tls().is_err());
    try_once(running.address, of_old()).await.unwrap();

    let issued = new.issue("localhost", 1);
    write(folder.path(), "cert.pem", &issued.certificate);
    write(folder.path(), "key.pem", &issued.key);
    running.handle.reload_tls().unwrap();
    assert!(try_once(running.address, of_old()).await.is_err());
    try_once(running.address, of_new()).await.unwrap();
    ask(&mut open).await.unwrap();
}

#[tokio::test]
async fn api_10_changed_files_are_noticed() {
    let (folder, old, new) = (folder(), Authority::new("old"), Authority::new("new"));
    let tls = TlsConfig {
        reload_seconds: 1,
        ..TlsConfig::default()
    };
    let running = counting(folder.path(), &old, tls).await;
    let issued = new.issue("localhost", 1);
    write(
        folder.path(),
        "cert.pem",
        &format!("{}\n\n", issued.certificate),
    );
    write(folder.path(), "key.pem", &issued.key);
    let deadline = std::time::Duration::from_secs(10);
    let noticed = async {
        let of_new = || client(&new, BOTH, None, "http/1.1");
        while try_once(running.address, of_new()).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(deadline, noticed).await.unwrap();
}

#[tokio::test]
async fn http2_is_offered_over_tls() {
    let (folder, authority) = (folder(), Authority::new("ours"));
    let running = counting(folder.path(), &authority, TlsConfig::default()).await;
    let stream = connect(running.address, client(&authority, BOTH, None, "h2"))
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/")
        .body(http_body_util::Empty::<bytes::Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap();
    assert_eq!(body.to_bytes(), "0 shown");
}

#[tokio::test]
async fn a_server_does_not_start_on_files_that_cannot_be_used() {
    let (folder, authority) = (folder(), Authority::new("ours"));
    let issued = authority.issue("localhost", 1);
    let other = authority.issue("localhost", 2);
    let tls = TlsConfig {
        cert_file: write(folder.path(), "cert.pem", &issued.certificate),
        key_file: write(folder.path(), "key.pem", &other.key),
        ..TlsConfig::default()
    };
    let config = ServerConfig {
        tls: Some(tls),
        ..ServerConfig::default()
    };
    let error = Server::bind(&config, true).await.err().unwrap();
    assert!(matches!(error, ServeError::Tls(_)), "{error}");
}
