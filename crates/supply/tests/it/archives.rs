//! What is in archives, however they are written.

use std::io::Write;

use bartizan_formats::Bytes;
use bartizan_supply::{Artifact, ScanLimits, scan};

use crate::{
    Clean, Incomplete, Malicious, Review, assembler::pickle, check, honest::state, ziprig::Rig,
};

fn call() -> Vec<u8> {
    pickle().call("os", "system", "true").stop()
}

fn torch(data: &[u8]) -> Rig {
    Rig::new()
        .file("archive/version", b"3\n")
        .file("archive/data.pkl", data)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lies_of_zip_hide_nothing() {
    let rule = "pickle.runs-process";
    let lie = "archive.reader-disagreement";
    for (name, bytes) in [
        ("plain", torch(&call()).build()),
        ("packed", torch(&call()).deflated().build()),
        // CVE-2025-1945, CVE-2025-10156, CVE-2025-1944, CVE-2025-1889
        ("says it is encrypted", torch(&call()).flagged().build()),
        ("wrong checksum", torch(&call()).wrong_crc().build()),
        (
            "another local name",
            torch(&call()).local_name("archive/readme.txt").build(),
        ),
        (
            "another extension",
            torch(&state()).file("archive/config.p", &call()).build(),
        ),
        (
            "not listed",
            torch(&state())
                .file("archive/x", &call())
                .unlisted()
                .file("z", b"z")
                .build(),
        ),
        (
            "two of one name",
            torch(&call()).file("archive/data.pkl", &state()).build(),
        ),
        (
            "behind other bytes",
            torch(&call()).prefix(b"\x89PNG\r\n\x1a\nxx").build(),
        ),
        (
            "in an archive",
            Rig::new()
                .file("a.zip", &torch(&call()).build())
                .deflated()
                .build(),
        ),
    ] {
        check(name, &bytes, Malicious, rule);
    }
    for (name, bytes) in [
        ("says it is encrypted", torch(&state()).flagged().build()),
        ("wrong checksum", torch(&state()).wrong_crc().build()),
        (
            "another local name",
            torch(&state()).local_name("x").build(),
        ),
        (
            "not listed",
            torch(&state())
                .file("x", b"x")
                .unlisted()
                .file("z", b"z")
                .build(),
        ),
        (
            "two of one name",
            torch(&state()).file("archive/data.pkl", &state()).build(),
        ),
    ] {
        check(name, &bytes, Review, lie);
    }
    let two = [torch(&call()).build(), torch(&state()).build()].concat();
    check("two archives, one behind the other", &two, Malicious, rule);
}

#[test]
fn storages_are_no_pickles_only_where_torch_reads_them() {
    let there = torch(&state()).file("archive/data/0", &call()).build();
    check("a storage", &there, Clean, "");
    for place in [
        "archive/data/0.pkl",
        "other/data/0",
        "archive/extra/0",
        "data/0",
    ] {
        let elsewhere = torch(&state()).file(place, &call()).build();
        check(place, &elsewhere, Malicious, "pickle.runs-process");
    }
}

#[test]
fn torch_script_and_packages() {
    let script = |code: &str| torch(&state()).file("archive/code/__torch__/m.py", code.as_bytes());
    let honest = script("def forward(self, x):\n  return torch.relu(x)\n").build();
    check("a script", &honest, Clean, "");
    let opens = script("x = torch.from_file(\"/etc/passwd\", False, 10)\n").build();
    check("from_file", &opens, Malicious, "torch.script-touches-files");
    let constants = torch(&state())
        .file("archive/constants.pkl", &call())
        .build();
    check("constants", &constants, Malicious, "pickle.runs-process");
    let package = Rig::new()
        .file("p/.data/extern_modules", b"torch\n")
        .file("p/model/model.pkl", &pickle().int(1).stop())
        .file("p/mine.py", b"import os\n")
        .build();
    check("a package", &package, Review, "torch.package-source");
}

#[test]
fn paths_and_links_that_lead_out() {
    for path in ["../../.bashrc", "/etc/cron.d/x", "a\\..\\..\\x"] {
        let bytes = Rig::new().file(path, b"x").build();
        check(path, &bytes, Malicious, "archive.path-escape");
    }
    for target in ["/etc/passwd", "../../x"] {
        let bytes = Rig::new().file("a/link", target.as_bytes()).link().build();
        check(target, &bytes, Malicious, "archive.link-escape");
    }
    let inside = Rig::new().file("a/link", b"../b").link().build();
    check("a link inside", &inside, Clean, "");
}

fn tar(entries: &[(&str, tar::EntryType, &[u8], &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, kind, data, target) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        // The checked setters refuse what leads out.
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        let link = &mut header.as_old_mut().linkname;
        link[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        builder.append(&header, *data).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn tar_archives() {
    let file = tar::EntryType::Regular;
    let link = tar::EntryType::Symlink;
    let hard = tar::EntryType::Link;
    let clean = tar(&[("a/readme.txt", file, b"text\n", "")]);
    check("files", &clean, Clean, "");
    // CVE-2025-32434: PyTorch's first format is a tar archive whose pickles are run.
    let model = tar(&[
        ("pickle", file, &call(), ""),
        ("storages", file, &state(), ""),
    ]);
    check("PyTorch 0.1", &model, Malicious, "pickle.runs-process");
    let out = tar(&[("../x", file, b"x", "")]);
    check("a path", &out, Malicious, "archive.path-escape");
    let symbolic = tar(&[("a", link, b"", "/etc/passwd")]);
    check("a link", &symbolic, Malicious, "archive.link-escape");
    let other = tar(&[("a", hard, b"", "../../etc/shadow")]);
    check("a hard link", &other, Malicious, "archive.link-escape");
    let device = tar(&[("a", tar::EntryType::Char, b"", "")]);
    check("a device", &device, Review, "archive.odd-member");
    let packed = gzip(&model);
    check("a packed tar", &packed, Malicious, "pickle.runs-process");
    check("cut off", &clean[..514], Incomplete, "");
}

#[test]
fn bytes_of_a_folder_or_link_are_entries_to_python() {
    let rule = "pickle.runs-process";
    let lie = "archive.reader-disagreement";
    let hidden = tar(&[("pickle", tar::EntryType::Regular, &call(), "")]);
    for kind in [
        tar::EntryType::Directory,
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Fifo,
    ] {
        let bytes = tar(&[("a", kind, &hidden[..1024], "b")]);
        check(&format!("{kind:?}"), &bytes, Malicious, rule);
        let harmless = tar(&[("a", kind, b"text\n", "b")]);
        check(&format!("{kind:?}"), &harmless, Review, lie);
    }
    let slash = tar(&[("a/", tar::EntryType::Regular, &hidden[..1024], "")]);
    check("a folder of old", &slash, Malicious, rule);
}

#[test]
fn notes_about_all_entries_of_a_tar_may_move_them() {
    let global = tar::EntryType::XGlobalHeader;
    let lie = "archive.reader-disagreement";
    let file = ("a.txt", tar::EntryType::Regular, &b"text\n"[..], "");
    let git = tar(&[("pax_global_header", global, b"14 comment=abc\n", ""), file]);
    check("a commit", &git, Clean, "");
    for note in [
        &b"11 size=99\n"[..],
        b"14 path=pickle\n",
        b"22 GNU.sparse.major=1\n",
    ] {
        let bytes = tar(&[("pax_global_header", global, note, ""), file]);
        check("a size or name", &bytes, Review, lie);
    }
    let sparse = tar::EntryType::XHeader;
    let note = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n";
    let bytes = tar(&[("x", sparse, note, ""), file]);
    check("holes", &bytes, Review, lie);
}

#[test]
fn a_tar_without_magic_is_one() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_old();
    header.set_path("pickle").unwrap();
    header.set_size(call().len() as u64);
    header.set_cksum();
    builder.append(&header, &*call()).unwrap();
    let bytes = builder.into_inner().unwrap();
    check("of 1979", &bytes, Malicious, "pickle.runs-process");
}

#[test]
fn compressed_files_of_every_kind() {
    let lz4 = {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(&call()).unwrap();
        encoder.finish().unwrap()
    };
    let zlib = {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&call()).unwrap();
        encoder.finish().unwrap()
    };
    let bzip2 = {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        encoder.write_all(&call()).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = zstd::encode_all(&*call(), 3).unwrap();
    for (name, bytes) in [
        ("gzip", gzip(&call())),
        (
            "two members of gzip",
            [gzip(b"\x80"), gzip(&call()[1..])].concat(),
        ),
        ("zlib", zlib),
        ("bzip2", bzip2),
        ("zstd", zstd),
        ("lz4", lz4),
    ] {
        check(name, &bytes, Malicious, "pickle.runs-process");
    }
}

#[test]
fn bombs_are_cut_and_never_clean() {
    let bomb = gzip(&vec![0; 1 << 20]);
    let limits = ScanLimits {
        max_unpacked_bytes: 128 << 10,
        ..ScanLimits::default()
    };
    let look = |bytes: &[u8]| {
        let artifact = Artifact {
            path: "file",
            source: &Bytes(bytes),
        };
        scan(&artifact, &limits)
    };
    let scanned = look(&bomb);
    assert_eq!(crate::word(&scanned), Review);
    assert!(!scanned[0].report.is_complete());
    // What came out before the end of the budget was looked at.
    let hidden = gzip(&[call(), vec![0; 1 << 20]].concat());
    assert_eq!(crate::word(&look(&hidden)), Malicious);
    // The budget is one for all members.
    let many = (0..64).fold(Rig::new(), |rig, number| {
        rig.file(&format!("{number}.txt"), &[b'a'; 4 << 10])
    });
    assert!(!look(&many.deflated().build())[0].report.is_complete());
}

#[test]
fn arrays_of_objects_are_pickles() {
    let npy = |descr: &str, data: &[u8]| {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n");
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), data].concat()
    };
    check("numbers", &npy("'<f8'", &[0; 8]), Clean, "");
    check(
        "objects",
        &npy("'|O'", &call()),
        Malicious,
        "pickle.runs-process",
    );
    check(
        "harmless objects",
        &npy("'|O'", &pickle().int(1).stop()),
        Clean,
        "",
    );
    let npz = Rig::new()
        .file("a.npy", &npy("[('a', '|O')]", &call()))
        .deflated()
        .build();
    check("in an archive", &npz, Malicious, "pickle.runs-process");
}

#[test]
fn what_archives_in_archives_hold_at_once_is_within_the_budget() {
    let layer = |inner: Vec<u8>| gzip(&[inner, vec![0; 40 << 10]].concat());
    let nested = layer(layer(layer(call())));
    let limits = ScanLimits {
        max_unpacked_bytes: 100 << 10,
        ..ScanLimits::default()
    };
    let artifact = Artifact {
        path: "file",
        source: &Bytes(&nested),
    };
    let scanned = scan(&artifact, &limits);
    let unpacked: u64 = scanned.iter().skip(1).map(|one| one.bytes).sum();
    assert!(unpacked <= 100 << 10, "{unpacked} bytes");
    assert!(scanned.iter().any(|one| !one.report.is_complete()));
}

#[test]
fn two_things_at_once() {
    let both = torch(&state()).prefix(&pickle().int(1).stop()).build();
    check("a pickle and a zip", &both, Review, "artifact.polyglot");
    let call = torch(&state()).prefix(&call()).build();
    check("a call and a zip", &call, Malicious, "pickle.runs-process");
}
