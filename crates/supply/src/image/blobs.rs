use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
};

use bartizan_formats::{
    FileSource, Section, Source,
    archive::{TarKind, tar},
};

use super::ImageError;
use crate::digest::{Algorithm, hash_source};

/// The files of an image, in a folder or an archive.
pub(super) enum Blobs {
    Folder(PathBuf),
    Archive {
        source: FileSource,
        places: HashMap<String, (u64, u64)>,
    },
}

/// Most files of an archive with an image in it.
const MAX_FILES: usize = 100_000;

impl Blobs {
    pub(super) fn open(path: &Path) -> Result<Self, ImageError> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let source = FileSource::new(File::open(path)?)?;
        let mut places = HashMap::new();
        let mut links = Vec::new();
        let read = tar(&source, |entry| {
            let name = entry.path.trim_start_matches("./").to_owned();
            match entry.kind {
                TarKind::File if places.len() < MAX_FILES => {
                    places.insert(name, (entry.at, entry.length));
                    Ok(())
                }
                TarKind::Link if links.len() < MAX_FILES => {
                    links.push((name, entry.target.unwrap_or_default()));
                    Ok(())
                }
                TarKind::Folder | TarKind::Notes => Ok(()),
                _ => Err(bartizan_formats::ParseError::malformed(
                    entry.at,
                    "an odd file",
                )),
            }
        });
        read.map_err(|_| ImageError::Malformed("no archive of an image"))?;
        // `docker save` links equal layers: `../OTHER/layer.tar`.
        for (name, target) in links {
            let target = target.trim_start_matches("../");
            if let Some(place) = places.get(target).copied() {
                places.insert(name, place);
            }
        }
        Ok(Self::Archive { source, places })
    }

    /// Whether `docker save` wrote it; in a folder any project has a `manifest.json`.
    pub(super) fn is_saved(&self) -> bool {
        matches!(self, Self::Archive { .. }) && self.is_there("manifest.json")
    }

    /// Whether it is an OCI layout.
    pub(super) fn is_layout(&self) -> bool {
        self.is_there("oci-layout") && self.is_there("index.json")
    }

    fn is_there(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Archive { places, .. } => places.contains_key(name),
        }
    }

    /// A file; one that is called by its digest is what it is called.
    pub(super) fn get(&self, name: &str) -> Result<Box<dyn Source + '_>, ImageError> {
        let missing = || ImageError::Missing(name.to_owned());
        let source: Box<dyn Source + '_> = match self {
            Self::Folder(folder) => {
                let is_inside = name
                    .split('/')
                    .all(|part| !matches!(part, "" | "." | "..") && !part.contains('\\'));
                if !is_inside {
                    return Err(missing());
                }
                let file = File::open(folder.join(name)).map_err(|_| missing())?;
                Box::new(FileSource::new(file)?)
            }
            Self::Archive { source, places } => {
                let (at, length) = places.get(name).copied().ok_or_else(missing)?;
                Box::new(Section::new(source, at, length))
            }
        };
        if let Some(digits) = name.strip_prefix("blobs/sha256/") {
            let digest = hash_source(&*source, Algorithm::Sha256)?;
            if digest.to_hex() != digits {
                return Err(ImageError::Altered(name.to_owned()));
            }
        }
        Ok(source)
    }
}
