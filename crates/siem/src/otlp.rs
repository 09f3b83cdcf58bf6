//! Log records of OpenTelemetry (OTLP 1.x, `opentelemetry.proto.logs.v1`).

use bartizan_core::Severity;
use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber},
    resource::v1::Resource,
};
use prost::Message as _;

use crate::{Format, Notice};

/// The body of an export of these events over HTTP with protobuf: each a record whose body is the
/// event in `format`, and whose attributes name it.
#[must_use]
pub fn body(notices: &[Notice], format: Format, service: &str, version: &str) -> Vec<u8> {
    let records = notices.iter().map(|notice| record(notice, format, version));
    let logs = ScopeLogs {
        scope: Some(InstrumentationScope {
            name: "bartizan".to_owned(),
            version: version.to_owned(),
            ..InstrumentationScope::default()
        }),
        log_records: records.collect(),
        ..ScopeLogs::default()
    };
    let resource = Resource {
        attributes: vec![
            attribute("service.name", service),
            attribute("service.version", version),
        ],
        ..Resource::default()
    };
    let request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource),
            scope_logs: vec![logs],
            ..ResourceLogs::default()
        }],
    };
    request.encode_to_vec()
}

fn record(notice: &Notice, format: Format, version: &str) -> LogRecord {
    let nanos = notice.at_ms.saturating_mul(1_000_000);
    let mut attributes = vec![attribute("log.record.uid", &notice.number.to_string())];
    if !notice.principal.is_empty() {
        attributes.push(attribute("user.id", &notice.principal));
    }
    if let Some(request) = &notice.request_id {
        attributes.push(attribute("bartizan.request_id", request));
    }
    LogRecord {
        time_unix_nano: nanos,
        observed_time_unix_nano: nanos,
        severity_number: severity(notice.severity).into(),
        severity_text: notice.severity.to_string(),
        event_name: format!("bartizan.{}", notice.kind),
        body: Some(text(&notice.write(format, version))),
        attributes,
        ..LogRecord::default()
    }
}

/// OpenTelemetry's logs data model, "Mapping of `SeverityNumber`".
const fn severity(severity: Severity) -> SeverityNumber {
    match severity {
        Severity::Info => SeverityNumber::Info,
        Severity::Low => SeverityNumber::Info2,
        Severity::Medium => SeverityNumber::Warn,
        Severity::High => SeverityNumber::Error,
        Severity::Critical => SeverityNumber::Fatal,
    }
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(text(value)),
        ..KeyValue::default()
    }
}

fn text(value: &str) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(value.to_owned())),
    }
}
