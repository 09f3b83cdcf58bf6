//! What commits added, read from the output of `git`.
//!
//! The caller starts `git diff-tree --stdin` or `git diff --cached` with [`FORMAT`] and
//! [`OPTIONS`]; [`Patches`] reads what comes. The format is that of
//! <https://git-scm.com/docs/diff-format>, with the combined form of merges. How many lines a hunk
//! has is taken from its head, so that no content is taken for a head.

use std::io::{self, BufRead, Read};

/// The head of a commit: its id, its author's date, and its message.
pub const FORMAT: &str = "--format=%x01%H%x00%aI%x00%B%x00";

/// What makes the output of `git` the same whatever the configuration of the repository says, and
/// keeps that from starting programs.
pub const OPTIONS: &[&str] = &[
    "--patch",
    "--unified=0",
    "--text",
    "--full-index",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--no-color",
    "--no-relative",
    "--ignore-submodules=none",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// Most bytes that one change of one file may add.
const MAX_ADDED: usize = 64 << 20;

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 64 << 20;

/// A commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its id, in hexadecimal.
    pub id: String,
    /// When its author made it (RFC 3339).
    pub date: String,
}

/// What one commit, or the index, added to one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The commit; none for the index.
    pub commit: Option<Commit>,
    /// The path of the file; empty for the message of the commit.
    pub path: String,
    /// The added lines.
    pub added: Vec<u8>,
    /// Whether it is a commit of another repository instead of a file.
    pub is_submodule: bool,
    /// Whether there is more than may be read.
    pub is_cut: bool,
    /// For every hunk its first line in `added`, and in the file; both from 1.
    hunks: Vec<(usize, usize)>,
    lines: usize,
}

impl Change {
    /// The line of the file that is `line` of the added ones; both from 1.
    #[must_use]
    pub fn line(&self, line: usize) -> usize {
        let at = self.hunks.partition_point(|(first, _)| *first <= line);
        let hunk = at.checked_sub(1).and_then(|at| self.hunks.get(at));
        hunk.map_or(line, |(first, there)| there + (line - first))
    }

    fn push(&mut self, line: &[u8]) {
        if self.added.len() + line.len() > MAX_ADDED {
            self.is_cut = true;
            return;
        }
        self.lines += 1;
        self.added.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            self.added.push(b'\n');
        }
    }
}

/// Reads changes from what `git` prints.
#[derive(Debug)]
pub struct Patches<R> {
    input: R,
    commit: Option<Commit>,
    /// A line that was read and belongs to what comes next.
    ahead: Option<Vec<u8>>,
    /// The change that is being read.
    current: Option<Change>,
    done: bool,
}

/// Why the output of `git` cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// It broke off.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A part of it is not what `git` prints.
    #[error("git printed something unexpected: {0}")]
    Malformed(&'static str),
}

impl<R: BufRead> Patches<R> {
    /// Reads from `input`.
    pub const fn new(input: R) -> Self {
        Self {
            input,
            commit: None,
            ahead: None,
            current: None,
            done: false,
        }
    }

