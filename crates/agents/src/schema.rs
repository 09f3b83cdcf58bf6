//! Arguments as the table of tools describes them.

use bartizan_policy::glob_matches;
use serde_json::Value;

use crate::{ArgumentConfig, Shape, ToolConfig};

/// What is wrong with the arguments of a call, with the name of the argument.
pub(crate) fn mistakes(tool: &ToolConfig, call: &Value) -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    for (name, wanted) in &tool.arguments {
        let value = name
            .split('.')
            .try_fold(call, |value, key| value.get(key))
            .filter(|value| !value.is_null());
        match value {
            Some(value) => all.extend(mistake(wanted, value).map(|what| (name.clone(), what))),
            None if wanted.required => all.push((name.clone(), "is missing")),
            None => {}
        }
    }
    if tool.only_listed_arguments {
        match call.as_object() {
            Some(members) => {
                let listed = |key: &str| {
                    tool.arguments
                        .keys()
                        .any(|name| name.split('.').next() == Some(key))
                };
                if members.keys().any(|key| !listed(key)) {
                    all.push((String::new(), "holds a member that is not listed"));
                }
            }
            None => all.push((String::new(), "is no object")),
        }
    }
    all
}

fn mistake(wanted: &ArgumentConfig, value: &Value) -> Option<&'static str> {
    if wanted.shape.is_some_and(|shape| !has_shape(shape, value)) {
        return Some("has another type");
    }
    if let Value::Array(items) = value {
        return items.iter().find_map(|item| {
            let wanted = ArgumentConfig {
                shape: None,
                ..wanted.clone()
            };
            mistake(&wanted, item)
        });
    }
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if !wanted.values.is_empty() && !wanted.values.iter().any(|v| glob_matches(v, &text)) {
        return Some("is not one of the allowed values");
    }
    if wanted.max_bytes.is_some_and(|most| text.len() > most) {
        return Some("is too long");
    }
    if wanted.min.is_some() || wanted.max.is_some() {
        // A number in a string would slip past a bound on numbers.
        let number = value.as_f64().or_else(|| text.trim().parse().ok());
        // Not a number passes no bound.
        let Some(number) = number.filter(|number: &f64| !number.is_nan()) else {
            return Some("is no number");
        };
        if wanted.min.is_some_and(|least| number < least)
            || wanted.max.is_some_and(|most| number > most)
        {
            return Some("is out of range");
        }
    }
    None
}

fn has_shape(shape: Shape, value: &Value) -> bool {
    match shape {
        Shape::String => value.is_string(),
        Shape::Number => value.is_number(),
        Shape::Integer => value.is_i64() || value.is_u64(),
        Shape::Boolean => value.is_boolean(),
        Shape::Array => value.is_array(),
        Shape::Object => value.is_object(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ag_18_types_ranges_and_members() {
        let yaml = "name: pay\nonly-listed-arguments: true\narguments:\n  amount: {type: number, required: true, min: 0.01, max: 100}\n  currency: {values: [EUR, USD]}\n  memo: {max-bytes: 8}\n";
        let tool: ToolConfig = serde_saphyr::from_str(yaml).unwrap();
        let check = |call: Value| -> Vec<&'static str> {
            mistakes(&tool, &call)
                .into_iter()
                .map(|(_, what)| what)
                .collect()
        };
        assert_eq!(check(json!({"amount": 5, "currency": "EUR"})), [""; 0]);
        assert_eq!(check(json!({})), ["is missing"]);
        assert_eq!(check(json!({"amount": "5"})), ["has another type"]);
        assert_eq!(check(json!({"amount": 101})), ["is out of range"]);
        assert_eq!(
            check(json!({"amount": 5, "currency": "XMR"})),
            ["is not one of the allowed values"]
        );
        assert_eq!(
            check(json!({"amount": 5, "memo": "longer than that"})),
            ["is too long"]
        );
        assert_eq!(
            check(json!({"amount": 5, "admin": true})),
            ["holds a member that is not listed"]
        );
        assert_eq!(check(json!([5])), ["is missing", "is no object"]);
    }
}
