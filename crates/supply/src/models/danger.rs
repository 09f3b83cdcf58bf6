//! Names that nobody needs in order to describe a model.

/// Modules of which everything is dangerous, with what they do.
#[rustfmt::skip]
const MODULES: &[(&str, &str)] = &[
    ("os", "commands and files"), ("posix", "commands and files"), ("nt", "commands and files"),
    ("subprocess", "commands"), ("_posixsubprocess", "commands"), ("pty", "commands"),
    ("commands", "commands"), ("popen2", "commands"), ("pexpect", "commands"), ("sh", "commands"),
    ("shutil", "files"), ("pathlib", "files"), ("tempfile", "files"), ("glob", "files"), ("io", "files"),
    ("zipfile", "files"), ("tarfile", "files"), ("sqlite3", "files"), ("fileinput", "files"),
    ("sys", "the interpreter"), ("site", "the interpreter"), ("gc", "the interpreter"),
    ("inspect", "the interpreter"), ("atexit", "the interpreter"), ("signal", "the interpreter"),
    ("importlib", "imports"), ("imp", "imports"), ("pkgutil", "imports"), ("zipimport", "imports"),
    ("pydoc", "imports"), ("runpy", "code"), ("code", "code"), ("codeop", "code"), ("bdb", "code"),
    ("pdb", "code"), ("timeit", "code"), ("cProfile", "code"), ("profile", "code"), ("trace", "code"),
    ("doctest", "code"), ("ast", "code"), ("dis", "code"), ("types", "code"), ("ctypes", "native code"),
    ("cffi", "native code"), ("idlelib", "code"), ("distutils", "commands"), ("setuptools", "commands"),
    ("pip", "commands"), ("ensurepip", "commands"), ("venv", "commands"), ("antigravity", "the network"),
    ("pickle", "pickles"), ("_pickle", "pickles"), ("cPickle", "pickles"), ("cloudpickle", "pickles"),
    ("dill", "pickles"), ("joblib", "pickles"), ("shelve", "pickles"), ("marshal", "code"),
    ("jsonpickle", "pickles"), ("yaml", "pickles"),
    ("socket", "the network"), ("ssl", "the network"), ("http", "the network"), ("urllib", "the network"),
    ("urllib2", "the network"), ("urllib3", "the network"), ("requests", "the network"),
    ("httpx", "the network"), ("aiohttp", "the network"), ("ftplib", "the network"),
    ("smtplib", "the network"), ("telnetlib", "the network"), ("poplib", "the network"),
    ("imaplib", "the network"), ("xmlrpc", "the network"), ("socketserver", "the network"),
    ("paramiko", "the network"), ("webbrowser", "the network"), ("asyncio", "the network"),
    ("threading", "threads"), ("multiprocessing", "threads"), ("concurrent", "threads"),
    ("functools", "indirection"), ("operator", "indirection"), ("unittest", "indirection"),
    ("logging.config", "indirection"), ("builtins", "built-in functions"),
    ("__builtin__", "built-in functions"), ("__builtins__", "built-in functions"),
    ("__main__", "the program itself"),
];

/// Dangerous parts of modules that are mostly sound.
#[rustfmt::skip]
const NAMES: &[(&str, &str)] = &[
    ("numpy.load", "pickles"), ("numpy.testing", "code"), ("numpy.f2py", "commands"),
    ("numpy.ctypeslib", "native code"), ("numpy.distutils", "commands"),
    ("numpy.lib.npyio", "files"), ("numpy.fromfile", "files"), ("numpy.memmap", "files"),
    ("torch.load", "pickles"), ("torch.save", "files"), ("torch.hub", "the network"),
    ("torch.jit.load", "code"), ("torch.ops", "native code"), ("torch.classes", "native code"),
    ("torch.utils.cpp_extension", "native code"), ("torch.utils.collect_env", "commands"),
    ("torch.utils.model_zoo", "the network"), ("torch.package", "code"), ("torch.compile", "code"),
    ("torch._inductor", "commands"), ("torch._dynamo", "code"), ("torch.fx", "code"),
    ("torch.multiprocessing", "threads"), ("torch.distributed", "the network"),
    ("tensorflow.py_function", "code"), ("tensorflow.numpy_function", "code"),
    ("tensorflow.io", "files"), ("tensorflow.load_op_library", "native code"),
    ("tensorflow.load_library", "native code"), ("tensorflow.keras.utils", "files and the network"),
    ("tensorflow.saved_model", "code"), ("tensorflow.raw_ops", "files"),
    ("keras.utils", "files and the network"), ("keras.src.utils", "files and the network"),
    ("keras.config", "settings"), ("keras.src.backend.config", "settings"),
    ("keras.models.load_model", "code"), ("keras.saving.load_model", "code"),
    ("keras.src.saving.saving_api", "code"), ("keras.src.saving.saving_lib", "code"),
    ("keras.preprocessing.image.load_img", "files"),
    ("pandas.read_pickle", "pickles"), ("pandas.eval", "code"), ("pandas.io", "files"),
    ("scipy.io", "files"), ("scipy.LowLevelCallable", "native code"),
    ("sklearn.utils._testing", "code"), ("sympy", "code"), ("numexpr", "code"),
    ("transformers.pipeline", "the network"), ("transformers.dynamic_module_utils", "code"),
    ("huggingface_hub", "the network"), ("datasets.load_dataset", "the network"),
    ("mlflow.projects", "commands"), ("IPython", "commands"), ("nltk.data.load", "pickles"),
    ("gradio.Interface.load", "the network"), ("hydra.utils.call", "indirection"),
    ("hydra.utils.instantiate", "indirection"), ("hydra._internal", "indirection"),
    ("hydra.utils.get_method", "indirection"), ("hydra.utils.get_class", "indirection"),
    ("hydra.utils.get_object", "indirection"),
];

