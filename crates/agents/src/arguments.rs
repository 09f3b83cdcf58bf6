use serde_json::Value;

/// One value that a call passes.
pub(crate) struct Argument {
    /// As the table of tools names it: `to`, `message.body`, without places in lists.
    pub(crate) name: String,
    /// The same with places, and without names that could hold text.
    pub(crate) path: String,
    /// The value as text.
    pub(crate) text: String,
}

/// Most values of one call that are looked at.
pub(crate) const MAX_VALUES: usize = 2_000;
/// Levels of nesting, strings that hold JSON included.
const MAX_DEPTH: usize = 16;

/// The values of a call; `None` for more, or deeper, than are looked at.
pub(crate) fn arguments(call: &Value) -> Option<Vec<Argument>> {
    let mut all = Vec::new();
    walk(call, "", "", 0, &mut all).then_some(all)
}

fn walk(value: &Value, name: &str, path: &str, depth: usize, all: &mut Vec<Argument>) -> bool {
    if depth > MAX_DEPTH || all.len() >= MAX_VALUES {
        return false;
    }
    let mut leaf = |text: String| {
        all.push(Argument {
            name: if name.is_empty() { "input" } else { name }.to_owned(),
            path: if path.is_empty() { "input" } else { path }.to_owned(),
            text,
        });
        true
    };
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => leaf(number.to_string()),
        Value::String(text) => {
            let inner = text
                .trim_start()
                .starts_with(['{', '['])
                .then(|| serde_json::from_str::<Value>(text).ok())
                .flatten();
            match inner {
                // Free text may well hold JSON; it is looked at as both.
                Some(inner) => leaf(text.clone()) && walk(&inner, name, path, depth + 1, all),
                None => leaf(text.clone()),
            }
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .all(|(at, item)| walk(item, name, &format!("{path}[{at}]"), depth + 1, all)),
        Value::Object(members) => members.iter().enumerate().all(|(at, (key, member))| {
            let joint = if name.is_empty() { "" } else { "." };
            let shown = if is_plain(key) {
                key.clone()
            } else {
                format!("#{at}")
            };
            walk(
                member,
                &format!("{name}{joint}{key}"),
                &format!("{path}{joint}{shown}"),
                depth + 1,
                all,
            )
        }),
    }
}

/// Whether a key may be shown: a name, not a text.
fn is_plain(key: &str) -> bool {
    (1..=40).contains(&key.len())
        && key.bytes().filter(u8::is_ascii_digit).count() <= 4
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_at_any_depth_and_text_in_keys_is_not_shown() {
        let call = serde_json::json!({
            "to": ["a", "b"],
            "options": "{\"url\": \"c\"}",
            "pay 4111 1111 1111 1111": 3,
        });
        let found = arguments(&call).unwrap();
        let shown: Vec<(&str, &str)> = found
            .iter()
            .map(|argument| (argument.path.as_str(), argument.text.as_str()))
            .collect();
        assert!(shown.contains(&("to[1]", "b")));
        assert!(shown.contains(&("options.url", "c")));
        assert!(shown.contains(&("#2", "3")), "{shown:?}");
        let mut deep = serde_json::json!(1);
        for _ in 0..40 {
            deep = serde_json::json!([deep]);
        }
        assert!(arguments(&deep).is_none());
    }
}
