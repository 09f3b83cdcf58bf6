//! Values assigned to something that is called a password, a key, or a token.
//!
//! The pattern finds `name sep`; the value is read here, since what may be a value depends on its
//! quotes, on the separator, and on the rest of the name.

use std::{ops::Range, sync::LazyLock};

use bartizan_core::Rule;

use super::{benign, entropy, formats::rule, parts::Parts};

/// A word that names secrets, and how its values look.
#[derive(Debug)]
pub(super) struct Keyword {
    pub(super) rule: Rule,
    pub(super) pattern: &'static str,
    pub(super) anchors: &'static [&'static str],
    pub(super) kind: Kind,
}

/// What values of a keyword look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Chosen by people.
    Password,
    /// Drawn at random, or chosen by people.
    Secret,
    /// Drawn at random; a UUID will do.
    Key,
    /// Drawn at random.
    Token,
}

/// The longest match of a keyword's pattern, in bytes.
pub(super) const MAX_NAME: usize = 192;

/// The longest value in bytes.
pub(super) const MAX_VALUE: usize = 256;

/// The rest of the name, its closing quote, and a separator.
macro_rules! name {
    ($words:literal) => {
        concat!(
            "(?:",
            $words,
            r")(?:[\w.-]{0,32}|[\w.-]{0,12}(?: (?:for|of|to) [\w .@-]{1,40}))",
            r#"\\?["'`*\])}]{0,3}[ \t]{0,16}"#,
            r"(?::[ \t]{0,2}[&\w<>\[\]?|.]{1,40}[ \t]{0,2}=|=>|:=|\?=|={1,3}|:|,|\(|>|\x22 value=|' value=",
            r"| (?:is|was|ist|lautet|es|est|is set to|is now|to):?[ \t])",
            r"[ \t]{0,16}"
        )
    };
}

/// Every keyword. Long words first, since an anchor in another one is looked up twice.
pub(super) static KEYWORDS: [Keyword; 4] = [
    Keyword {
        rule: rule("secret.password", "PASSWORD", "a password in an assignment"),
        pattern: name!(
            "password|passwd|passwort|passphrase|passcode|kennwort|contrase(?:\u{f1}|n)a|mot de passe|mdp|senha|пароль|密码|密碼|パスワード|pwd|db_?pass|user_?pass|smtp_?pass|mysql_?pass|root_?pass|admin_?pass"
        ),
        anchors: &[
            "password",
            "passwd",
            "passwort",
            "passphrase",
            "passcode",
            "kennwort",
            "contrase",
            "mot de passe",
            "mdp",
            "senha",
            "пароль",
            "密码",
            "密碼",
            "パスワード",
            "pwd",
            "dbpass",
            "db_pass",
            "userpass",
            "user_pass",
            "smtppass",
            "smtp_pass",
            "mysqlpass",
            "mysql_pass",
            "rootpass",
            "root_pass",
            "adminpass",
            "admin_pass",
        ],
        kind: Kind::Password,
    },
    Keyword {
        rule: rule(
            "secret.generic-secret",
            "GENERIC_SECRET",
            "a secret in an assignment",
        ),
        pattern: name!("secret|credential"),
        anchors: &["secret", "credential"],
        kind: Kind::Secret,
    },
    Keyword {
        rule: rule(
            "secret.generic-api-key",
            "GENERIC_API_KEY",
            "a key in an assignment",
        ),
        pattern: name!(
            "(?:api|access|private|auth|encryption|signing|master|account|shared|service|admin|client|license|crypt|jwt|hmac|storage|session|deploy|integration|webhook|app|application|secure|license)[_ -]?key"
        ),
        anchors: &[
            "api_key",
            "apikey",
            "api-key",
            "api key",
            "access_key",
            "accesskey",
            "access-key",
            "access key",
            "private_key",
            "privatekey",
            "private-key",
            "auth_key",
            "authkey",
            "auth-key",
            "encryption_key",
            "encryptionkey",
            "encryption-key",
            "encryption key",
            "signing_key",
            "signingkey",
            "signing-key",
            "signing key",
            "master_key",
            "masterkey",
            "master-key",
            "account_key",
            "accountkey",
            "account-key",
            "shared_key",
            "sharedkey",
            "shared-key",
            "service_key",
            "servicekey",
            "service-key",
            "admin_key",
            "adminkey",
            "admin-key",
            "client_key",
            "clientkey",
            "client-key",
            "license_key",
            "licensekey",
            "license-key",
            "crypt_key",
            "jwt_key",
            "jwtkey",
            "hmac_key",
            "hmackey",
            "storage_key",
            "session_key",
            "sessionkey",
            "deploy_key",
            "deploykey",
            "deploy-key",
            "integration_key",
            "integrationkey",
            "integration-key",
            "integration key",
            "webhook_key",
            "app_key",
            "appkey",
            "app-key",
            "application_key",
            "applicationkey",
            "application-key",
            "secure_key",
        ],
        kind: Kind::Key,
    },
    Keyword {
        rule: rule(
            "secret.generic-token",
            "GENERIC_TOKEN",
            "a token in an assignment",
        ),
        pattern: name!("token|_pat|bearer|session_?id|cookie_?key"),
        anchors: &[
            "token",
            "_pat",
            "sessionid",
            "session_id",
            "cookie_key",
            "cookiekey",
        ],
        kind: Kind::Token,
    },
];

