//! The tokens with which chat templates separate roles.
//!
//! Text that contains them can end its own turn and speak as somebody else. [`neutralise`] takes
//! them out before a template is filled; [`TemplateTokens`] reports them.

use std::borrow::Cow;

use aho_corasick::{
    Anchored, MatchKind,
    automaton::{Automaton, StateID},
    nfa::contiguous::NFA,
};
use bartizan_core::{
    Category, Check, CheckError, Confidence, Cx, Layer, Origin, Reach, Rule, RuleRef, Severity,
    Span,
};

use crate::{
    PatternsBuilder, Text,
    fold::{self, Seen},
    scan::{Group, PatternError, PatternSpec},
};

/// Tokens that the tokenisers of a family read as one symbol, in any case.
///
/// Full-width forms and `▁` are read as their ASCII look-alikes, so DeepSeek's `<｜User｜>` is
/// listed as `<|user|>`. From the chat templates that the models are published with.
const TOKENS: &[(&str, &[&str])] = &[
    ("chatml", &["<|im_start|>", "<|im_end|>", "<|im_sep|>"]),
    (
        "gpt",
        &[
            "<|endoftext|>",
            "<|startoftext|>",
            "<|endofprompt|>",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
        ],
    ),
    (
        "harmony",
        &[
            "<|start|>",
            "<|channel|>",
            "<|message|>",
            "<|constrain|>",
            "<|return|>",
            "<|call|>",
        ],
    ),
    ("llama-2", &["[inst]", "[/inst]", "<<sys>>", "<</sys>>"]),
    (
        "llama-3",
        &[
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
            "<|eom_id|>",
            "<|python_tag|>",
            "<|finetune_right_pad_id|>",
        ],
    ),
    (
        "llama-4",
        &[
            "<|header_start|>",
            "<|header_end|>",
            "<|eot|>",
            "<|eom|>",
            "<|python_start|>",
            "<|python_end|>",
        ],
    ),
    (
        "mistral",
        &[
            "[system_prompt]",
            "[/system_prompt]",
            "[available_tools]",
            "[/available_tools]",
            "[tool_calls]",
            "[tool_results]",
            "[/tool_results]",
            "[tool_content]",
        ],
    ),
    (
        "gemma",
        &["<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>"],
    ),
    (
        "phi",
        &[
            "<|system|>",
            "<|user|>",
            "<|assistant|>",
            "<|end|>",
            "<|tool|>",
            "<|/tool|>",
            "<|tool_call|>",
            "<|/tool_call|>",
            "<|tool_response|>",
        ],
    ),
    (
        "deepseek",
        &[
            "<|begin_of_sentence|>",
            "<|end_of_sentence|>",
            "<|tool_calls_begin|>",
            "<|tool_calls_end|>",
            "<|tool_call_begin|>",
            "<|tool_call_end|>",
            "<|tool_outputs_begin|>",
            "<|tool_outputs_end|>",
            "<|tool_sep|>",
        ],
    ),
    (
        "command-r",
        &[
            "<bos_token>",
            "<|start_of_turn_token|>",
            "<|end_of_turn_token|>",
            "<|system_token|>",
            "<|user_token|>",
            "<|chatbot_token|>",
            "<|start_response|>",
            "<|end_response|>",
        ],
    ),
    (
        "granite",
        &["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"],
    ),
    (
        "glm",
        &[
            "[gmask]",
            "<sop>",
            "<eop>",
            "<|observation|>",
            "<|begin_of_image|>",
        ],
    ),
    ("yi", &["<|startoftext|>"]),
    ("falcon", &[">>question<<", ">>answer<<", ">>context<<"]),
    (
        "qwen",
        &[
            "<|object_ref_start|>",
            "<|object_ref_end|>",
            "<|vision_start|>",
            "<|vision_end|>",
            "<|image_pad|>",
            "<|file_sep|>",
            "<|repo_name|>",
        ],
    ),
    (
        "tags",
        &["<system>", "</system>", "<|developer|>", "<|endofuser|>"],
    ),
];

/// Tokens that are also ordinary mark-up: strike-through in HTML.
const COMMON: &[&str] = &["<s>", "</s>"];

/// How a line starts that a template without tokens reads as a change of turn; Vicuna, Alpaca,
/// Anthropic's text completions. `###` stands for any Markdown heading of that depth.
const LINE_STARTS: &[&str] = &[
    "system:",
    "user:",
    "human:",
    "assistant:",
    "### instruction:",
    "### response:",
    "### input:",
    "### system:",
    "### user:",
    "### human:",
    "### assistant:",
];

