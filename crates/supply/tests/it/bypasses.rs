//! What once got past other scanners of pickles: published advisories, issues, and papers about
//! picklescan, modelscan, and fickling, one line each.

use crate::{Clean, Malicious, Word, assembler::pickle, check};

fn table(calls: &[(&str, &str)]) {
    for (module, name) in calls {
        let how = format!("{module} {name}");
        let called = pickle()
            .stack_global(module, name)
            .text("x")
            .tuple_of(1)
            .reduce()
            .stop();
        check(&how, &called, Malicious, "");
        // A call is not needed to be dangerous: an import alone can be called later.
        check(&how, &pickle().global(module, name).stop(), Malicious, "");
        // The oldest protocol and INST import by the same name.
        let inst = crate::assembler::old().mark().inst(module, name).stop();
        check(&how, &inst, Malicious, "");
    }
}

#[test]
fn of_picklescan() {
    table(&[
        ("pip", "main"),
        ("pip._internal.cli.main", "main"),
        ("ensurepip", "_run_pip"),
        ("timeit", "timeit"),
        ("cProfile", "run"),
        ("cProfile", "runctx"),
        ("profile", "Profile.runctx"),
        ("trace", "Trace.run"),
        ("trace", "Trace.runctx"),
        ("doctest", "debug_script"),
        ("code", "InteractiveInterpreter.runcode"),
        ("bdb", "Bdb.run"),
        ("pdb", "run"),
        ("runpy", "run_path"),
        ("runpy", "_run_code"),
        ("idlelib.autocomplete", "AutoComplete.get_entity"),
        ("idlelib.autocomplete", "AutoComplete.fetch_completions"),
        ("idlelib.calltip", "get_entity"),
        ("idlelib.calltip", "Calltip.fetch_tip"),
        ("idlelib.debugobj", "ObjectTreeItem.SetText"),
        ("idlelib.pyshell", "ModifiedInterpreter.runcommand"),
        ("idlelib.run", "Executive.runcode"),
        ("lib2to3.pgen2.grammar", "Grammar.loads"),
        ("lib2to3.pgen2.pgen", "ParserGenerator.make_label"),
        ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
        ("asyncio", "create_subprocess_shell"),
        ("multiprocessing.util", "spawnv_passfds"),
        ("_posixsubprocess", "fork_exec"),
        ("pty", "spawn"),
        ("commands", "getoutput"),
        ("uuid", "_get_command_stdout"),
        ("_osx_support", "_read_output"),
        ("_osx_support", "_find_build_tool"),
        ("_aix_support", "_read_cmd_output"),
        ("imaplib", "IMAP4_stream"),
        ("distutils.file_util", "write_file"),
        ("distutils.spawn", "spawn"),
        ("setuptools._distutils.spawn", "spawn"),
        ("test.support.script_helper", "assert_python_ok"),
        ("pydoc", "locate"),
        ("pydoc", "pipepager"),
        ("pkgutil", "resolve_name"),
        ("operator", "attrgetter"),
        ("operator", "methodcaller"),
        ("_operator", "attrgetter"),
        ("functools", "reduce"),
        ("logging.config", "_resolve"),
        ("ssl", "get_server_certificate"),
        ("linecache", "getline"),
        ("http.client", "HTTPSConnection"),
        ("urllib.request", "urlopen"),
        ("smtplib", "SMTP"),
        ("aiohttp.client", "ClientSession"),
        ("torch.utils.collect_env", "run"),
        ("torch.utils._config_module", "load_config"),
        ("torch.utils.bottleneck.__main__", "run_cprofile"),
        ("torch.utils.bottleneck.__main__", "run_autograd_prof"),
        ("torch.utils.data.datapipes.utils.decoder", "basichandlers"),
        ("torch.jit.unsupported_tensor_ops", "execWrapper"),
        (
            "torch.fx.experimental.symbolic_shapes",
            "ShapeEnv.evaluate_guards_expression",
        ),
        ("torch._dynamo.guards", "GuardBuilder.get"),
        ("torch._inductor.codecache", "compile_file"),
        ("torch.serialization", "load"),
        ("torch.hub", "load"),
        ("numpy.testing._private.utils", "runstring"),
        ("numpy.f2py.crackfortran", "param_eval"),
        ("numpy.f2py.crackfortran", "myeval"),
        ("numpy.f2py.crackfortran", "getlincoef"),
        ("numpy.distutils.exec_command", "exec_command"),
        ("webbrowser", "open"),
        ("shutil", "rmtree"),
        ("io", "FileIO"),
        ("sqlite3", "connect"),
        ("sys", "modules"),
        ("nt", "system"),
        ("builtins", "breakpoint"),
        ("builtins", "__import__"),
        ("__builtin__", "execfile"),
    ]);
}

