//! What a pickle can be accused of.

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

const REFS: &[Cow<'static, str>] = &[
    Cow::Borrowed("CWE-502"),
    Cow::Borrowed("LLM03:2025"),
    Cow::Borrowed("AML.T0011.000"),
];
const DOS: &[Cow<'static, str>] = &[Cow::Borrowed("CWE-400"), Cow::Borrowed("CWE-502")];

const REFUSE: &str = "Do not load the file. Ask where it comes from, and take a `safetensors` copy from a source that you trust.";
const REVIEW: &str =
    "Read what the imported class does when it is made, or take a `safetensors` copy.";

const fn accused(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    why: &'static str,
) -> Rule {
    let fix = match severity {
        Severity::Critical | Severity::High => REFUSE,
        Severity::Medium | Severity::Low | Severity::Info => REVIEW,
    };
    Rule::new(
        id,
        title,
        severity,
        Category::CodeExecution,
        REFS,
        [why, fix],
        None,
    )
}

pub(super) static PROCESS: Rule = accused(
    "pickle.runs-process",
    "loading starts a program",
    Severity::Critical,
    "The file imports what starts other programs. Loading runs it with the loader's rights.",
);
pub(super) static CODE: Rule = accused(
    "pickle.runs-code",
    "loading runs code from the file",
    Severity::Critical,
    "The file imports what turns text or bytes into running code.",
);
pub(super) static INDIRECTION: Rule = accused(
    "pickle.indirection",
    "loading reaches code without naming it",
    Severity::High,
    "The file imports what looks up, wraps, or calls other functions, so that any function can be reached.",
);
pub(super) static NESTED: Rule = accused(
    "pickle.nested-loader",
    "loading loads another file",
    Severity::High,
    "The file imports a loader of pickles or of other code, whose input nobody has looked at.",
);
pub(super) static NETWORK: Rule = accused(
    "pickle.network",
    "loading opens a connection",
    Severity::High,
    "The file imports what talks to other machines: data can leave, and more code can come.",
);
pub(super) static FILES: Rule = accused(
    "pickle.files-and-state",
    "loading touches files or the interpreter",
    Severity::High,
    "The file imports what writes files, or what alters the interpreter so that something runs later.",
);
pub(super) static REGISTRY: Rule = accused(
    "pickle.registry",
    "loading alters the copy registry or a scanner",
    Severity::High,
    "With the copy registry names can be hidden behind numbers; a scanner that is imported can be disarmed.",
);
pub(super) static IMPORT: Rule = accused(
    "pickle.import-effect",
    "loading imports a module that acts at once",
    Severity::High,
    "Importing the module is enough to make something happen; nothing need be called.",
);
pub(super) static HIDDEN: Rule = accused(
    "pickle.hidden-name",
    "a name is hidden from readers",
    Severity::High,
    "The name of what is imported is made while loading, or reaches through attributes into other modules. No library writes such pickles.",
);
pub(super) static FRAMES: Rule = accused(
    "pickle.frame-trick",
    "loaders from files and from memory read different programs",
    Severity::High,
    "An instruction crosses the end of its frame. CPython's loader then loses bytes when it reads from a file, and none when it reads from memory, so that each runs another program.",
);
pub(super) static PATCHES: Rule = accused(
    "pickle.patches-object",
    "loading alters an imported class, function, or module",
    Severity::High,
    "What is altered is shared by the whole process, so the change acts wherever it is used next.",
);
pub(super) static CARRIES: Rule = accused(
    "pickle.carries-code",
    "the file holds the code of functions or classes",
    Severity::Medium,
    "The code does not run when the file is loaded, but when the object is used.",
);
pub(super) static UNKNOWN: Rule = accused(
    "pickle.unknown-import",
    "an import that no list vouches for",
    Severity::Medium,
    "Loading imports a module and makes an object of a class that Bartizan does not know; either may run code.",
);
pub(super) static UNUSUAL: Rule = accused(
    "pickle.unusual-use",
    "a known import is used as no library uses it",
    Severity::Medium,
    "The import itself is harmless with the arguments that its library writes, and these are others.",
);
pub(super) static ATTRIBUTE: Rule = accused(
    "pickle.looks-up-attribute",
    "loading looks up an attribute",
    Severity::Medium,
    "Bound methods are written like this, and so are ways around scanners.",
);
pub(super) static EXTENSION: Rule = accused(
    "pickle.extension-code",
    "an import is named by a number of the copy registry",
    Severity::Medium,
    "What the number stands for is decided by the program that loads the file, and nobody can see it here.",
);
pub(super) static PERSISTENT: Rule = accused(
    "pickle.persistent-id",
    "the loader must fetch an object",
    Severity::Medium,
    "What a persistent id stands for is decided by the program that loads the file.",
);
pub(super) static DISAGREEMENT: Rule = Rule::new(
    "pickle.reader-disagreement",
    "readers of pickles see different things here",
    Severity::Medium,
    Category::Integrity,
    REFS,
    [
        "Python's loader is more lenient than the readers that scanners use, so that a scanner may see another program. No library writes this.",
        "Write the file again with a current version of its library, from a source that you trust.",
    ],
    None,
);
pub(super) static TRAILING: Rule = Rule::new(
    "pickle.trailing-data",
    "bytes follow the pickle",
    Severity::Medium,
    Category::Integrity,
    REFS,
    [
        "A loader stops at the pickle's end. What follows is for somebody else, e.g. a second file in the first one.",
        "Find out which program reads the rest, or cut it off.",
    ],
    None,
);
pub(super) static EXHAUSTS: Rule = Rule::new(
    "pickle.exhausts-memory",
    "loading or using the object may take all memory",
    Severity::Medium,
    Category::Integrity,
    DOS,
    [
        "A few bytes make the loader set aside gigabytes, or make an object that grows without end when it is walked through.",
        "Do not load the file without a limit on memory.",
    ],
    None,
);

pub(super) static ALL: &[&Rule] = &[
    &PROCESS,
    &CODE,
    &INDIRECTION,
    &NESTED,
    &NETWORK,
    &FILES,
    &REGISTRY,
    &IMPORT,
    &HIDDEN,
    &FRAMES,
    &PATCHES,
    &CARRIES,
    &UNKNOWN,
    &UNUSUAL,
    &ATTRIBUTE,
    &EXTENSION,
    &PERSISTENT,
    &DISAGREEMENT,
    &TRAILING,
    &EXHAUSTS,
];