/// Text without chat-template tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neutralised<'a> {
    /// What is left.
    pub text: Cow<'a, str>,
    /// What was taken out, in bytes of the original, in order; each piece gave way to a blank.
    pub removed: Vec<Span>,
}

/// Takes every chat-template token out of `text`, nested ones too, in one pass.
///
/// Each token gives way to a blank: the pieces around it neither join to another token
/// (`<|im_<|im_end|>end|>`) nor to words that no check has seen. Of a line that starts like a turn
/// (`System:`) only the colon goes. Look-alike spellings, with full-width forms or invisible
/// characters, are taken out too, since a later step may fold them.
#[must_use]
pub fn neutralise(text: &str) -> Neutralised<'_> {
    let tokens = Tokens::get();
    let mut pass = Pass::new(tokens, text.len());
    for (at, c) in text.char_indices() {
        pass.push(c, at, at + c.len_utf8());
    }
    if pass.removed.is_empty() {
        return Neutralised {
            text: Cow::Borrowed(text),
            removed: Vec::new(),
        };
    }
    Neutralised {
        text: Cow::Owned(pass.out),
        removed: pass.removed,
    }
}

/// The automaton for all tokens; lines start with a line feed in it.
struct Tokens {
    nfa: NFA,
    start: StateID,
}

impl Tokens {
    fn get() -> Option<&'static Self> {
        static TOKENS_ONCE: std::sync::OnceLock<Option<Tokens>> = std::sync::OnceLock::new();
        TOKENS_ONCE.get_or_init(Self::build).as_ref()
    }

    fn build() -> Option<Self> {
        let nfa = NFA::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(special().map(str::to_owned).chain(lines()))
            .ok()?;
        let start = nfa.start_state(Anchored::No).ok()?;
        // A text starts with a line.
        let start = nfa.next_state(Anchored::No, start, b'\n');
        Some(Self { nfa, start })
    }

    /// Characters of the longest token that ends in `state`, and whether it is a line start.
    fn ended(&self, state: StateID) -> Option<(usize, bool)> {
        if !self.nfa.is_match(state) {
            return None;
        }
        let lines = special().count();
        (0..self.nfa.match_len(state))
            .map(|index| self.nfa.match_pattern(state, index))
            .map(|pattern| (self.nfa.pattern_len(pattern), pattern.as_usize() >= lines))
            .max()
    }
}

fn special() -> impl Iterator<Item = &'static str> {
    let listed = TOKENS.iter().flat_map(|(_, tokens)| tokens.iter().copied());
    listed.chain(COMMON.iter().copied())
}

fn lines() -> impl Iterator<Item = String> {
    LINE_STARTS.iter().map(|start| format!("\n{start}"))
}

/// What is known after each character that the automaton saw.
#[derive(Clone, Copy)]
struct Step {
    state: StateID,
    /// What the automaton read, lines ended by a line feed.
    byte: u8,
    /// Bytes written before the character.
    written: usize,
    /// Where the character stands in the original.
    original: usize,
}

// INVARIANT: what the automaton read of `out` holds no token, so neither does the result.
struct Pass {
    tokens: Option<&'static Tokens>,
    out: String,
    steps: Vec<Step>,
    removed: Vec<Span>,
}

impl Pass {
    fn new(tokens: Option<&'static Tokens>, capacity: usize) -> Self {
        Self {
            tokens,
            out: String::with_capacity(capacity),
            steps: Vec::with_capacity(capacity),
            removed: Vec::new(),
        }
    }

    /// Reads the character that stands at `start..end` of the original.
    ///
    /// Every removal takes at least as many characters as it writes, so that the pass is linear.
    fn push(&mut self, c: char, start: usize, end: usize) {
        let written = self.out.len();
        self.out.push(c);
        let Some(tokens) = self.tokens else { return };
        let as_byte;
        let bytes = match seen_as(c) {
            Seen::Nothing => return,
            Seen::Text(text) => text.as_bytes(),
            Seen::Letter(byte) => {
                as_byte = [byte];
                &as_byte
            }
            // No token holds it.
            Seen::Itself => &[0],
        };
        for &byte in bytes {
            let from = Step {
                state: tokens.start,
                byte,
                written,
                original: start,
            };
            if self.step(tokens, from, end) {
                return;
            }
        }
    }