/// Parts of names whose values are no secrets: `max_tokens`, `secret_name`, `next_page_token`.
const NOT_SECRETS: &[&str] = &[
    "max",
    "min_",
    "count",
    "length",
    "_len",
    "limit",
    "size",
    "name",
    "url",
    "uri",
    "path",
    "file",
    "type",
    "_arn",
    "arn_",
    "expir",
    "ttl",
    "policy",
    "field",
    "label",
    "hint",
    "placeholder",
    "regex",
    "pattern",
    "_id",
    "-id",
    "keyid",
    "izer",
    "ized",
    "public",
    "prefix",
    "suffix",
    "format",
    "version",
    "error",
    "message",
    "rotat",
    "class",
    "selector",
    "page",
    "next",
    "continuation",
    "cursor",
    "num_",
    "prompt",
    "completion",
    "special",
    "vocab",
    "embed",
    "checksum",
    "digest",
    "fingerprint",
    "algorithm",
    "method",
    "scope",
    "issuer",
    "audience",
    "endpoint",
    "column",
    "index",
    "example",
    "env",
    "header",
    "required",
    "enabled",
    "valid",
    "ref",
    "store",
    "manager",
    "provider",
    "engine",
    "input",
    "strength",
    "change",
    "forgot",
    "update",
    "created",
    "date",
    "pad_",
    "eos_",
    "bos_",
    "unk_",
    "mask",
    "sha256",
    "sha1",
    "md5",
];

/// The secret that the match `name` of `kind` assigns in `text`, and the confidence in it.
pub(super) fn value_after(
    text: &[u8],
    name: &Range<usize>,
    kind: Kind,
) -> Option<(Range<usize>, f32)> {
    let said = text.get(name.clone())?;
    let told = said.ends_with(b" ")
        && !matches!(
            said.trim_ascii_end().last(),
            Some(b'=' | b':' | b'>' | b',' | b'(')
        );
    if names_no_secret(text, name) {
        return None;
    }
    let separator = *said.trim_ascii_end().last()?;
    let value = Value::read(text, name.end, separator)?;
    let body = text.get(value.range.clone())?;
    if body.len() < 6
        || benign::is_benign(body)
        || (!value.quoted && benign::is_code(body))
        || looks_like_a_place(body)
    {
        return None;
    }
    let confidence = match kind {
        Kind::Password => password(body, value.quoted, told),
        Kind::Secret => random(body, 12).or_else(|| {
            (body.len() >= 8)
                .then(|| password(body, value.quoted, told))?
                .map(|p| p - 0.1)
        }),
        Kind::Key if benign::is_uuid(body) => Some(0.55),
        Kind::Key => random(body, 12),
        Kind::Token => random(body, 16),
    }?;
    Some((value.range, confidence))
}

fn names_no_secret(text: &[u8], name: &Range<usize>) -> bool {
    let before = text
        .get(name.start.saturating_sub(24)..name.start)
        .unwrap_or_default();
    let own = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .count();
    let said = text.get(name.start - own..name.end).unwrap_or_default();
    // Only the name itself: it ends at its quote or at the first blank.
    let end = said
        .iter()
        .skip(own)
        .position(|byte| matches!(byte, b'"' | b'\'' | b'=' | b':' | b'>' | b'('))
        .map_or(said.len(), |at| at + own);
    let said = said.get(..end).unwrap_or_default();
    // `AWS_SECRET_ACCESS_KEY_ID` is none, `client_id_secret` is one.
    static PARTS: LazyLock<Parts> = LazyLock::new(|| Parts::any_case(NOT_SECRETS));
    PARTS.stand_in(said)
}

struct Value {
    range: Range<usize>,
    quoted: bool,
}

