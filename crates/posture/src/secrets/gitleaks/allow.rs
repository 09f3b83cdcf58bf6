use super::{bare, re2::Expression};
use crate::secrets::Where;

/// What is accepted.
#[derive(Debug)]
pub(super) struct Allowlist {
    pub(super) condition: Condition,
    pub(super) target: Target,
    pub(super) paths: Vec<Expression>,
    pub(super) regexes: Vec<Expression>,
    /// Commits, whole or the start of them.
    pub(super) commits: Vec<String>,
    /// Words in small letters that no secret holds.
    pub(super) stopwords: Vec<String>,
    /// The rules that a global list is about; all if there are none.
    pub(super) rules: Vec<String>,
}

/// How the parts of a list go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// One part is enough.
    Any,
    /// Every part that is there must hold.
    All,
}

/// What expressions of a list are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The secret.
    Secret,
    /// What the rule matched.
    Match,
    /// The line.
    Line,
}

/// A finding as allow-lists look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AllowPlace<'a> {
    pub(crate) place: Where<'a>,
    pub(crate) rule: &'a str,
    pub(crate) secret: &'a [u8],
    pub(crate) matched: &'a [u8],
    pub(crate) line: &'a [u8],
}

impl Allowlist {
    /// Whether everything at a place is accepted, whatever it is.
    pub(super) fn skips(&self, place: Where<'_>) -> bool {
        let parts = [self.commit(place), self.path(place)];
        let of_content = !self.regexes.is_empty() || !self.stopwords.is_empty();
        self.rules.is_empty()
            && match self.condition {
                Condition::Any => parts.contains(&Some(true)),
                Condition::All => !of_content && all(&parts),
            }
    }

    /// Whether a finding is accepted.
    pub(super) fn allows(&self, found: &AllowPlace<'_>) -> bool {
        let is_meant = |rule: &String| rule == found.rule || rule == bare(found.rule);
        if !self.rules.is_empty() && !self.rules.iter().any(is_meant) {
            return false;
        }
        let target = match self.target {
            Target::Secret => found.secret,
            Target::Match => found.matched,
            Target::Line => found.line,
        };
        let regex = part(&self.regexes, |regex| regex.is_match(target));
        let secret = found.secret.to_ascii_lowercase();
        let stopword = part(&self.stopwords, |word| {
            memchr::memmem::find(&secret, word.as_bytes()).is_some()
        });
        let parts = [
            self.commit(found.place),
            self.path(found.place),
            regex,
            stopword,
        ];
        match self.condition {
            Condition::Any => parts.contains(&Some(true)),
            Condition::All => all(&parts),
        }
    }

    fn commit(&self, place: Where<'_>) -> Option<bool> {
        part(&self.commits, |commit| {
            let is_this = |id: &str| id.starts_with(commit.as_str());
            commit.len() >= 7 && place.commit.is_some_and(is_this)
        })
    }

    fn path(&self, place: Where<'_>) -> Option<bool> {
        part(&self.paths, |path| path.is_match(place.path.as_bytes()))
    }
}

/// Whether one of `list` holds; nothing where there is no list.
fn part<T>(list: &[T], holds: impl Fn(&T) -> bool) -> Option<bool> {
    (!list.is_empty()).then(|| list.iter().any(holds))
}

/// Whether every part that is there holds, and one is there.
fn all(parts: &[Option<bool>]) -> bool {
    let mut there = parts.iter().flatten().peekable();
    there.peek().is_some() && there.all(|holds| *holds)
}
