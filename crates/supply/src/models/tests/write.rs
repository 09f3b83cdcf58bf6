//! Small writers of binary formats.

/// A field of wire type 2.
pub(super) fn field(number: u32, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut out = varint(u64::from(number) << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend(bytes);
    out
}

/// A field of wire type 0.
pub(super) fn number(number: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

/// A message of several fields.
pub(super) fn message(fields: &[Vec<u8>]) -> Vec<u8> {
    fields.concat()
}

/// An HDF5 file (superblock version 2) whose root has text attributes and links to other files.
pub(super) fn hdf5(attributes: &[(&str, &str)], external: &[&str]) -> Vec<u8> {
    let mut messages = Vec::new();
    for (name, text) in attributes {
        // Datatype: a string of fixed size; dataspace: a scalar (version 2).
        let mut kind = vec![0x13, 0, 0, 0];
        kind.extend((text.len() as u32).to_le_bytes());
        let space = [2, 0, 0, 0];
        let mut data = vec![3, 0];
        for size in [name.len() + 1, kind.len(), space.len()] {
            data.extend((size as u16).to_le_bytes());
        }
        data.push(0);
        data.extend(name.as_bytes());
        data.push(0);
        data.extend(&kind);
        data.extend(space);
        data.extend(text.as_bytes());
        messages.push((0x0C, data));
    }
    for target in external {
        let mut value = vec![0];
        value.extend(target.as_bytes());
        value.extend(b"\0/x\0");
        // A link with its kind written out, and a name of one letter.
        let mut data = vec![1, 8, 64, 1, b'l'];
        data.extend((value.len() as u16).to_le_bytes());
        data.extend(value);
        messages.push((0x06, data));
    }
    let mut block = Vec::new();
    for (kind, data) in messages {
        block.push(kind);
        block.extend((data.len() as u16).to_le_bytes());
        block.push(0);
        block.extend(data);
    }
    let mut out = b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00".to_vec();
    let root = 48_u64;
    for address in [0, u64::MAX, 0, root] {
        out.extend(address.to_le_bytes());
    }
    out.extend([0; 4]);
    out.extend(b"OHDR\x02\x02");
    out.extend((block.len() as u32).to_le_bytes());
    out.extend(block);
    out.extend([0; 4]);
    out
}

/// A safetensors file.
pub(super) fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header.as_bytes());
    out.resize(out.len() + data, 0);
    out
}

/// A tensor of a GGUF file: name, sides, type, offset.
pub(super) type GgufTensor<'a> = (&'a str, &'a [u64], u32, u64);

/// A GGUF file (version 3) of texts, tensors, and `data` bytes of weights.
pub(super) fn gguf(texts: &[(&str, &str)], tensors: &[GgufTensor<'_>], data: usize) -> Vec<u8> {
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    };
    let mut out = b"GGUF\x03\0\0\0".to_vec();
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((texts.len() as u64).to_le_bytes());
    for (key, value) in texts {
        text(&mut out, key);
        out.extend(8_u32.to_le_bytes());
        text(&mut out, value);
    }
    for (name, sides, kind, offset) in tensors {
        text(&mut out, name);
        out.extend((sides.len() as u32).to_le_bytes());
        sides.iter().for_each(|side| out.extend(side.to_le_bytes()));
        out.extend(kind.to_le_bytes());
        out.extend(offset.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(32), 0);
    out.resize(out.len() + data, 0);
    out
}

/// A TensorFlow Lite model with operator codes, each a number and a custom name.
pub(super) fn tflite(codes: &[(u8, &str)]) -> Vec<u8> {
    // Built forwards: every offset is patched when its target is known.
    let mut out = vec![0, 0, 0, 0];
    out.extend(b"TFL3");
    let table = |out: &mut Vec<u8>, fields: &[u16], bytes: u16| {
        let layout = out.len();
        out.extend(((fields.len() as u16) * 2 + 4).to_le_bytes());
        out.extend((bytes + 4).to_le_bytes());
        fields
            .iter()
            .for_each(|field| out.extend(field.to_le_bytes()));
        while !out.len().is_multiple_of(4) {
            out.push(0);
        }
        let at = out.len();
        out.extend(((at - layout) as i32).to_le_bytes());
        out.resize(at + 4 + usize::from(bytes), 0);
        at
    };
    let patch = |out: &mut Vec<u8>, place: usize| {
        let offset = (out.len() - place) as u32;
        out[place..place + 4].copy_from_slice(&offset.to_le_bytes());
    };
    let model = table(&mut out, &[0, 4, 8, 0, 12], 12);
    out[0..4].copy_from_slice(&(model as u32).to_le_bytes());
    patch(&mut out, model + 4);
    out.extend((codes.len() as u32).to_le_bytes());
    let list = out.len();
    out.resize(list + 4 * codes.len(), 0);
    for (index, (builtin, name)) in codes.iter().enumerate() {
        let place = list + 4 * index;
        let code = table(&mut out, &[4, 8], 8);
        let offset = (code - place) as u32;
        out[place..place + 4].copy_from_slice(&offset.to_le_bytes());
        out[code + 4] = *builtin;
        patch(&mut out, code + 8);
        out.extend((name.len() as u32).to_le_bytes());
        out.extend(name.as_bytes());
        while !out.len().is_multiple_of(4) {
            out.push(0);
        }
    }
    for place in [model + 8, model + 12] {
        patch(&mut out, place);
        out.extend(0_u32.to_le_bytes());
    }
    out
}

/// A stream of R's serialisation, version 2, of these words.
pub(super) fn rds(words: &[i32]) -> Vec<u8> {
    let mut out = b"X\n".to_vec();
    for word in [2, 0x0004_0000, 0x0002_0300].iter().chain(words) {
        out.extend(word.to_be_bytes());
    }
    out
}
