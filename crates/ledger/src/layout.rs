use std::fmt::Write as _;

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// The file that holds the newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// A tile of hashes (C2SP tlog-tiles): 256 nodes of the tree that stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// 0 for hashes of leaves, 1 for roots of 256 leaves; at most 7 in a tree of 64-bit size.
    pub level: u8,
    /// From 0, from the left.
    pub index: u64,
}

impl Tile {
    /// Where it lies with `width` of its hashes, 1 to 256: `tile/<L>/<N>[.p/<W>]`.
    #[must_use]
    pub fn path(self, width: u64) -> String {
        let mut path = format!("tile/{}/", self.level);
        place(self.index, width, &mut path);
        path
    }
}

/// Where the bundle of that number lies with `width` entries: `tile/entries/<N>[.p/<W>]`.
#[must_use]
pub fn bundle_path(index: u64, width: u64) -> String {
    let mut path = "tile/entries/".to_owned();
    place(index, width, &mut path);
    path
}

/// Groups of three digits, all but the last after an `x`: `x001/x234/067` for 1234067.
fn place(index: u64, width: u64, path: &mut String) {
    // 20 digits at most.
    let groups = (1..7_u32)
        .rev()
        .map(|group| (group, index / 1_000_u64.pow(group)))
        .skip_while(|(_, above)| *above == 0);
    for (_, above) in groups {
        let _ = write!(path, "x{:03}/", above % 1_000);
    }
    let _ = write!(path, "{:03}", index % 1_000);
    if width != TILE_WIDTH {
        let _ = write!(path, ".p/{width}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of tlog-tiles, and the borders.
    #[test]
    fn published_paths() {
        let path = |level, index, width| Tile { level, index }.path(width);
        assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(1, 0, 17), "tile/1/000.p/17");
        assert_eq!(path(2, 999, 256), "tile/2/999");
        assert_eq!(path(2, 1_000, 1), "tile/2/x001/000.p/1");
        assert_eq!(bundle_path(273, 112), "tile/entries/273.p/112");
        assert_eq!(
            bundle_path(u64::MAX, 256),
            "tile/entries/x018/x446/x744/x073/x709/x551/615"
        );
    }
}
