use bartizan_core::Rule;
use bartizan_policy::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_security::confusable_detection::skeleton;
use url::Url;

use super::rules;

/// Which documents may enter by where they come from and when they were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SourceSettings {
    /// Origins that are allowed: `docs.example.com`, `*.example.com` for its subdomains, or with a
    /// scheme and a path, `https://example.com/handbook/`. Empty allows every origin.
    pub allow: Vec<String>,
    /// Origins that are refused, in the same shape; they outweigh `allow`.
    pub deny: Vec<String>,
    /// Schemes of origins without one of their own; `https` by default.
    pub schemes: Vec<String>,
    /// Refuse chunks without a source. Holds wherever `allow` names an origin.
    pub require_source: bool,
    /// Oldest document in days; 730 by default, `null` for any.
    pub max_age_days: Option<u32>,
    /// Longest chunk in characters; 5,000 by default, `null` for any.
    pub max_chunk_chars: Option<usize>,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            schemes: vec!["https".to_owned()],
            require_source: false,
            max_age_days: Some(730),
            max_chunk_chars: Some(5000),
        }
    }
}

/// An entry of a list is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin, write e.g. `docs.example.com`, `*.example.com`, or `https://example.com/handbook/`"
)]
pub struct PatternError(String);

/// Checked settings.
#[derive(Clone, Debug)]
pub struct SourcePolicy {
    allow: Vec<Pattern>,
    deny: Vec<Pattern>,
    schemes: Vec<String>,
    require_source: bool,
    max_age_days: Option<u32>,
    max_chunk_chars: Option<usize>,
}

impl Default for SourcePolicy {
    /// Every origin; nothing from the future, and nothing older than two years.
    fn default() -> Self {
        let SourceSettings {
            schemes,
            max_age_days,
            max_chunk_chars,
            ..
        } = SourceSettings::default();
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            schemes,
            require_source: false,
            max_age_days,
            max_chunk_chars,
        }
    }
}

impl SourcePolicy {
    /// Checks `settings`.
    ///
    /// # Errors
    /// When an entry of a list is no origin.
    pub fn new(settings: &SourceSettings) -> Result<Self, PatternError> {
        let patterns = |list: &[String]| -> Result<Vec<Pattern>, PatternError> {
            list.iter().map(|entry| Pattern::parse(entry)).collect()
        };
        Ok(Self {
            allow: patterns(&settings.allow)?,
            deny: patterns(&settings.deny)?,
            schemes: settings.schemes.clone(),
            require_source: settings.require_source || !settings.allow.is_empty(),
            max_age_days: settings.max_age_days,
            max_chunk_chars: settings.max_chunk_chars,
        })
    }

    /// The rule that a source breaks. Addresses are read as browsers read them (WHATWG URL), so that
    /// case, ports, dots, and user names do not make one host look like another.
    #[must_use]
    pub fn source(&self, source: Option<&str>) -> Option<&'static Rule> {
        let Some(source) = source else {
            return self.require_source.then_some(&rules::SOURCE_REFUSED);
        };
        let restricts = !self.allow.is_empty() || !self.deny.is_empty();
        let Ok(url) = Url::parse(source) else {
            return restricts.then_some(&rules::SOURCE_REFUSED);
        };
        if !url.username().is_empty() || url.password().is_some() {
            // What stands before an `@` is there to be taken for the host.
            return Some(&rules::SOURCE_LOOK_ALIKE);
        }
        let host = url
            .host_str()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned();
        let matches = |pattern: &Pattern| pattern.matches(&url, &host, &self.schemes);
        if self
            .deny
            .iter()
            .any(|pattern| pattern.is_host_of(&host) && pattern.is_path_of(&url))
        {
            return Some(&rules::SOURCE_DENIED);
        }
        if self.allow.iter().any(matches) {
            return None;
        }
        if self
            .allow
            .iter()
            .any(|pattern| pattern.is_mimicked_by(&host))
        {
            return Some(&rules::SOURCE_LOOK_ALIKE);
        }
        (!self.allow.is_empty()).then_some(&rules::SOURCE_REFUSED)
    }

    /// The rule that the length of a chunk breaks.
    #[must_use]
    pub fn length(&self, text: &str) -> Option<&'static Rule> {
        let most = self.max_chunk_chars?;
        let is_longer = text.len() > most && text.chars().nth(most).is_some();
        is_longer.then_some(&rules::CHUNK_TOO_LONG)
    }

    /// The rule that a date breaks today. A date that cannot be read is one that nobody checked.
    #[must_use]
    pub fn date(&self, date: Option<&str>, today: Date) -> Option<&'static Rule> {
        let date = date?;
        let Ok(day) = date.get(..10).unwrap_or(date).parse::<Date>() else {
            return Some(&rules::DATE_IN_FUTURE);
        };
        // A day of grace: it may be tomorrow where the document was written.
        let age = day
            .until(today)
            .map_or(0, |span| i64::from(span.get_days()));
        if age < -1 {
            return Some(&rules::DATE_IN_FUTURE);
        }
        let most = i64::from(self.max_age_days?);
        (age > most).then_some(&rules::TOO_OLD)
    }
}

