use bartizan_guard::conversation::Value;

/// The tokens of an answer, as the upstream counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request, those from a cache included.
    pub input: u64,
    /// Tokens of the answer, those of reasoning included.
    pub output: u64,
    /// Of the input, those read from a cache.
    pub cached_input: u64,
    /// Of the input, those written to a cache.
    pub cache_write: u64,
    /// Of the output, those of reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Reads the `usage` object of any format; `None` if it is none.
    ///
    /// OpenAI counts cached tokens as part of the input, Anthropic beside it.
    #[must_use]
    pub fn read(usage: Value<'_, '_>) -> Option<Self> {
        if !usage.is_object() {
            return None;
        }
        let count = |name: &str| usage.get(name).and_then(Value::as_u64);
        let detail = |object: &str, name: &str| {
            let object = usage.get(object)?;
            object.get(name)?.as_u64()
        };
        let first = |counts: [Option<u64>; 2]| counts.into_iter().flatten().next().unwrap_or(0);
        let cache_read = count("cache_read_input_tokens").unwrap_or(0);
        let cache_write = count("cache_creation_input_tokens").unwrap_or(0);
        let input = first([count("prompt_tokens"), count("input_tokens")]);
        Some(Self {
            input: input.saturating_add(cache_read).saturating_add(cache_write),
            output: first([count("completion_tokens"), count("output_tokens")]),
            cached_input: first([
                detail("prompt_tokens_details", "cached_tokens"),
                detail("input_tokens_details", "cached_tokens"),
            ])
            .max(cache_read),
            cache_write,
            reasoning: first([
                detail("completion_tokens_details", "reasoning_tokens"),
                detail("output_tokens_details", "reasoning_tokens"),
            ]),
        })
    }

    /// Tokens of the request and the answer.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}
