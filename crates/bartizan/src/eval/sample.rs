use bartizan_measure::SplitMix;

/// `size` of the given items, each as likely as any other, in their order (Vitter, ACM TOMS 11,
/// 1985, algorithm R); with how many there were. Holds no more than `size` items.
///
/// # Errors
/// With the first error among the items.
pub(crate) fn reservoir<T, E>(
    items: impl Iterator<Item = Result<T, E>>,
    size: usize,
    seed: u64,
) -> Result<(Vec<T>, u64), E> {
    let mut random = SplitMix::new(seed);
    let mut kept: Vec<(u64, T)> = Vec::new();
    let mut seen = 0;
    for item in items {
        let item = item?;
        if kept.len() < size {
            kept.push((seen, item));
        } else {
            let place = random.below(seen + 1);
            if let Some(slot) = usize::try_from(place).ok().and_then(|at| kept.get_mut(at)) {
                *slot = (seen, item);
            }
        }
        seen += 1;
    }
    kept.sort_unstable_by_key(|(place, _)| *place);
    Ok((kept.into_iter().map(|(_, item)| item).collect(), seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(all: u32, size: usize, seed: u64) -> Vec<u32> {
        let items = (0..all).map(Ok::<_, ()>);
        let (kept, seen) = reservoir(items, size, seed).unwrap();
        assert_eq!(seen, u64::from(all));
        kept
    }

    #[test]
    fn samples_are_in_order_and_fixed_by_their_seed() {
        let drawn = draw(1_000, 50, 1);
        assert_eq!(drawn.len(), 50);
        assert!(drawn.is_sorted());
        assert_eq!(drawn, draw(1_000, 50, 1));
        assert_ne!(drawn, draw(1_000, 50, 2));
        assert_eq!(draw(3, 50, 1), [0, 1, 2]);
    }

    #[test]
    fn every_item_is_as_likely() {
        let mut counts = [0_u32; 10];
        for seed in 0..4_000 {
            for item in draw(10, 3, seed) {
                counts[item as usize] += 1;
            }
        }
        // 1,200 each, with a deviation of 29.
        assert!(
            counts.iter().all(|count| (1_080..1_320).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn an_error_ends_it() {
        let items = [Ok(1), Err("broken"), Ok(2)];
        assert_eq!(reservoir(items.into_iter(), 5, 0), Err("broken"));
    }
}
