//! What an archive can be accused of.

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

const SLIP_REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-22"), Cow::Borrowed("LLM03:2025")];
const LINK_REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-59"), Cow::Borrowed("CWE-22")];
const BOMB_REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-409")];
const ODD_REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-436"), Cow::Borrowed("LLM03:2025")];
const CODE_REFS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-94"), Cow::Borrowed("LLM03:2025")];

pub(super) static SLIP: Rule = Rule::new(
    "archive.path-escape",
    "a file of the archive would be written outside its folder",
    Severity::High,
    Category::Integrity,
    SLIP_REFS,
    [
        "Programs that unpack the archive without care overwrite files elsewhere: keys, start-up files, code.",
        "Do not unpack the archive. Ask where it comes from.",
    ],
    None,
);
pub(super) static LINK: Rule = Rule::new(
    "archive.link-escape",
    "a link of the archive leads outside its folder",
    Severity::High,
    Category::Integrity,
    LINK_REFS,
    [
        "A file that is written or read through the link is a file elsewhere on the machine.",
        "Do not unpack the archive. Ask where it comes from.",
    ],
    None,
);
pub(super) static ODD_MEMBER: Rule = Rule::new(
    "archive.odd-member",
    "the archive holds a device, a pipe, or something unknown",
    Severity::Medium,
    Category::Integrity,
    LINK_REFS,
    [
        "Only files and folders belong in the archive of a model.",
        "Unpack it without rights over devices, or not at all.",
    ],
    None,
);
pub(super) static BOMB: Rule = Rule::new(
    "archive.bomb",
    "a small file unpacks to far more than is looked at",
    Severity::Medium,
    Category::Integrity,
    BOMB_REFS,
    [
        "Unpacking may fill memory or disk, and what is behind the limit was not looked at.",
        "Do not unpack the file without a limit.",
    ],
    None,
);
pub(super) static DISAGREEMENT: Rule = Rule::new(
    "archive.reader-disagreement",
    "programs that read the archive see different files",
    Severity::Medium,
    Category::Integrity,
    ODD_REFS,
    [
        "A scanner and a loader may take different files out of it. Everything that any of them may see was looked at.",
        "Write the archive again with a current version of its library, from a source that you trust.",
    ],
    None,
);
pub(super) static SCRIPT: Rule = Rule::new(
    "torch.script-touches-files",
    "TorchScript code reads or writes files",
    Severity::High,
    Category::CodeExecution,
    CODE_REFS,
    [
        "TorchScript runs when the model is loaded or used, and this operator opens a path that the file names.",
        "Do not load the file. Ask where it comes from.",
    ],
    None,
);
pub(super) static PACKAGE: Rule = Rule::new(
    "torch.package-source",
    "a `torch.package` brings its own Python code",
    Severity::Medium,
    Category::CodeExecution,
    CODE_REFS,
    [
        "Loading the package runs the Python files that it holds.",
        "Read these files before you load the package, or take weights alone.",
    ],
    None,
);

pub(super) static ALL: &[&Rule] = &[
    &SLIP,
    &LINK,
    &ODD_MEMBER,
    &BOMB,
    &DISAGREEMENT,
    &SCRIPT,
    &PACKAGE,
];
