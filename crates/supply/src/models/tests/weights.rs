use super::{check, clean, stopped, write::*};

const ONE: &str =
    r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;

#[test]
fn safetensors_are_weighed() {
    clean("a.safetensors", &safetensors(ONE, 8));
    for (header, data) in [
        (ONE.to_owned(), 9),
        (ONE.to_owned(), 7),
        (ONE.replace("[2]", "[3]"), 8),
        (ONE.replace("[0,8]", "[8,16]"), 16),
        (ONE.replace("\"pt\"", "[1]"), 8),
        (
            ONE.replace(
                "\"a\"",
                "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]},\"a\"",
            ),
            12,
        ),
        (ONE.replace("F32", "F99"), 8),
        (ONE.replace("[2]", "[4294967296,4294967296]"), 8),
    ] {
        check(
            "a.safetensors",
            &safetensors(&header, data),
            &["model.broken-structure"],
        );
    }
    let code = ONE.replace("pt", "__import__('os').system('x')");
    check(
        "a.safetensors",
        &safetensors(&code, 8),
        &["code.risky-call"],
    );
    let whole = safetensors(ONE, 8);
    for end in 0..whole.len() {
        if end > 0 {
            stopped("a.safetensors", &whole[..end]);
        }
    }
    // Another header than JSON, and a length beyond the file.
    stopped("a.safetensors", &safetensors("[]", 0));
    stopped(
        "a.safetensors",
        &[&u64::MAX.to_le_bytes()[..], b"{}"].concat(),
    );
    stopped("a.safetensors", b"this is no model\n");
    clean(
        "a.safetensors",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    );
}

#[test]
fn gguf_is_weighed() {
    let name = ("general.name", "x");
    clean(
        "m.gguf",
        &gguf(&[name], &[("t", &[8], 0, 0), ("u", &[32], 8, 32)], 66),
    );
    clean("v.gguf", &gguf(&[name], &[], 0));
    for (tensors, data) in [
        (&[("t", &[8][..], 0, 0), ("u", &[8], 0, 0)][..], 64),
        (&[("t", &[8], 0, 0)], 16),
        (&[("t", &[8], 0, 7)], 64),
        (&[("t", &[8], 0, 1 << 40)], 64),
        (&[("t", &[1 << 40, 1 << 40], 0, 0)], 64),
        (&[("t", &[8], 250, 0)], 64),
        (&[("t", &[8], 8, 0)], 64),
        (&[("t", &[1, 1, 1, 1, 1], 0, 0)], 32),
        (&[("t", &[8], 0, 0), ("t", &[8], 0, 32)], 64),
        (&[("t", &[8], 0, 0)], 4_096),
    ] {
        check(
            "m.gguf",
            &gguf(&[], tensors, data),
            &["model.broken-structure"],
        );
    }
    check(
        "m.gguf",
        &gguf(&[name, name], &[], 0),
        &["model.broken-structure"],
    );
    let whole = gguf(&[name], &[("t", &[8], 0, 0)], 32);
    for end in 4..whole.len() {
        stopped("m.gguf", &whole[..end]);
    }
    // Counts that lie, and a version of nobody.
    for (at, value) in [
        (8, u64::MAX),
        (16, u64::MAX),
        (16, 1 << 32),
        (4, 99),
        (24, u64::MAX),
    ] {
        let mut wild = whole.clone();
        wild[at..at + 8].copy_from_slice(&value.to_le_bytes());
        stopped("m.gguf", &wild);
    }
    // An array that claims to be longer than the file, and arrays in arrays without end.
    for inner in [0_u32, 8, 9, 77] {
        let mut array =
            b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0k\x09\0\0\0"
                .to_vec();
        array.extend(inner.to_le_bytes());
        array.extend((1_u64 << 62).to_le_bytes());
        array.resize(array.len() + 64, 9);
        stopped("m.gguf", &array);
    }
}

#[test]
fn r_files_are_weighed() {
    clean("m.rds", &rds(&[19, 2, 13, 2, 1, 2, 254]));
    let name = i32::from_be_bytes(*b"quit");
    check(
        "m.rds",
        &rds(&[5, 252, 6, 1, 9, 4, name, 254]),
        &["r.promise"],
    );
    check(
        "m.dat",
        &rds(&[5, 252, 6, 1, 9, 4, name, 254]),
        &["r.promise"],
    );
    // In a workspace, as CVE-2024-27322 has it.
    let mut workspace = b"RDX2\n".to_vec();
    workspace.extend(rds(&[0x402, 1, 9, 1, 0x6100_0000_u32.cast_signed()]));
    stopped("m.rda", &workspace);
    check("m.rds", &rds(&[3, 253, 254, 254]), &["r.code"]);
    stopped("m.rds", b"A\n2\n197888\n131840\n5\n");
}