    /// The next line with its end; empty at the end.
    fn line(&mut self) -> Result<Vec<u8>, PatchError> {
        if let Some(line) = self.ahead.take() {
            return Ok(line);
        }
        let mut line = Vec::new();
        (&mut self.input)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)?;
        if line.len() as u64 == MAX_LINE {
            return Err(PatchError::Malformed("a line is too long"));
        }
        Ok(line)
    }

    fn field(&mut self) -> Result<Vec<u8>, PatchError> {
        let mut field = Vec::new();
        (&mut self.input).take(MAX_LINE).read_until(0, &mut field)?;
        if field.pop() != Some(0) {
            return Err(PatchError::Malformed("the head of a commit is cut off"));
        }
        Ok(field)
    }

    /// The head of a commit; `line` is its first line as far as it was read.
    fn head(&mut self, line: Vec<u8>) -> Result<Change, PatchError> {
        // The line was read to its end, which may be in the message; what is missing follows.
        let mut parts = line
            .get(1..)
            .unwrap_or_default()
            .splitn(3, |byte| *byte == 0);
        let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        let (id, date) = (text(), text());
        let is_id = id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(rest) = parts.next().filter(|_| is_id) else {
            return Err(PatchError::Malformed("the head of a commit has no id"));
        };
        let mut message = rest.to_vec();
        match message.iter().position(|byte| *byte == 0) {
            Some(end) => message.truncate(end),
            None => message.extend(self.field()?),
        }
        let commit = Commit { id, date };
        self.commit = Some(commit.clone());
        Ok(Change {
            commit: Some(commit),
            added: message,
            ..Change::default()
        })
    }

    /// Reads up to the end of one change.
    fn step(&mut self) -> Result<Option<Change>, PatchError> {
        loop {
            let line = self.line()?;
            if line.is_empty() {
                self.done = true;
                return Ok(self.current.take());
            }
            if line.first() == Some(&1) {
                if self.current.is_some() {
                    self.ahead = Some(line);
                    return Ok(self.current.take());
                }
                return self.head(line).map(Some);
            }
            if line.starts_with(b"diff --") {
                let next = Change {
                    commit: self.commit.clone(),
                    ..Change::default()
                };
                if let Some(last) = self.current.replace(next) {
                    return Ok(Some(last));
                }
                continue;
            }
            let Some(change) = &mut self.current else {
                if line == b"\n" {
                    continue;
                }
                return Err(PatchError::Malformed("content without a file"));
            };
            if let Some(path) = line.strip_prefix(b"+++ ") {
                change.path = path_of(path);
            } else if line.starts_with(b"@@") {
                self.hunk(&line)?;
            } else if mode(&line) == Some(b"160000") {
                change.is_submodule = true;
            }
        }
    }

    /// Reads the lines of a hunk (`@@ -1,2 +3,4 @@`, with one more `@` for every further parent).
    ///
    /// The count of lines in the new file decides: of those that were lost, `git` at times says
    /// 18446744073709551615 in merges. No head begins as a lost line does.
    fn hunk(&mut self, head: &[u8]) -> Result<(), PatchError> {
        let Some(hunk) = Hunk::parse(head) else {
            return Err(PatchError::Malformed("the head of a hunk"));
        };
        if let Some(change) = &mut self.current {
            change.hunks.push((change.lines + 1, hunk.start));
        }
        let mut left = hunk.lines;
        loop {
            let line = self.line()?;
            let (marks, text) = line
                .split_at_checked(hunk.parents)
                .unwrap_or((line.as_slice(), &[]));
            let is_lost = marks.contains(&b'-') && marks.iter().all(|mark| b"- ".contains(mark));
            if is_lost || marks.first() == Some(&b'\\') {
                continue;
            }
            if left == 0 {
                self.ahead = Some(line);
                return Ok(());
            }
            if !marks.iter().all(|mark| b"+ ".contains(mark)) || text.is_empty() {
                return Err(PatchError::Malformed("a hunk is cut off"));
            }
            left -= 1;
            if let Some(change) = &mut self.current {
                // Lines that one parent had keep the count of lines.
                change.push(text);
            }
        }
    }
}

impl<R: BufRead> Iterator for Patches<R> {
    type Item = Result<Change, PatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.done = true;
        }
        step.transpose()
    }
}

/// The head of a hunk.
struct Hunk {
    /// Columns of marks: one for each parent.
    parents: usize,
    /// The first line in the new file.
    start: usize,
    /// Lines in the new file.
    lines: u64,
}

impl Hunk {
    fn parse(head: &[u8]) -> Option<Self> {
        // What follows the second `@@` is content.
        let head = String::from_utf8_lossy(head.get(..head.len().min(4096))?);
        let parents = head
            .bytes()
            .take_while(|byte| *byte == b'@')
            .count()
            .checked_sub(1)?;
        // A range for each parent, and one for the new file.
        let mut words = head.split_ascii_whitespace().skip(1);
        let olds = words
            .by_ref()
            .take(parents)
            .filter(|word| word.starts_with('-'));
        if parents == 0 || olds.count() != parents {
            return None;
        }
        let new = words.next()?.strip_prefix('+')?;
        let (start, lines) = new.split_once(',').unwrap_or((new, "1"));
        Some(Self {
            parents,
            start: start.parse().ok()?,
            lines: lines.parse().ok()?,
        })
    }
}

