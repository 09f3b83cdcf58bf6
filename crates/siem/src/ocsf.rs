use bartizan_core::Severity;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::notice::{Facts, Notice};

/// The version of the Open Cybersecurity Schema Framework that events are written in.
pub const OCSF_VERSION: &str = "1.5.0";

/// An event as a class of the [Open Cybersecurity Schema Framework](https://schema.ocsf.io), version
/// [`OCSF_VERSION`]. Holds no content, as the event itself holds none.
#[derive(Serialize, JsonSchema)]
pub struct OcsfEvent<'a> {
    /// The version of the framework, the product, and the event's place in the record.
    pub metadata: Metadata<'a>,
    /// When, in milliseconds since 1970, UTC.
    pub time: u64,
    /// The category, e.g. 2.
    pub category_uid: u32,
    /// Its name, e.g. `Findings`.
    pub category_name: &'static str,
    /// The class, e.g. 2004.
    pub class_uid: u32,
    /// Its name, e.g. `Detection Finding`.
    pub class_name: &'static str,
    /// What was done, in the numbers of the class; 99 for what it has no number for.
    pub activity_id: u32,
    /// Its name; the event's own where the class has none.
    pub activity_name: &'a str,
    /// `class_uid * 100 + activity_id`.
    pub type_uid: u32,
    /// 1 (informational) to 5 (critical).
    pub severity_id: u8,
    /// Its name.
    pub severity: &'static str,
    /// 1 for success, 2 for failure, 0 where it is neither.
    pub status_id: u8,
    /// The event's own word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_detail: Option<&'a str>,
    /// Whether something was let pass (1), denied (2), observed (3), or changed (4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_id: Option<u8>,
    /// What became of it: allowed (1), blocked (2), corrected (11), delayed (14).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition_id: Option<u8>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor<'a>>,
    /// Who was to be authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// The call, of API activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<Api<'a>>,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_endpoint: Option<Named<'a>>,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Named<'a>>,
    /// The finding, of detections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding_info: Option<FindingInfo<'a>>,
    /// 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence_score: Option<u8>,
    /// What was changed, of management.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity<'a>>,
    /// What started or stopped, of lifecycles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<Product<'a>>,
    /// The log that lost events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_name: Option<&'static str>,
    /// The event itself, in the schema `audit-event.v1.json`.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub unmapped: &'a RawValue,
}

/// `metadata` of OCSF.
#[derive(Serialize, JsonSchema)]
pub struct Metadata<'a> {
    /// The framework's version.
    pub version: &'static str,
    /// Who made it.
    pub product: Product<'a>,
    /// The event's number in the record, as a text.
    pub uid: String,
    /// The event's number in the record: a receiver that sees one twice may drop it.
    pub sequence: u64,
    /// The event's own name, e.g. `security_event`.
    pub event_code: &'a str,
    /// The request that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_uid: Option<&'a str>,
    /// Profiles of the framework that apply.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub profiles: &'static [&'static str],
}

/// `product` of OCSF.
#[derive(Clone, Copy, Serialize, JsonSchema)]
pub struct Product<'a> {
    /// The program.
    pub name: &'static str,
    /// Whose it is.
    pub vendor_name: &'static str,
    /// Its version.
    pub version: &'a str,
}

/// `actor` of OCSF.
#[derive(Serialize, JsonSchema)]
pub struct Actor<'a> {
    /// The principal.
    pub user: User<'a>,
}

/// `user` of OCSF.
#[derive(Clone, Copy, Serialize, JsonSchema)]
pub struct User<'a> {
    /// Its id in the record; `unknown` where nobody proved who they are.
    pub uid: &'a str,
}

/// `api` of OCSF.
#[derive(Serialize, JsonSchema)]
pub struct Api<'a> {
    /// The route, or what was done.
    pub operation: &'a str,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<User<'a>>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ApiResponse>,
}

/// `response` of OCSF.
#[derive(Serialize, JsonSchema)]
pub struct ApiResponse {
    /// HTTP status.
    pub code: u16,
}

/// An endpoint or a service of OCSF.
#[derive(Serialize, JsonSchema)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
}

