use bartizan_formats::{Json, SafeTensors, Source, Yaml};
use bartizan_supply::{Artifact, ScanLimits, Scanned, scan};

/// Small enough for many runs in a second.
const LIMITS: ScanLimits = ScanLimits {
    max_unpacked_bytes: 1 << 20,
    max_members: 1_000,
    max_depth: 4,
    max_steps: 1 << 18,
    max_findings: 1_000,
};

/// HDF5: no address leads out of the file or in circles without end.
pub fn hdf5(data: &[u8]) {
    steady("file.h5", data, b"\x89HDF\r\n\x1a\n");
}

/// Protobuf, as ONNX, TensorFlow, and Core ML have it: no length leads out of its message.
pub fn protobuf(data: &[u8]) {
    steady("file.pb", data, b"\x08");
}

/// GGUF: no count makes room before it is checked.
pub fn gguf(data: &[u8]) {
    steady("file.gguf", data, b"GGUF\x03\0\0\0");
}

/// safetensors: a file without faults has every byte in one tensor.
pub fn safetensors(data: &[u8]) {
    steady("file.safetensors", data, b"");
    let bytes = bartizan_formats::Bytes(data);
    if let Ok(file) = SafeTensors::read(&bytes)
        && file.faults.is_empty()
        && file.tensors == 0
    {
        let header = u64::from_le_bytes(data[..8].try_into().expect("eight bytes were read"));
        assert_eq!(bytes.len(), 8 + header, "bytes that belong to nobody");
    }
}

/// FlatBuffers, as TensorFlow Lite has them: no offset leads out of the file.
pub fn flatbuffer(data: &[u8]) {
    steady("file.tflite", data, b"\x08\0\0\0TFL3");
}

/// MessagePack and R's serialised data: no length is believed.
pub fn tagged_values(data: &[u8]) {
    steady("file.msgpack", data, b"\x81");
    steady("file.rds", data, b"X\n\0\0\0\x02\0\x04\0\0\0\x02\x03\0");
    steady("file.ubj", data, b"{L");
}

/// Python source: whatever follows a call, the call is found.
pub fn python_source(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    steady("file.py", text.as_bytes(), b"");
    // Text of the file's start decides what it is, so it must stay text.
    if text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace()) {
        return;
    }
    finds("file.py", &format!("import os\nos.system('x')\n{text}"), "code.risky-call");
}

/// Jinja templates: whatever follows an escape, the escape is found.
pub fn jinja(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    steady("file.jinja", text.as_bytes(), b"{{");
    if text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace()) {
        return;
    }
    finds("file.jinja", &format!("{{{{ ''.__class__ }}}}{text}"), "template.escape");
}

/// JSON and YAML: what a strict reader takes, ours takes.
pub fn settings(data: &[u8]) {
    steady("config.json", data, b"{");
    steady("config.yaml", data, b"a: ");
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if serde_json::from_str::<serde_json::Value>(text).is_ok() {
        assert!(Json::parse(text).is_ok(), "JSON was refused");
    }
    let _ = Yaml::read(text);
}

/// The same bytes have the same report, with and without the mark that leads to a parser.
fn steady(path: &str, data: &[u8], mark: &[u8]) {
    for bytes in [data.to_vec(), [mark, data].concat()] {
        assert_eq!(look(path, &bytes), look(path, &bytes), "the report changed");
    }
}

fn finds(path: &str, text: &str, rule: &str) {
    let found = look(path, text.as_bytes())
        .iter()
        .flat_map(|one| &one.report.findings)
        .any(|finding| finding.rule.id == rule);
    assert!(found, "a sign was lost");
}

fn look(path: &str, data: &[u8]) -> Vec<Scanned> {
    let artifact = Artifact {
        path,
        source: &bartizan_formats::Bytes(data),
    };
    let scanned = scan(&artifact, &LIMITS);
    for one in &scanned {
        assert!(!one.report.coverage.is_empty(), "nothing was asked");
    }
    scanned
}
