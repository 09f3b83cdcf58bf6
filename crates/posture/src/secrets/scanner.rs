use std::{collections::BTreeSet, ops::Range, sync::Arc};

use bartizan_core::{Check, CheckError, Cx, Finding, Layer, Limits, Origin, RuleRef};
use bartizan_text::{
    PatternsBuilder, Scanner,
    scan::PatternError,
    secrets::{Secrets, formats::MAX_SECRET},
    views::ViewLimits,
};

use super::gitleaks::{AllowPlace, GitleaksConfig};

/// What is read at once, in bytes.
const WINDOW: usize = 1 << 20;

/// How much before and after a place can change what is said about it, in bytes.
const REACH: usize = MAX_SECRET + 1024;

/// Most findings in one text.
const MAX_LEAKS: u64 = 10_000;

/// The longest line that is compared with allow-lists, in bytes to each side of a secret.
const MAX_LINE: usize = 4 << 10;

/// The comment that accepts the secrets of its line, as gitleaks has it.
const ALLOW: &[u8] = b"gitleaks:allow";

/// Where a text stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Where<'a> {
    /// Its path, with `/`.
    pub path: &'a str,
    /// The commit that it is from, in hexadecimal, if it is from one.
    pub commit: Option<&'a str>,
}

/// A secret that was found. Holds nothing of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// The rule that it falls under.
    pub rule: RuleRef,
    /// Its bytes in the text.
    pub secret: Range<usize>,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
}

/// Looks for secrets in texts.
#[derive(Debug)]
pub struct SecretScanner {
    own: Option<(Scanner, Secrets)>,
    loaded: Option<GitleaksConfig>,
}

impl SecretScanner {
    /// A scanner with the guard's own formats.
    ///
    /// # Errors
    /// When a pattern is refused.
    pub fn standard() -> Result<Self, PatternError> {
        Ok(Self {
            own: Some(own()?),
            loaded: None,
        })
    }

    /// A scanner with the rules of a file, and with the guard's own formats where the file extends
    /// the default rules.
    ///
    /// # Errors
    /// When a pattern is refused.
    pub fn with_rules(config: GitleaksConfig) -> Result<Self, PatternError> {
        Ok(Self {
            own: if config.extends_default() {
                Some(own()?)
            } else {
                None
            },
            loaded: Some(config),
        })
    }

    /// Every secret in `text`, in order of place; where two rules find the same bytes, that of the
    /// guard's own formats comes first.
    ///
    /// # Errors
    /// When not everything was looked at.
    pub fn look(&self, text: &[u8], place: Where<'_>) -> Result<Vec<Leak>, CheckError> {
        if let Some(config) = &self.loaded
            && config.skips(place)
        {
            return Ok(Vec::new());
        }
        let mut leaks = Vec::new();
        if let Some((scanner, detector)) = &self.own {
            for start in (0..text.len()).step_by(WINDOW) {
                window(scanner, detector, text, start, &mut leaks)?;
            }
            if let Some(config) = &self.loaded {
                leaks.retain(|leak| !config.disables(&leak.rule.id));
            }
        }
        if let Some(config) = &self.loaded {
            config.find(text, place, &mut leaks)?;
        }
        if leaks.len() as u64 > MAX_LEAKS {
            return Err(CheckError::Exhausted {
                limit: "secrets in one text",
                at: MAX_LEAKS,
            });
        }
        leaks.sort_by_key(|leak| (leak.secret.start, leak.secret.end));
        let mut taken = BTreeSet::new();
        leaks.retain(|leak| {
            let identity = (leak.secret.start, leak.secret.end, leak.rule.id.clone());
            self.is_meant(text, leak, place) && taken.insert(identity)
        });
        number_lines(text, &mut leaks);
        Ok(leaks)
    }