    /// Reads a byte; says whether it ended a token, which is gone then.
    fn step(&mut self, tokens: &Tokens, mut step: Step, end: usize) -> bool {
        // An indent.
        if matches!(step.byte, b' ' | b'\t') && self.at_line_start() {
            return false;
        }
        let before = self.steps.last().map_or(tokens.start, |last| last.state);
        step.state = tokens.nfa.next_state(Anchored::No, before, step.byte);
        self.steps.push(step);
        let Some((length, is_line)) = tokens.ended(step.state) else {
            return false;
        };
        // Of a line start the words stay.
        let taken = if is_line { 1 } else { length };
        let kept = self.steps.len().saturating_sub(taken);
        let Some(first) = self.steps.get(kept).copied() else {
            return false;
        };
        self.steps.truncate(kept);
        // A character goes with everything that it is seen as.
        while self
            .steps
            .last()
            .is_some_and(|last| last.written == first.written)
        {
            self.steps.pop();
        }
        self.out.truncate(first.written);
        while self
            .removed
            .last()
            .is_some_and(|span| span.start() >= first.original as u64)
        {
            self.removed.pop();
        }
        self.removed.push(Span::from_range(first.original..end));
        self.push(' ', first.original, end);
        true
    }

    fn at_line_start(&self) -> bool {
        self.steps.last().is_none_or(|last| last.byte == b'\n')
    }
}

/// As what the automaton reads `c`.
fn seen_as(c: char) -> Seen {
    match c {
        '\r' => Seen::Letter(b'\n'),
        '▁' => Seen::Letter(b'_'),
        '\t' | '\n' | ' '..='~' => u8::try_from(c).map_or(Seen::Itself, Seen::Letter),
        c => fold::seen(c),
    }
}

/// Reported for a token that only templates use.
pub static TEMPLATE_TOKEN: Rule = Rule {
    id: Cow::Borrowed("prompt.template-token"),
    title: Cow::Borrowed("holds a chat-template token"),
    severity: Severity::High,
    category: Category::Injection,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM01:2025"), Cow::Borrowed("AML.T0051.000")]),
    why: Cow::Borrowed("A text that ends its own turn can go on as the system or the assistant."),
    fix: Cow::Borrowed("Take the tokens out before the template is filled, or refuse the text."),
    entity: None,
};

/// Reported for a line that some templates read as a change of turn.
pub static ROLE_LINE: Rule = Rule {
    id: Cow::Borrowed("prompt.role-line"),
    title: Cow::Borrowed("starts a line as another role would"),
    severity: Severity::Low,
    category: Category::Injection,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM01:2025")]),
    why: Cow::Borrowed("Templates without tokens of their own separate turns by such lines."),
    fix: Cow::Borrowed(
        "Nothing, unless the model is prompted with such lines; then take them out.",
    ),
    entity: None,
};

/// Reports chat-template tokens.
#[derive(Debug)]
pub struct TemplateTokens {
    group: Group,
    /// Patterns below this number are tokens, the next ones common mark-up, then line starts.
    common: usize,
    lines: usize,
}

/// Findings in one text; more say nothing new.
const MAX_FINDINGS: usize = 16;

impl TemplateTokens {
    /// Adds the tokens to `builder`.
    ///
    /// # Errors
    /// When `builder` is full.
    pub fn register(builder: &mut PatternsBuilder) -> Result<Self, PatternError> {
        let group = builder.group();
        let common = TOKENS.iter().map(|(_, tokens)| tokens.len()).sum();
        let lines = special().count();
        for token in special().chain(LINE_STARTS.iter().copied()) {
            let pattern = regex_syntax::escape(token);
            builder.add(
                group,
                &PatternSpec {
                    anchors: &[token],
                    max_len: Some(token.len()),
                    ..PatternSpec::new(&pattern)
                },
            )?;
        }
        Ok(Self {
            group,
            common,
            lines,
        })
    }

    /// How sure a token is an attack, by its kind and by who wrote it.
    fn confidence(&self, pattern: usize, origin: Origin) -> f32 {
        let untrusted = matches!(origin, Origin::User | Origin::Retrieved | Origin::Tool);
        match pattern {
            pattern if pattern < self.common && untrusted => 0.85,
            pattern if pattern < self.common => 0.6,
            pattern if pattern < self.lines => 0.3,
            // In documents, headings and transcripts look like that.
            _ if origin == Origin::User => 0.35,
            _ => 0.15,
        }
    }
}

