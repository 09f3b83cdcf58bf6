use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Dollars, Usage};

/// What a model costs, in US dollars per million tokens.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PriceConfig {
    /// Tokens that go in.
    pub input: Dollars,
    /// Tokens that come out.
    pub output: Dollars,
    /// Tokens that go in and were cached upstream; as `input` if not given.
    #[serde(default)]
    pub cached_input: Option<Dollars>,
}

/// What models cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTable {
    exact: BTreeMap<String, PriceConfig>,
    /// Names that ended with `*`, longest first.
    starts: Vec<(String, PriceConfig)>,
}

impl PriceTable {
    /// A table of names to prices; a name may end with `*`. An exact name is taken before others, a
    /// longer beginning before a shorter.
    #[must_use]
    pub fn new(prices: &BTreeMap<String, PriceConfig>) -> Self {
        let mut table = Self::default();
        for (name, price) in prices {
            match name.strip_suffix('*') {
                Some(start) => table.starts.push((start.to_owned(), *price)),
                None => drop(table.exact.insert(name.clone(), *price)),
            }
        }
        table
            .starts
            .sort_by_key(|(start, _)| std::cmp::Reverse(start.len()));
        table
    }

    /// What `model` costs; nothing if the table does not say.
    #[must_use]
    pub fn price(&self, model: &str) -> Option<PriceConfig> {
        let starts = || {
            let mut starts = self.starts.iter();
            starts.find(|(start, _)| model.starts_with(start.as_str()))
        };
        let exact = self.exact.get(model).copied();
        exact.or_else(|| starts().map(|(_, price)| *price))
    }

    /// What `usage` of `model` costs, in millionths of a dollar, rounded up; nothing if the table
    /// does not say.
    #[must_use]
    pub fn cost(&self, model: &str, usage: Usage) -> Option<u64> {
        self.price(model).map(|price| price.cost(usage))
    }
}

impl PriceConfig {
    /// What `usage` costs, in millionths of a dollar, rounded up.
    #[must_use]
    pub fn cost(self, usage: Usage) -> u64 {
        let cached = usage.cached_input_tokens.min(usage.input_tokens);
        let cached_price = self.cached_input.unwrap_or(self.input);
        let parts = [
            (usage.input_tokens - cached, self.input),
            (cached, cached_price),
            (usage.output_tokens, self.output),
        ];
        let sum: u128 = parts
            .into_iter()
            .map(|(tokens, price)| u128::from(tokens) * u128::from(price.micros()))
            .sum();
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_whole_millionths_rounded_up() {
        let prices = [
            ("gpt-x", "2.50", "10"),
            ("gpt-*", "1", "1"),
            ("*", "0.000001", "0"),
        ]
        .map(|(name, input, output)| {
            let price = PriceConfig {
                input: Dollars::parse(input).unwrap(),
                output: Dollars::parse(output).unwrap(),
                cached_input: None,
            };
            (name.to_owned(), price)
        });
        let table = PriceTable::new(&prices.into());
        let usage = |input_tokens, output_tokens| Usage {
            input_tokens,
            output_tokens,
            cached_input_tokens: 0,
        };
        assert_eq!(table.cost("gpt-x", usage(1_000, 500)), Some(7_500));
        assert_eq!(table.cost("gpt-x", usage(1, 0)), Some(3));
        assert_eq!(table.cost("gpt-y", usage(1, 1)), Some(2));
        assert_eq!(table.cost("other", usage(1, 9)), Some(1));
        assert_eq!(
            table.cost("gpt-x", usage(u64::MAX, u64::MAX)),
            Some(u64::MAX)
        );
        assert_eq!(PriceTable::default().cost("gpt-x", usage(1, 1)), None);
    }

    #[test]
    fn cached_tokens_have_their_own_price() {
        let price = PriceConfig {
            input: Dollars::parse("2").unwrap(),
            output: Dollars::parse("8").unwrap(),
            cached_input: Dollars::parse("0.5"),
        };
        let usage = Usage {
            input_tokens: 100,
            output_tokens: 10,
            cached_input_tokens: 60,
        };
        assert_eq!(price.cost(usage), 80 + 30 + 80);
    }
}
