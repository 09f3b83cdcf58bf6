use bartizan_core::Origin;
use bartizan_text::{
    View,
    fold::fold_str,
    views::{ViewLimits, derive, main_view},
};

use crate::guards;

/// Folding and every derived view: spans in range and on whole characters, in order in the main
/// view, no control character left, and no more of anything than the limits say.
pub fn views(data: &[u8]) {
    let main = main_view(data);
    let valid = std::str::from_utf8(data).ok();
    spans(&main, data, valid);
    main_is_in_order(&main);
    if data
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        assert!(main.map.is_identity() && main.text.as_bytes() == data);
    }
    for c in main.text.chars() {
        assert!(c.is_ascii() || !c.is_control(), "{c:?} is left");
    }
    let limits = ViewLimits::default();
    let derived = derive(data, &main, &limits);
    let bytes: usize = derived.views.iter().map(|view| view.text.len()).sum();
    let most = (data.len() * limits.max_growth).max(64 << 10);
    assert!(bytes <= most, "{bytes} bytes of views, {most} allowed");
    assert!(derived.views.len() <= limits.max_views);
    for view in &derived.views {
        assert!(view.via.len() <= usize::from(limits.max_depth));
        spans(view, data, valid);
    }
    let text = guards::plain_scanner().read(Origin::User, data);
    for disguise in text.disguises() {
        assert!(disguise.span.end() <= data.len() as u64);
    }
    if let Some(valid) = valid {
        assert_eq!(main.text, fold_str(valid));
    }
}

fn spans(view: &View<'_>, raw: &[u8], valid: Option<&str>) {
    for (at, c) in view.text.char_indices() {
        let range = view.span(at..at + c.len_utf8()).as_range();
        assert!(range.end <= raw.len(), "{:?} {range:?}", view.via);
        // Derived views part what did not stand together by line feeds that come from nowhere; what
        // is read out of such a view in turn may have a space there.
        let parts = c.is_whitespace() && !view.via.is_empty();
        assert!(
            !range.is_empty() || parts,
            "{:?} {at} comes from nothing",
            view.via
        );
        if let Some(valid) = valid {
            assert!(
                valid.is_char_boundary(range.start) && valid.is_char_boundary(range.end),
                "{:?} cuts a character at {range:?}",
                view.via
            );
        }
    }
}

fn main_is_in_order(main: &View<'_>) {
    let mut last = 0;
    for (at, c) in main.text.char_indices() {
        let start = main.span(at..at + c.len_utf8()).start();
        assert!(start >= last, "the main view goes back at {at}");
        last = start;
    }
}
