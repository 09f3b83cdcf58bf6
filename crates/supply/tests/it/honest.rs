//! What real libraries write, in small: nothing of it is accused.

use crate::{
    Clean,
    assembler::{Pickle, old, pickle},
    check,
    ziprig::Rig,
};

/// An array of two doubles, as `NumPy` reduces it.
fn array(pickle: Pickle) -> Pickle {
    pickle
        .global("numpy.core.multiarray", "_reconstruct")
        .global("numpy", "ndarray")
        .int(0)
        .tuple_of(1)
        .bytes(b"b")
        .tuple_of(3)
        .reduce()
        .mark()
        .int(1)
        .int(2)
        .tuple_of(1)
        .global("numpy", "dtype")
        .text("f8")
        .raw(b"\x89\x88")
        .tuple_of(3)
        .reduce()
        .mark()
        .int(3)
        .text("<")
        .raw(b"NNN")
        .raw(b"J\xff\xff\xff\xff")
        .raw(b"J\xff\xff\xff\xff")
        .int(0)
        .tuple()
        .build()
        .raw(b"\x89")
        .bytes(&[0; 16])
        .tuple()
        .build()
}

/// A tensor on storage `0`, as PyTorch reduces it.
fn tensor(pickle: Pickle) -> Pickle {
    pickle
        .global("torch._utils", "_rebuild_tensor_v2")
        .mark()
        .mark()
        .text("storage")
        .global("torch", "FloatStorage")
        .text("0")
        .text("cpu")
        .int(4)
        .tuple()
        .raw(b"Q")
        .int(0)
        .int(4)
        .tuple_of(1)
        .int(1)
        .tuple_of(1)
        .raw(b"\x89")
        .global("collections", "OrderedDict")
        .empty_tuple()
        .reduce()
        .tuple()
        .reduce()
}

/// The pickle of a state dictionary with one tensor.
pub(crate) fn state() -> Vec<u8> {
    let start = Pickle::default().raw(b"\x80\x02");
    tensor(start.empty_dict().text("weight")).set_item().stop()
}

#[test]
fn arrays_estimators_and_frames() {
    check("an array", &array(pickle()).stop(), Clean, "");
    let estimator = pickle()
        .stack_global("sklearn.linear_model._logistic", "LogisticRegression")
        .empty_tuple()
        .new_object()
        .empty_dict()
        .text("coef_");
    check(
        "an estimator",
        &array(estimator).set_item().build().stop(),
        Clean,
        "",
    );
    let oldest = old()
        .global("copy_reg", "_reconstructor")
        .mark()
        .global("sklearn.linear_model._base", "LinearRegression")
        .global("__builtin__", "object")
        .raw(b"N")
        .tuple()
        .reduce()
        .mark()
        .raw(b"d")
        .build()
        .stop();
    check("an estimator of protocol 0", &oldest, Clean, "");
    let times = pickle()
        .global("datetime", "datetime")
        .bytes(&[7, 230, 1, 1, 0, 0, 0, 0, 0, 0]);
    check("a time", &times.tuple_of(1).reduce().stop(), Clean, "");
}

#[test]
fn text_is_no_pickle() {
    for text in [
        "count\nof lines\n",
        "I have a dream.",
        "N.",
        "Some text that begins with an S.",
        "(a list)\n",
        "# Heading\n\ntext.",
        "}",
        "import os\nprint(os.sep)\n",
    ] {
        check(text, text.as_bytes(), Clean, "");
    }
}

#[test]
fn torch_archives() {
    let rig = || {
        Rig::new()
            .file("model/data.pkl", &state())
            .file("model/byteorder", b"little")
            .file(
                "model/data/0",
                &[0x80, 2, b'c', b'o', b's', b'\n', b's', b'\n', b'R', b'.'],
            )
            .file("model/version", b"3\n")
    };
    check("a state dictionary", &rig().build(), Clean, "");
    check("packed", &rig().deflated().build(), Clean, "");
}

#[test]
fn torch_before_archives() {
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    let keys = old().raw(b"\x80\x02]").text("0").raw(b"a").stop();
    let parts = [
        magic.to_vec(),
        b"\x80\x02M\xe9\x03.".to_vec(),
        b"\x80\x02}.".to_vec(),
        state(),
        keys,
        4u64.to_le_bytes().to_vec(),
        vec![0; 16],
    ];
    check("the old format", &parts.concat(), Clean, "");
    let more = [parts.concat(), pickle().call("os", "system", "true").stop()].concat();
    check(
        "a pickle behind it",
        &more,
        crate::Malicious,
        "pickle.runs-process",
    );
    let object = pickle().call("os", "system", "true").stop();
    let mut other = parts;
    other[2] = object;
    check(
        "a call in the third",
        &other.concat(),
        crate::Malicious,
        "pickle.runs-process",
    );
}

/// An array of `count` doubles as `joblib` announces it, with its bytes behind.
fn joblib(count: u8, dtype: &str, bytes: &[u8], rest: Pickle) -> Vec<u8> {
    pickle()
        .stack_global("joblib.numpy_pickle", "NumpyArrayWrapper")
        .empty_tuple()
        .new_object()
        .empty_dict()
        .text("subclass")
        .global("numpy", "ndarray")
        .set_item()
        .text("shape")
        .int(count)
        .tuple_of(1)
        .set_item()
        .text("dtype")
        .global("numpy", "dtype")
        .text(dtype)
        .tuple_of(1)
        .reduce()
        .set_item()
        .text("numpy_array_alignment_bytes")
        .int(16)
        .set_item()
        .build()
        .raw(bytes)
        .raw(&rest.0)
        .stop()
}

#[test]
fn joblib_arrays_are_skipped_by_length() {
    let data = [&[2, 0xff, 0xff][..], &[0; 16]].concat();
    check(
        "two doubles",
        &joblib(2, "f8", &data, Pickle::default()),
        Clean,
        "",
    );
    // What follows the array is followed.
    let call = Pickle::default().call("os", "system", "true");
    check(
        "a call behind",
        &joblib(2, "f8", &data, call),
        crate::Malicious,
        "pickle.runs-process",
    );
    // What `joblib` skips, `pickle` runs.
    let hidden = Pickle::default().call("os", "system", "true").stop();
    let mut inside = vec![b'N'];
    inside.extend(&hidden);
    inside.resize(1 + usize::from(b'N') + 160, 0);
    check(
        "a call inside",
        &joblib(20, "f8", &inside, Pickle::default()),
        crate::Malicious,
        "pickle.runs-process",
    );
    // Objects are a pickle of their own.
    let objects = pickle().call("os", "system", "true").stop();
    check(
        "objects that call",
        &joblib(1, "O8", &objects, Pickle::default()),
        crate::Malicious,
        "pickle.runs-process",
    );
    check(
        "objects",
        &joblib(1, "O8", &array(pickle()).stop(), Pickle::default()),
        Clean,
        "",
    );
    check(
        "cut off",
        &joblib(200, "f8", &data, Pickle::default()),
        crate::Incomplete,
        "",
    );
}

#[test]
fn code_by_value_is_for_a_person() {
    let cloud = pickle()
        .stack_global("cloudpickle.cloudpickle", "_make_function")
        .stack_global("cloudpickle.cloudpickle", "_builtin_type")
        .text("CodeType")
        .tuple_of(1)
        .reduce()
        .empty_tuple()
        .reduce()
        .tuple_of(1)
        .reduce()
        .stop();
    check("a lambda", &cloud, crate::Review, "pickle.carries-code");
}