impl Value {
    /// Reads the value that starts at `at`, after `separator`.
    fn read(text: &[u8], at: usize, separator: u8) -> Option<Self> {
        let rest = text.get(at..text.len().min(at + MAX_VALUE + 4))?;
        // String prefixes: `b"`, `r"`, `@"`, and the backslash of an escaped quote.
        let prefix = match rest {
            [
                b'b' | b'r' | b'f' | b'u' | b'@' | b'L' | b'\\',
                b'"' | b'\'',
                ..,
            ] => 1,
            [b'b', b'r', b'"', ..] => 2,
            _ => 0,
        };
        let escaped = rest.first() == Some(&b'\\');
        let rest = rest.get(prefix..)?;
        let start = at + prefix;
        if let [quote @ (b'"' | b'\'' | b'`'), body @ ..] = rest {
            let end = body
                .iter()
                .position(|byte| byte == quote || matches!(byte, b'\n' | b'\r'))?;
            if body.get(end) != Some(quote) {
                return None;
            }
            let end = if escaped { end.checked_sub(1)? } else { end };
            let body = body.get(..end)?;
            if body.contains(&b' ') || body.contains(&b'\t') {
                return None;
            }
            return Some(Self {
                range: start + 1..start + 1 + end,
                quoted: true,
            });
        }
        if matches!(separator, b',' | b'(') {
            return None;
        }
        let end = rest
            .iter()
            .position(|byte| {
                byte.is_ascii_whitespace()
                    || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'<' | b'>' | b'|')
                    || (separator == b'=' && *byte == b'&')
            })
            .unwrap_or(rest.len());
        if end > MAX_VALUE {
            return None;
        }
        let mut body = rest.get(..end)?;
        // What closes a sentence or a bracket around it is not part of it.
        while let [head @ .., b'.' | b')' | b']' | b'}' | b':' | b'\\'] = body {
            body = head;
        }
        Some(Self {
            range: start..start + body.len(),
            quoted: false,
        })
    }
}

/// An address, a path, a format string, markup.
fn looks_like_a_place(value: &[u8]) -> bool {
    static PLACES: LazyLock<Parts> = LazyLock::new(|| Parts::exact(&["://", "</", "%s", "{}"]));
    PLACES.stand_in(value)
        || (value.contains(&b'{') && value.contains(&b'}'))
        || value.starts_with(b"/")
        || value.starts_with(b"ssh-")
        || value.starts_with(b"-----")
}

fn random(value: &[u8], min: usize) -> Option<f32> {
    let charset = value.iter().all(|b| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'+' | b'/'
                    | b'='
                    | b'_'
                    | b'-'
                    | b'.'
                    | b'~'
                    | b':'
                    | b'!'
                    | b'@'
                    | b'#'
                    | b'$'
                    | b'%'
                    | b'^'
                    | b'*'
                    | b'&'
            )
    });
    if value.len() < min || !charset || !entropy::looks_random(value) {
        return None;
    }
    Some(if value.len() >= 24 { 0.85 } else { 0.75 })
}

/// The confidence that somebody chose `value` as a password.
fn password(value: &[u8], quoted: bool, told: bool) -> Option<f32> {
    let count = |test: fn(&u8) -> bool| value.iter().filter(|byte| test(byte)).count();
    let digits = count(u8::is_ascii_digit);
    let lower = count(u8::is_ascii_lowercase);
    let upper = count(u8::is_ascii_uppercase);
    let other = value.len() - digits - lower - upper;
    let letters = lower + upper;
    if digits == value.len() {
        let chosen = quoted && value.len() >= 8 && !entropy::is_sequential(value);
        return chosen.then_some(0.5);
    }
    if benign::is_path_of_names(value) {
        // `hunter2` and `Summer24` are chosen; `password2` and `db-user-1` are names.
        let chosen = digits > 0 && other == 0 && value.len() >= 7 && !speaks_of_secrets(value);
        return chosen.then_some(0.5);
    }
    let classes = [digits, lower, upper, other]
        .iter()
        .filter(|count| **count > 0)
        .count();
    let written = entropy::is_sequential(value) || letters == 0;
    let mixed = classes >= 3
        || (classes == 2 && digits >= 1 && letters >= 1)
        || (classes == 2 && value.len() >= 10 && entropy::changes(value) >= 3);
    if written || !mixed || (told && digits == 0 && classes < 3) {
        return None;
    }
    Some(match (classes, quoted) {
        (3.., true) => 0.8,
        (3.., false) => 0.75,
        (_, true) => 0.7,
        (_, false) => 0.6,
    })
}

fn speaks_of_secrets(value: &[u8]) -> bool {
    static WORDS: LazyLock<Parts> = LazyLock::new(|| {
        Parts::any_case(&[
            "pass", "secret", "token", "key", "arg", "param", "value", "str", "user", "input",
            "pw", "var", "field", "test", "data",
        ])
    });
    WORDS.stand_in(value)
}
