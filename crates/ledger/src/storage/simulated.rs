use std::{collections::BTreeMap, io};

use parking_lot::Mutex;

use super::Storage;

/// Files in memory that can lose power: at a given operation everything fails, and what the disk was
/// not told to keep is lost, or not, as a number says.
#[derive(Debug, Default)]
pub(crate) struct Simulated(Mutex<State>);

#[derive(Clone, Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// What the disk has.
    kept: BTreeMap<String, Vec<u8>>,
    /// Operations until the power is lost.
    fuse: Option<u64>,
}

impl Simulated {
    /// Lets the power go after so many operations.
    pub(crate) fn with_fuse(operations: u64) -> Self {
        let simulated = Self::default();
        simulated.0.lock().fuse = Some(operations);
        simulated
    }

    /// What is there after the power came back. Each file that the disk was not told to keep is
    /// there as it was last, or as it was kept, or torn, as the bits of `luck` say.
    pub(crate) fn after_power_cut(&self, mut luck: u64) -> Self {
        let state = self.0.lock();
        let names: Vec<&String> = state.files.keys().chain(state.kept.keys()).collect();
        let mut files = BTreeMap::new();
        for name in names {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (now, kept) = (state.files.get(name), state.kept.get(name));
            let survivor = match (luck >> 33) % 3 {
                0 => kept.cloned(),
                1 => now.cloned(),
                // A part of what was written since; appended bytes only, others are renamed.
                _ => match (now, kept) {
                    (Some(now), Some(kept)) if now.starts_with(without_zeros(kept)) => {
                        let from = without_zeros(kept).len();
                        let cut = from + (luck >> 40) as usize % (now.len() - from + 1);
                        let mut torn = now[..cut].to_vec();
                        torn.resize(torn.len().max(kept.len()), 0);
                        Some(torn)
                    }
                    (Some(now), None) if name.starts_with("tail/") => {
                        let cut = (luck >> 40) as usize % (now.len() + 1);
                        Some(now[..cut].to_vec())
                    }
                    _ => now.cloned(),
                },
            };
            files.extend(survivor.map(|bytes| (name.clone(), bytes)));
        }
        Self(Mutex::new(State {
            kept: files.clone(),
            files,
            fuse: None,
        }))
    }

    /// Every file, to be tampered with.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().files.clone()
    }

    /// These files.
    pub(crate) fn of(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(Mutex::new(State {
            kept: files.clone(),
            files,
            fuse: None,
        }))
    }

    /// These files instead, and the fuse as it is.
    pub(crate) fn replace(&self, files: BTreeMap<String, Vec<u8>>) {
        let mut state = self.0.lock();
        state.kept = files.clone();
        state.files = files;
    }

    /// Lets the power go after so many operations, or come back.
    pub(crate) fn set_fuse(&self, operations: Option<u64>) {
        self.0.lock().fuse = operations;
    }

    fn run<T>(&self, operation: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.lock();
        match &mut state.fuse {
            Some(0) => return Err(io::Error::other("no power")),
            Some(left) => *left -= 1,
            None => {}
        }
        operation(&mut state)
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    &bytes[..end.map_or(0, |end| end + 1)]
}

impl Storage for Simulated {
    fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        match self.0.lock().files.get(name) {
            Some(bytes) if bytes.len() as u64 > max => Err(io::ErrorKind::FileTooLarge.into()),
            bytes => Ok(bytes.cloned()),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let inside = |name: &String| {
            let name = name.strip_prefix(folder)?.strip_prefix('/')?;
            Some(name.split('/').next()?.to_owned())
        };
        Ok(self.0.lock().files.keys().filter_map(inside).collect())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.run(|state| {
            state.files.insert(name.to_owned(), bytes.to_vec());
            Ok(())
        })
    }

    fn append(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let whole = self.run(|state| {
            let file = state.files.entry(name.to_owned()).or_default();
            file.truncate(at as usize);
            file.extend_from_slice(bytes);
            // Sometimes, as a real folder does.
            file.resize(file.len() + bytes.len() % 3 * 50, 0);
            Ok(file.clone())
        })?;
        self.run(|state| {
            state.kept.insert(name.to_owned(), whole);
            Ok(())
        })
    }

    fn sync(&self, names: &[String]) -> io::Result<()> {
        names.iter().try_for_each(|name| {
            self.run(|state| {
                match state.files.get(name) {
                    Some(bytes) => state.kept.insert(name.clone(), bytes.clone()),
                    None => state.kept.remove(name),
                };
                Ok(())
            })
        })
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.run(|state| {
            let file = state.files.entry(name.to_owned()).or_default();
            file.truncate(length as usize);
            state.kept.insert(name.to_owned(), file.clone());
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.run(|state| {
            state.files.remove(name);
            Ok(())
        })
    }
}
