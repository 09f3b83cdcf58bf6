//! Zip archives with any lie in them.

use std::io::Write;

use bartizan_formats::archive::crc32;

/// A zip archive that is being written.
#[derive(Clone, Default)]
pub(crate) struct Rig {
    files: Vec<File>,
    prefix: Vec<u8>,
    deflated: bool,
}

#[derive(Clone)]
struct File {
    name: String,
    local_name: String,
    data: Vec<u8>,
    flags: u16,
    crc: u32,
    mode: u32,
    listed: bool,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn file(mut self, name: &str, data: &[u8]) -> Self {
        self.files.push(File {
            name: name.to_owned(),
            local_name: name.to_owned(),
            data: data.to_vec(),
            flags: 0,
            crc: crc32(data),
            mode: 0o100_644,
            listed: true,
        });
        self
    }

    fn last(mut self, change: impl FnOnce(&mut File)) -> Self {
        change(self.files.last_mut().unwrap());
        self
    }

    /// The last file says that it is encrypted.
    pub(crate) fn flagged(self) -> Self {
        self.last(|file| file.flags = 1)
    }

    /// The last file has a wrong checksum.
    pub(crate) fn wrong_crc(self) -> Self {
        self.last(|file| file.crc ^= 1)
    }

    /// The last file has another name in its own header.
    pub(crate) fn local_name(self, name: &str) -> Self {
        self.last(|file| name.clone_into(&mut file.local_name))
    }

    /// The last file is a symbolic link.
    pub(crate) fn link(self) -> Self {
        self.last(|file| file.mode = 0o120_777)
    }

    /// The last file is not in the directory.
    pub(crate) fn unlisted(self) -> Self {
        self.last(|file| file.listed = false)
    }

    pub(crate) fn prefix(mut self, bytes: &[u8]) -> Self {
        self.prefix = bytes.to_vec();
        self
    }

    /// Every file is compressed.
    pub(crate) fn deflated(mut self) -> Self {
        self.deflated = true;
        self
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let mut directory = Vec::new();
        let mut count = 0u16;
        for file in &self.files {
            let at = u32::try_from(out.len()).unwrap();
            let (method, packed) = self.pack(&file.data);
            let length = u32::try_from(packed.len()).unwrap();
            let size = u32::try_from(file.data.len()).unwrap();
            let mut shared = Vec::new();
            for number in [20, file.flags, method, 0, 0] {
                shared.extend(number.to_le_bytes());
            }
            for number in [file.crc, length, size] {
                shared.extend(number.to_le_bytes());
            }
            out.extend(b"PK\x03\x04");
            out.extend(&shared);
            out.extend(u16::try_from(file.local_name.len()).unwrap().to_le_bytes());
            out.extend([0, 0]);
            out.extend(file.local_name.as_bytes());
            out.extend(packed);
            if !file.listed {
                continue;
            }
            count += 1;
            directory.extend(b"PK\x01\x02\x14\x03");
            directory.extend(&shared);
            directory.extend(u16::try_from(file.name.len()).unwrap().to_le_bytes());
            directory.extend([0; 8]);
            directory.extend((file.mode << 16).to_le_bytes());
            directory.extend(at.to_le_bytes());
            directory.extend(file.name.as_bytes());
        }
        let at = u32::try_from(out.len()).unwrap();
        let length = u32::try_from(directory.len()).unwrap();
        out.extend(directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend(at.to_le_bytes());
        out.extend([0, 0]);
        out
    }

    fn pack(&self, data: &[u8]) -> (u16, Vec<u8>) {
        if !self.deflated {
            return (0, data.to_vec());
        }
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).unwrap();
        (8, encoder.finish().unwrap())
    }
}
