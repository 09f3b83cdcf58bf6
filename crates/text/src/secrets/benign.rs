//! What stands where a secret could stand, and is none.

use std::sync::LazyLock;

use super::{entropy, parts::Parts};

/// Whether `value` is a documented example or a placeholder. Holds for every format, since vendors'
/// examples have the vendors' prefixes.
#[must_use]
pub fn is_made_up(value: &[u8]) -> bool {
    is_example(value) || is_placeholder(value)
}

/// Whether `value` is made up, or a reference to a secret that lives elsewhere.
#[must_use]
pub fn is_benign(value: &[u8]) -> bool {
    is_made_up(value) || is_reference(value)
}

/// Whether `value` is a key that documentation uses as its example.
#[must_use]
pub fn is_example(value: &[u8]) -> bool {
    static NAMED: LazyLock<Parts> = LazyLock::new(|| Parts::any_case(&["example", "sample"]));
    static PRINTED: LazyLock<Parts> = LazyLock::new(|| Parts::exact(DOCUMENTED));
    NAMED.stand_in(head(value)) || PRINTED.stand_in(value)
}

/// Distinctive parts of keys that vendors print in their documentation; parts, so that no whole
/// key stands here.
const DOCUMENTED: &[&str] = &[
    "4eC39HqLyjWDarjt",   // Stripe
    "BQokikJOvBiI2Hlu",   // Stripe
    "TYooMQauvdEDq54N",   // Stripe
    "zpWEu7Gdw2XZGUcm",   // Mapbox
    "SflKxwRJSMeKKF2Q",   // jwt.io
    "TJVA95OrM7E2cBab3",  // RFC 7519
    "dBjftJeZ4CVP-mB92",  // RFC 7515
    "QWxhZGRpbjpvcGVu",   // RFC 2617, Basic
    "QWxhZGRpbjpPcGVu",   // RFC 7617, Basic
    "dXNlcjpwYXNzd29y",   // user:password
    "dXNlcm5hbWU6cGFz",   // username:pass...
    "mF_9.B5f-4.1JqM",    // RFC 6750, Bearer
    "Eby8vdM02xNOcqFl",   // Azurite
    "C2y6yDjf5/R+ob0N",   // Cosmos DB emulator
    "JBSWY3DPEHPK3PXP",   // TOTP
    "110201543:AAHdqTcv", // Telegram
    "123456:ABC-DEF1234", // Telegram
    "WVeIYYJBJVs9MTAw",   // Slack
    "N9qo8uLOickgx2ZM",   // bcrypt
];

/// Words that mark a value as something to fill in.
const TO_FILL_IN: &[&str] = &[
    "your-",
    "your_",
    "yourapi",
    "yourtoken",
    "yoursecret",
    "yourkey",
    "yourpass",
    "your.",
    "_here",
    "-here",
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "change-this",
    "changethis",
    "replace",
    "insert",
    "redacted",
    "removed",
    "hidden",
    "dummy",
    "fake",
    "todo",
    "fixme",
    "xxxx",
    "****",
    "....",
    "...",
    "\u{2026}",
    "____",
    "----------",
    "notreal",
    "not-real",
    "not-a-real",
    "notasecret",
    "not-a-secret",
    "not_a_secret",
    "foobar",
    "lorem",
    "<your",
    "deadbeef",
    "mytoken",
    "mysecret",
    "mypassword",
    "my-token",
    "my_token",
    "my-secret",
    "my_secret",
    "my-api",
    "my_api",
    "my-password",
    "enter-",
    "some-",
    "some_",
    "secret-key-goes",
    "goes-here",
    "test-key",
    "test_key",
    "test-token",
    "test_token",
    "testtoken",
    "test-secret",
    "test_secret",
    "testsecret",
    "test-password",
    "testpass",
    "sha256:",
    "sha512-",
    "qwerty",
];

