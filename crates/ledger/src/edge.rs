use crate::{Hash, Peaks, TILE_WIDTH, Tile};

/// The right edge of a tree that is kept in tiles: its peaks, and the hashes of the tiles that are
/// not full yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    peaks: Peaks,
    levels: Vec<Vec<Hash>>,
}

/// A tile that is full, with its 256 hashes.
pub type Completed = (Tile, Vec<Hash>);

impl Edge {
    /// The edge of a tree of `size` leaves with the hashes of its unfinished tiles, of level 0
    /// first; `None` if there are not as many as such a tree has.
    #[must_use]
    pub fn of(size: u64, levels: Vec<Vec<Hash>>) -> Option<Self> {
        let mut hashes = Vec::new();
        for level in (0..levels_of(size)).rev() {
            let width = width(size, level);
            let tile = levels.get(level as usize)?;
            if tile.len() != width {
                return None;
            }
            let mut rest = tile.as_slice();
            while !rest.is_empty() {
                let (subtree, after) = rest.split_at_checked(1 << rest.len().ilog2())?;
                hashes.push(root(subtree));
                rest = after;
            }
        }
        if levels.len() != levels_of(size) as usize {
            return None;
        }
        Some(Self {
            peaks: Peaks::of(size, hashes)?,
            levels,
        })
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.peaks.size()
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks.root()
    }

    /// The hashes of the unfinished tiles, of level 0 first.
    #[must_use]
    pub fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// Appends a leaf; tiles that are full with it go into `completed`.
    pub fn push(&mut self, leaf: Hash, completed: &mut Vec<Completed>) {
        let index = self.peaks.size();
        let levels = &mut self.levels;
        put(levels, 0, leaf);
        self.peaks.push(leaf, |height, node| {
            if height.is_multiple_of(8) {
                let level = height / 8;
                let full = levels
                    .get_mut(level as usize - 1)
                    .map(std::mem::take)
                    .unwrap_or_default();
                let tile = Tile {
                    level: level as u8 - 1,
                    index: index >> (8 * level),
                };
                completed.push((tile, full));
                put(levels, level as usize, node);
            }
        });
    }
}

fn put(levels: &mut Vec<Vec<Hash>>, level: usize, hash: Hash) {
    if levels.len() <= level {
        levels.resize_with(level + 1, Vec::new);
    }
    if let Some(tile) = levels.get_mut(level) {
        tile.push(hash);
    }
}

/// How many levels of tiles a tree of `size` leaves has.
pub(crate) const fn levels_of(size: u64) -> u32 {
    if size == 0 { 0 } else { size.ilog2() / 8 + 1 }
}

/// Hashes in the unfinished tile of `level`.
pub(crate) const fn width(size: u64, level: u32) -> usize {
    ((size >> (8 * level)) % TILE_WIDTH) as usize
}

/// The root of a perfect subtree of `hashes`, a power of two of them.
pub(crate) fn root(hashes: &[Hash]) -> Hash {
    let mut peaks = Peaks::default();
    for &hash in hashes {
        peaks.push(hash, |_, _| {});
    }
    peaks.root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_where_it_was_left() {
        let mut edge = Edge::default();
        let mut completed = Vec::new();
        for n in 0..70_000_u64 {
            if n % 997 == 0 || n % 256 < 2 {
                let again = Edge::of(edge.size(), edge.levels().to_vec());
                assert_eq!(again.as_ref(), Some(&edge), "{n}");
            }
            edge.push(Hash::leaf(&n.to_be_bytes()), &mut completed);
        }
        let full: Vec<Tile> = completed.iter().map(|(tile, _)| *tile).collect();
        assert_eq!(full.len(), 70_000 / 256 + 1);
        assert!(full.contains(&Tile { level: 1, index: 0 }));
        assert!(completed.iter().all(|(_, hashes)| hashes.len() == 256));
        assert!(Edge::of(3, vec![vec![Hash::default(); 2]]).is_none());
        assert!(Edge::of(256, vec![vec![]]).is_none());
    }
}
