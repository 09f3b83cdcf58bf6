//! What PyTorch's archives hold beside pickles (`torch/serialization.py`,
//! `caffe2/serialize/inline_container.cc`).

use bartizan_core::CheckError;
use bartizan_formats::archive::ZipEntry;

use super::rules;
use crate::Desk;

/// Where PyTorch's records stand in an archive.
pub(super) struct Layout {
    /// Folders with a `data.pkl`, each with a `/` at its end; empty for the root.
    roots: Vec<String>,
    /// Whether it is a `torch.package`.
    is_package: bool,
}

impl Layout {
    pub(super) fn of(entries: &[ZipEntry]) -> Self {
        let mut roots: Vec<String> = entries
            .iter()
            .filter_map(|entry| entry.name.strip_suffix("data.pkl"))
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .map(str::to_owned)
            .collect();
        roots.sort_unstable();
        roots.dedup();
        let is_package = entries
            .iter()
            .any(|entry| entry.name.ends_with(".data/extern_modules"));
        Self { roots, is_package }
    }

    /// Whether a member is the bytes of a tensor, which no loader takes for anything else.
    pub(super) fn is_storage(&self, name: &str) -> bool {
        let is_number =
            |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        let folders = ["data/", "constants/", "tensors/"];
        let in_root = self.roots.iter().any(|root| {
            let rest = name.strip_prefix(root.as_str()).unwrap_or_default();
            folders
                .iter()
                .filter_map(|folder| rest.strip_prefix(folder))
                .any(is_number)
        });
        let in_package = || {
            let stem = name.strip_suffix(".storage").unwrap_or_default();
            stem.rsplit_once(".data/")
                .is_some_and(|(_, key)| is_number(key))
        };
        in_root || (self.is_package && in_package())
    }

    /// Whether a member is TorchScript's code.
    pub(super) fn is_script(&self, name: &str) -> bool {
        let mut roots = self.roots.iter();
        roots.any(|root| {
            let rest = name.strip_prefix(root.as_str()).unwrap_or_default();
            rest.starts_with("code/") && rest.ends_with(".py")
        })
    }

    /// Says that the archive brings its own Python code.
    pub(super) fn report_package(
        &self,
        entries: &[ZipEntry],
        desk: &mut Desk<'_>,
    ) -> Result<(), CheckError> {
        let is_source = |entry: &&ZipEntry| entry.name.ends_with(".py");
        let sources = entries.iter().filter(is_source).count();
        if self.is_package && sources > 0 {
            let words = format!("{sources} Python files");
            return desk.report(&rules::PACKAGE, None, words);
        }
        Ok(())
    }
}

/// Operators that open a path.
const OPENING: &[&str] = &[
    "from_file",
    "torch.save(",
    "torch.load(",
    "aten.save",
    "load_library",
    "prims.io",
];

/// Whether TorchScript code opens files.
pub(super) fn opens_files(code: &[u8]) -> bool {
    OPENING
        .iter()
        .any(|operator| memchr::memmem::find(code, operator.as_bytes()).is_some())
}
