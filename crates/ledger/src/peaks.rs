use crate::Hash;

/// The roots of the perfect subtrees that a tree of some size consists of, largest first: all that
/// is needed to go on from there and to know the root.
///
/// A tree of 11 leaves has the peaks of its first 8, of the next 2, and of the last 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    size: u64,
    hashes: Vec<Hash>,
}

impl Peaks {
    /// The peaks of a tree of `size` leaves; `None` unless there is one hash for each bit of `size`.
    #[must_use]
    pub fn of(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { size, hashes })
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf, and tells of every perfect subtree that is complete with it, with its height:
    /// 1 for two leaves, 2 for four.
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(u32, Hash)) {
        let mut node = leaf;
        for height in 0..self.size.trailing_ones() {
            // There is a peak for every bit.
            let left = self.hashes.pop().unwrap_or_default();
            node = Hash::node(left, node);
            complete(height + 1, node);
        }
        self.hashes.push(node);
        self.size += 1;
    }

    /// Appends a perfect subtree of `2^height` leaves; whether it can stand there.
    #[must_use]
    pub fn push_subtree(&mut self, height: u32, root: Hash) -> bool {
        let fits = height < 63
            && self.size.trailing_zeros() >= height
            && self.size.checked_add(1 << height).is_some();
        if !fits {
            return false;
        }
        let mut node = root;
        for _ in 0..(self.size >> height).trailing_ones() {
            let left = self.hashes.pop().unwrap_or_default();
            node = Hash::node(left, node);
        }
        self.hashes.push(node);
        self.size += 1 << height;
        true
    }

    /// The root of the tree (RFC 6962, section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        root(&self.hashes)
    }
}

/// The root over perfect subtrees, of the largest first.
pub(crate) fn root(peaks: &[Hash]) -> Hash {
    let mut peaks = peaks.iter().rev().copied();
    let Some(last) = peaks.next() else {
        return Hash::of_nothing();
    };
    peaks.fold(last, |right, left| Hash::node(left, right))
}

/// The heights of the perfect subtrees that take a tree from `from` to `to` leaves, in order.
pub(crate) fn heights(from: u64, to: u64) -> Vec<u32> {
    let mut at = from;
    let mut heights = Vec::new();
    while at < to {
        let fits = (to - at).ilog2();
        // Zero can be followed by a subtree of any height.
        let height = at.trailing_zeros().min(fits);
        heights.push(height);
        at += 1 << height;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight leaves and nine roots that Certificate Transparency's reference implementation and
    /// Go's `tlog` test with.
    #[test]
    fn published_roots() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut peaks = Peaks::default();
        for (leaf, root) in leaves.iter().zip(roots) {
            peaks.push(Hash::leaf(leaf), |_, _| {});
            let hex: String = peaks
                .root()
                .as_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(hex, root);
        }
    }

    #[test]
    fn subtrees_lead_to_the_same_tree_as_leaves() {
        let leaf = |n: u64| Hash::leaf(&n.to_be_bytes());
        let tree = |from: u64, to: u64| {
            let mut peaks = Peaks::default();
            for n in from..to {
                peaks.push(leaf(n), |_, _| {});
            }
            peaks
        };
        for size in 0..70 {
            for cut in 0..=size {
                let mut peaks = tree(0, cut);
                let mut at = cut;
                for height in heights(cut, size) {
                    let subtree = tree(at, at + (1 << height)).root();
                    assert!(peaks.push_subtree(height, subtree));
                    at += 1 << height;
                }
                assert_eq!(peaks, tree(0, size), "{cut} of {size}");
            }
        }
        assert!(!tree(0, 1).push_subtree(1, Hash::default()));
        assert!(Peaks::of(3, vec![Hash::default()]).is_none());
    }
}
