use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::DigestError;

/// Most files of one tree.
const MAX_FILES: usize = 1_000_000;

/// Most folders inside each other.
const MAX_DEPTH: usize = 128;

/// Which files of a folder count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Whether a link counts as the file that it leads to.
    pub allow_symlinks: bool,
    /// Files and folders that do not count: names below the root with `/`, exact, no patterns.
    pub ignored: Vec<String>,
}

impl Selection {
    /// What a repository adds to a model, at the top level only (model-signing 1.0, "ignore paths").
    pub const GIT: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

    /// Whether a name below the root, or a folder above it, does not count.
    pub(crate) fn ignores(&self, name: &str) -> bool {
        self.ignored.iter().any(|ignored| {
            name.strip_prefix(ignored.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The files below a root, without having read them.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The last component of the root's path; decides nothing.
    pub name: String,
    /// Whether the root is a file of its own.
    pub is_file: bool,
    /// Every file that counts, in the order of code points of their names.
    pub files: Vec<TreeFile>,
    /// What is no file and no folder, in the same order.
    pub odd: Vec<Odd>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// Where it stands below the root, with `/`; the file's own name if the root is a file.
    pub name: String,
    /// Where the file system has it.
    pub path: PathBuf,
    /// Its bytes when it was found.
    pub length: u64,
    /// Whether the path may be a link.
    pub follow: bool,
}

/// Something in a folder that cannot be digested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Where it stands below the root.
    pub name: String,
    /// What it is.
    pub kind: OddKind,
}

/// Why something in a folder cannot be digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddKind {
    /// A symbolic link to a file, where links are not followed.
    Link,
    /// A symbolic link to a folder: what is behind it would not be covered.
    FolderLink,
    /// A symbolic link to nothing.
    BrokenLink,
    /// A pipe, a socket, or a device.
    Special,
}

impl fmt::Display for OddKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "a symbolic link, and links are not allowed",
            Self::FolderLink => "a symbolic link to a folder, which no signature covers",
            Self::BrokenLink => "a symbolic link to nothing",
            Self::Special => "neither a file nor a folder",
        })
    }
}

