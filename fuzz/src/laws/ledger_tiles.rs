use std::{collections::BTreeMap, io, sync::Mutex};

use bartizan_ledger::{
    Entries, Ledger, Reader, Signer, Storage, Trust, encode_entry, read_frames, verify,
    verify_export,
};

/// Files in memory.
#[derive(Default)]
struct Files(Mutex<BTreeMap<String, Vec<u8>>>);

/// Files of a ledger that nobody vouches for: bundles and frames are read without harm, a whole
/// ledger is clean only while no byte of a file that counts was changed, and exports likewise.
pub fn ledger_tiles(data: &[u8]) {
    let entries: Result<Vec<&[u8]>, _> = Entries::of(data).collect();
    if let Ok(entries) = entries {
        let mut again = Vec::new();
        assert!(entries.iter().all(|entry| encode_entry(entry, &mut again)));
        assert_eq!(again, data);
    }
    let _ = read_frames(data);
    let signer = Signer::new("example.com/ledger", &[1; 32]).expect("a name");
    let trust = Trust {
        ledger: signer.verifier(),
        witnesses: Vec::new(),
    };
    let _ = verify_export(&mut &*data, &trust);

    // The first byte says which file becomes the rest of the bytes, or has them in its middle.
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let files = std::sync::Arc::new(Files::default());
    let (mut ledger, _) = Ledger::open(files.clone(), signer.clone()).expect("an empty place");
    let entries: Vec<Vec<u8>> = (0..300_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    ledger.append(&entries, None).expect("memory");
    ledger.publish().expect("memory");
    drop(ledger);
    let mut all = files.0.lock().expect("one thread").clone();
    let names: Vec<String> = all.keys().cloned().collect();
    let name = &names[usize::from(choice) % names.len()];
    let file = all.get_mut(name).expect("its name is known");
    let before = file.clone();
    if choice < 128 {
        *file = rest.to_vec();
    } else {
        let middle = file.len() / 2;
        file.splice(middle..middle, rest.iter().copied());
    }
    let changed = *file != before;
    let files = std::sync::Arc::new(Files(Mutex::new(all)));
    let outcome = verify(&*files, &trust, &[], false);
    let clean = outcome.is_ok_and(|outcome| outcome.damage.is_none() && outcome.torn_bytes == 0);
    assert!(clean != changed, "{name}");
    if let Ok((reader, signed)) = Reader::newest(&*files, &trust) {
        for index in [0, 255, 299] {
            if let Ok((proof, entry)) = reader.prove(index, &signed) {
                assert_eq!(entry, (index as u32).to_le_bytes());
                assert!(proof.verify(&entry, &trust).is_ok());
            }
        }
    }
    // The writer refuses what is not its own, or goes on with all that was kept.
    if let Ok((ledger, _)) = Ledger::open(files, signer) {
        assert_eq!(ledger.size(), 300);
    }
}

impl Storage for Files {
    fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        match self.0.lock().expect("one thread").get(name) {
            Some(bytes) if bytes.len() as u64 > max => Err(io::ErrorKind::FileTooLarge.into()),
            bytes => Ok(bytes.cloned()),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let files = self.0.lock().expect("one thread");
        let inside = |name: &String| {
            let name = name.strip_prefix(folder)?.strip_prefix('/')?;
            Some(name.split('/').next()?.to_owned())
        };
        Ok(files.keys().filter_map(inside).collect())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.0.lock().expect("one thread");
        files.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn append(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.0.lock().expect("one thread");
        let file = files.entry(name.to_owned()).or_default();
        file.truncate(at as usize);
        file.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, _: &[String]) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        let mut files = self.0.lock().expect("one thread");
        files.entry(name.to_owned()).or_default().truncate(length as usize);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().expect("one thread").remove(name);
        Ok(())
    }
}
