//! Private keys, password hashes, and signed tokens.

use bartizan_core::Severity;

use super::{Grow, Rank, SecretFormat, base64_any, compact, token};
use crate::secrets::proof;

/// An armoured block: the pattern finds its first line.
const fn block(
    id: &'static str,
    entity: &'static str,
    title: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> SecretFormat {
    token(id, entity, title, anchors, pattern)
        .grow(Grow::Block)
        .entropy(4.0)
        .confidence(0.99)
        .severity(Severity::Critical)
}

pub(super) static FORMATS: &[SecretFormat] = &[
    block(
        "secret.rsa-private-key",
        "PRIVATE_KEY",
        "an RSA private key",
        &["-----BEGIN RSA "],
        r"-----BEGIN RSA PRIVATE KEY-----",
    ),
    block(
        "secret.ec-private-key",
        "PRIVATE_KEY",
        "an elliptic-curve private key",
        &["-----BEGIN EC "],
        r"-----BEGIN EC PRIVATE KEY-----",
    ),
    block(
        "secret.dsa-private-key",
        "PRIVATE_KEY",
        "a DSA private key",
        &["-----BEGIN DSA "],
        r"-----BEGIN DSA PRIVATE KEY-----",
    ),
    block(
        "secret.openssh-private-key",
        "PRIVATE_KEY",
        "an OpenSSH private key",
        &["-----BEGIN OPENSSH "],
        r"-----BEGIN OPENSSH PRIVATE KEY-----",
    ),
    block(
        "secret.pkcs8-private-key",
        "PRIVATE_KEY",
        "a PKCS #8 private key",
        &["-----BEGIN PRIVATE "],
        r"-----BEGIN PRIVATE KEY-----",
    ),
    block(
        "secret.encrypted-private-key",
        "PRIVATE_KEY",
        "an encrypted private key",
        &["-----BEGIN ENCRYPTED "],
        r"-----BEGIN ENCRYPTED PRIVATE KEY-----",
    )
    .confidence(0.95),
    block(
        "secret.ssh2-private-key",
        "PRIVATE_KEY",
        "an SSH2 private key",
        &["---- BEGIN SSH2 "],
        r"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
    ),
    block(
        "secret.pgp-private-key",
        "PGP_PRIVATE_KEY",
        "a PGP private key",
        &["-----BEGIN PGP PRIV"],
        r"-----BEGIN PGP PRIVATE KEY BLOCK-----",
    ),
    token(
        "secret.putty-private-key",
        "PUTTY_PRIVATE_KEY",
        "a PuTTY private key",
        &["Private-Lines:"],
        r"Private-Lines: \d{1,3}(?:\\r)?(?:\\n)?\s{0,4}([A-Za-z0-9+/=]{40})",
    )
    .grow(Grow::Right { class: |byte| base64_any(byte) || byte.is_ascii_whitespace(), max: 8192 })
    .severity(Severity::Critical),
    token(
        "secret.age-secret-key",
        "AGE_SECRET_KEY",
        "an age secret key",
        &["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"],
        r"AGE-SECRET-KEY-(?:PQ-)?1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    )
    .severity(Severity::Critical),
    token(
        "secret.wireguard-key",
        "WIREGUARD_KEY",
        "a WireGuard private or preshared key",
        &["PrivateKey", "PresharedKey", "private-key", "preshared-key", "private_key", "preshared_key"],
        r#"(?:private|preshared)[_-]?key\\?["']?[ \t]{0,8}[:= ][ \t]{0,8}\\?["']?([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"#,
    )
    .any_case()
    .entropy(4.2)
    .check(proof::three_classes)
    .severity(Severity::Critical),
    token(
        "secret.jwt",
        "JWT",
        "a JSON Web Token",
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{12}",
    )
    .grow(Grow::Right { class: compact, max: 8192 })
    .check(proof::jwt)
    .confidence(0.9),
    token(
        "secret.kubernetes-token",
        "KUBERNETES_TOKEN",
        "a Kubernetes service account token",
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{12}",
    )
    .grow(Grow::Right { class: compact, max: 8192 })
    .check(proof::kubernetes_service_account)
    .rank(Rank::Inner)
    .severity(Severity::Critical),
    token(
        "secret.kubeconfig-client-key",
        "KUBERNETES_CLIENT_KEY",
        "the private key of a Kubernetes client",
        &["client-key-data:"],
        r#"client-key-data:[ \t]{0,8}["']?(LS0tLS1CRUdJT[A-Za-z0-9+/=]{60})"#,
    )
    .grow(Grow::Right { class: base64_any, max: 8192 })
    .severity(Severity::Critical),
    token(
        "secret.kubeadm-token",
        "KUBERNETES_TOKEN",
        "a kubeadm bootstrap token",
        &["--token "],
        r"--token ([a-z0-9]{6}\.[a-z0-9]{16})",
    ),
    token(
        "secret.base64-private-key",
        "PRIVATE_KEY",
        "a private key in base64",
        &["LS0tLS1CRUdJTi"],
        r"LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFURS|BQUklWQVRF|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVEUg|BFTkNSWVBURUQgUFJJVkFUR)[A-Za-z0-9+/]{40}",
    )
    .grow(Grow::Right { class: base64_any, max: 8192 })
    .severity(Severity::Critical),
    token(
        "secret.bcrypt-hash",
        "PASSWORD_HASH",
        "a bcrypt password hash",
        &["$2a$", "$2b$", "$2y$", "$2x$"],
        r"\$2[abxy]\$\d{2}\$[./A-Za-z0-9]{53}",
    )
    .rank(Rank::Placed)
    .severity(Severity::Medium),
    token(
        "secret.crypt-hash",
        "PASSWORD_HASH",
        "a password hash of crypt(3)",
        &["$1$", "$5$", "$6$", "$y$", "$apr1$", "$7$", "$gy$"],
        r"\$(?:1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|5\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}|6\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}|g?y\$[./A-Za-z0-9]{1,6}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}|7\$[./A-Za-z0-9]{11,97}\$[./A-Za-z0-9]{43})",
    )
    .rank(Rank::Placed)
    .severity(Severity::Medium),
    token(
        "secret.argon2-hash",
        "PASSWORD_HASH",
        "an Argon2 password hash",
        &["$argon2"],
        r"\$argon2(?:id|i|d)\$(?:v=\d{1,3}\$)?m=\d{1,8},t=\d{1,4},p=\d{1,4}\$[A-Za-z0-9+/]{8,64}\$[A-Za-z0-9+/]{16,100}",
    )
    .rank(Rank::Placed)
    .severity(Severity::Medium),
    token(
        "secret.htpasswd-sha1",
        "PASSWORD_HASH",
        "an htpasswd entry with SHA-1",
        &["{SHA}", "{SSHA}"],
        r"\{SS?HA\}[A-Za-z0-9+/]{27,43}={0,2}",
    )
    .rank(Rank::Placed)
    .severity(Severity::Medium),
    token(
        "secret.django-password-hash",
        "PASSWORD_HASH",
        "a Django password hash",
        &["pbkdf2_sha256$", "pbkdf2_sha1$"],
        r"pbkdf2_sha(?:256|1)\$\d{3,8}\$[A-Za-z0-9]{6,32}\$[A-Za-z0-9+/]{27,43}=",
    )
    .rank(Rank::Placed)
    .severity(Severity::Medium),
    token(
        "secret.bitcoin-extended-key",
        "PRIVATE_KEY",
        "an extended private key of a wallet (BIP 32)",
        &["xprv9"],
        r"xprv9[1-9A-HJ-NP-Za-km-z]{106}",
    )
    .severity(Severity::Critical),
];
