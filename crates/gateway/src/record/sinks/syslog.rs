use std::{io, sync::Arc, time::Duration};

use bartizan_siem::{Format, Notice, syslog};
use futures_util::future::BoxFuture;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{Outlet, SinkError, SyslogSink, config::Address};

/// A receiver of syslog over a stream, each message in a frame with its length.
///
/// Syslog has no acknowledgements (RFC 6587, section 3.1). After each batch we listen a moment for
/// the end of the connection, so that what a receiver that went away did not read is sent again;
/// what it lost after that it lost on its own.
pub(crate) struct SyslogOutlet {
    config: SyslogSink,
    format: Format,
    tls: Option<Arc<ClientConfig>>,
    host: String,
    stream: Option<Box<dyn Stream>>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long we listen for the end of the connection.
const LISTEN: Duration = Duration::from_millis(200);

impl SyslogOutlet {
    /// Speaks to the receiver of `config`, with `tls` where its address says so.
    pub(crate) fn new(config: SyslogSink, format: Format, tls: Option<Arc<ClientConfig>>) -> Self {
        let own = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            host: config.hostname.clone().unwrap_or_else(own),
            config,
            format,
            tls,
            stream: None,
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self.config.place() {
            Some(Address::Unix(path)) => Ok(Box::new(UnixStream::connect(path).await?)),
            Some(Address::Tcp { host, port }) => {
                Ok(Box::new(TcpStream::connect((host, port)).await?))
            }
            Some(Address::Tls { host, port }) => {
                let Some(tls) = &self.tls else {
                    return Err(io::ErrorKind::Unsupported.into());
                };
                let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                let stream = TcpStream::connect((host, port)).await?;
                let connector = TlsConnector::from(Arc::clone(tls));
                Ok(Box::new(connector.connect(name, stream).await?))
            }
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    async fn deliver(&mut self, frames: &[u8]) -> Result<(), SinkError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => timeout(CONNECT, self.connect())
                .await
                .map_err(|_| SinkError::TimedOut)??,
        };
        stream.write_all(frames).await?;
        stream.flush().await?;
        let closed = async {
            let mut heard = [0; 256];
            loop {
                // What a receiver says means nothing; that it ends the connection does.
                match stream.read(&mut heard).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        };
        if timeout(LISTEN, closed).await.is_ok() {
            return Err(SinkError::Closed);
        }
        self.stream = Some(stream);
        Ok(())
    }
}

impl Outlet for SyslogOutlet {
    fn send<'a>(&'a mut self, notices: &'a [Notice]) -> BoxFuture<'a, Result<(), SinkError>> {
        let mut frames = Vec::new();
        for notice in notices {
            let text = notice.write(self.format, env!("CARGO_PKG_VERSION"));
            syslog::frame(notice, self.config.facility, &self.host, &text, &mut frames);
        }
        Box::pin(async move { self.deliver(&frames).await })
    }
}
