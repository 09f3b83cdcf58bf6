//! Tensors out of files of PyTorch and `NumPy`, built here as those write them.

use bartizan_formats::{Bytes, SafeTensors};
use bartizan_supply::convert::{ConvertError, ConvertLimits, Plan, plan, verify};

use crate::{assembler::Pickle, assembler::pickle, ziprig::Rig};

/// Eight numbers of four bytes.
fn storage() -> Vec<u8> {
    (0..8_u32).flat_map(u32::to_le_bytes).collect()
}

impl Pickle {
    fn many(self, numbers: &[u8]) -> Self {
        let marked = self.mark();
        numbers
            .iter()
            .fold(marked, |all, &number| all.int(number))
            .tuple()
    }

    /// `("storage", torch.CLASS, KEY, "cpu", 8)` as a persistent id.
    fn stored(self, class: &str, key: &str) -> Self {
        self.mark()
            .text("storage")
            .global("torch", class)
            .text(key)
            .text("cpu")
            .int(8)
            .tuple()
            .raw(b"Q")
    }

    /// `torch._utils._rebuild_tensor_v2(...)`.
    fn tensor(self, class: &str, key: &str, offset: u8, shape: &[u8], strides: &[u8]) -> Self {
        self.global("torch._utils", "_rebuild_tensor_v2")
            .mark()
            .stored(class, key)
            .int(offset)
            .many(shape)
            .many(strides)
            .raw(b"\x89")
            .global("collections", "OrderedDict")
            .empty_tuple()
            .reduce()
            .tuple()
            .reduce()
    }

    /// A parameter around it.
    fn parameter(self, key: &str) -> Self {
        self.global("torch._utils", "_rebuild_parameter")
            .mark()
            .tensor("FloatStorage", key, 0, &[2, 4], &[4, 1])
            .raw(b"\x88")
            .global("collections", "OrderedDict")
            .empty_tuple()
            .reduce()
            .tuple()
            .reduce()
    }

    fn ordered(self) -> Self {
        self.global("collections", "OrderedDict")
            .empty_tuple()
            .reduce()
    }
}

fn archive(data: Vec<u8>) -> Rig {
    Rig::new()
        .file("model/data.pkl", &data)
        .file("model/byteorder", b"little")
        .file("model/data/0", &storage())
        .file("model/data/1", &storage())
        .file("model/version", b"3\n")
}

fn convert(bytes: &[u8]) -> Result<Converted, ConvertError> {
    let source = Bytes(bytes);
    let plan = plan(&source, &ConvertLimits::default())?;
    let mut file = Vec::new();
    let written = plan.write(&mut file, &[("bartizan", "test")])?;
    verify(&plan, &Bytes(&file), &written)?;
    // One byte of the data is enough.
    if let Some(last) = file.last_mut().filter(|_| !plan.tensors().is_empty()) {
        *last ^= 1;
        assert!(matches!(
            verify(&plan, &Bytes(&file), &written),
            Err(ConvertError::Differs(_) | ConvertError::Parse(_))
        ));
        *file.last_mut().unwrap() ^= 1;
    }
    let read = SafeTensors::read(&Bytes(&file)).unwrap();
    assert_eq!(read.faults, []);
    Ok(Converted {
        left_out: left_out(&plan),
        metadata: read.metadata,
        notes: plan.notes().to_vec(),
        file,
    })
}

fn left_out(plan: &Plan<'_>) -> Vec<String> {
    let all = plan.left_out().iter();
    all.map(|one| format!("{}: {}", one.path, one.what))
        .collect()
}

struct Converted {
    left_out: Vec<String>,
    metadata: Vec<(String, String)>,
    notes: Vec<String>,
    file: Vec<u8>,
}