impl Tree {
    /// Walks `root`, which may be a file; a root that is a link is followed, since the caller named
    /// it.
    ///
    /// # Errors
    /// When a folder cannot be read, a name is no UTF-8, or there are too many files.
    pub fn walk(root: &Path, selection: &Selection) -> Result<Self, DigestError> {
        let metadata = fs::metadata(root).map_err(DigestError::io(root))?;
        let mut tree = Self {
            name: name_of(root)?,
            is_file: metadata.is_file(),
            files: Vec::new(),
            odd: Vec::new(),
        };
        if tree.is_file {
            tree.files.push(TreeFile {
                name: tree.name.clone(),
                path: root.to_owned(),
                length: metadata.len(),
                follow: true,
            });
            return Ok(tree);
        }
        if !metadata.is_dir() {
            return Err(DigestError::Odd {
                name: tree.name,
                kind: OddKind::Special,
            });
        }
        let mut folders = vec![(root.to_owned(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = folders.pop() {
            if depth > MAX_DEPTH {
                return Err(DigestError::TooMany {
                    what: "folders inside each other",
                    max: MAX_DEPTH,
                });
            }
            for entry in fs::read_dir(&folder).map_err(DigestError::io(&folder))? {
                let entry = entry.map_err(DigestError::io(&folder))?;
                let path = entry.path();
                let own = entry.file_name();
                let own = own
                    .to_str()
                    .ok_or_else(|| DigestError::Name { path: path.clone() })?;
                let name = format!("{prefix}{own}");
                if selection.ignores(&name) {
                    continue;
                }
                let kind = entry.file_type().map_err(DigestError::io(&path))?;
                if kind.is_dir() {
                    folders.push((path, format!("{name}/"), depth + 1));
                } else {
                    tree.take(name, path, kind.is_symlink(), selection)?;
                }
            }
        }
        tree.files.sort_by(|a, b| a.name.cmp(&b.name));
        tree.odd.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tree)
    }

    fn take(
        &mut self,
        name: String,
        path: PathBuf,
        is_link: bool,
        selection: &Selection,
    ) -> Result<(), DigestError> {
        if self.files.len() + self.odd.len() >= MAX_FILES {
            return Err(DigestError::TooMany {
                what: "files",
                max: MAX_FILES,
            });
        }
        let kind = match fs::metadata(&path) {
            Err(_) if is_link => OddKind::BrokenLink,
            Err(error) => return Err(DigestError::io(path)(error)),
            Ok(metadata) if metadata.is_dir() => OddKind::FolderLink,
            Ok(metadata) if !metadata.is_file() => OddKind::Special,
            Ok(_) if is_link && !selection.allow_symlinks => OddKind::Link,
            Ok(metadata) => {
                self.files.push(TreeFile {
                    name,
                    path,
                    length: metadata.len(),
                    follow: is_link,
                });
                return Ok(());
            }
        };
        self.odd.push(Odd { name, kind });
        Ok(())
    }

    /// The same tree, if everything in it can be digested and there is something in it.
    ///
    /// # Errors
    /// Names the first thing that cannot, or the root if it holds no file.
    pub fn complete(self, root: &Path) -> Result<Self, DigestError> {
        if let Some(odd) = self.odd.into_iter().next() {
            return Err(DigestError::Odd {
                name: odd.name,
                kind: odd.kind,
            });
        }
        if self.files.is_empty() {
            return Err(DigestError::Empty {
                path: root.to_owned(),
            });
        }
        Ok(Self {
            odd: Vec::new(),
            ..self
        })
    }
}

/// The last component, of the real path where the given one ends in `.` or `..`.
fn name_of(root: &Path) -> Result<String, DigestError> {
    let real;
    let name = match root.file_name() {
        Some(name) => name,
        None => {
            real = fs::canonicalize(root).map_err(DigestError::io(root))?;
            real.file_name().unwrap_or_default()
        }
    };
    let name = name.to_str().ok_or_else(|| DigestError::Name {
        path: root.to_owned(),
    })?;
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn names(tree: &Tree) -> Vec<&str> {
        tree.files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn names_are_in_the_order_of_code_points() {
        let folder = folder(&["a/z", "a-b.txt", "a.txt", "Z", "é", "with space/f g"]);
        let tree = Tree::walk(folder.path(), &Selection::default()).unwrap();
        assert_eq!(
            names(&tree),
            ["Z", "a-b.txt", "a.txt", "a/z", "with space/f g", "é"]
        );
    }

    #[test]
    fn ignored_folders_are_not_entered_and_names_are_exact() {
        let folder = folder(&[".git/x", ".github/y", "sub/.git/x", "gitx", ".gitx"]);
        let selection = Selection {
            ignored: vec![".git".to_owned(), ".github".to_owned()],
            ..Selection::default()
        };
        let tree = Tree::walk(folder.path(), &selection).unwrap();
        assert_eq!(names(&tree), [".gitx", "gitx", "sub/.git/x"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_told_apart() {
        let folder = folder(&["real", "sub/x"]);
        let link = |to: &str, at: &str| {
            std::os::unix::fs::symlink(to, folder.path().join(at)).unwrap();
        };
        link("real", "l-file");
        link("sub", "l-folder");
        link("nowhere", "l-nothing");
        let tree = Tree::walk(folder.path(), &Selection::default()).unwrap();
        let odd: Vec<_> = tree
            .odd
            .iter()
            .map(|odd| (odd.name.as_str(), odd.kind))
            .collect();
        assert_eq!(
            odd,
            [
                ("l-file", OddKind::Link),
                ("l-folder", OddKind::FolderLink),
                ("l-nothing", OddKind::BrokenLink)
            ]
        );
        assert!(matches!(
            tree.complete(folder.path()),
            Err(DigestError::Odd { name, .. }) if name == "l-file"
        ));
        let selection = Selection {
            allow_symlinks: true,
            ..Selection::default()
        };
        let tree = Tree::walk(folder.path(), &selection).unwrap();
        assert_eq!(names(&tree), ["l-file", "real", "sub/x"]);
        assert_eq!(tree.odd.len(), 2);
    }

    #[test]
    fn nothing_is_no_tree() {
        let folder = folder(&[]);
        let tree = Tree::walk(folder.path(), &Selection::default()).unwrap();
        assert!(matches!(
            tree.complete(folder.path()),
            Err(DigestError::Empty { .. })
        ));
    }
}
