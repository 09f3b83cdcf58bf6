//! Places that others count in code points.

/// The byte of each of `places`, counted in code points of `text`; `None` behind the end.
pub(super) fn bytes_of(text: &str, places: &[usize]) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&number| places.get(number));
    let mut found = vec![None; places.len()];
    let mut ends = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .enumerate();
    let mut now = ends.next();
    for number in order {
        let Some(&wanted) = places.get(number) else {
            continue;
        };
        while now.is_some_and(|(count, _)| count < wanted) {
            now = ends.next();
        }
        if let (Some((_, at)), Some(slot)) = (now, found.get_mut(number)) {
            *slot = Some(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_lead_to_bytes() {
        let text = "a\u{1f600}\né!";
        assert_eq!(
            bytes_of(text, &[5, 0, 2, 6, 2]),
            [Some(9), Some(0), Some(5), None, Some(5)]
        );
    }
}
