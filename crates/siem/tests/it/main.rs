//! What other systems read.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests fail by panicking"
)]

use std::{fs, path::Path};

use bartizan_core::Severity;
use bartizan_siem::{Format, Notice, cef, otlp, schema, syslog, webhook};
use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest, common::v1::any_value::Value as AnyValue,
};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};

fn notice(kind: &str, severity: Severity, mut body: Value) -> Notice {
    body["event"] = kind.into();
    Notice {
        number: 7,
        at_ms: 1_763_730_000_123,
        kind: kind.to_owned(),
        severity,
        principal: "key_1".to_owned(),
        request_id: Some("019aa".to_owned()),
        body: body.to_string(),
    }
}

fn finding() -> Notice {
    let details = json!({
        "rule": "prompt.instruction-override", "layer": "rules", "direction": "input",
        "action": "block", "confidence": 0.875,
    });
    let body = json!({ "event_type": "injection", "details": details });
    notice("security_event", Severity::High, body)
}

fn ocsf(notice: &Notice) -> Value {
    serde_json::from_str(&notice.write(Format::Ocsf, "0.1.0")).unwrap()
}

/// AUD-13: the fields that the class "Detection Finding" requires, and the event itself.
#[test]
fn aud_13_a_finding_is_a_detection_finding() {
    let event = ocsf(&finding());
    for (field, expected) in [
        ("/class_uid", json!(2004)),
        ("/category_uid", json!(2)),
        ("/type_uid", json!(200_401)),
        ("/severity_id", json!(4)),
        ("/time", json!(1_763_730_000_123_u64)),
        ("/metadata/product/vendor_name", json!("Bartizan")),
        ("/metadata/sequence", json!(7)),
        ("/metadata/correlation_uid", json!("019aa")),
        ("/finding_info/title", json!("prompt.instruction-override")),
        ("/finding_info/types", json!(["injection"])),
        ("/confidence_score", json!(88)),
        ("/action_id", json!(2)),
        ("/disposition_id", json!(2)),
        ("/unmapped/details/layer", json!("rules")),
    ] {
        assert_eq!(event.pointer(field), Some(&expected), "{field}");
    }
}

/// What each class must have beside the base event, by OCSF 1.5.
#[test]
fn every_class_has_what_it_must_have() {
    for (kind, body, class, activity, fields) in [
        (
            "llm_interaction",
            json!({"endpoint": "/v1/chat/completions", "status": 200, "outcome": "answered"}),
            6003,
            99,
            &["actor", "api", "src_endpoint"][..],
        ),
        (
            "ml_audit",
            json!({"action": "predict", "status": "success", "status_code": 200}),
            6003,
            2,
            &["actor", "api", "src_endpoint"],
        ),
        (
            "auth_failure",
            json!({"reason": "expired"}),
            3002,
            1,
            &["user", "service"],
        ),
        (
            "key_management",
            json!({"action": "revoke", "key_id": "k"}),
            3004,
            4,
            &["entity"],
        ),
        (
            "config_change",
            json!({"what": "policy"}),
            3004,
            3,
            &["entity"],
        ),
        ("service", json!({"action": "started"}), 6002, 3, &["app"]),
        ("gap", json!({"lost": 3}), 1008, 99, &["log_name"]),
        (
            "of_a_later_version",
            json!({}),
            6003,
            99,
            &["actor", "api", "src_endpoint"],
        ),
    ] {
        let event = ocsf(&notice(kind, Severity::Info, body));
        assert_eq!(event["class_uid"], class, "{kind}");
        assert_eq!(event["activity_id"], activity, "{kind}");
        for field in fields {
            assert!(!event[field].is_null(), "{kind} without {field}");
        }
    }
    let answered = ocsf(&notice(
        "llm_interaction",
        Severity::Info,
        json!({"outcome": "answered", "status": 200}),
    ));
    assert_eq!(answered["status_id"], 1);
    assert_eq!(answered["api"]["response"]["code"], 200);
}