/// Values that are whole words or stand-ins.
const STAND_INS: &[&str] = &[
    "password",
    "passw0rd",
    "passwd",
    "pass",
    "secret",
    "secrets",
    "token",
    "admin",
    "root",
    "user",
    "guest",
    "test",
    "tests",
    "testing",
    "test123",
    "test1234",
    "password1",
    "password123",
    "pass123",
    "pass1234",
    "admin123",
    "secret123",
    "letmein",
    "changeit",
    "default",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "string",
    "example",
    "sample",
    "demo",
    "foo",
    "bar",
    "baz",
    "foo123",
    "bar123",
    "abc123",
    "abcd1234",
    "user123",
    "value",
    "key",
    "yes",
    "no",
    "empty",
    "unset",
    "hidden",
    "required",
    "optional",
    "postgres",
    "mysql",
    "redis",
    "mongo",
    "rabbitmq",
    "minio",
    "minioadmin",
    "p@ssw0rd",
    "p@ssword",
    "pa$$word",
    "pa$$w0rd",
    "s3cr3t",
    "s3cret",
    "guest123",
    "username",
    "credentials",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "access_token",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "base64",
    "utf8",
    "utf-8",
    "bcrypt",
    "argon2",
    "hs256",
    "rs256",
    "es256",
    "int32",
    "int64",
    "uint8",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "oauth2",
    "sha-256",
    "sha-512",
];

/// Whether `value` is something to fill in.
#[must_use]
pub fn is_placeholder(value: &[u8]) -> bool {
    static FILLED_IN: LazyLock<Parts> = LazyLock::new(|| Parts::any_case(TO_FILL_IN));
    let bare = trim_punctuation(value);
    bare.is_empty()
        || STAND_INS
            .iter()
            .any(|word| bare.eq_ignore_ascii_case(word.as_bytes()))
        || FILLED_IN.stand_in(head(value))
        || matches!(
            value,
            [b'<', .., b'>'] | [b'[', .., b']'] | [b'{', .., b'}'] | [b'%', .., b'%']
        )
        || distinct_at_most(bare, 2)
        || (bare.len() >= 8
            // Some formats start with a run of the same letter.
            && bare.get(bare.len() / 3..).is_some_and(entropy::is_repeated))
}

/// How a reference to a secret that lives elsewhere starts.
const REFERENCES: &[&str] = &[
    "{{",
    "{%",
    "<%",
    "#{",
    "%(",
    "%{",
    "@{",
    "process.env",
    "import.meta.env",
    "os.environ",
    "os.getenv",
    "getenv",
    "env.",
    "env[",
    "env(",
    "env:",
    "env!",
    "environ",
    "option_env!",
    "std::env",
    "system.getenv",
    "deno.env",
    "bun.env",
    "secrets.",
    "secret.",
    "vault:",
    "vault(",
    "vault.",
    "ref+",
    "op://",
    "arn:",
    "file:",
    "!ref",
    "!env",
    "!vault",
    "!secret",
    "!sub",
    "!getatt",
    "var.",
    "local.",
    "config.",
    "config[",
    "config(",
    "settings.",
    "self.",
    "this.",
    "cls.",
    "data.",
    "module.",
    "args.",
    "opts.",
    "options.",
    "params.",
    "props.",
    "request.",
    "req.",
    "ctx.",
    "context.",
    "@microsoft.keyvault",
    "enc[",
    "enc(",
    "keyring.",
    "lookup(",
    "credentials(",
    "credentials.",
    "response.",
    "res.",
    "session.",
    "user.",
    "keyvault",
    "ssm:",
    "gcp-sm:",
    "projects/",
    "/run/secrets",
    "/etc/",
    "/var/",
    "./",
    "../",
    "~/",
    "http://",
    "https://",
    "`",
    "&",
    "*",
];

/// Whether `value` refers to a secret that lives elsewhere: the environment, a variable, a vault.
#[must_use]
pub fn is_reference(value: &[u8]) -> bool {
    REFERENCES.iter().any(|start| starts_with(value, start))
        || is_variable(value)
        || holds_both(value, b"${", b'}')
        || holds_both(value, b"{{", b'}')
        || holds_both(value, b"$(", b')')
}

/// `$NAME`, but not `$6$salt$hash`.
fn is_variable(value: &[u8]) -> bool {
    match value {
        [b'$', b'{' | b'(', ..] => true,
        [b'$', first, rest @ ..] => {
            (first.is_ascii_alphabetic() || *first == b'_')
                && rest
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.'))
        }
        _ => false,
    }
}

