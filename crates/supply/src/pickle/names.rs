//! What is known about an importable name: exact allow-list first, then the dangerous list.

use std::{collections::HashMap, sync::LazyLock};

use bartizan_core::Rule;

use super::rules;

/// What a name may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Contract {
    /// Named only: a type, an enumeration's member, a function without its call.
    Value,
    /// Made empty and filled: NEWOBJ and BUILD, but not its constructor with arguments.
    New,
    /// Called with whatever.
    Call,
    /// Called with literals only.
    Literal,
    /// `_codecs.encode(text, "latin1")`.
    Codec,
    /// `copyreg._reconstructor(class, base, state)` and its like: makes an object of its first
    /// argument, which is on the list.
    Maker,
    /// Rebuilds a tensor on a storage, its first argument.
    Tensor,
    /// `functools.partial` of something on the list.
    Partial,
    /// Loads the bytes that it is given, which are looked at in turn.
    Bytes,
    /// Makes a function or class out of code in the file.
    Carries,
    /// Looks an attribute up.
    Attribute,
}

impl Contract {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "value" => Self::Value,
            "new" => Self::New,
            "call" => Self::Call,
            "literal" => Self::Literal,
            "codec" => Self::Codec,
            "maker" => Self::Maker,
            "tensor" => Self::Tensor,
            "partial" => Self::Partial,
            "bytes" => Self::Bytes,
            "carries" => Self::Carries,
            "attribute" => Self::Attribute,
            _ => return None,
        })
    }
}

/// What is known about a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Standing {
    /// On the allow-list.
    Allowed(Contract),
    /// On the dangerous list, under a rule.
    Dangerous(&'static Rule),
    /// Neither.
    Unknown,
}

const ALLOWED: [&str; 5] = [
    include_str!("../../data/pickle/python.txt"),
    include_str!("../../data/pickle/numpy.txt"),
    include_str!("../../data/pickle/torch.txt"),
    include_str!("../../data/pickle/sklearn.txt"),
    include_str!("../../data/pickle/frameworks.txt"),
];

const DANGEROUS: &str = include_str!("../../data/pickle/dangerous.txt");

struct Names {
    allowed: HashMap<(&'static str, &'static str), Contract>,
    /// By module and name; the name `*` stands for the module and all below it.
    dangerous: HashMap<(&'static str, &'static str), &'static Rule>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| Names {
    allowed: ALLOWED
        .iter()
        .flat_map(|file| entries(file))
        .filter_map(|(word, module, name)| Some(((module, name), Contract::of(word)?)))
        .collect(),
    dangerous: entries(DANGEROUS)
        .filter_map(|(word, module, name)| Some(((module, name), kind(word)?)))
        .collect(),
});

/// `word module name name …` on each line; `#` begins a reason.
fn entries(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    file.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let head = words.next().zip(words.next());
            head.into_iter()
                .flat_map(move |(word, module)| words.clone().map(move |name| (word, module, name)))
        })
}

/// The categories of the dangerous list.
fn kind(word: &str) -> Option<&'static Rule> {
    Some(match word {
        "process" => &rules::PROCESS,
        "code" => &rules::CODE,
        "indirection" => &rules::INDIRECTION,
        "loader" => &rules::NESTED,
        "network" => &rules::NETWORK,
        "files" => &rules::FILES,
        "registry" => &rules::REGISTRY,
        "import" => &rules::IMPORT,
        _ => return None,
    })
}

/// Modules of which a pickle has no business to hold the module itself.
const MODULES: &[&str] = &[
    "os",
    "_os",
    "posix",
    "nt",
    "sys",
    "_sys",
    "subprocess",
    "_subprocess",
    "builtins",
    "importlib",
    "socket",
    "shutil",
    "_shutil",
    "runpy",
    "pty",
    "ctypes",
    "pickle",
    "_pickle",
    "marshal",
    "multiprocessing",
    "threading",
    "_thread",
    "inspect",
    "operator",
    "types",
    "io",
    "tempfile",
];