/// `finding_info` of OCSF.
#[derive(Serialize, JsonSchema)]
pub struct FindingInfo<'a> {
    /// The request and the rule: what makes it one finding.
    pub uid: String,
    /// The rule, or the detector.
    pub title: &'a str,
    /// Kinds of harm.
    pub types: Vec<&'a str>,
}

/// `managed_entity` of OCSF.
#[derive(Serialize, JsonSchema)]
pub struct Entity<'a> {
    /// What kind of thing.
    pub r#type: &'static str,
    /// Its name.
    pub name: &'a str,
}

/// The JSON schema of [`OcsfEvent`].
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(OcsfEvent<'static>)
}

/// A class of the framework.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Class {
    category: (u32, &'static str),
    uid: u32,
    name: &'static str,
}

const fn class(category: (u32, &'static str), uid: u32, name: &'static str) -> Class {
    Class {
        category,
        uid,
        name,
    }
}

const SYSTEM: (u32, &str) = (1, "System Activity");
const IAM: (u32, &str) = (3, "Identity & Access Management");
const APPLICATION: (u32, &str) = (6, "Application Activity");

const LOG: Class = class(SYSTEM, 1008, "Event Log Activity");
const DETECTION: Class = class((2, "Findings"), 2004, "Detection Finding");
const AUTHENTICATION: Class = class(IAM, 3002, "Authentication");
const MANAGEMENT: Class = class(IAM, 3004, "Entity Management");
const LIFECYCLE: Class = class(APPLICATION, 6002, "Application Lifecycle");
const API: Class = class(APPLICATION, 6003, "API Activity");

/// Which class an event is. What is not named here is API activity.
const CLASSES: [(&str, Class); 8] = [
    ("security_event", DETECTION),
    ("suspicion", DETECTION),
    ("auth_failure", AUTHENTICATION),
    ("key_management", MANAGEMENT),
    ("config_change", MANAGEMENT),
    ("service", LIFECYCLE),
    ("upstream_state", LIFECYCLE),
    ("gap", LOG),
];

/// Activities by the event's own word for them, in the numbers of the class.
const ACTIVITIES: [(Class, &str, u32, &str); 13] = [
    (AUTHENTICATION, "", 1, "Logon"),
    (DETECTION, "", 1, "Create"),
    (MANAGEMENT, "create", 1, "Create"),
    (MANAGEMENT, "revoke", 4, "Delete"),
    (MANAGEMENT, "", 3, "Update"),
    (LIFECYCLE, "started", 3, "Start"),
    (LIFECYCLE, "recovered", 3, "Start"),
    (LIFECYCLE, "stopped", 4, "Stop"),
    (API, "predict", 2, "Read"),
    (API, "export", 2, "Read"),
    (API, "audit:read", 2, "Read"),
    (API, "create", 1, "Create"),
    (API, "delete", 4, "Delete"),
];

/// What the guard did, as `action_id` and `disposition_id` of the profile "Security Control".
const DEEDS: [(&str, u8, u8); 4] = [
    ("allow", 1, 1),
    ("redact", 4, 11),
    ("ask", 3, 14),
    ("block", 2, 2),
];

/// Words for the end of a request that tell of success, and of failure.
const SUCCESS: [&str; 4] = ["answered", "success", "approved", "true"];
const FAILURE: [&str; 9] = [
    "input_blocked",
    "output_blocked",
    "limited",
    "rejected",
    "refused",
    "failure",
    "failed",
    "upstream_failed",
    "client_gone",
];

impl<'a> OcsfEvent<'a> {
    /// The event of `notice`, whose facts and JSON these are, from the program of that version.
    pub(crate) fn of(
        notice: &'a Notice,
        facts: &'a Facts,
        raw: &'a RawValue,
        version: &'a str,
    ) -> Self {
        let kind = notice.kind.as_str();
        let found = CLASSES.iter().find(|(of, _)| *of == kind);
        let class = found.map_or(API, |(_, class)| *class);
        let deed = facts.text("/action").unwrap_or_default();
        let (activity_id, activity_name) = activity(class, deed, kind);
        let status = facts.first(&["/outcome", "/status", "/reason"]);
        let acted = facts.first(&["/details/action", "/decision"]);
        let acted = DEEDS.iter().find(|(name, ..)| Some(*name) == acted);
        let product = Product {
            name: "bartizan",
            vendor_name: "Bartizan",
            version,
        };
        let user = User {
            uid: Some(notice.principal.as_str())
                .filter(|uid| !uid.is_empty())
                .unwrap_or("unknown"),
        };
        let request = notice.request_id.as_deref();
        Self {
            metadata: Metadata {
                version: OCSF_VERSION,
                product,
                uid: notice.number.to_string(),
                sequence: notice.number,
                event_code: kind,
                correlation_uid: request,
                profiles: if acted.is_some() {
                    &["security_control"]
                } else {
                    &[]
                },
            },
            time: notice.at_ms,
            category_uid: class.category.0,
            category_name: class.category.1,
            class_uid: class.uid,
            class_name: class.name,
            activity_id,
            activity_name,
            type_uid: class.uid * 100 + activity_id,
            severity_id: notice.severity as u8 + 1,
            severity: severity(notice.severity),
            status_id: status_id(class, status),
            status_detail: status,
            action_id: acted.map(|(_, action, _)| *action),
            disposition_id: acted.map(|(.., disposition)| *disposition),
            actor: (class != AUTHENTICATION && class != LOG).then_some(Actor { user }),
            user: (class == AUTHENTICATION).then_some(user),
            api: (class == API).then(|| Api {
                operation: facts.first(&["/endpoint", "/action"]).unwrap_or(kind),
                request: request.map(|uid| User { uid }),
                response: code(facts).map(|code| ApiResponse { code }),
            }),
            src_endpoint: (class == API || class == AUTHENTICATION).then(|| Named {
                name: facts.text("/ip_address").unwrap_or("unknown"),
            }),
            service: (class == AUTHENTICATION).then_some(Named { name: "bartizan" }),
            finding_info: (class == DETECTION).then(|| finding(notice, facts)),
            confidence_score: facts
                .first_number(&["/details/confidence", "/score"])
                .map(|share| (share.clamp(0.0, 1.0) * 100.0).round() as u8),
            entity: (class == MANAGEMENT).then(|| entity(facts)),
            app: (class == LIFECYCLE).then_some(product),
            log_name: (class == LOG).then_some("audit"),
            unmapped: raw,
        }
    }
}

fn finding<'a>(notice: &'a Notice, facts: &'a Facts) -> FindingInfo<'a> {
    let title = facts.first(&["/details/rule", "/detector"]);
    let title = title.unwrap_or(notice.kind.as_str());
    let of = notice.request_id.as_deref();
    FindingInfo {
        uid: match of {
            Some(request) => format!("{request}/{title}"),
            None => format!("{}/{title}", notice.number),
        },
        title,
        types: facts.text("/event_type").into_iter().collect(),
    }
}

fn entity(facts: &Facts) -> Entity<'_> {
    match facts.text("/key_id") {
        Some(name) => Entity {
            r#type: "API key",
            name,
        },
        None => Entity {
            r#type: "configuration",
            name: facts.text("/what").unwrap_or("unknown"),
        },
    }
}

fn activity<'a>(class: Class, deed: &str, kind: &'a str) -> (u32, &'a str) {
    let of_class = ACTIVITIES.iter().filter(|(of, ..)| *of == class);
    // A row without a word stands for every deed of its class.
    let mut fitting = of_class.filter(|(_, word, ..)| *word == deed || word.is_empty());
    fitting
        .next()
        .map_or((99, kind), |(.., id, name)| (*id, name))
}

fn status_id(class: Class, status: Option<&str>) -> u8 {
    match status {
        _ if class == AUTHENTICATION || class == LOG => 2,
        Some(word) if SUCCESS.contains(&word) => 1,
        Some(word) if FAILURE.contains(&word) => 2,
        _ => 0,
    }
}

/// HTTP status: of an interaction a number under `status`, of a model a field of its own.
fn code(facts: &Facts) -> Option<u16> {
    let code = facts.first_number(&["/status_code", "/status"])?;
    (100.0..600.0).contains(&code).then_some(code as u16)
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}