fn holds_both(value: &[u8], open: &[u8], close: u8) -> bool {
    memchr::memmem::find(value, open)
        .and_then(|at| value.get(at..))
        .is_some_and(|rest| rest.contains(&close))
}

/// Whether a value without quotes reads as code: a call, an index, a type, a path of names.
#[must_use]
pub fn is_code(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let named = value
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let contains = |piece: &str| memchr::memmem::find(value, piece.as_bytes()).is_some();
    (named
        && ["(", "[", "{", "::", "->", "=>", "?.", "&&", "||"]
            .iter()
            .any(|piece| contains(piece)))
        || matches!(
            value.first(),
            Some(b'(' | b'[' | b'{' | b'|' | b'<' | b'\\' | b'=' | b'!' | b'?' | b'/')
        )
        || (named && digits <= 2 && is_path_of_names(value))
}

/// Whether `value` is names joined by dots, dashes, or underscores, with at most two digits at the
/// end of each: `request.token`, `my-db-secret-2`, `SecretKeyBase`.
#[must_use]
pub fn is_path_of_names(value: &[u8]) -> bool {
    value
        .split(|byte| matches!(byte, b'.' | b'-' | b'_' | b'/' | b':' | b' '))
        .all(is_name)
}

fn is_name(piece: &[u8]) -> bool {
    let letters = piece
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let digits = piece
        .iter()
        .skip(letters)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let word = piece.get(..letters).unwrap_or_default();
    // Words have capitals at their start or throughout.
    let humps = word
        .array_windows()
        .filter(|[a, b]| a.is_ascii_lowercase() && b.is_ascii_uppercase())
        .count();
    letters + digits == piece.len() && digits <= 2 && humps * 4 <= letters
}

/// Whether `value` is a UUID (RFC 9562 section 4).
#[must_use]
pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn trim_punctuation(value: &[u8]) -> &[u8] {
    let mut rest = value;
    while let [
        head @ ..,
        b'.' | b'!' | b'?' | b'*' | b'-' | b'_' | b'=' | b'#',
    ] = rest
    {
        rest = head;
    }
    while let [b'*' | b'-' | b'_' | b'=' | b'#' | b'.', tail @ ..] = rest {
        rest = tail;
    }
    rest
}

fn distinct_at_most(value: &[u8], most: usize) -> bool {
    let mut seen = [false; 256];
    for &byte in value {
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() <= most
}

fn starts_with(value: &[u8], start: &str) -> bool {
    value
        .get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// What is looked at of a value: those with more are no names.
fn head(value: &[u8]) -> &[u8] {
    value.get(..256).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders() {
        for value in [
            "your-api-key",
            "<token>",
            "${VAR}",
            "{{ secret }}",
            "xxxxxxxx",
            "changeme",
            "********",
            "AKIAIOSFODNN7EXAMPLE",
            "sk-ant-...",
            "password",
            "0000000000",
            "process.env.TOKEN",
            "os.environ['X']",
            "$DB_PASSWORD",
            "%(password)s",
            "op://vault/item/field",
        ] {
            assert!(is_benign(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn values_are_not_placeholders() {
        for value in [
            "q7Rk2ZpX9vLm4TbW",
            "Tr0ub4dor&3",
            "9f86d081884c7d65",
            "kX9#mP2$vL",
        ] {
            assert!(!is_benign(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn code() {
        for value in [
            "get_password()",
            "request.token",
            "String",
            "Vec<u8>[0]",
            "&str",
            "SecretKeyBase",
            "token2",
        ] {
            assert!(
                is_code(value.as_bytes()) || is_reference(value.as_bytes()),
                "{value}"
            );
        }
        for value in ["Tr0ub4dor&3", "q7Rk2ZpX9vLm4TbW"] {
            assert!(!is_code(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn uuids() {
        assert!(is_uuid(b"123e4567-e89b-12d3-a456-426614174000"));
        assert!(!is_uuid(b"123e4567-e89b-12d3-a456-42661417400"));
    }
}
