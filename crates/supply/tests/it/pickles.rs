//! How instructions reach what they call, and what must not hide it.

use crate::{
    Clean, Incomplete, Malicious, Review,
    assembler::{old, pickle},
    check,
};

#[test]
fn every_way_to_call_is_a_call() {
    let name = "subprocess";
    for (how, bytes) in [
        ("reduce", pickle().call("os", "system", "true").stop()),
        ("protocol 0", b"cos\nsystem\n(S'true'\ntR.".to_vec()),
        ("protocol 0 inst", b"(S'true'\nios\nsystem\n.".to_vec()),
        (
            "protocol 1 obj",
            old()
                .mark()
                .global("os", "system")
                .text("true")
                .raw(b"o")
                .stop(),
        ),
        (
            "new object",
            pickle()
                .global(name, "Popen")
                .text("true")
                .tuple_of(1)
                .new_object()
                .stop(),
        ),
        (
            "new object with keywords",
            pickle()
                .global(name, "Popen")
                .empty_tuple()
                .empty_dict()
                .raw(b"\x92")
                .stop(),
        ),
        (
            "stack global",
            pickle()
                .stack_global("posix", "system")
                .text("true")
                .tuple_of(1)
                .reduce()
                .stop(),
        ),
        (
            "old texts as names",
            pickle()
                .raw(b"U\x02osU\x06system\x93")
                .text("true")
                .tuple_of(1)
                .reduce()
                .stop(),
        ),
        (
            "escapes in the text of a name",
            pickle()
                .raw(b"S'o\\163'\nS'\\x73ystem'\n\x93")
                .text("true")
                .tuple_of(1)
                .reduce()
                .stop(),
        ),
        (
            "unicode escapes",
            pickle()
                .raw(b"V\\u006fs\nVsystem\n\x93")
                .text("true")
                .tuple_of(1)
                .reduce()
                .stop(),
        ),
        (
            "imported and dropped",
            pickle().global("os", "system").raw(b"0N").stop(),
        ),
        (
            "dropped with its mark",
            pickle().mark().global("os", "system").raw(b"1N").stop(),
        ),
        (
            "through the memo",
            pickle()
                .text("os")
                .raw(b"\x94")
                .text("system")
                .raw(b"\x94")
                .raw(b"00")
                .raw(b"h\x00h\x01\x93")
                .text("true")
                .tuple_of(1)
                .reduce()
                .stop(),
        ),
        (
            "the memo is overwritten",
            pickle()
                .text("collections")
                .raw(b"q\x05")
                .raw(b"0")
                .text("os")
                .raw(b"q\x050")
                .raw(b"h\x05")
                .text("system")
                .raw(b"\x93")
                .text("true")
                .tuple_of(1)
                .reduce()
                .stop(),
        ),
        (
            "twice on the stack",
            pickle()
                .text("true")
                .global("os", "system")
                .raw(b"2h\x00")
                .stop(),
        ),
    ] {
        check(how, &bytes, Malicious, "pickle.runs-process");
    }
}

#[test]
fn what_ran_before_an_error_counts() {
    let call = || pickle().call("os", "system", "true");
    for (how, bytes) in [
        ("no end", call().0),
        ("an opcode that does not exist", call().raw(b"\xff").0),
        ("a stack that is empty", call().raw(b"000").stop()),
        ("a text that is cut off", call().raw(b"X\xff\0\0\0abc").0),
        (
            "a protocol that does not exist",
            call().raw(b"\x80\x09").stop(),
        ),
        (
            "an entry of the memo that is missing",
            call().raw(b"h\x63").stop(),
        ),
    ] {
        check(how, &bytes, Malicious, "pickle.runs-process");
    }
    check(
        "cut off, harmless so far",
        &pickle().text("a").0,
        Incomplete,
        "",
    );
}

