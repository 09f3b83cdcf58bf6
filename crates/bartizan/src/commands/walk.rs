//! Which files a scan looks at, in an order that every machine agrees on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::input::escaped;

/// Something to look at.
#[derive(Debug)]
pub(crate) struct Place {
    /// What it is called in the report: the path as given, with `/`.
    pub(crate) name: String,
    /// What it is.
    pub(crate) found: Found,
}

/// What stands at a place.
#[derive(Debug)]
pub(crate) enum Found {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A link to something that is scanned where it stands.
    LinkInside,
    /// A link to somewhere else, or to nothing.
    LinkOutside,
    /// A pipe, a socket, or a device.
    Other,
    /// Nothing that could be opened or listed.
    Unreadable(PathBuf, io::Error),
}

/// Every place below `paths`, sorted within each of them, but for what is not `wanted` below them.
pub(crate) fn places(paths: &[PathBuf], wanted: &dyn Fn(&Path) -> bool) -> Vec<Place> {
    let mut walk = Walk {
        wanted,
        roots: paths
            .iter()
            .filter_map(|path| fs::canonicalize(path).ok())
            .collect(),
        places: Vec::new(),
    };
    for path in paths {
        if path.as_os_str() == "-" {
            walk.push("stdin".to_owned(), Found::Stdin);
            continue;
        }
        // A link that is named is followed: it is what was asked for.
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk.folder(path),
            Ok(metadata) if metadata.is_file() => {
                walk.push(name(path), Found::File(path.clone()));
            }
            Ok(_) => walk.push(name(path), Found::Other),
            Err(error) => walk.unreadable(path, error),
        }
    }
    walk.places
}

struct Walk<'a> {
    wanted: &'a dyn Fn(&Path) -> bool,
    roots: Vec<PathBuf>,
    places: Vec<Place>,
}

impl Walk<'_> {
    fn push(&mut self, name: String, found: Found) {
        self.places.push(Place { name, found });
    }

    fn unreadable(&mut self, path: &Path, error: io::Error) {
        self.push(name(path), Found::Unreadable(path.to_owned(), error));
    }

    /// Goes through a folder and those below it, without recursion.
    fn folder(&mut self, root: &Path) {
        let mut left = vec![root.to_owned()];
        while let Some(path) = left.pop() {
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.unreadable(&path, error);
                    continue;
                }
            };
            let kind = metadata.file_type();
            if kind.is_dir() || path == root {
                match children(&path) {
                    // The stack turns them round.
                    Ok(children) => {
                        let children = children.into_iter().rev();
                        left.extend(children.filter(|child| (self.wanted)(child)));
                    }
                    Err(error) => self.unreadable(&path, error),
                }
            } else if kind.is_file() {
                self.push(name(&path), Found::File(path));
            } else if kind.is_symlink() {
                let target = fs::canonicalize(&path).ok();
                let is_inside = target
                    .is_some_and(|target| self.roots.iter().any(|root| target.starts_with(root)));
                let found = if is_inside {
                    Found::LinkInside
                } else {
                    Found::LinkOutside
                };
                self.push(name(&path), found);
            } else {
                self.push(name(&path), Found::Other);
            }
        }
    }
}

fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(folder)? {
        children.push(entry?.path());
    }
    children.sort_unstable_by(|a, b| {
        let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
        bytes(a).cmp(&bytes(b))
    });
    Ok(children)
}

/// A path for the report.
pub(crate) fn name(path: &Path) -> String {
    let name = escaped(path);
    if std::path::MAIN_SEPARATOR == '/' {
        name
    } else {
        name.replace(std::path::MAIN_SEPARATOR, "/")
    }
}