#[test]
fn of_modelscan() {
    table(&[
        ("importlib", "import_module"),
        ("joblib", "load"),
        ("numpy", "load"),
        ("pandas", "read_pickle"),
        ("pandas", "eval"),
        ("pandas.io.common", "get_handle"),
        ("pickle", "loads"),
        ("_pickle", "loads"),
        ("cPickle", "loads"),
        ("dill", "loads"),
        ("cloudpickle", "loads"),
        ("yaml", "unsafe_load"),
        ("jsonpickle", "decode"),
        ("mlflow.projects.backend.local", "_run_entry_point"),
        ("sympy", "sympify"),
        ("numexpr", "evaluate"),
        ("xmlrpc.server", "resolve_dotted_attribute"),
        ("unittest.mock", "_importer"),
        ("unittest.mock", "_dot_lookup"),
        ("socket", "create_connection"),
        ("requests", "get"),
        ("httpx", "get"),
        ("paramiko", "SSHClient"),
        ("boto3", "client"),
        ("huggingface_hub", "snapshot_download"),
        ("transformers", "AutoModel.from_pretrained"),
    ]);
}

#[test]
fn of_fickling() {
    table(&[
        ("marshal", "loads"),
        ("types", "FunctionType"),
        ("types", "CodeType"),
        ("ctypes", "CDLL"),
        ("_ctypes", "dlopen"),
        ("cffi", "FFI"),
        ("_interpreters", "run_string"),
        ("_xxsubinterpreters", "run_string"),
        ("_pyrepl.pager", "pipe_pager"),
        ("cgitb", "scanvars"),
        ("ftplib", "FTP"),
        ("poplib", "POP3"),
        ("nntplib", "NNTP"),
        ("telnetlib", "Telnet"),
        ("site", "addsitedir"),
        ("atexit", "register"),
        ("signal", "signal"),
        ("threading", "Thread"),
        ("weakref", "finalize"),
        ("gc", "get_objects"),
        ("logging", "FileHandler"),
        ("tempfile", "NamedTemporaryFile"),
        ("zipfile", "ZipFile.extractall"),
        ("tarfile", "open"),
        ("pathlib", "Path.write_text"),
        ("fileinput", "FileInput"),
        ("antigravity", "geohash"),
        ("this", "s"),
        ("fickling.hook", "remove_hook"),
        ("picklescan.scanner", "_unsafe_globals"),
        ("some.package.__main__", "x"),
        ("anything", "os.system"),
        ("anything", "system"),
        ("itertools", "starmap"),
        ("builtins", "map"),
        ("builtins", "vars"),
        ("contextlib", "ExitStack"),
        ("copyreg", "add_extension"),
        ("platform", "popen"),
        ("GPUtil", "getGPUs"),
    ]);
}

/// What is called with what, where the name alone says nothing.
#[test]
fn of_arguments() {
    let getattr = |attribute: &str| {
        pickle()
            .global("builtins", "getattr")
            .global("collections", "OrderedDict")
            .text(attribute)
            .tuple_of(2)
            .reduce()
            .stop()
    };
    let cases: &[(&str, Vec<u8>, Word, &str)] = &[
        (
            "getattr, dunder",
            getattr("__init__"),
            Malicious,
            "pickle.indirection",
        ),
        (
            "getattr, module",
            getattr("a.os"),
            Malicious,
            "pickle.indirection",
        ),
        (
            "getattr, plain",
            getattr("items"),
            crate::Review,
            "pickle.looks-up-attribute",
        ),
        (
            "getattr and call",
            pickle()
                .global("builtins", "getattr")
                .global("collections", "OrderedDict")
                .text("items")
                .tuple_of(2)
                .reduce()
                .empty_tuple()
                .reduce()
                .stop(),
            Malicious,
            "pickle.indirection",
        ),
        (
            "a codec that hides",
            pickle()
                .global("_codecs", "encode")
                .text("x")
                .text("rot13")
                .tuple_of(2)
                .reduce()
                .stop(),
            crate::Review,
            "pickle.unusual-use",
        ),
        (
            "a codec that does not",
            pickle()
                .global("_codecs", "encode")
                .text("x")
                .text("latin1")
                .tuple_of(2)
                .reduce()
                .stop(),
            Clean,
            "",
        ),
        (
            "partial of something unknown, called",
            pickle()
                .global("functools", "partial")
                .global("mine", "run")
                .tuple_of(1)
                .reduce()
                .empty_tuple()
                .reduce()
                .stop(),
            Malicious,
            "pickle.indirection",
        ),
        (
            "the constructor of a class that is only filled",
            pickle()
                .call("xgboost.core", "Booster", "/etc/passwd")
                .stop(),
            crate::Review,
            "pickle.unusual-use",
        ),
        (
            "code of cloudpickle, called while loading",
            pickle()
                .global("cloudpickle.cloudpickle", "_make_function")
                .empty_tuple()
                .reduce()
                .empty_tuple()
                .reduce()
                .stop(),
            Malicious,
            "pickle.indirection",
        ),
        (
            "a class that nobody knows",
            pickle()
                .stack_global("mine", "Model")
                .empty_tuple()
                .new_object()
                .empty_dict()
                .build()
                .stop(),
            crate::Review,
            "pickle.unknown-import",
        ),
    ];
    for (name, bytes, word, rule) in cases {
        check(name, bytes, *word, rule);
    }
}
