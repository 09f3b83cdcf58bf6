//! Listeners, and their end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::{
    config::{Mistake, ServerConfig},
    connection::{Shared, Stop},
    gate::{Gate, Load},
    service::{Peer, Service},
    sources::{Source, Sources},
    tls::{Tls, TlsError},
};

/// A server that listens and does not yet answer.
pub struct Server {
    config: ServerConfig,
    listeners: Vec<TcpListener>,
    handle: Handle,
}

/// A hand on a running server; clones are the same hand.
#[derive(Clone, Debug)]
pub struct Handle {
    stop: watch::Sender<Stop>,
    tls: Option<Arc<Tls>>,
    gate: Arc<Gate>,
    connections: Arc<Semaphore>,
    sources: Arc<Sources>,
    max_connections: usize,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The configuration has mistakes.
    #[error("the configuration of the server has mistakes")]
    Config(Vec<Mistake>),
    /// An address cannot be listened at.
    #[error("cannot listen at `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Server {
    /// Listens. Clients can connect from now on, and are answered once it runs. `authenticated`
    /// says whether clients must prove who they are by something else than a certificate.
    ///
    /// # Errors
    /// When the configuration has mistakes, a certificate cannot be used, or an address is taken.
    pub async fn bind(config: &ServerConfig, authenticated: bool) -> Result<Self, ServeError> {
        let mistakes = config.check(authenticated);
        if !mistakes.is_empty() {
            return Err(ServeError::Config(mistakes));
        }
        let tls = match config.active_tls() {
            Some(tls) => Some(Arc::new(Tls::load(tls)?)),
            None => None,
        };
        let listeners = config
            .listen
            .as_slice()
            .iter()
            .map(|&address| {
                listen(address).map_err(|source| ServeError::Listen { address, source })
            })
            .collect::<Result<_, _>>()?;
        let gate = Gate::new(
            config.max_requests,
            config.max_queue,
            Duration::from_millis(config.queue_ms),
        );
        Ok(Self {
            config: config.clone(),
            listeners,
            handle: Handle {
                stop: watch::Sender::new(Stop::No),
                tls,
                gate: Arc::new(gate),
                connections: Arc::new(Semaphore::new(config.max_connections)),
                sources: Arc::new(Sources::new(config.max_connections_per_address)),
                max_connections: config.max_connections,
            },
        })
    }

    /// Where it listens; with port 0 in the configuration, the port that the system chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// A hand on it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Answers until [`Handle::shutdown`], then lets open requests end for `drain-ms`, then cuts
    /// them.
    pub async fn run<S: Service>(self, service: S) {
        let Self {
            config,
            listeners,
            handle,
        } = self;
        let tls = handle.tls.clone();
        let gate = Arc::clone(&handle.gate);
        let shared = Arc::new(Shared::new(service, gate, tls, &config));
        let mut tasks = tokio::task::JoinSet::new();
        for listener in listeners {
            tasks.spawn(accept(listener, Arc::clone(&shared), handle.clone()));
        }
        if let Some(tls) = handle.tls.clone() {
            tasks.spawn(watch_files(tls, handle.stop.subscribe()));
        }
        while tasks.join_next().await.is_some() {}
        handle.drained(Duration::from_millis(config.drain_ms)).await;
        handle.stop.send_replace(Stop::Cut);
        handle.drained(CUT).await;
    }
}

/// Time for cut connections to be gone.
const CUT: Duration = Duration::from_secs(1);

