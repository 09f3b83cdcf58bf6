//! What may be attacked. Loopback always; another host only where a file says so.

use std::path::Path;

use bartizan_policy::Date;
use serde::Deserialize;

use crate::{
    input::{escaped, read_text},
    problem::{Problem, Problems},
};

/// The hosts that may be attacked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    hosts: Vec<String>,
}

/// A scope file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    /// Who allows it; a name that the report of the test can be asked for.
    authorised_by: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    until: String,
    /// Names or addresses of hosts.
    hosts: Vec<String>,
}

impl Scope {
    /// Reads a scope file, which must not have run out.
    pub(crate) fn read(path: &Path, today: Date) -> Result<Self, Problems> {
        let text = read_text(path)?;
        let name = escaped(path);
        let file: File = serde_saphyr::from_str(&text).map_err(|error| {
            Problem::new(format!("`{name}`: {error}"))
                .help("a scope file has `authorised-by`, `until`, and `hosts`")
        })?;
        if file.authorised_by.trim().is_empty() {
            return Err(Problem::new(format!("`{name}` does not say who allows it"))
                .help("write a name behind `authorised-by`")
                .into());
        }
        let until: Date = file.until.parse().map_err(|_| {
            Problem::new(format!("`{name}`: what stands behind `until` is no day"))
                .help("write it as `2026-12-31`")
        })?;
        if until < today {
            return Err(Problem::new(format!("`{name}` held until {until} only"))
                .help("ask again, and give a new day behind `until`")
                .into());
        }
        Ok(Self { hosts: file.hosts })
    }

    /// Whether `url` may be attacked.
    pub(crate) fn admit(&self, url: &str) -> Result<(), Problem> {
        let host = host(url).ok_or_else(|| {
            Problem::new(format!(
                "`{}` is no URL of a host",
                crate::render::safe::line(url)
            ))
            .help("it begins with http:// or https://")
        })?;
        if is_loopback(&host)
            || self
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&host))
        {
            return Ok(());
        }
        let message = format!(
            "`{}` is not on this machine and in no scope",
            crate::render::safe::line(&host)
        );
        Err(Problem::new(message).help(
            "attack only what you may: name the host in a file with `authorised-by`, `until`, and \
             `hosts`, and give the file with `--scope`",
        ))
    }
}

/// The host of a URL (RFC 3986, section 3.2.2), without brackets.
fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    // What stands before an `@` is a name of a user, and no place for a host to hide behind.
    if authority.contains('@') {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?.0,
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_needs_no_file() {
        let none = Scope::default();
        for url in [
            "http://localhost:1/x",
            "https://127.0.0.1",
            "http://[::1]:8080/v1",
            "HTTP://LOCALHOST",
        ] {
            assert!(none.admit(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.org",
            "http://127.0.0.1.example.org/",
            "http://127.0.0.1@example.org/",
            "http://example.org\\@127.0.0.1",
            "http://localhost.example.org",
            "http://10.0.0.1",
            "http://[::ffff:1.2.3.4]",
            "file:///etc/passwd",
            "localhost",
        ] {
            assert!(none.admit(url).is_err(), "{url}");
        }
        let some = Scope {
            hosts: vec!["Models.example.org".to_owned()],
        };
        assert!(some.admit("https://models.example.org:8443/v1").is_ok());
        assert!(some.admit("https://other.example.org").is_err());
    }

    #[test]
    fn files_run_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scope.yaml");
        let text = "authorised-by: Ada\nuntil: 2026-06-30\nhosts: [a.example]\n";
        std::fs::write(&path, text).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert!(Scope::read(&path, day("2026-06-30")).is_ok());
        assert!(Scope::read(&path, day("2026-07-01")).is_err());
        std::fs::write(&path, "hosts: [a.example]\n").unwrap();
        assert!(Scope::read(&path, day("2026-06-30")).is_err());
    }
}
