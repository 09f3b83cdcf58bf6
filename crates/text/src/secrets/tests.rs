//! Every format on generated examples, and what must pass.
//!
//! Examples are made from templates, so that nothing in this repository looks like a live key.

#![expect(
    clippy::string_slice,
    reason = "test text is cut at found spans and in ASCII"
)]

use std::sync::LazyLock;

use bartizan_core::{Check, Cx, Finding, Layer, Limits, Origin};

use super::{Secrets, assigned, examples::EXAMPLES, formats, proof};
use crate::{PatternsBuilder, Scanner, scan, views::ViewLimits};

static GUARD: LazyLock<(Secrets, Scanner)> = LazyLock::new(|| {
    let mut builder = PatternsBuilder::default();
    let secrets = Secrets::new(&mut builder).unwrap();
    let patterns = builder.build();
    (
        secrets,
        Scanner::new(patterns.into(), ViewLimits::default()),
    )
});

fn find(text: &str) -> Vec<Finding> {
    let (secrets, scanner) = &*GUARD;
    let read = scanner.read(Origin::Model, text.as_bytes());
    let mut findings = Vec::new();
    let mut cx = Cx::new(Layer::Sensitive, Limits::default(), &mut findings);
    secrets.check(&read, &mut cx).unwrap();
    findings
}

/// Rule and text of each finding.
fn found(text: &str) -> Vec<(String, String)> {
    find(text)
        .iter()
        .map(|finding| {
            let said = &text[finding.span.unwrap().as_range()];
            (finding.rule.id.to_string(), said.to_owned())
        })
        .collect()
}

#[track_caller]
fn passes(texts: &[&str]) {
    for text in texts {
        assert_eq!(found(text), [], "{text}");
    }
}

#[track_caller]
fn finds(rule: &str, text: &str, value: &str) {
    assert_eq!(found(text), [(rule.to_owned(), value.to_owned())], "{text}");
}

/// A linear congruential generator: the same examples on every run (Knuth, TAOCP 2, 3.3.4).
struct Source(u64);

impl Source {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn draw(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..count)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }

    /// Fills in a template: `{A36}` is 36 letters and digits. `A` both cases and digits, `a` lower
    /// case and digits, `U` upper case and digits, `h` and `H` hexadecimal, `d` digits, `2`
    /// base 32, `w` `A` with `_`, `b` base 64, `5` base 58, `k` bech32; `{u}` is a UUID, `{crc}` the checksum of
    /// what stands since the last `_`.
    fn fill(&mut self, template: &str) -> String {
        const DIGITS: &str = "0123456789";
        const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
        let upper = LOWER.to_ascii_uppercase();
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let field = after.split_once('}').map_or("", |(field, _)| field);
            let counted = field.len() > 1 && field[1..].bytes().all(|b| b.is_ascii_digit());
            if !counted && field != "u" && field != "crc" {
                out.push('{');
                rest = after;
                continue;
            }
            rest = &after[field.len() + 1..];
            if field == "u" {
                for (index, count) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "-" });
                    out.push_str(&self.draw("0123456789abcdef", count));
                }
                continue;
            }
            if field == "crc" {
                let body = out.rsplit('_').next().unwrap();
                let mut sum = proof::crc32(body.as_bytes());
                let alphabet = format!("{DIGITS}{upper}{LOWER}");
                let mut check = Vec::new();
                for _ in 0..6 {
                    check.push(alphabet.as_bytes()[(sum % 62) as usize]);
                    sum /= 62;
                }
                out.extend(check.iter().rev().map(|byte| char::from(*byte)));
                continue;
            }
            let (class, count) = field.split_at(1);
            let alphabet = match class {
                "A" => format!("{LOWER}{upper}{DIGITS}"),
                "w" => format!("{LOWER}{upper}{DIGITS}_"),
                "b" => format!("{LOWER}{upper}{DIGITS}+/"),
                "a" => format!("{LOWER}{DIGITS}"),
                "U" => format!("{upper}{DIGITS}"),
                "h" => "0123456789abcdef".to_owned(),
                "H" => "0123456789ABCDEF".to_owned(),
                "d" => DIGITS.to_owned(),
                "2" => format!("{upper}234567"),
                "5" => "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".to_owned(),
                "k" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".to_owned(),
                _ => panic!("unknown class `{class}`"),
            };
            out.push_str(&self.draw(&alphabet, count.parse().unwrap()));
        }
        out.push_str(rest);
        out
    }
}