/// The schema is a file, and a change of it is seen. `UPDATE_SCHEMAS=1` writes it.
#[test]
fn aud_10_the_schema_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/ocsf-event.v1.json");
    let mut now = schema().to_value();
    // The order of keys must not hang on what else is compiled in.
    now.sort_all_objects();
    let now = serde_json::to_string_pretty(&now).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), now);
}

#[test]
fn a_message_of_syslog_stands_in_its_frame() {
    let mut out = Vec::new();
    syslog::frame(&finding(), syslog::LOG_AUDIT, "host a", "text", &mut out);
    let text = String::from_utf8(out).unwrap();
    let message = "<107>1 2025-11-21T13:00:00.123Z hosta bartizan - security_event \
                   [meta sequenceId=\"7\"] text";
    assert_eq!(text, format!("{} {message}", message.len()));
}

/// The example of the specification's reference libraries.
#[test]
fn a_webhook_has_the_signature_of_the_reference() {
    let key = webhook::WebhookKey::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let headers = key.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        br#"{"test": 2432232314}"#,
    );
    assert_eq!(
        headers.signature,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
    assert!(webhook::WebhookKey::new("whsec_c2hvcnQ=").is_none());
    assert!(webhook::WebhookKey::new("short").is_none());
}

#[test]
fn a_webhook_carries_the_events_as_they_are() {
    let events = [finding().write(Format::Event, "0.1.0")];
    let body: Value = serde_json::from_slice(&webhook::body(0, &events)).unwrap();
    assert_eq!(body["type"], "bartizan.audit.events");
    assert_eq!(body["timestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(body["data"]["events"][0]["event"], "security_event");
}

#[test]
fn a_collector_reads_the_logs() {
    let body = otlp::body(&[finding()], Format::Event, "bartizan", "0.1.0");
    let request = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
    let record = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(record.severity_number, 17);
    assert_eq!(record.event_name, "bartizan.security_event");
    assert_eq!(record.time_unix_nano, 1_763_730_000_123_000_000);
    let Some(AnyValue::StringValue(text)) = record.body.clone().unwrap().value else {
        panic!("a text");
    };
    assert_eq!(text, finding().body);
}

#[test]
fn a_line_of_cef_names_what_happened() {
    assert_eq!(
        cef::line(&finding(), "0.1.0"),
        "CEF:0|Bartizan|bartizan|0.1.0|security_event|security event|8|rt=1763730000123 \
         externalId=7 suser=key_1 deviceDirection=0 act=block cat=injection cs1=019aa \
         cs1Label=requestId cs2=prompt.instruction-override cs2Label=rule cs4=rules cs4Label=layer"
    );
}

/// The values of a line of CEF, as ArcSight's parser splits them.
fn extensions(line: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for word in line.split(' ') {
        let bytes = word.as_bytes();
        let joint = (0..bytes.len()).find(|&at| {
            let before = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\');
            bytes[at] == b'=' && before.count() % 2 == 0
        });
        match (joint, found.last_mut()) {
            (Some(at), _) => found.push((word[..at].to_owned(), word[at + 1..].to_owned())),
            (None, Some((_, last))) => *last = format!("{last} {word}"),
            (None, None) => {}
        }
    }
    found
}

proptest! {
    /// No name forges a field, a line, or a header.
    #[test]
    fn nothing_in_a_name_is_read_as_another_field(name in "[a-z=|\\\\ \n\r]{0,40}") {
        let mut notice = finding();
        notice.principal = format!("x{name} act=none");
        let line = cef::line(&notice, &name);
        prop_assert!(!line.contains(['\n', '\r']));
        let header = line.split("|8|").next().unwrap();
        let acts = extensions(&line[header.len() + 3..]);
        let acts: Vec<_> = acts.iter().filter(|(key, _)| key == "act").collect();
        prop_assert_eq!(acts.len(), 1);
        prop_assert_eq!(&acts[0].1, "block");
        let mut out = Vec::new();
        notice.kind = name.clone();
        syslog::frame(&notice, 13, &name, "text", &mut out);
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(text.split(' ').count(), 10);
        prop_assert!(!text.contains('\n'));
    }
}