#[test]
fn names_that_are_made_while_loading_are_hidden() {
    let joined = pickle()
        .global("builtins", "str")
        .text("os")
        .tuple_of(1)
        .reduce()
        .text("system")
        .raw(b"\x93")
        .text("true")
        .tuple_of(1)
        .reduce()
        .stop();
    check(
        "a name from a call",
        &joined,
        Malicious,
        "pickle.hidden-name",
    );
    let dotted = pickle().stack_global("collections", "OrderedDict.__init__.__globals__");
    check(
        "through attributes",
        &dotted.stop(),
        Malicious,
        "pickle.hidden-name",
    );
    let module = pickle().stack_global("torch.serialization", "os.system");
    check(
        "through a module",
        &module.stop(),
        Malicious,
        "pickle.nested-loader",
    );
    let reexported = pickle().stack_global("some.library", "os.system");
    check(
        "through another module",
        &reexported.stop(),
        Malicious,
        "pickle.hidden-name",
    );
}

#[test]
fn readers_that_differ_are_named() {
    let rule = "pickle.reader-disagreement";
    for (how, bytes) in [
        ("hexadecimal", b"(I0x10\nl.".to_vec()),
        ("octal", b"(I010\nl.".to_vec()),
        ("a NUL in a number", b"(I1\0x\nl.".to_vec()),
        ("a NUL in an index", b"(I1\np1\0x\nl.".to_vec()),
    ] {
        check(how, &bytes, Review, rule);
    }
    let escaped = old()
        .global("collections", "Ordered\\x44ict")
        .raw(b")R")
        .stop();
    check("an escape in a name", &escaped, Review, rule);
}

#[test]
fn frames_that_make_two_programs_are_refused() {
    // `pickle.load` of a file imports `os`, `pickle.loads` of its bytes imports `collections.os`.
    let line = b"\x80\x04\x95\x0d\0\0\0\0\0\0\0ccollections.os\nsystem\n.".to_vec();
    for (how, bytes) in [
        ("a name across the end", line),
        (
            "a text across the end",
            b"\x80\x04\x95\x01\0\0\0\0\0\0\0X\x01\0\0\0a.".to_vec(),
        ),
        (
            "a frame in a frame",
            b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x95\x02\0\0\0\0\0\0\0N.".to_vec(),
        ),
    ] {
        check(how, &bytes, Malicious, "pickle.frame-trick");
    }
}

#[test]
fn memory_is_not_promised_to_a_few_bytes() {
    let rule = "pickle.exhausts-memory";
    let index = pickle().raw(b"Nr\xff\xff\xff\x7f").stop();
    check("an index of the memo", &index, Review, rule);
    let mut laughs = pickle().text("ha").raw(b"\x94");
    for _ in 0..20 {
        laughs = laughs
            .raw(b"0(")
            .raw(&b"h\x00".repeat(8))
            .tuple()
            .raw(b"q\x00");
    }
    check("laughs", &laughs.stop(), Review, rule);
    // Deep, and nothing recurses.
    let deep = old()
        .raw(&b"(".repeat(50_000))
        .raw(&b"l".repeat(50_000))
        .stop();
    check("deep lists", &deep, Clean, "");
}

#[test]
fn long_chains_and_shared_arguments_are_no_work() {
    // Each call is a call of the last one's result.
    let chain = pickle()
        .global("mine", "f")
        .raw(&b")R".repeat(200_000))
        .stop();
    check("a chain of calls", &chain, Malicious, "pickle.indirection");
    // A few references that make a walk of 100^8 steps.
    let mut shared = pickle().global("re", "_compile").text("x").raw(b"\x94");
    for _ in 0..8 {
        shared = shared
            .raw(b"0(")
            .raw(&b"h\x00".repeat(100))
            .tuple()
            .raw(b"q\x00");
    }
    let shared = shared.tuple_of(1).reduce().stop();
    check("shared arguments", &shared, Review, "pickle.unusual-use");
}

#[test]
fn an_import_before_text_counts() {
    check(
        "text",
        b"cantigravity\ngeohash\nand more text",
        Malicious,
        "pickle.runs-process",
    );
    check("other text", b"count\nlines\nand more text", Clean, "");
}