#[test]
fn every_format_finds_its_examples() {
    let mut source = Source(7);
    let mut wrong = Vec::new();
    for (rule, template, _) in EXAMPLES {
        for round in 0..4 {
            let filled = source.fill(template).replace("\\n", "\n");
            let (frame, value) = filled.split_once('|').unwrap_or(("", &filled));
            let text = match round {
                0 => format!("{frame}{value}"),
                1 => format!("here it is: \n{frame}{value}\nthanks"),
                2 => format!("{frame}{value} (do not share)"),
                _ => format!("see `{frame}{value}` there"),
            };
            let findings = found(&text);
            if !findings
                .iter()
                .any(|(id, said)| id == rule && value.contains(said.as_str()))
            {
                wrong.push(format!("{rule}: {text} -> {findings:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_lets_near_misses_pass() {
    let mut source = Source(11);
    let mut wrong = Vec::new();
    for (rule, _, template) in EXAMPLES {
        let text = source.fill(template).replace('|', "");
        let findings = found(&text);
        if findings.iter().any(|(id, _)| id == rule) {
            wrong.push(format!("{rule}: {text} -> {findings:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_an_example() {
    let (secrets, _) = &*GUARD;
    let missing: Vec<_> = secrets
        .rules()
        .iter()
        .filter(|rule| !EXAMPLES.iter().any(|(id, ..)| *id == rule.id))
        .map(|rule| rule.id.to_string())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(secrets.rules().len() >= 90);
}

#[test]
fn patterns_keep_what_the_table_says_of_them() {
    let longest = |pattern: &str| {
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .unwrap();
        hir.properties().maximum_len().unwrap()
    };
    for keyword in &assigned::KEYWORDS {
        assert!(longest(keyword.pattern) <= assigned::MAX_NAME);
        assert!(scan::compile(keyword.pattern, false, false).is_ok());
    }
    for format in formats::all() {
        let id = &format.rule.id;
        assert!(
            scan::compile(format.pattern, format.case_sensitive, false).is_ok(),
            "{id}"
        );
        let longest = longest(format.pattern);
        assert!(longest <= format.max_len, "{id}: {longest}");
        assert!(id.starts_with("secret."));
        assert!(
            format
                .anchors
                .iter()
                .all(|anchor| anchor.len() >= scan::MIN_ANCHOR),
            "{id}"
        );
    }
}

#[test]
fn ws_78_digests_and_ids_pass() {
    passes(&[
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "MD5 (file) = d41d8cd98f00b204e9800998ecf8427e",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "checksum = \"8c1d7f5e0a2b4c6d8e9f0a1b2c3d4e5f60718293a4b5c6d7e8f9012345678abc\"",
        "id: 123e4567-e89b-12d3-a456-426614174000",
        "\"integrity\": \"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\"",
        "golang.org/x/net v0.17.0 h1:pVaXccu2ozPjCXewfr1S7xza/zcXTity9cCdXQYSjIM=",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ0o\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    ]);
}

#[test]
fn documented_examples_and_placeholders_pass() {
    passes(&[
        concat!("AKIA", "IOSFODNN7EXAMPLE"),
        concat!(
            "aws_secret_access_key = wJalrXUtnFEMI",
            "/K7MDENG/bPxRfiCYEXAMPLEKEY"
        ),
        concat!("sk_test_", "4eC39HqLyjWDarjtT1zdp7dc"),
        "OPENAI_API_KEY=sk-your-api-key-here",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "password = \"changeme\"",
        "password: ********",
        "api_key: <token>",
        "TOKEN=${GITHUB_TOKEN}",
        "secret: {{ vault_secret }}",
        "postgres://user:password@localhost/db",
        "https://user:${PASS}@example.com/",
        "Authorization: Bearer <your-token>",
    ]);
}

#[test]
fn code_passes() {
    passes(&[
        "def login(user: str, password: str) -> bool:",
        "password = get_password()",
        "token = request.token",
        "let secret: Secret<String> = Secret::new(value);",
        "api_key = os.environ[\"API_KEY\"]",
        "const token = process.env.SLACK_TOKEN;",
        "max_tokens=4096, token_count = 12345678901234567",
        "password=password2",
        "if token == EXPECTED_TOKEN_V2 { return; }",
        "The password is required and the secret is safe. The token is a string.",
        "next_page_token: CAEaBggBEAIYAyAEKAUwBjgHQAg1x9Z",
        "{\"password\": {\"type\": \"string\", \"minLength\": 8}}",
    ]);
}

#[test]
fn assignments() {
    finds(
        "secret.password",
        "password = \"Tr0ub4dor&3\"",
        "Tr0ub4dor&3",
    );
    finds("secret.password", "DB_PASSWORD=kX9mP2vLq7", "kX9mP2vLq7");
    finds(
        "secret.password",
        "\"password\": \"kX9#mP2$vL\",",
        "kX9#mP2$vL",
    );
    finds(
        "secret.password",
        "{\\\"password\\\": \\\"kX9#mP2vL\\\"}",
        "kX9#mP2vL",
    );
    finds(
        "secret.password",
        "the admin password is kX9#mP2$vL.",
        "kX9#mP2$vL",
    );
    finds(
        "secret.generic-api-key",
        "api_key: 'q7Rk2ZpX9vLm4TbW8nYc'",
        "q7Rk2ZpX9vLm4TbW8nYc",
    );
    finds(
        "secret.generic-token",
        "token=q7Rk2ZpX9vLm4TbW8nYc&x=1",
        "q7Rk2ZpX9vLm4TbW8nYc",
    );
    finds(
        "secret.generic-secret",
        "client_secret := \"q7Rk2ZpX9vLm4TbW8nYc\"",
        "q7Rk2ZpX9vLm4TbW8nYc",
    );
}

#[test]
fn the_most_specific_format_wins() {
    let key = Source(3).fill("ghp_{A30}{crc}");
    finds(
        "secret.github-token",
        &format!("password = \"{key}\""),
        &key,
    );
    let finding = &find(&key)[0];
    assert!(finding.confidence.get() > 0.98, "checksum holds");
    let wrong = Source(3).fill("ghp_{A36}");
    assert!(find(&wrong)[0].confidence.get() < 0.9, "checksum fails");
}

#[test]
fn a_private_key_is_covered_whole() {
    let body = Source(5).fill("{b64}\n{b64}\n{b20}=");
    let key = format!(
        "-----BEGIN RSA {0} KEY-----\n{body}\n-----END RSA {0} KEY-----",
        "PRIVATE"
    );
    finds("secret.rsa-private-key", &format!("key:\n{key}\nend"), &key);
    let escaped = key.replace('\n', "\\n");
    finds(
        "secret.rsa-private-key",
        &format!("{{\"k\": \"{escaped}\"}}"),
        &escaped,
    );
    let cut = &key[..120];
    finds("secret.rsa-private-key", cut, cut);
}

#[test]
fn every_line_of_a_putty_key_is_covered() {
    let lines = Source(6).fill("{b64}\n{b40}\n{b64}");
    let file = format!("Private-Lines: 3\n{lines}\nPrivate-MAC: 00");
    finds("secret.putty-private-key", &file, &lines);
}

#[test]
fn derived_views_are_read_too() {
    let token = Source(9).fill("ghp_{A30}{crc}");
    let spread = token.replace("ghp_", "g\u{200b}hp_");
    assert_eq!(
        find(&spread).len(),
        1,
        "invisible characters do not hide a key"
    );
}

#[test]
fn repetitive_text_does_not_multiply_findings() {
    for piece in [
        "eyJhbGciOiJIUzI1.",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "password = ",
        "token:",
        "https://a:b",
        "fm2_",
        "aaaa.",
    ] {
        let text = piece.repeat(200_000 / piece.len());
        assert!(find(&text).len() <= text.len());
    }
}
