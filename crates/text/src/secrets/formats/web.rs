//! Credentials by their place: headers, URLs, connection strings, files of credentials.

use bartizan_core::Severity;

use super::{Rank, SecretFormat, token};
use crate::secrets::{benign, entropy, proof};

/// A value in the place of a password. People choose these, so little entropy is asked for.
const fn placed(
    id: &'static str,
    entity: &'static str,
    title: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> SecretFormat {
    token(id, entity, title, anchors, pattern)
        .any_case()
        .entropy(1.5)
        .confidence(0.9)
        .rank(Rank::Placed)
        .longest(400)
        .check(password)
}

/// What may be a password in a URL: neither a port nor a name of a variable.
fn password(value: &[u8]) -> bool {
    !(value.iter().all(u8::is_ascii_digit) && value.len() < 6)
        && !(value.iter().all(|b| b.is_ascii_uppercase() || *b == b'_'))
        && !matches!(value, [b':', ..])
}

fn bearer(value: &[u8]) -> bool {
    entropy::looks_random(value) || (benign::is_uuid(value) && value.len() == 36)
}

pub(super) static FORMATS: &[SecretFormat] = &[
    placed(
        "secret.basic-header",
        "BASIC_AUTH",
        "credentials of HTTP Basic",
        &["Basic "],
        r"Basic {1,3}([A-Za-z0-9+/_-]{8,300}={0,2})",
    )
    .check(proof::basic_credentials)
    .entropy(2.5),
    placed(
        "secret.bearer-header",
        "BEARER_TOKEN",
        "a bearer token",
        &["Bearer "],
        r"Bearer {1,3}([A-Za-z0-9._~+/=-]{16,300})",
    )
    .check(bearer)
    .entropy(3.0),
    placed(
        "secret.token-header",
        "BEARER_TOKEN",
        "a token in an Authorization header",
        &["authorization: token", "authorization: api", "x-api-key:", "x-auth-token:", "private-token:", "x-vault-token:", "x-access-token:"],
        r"(?:authorization: ?(?:token|api-?key)|x-api-key:|x-auth-token:|private-token:|x-vault-token:|x-access-token:) {0,3}([A-Za-z0-9._~+/=-]{16,300})",
    )
    .check(bearer)
    .entropy(3.0),
    placed(
        "secret.database-url",
        "DATABASE_URL",
        "a data base URL with a password",
        &[
            "postgres://", "postgresql", "mysql://", "mysql+", "mysqlx://", "mariadb", "mongodb://", "mongodb+srv://", "redis://", "rediss://", "amqp://", "amqps://", "mssql", "sqlserver://", "oracle", "clickhouse", "cockroachdb://", "neo4j", "bolt://", "cassandra://", "snowflake://", "nats://", "kafka://", "jdbc:", "couchbase", "couchdb://", "elasticsearch://", "influxdb", "memcached://", "ldap://", "ldaps://", "sqlite+", "timescaledb://", "valkey://",
        ],
        r#"(?:jdbc:)?(?:postgres(?:ql)?|mysqlx?|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb|neo4j|bolt|cassandra|snowflake|nats|kafka|couchbases?|couchdb|elasticsearch|influxdb|memcached|ldaps?|timescaledb|valkey)(?:\+[a-z0-9_+]{1,16})?://[^\s:/@"'<>`]{0,80}:([^\s@"'<>`]{3,128})@[\w\[*$]"#,
    )
    .severity(Severity::Critical),
    placed(
        "secret.url-password",
        "URL_PASSWORD",
        "a URL with a password",
        &["://"],
        r#"://[^\s:/@"'<>`?#]{0,80}:([^\s@/"'<>`]{3,128})@[\w\[]"#,
    )
    .confidence(0.85),
    placed(
        "secret.url-token",
        "URL_PASSWORD",
        "a URL with a token for a user",
        &["https://"],
        r#"https://([A-Za-z0-9_-]{20,128})@[\w\[]"#,
    )
    .check(entropy::looks_random)
    .confidence(0.8),
    placed(
        "secret.jdbc-password",
        "DATABASE_URL",
        "a JDBC URL with a password",
        &["jdbc:"],
        r#"jdbc:[a-z0-9:]{2,24}:(?://|@|thin:)[^\s"'<>]{1,160}?[?&;]password=([^\s"'<>&;]{4,64})"#,
    ),
    placed(
        "secret.connection-string",
        "CONNECTION_STRING",
        "a connection string with a password",
        &["server=", "data source=", "host=", "user id=", "uid=", "endpoint=", "hostname=", "driver={"],
        r#"(?:server|data source|host|user id|uid|endpoint|hostname|driver)=[^"'\r\n<>]{1,200}?(?:;|\s)\s?(?:password|pwd|sharedaccesskey|accountkey|accesskey)=([^\s;"'<>]{4,128})"#,
    )
    .severity(Severity::Critical),
    placed(
        "secret.netrc",
        "NETRC_PASSWORD",
        "a password in a netrc file",
        &["machine "],
        r"machine[ \t]{1,4}[A-Za-z0-9.-]{1,100}\s{1,8}login[ \t]{1,4}\S{1,64}\s{1,8}password[ \t]{1,4}(\S{3,128})",
    ),
    placed(
        "secret.pgpass",
        "PGPASS_PASSWORD",
        "a password in a pgpass file",
        &[":5432:", ":6432:", ":5433:"],
        r"(?::5432:|:6432:|:5433:)[\w*-]{1,63}:[\w*.-]{1,63}:([^\s:]{3,100})",
    ),
    placed(
        "secret.docker-auth",
        "DOCKER_AUTH",
        "credentials in a Docker configuration",
        &["\"auth\""],
        r#""auth"\s{0,4}:\s{0,4}"([A-Za-z0-9+/]{12,300}={0,2})""#,
    )
    .check(proof::basic_credentials),
    placed(
        "secret.curl-user",
        "BASIC_AUTH",
        "a user and a password on a command line",
        &["curl "],
        r#"curl [^\r\n|;]{0,120}?(?:-u|--user)[ =]["']?[\w.@-]{1,60}:([^\s"']{4,100})"#,
    ),
    placed(
        "secret.sshpass",
        "PASSWORD",
        "a password on a command line",
        &["sshpass "],
        r#"sshpass -p[ =]?["']?([^\s"']{4,100})"#,
    ),
    placed(
        "secret.totp",
        "TOTP_SECRET",
        "the secret of one-time passwords",
        &["otpauth://"],
        r#"otpauth://[th]otp/[^\s"'<>]{0,200}?[?&]secret=([A-Z2-7]{16,128})"#,
    )
    .entropy(2.8)
    .check(proof::any),
];