/// Functions that are dangerous wherever they are imported from.
const FUNCTIONS: &[&str] = &[
    "system",
    "popen",
    "Popen",
    "eval",
    "exec",
    "execfile",
    "import_module",
    "check_output",
    "check_call",
    "getoutput",
    "getstatusoutput",
    "runstring",
    "spawnl",
    "spawnle",
    "spawnlp",
    "spawnv",
    "spawnve",
    "spawnvp",
    "spawnvpe",
    "posix_spawn",
    "execl",
    "execle",
    "execlp",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "run_path",
    "run_module",
    "runsource",
    "runcode",
    "load_dynamic",
    "safe_eval",
    "literal_exec",
    "call_subprocess",
    "exec_command",
    "load_source",
    "check_output_lines",
    "run_command",
    "shell_exec",
    "from_pretrained",
    "trust_remote_code",
    "write_text",
    "write_bytes",
    "read_pickle",
    "unsafe_load",
    "execWrapper",
];

/// What is known about `name` of `module`.
pub(super) fn standing(module: &str, name: &str) -> Standing {
    let (module, name) = canonical(module, name);
    if let Some(&contract) = NAMES.allowed.get(&(&*module, &*name)) {
        return Standing::Allowed(contract);
    }
    // What TorchScript calls its own types; Python has no such module.
    if module == "__torch__" || module.starts_with("__torch__.") {
        return Standing::Allowed(Contract::New);
    }
    if let Some(&rule) = NAMES.dangerous.get(&(&*module, &*name)) {
        return Standing::Dangerous(rule);
    }
    if let Some(rule) = dangerous_module(&module) {
        return Standing::Dangerous(rule);
    }
    let mut components = name.split('.');
    let is_hidden = |part: &str| is_dunder(part) || MODULES.contains(&part);
    if components.any(is_hidden) {
        return Standing::Dangerous(&rules::HIDDEN);
    }
    if module.rsplit('.').next() == Some("__main__") && module != "__main__" {
        return Standing::Dangerous(&rules::IMPORT);
    }
    if name
        .rsplit('.')
        .next()
        .is_some_and(|leaf| FUNCTIONS.contains(&leaf))
    {
        return Standing::Dangerous(&rules::CODE);
    }
    // `from_pretrained` of a class, `module.submodule.function` written as one dotted name.
    if let Some((first, rest)) = name.split_once('.') {
        let whole = (format!("{module}.{first}"), rest.to_owned());
        if let Some(rule) = dangerous_module(&whole.0) {
            return Standing::Dangerous(rule);
        }
        if let Some(&rule) = NAMES.dangerous.get(&(&*whole.0, &*whole.1)) {
            return Standing::Dangerous(rule);
        }
        // A method of a dangerous class, e.g. `pathlib` `Path.unlink`.
        if let Some(&rule) = NAMES.dangerous.get(&(&*module, first)) {
            return Standing::Dangerous(rule);
        }
    }
    Standing::Unknown
}

/// Whether a module, or one that it stands in, is on the dangerous list as a whole.
fn dangerous_module(module: &str) -> Option<&'static Rule> {
    let ends = module
        .match_indices('.')
        .map(|(at, _)| at)
        .chain([module.len()]);
    ends.filter_map(|end| module.get(..end))
        .find_map(|prefix| NAMES.dangerous.get(&(prefix, "*")).copied())
}

/// Modules that are dangerous as a whole, for a search without the machine.
pub(super) fn dangerous_modules() -> Vec<&'static str> {
    let mut modules: Vec<&str> = NAMES
        .dangerous
        .keys()
        .filter(|(_, name)| *name == "*")
        .map(|(module, _)| *module)
        .collect();
    modules.sort_unstable();
    modules
}

