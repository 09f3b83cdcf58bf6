//! Changes to the bytes of a message; what is not changed stays as it came.

use std::ops::Range;

use bartizan_guard::conversation::{Document, ParseLimits, Value};

/// Stretches of a message and what takes their place.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts `text` into the place of `range`.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: String) {
        self.0.push((range, text));
    }

    /// Leaves of a list only the items whose number `keep` names.
    pub(crate) fn keep_items(
        &mut self,
        bytes: &[u8],
        list: Value<'_, '_>,
        keep: impl Fn(usize) -> bool,
    ) {
        let kept = list.items().enumerate().filter(|(number, _)| keep(*number));
        let raw = kept.map(|(_, item)| text(bytes, item.range()));
        let inner: Vec<String> = raw.collect();
        self.replace(list.range(), format!("[{}]", inner.join(",")));
    }

    /// Takes members out of an object.
    pub(crate) fn drop_members(
        &mut self,
        bytes: &[u8],
        object: Value<'_, '_>,
        dropped: impl Fn(&str) -> bool,
    ) {
        if !object.members().any(|member| dropped(member.key)) {
            return;
        }
        let kept = object.members().filter(|member| !dropped(member.key));
        let raw = kept.map(|member| text(bytes, member.key_range.start..member.value.range().end));
        let inner: Vec<String> = raw.collect();
        self.replace(object.range(), format!("{{{}}}", inner.join(",")));
    }

    /// The changed message; `None` where two changes touch, or the result is not read alike by all.
    pub(crate) fn apply(mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for (range, text) in &self.0 {
            if range.start < at {
                return None;
            }
            out.extend_from_slice(bytes.get(at..range.start)?);
            out.extend_from_slice(text.as_bytes());
            at = range.end;
        }
        out.extend_from_slice(bytes.get(at..)?);
        Document::read(&out, &ParseLimits::default()).ok()?;
        Some(out)
    }
}

/// The bytes of a value as text; strict JSON is UTF-8.
pub(crate) fn text(bytes: &[u8], range: Range<usize>) -> String {
    String::from_utf8_lossy(bytes.get(range).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, change: impl FnOnce(&mut Edits, Value<'_, '_>)) -> Option<String> {
        let document = Document::read(text.as_bytes(), &ParseLimits::default()).unwrap();
        let mut edits = Edits::default();
        change(&mut edits, document.root());
        edits
            .apply(text.as_bytes())
            .map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_rest_stays_byte_for_byte() {
        let text = r#"{"a": [1e0, {"x":  "é"},3], "b":{"k":1, "l": 2.50}}"#;
        let kept = edited(text, |edits, root| {
            edits.keep_items(text.as_bytes(), root.get("a").unwrap(), |number| {
                number != 2
            });
            edits.drop_members(text.as_bytes(), root.get("b").unwrap(), |key| key == "k");
        });
        assert_eq!(
            kept.as_deref(),
            Some(r#"{"a": [1e0,{"x":  "é"}], "b":{"l": 2.50}}"#)
        );
    }

    #[test]
    fn changes_that_touch_are_none() {
        let both = edited(r#"{"a":"bcd"}"#, |edits, _| {
            edits.replace(6..8, "x".into());
            edits.replace(7..9, "y".into());
        });
        assert_eq!(both, None);
        let broken = edited(r#"{"a":1,"b":2}"#, |edits, _| {
            edits.replace(8..9, "a".into())
        });
        assert_eq!(broken, None);
    }
}
