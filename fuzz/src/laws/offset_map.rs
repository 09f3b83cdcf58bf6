use std::ops::Range;

use bartizan_core::Span;
use bartizan_text::OffsetMap;

use crate::input::Input;

/// A map of a map says what the two say one after the other, and what a list of bytes says.
pub fn offset_map(data: &[u8]) {
    let mut input = Input::new(data);
    let (outer, outer_model) = map(&mut input);
    let (inner, inner_model) = map(&mut input);
    agrees(&outer, &outer_model);
    agrees(&inner, &inner_model);
    // Only as much of the inner view as points into the outer one.
    let len = inner_model
        .iter()
        .take_while(|range| range.end <= outer_model.len() && !range.is_empty())
        .count();
    let composed = inner.then(len, &outer);
    for at in 0..len {
        let middle = inner.span(at..at + 1).as_range();
        assert_eq!(
            composed.span(at..at + 1),
            outer.span(middle),
            "byte {at} of {inner:?} then {outer:?}"
        );
    }
}

/// A map of whole units with, for every byte of its view, the original bytes.
fn map(input: &mut Input<'_>) -> (OffsetMap, Vec<Range<usize>>) {
    let mut map = OffsetMap::identity();
    let mut model = Vec::new();
    let mut orig = input.below(8);
    for _ in 0..input.below(12) {
        let (view_unit, orig_unit) = (1 + input.below(5), 1 + input.below(6));
        let units = 1 + input.below(6);
        let reversed = input.below(4) == 0;
        let at = model.len();
        if reversed {
            let end = orig + units * view_unit;
            map.push_reversed(at, end, view_unit);
            for unit in 0..units {
                let end = end - unit * view_unit;
                model.extend((0..view_unit).map(|_| end - view_unit..end));
            }
            orig = end;
        } else {
            map.push(at, orig, view_unit, orig_unit);
            for unit in 0..units {
                let start = orig + unit * orig_unit;
                model.extend((0..view_unit).map(|_| start..start + orig_unit));
            }
            orig += units * orig_unit;
        }
        orig += input.below(5);
    }
    (map, model)
}

fn agrees(map: &OffsetMap, model: &[Range<usize>]) {
    for (at, range) in model.iter().enumerate() {
        let expected = Span::from_range(range.clone());
        assert_eq!(map.span(at..at + 1), expected, "byte {at} of {map:?}");
    }
}
