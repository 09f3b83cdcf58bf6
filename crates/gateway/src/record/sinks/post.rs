use std::sync::Arc;

use bartizan_siem::{
    Format, Notice, otlp,
    webhook::{self, WebhookKey},
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Method, Request, header};

use super::{OtlpSink, Outlet, SinkError};
use crate::{
    clock::Clock,
    secrets::{Fetch, FetchBounds},
};

/// A receiver of signed HTTP POSTs.
pub(crate) struct WebhookOutlet {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) key: WebhookKey,
    pub(crate) format: Format,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Outlet for WebhookOutlet {
    fn send<'a>(&'a mut self, notices: &'a [Notice]) -> BoxFuture<'a, Result<(), SinkError>> {
        let (Some(first), Some(last)) = (notices.first(), notices.last()) else {
            return Box::pin(async { Ok(()) });
        };
        let events: Vec<String> = notices
            .iter()
            .map(|notice| notice.write(self.format, env!("CARGO_PKG_VERSION")))
            .collect();
        let body = webhook::body(first.at_ms, &events);
        // The same events have the same id whenever they are sent again.
        let id = format!("{}_{}_{}", self.name, first.number, last.number);
        let headers = self.key.sign(&id, self.clock.unix_ms() / 1_000, &body);
        let request = Request::builder()
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", headers.id)
            .header("webhook-timestamp", headers.timestamp)
            .header("webhook-signature", headers.signature);
        Box::pin(post(&*self.fetch, request, &self.url, body))
    }
}

/// A collector of OpenTelemetry.
pub(crate) struct OtlpOutlet {
    pub(crate) config: OtlpSink,
    pub(crate) format: Format,
    pub(crate) fetch: Arc<dyn Fetch>,
}

impl Outlet for OtlpOutlet {
    fn send<'a>(&'a mut self, notices: &'a [Notice]) -> BoxFuture<'a, Result<(), SinkError>> {
        let service = &self.config.service_name;
        let body = otlp::body(notices, self.format, service, env!("CARGO_PKG_VERSION"));
        let mut request = Request::builder().header(header::CONTENT_TYPE, "application/x-protobuf");
        for (name, value) in &self.config.headers.0 {
            request = request.header(name, value);
        }
        Box::pin(post(&*self.fetch, request, &self.config.endpoint, body))
    }
}

async fn post(
    fetch: &dyn Fetch,
    request: http::request::Builder,
    url: &str,
    body: Vec<u8>,
) -> Result<(), SinkError> {
    let request = request
        .method(Method::POST)
        .uri(url)
        .body(Bytes::from(body));
    // Names and values were looked at with the configuration.
    let request = request.map_err(std::io::Error::other)?;
    let answer = fetch.fetch(request, FetchBounds::default()).await?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(SinkError::Status(answer.status().as_u16()))
}