/// Functions that are dangerous wherever they are found, as the last part of a name.
const LAST: &[&str] = &[
    "eval",
    "exec",
    "execfile",
    "system",
    "popen",
    "Popen",
    "check_output",
    "check_call",
    "getoutput",
    "spawn",
    "__import__",
    "import_module",
    "getattr",
    "setattr",
    "globals",
    "breakpoint",
    "load_module",
    "_load_from_bytes",
    "read_pickle",
    "unsafe_load",
    "get_file",
];

/// Built-in names that only make data.
const HARMLESS: &[&str] = &[
    "int",
    "float",
    "bool",
    "str",
    "bytes",
    "list",
    "tuple",
    "dict",
    "set",
    "frozenset",
    "complex",
    "range",
    "slice",
    "object",
    "type",
    "len",
    "abs",
    "min",
    "max",
    "sum",
    "sorted",
    "NoneType",
    "ellipsis",
    "bytearray",
];

/// Functions of dangerous modules that configurations name in good faith.
const SOUND: &[&str] = &[
    "functools.partial",
    "operator.attrgetter",
    "operator.itemgetter",
    "pathlib.Path",
    "pathlib.PosixPath",
    "os.path.join",
    "os.path.basename",
    "types.SimpleNamespace",
    "io.BytesIO",
    "io.StringIO",
    "logging.getLogger",
];

/// What a dotted name would do, when that is nothing a model needs.
pub(super) fn danger(name: &str) -> Option<&'static str> {
    let parts: Vec<&str> = name.split('.').collect();
    let (last, first) = (parts.last()?, parts.first()?);
    if matches!(*first, "builtins" | "__builtin__" | "__builtins__") {
        let harmless = parts.len() == 2 && HARMLESS.contains(last);
        return (!harmless).then_some("built-in functions");
    }
    // A private part of Python reached through something else.
    let is_dunder = |part: &&str| part.starts_with("__") && part.ends_with("__") && part.len() > 4;
    if parts.iter().any(is_dunder) && name != "__main__" {
        return Some("Python's own objects");
    }
    if SOUND.contains(&name) {
        return None;
    }
    let below = |module: &str| {
        name.strip_prefix(module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let known = MODULES
        .iter()
        .chain(NAMES)
        .find(|(module, _)| below(module));
    known
        .map(|(_, what)| *what)
        .or_else(|| LAST.contains(last).then_some("code"))
}

/// Whether a path leads out of the folder in which it stands, or into the network.
pub(super) fn leads_out(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = matches!(bytes, [letter, b':', ..] if letter.is_ascii_alphabetic());
    path.starts_with(['/', '\\', '~'])
        || drive
        || path.contains("://")
        || path.contains('\0')
        || path.split(['/', '\\']).any(|part| part == "..")
        || path.contains("${")
        || path.contains('%') && path.to_ascii_lowercase().contains("%2e%2e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_weighed() {
        for name in [
            "os.system",
            "posix.system",
            "builtins.eval",
            "subprocess.Popen",
            "keras.utils.get_file",
            "numpy.testing._private.utils.runstring",
            "foo.bar.eval",
            "a.__globals__.b",
            "torch.hub.load",
            "builtins.getattr",
            "importlib",
        ] {
            assert!(danger(name).is_some(), "{name}");
        }
        for name in [
            "builtins.dict",
            "torch.optim.Adam",
            "keras.layers.Dense",
            "osmium.x",
            "functools.partial",
            "sklearn.linear_model.LogisticRegression",
            "numpy.ndarray",
            "nemo.collections.asr.models.X",
        ] {
            assert!(danger(name).is_none(), "{name}");
        }
    }

    #[test]
    fn paths_are_weighed() {
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "C:\\x",
            "\\\\host\\x",
            "~/x",
            "https://x/y",
            "a\\..\\x",
        ] {
            assert!(leads_out(path), "{path}");
        }
        for path in [
            "model.onnx.data",
            "assets/vocab.txt",
            "a..b/c",
            "weights/w.bin",
        ] {
            assert!(!leads_out(path), "{path}");
        }
    }
}