#[test]
fn message_pack_is_weighed() {
    let map = |value: &[u8]| [&[0x81, 0xA1, b'w'], value].concat();
    clean("p.msgpack", &map(&[0x01]));
    clean("p.msgpack", &map(&[0xC7, 3, 1, 0x93, 0xC0, 0xC0]));
    let pickle = b"\x80\x04cos\nsystem\nX\x01\0\0\0x\x85R.";
    let extension = map(&[&[0xC7, pickle.len() as u8, 9], &pickle[..]].concat());
    let seen = super::rules("p.msgpack", &extension);
    assert!(seen.contains(&"msgpack.pickle".to_owned()), "{seen:?}");
    check(
        "p.msgpack",
        &map(&[0xD4, 9, 0]),
        &["msgpack.unknown-extension"],
    );
    check(
        "p.msgpack",
        &map(&[0xDD, 0xFF, 0xFF, 0xFF, 0xFF]),
        &["gap", "model.broken-structure"],
    );
    check("p.msgpack", &map(&[1, 2]), &["model.broken-structure"]);
}

#[test]
fn trees_are_weighed() {
    let tree = |children: &str, count: &str| {
        format!(
            r#"{{"learner":{{"gradient_booster":{{"model":{{"trees":[{{"left_children":{children},"right_children":[-1],"split_indices":[0],"split_conditions":[0.5],"parents":[1],"tree_param":{{"num_nodes":"{count}"}}}}]}}}}}}}}"#
        )
    };
    clean("m.json", tree("[-1]", "1").as_bytes());
    for json in [
        tree("[-1]", "2"),
        tree("[7]", "1"),
        tree("[-1,-1]", "1"),
        tree("[0]", "1"),
        tree("[-1]", "x"),
    ] {
        check("m.json", json.as_bytes(), &["model.broken-structure"]);
    }
    let text = "tree\nversion=v4\n\nTree=0\nnum_leaves=2\nsplit_feature=0\nthreshold=0.5\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n";
    clean("m.txt", text.as_bytes());
    check(
        "m.txt",
        text.replace("1 2", "1").as_bytes(),
        &["model.broken-structure"],
    );
    check(
        "m.txt",
        text.replace("num_leaves=2", "num_leaves=99999999999")
            .as_bytes(),
        &["model.broken-structure"],
    );
    clean("m.cbm", b"CBM1\x04\0\0\0abcd");
    check(
        "m.cbm",
        b"CBM1\xff\xff\xff\x7fabcd",
        &["model.broken-structure"],
    );
    check(
        "m.ubj",
        b"{i\x01a[$l#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        &["gap", "model.broken-structure"],
    );
}

#[test]
fn raw_weights_are_known_by_their_numbers() {
    let weights: Vec<u8> = (0..600)
        .flat_map(|n| (n as f32 * 0.01 - 3.0).to_le_bytes())
        .collect();
    clean("model.bin", &weights);
    let mut other = weights.clone();
    other[..8].copy_from_slice(b"\x00program");
    check("model.bin", &other[..other.len() - 1], &["gap"]);
    other.truncate(2_000);
    check("model.bin", &other, &["gap"]);
    check("model.xyz", &weights, &["gap"]);
}

#[test]
fn machine_code_waits_for_a_person() {
    check(
        "libop.so",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
        &["native.code"],
    );
    check(
        "weights.bin",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
        &["native.code"],
    );
    check("model.llamafile", b"MZqFpD='\n\0\0\x01", &["native.code"]);
    check("m.engine", b"ptrt\0\0\0\0\x01\x02", &["model.opaque"]);
    check("m.pte", b"\x18\0\0\0ET12\0\0\0\0", &["model.opaque"]);
    check("m.pyc", b"\xa7\r\r\n\0\0\0\0\x01\x02", &["model.opaque"]);
    clean("variables.data-00000-of-00001", b"\0\x01\x02\x03");
    check("unknown.xyz", b"\0\x01\x02\x03", &["gap"]);
}

#[test]
fn hdf5_behind_a_picture_is_looked_at() {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(512, 0);
    bytes.extend(hdf5(&[], &["/etc/passwd"]));
    let seen = super::rules("m.png", &bytes);
    assert!(seen.contains(&"artifact.polyglot".to_owned()), "{seen:?}");
    assert!(
        seen.iter().any(|rule| rule.starts_with("hdf5.")),
        "{seen:?}"
    );
}

#[test]
fn a_program_of_executorch_is_one_under_any_name() {
    let program = [&b"\x1c\0\0\0ET12"[..], &[0; 64]].concat();
    for name in ["x.weights", "x.data", "0", "model.pte"] {
        check(name, &program, &["model.opaque"]);
    }
}
