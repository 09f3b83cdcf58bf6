use bartizan_ledger::{Folder, Inclusion, Reader, Storage as _, inclusion_holds};
use tlog_tiles::{
    Checkpoint, Error, Hash, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_record, prove_tree, record_hash, tree_hash,
};

use super::{ORIGIN, entry, written};

struct Tiles<'a>(&'a Folder);

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            // Its paths have the height in them, those of C2SP have not.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            let wanted = tile.width() as usize * 32;
            let mut bytes = self
                .0
                .read(&path, 1 << 14)
                .unwrap()
                .unwrap_or_else(|| panic!("{path}"));
            bytes.truncate(wanted);
            Ok(bytes)
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn theirs(hash: bartizan_ledger::Hash) -> Hash {
    Hash(*hash.as_bytes())
}

#[test]
fn tlog_tiles_reads_our_tiles_and_takes_our_proofs() {
    let place = tempfile::tempdir().unwrap();
    for (old, size) in [(1, 2), (255, 256), (256, 257), (300, 70_001)] {
        let place = place.path().join(size.to_string());
        let (folder, ledger, before) = written(&place, old, size);
        let signed = ledger.checkpoint();
        let checkpoint = Checkpoint::from_bytes(signed.note.text().as_bytes()).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, size));
        assert_eq!(*checkpoint.hash(), theirs(signed.checkpoint.root));
        let tiles = Tiles(&folder);
        let hashes = TileHashReader::new(size, *checkpoint.hash(), &tiles);
        assert_eq!(tree_hash(size, &hashes).unwrap(), *checkpoint.hash());
        let reader = Reader::new(&*folder, size);
        for index in [0, size / 2, size - 1] {
            let our = reader.inclusion(index, &signed.checkpoint).unwrap();
            let proof: Vec<Hash> = our.hashes.iter().copied().map(theirs).collect();
            let leaf = record_hash(&entry(index));
            check_record(&proof, size, *checkpoint.hash(), index, leaf).unwrap();
            let proof = prove_record(size, index, &hashes).unwrap();
            let hashes = proof
                .iter()
                .map(|hash| bartizan_ledger::Hash::from_bytes(hash.0))
                .collect();
            let leaf = bartizan_ledger::Hash::from_bytes(leaf.0);
            let inclusion = Inclusion { index, hashes };
            inclusion_holds(leaf, &inclusion, size, signed.checkpoint.root).unwrap();
            assert_eq!(inclusion, our);
        }
        let our: Vec<Hash> = reader
            .consistency(old)
            .unwrap()
            .into_iter()
            .map(theirs)
            .collect();
        let root = theirs(before.checkpoint.root);
        check_tree(&our, size, *checkpoint.hash(), old, root).unwrap();
        assert_eq!(prove_tree(size, old, &hashes).unwrap(), our);
    }
}
