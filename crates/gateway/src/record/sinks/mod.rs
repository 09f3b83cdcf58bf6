//! Systems that are told of every event: files, syslog, webhooks, collectors.
//!
//! The record itself is the buffer: each sink has a place in it, kept in the same database, that moves
//! on when the sink has taken what stands before. A sink that is down delays nobody and loses
//! nothing; it may be told of an event twice, never of none. What an event looks like is the business
//! of `bartizan-siem`.

mod config;
mod file;
mod places;
mod post;
mod pump;
mod syslog;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;

use bartizan_siem::Notice;

pub(crate) use self::{
    file::FileOutlet,
    places::Places,
    post::{OtlpOutlet, WebhookOutlet},
    syslog::SyslogOutlet,
};
pub use config::{FileSink, OtlpSink, SinkConfig, SinkTarget, SyslogSink, WebhookSink};
pub(super) use places::TABLE;
pub use pump::{SinkState, Sinks};

/// Takes events to a system.
pub(crate) trait Outlet: Send + Sync {
    /// Takes all of `notices` there; returns when the system has them, as far as its protocol tells.
    fn send<'a>(&'a mut self, notices: &'a [Notice]) -> BoxFuture<'a, Result<(), SinkError>>;
}

/// Why a sink did not take events.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    /// A file or a connection.
    #[error("it cannot be written to ({})", .0.kind())]
    Io(#[from] std::io::Error),
    /// It closed the connection, so that what it read last is not known.
    #[error("it closed the connection")]
    Closed,
    /// It answered with another status than success.
    #[error("it answered with status {0}")]
    Status(u16),
    /// No answer over HTTP.
    #[error(transparent)]
    Fetch(#[from] crate::secrets::FetchError),
    /// It took too long.
    #[error("it took too long")]
    TimedOut,
    /// The place in the record.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