/// An origin of a list.
#[derive(Clone, Debug)]
struct Pattern {
    scheme: Option<String>,
    host: String,
    covers_subdomains: bool,
    port: Option<u16>,
    path: String,
}

impl Pattern {
    fn parse(entry: &str) -> Result<Self, PatternError> {
        let error = || PatternError(entry.to_owned());
        let (scheme, rest) = match entry.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, entry),
        };
        let covers_subdomains = rest.starts_with("*.");
        let rest = rest.strip_prefix("*.").unwrap_or(rest);
        let whole = format!("{}://{rest}", scheme.as_deref().unwrap_or("https"));
        let url = Url::parse(&whole).map_err(|_| error())?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty() && !host.contains('*'));
        let is_plain =
            url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
        if !is_plain {
            return Err(error());
        }
        Ok(Self {
            scheme,
            host: host.ok_or_else(error)?.trim_end_matches('.').to_owned(),
            covers_subdomains,
            port: url.port(),
            path: url.path().to_owned(),
        })
    }

    fn matches(&self, url: &Url, host: &str, schemes: &[String]) -> bool {
        let scheme = match &self.scheme {
            Some(scheme) => url.scheme() == scheme,
            None => schemes.iter().any(|scheme| url.scheme() == scheme),
        };
        scheme && self.is_host_of(host) && url.port() == self.port && self.is_path_of(url)
    }

    fn is_host_of(&self, host: &str) -> bool {
        match host.strip_suffix(self.host.as_str()) {
            Some("") => !self.covers_subdomains,
            Some(rest) => self.covers_subdomains && rest.ends_with('.'),
            None => false,
        }
    }

    /// Whole segments: `/hand` does not cover `/handbook`.
    fn is_path_of(&self, url: &Url) -> bool {
        // Encoded slashes and dots are read in two ways.
        let path = url.path().to_ascii_lowercase();
        if self.path != "/" && (path.contains("%2f") || path.contains("%5c")) {
            return false;
        }
        url.path()
            .strip_prefix(self.path.as_str())
            .is_some_and(|rest| {
                rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/')
            })
    }

    /// Whether `host`, which is not this one, can be taken for it: it goes on after it, it looks the
    /// same (Unicode Technical Standard 39, section 4), or it is a letter off.
    fn is_mimicked_by(&self, host: &str) -> bool {
        let goes_on = host
            .strip_prefix(self.host.as_str())
            .is_some_and(|rest| rest.starts_with(['.', '-']))
            || host
                .strip_suffix(self.host.as_str())
                .is_some_and(|rest| rest.ends_with('-'));
        let (shown, _) = idna::domain_to_unicode(host);
        let look = |text: &str| -> String {
            let lower = text.to_lowercase();
            skeleton(&lower).collect::<String>().to_lowercase()
        };
        // Subdomains of the look-alike look alike, too.
        let last = |text: &str| {
            let labels: Vec<&str> = text.split('.').collect();
            let wanted = self.host.split('.').count();
            let skip = labels.len().saturating_sub(wanted);
            labels.get(skip..).unwrap_or_default().join(".")
        };
        let tail = last(&shown);
        goes_on
            || (tail != self.host && look(&tail) == look(&self.host))
            || (self.host.len() >= 8
                && tail != self.host
                && strsim::osa_distance(&tail, &self.host) == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str], deny: &[&str]) -> SourcePolicy {
        let own = |list: &[&str]| list.iter().map(|&entry| entry.to_owned()).collect();
        SourcePolicy::new(&SourceSettings {
            allow: own(allow),
            deny: own(deny),
            ..SourceSettings::default()
        })
        .unwrap()
    }

    #[test]
    fn ws_90_hosts_are_compared_as_browsers_read_them() {
        let policy = policy(
            &[
                "docs.example.com",
                "*.wiki.example.net",
                "https://example.org/hand/",
            ],
            &["old.wiki.example.net"],
        );
        for allowed in [
            "https://docs.example.com/a",
            "HTTPS://DOCS.Example.COM:443/a?b=c",
            "https://docs.example.com./a",
            "https://team.wiki.example.net/x",
            "https://example.org/hand/book",
        ] {
            assert_eq!(
                policy.source(Some(allowed)).map(|r| &*r.id),
                None,
                "{allowed}"
            );
        }
        for (refused, rule) in [
            (
                "https://docs.example.com.evil.com/",
                "rag.source-look-alike",
            ),
            (
                "https://docs.example.com@evil.com/",
                "rag.source-look-alike",
            ),
            ("https://docs.exarnple.com/", "rag.source-look-alike"),
            ("https://docs.examp1e.com/", "rag.source-look-alike"),
            ("https://d\u{43e}cs.example.com/", "rag.source-look-alike"),
            ("https://www.docs.exampel.com/", "rag.source-look-alike"),
            ("https://docs.example.com:8443/", "rag.source-refused"),
            ("http://docs.example.com/", "rag.source-refused"),
            ("https://evil.com/docs.example.com", "rag.source-refused"),
            ("https://example.org/handbook", "rag.source-refused"),
            ("https://example.org/hand/../admin", "rag.source-refused"),
            ("https://example.org/hand/..%2fadmin", "rag.source-refused"),
            ("https://wiki.example.net/", "rag.source-refused"),
            ("https://old.wiki.example.net/", "rag.source-denied"),
            ("not an address", "rag.source-refused"),
            ("file:///etc/passwd", "rag.source-refused"),
        ] {
            assert_eq!(
                policy.source(Some(refused)).map(|r| &*r.id),
                Some(rule),
                "{refused}"
            );
        }
        assert!(policy.source(None).is_some());
        assert!(
            SourcePolicy::default()
                .source(Some("https://any.example/"))
                .is_none()
        );
    }

    #[test]
    fn dates_must_have_come_and_not_be_too_long_ago() {
        let policy = SourcePolicy::default();
        let today = Date::constant(2026, 11, 21);
        let rule = |date| policy.date(Some(date), today).map(|rule| &*rule.id);
        assert_eq!(rule("2026-11-22"), None);
        assert_eq!(rule("2025-01-01T10:00:00Z"), None);
        assert_eq!(rule("2099-01-01"), Some("rag.date-in-future"));
        assert_eq!(rule("2024-01-01"), Some("rag.document-too-old"));
        assert_eq!(rule("soon"), Some("rag.date-in-future"));
        assert_eq!(policy.date(None, today).map(|rule| &*rule.id), None);
    }

    #[test]
    fn what_is_no_origin_is_a_mistake() {
        for bad in [
            "",
            "https://",
            "a b",
            "*.*.example.com",
            "https://u@h.example/",
            "x.example?y",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