    /// Whether neither a comment on its line nor an allow-list accepts it.
    fn is_meant(&self, text: &[u8], leak: &Leak, place: Where<'_>) -> bool {
        let line = line_around(text, &leak.secret);
        if memchr::memmem::find(line, ALLOW).is_some() {
            return false;
        }
        let secret = text.get(leak.secret.clone()).unwrap_or_default();
        let found = AllowPlace {
            place,
            rule: &leak.rule.id,
            secret,
            // The whole match of a format of the guard's own is the secret.
            matched: secret,
            line,
        };
        !self
            .loaded
            .as_ref()
            .is_some_and(|config| config.allows(&found))
    }
}

fn own() -> Result<(Scanner, Secrets), PatternError> {
    let mut patterns = PatternsBuilder::default();
    let detector = Secrets::new(&mut patterns)?;
    let scanner = Scanner::new(Arc::new(patterns.build()), ViewLimits::default());
    Ok((scanner, detector))
}

/// Looks at the secrets that begin in one window, with what stands before and after it.
fn window(
    scanner: &Scanner,
    detector: &Secrets,
    text: &[u8],
    start: usize,
    leaks: &mut Vec<Leak>,
) -> Result<(), CheckError> {
    let end = text.len().min(start + WINDOW);
    let from = start.saturating_sub(REACH);
    let read = text
        .get(from..text.len().min(end + REACH))
        .unwrap_or_default();
    let mut findings: Vec<Finding> = Vec::new();
    let limits = Limits {
        max_findings: MAX_LEAKS,
        ..Limits::default()
    };
    let mut cx = Cx::new(Layer::Sensitive, limits, &mut findings);
    detector.check(&scanner.read_main(Origin::Retrieved, read), &mut cx)?;
    let own = findings.into_iter().filter_map(|finding| {
        let span = finding.span?.as_range();
        let secret = from + span.start..from + span.end;
        (start..end).contains(&secret.start).then_some(Leak {
            rule: finding.rule,
            secret,
            line: 0,
            confidence: finding.confidence.get(),
        })
    });
    leaks.extend(own);
    Ok(())
}

/// The lines that hold `range`, within bounds.
pub(super) fn line_around<'a>(text: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    let floor = range.start.saturating_sub(MAX_LINE);
    let before = text.get(floor..range.start).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(floor, |at| floor + at + 1);
    let ceiling = text.len().min(range.end.saturating_add(MAX_LINE));
    let after = text.get(range.end..ceiling).unwrap_or_default();
    let end = memchr::memchr(b'\n', after).map_or(ceiling, |at| range.end + at);
    text.get(start..end).unwrap_or_default()
}

/// Counts lines once, along the leaks, which are in order.
fn number_lines(text: &[u8], leaks: &mut [Leak]) {
    let (mut line, mut from) = (1, 0);
    for leak in leaks {
        let passed = text.get(from..leak.secret.start).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', passed).count();
        from = leak.secret.start;
        leak.line = line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ghp_x7Kp2mQ9vRt4Zw8LbN3cYh6Jd1Sf5GaUoTe0";

    fn ids(text: &str) -> Vec<(String, usize)> {
        let scanner = SecretScanner::standard().unwrap();
        let leaks = scanner.look(text.as_bytes(), Where::default()).unwrap();
        leaks
            .into_iter()
            .map(|leak| (leak.rule.id.to_string(), leak.line))
            .collect()
    }

    #[test]
    fn secrets_have_lines() {
        let found = ids(&format!("a = 1\nb = 2\ntoken = \"{KEY}\"\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, 3);
        assert!(ids("password = \"${PASSWORD}\"\n").is_empty());
    }

    #[test]
    fn the_comment_accepts_its_line_alone() {
        assert!(ids(&format!("t = '{KEY}' # gitleaks:allow\n")).is_empty());
        assert_eq!(ids(&format!("# gitleaks:allow\nt = '{KEY}'\n")).len(), 1);
    }

    #[test]
    fn windows_miss_nothing_and_say_nothing_twice() {
        for before in [WINDOW - 60, WINDOW - 20, WINDOW - 1, WINDOW, WINDOW + 3] {
            let text = format!("{}t = '{KEY}'\n", "x\n".repeat(before / 2));
            assert_eq!(ids(&text).len(), 1, "{before}");
        }
    }
}