#[test]
fn what_is_shared_must_not_be_altered() {
    let rule = "pickle.patches-object";
    let state = |pickle: crate::assembler::Pickle| pickle.empty_dict().text("a").int(1).set_item();
    let class = state(pickle().global("collections", "OrderedDict"))
        .build()
        .stop();
    check("attributes of a class", &class, Malicious, rule);
    let items = pickle()
        .global("collections", "OrderedDict")
        .text("a")
        .int(1)
        .set_item()
        .stop();
    check("items of an import", &items, Malicious, rule);
    let append = pickle()
        .global("collections", "deque")
        .int(1)
        .raw(b"a")
        .stop();
    check("appended to an import", &append, Malicious, rule);
}

#[test]
fn nested_loads_are_followed() {
    let inner = pickle().call("os", "system", "true").stop();
    let outer = |inner: &[u8]| {
        pickle()
            .global("torch.storage", "_load_from_bytes")
            .bytes(inner)
            .tuple_of(1)
            .reduce()
            .stop()
    };
    check(
        "bytes that call",
        &outer(&inner),
        Malicious,
        "pickle.runs-process",
    );
    check(
        "bytes that do not",
        &outer(&pickle().int(1).stop()),
        Clean,
        "",
    );
    let twice = outer(&outer(&inner));
    check("twice", &twice, Malicious, "pickle.runs-process");
    let loads = pickle()
        .global("pickle", "loads")
        .bytes(&inner)
        .tuple_of(1)
        .reduce()
        .stop();
    check("pickle.loads", &loads, Malicious, "pickle.nested-loader");
    let deep = (0..12).fold(inner, |inner, _| outer(&inner));
    check("too deep", &deep, Incomplete, "");
}

#[test]
fn numbers_of_the_registry_are_reviewed() {
    check(
        "a number",
        &pickle().raw(b"\x82\x01").stop(),
        Review,
        "pickle.extension-code",
    );
    let registered = pickle()
        .global("copyreg", "add_extension")
        .text("os")
        .text("system")
        .int(1)
        .tuple_of(3)
        .reduce()
        .raw(b"0\x82\x01")
        .text("true")
        .tuple_of(1)
        .reduce()
        .stop();
    check("registered", &registered, Malicious, "pickle.registry");
    let inverted = pickle()
        .global("copyreg", "_inverted_registry")
        .int(1)
        .text("os")
        .text("system")
        .tuple_of(2)
        .set_item()
        .raw(b"0\x82\x01")
        .text("true")
        .tuple_of(1)
        .reduce()
        .stop();
    check("inverted registry", &inverted, Malicious, "pickle.registry");
}

#[test]
fn what_follows_a_pickle_is_not_forgotten() {
    let clean = pickle().int(1).stop();
    let call = pickle().call("os", "system", "true").stop();
    let both = [clean.clone(), call].concat();
    check("a second pickle", &both, Malicious, "pickle.runs-process");
    let rest = [clean.clone(), b"something else".to_vec()].concat();
    check("other bytes", &rest, Review, "pickle.trailing-data");
    let again = [clean.clone(), clean].concat();
    check("a second harmless one", &again, Clean, "");
}

#[test]
fn messages_name_imports_and_nothing_that_is_passed() {
    let secret = "curl http://192.0.2.1/x";
    let bytes = pickle()
        .global("builtins", "getattr")
        .global("os", "environ")
        .text("get")
        .tuple_of(2)
        .reduce()
        .text(secret)
        .tuple_of(1)
        .reduce()
        .stop();
    let scanned = crate::look(&bytes);
    let said: Vec<&str> = scanned[0]
        .report
        .findings
        .iter()
        .map(|finding| &*finding.message)
        .collect();
    assert!(
        said.contains(&"calls `builtins.getattr(os.environ, …)`"),
        "{said:?}"
    );
    assert!(
        said.iter().all(|message| !message.contains("192")),
        "{said:?}"
    );
    let odd = pickle().global("a\u{1b}[31m", "b`c").stop();
    let scanned = crate::look(&odd);
    assert_eq!(
        scanned[0].report.findings[0].message,
        "imports `a··31m.b·c`"
    );
}