/// Whether it is one of Python's own double-underscore names.
pub(super) fn is_dunder(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// Whether a looked-up attribute leads out of an object: into its class, its module, or a process.
pub(super) fn is_escape(attribute: &str) -> bool {
    attribute
        .split('.')
        .any(|part| is_dunder(part) || MODULES.contains(&part) || FUNCTIONS.contains(&part))
}

/// The name that Python 3 imports: Python 2's modules (CPython, `Lib/_compat_pickle.py`), and modules
/// that moved.
fn canonical<'n>(
    module: &'n str,
    name: &'n str,
) -> (std::borrow::Cow<'n, str>, std::borrow::Cow<'n, str>) {
    use std::borrow::Cow;
    const RENAMED: &[(&str, &str)] = &[
        ("__builtin__", "builtins"),
        ("__builtins__", "builtins"),
        ("copy_reg", "copyreg"),
        ("exceptions", "builtins"),
        ("Queue", "queue"),
        ("ConfigParser", "configparser"),
        ("repr", "reprlib"),
        ("UserDict", "collections"),
        ("UserList", "collections"),
        ("UserString", "collections"),
        ("_abcoll", "collections.abc"),
        ("cPickle", "pickle"),
        ("_elementtree", "xml.etree.ElementTree"),
        ("FileDialog", "tkinter.filedialog"),
        ("whichdb", "dbm"),
        ("StringIO", "io"),
        ("cStringIO", "io"),
        ("numpy.oldnumeric", "numpy"),
        ("pandas.indexes.base", "pandas.core.indexes.base"),
        ("pandas.indexes.range", "pandas.core.indexes.range"),
    ];
    let module: Cow<'n, str> = match RENAMED.iter().find(|(old, _)| *old == module) {
        Some((_, new)) => Cow::Borrowed(*new),
        None => match module.strip_prefix("numpy._core") {
            Some(rest) if rest.is_empty() || rest.starts_with('.') => {
                Cow::Owned(format!("numpy.core{rest}"))
            }
            _ => Cow::Borrowed(module.strip_prefix("sklearn.externals.").unwrap_or(module)),
        },
    };
    let name = match (&*module, name) {
        ("builtins", "unicode" | "basestring") => "str",
        ("builtins", "unichr") => "chr",
        ("builtins", "xrange") => "range",
        ("builtins", "long") => "int",
        (_, name) => name,
    };
    (module, Cow::Borrowed(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_lists_is_understood() {
        let words = ALLOWED.iter().flat_map(|file| entries(file));
        let mut seen = std::collections::HashSet::new();
        for (word, module, name) in words {
            assert!(Contract::of(word).is_some(), "{word} {module} {name}");
            assert!(seen.insert((module, name)), "twice: {module} {name}");
            assert!(name != "*", "the allow-list is exact: {module}");
        }
        for (word, module, name) in entries(DANGEROUS) {
            assert!(kind(word).is_some(), "{word} {module} {name}");
        }
        assert!(NAMES.allowed.len() > 500 && NAMES.dangerous.len() > 200);
    }

    #[test]
    fn names_stand_where_they_should() {
        let dangerous = |module, name| matches!(standing(module, name), Standing::Dangerous(_));
        let allowed = |module, name| matches!(standing(module, name), Standing::Allowed(_));
        for (module, name) in [
            ("os", "system"),
            ("os.path", "join"),
            ("__builtin__", "eval"),
            ("builtins", "exec"),
            ("commands", "getoutput"),
            ("torch.serialization", "os.system"),
            ("torch.serialization", "os"),
            ("collections", "OrderedDict.__init__.__globals__"),
            ("anything.at.all", "system"),
            ("transformers", "AutoModel.from_pretrained"),
            ("pip.__main__", "x"),
            ("pathlib", "Path.unlink"),
            ("numpy.testing._private.utils", "runstring"),
        ] {
            assert!(dangerous(module, name), "{module} {name}");
        }
        for (module, name) in [
            ("collections", "OrderedDict"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("copy_reg", "_reconstructor"),
            ("__builtin__", "unicode"),
            ("torch._utils", "_rebuild_tensor_v2"),
        ] {
            assert!(allowed(module, name), "{module} {name}");
        }
        assert_eq!(standing("mine", "Model"), Standing::Unknown);
    }
}