impl Converted {
    /// Type, shape, and numbers of a tensor of four bytes an item.
    fn tensor(&self, name: &str) -> (String, Vec<u64>, Vec<u32>) {
        let length = u64::from_le_bytes(self.file[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&self.file[8..8 + length]).unwrap();
        let entry = &header[name];
        let number = |value: &serde_json::Value| value.as_u64().unwrap();
        let [from, to] =
            [0, 1].map(|end| 8 + length + number(&entry["data_offsets"][end]) as usize);
        let items = self.file[from..to].as_chunks::<4>().0;
        (
            entry["dtype"].as_str().unwrap().to_owned(),
            entry["shape"]
                .as_array()
                .unwrap()
                .iter()
                .map(number)
                .collect(),
            items.iter().map(|item| u32::from_le_bytes(*item)).collect(),
        )
    }
}

#[test]
fn art_23_a_state_dict_keeps_every_tensor() {
    let data = pickle()
        .ordered()
        .mark()
        .text("weight")
        .tensor("FloatStorage", "0", 0, &[2, 4], &[4, 1])
        .text("turned")
        .tensor("IntStorage", "1", 1, &[3, 2], &[1, 4])
        .text("parameter")
        .parameter("1")
        .text("scalar")
        .tensor("FloatStorage", "0", 7, &[], &[])
        .text("none")
        .tensor("FloatStorage", "0", 0, &[0, 4], &[4, 1])
        .raw(b"u")
        // The state of the dictionary: {"_metadata": OrderedDict()}
        .empty_dict()
        .text("_metadata")
        .ordered()
        .set_item()
        .build()
        .stop();
    let converted = convert(&archive(data).build()).unwrap();
    assert_eq!(converted.left_out, [] as [String; 0]);
    assert_eq!(
        converted.tensor("weight"),
        ("F32".into(), vec![2, 4], (0..8).collect())
    );
    assert_eq!(
        converted.tensor("turned"),
        ("I32".into(), vec![3, 2], vec![1, 5, 2, 6, 3, 7])
    );
    assert_eq!(converted.tensor("parameter").2.len(), 8);
    assert_eq!(converted.tensor("scalar"), ("F32".into(), vec![], vec![7]));
    assert_eq!(converted.tensor("none").1, [0, 4]);
    assert!(converted.metadata.contains(&("format".into(), "pt".into())));
    assert!(
        converted
            .notes
            .iter()
            .any(|note| note.contains("_metadata"))
    );
    assert!(
        converted
            .notes
            .iter()
            .any(|note| note.contains("of their own"))
    );
}

#[test]
fn tied_weights_are_written_once() {
    let tensor = |all: Pickle, name: &str| {
        all.text(name)
            .tensor("FloatStorage", "0", 0, &[8], &[1])
            .set_item()
    };
    let data = tensor(tensor(pickle().empty_dict(), "embed"), "head").stop();
    let converted = convert(&archive(data).build()).unwrap();
    assert_eq!(converted.tensor("embed").2.len(), 8);
    assert!(
        converted
            .metadata
            .contains(&("head".into(), "embed".into()))
    );
}

#[test]
fn what_is_no_tensor_is_named_and_never_run() {
    let data = pickle()
        .call("os", "system", "touch made-by-the-conversion")
        .raw(b"0")
        .empty_dict()
        .text("epoch")
        .int(3)
        .set_item()
        .text("model")
        .empty_dict()
        .text("w")
        .tensor("FloatStorage", "0", 0, &[8], &[1])
        .set_item()
        .set_item()
        .text("z")
        .tensor("ComplexFloatStorage", "1", 0, &[2], &[1])
        .set_item()
        .text("net")
        .global("mine", "Net")
        .empty_tuple()
        .new_object()
        .empty_dict()
        .text("_parameters")
        .empty_dict()
        .text("b")
        .tensor("FloatStorage", "1", 0, &[8], &[1])
        .set_item()
        .set_item()
        .build()
        .set_item()
        .stop();
    let rig = archive(data).file("model/code/x.py", b"");
    let converted = convert(&rig.build()).unwrap();
    assert_eq!(
        converted.left_out,
        [
            "model/code/x.py: a file of the archive",
            "epoch: a number",
            "z: a tensor of `ComplexFloatStorage`, which the format does not have",
            "net: an object of `mine.Net`",
            ": a call of `os.system` beside everything",
        ]
    );
    assert_eq!(converted.tensor("model.w").2.len(), 8);
    assert_eq!(converted.tensor("net.b").2.len(), 8);
    assert!(!std::path::Path::new("made-by-the-conversion").exists());
}

#[test]
fn tensors_that_cannot_be_are_refused() {
    for (offset, shape, strides, key, why) in [
        (1, &[8][..], &[1][..], "0", "reaches out"),
        (0, &[3, 4], &[4, 1], "0", "reaches out"),
        (0, &[255, 255], &[0, 0], "0", "repeats"),
        (0, &[8], &[1, 1], "0", "as many strides"),
        (0, &[8], &[1], "7", "not in the file"),
    ] {
        let data = pickle()
            .empty_dict()
            .text("w")
            .tensor("FloatStorage", key, offset, shape, strides)
            .set_item()
            .stop();
        let error = convert(&archive(data).build()).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
    let twice = |all: Pickle| all.tensor("FloatStorage", "0", 0, &[8], &[1]).set_item();
    let data = twice(twice(pickle().empty_dict().text("w")).text("w")).stop();
    assert!(matches!(
        convert(&archive(data).build()),
        Err(ConvertError::Duplicate(name)) if name == "w"
    ));
    let itself = pickle()
        .empty_dict()
        .raw(b"q\x01")
        .text("a")
        .raw(b"h\x01")
        .set_item()
        .stop();
    let converted = convert(&archive(itself).build()).unwrap();
    assert_eq!(converted.left_out, ["a: a container that holds itself"]);
    let whole = pickle().empty_dict().stop();
    for rig in [
        archive(whole.clone()).file("model/data/0", b"again"),
        archive(whole.clone()).file("other/data.pkl", b"N."),
        archive(whole.clone()).deflated(),
    ] {
        assert!(matches!(
            convert(&rig.build()),
            Err(ConvertError::Format(_))
        ));
    }
    let big = Rig::new()
        .file("m/data.pkl", &whole)
        .file("m/byteorder", b"big");
    assert!(convert(&big.build()).is_err());
}

#[test]
fn a_bound_on_bytes_holds_before_anything_is_written() {
    let data = pickle().tensor("FloatStorage", "0", 0, &[8], &[1]).stop();
    let bytes = archive(data).build();
    let limits = ConvertLimits {
        max_bytes: 31,
        ..ConvertLimits::default()
    };
    assert!(matches!(
        plan(&Bytes(&bytes), &limits),
        Err(ConvertError::Exhausted { max: 31, .. })
    ));
}

/// Five pickles and a storage, as PyTorch wrote before 1.6.
#[test]
fn files_of_before_1_6() {
    let two = |bytes: &[u8]| Pickle::default().raw(b"\x80\x02").raw(bytes);
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    file.extend(two(b"}").text("little_endian").raw(b"\x88s").stop());
    let id = |all: Pickle| {
        all.mark()
            .text("storage")
            .global("torch", "FloatStorage")
            .text("17")
            .text("cpu")
            .int(8)
            .raw(b"Nt")
            .raw(b"Q")
    };
    let tensor = id(two(b"}")
        .text("w")
        .global("torch._utils", "_rebuild_tensor")
        .mark())
    .int(4)
    .many(&[2, 2])
    .many(&[1, 2])
    .tuple()
    .reduce();
    file.extend(tensor.set_item().stop());
    file.extend(two(b"](").text("17").raw(b"e").stop());
    file.extend(8_u64.to_le_bytes());
    file.extend(storage());
    let converted = convert(&file).unwrap();
    assert_eq!(converted.left_out, [] as [String; 0]);
    assert_eq!(
        converted.tensor("w"),
        ("F32".into(), vec![2, 2], vec![4, 6, 5, 7])
    );
    file.truncate(file.len() - 1);
    assert!(convert(&file).is_err());
}

fn npy(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header =
        format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")
            .into_bytes();
    while !(header.len() + 10).is_multiple_of(64) {
        header.insert(header.len() - 1, b' ');
    }
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    out.extend(header);
    out.extend(data);
    out
}

#[test]
fn arrays_of_numpy() {
    let rig = Rig::new()
        .file("rows.npy", &npy("'<i4'", "False", "(2, 4)", &storage()))
        .file("columns.npy", &npy("'<i4'", "True", "(4, 2)", &storage()));
    let converted = convert(&rig.build()).unwrap();
    assert_eq!(
        converted.tensor("rows"),
        ("I32".into(), vec![2, 4], (0..8).collect())
    );
    assert_eq!(converted.tensor("columns").2, [0, 4, 1, 5, 2, 6, 3, 7]);
    assert!(converted.metadata.contains(&("format".into(), "np".into())));
    let packed = convert(&rig.deflated().build()).unwrap();
    assert_eq!(packed.tensor("rows").2, (0..8).collect::<Vec<_>>());
    assert_eq!(
        packed.left_out,
        ["columns: a compressed array that lies column by column"]
    );
    let odd = Rig::new()
        .file("o.npy", &npy("'|O'", "False", "(1,)", b""))
        .file("big.npy", &npy("'>f4'", "False", "(1,)", &[0; 4]))
        .file(
            "fields.npy",
            &npy("[('a', '<f4')]", "False", "(1,)", &[0; 4]),
        )
        .file("c.npy", &npy("'<c8'", "False", "(1,)", &[0; 8]));
    assert_eq!(convert(&odd.build()).unwrap().left_out.len(), 4);
    for bad in [
        npy("'<i4'", "False", "(3, 4)", &storage()),
        npy("'<i4'", "False", "(8,), 'shape': (2,)", &storage()),
        npy("'<i4'", "Maybe", "(8,)", &storage()),
        npy("'<i4'", "False", "(-8,)", &storage()),
    ] {
        assert!(convert(&bad).is_err());
    }
}

#[test]
fn arrays_in_pickles() {
    let dtype = |all: Pickle| {
        all.global("numpy", "dtype")
            .text("i4")
            .raw(b"\x89\x88\x87")
            .reduce()
            .mark()
            .int(3)
            .text("<")
            .raw(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t")
            .build()
    };
    let start = pickle()
        .empty_dict()
        .text("w")
        .global("numpy.core.multiarray", "_reconstruct")
        .global("numpy", "ndarray")
        .int(0)
        .tuple_of(1)
        .bytes(b"b")
        .tuple_of(3)
        .reduce()
        .mark()
        .int(1)
        .many(&[2, 4]);
    let first = dtype(start)
        .raw(b"\x89")
        .bytes(&storage())
        .tuple()
        .build()
        .set_item();
    let buffer = first
        .text("v")
        .global("numpy._core.numeric", "_frombuffer")
        .mark()
        .bytes(&storage());
    let data = dtype(buffer)
        .many(&[2, 4])
        .text("F")
        .tuple()
        .reduce()
        .set_item();
    let converted = convert(&data.stop()).unwrap();
    assert_eq!(converted.left_out, [] as [String; 0]);
    assert_eq!(
        converted.tensor("w"),
        ("I32".into(), vec![2, 4], (0..8).collect())
    );
    assert_eq!(converted.tensor("v").2, [0, 2, 4, 6, 1, 3, 5, 7]);
}
