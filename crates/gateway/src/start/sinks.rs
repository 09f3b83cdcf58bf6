//! From the configuration to systems that are told of events.

use std::{path::Path, sync::Arc};

use bartizan_siem::webhook::WebhookKey;

use super::{Ground, StartError};
use crate::{
    adapters,
    clock::Clock,
    config::{Config, Mistake},
    record::{
        FileOutlet, OtlpOutlet, Outlet, Places, Recorder, SinkTarget, Sinks, SyslogOutlet,
        SyslogSink, WebhookOutlet,
    },
    secrets::{Environment, Fetch},
    upstream::{UpstreamConfig, client_tls},
};

pub(super) async fn start(
    config: &Config,
    ground: &Ground,
    environment: &dyn Environment,
    data: &Path,
    clock: &Arc<dyn Clock>,
    recorder: &Recorder,
) -> Result<Sinks, StartError> {
    let resolver = ground.resolver(config, environment);
    let mut all = Vec::new();
    for (number, sink) in config.record.sinks.iter().enumerate() {
        let mistake = |field: &str, message: &str| {
            let path = format!("record.sinks[{number}].to.{field}");
            StartError::Config(vec![Mistake::new(path, message)])
        };
        let format = sink.format;
        let outlet: Box<dyn Outlet> = match &sink.to {
            SinkTarget::File(to) => Box::new(FileOutlet::new(to.clone(), format, data)),
            SinkTarget::Syslog(to) => {
                let tls = to.is_tls().then(|| client_tls(&tls_of(to))).transpose();
                let tls = tls.map_err(|error| mistake("syslog.ca-file", &error.to_string()))?;
                Box::new(SyslogOutlet::new(to.clone(), format, tls.map(Arc::new)))
            }
            SinkTarget::Webhook(to) => {
                let secret = resolver.resolve(&to.secret).await;
                let secret = secret.map_err(|source| StartError::Secret {
                    path: format!("record.sinks[{number}].to.webhook.secret"),
                    source,
                })?;
                let short = "is shorter than 24 bytes; make one with `openssl rand -base64 32`";
                Box::new(WebhookOutlet {
                    name: sink.name.clone(),
                    url: to.url.clone(),
                    key: WebhookKey::new(secret.expose())
                        .ok_or_else(|| mistake("webhook.secret", short))?,
                    format,
                    fetch: client(&to.url)?,
                    clock: Arc::clone(clock),
                })
            }
            SinkTarget::Otlp(to) => Box::new(OtlpOutlet {
                config: to.clone(),
                format,
                fetch: client(&to.endpoint)?,
            }),
        };
        all.push((sink.clone(), outlet));
    }
    let places = Places::new(ground.store.clone(), recorder.journal());
    Ok(Sinks::start(all, &places, clock, &recorder.moved()))
}

/// A receiver may well be in a private network: its address is the operator's own.
fn client(url: &str) -> Result<Arc<dyn Fetch>, StartError> {
    let client = adapters::client(&[url.to_owned()], true);
    Ok(client.map_err(|mistake| StartError::Config(vec![mistake]))?)
}

fn tls_of(to: &SyslogSink) -> UpstreamConfig {
    UpstreamConfig {
        ca_file: to.ca_file.clone(),
        client_cert_file: to.client_cert_file.clone(),
        client_key_file: to.client_key_file.clone(),
        ..UpstreamConfig::default()
    }
}