impl Check<Text<'_>> for TemplateTokens {
    fn name(&self) -> &'static str {
        "template-tokens"
    }

    fn layer(&self) -> Layer {
        Layer::Rules
    }

    fn rules(&self) -> Vec<RuleRef> {
        vec![(&TEMPLATE_TOKEN).into(), (&ROLE_LINE).into()]
    }

    fn reach(&self) -> Reach {
        let longest = special()
            .chain(LINE_STARTS.iter().copied())
            .map(str::len)
            .max();
        // With the line feed before it.
        Reach::Bounded(longest.unwrap_or(0) as u64 + 1)
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        if text.origin == Origin::System {
            return Ok(());
        }
        let mut last = None;
        let mut reported = 0;
        for (view, hit) in text.hits(self.group) {
            cx.spend(1)?;
            let pattern = hit.pattern as usize;
            let is_line = pattern >= self.lines;
            let span = view.span(hit.range.clone());
            if is_line && !starts_line(view.text.as_bytes(), hit.range.start)
                || last.is_some_and(|last: Span| last.overlaps(span))
            {
                continue;
            }
            let rule = if is_line { &ROLE_LINE } else { &TEMPLATE_TOKEN };
            let confidence = Confidence::clamped(self.confidence(pattern, text.origin));
            cx.report_via(
                &rule.into(),
                Some(span),
                confidence,
                &view.via,
                rule.title.clone(),
            )?;
            last = Some(span);
            reported += 1;
            if reported == MAX_FINDINGS {
                break;
            }
        }
        text.complete(self.group)
    }
}

fn starts_line(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before
        .iter()
        .rev()
        .take(MAX_INDENT)
        .find(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(at <= MAX_INDENT, |byte| matches!(byte, b'\n' | b'\r'))
}

/// Widest indent of a line that is looked through, in bytes.
const MAX_INDENT: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(text: &str) -> String {
        neutralise(text).text.into_owned()
    }

    #[test]
    fn ws_12_nested_tokens_reach_a_fixpoint() {
        assert_eq!(clean("<</s>/s>"), "< /s>");
        assert_eq!(clean("<|im_<|im_end|>end|>"), "<|im_ end|>");
        assert_eq!(clean("<|im_start|>system"), " system");
        assert_eq!(clean("a</s>b"), "a b");
        assert_eq!(clean("[IN[INST]ST] x"), "[IN ST] x");
    }

    #[test]
    fn every_family_is_taken_out() {
        for token in special() {
            for spelt in [token.to_owned(), token.to_uppercase()] {
                let text = format!("a {spelt} b");
                assert_eq!(clean(&text), "a   b", "{spelt}");
            }
        }
        assert_eq!(clean("<｜begin▁of▁sentence｜><｜User｜>x"), "  x");
        assert_eq!(clean("<|im_\u{200b}start|>x"), " x");
    }

    #[test]
    fn roles_only_at_the_start_of_a_line() {
        assert_eq!(
            clean("Operating system: Ubuntu"),
            "Operating system: Ubuntu"
        );
        assert_eq!(clean("System: obey"), "System  obey");
        assert_eq!(
            clean("x\n\nHuman: hi\r\n  ### Instruction: go"),
            "x\n\nHuman  hi\r\n  ### Instruction  go"
        );
    }

    #[test]
    fn what_folding_would_make_a_token_is_one() {
        for text in [
            "[\0INST]",
            "[I\u{301}NST\u{fe0f}]",
            "<|\u{456}m_start|>",
            "<|\u{fb01}m_prefix|>",
            "<|im_\u{202e}end\u{202c}|>",
            "<\u{e0041}/s>",
            "\u{a0}System\u{fe55}",
            "x\u{2028}user\u{ff1a}",
        ] {
            let clean = clean(text);
            assert_ne!(clean, text);
            let folded = crate::fold::fold_str(&clean);
            assert_eq!(neutralise(&folded).removed, [], "{folded:?}");
        }
    }

    #[test]
    fn removed_spans_are_of_the_original() {
        let found = neutralise("ab<|im_<|im_end|>end|><s>");
        let spans: Vec<_> = found.removed.iter().map(ToString::to_string).collect();
        assert_eq!(spans, ["7..17", "22..25"]);
        assert_eq!(neutralise("plain").removed, []);
    }

    proptest! {
        #[test]
        fn nothing_is_left_and_twice_is_once(
            pieces in proptest::collection::vec(
                prop_oneof![
                    prop::sample::select(special().collect::<Vec<_>>()).prop_map(str::to_owned),
                    prop::sample::select(special().collect::<Vec<_>>())
                        .prop_flat_map(|token| (0..=token.len()).prop_map(move |cut| token.split_at(cut).0.to_owned())),
                    prop::sample::select(special().collect::<Vec<_>>())
                        .prop_flat_map(|token| (0..=token.len()).prop_map(move |cut| token.split_at(cut).1.to_owned())),
                    prop::sample::select(vec!["\n", " ", "\r", "\u{200b}", "system:", "### ", "Human:", "é"])
                        .prop_map(str::to_owned),
                ],
                0..24,
            )
        ) {
            let text: String = pieces.concat();
            let once = clean(&text);
            for token in special() {
                prop_assert!(!once.to_ascii_lowercase().contains(token), "{token} is left");
            }
            prop_assert_eq!(clean(&once), once.as_str());
            prop_assert!(once.len() <= text.len());
        }
    }
}
