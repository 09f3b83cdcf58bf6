//! What was accepted before: baselines, and the fingerprints of `.gitleaksignore`.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::hmac;
use bartizan_core::hex;
use serde::{Deserialize, Serialize};

use super::{Leak, Where};

/// How many bytes of a keyed hash are kept: 64 bits tell the secrets of one tree apart.
const HASH_BYTES: usize = 8;

/// The format that is written.
const VERSION: u32 = 1;

/// Findings that were accepted, as keyed hashes with their key.
///
/// Whoever has the file can try guesses of a weak password against it: it belongs where the files
/// themselves belong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    /// The key of the hashes, 64 hexadecimal digits.
    key: String,
    /// Hashes of rule, path, and secret, 16 hexadecimal digits each.
    findings: BTreeSet<String>,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// It is not the JSON that it should be.
    #[error("it is no baseline: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of a version that is not known.
    #[error("it is a baseline of version {0}, and version {VERSION} is known")]
    Version(u32),
    /// Its key is none.
    #[error("its key is not 64 hexadecimal digits")]
    Key,
}

impl Baseline {
    /// Reads one, and the key of its hashes.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(json: &str) -> Result<(Self, [u8; 32]), BaselineError> {
        let baseline: Self = serde_json::from_str(json)?;
        if baseline.version != VERSION {
            return Err(BaselineError::Version(baseline.version));
        }
        let key = hex::decode(&baseline.key).and_then(|key| key.try_into().ok());
        let key = key.ok_or(BaselineError::Key)?;
        Ok((baseline, key))
    }

    /// The file's text.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// How many findings it accepts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether it accepts none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Fingerprints of `.gitleaksignore`: `path:rule:line`, or `commit:path:rule:line`.
#[derive(Clone, Debug, Default)]
pub struct Ignored(BTreeSet<String>);

impl Ignored {
    /// Reads a file: one fingerprint a line, `#` before comments.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(str::to_owned).collect())
    }

    fn holds(&self, leak: &Leak, place: Where<'_>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let id: &str = &leak.rule.id;
        let bare = id.strip_prefix("gitleaks.").unwrap_or(id);
        [id, bare].into_iter().any(|id| {
            let global = format!("{}:{id}:{}", place.path, leak.line);
            let in_commit = place.commit.map(|commit| format!("{commit}:{global}"));
            self.0.contains(&global) || in_commit.is_some_and(|one| self.0.contains(&one))
        })
    }
}

/// Says which findings were accepted before, and remembers those that were not.
#[derive(Debug)]
pub struct Known {
    key: hmac::Key,
    accepted: BTreeSet<String>,
    ignored: Ignored,
    /// The part of paths before the root of the repository.
    root: String,
    count: AtomicU64,
    seen: Mutex<BTreeSet<String>>,
}

impl Known {
    /// Hashes under `key`; `baseline` and `ignored` are accepted. Fingerprints have paths below
    /// `root`.
    #[must_use]
    pub fn new(key: &[u8; 32], baseline: Option<Baseline>, ignored: Ignored, root: &str) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            accepted: baseline.map(|one| one.findings).unwrap_or_default(),
            ignored,
            root: root.to_owned(),
            count: AtomicU64::new(0),
            seen: Mutex::default(),
        }
    }

    /// How many findings were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The baseline that accepts everything that was seen so far, and what was accepted before.
    #[must_use]
    pub fn baseline(&self, key: &[u8; 32]) -> Baseline {
        let mut findings = self.accepted.clone();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        findings.extend(seen.iter().cloned());
        Baseline {
            version: VERSION,
            key: hex::encode(key),
            findings,
        }
    }

    /// The keyed hash of a finding that is new, in hexadecimal; nothing for one that was accepted.
    pub(super) fn new_hash(&self, leak: &Leak, place: Where<'_>, secret: &[u8]) -> Option<String> {
        let path = place.path.strip_prefix(&self.root).unwrap_or(place.path);
        let place = Where { path, ..place };
        let mut message = Vec::with_capacity(secret.len() + path.len() + 64);
        // Lengths keep one part from running into the next.
        for part in [leak.rule.id.as_bytes(), path.as_bytes(), secret] {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        let tag = hmac::sign(&self.key, &message);
        let hash = hex::encode(tag.as_ref().get(..HASH_BYTES).unwrap_or_default());
        if self.accepted.contains(&hash) || self.ignored.holds(leak, place) {
            self.count.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(hash.clone());
        Some(hash)
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Category, Rule, RuleRef, Severity};

    use super::*;

    static RULE: Rule = Rule::new(
        "secret.x",
        "x",
        Severity::High,
        Category::Secret,
        &[],
        ["", ""],
        None,
    );

    fn leak(line: usize) -> Leak {
        Leak {
            rule: RuleRef::Static(&RULE),
            secret: 0..3,
            line,
            confidence: 1.0,
        }
    }

    #[test]
    fn a_baseline_accepts_what_it_was_made_from_and_nothing_else() {
        let key = [7; 32];
        let at = |path| Where { path, commit: None };
        let first = Known::new(&key, None, Ignored::default(), "/r/");
        assert!(first.new_hash(&leak(1), at("/r/a"), b"abc").is_some());
        let json = first.baseline(&key).to_json().unwrap();
        assert!(!json.contains("abc"));
        let (baseline, read) = Baseline::parse(&json).unwrap();
        assert_eq!(read, key);
        let second = Known::new(&key, Some(baseline), Ignored::default(), "/elsewhere/");
        // Lines move, secrets and paths do not.
        assert!(
            second
                .new_hash(&leak(9), at("/elsewhere/a"), b"abc")
                .is_none()
        );
        assert!(
            second
                .new_hash(&leak(1), at("/elsewhere/a"), b"abd")
                .is_some()
        );
        assert!(
            second
                .new_hash(&leak(1), at("/elsewhere/b"), b"abc")
                .is_some()
        );
        assert_eq!(second.accepted(), 1);
    }

    #[test]
    fn fingerprints_are_accepted() {
        let ignored = Ignored::parse("# comment\na:secret.x:3\nc0ffee:b:secret.x:1\n");
        let known = Known::new(&[0; 32], None, ignored, "");
        let look = |path, commit, line| {
            known
                .new_hash(&leak(line), Where { path, commit }, b"s")
                .is_some()
        };
        assert!(!look("a", None, 3) && !look("a", Some("beef"), 3) && look("a", None, 4));
        assert!(!look("b", Some("c0ffee"), 1) && look("b", None, 1) && look("b", Some("beef"), 1));
    }

    #[test]
    fn broken_baselines_are_refused() {
        assert!(Baseline::parse("{}").is_err());
        let wrong = r#"{"version":2,"key":"","findings":[]}"#;
        assert!(matches!(
            Baseline::parse(wrong),
            Err(BaselineError::Version(2))
        ));
        let wrong = r#"{"version":1,"key":"00","findings":[]}"#;
        assert!(matches!(Baseline::parse(wrong), Err(BaselineError::Key)));
    }
}
