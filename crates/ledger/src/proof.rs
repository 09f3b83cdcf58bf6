use crate::{Hash, peaks};

/// That an entry is in a tree: the hashes beside its way to the root, from the leaf up (RFC 6962,
/// section 2.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The entry's number, from 0.
    pub index: u64,
    /// The hashes.
    pub hashes: Vec<Hash>,
}

/// A proof that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// There is no such entry or tree.
    #[error("there is no proof of that in a tree of {size} entries")]
    Range {
        /// How many entries the tree has.
        size: u64,
    },
    /// It leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// That `leaf` is at `inclusion.index` of the tree of `size` leaves with `root`, by the algorithm of
/// RFC 9162, section 2.1.3.2.
///
/// # Errors
/// When it is not, or cannot be.
pub fn inclusion_holds(
    leaf: Hash,
    inclusion: &Inclusion,
    size: u64,
    root: Hash,
) -> Result<(), ProofError> {
    if inclusion.index >= size {
        return Err(ProofError::Range { size });
    }
    let mut at = inclusion.index;
    let mut last = size - 1;
    let mut hash = leaf;
    for &beside in &inclusion.hashes {
        if last == 0 {
            return Err(ProofError::Root);
        }
        if at & 1 == 1 || at == last {
            hash = Hash::node(beside, hash);
            if at & 1 == 0 {
                let up = at.trailing_zeros();
                // Zero stays zero however far it is shifted.
                at = at.checked_shr(up).unwrap_or(0);
                last = last.checked_shr(up).unwrap_or(0);
            }
        } else {
            hash = Hash::node(hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// That the tree of `old_size` leaves with `old_root` is the beginning of the tree of `size` leaves
/// with `root`, by the algorithm of RFC 9162, section 2.1.4.2.
///
/// # Errors
/// When it is not, or cannot be.
pub fn consistency_holds(
    (old_size, old_root): (u64, Hash),
    (size, root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > size {
        return Err(ProofError::Range { size });
    }
    if old_size == size || old_size == 0 {
        let same = old_size == 0 && old_root == Hash::of_nothing() || old_root == root;
        return if proof.is_empty() && same {
            Ok(())
        } else {
            Err(ProofError::Root)
        };
    }
    let mut hashes = proof.iter().copied();
    // A perfect old tree is itself the first hash.
    let first = if old_size.is_power_of_two() {
        old_root
    } else {
        hashes.next().ok_or(ProofError::Root)?
    };
    let up = (old_size - 1).trailing_ones();
    let (mut at, mut last) = ((old_size - 1) >> up, (size - 1) >> up);
    let (mut old, mut new) = (first, first);
    for beside in hashes {
        if last == 0 {
            return Err(ProofError::Root);
        }
        if at & 1 == 1 || at == last {
            old = Hash::node(beside, old);
            new = Hash::node(beside, new);
            if at & 1 == 0 {
                let up = at.trailing_zeros();
                at = at.checked_shr(up).unwrap_or(0);
                last = last.checked_shr(up).unwrap_or(0);
            }
        } else {
            new = Hash::node(new, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && old == old_root && new == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Gives the roots of perfect subtrees.
pub(crate) trait Subtrees {
    type Error;

    /// The root of the `2^height` leaves from `index << height` on, all of which are there.
    fn subtree(&self, height: u32, index: u64) -> Result<Hash, Self::Error>;

    /// The root over the leaves from `from` to `to`, as it occurs in a tree: `from` is a multiple of
    /// the power of two that is not below their number. That of the tree without leaves over none.
    fn over(&self, from: u64, to: u64) -> Result<Hash, Self::Error> {
        Ok(peaks::root(&self.subtrees(from, to)?))
    }

    /// The roots of the perfect subtrees that take a tree from `from` to `to` leaves, in order.
    fn subtrees(&self, from: u64, to: u64) -> Result<Vec<Hash>, Self::Error> {
        let mut at = from;
        let mut roots = Vec::new();
        for height in peaks::heights(from, to) {
            roots.push(self.subtree(height, at >> height)?);
            at += 1 << height;
        }
        Ok(roots)
    }

    /// `PATH(index, D[size])` of RFC 6962, section 2.1.1. `index` is below `size`.
    fn inclusion(&self, index: u64, size: u64) -> Result<Inclusion, Self::Error> {
        let mut hashes = Vec::new();
        let (mut from, mut to) = (0, size);
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                hashes.push(self.over(middle, to)?);
                to = middle;
            } else {
                hashes.push(self.over(from, middle)?);
                from = middle;
            }
        }
        hashes.reverse();
        Ok(Inclusion { index, hashes })
    }

    /// `PROOF(old, D[size])` of RFC 6962, section 2.1.2. `old` is at most `size`.
    fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, Self::Error> {
        let mut hashes = Vec::new();
        if old == 0 || old == size {
            return Ok(hashes);
        }
        let (mut from, mut to) = (0, size);
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                hashes.push(self.over(middle, to)?);
                to = middle;
            } else {
                hashes.push(self.over(from, middle)?);
                from = middle;
            }
        }
        if from > 0 {
            hashes.push(self.over(from, to)?);
        }
        hashes.reverse();
        Ok(hashes)
    }
}

/// The greatest power of two below `count`, which is at least 2.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::edge::root;

    struct Leaves(Vec<Hash>);

    impl Subtrees for Leaves {
        type Error = Infallible;

        fn subtree(&self, height: u32, index: u64) -> Result<Hash, Infallible> {
            let from = (index << height) as usize;
            Ok(root(&self.0[from..from + (1 << height)]))
        }
    }

    fn leaves() -> Leaves {
        Leaves((0..140_u64).map(|n| Hash::leaf(&n.to_be_bytes())).collect())
    }

    #[test]
    fn every_entry_is_proved_and_nothing_else() {
        let leaves = leaves();
        for size in 1..=140 {
            let root = leaves.over(0, size).unwrap();
            for index in 0..size {
                let proof = leaves.inclusion(index, size).unwrap();
                let leaf = leaves.0[index as usize];
                assert_eq!(inclusion_holds(leaf, &proof, size, root), Ok(()));
                let mut other = proof.clone();
                other.index = (index + 1) % (size + 1);
                assert!(inclusion_holds(leaf, &other, size, root).is_err());
                other = proof.clone();
                other.hashes.push(Hash::default());
                assert!(inclusion_holds(leaf, &other, size, root).is_err());
                other.hashes.pop();
                if other.hashes.pop().is_some() {
                    assert!(inclusion_holds(leaf, &other, size, root).is_err());
                }
                assert!(inclusion_holds(Hash::default(), &proof, size, root).is_err());
            }
        }
    }

    #[test]
    fn every_beginning_is_proved_and_nothing_else() {
        let leaves = leaves();
        for size in 0..=140 {
            let now = (size, leaves.over(0, size).unwrap());
            for old in 0..=size {
                let before = (old, leaves.over(0, old).unwrap());
                let proof = leaves.consistency(old, size).unwrap();
                assert_eq!(
                    consistency_holds(before, now, &proof),
                    Ok(()),
                    "{old} {size}"
                );
                assert!(consistency_holds((old, Hash::default()), now, &proof).is_err());
                let mut other = proof.clone();
                other.push(Hash::default());
                assert!(consistency_holds(before, now, &other).is_err());
                other.pop();
                if other.pop().is_some() {
                    assert!(consistency_holds(before, now, &other).is_err());
                }
                if old > 0 && old < size {
                    let other = (size, Hash::default());
                    assert!(consistency_holds(before, other, &proof).is_err());
                }
            }
        }
        let (old, new) = ((2, Hash::default()), (1, Hash::default()));
        assert!(consistency_holds(old, new, &[]).is_err());
    }
}