impl Handle {
    /// Asks the server to end: it takes no new connection or request, and [`Server::run`] returns
    /// when the open ones are answered or cut.
    pub fn shutdown(&self) {
        self.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            if first {
                *stop = Stop::Drain;
            }
            first
        });
    }

    /// Ends when the server was asked to end.
    pub async fn stopping(&self) {
        let mut stop = self.stop.subscribe();
        // The sender is ours, so that the wait ends only with the word.
        let _ = stop.wait_for(|stop| *stop != Stop::No).await;
    }

    /// Whether it was asked to end; for a readiness probe.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow() != Stop::No
    }

    /// Reads certificates and revocation lists anew, for new connections.
    ///
    /// # Errors
    /// When one cannot be used; then everything stays as it was.
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let (requests, queued) = self.gate.load();
        let free = self.connections.available_permits();
        Load {
            connections: self.max_connections.saturating_sub(free),
            requests,
            queued,
        }
    }

    fn admit(&self, address: SocketAddr) -> Option<(OwnedSemaphorePermit, Source)> {
        let source = self.sources.admit(address.ip())?;
        let permit = Arc::clone(&self.connections).try_acquire_owned().ok()?;
        Some((permit, source))
    }

    async fn drained(&self, within: Duration) {
        let all = u32::try_from(self.max_connections).unwrap_or(u32::MAX);
        let all = self.connections.acquire_many(all);
        // Elapsed: who is still there is cut by the caller.
        let _ = tokio::time::timeout(within, all).await;
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A restart must not wait for connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Connections that the system holds for us; it may cap the number.
const BACKLOG: u32 = 4_096;

async fn accept<S: Service>(listener: TcpListener, shared: Arc<Shared<S>>, handle: Handle) {
    let mut stop = handle.stop.subscribe();
    let mut failures = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop != Stop::No) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                failures = 0;
                // Beyond the bound: closed at once, so that the client does not wait.
                if let Some(permit) = handle.admit(address) {
                    let stop = handle.stop.subscribe();
                    tokio::spawn(connection(
                        Arc::clone(&shared),
                        stream,
                        address,
                        stop,
                        permit,
                    ));
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "cannot accept connections, waiting");
                tokio::time::sleep(back_off(failures)).await;
                failures += 1;
            }
        }
    }
}

async fn connection<S: Service>(
    shared: Arc<Shared<S>>,
    stream: TcpStream,
    address: SocketAddr,
    stop: watch::Receiver<Stop>,
    _permit: (OwnedSemaphorePermit, Source),
) {
    // Without it, small pieces of a stream wait for the acknowledgement of the last (RFC 896).
    if stream.set_nodelay(true).is_ok() {
        shared.serve(stream, Peer::plain(address), stop).await;
    }
}

/// Errors of `accept` that say nothing about the next connection, see `accept(2)`.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::NetworkDown
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::TimedOut
    )
}

/// How long to wait when the system has no file descriptors or memory left: 5 ms, doubled each
/// time, at most 1 s.
fn back_off(failures: u32) -> Duration {
    Duration::from_millis(5 << failures.min(8)).min(Duration::from_secs(1))
}

async fn watch_files(tls: Arc<Tls>, mut stop: watch::Receiver<Stop>) {
    let seconds = tls.config().reload_seconds;
    let period = Duration::from_secs(if seconds == 0 {
        u64::MAX >> 20
    } else {
        seconds
    });
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop != Stop::No) => return,
            () = tokio::time::sleep(period) => {}
        }
        match tls.reload_if_changed() {
            Ok(true) => tracing::info!("certificates were read anew"),
            Ok(false) => {}
            Err(_) => tracing::warn!("changed certificates cannot be used, the old ones stay"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_grows_and_stays_under_a_second() {
        let waits: Vec<_> = (0..40).map(|n| back_off(n).as_millis()).collect();
        assert_eq!(&waits[..3], &[5, 10, 20]);
        assert!(waits.is_sorted());
        assert_eq!(waits.last(), Some(&1_000));
    }

    #[test]
    fn running_out_of_descriptors_is_not_of_one_connection() {
        for (code, one) in [
            (24, false),
            (23, false),
            (12, false),
            (103, true),
            (4, true),
        ] {
            let error = io::Error::from_raw_os_error(code);
            assert_eq!(is_of_one_connection(&error), one, "{error}");
        }
    }
}