/// The mode that a line of a change's head gives the new file.
fn mode(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let new = line
        .strip_prefix(b"new file mode ")
        .or_else(|| line.strip_prefix(b"new mode "));
    // `index 1234..5678 160000`, where the mode did not change.
    new.or_else(|| {
        line.strip_prefix(b"index ")?
            .rsplit(|byte| *byte == b' ')
            .next()
    })
}

/// The path of a `+++` line; empty where there is no file.
fn path_of(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    // A tab ends a name with blanks in it.
    let line = line.strip_suffix(b"\t").unwrap_or(line);
    if line == b"/dev/null" {
        return String::new();
    }
    let unquoted = line
        .strip_prefix(b"\"")
        .and_then(|quoted| Some(unquote(quoted.strip_suffix(b"\"")?)));
    let path = unquoted.as_deref().unwrap_or(line);
    String::from_utf8_lossy(path.strip_prefix(b"b/").unwrap_or(path)).into_owned()
}

/// A name between quotes, as `git` writes it: escapes of C, bytes in octal.
fn unquote(quoted: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(first @ b'0'..=b'3') => {
                let mut digit = || u32::from(bytes.next().unwrap_or(b'0').wrapping_sub(b'0') & 7);
                let value = u32::from(first - b'0') * 64 + digit() * 8 + digit();
                out.push(u8::try_from(value).unwrap_or(b'?'));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn read(text: &str) -> Vec<Change> {
        Patches::new(text.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap()
    }

    fn commit(message: &str, rest: &str) -> String {
        format!("\u{1}{ID}\0{}\0{message}\0\n{rest}", "2024-01-02T03:04:05Z")
    }

    #[test]
    fn added_lines_keep_their_numbers() {
        let patch = "\n\
diff --git a/a b/a
index 1..2 100644
--- a/a
+++ b/a
@@ -1 +1,2 @@ fn x
-old
+one
+two
@@ -9,0 +11 @@
+++ eleven
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1,2 +0,0 @@
-x
-y
diff --git a/b c b/b c
new file mode 100644
--- /dev/null
+++ b/b c\t
@@ -0,0 +1 @@
+end
\\ No newline at end of file
";
        let changes = read(&commit("first\n\nbody\n", patch));
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["", "a", "", "b c"]);
        assert_eq!(changes[0].added, b"first\n\nbody\n");
        assert_eq!(changes[1].added, b"one\ntwo\n++ eleven\n");
        assert_eq!([1, 2, 3].map(|line| changes[1].line(line)), [1, 2, 11]);
        assert!(changes[2].added.is_empty());
        assert_eq!(changes[3].added, b"end\n");
        assert_eq!(
            changes[3].commit.as_ref().unwrap().date,
            "2024-01-02T03:04:05Z"
        );
    }

    #[test]
    fn merges_show_what_no_parent_had() {
        let patch = "\n\
diff --cc a
index 1,2..3
--- a/a
+++ b/a
@@@ -1,18446744073709551615 -1,1 +1,2 @@@
- left
 -right
++evil
++twin
--lost
diff --git a/b b/b
--- a/b
+++ b/b
@@ -1 +0,0 @@
-x
";
        let changes = read(&commit("merge\n", patch));
        assert_eq!(changes[1].added, b"evil\ntwin\n");
        assert!(changes.len() == 3 && changes[2].added.is_empty());
    }

    #[test]
    fn submodules_and_odd_names_are_told() {
        let patch = "\
diff --git a/sub b/sub
new file mode 160000
index 0000..1111
--- /dev/null
+++ \"b/s\\303\\274b\\n\"
@@ -0,0 +1 @@
+Subproject commit 0123
";
        let changes = read(patch);
        assert!(changes[0].is_submodule && changes[0].commit.is_none());
        assert_eq!(changes[0].path, "s\u{fc}b\n");
    }

    #[test]
    fn what_git_does_not_print_is_refused() {
        for text in [
            "hello\n",
            "\u{1}x\0y\0z\0\n",
            "diff --git a/a b/a\n+++ b/a\n@@ -0,0 +1,2 @@\n+one\n",
            "diff --git a/a b/a\n+++ b/a\n@@ x @@\n",
        ] {
            let read: Result<Vec<_>, _> = Patches::new(text.as_bytes()).collect();
            assert!(read.is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(0u8..=255, 0..200)) {
            for change in Patches::new(&bytes[..]).flatten() {
                let _ = change.line(7);
            }
        }
    }
}
