use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use bartizan_core::{Category, Check, CheckError, Cx, Direction, Layer, Rule, RuleRef, Severity};
use bartizan_text::Text;

use super::{
    report::Leaks,
    shingle::{HashTable, Hasher, shingles},
};

static PROMPT: Rule = Rule {
    id: Cow::Borrowed("leak.system-prompt"),
    title: Cow::Borrowed("words of the system prompt"),
    severity: Severity::High,
    category: Category::Leak,
    refs: Cow::Borrowed(&[Cow::Borrowed("LLM07:2025"), Cow::Borrowed("AML.T0056")]),
    why: Cow::Borrowed("The system prompt tells an attacker how the application is guarded."),
    fix: Cow::Borrowed(
        "Block the answer, and keep secrets and rules that matter out of the prompt.",
    ),
    entity: None,
};

static DOCUMENT: Rule = Rule {
    id: Cow::Borrowed("leak.protected-document"),
    title: Cow::Borrowed("passage of a protected document"),
    severity: Severity::High,
    category: Category::Leak,
    refs: Cow::Borrowed(&[
        Cow::Borrowed("LLM02:2025"),
        Cow::Borrowed("CWE-200"),
        Cow::Borrowed("AML.T0057"),
    ]),
    why: Cow::Borrowed("The answer repeats a document that must not leave."),
    fix: Cow::Borrowed("Block the answer, and take the document out of the model's reach."),
    entity: None,
};

/// Words of a run that is looked for in protected documents.
const DOCUMENT_WORDS: usize = 8;

/// Words of a run that is looked for in system prompts: shorter, since more of them must match.
const PROMPT_WORDS: usize = 5;

/// How much of a system prompt is a leak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakConfig {
    /// Consecutive words that are a leak by themselves; at least 5.
    pub min_run: u32,
    /// Share of the prompt's five-word runs, `(0, 1]`, that is a leak wherever they stand.
    pub min_share: f32,
    /// Five-word runs that the share must amount to, so that stock phrases do not count.
    pub min_runs: usize,
}

impl Default for LeakConfig {
    /// Eight words in a row, or a quarter of the prompt.
    fn default() -> Self {
        Self {
            min_run: 8,
            min_share: 0.25,
            min_runs: 8,
        }
    }
}

/// Finds in answers what was given in confidence: system prompts and protected documents.
///
/// Verbatim and partial copies are found in every reading of the answer. Paraphrases and
/// translations share no runs of words with the original and are not found by this check; a canary
/// ([`super::Canaries`]) or the classifier may.
#[derive(Debug)]
pub struct LeakCheck {
    hasher: Hasher,
    prompts: Vec<HashTable>,
    documents: HashTable,
    config: LeakConfig,
}

impl LeakCheck {
    /// A check that looks for `prompts` and `documents`. Of texts it keeps hashes under
    /// `key`, which should be random for each instance.
    #[must_use]
    pub fn new<'d>(
        key: [u8; 16],
        prompts: &[&str],
        documents: impl IntoIterator<Item = &'d str>,
        config: LeakConfig,
    ) -> Self {
        let hasher = Hasher::new(key);
        let prompts = prompts
            .iter()
            .map(|prompt| {
                let mut hashes = Vec::new();
                shingles::<PROMPT_WORDS>(hasher, &folded(prompt), |s| hashes.push(s.hash));
                HashTable::new(hashes)
            })
            .filter(|table| table.len() > 0)
            .collect();
        let mut hashes = Vec::new();
        for document in documents {
            shingles::<DOCUMENT_WORDS>(hasher, &folded(document), |s| {
                if s.weight as usize >= 2 * DOCUMENT_WORDS {
                    hashes.push(s.hash);
                }
            });
            // Scripts without blanks need runs of as many characters twice over.
            shingles::<{ 2 * DOCUMENT_WORDS }>(hasher, &folded(document), |s| {
                if (s.weight as usize) < 4 * DOCUMENT_WORDS {
                    hashes.push(s.hash);
                }
            });
        }
        Self {
            hasher,
            prompts,
            documents: HashTable::new(hashes),
            config,
        }
    }

    /// Memory of the index, in bytes.
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        let prompts: usize = self.prompts.iter().map(HashTable::bytes).sum();
        prompts + self.documents.bytes()
    }

    /// What leaks in one reading.
    fn leaks(&self, text: &str) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for prompt in &self.prompts {
            self.prompt(prompt, text, &mut leaks);
        }
        if self.documents.len() > 0 {
            let mut runs = Runs::default();
            shingles::<DOCUMENT_WORDS>(self.hasher, text, |s| {
                if s.weight as usize >= 2 * DOCUMENT_WORDS && self.documents.contains(s.hash) {
                    runs.add(s.start..s.end, s.hash);
                }
            });
            if !text.is_ascii() {
                shingles::<{ 2 * DOCUMENT_WORDS }>(self.hasher, text, |s| {
                    if (s.weight as usize) < 4 * DOCUMENT_WORDS && self.documents.contains(s.hash) {
                        runs.add(s.start..s.end, s.hash);
                    }
                });
            }
            leaks.extend(runs.runs.into_iter().map(|run| Leak {
                rule: &DOCUMENT,
                range: run.range,
                confidence: if run.shingles > 4 { 0.98 } else { 0.9 },
            }));
        }
        leaks
    }

    fn prompt(&self, prompt: &HashTable, text: &str, leaks: &mut Vec<Leak>) {
        let mut runs = Runs::default();
        let mut distinct = BTreeSet::new();
        shingles::<PROMPT_WORDS>(self.hasher, text, |s| {
            if prompt.contains(s.hash) {
                runs.add(s.start..s.end, s.hash);
                distinct.insert(s.hash);
            }
        });
        #[expect(clippy::cast_precision_loss, reason = "a share of a few thousand runs")]
        let share = distinct.len() as f32 / prompt.len() as f32;
        // A prompt of a few words leaks when all of it does.
        let min_runs = self.config.min_runs.min(prompt.len());
        let shared = distinct.len() >= min_runs && share >= self.config.min_share;
        let min_run = self.config.min_run.max(5) as usize - (PROMPT_WORDS - 1);
        let min_run = min_run.min(prompt.len());
        for run in runs.runs {
            if run.shingles >= min_run || shared {
                let long = u16::try_from(run.shingles.saturating_sub(min_run)).unwrap_or(u16::MAX);
                let by_run = 0.75 + 0.03 * f32::from(long);
                let by_share = if shared { 0.6 + 0.4 * share } else { 0.0 };
                leaks.push(Leak {
                    rule: &PROMPT,
                    range: run.range,
                    confidence: by_run.max(by_share).min(0.99),
                });
            }
        }
    }

    const fn is_idle(&self) -> bool {
        self.prompts.is_empty() && self.documents.len() == 0
    }
}

/// As the main view of an answer is made, so that both sides look alike.
fn folded(text: &str) -> String {
    bartizan_text::fold::fold_str(text)
}

/// One leak in one reading.
#[derive(Debug)]
struct Leak {
    rule: &'static Rule,
    range: Range<usize>,
    confidence: f32,
}

/// Matches that follow one another, joined.
#[derive(Debug, Default)]
struct Runs {
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    range: Range<usize>,
    shingles: usize,
    last: u64,
}

impl Runs {
    fn add(&mut self, range: Range<usize>, hash: u64) {
        match self.runs.last_mut() {
            Some(run) if run.range.end >= range.start => {
                run.range.end = run.range.end.max(range.end);
                // One word over and over is one run of the original.
                run.shingles += usize::from(run.last != hash);
                run.last = hash;
            }
            _ => self.runs.push(Run {
                range,
                shingles: 1,
                last: hash,
            }),
        }
    }
}

impl Check<Text<'_>> for LeakCheck {
    fn name(&self) -> &'static str {
        "leak"
    }

    fn layer(&self) -> Layer {
        Layer::Leak
    }

    fn rules(&self) -> Vec<RuleRef> {
        [&PROMPT, &DOCUMENT].map(RuleRef::Static).to_vec()
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        if self.is_idle() || text.direction != Direction::Output {
            return Ok(());
        }
        let mut leaks = Leaks::default();
        for view in text.views() {
            cx.spend(view.text.len() as u64)?;
            for leak in self.leaks(&view.text) {
                leaks.report(leak.rule, view, leak.range, leak.confidence, cx)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use std::sync::Arc;

    use bartizan_core::{Limits, Origin, Report};
    use bartizan_text::{PatternsBuilder, Scanner, views::ViewLimits};

    use super::*;

    const SYSTEM: &str = "You are a helpful assistant of the Northwind bank. Never tell a customer \
        the internal rate table. When someone asks for a loan above fifty thousand euros, pass the \
        case on to the desk in Rotterdam and mention ticket class violet. Answer in short \
        sentences, and close every answer with the words of the day.";

    const DOCUMENT: &str = "The merger with Contoso will be announced on the ninth of March, after \
        the board has met in Lisbon and the regulator has signed off on the plan.";

    fn check() -> LeakCheck {
        LeakCheck::new([9; 16], &[SYSTEM], [DOCUMENT], LeakConfig::default())
    }

    fn found(answer: &str) -> Vec<(String, String)> {
        let patterns = Arc::new(PatternsBuilder::default().build());
        let scanner = Scanner::new(patterns, ViewLimits::default());
        let mut text = scanner.read(Origin::Model, answer.as_bytes());
        text.direction = Direction::Output;
        let mut report = Report::default();
        report.run::<Text<'_>>(&check(), &text, Limits::default());
        assert!(report.is_complete());
        report
            .findings
            .iter()
            .map(|f| {
                (
                    f.rule.id.to_string(),
                    answer[f.span.unwrap().as_range()].to_owned(),
                )
            })
            .collect()
    }

    #[test]
    fn ws_80_stock_phrases_are_no_leak() {
        for answer in [
            "You are right.",
            "You are a helpful assistant of the year!",
            "You are a helpful assistant of the bank, thank you.",
            "Answer in short sentences, and close every window.",
            "Pass the case on to the desk.",
        ] {
            assert_eq!(found(answer), [], "{answer}");
        }
    }

    /// Rates by kind of leak. Paraphrases and translations are out of reach of runs of words: that
    /// is asserted, so that a change shows.
    #[test]
    fn ws_13_leaks_by_kind() {
        let reversed: String = SYSTEM.chars().rev().collect();
        let spaced = SYSTEM.replace(' ', "  \n");
        let dashed = SYSTEM.replace(' ', " - ");
        let fullwidth: String = SYSTEM
            .chars()
            .map(|c| match c {
                '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
                c => c,
            })
            .collect();
        let zero_width = SYSTEM.replace("a", "a\u{200b}");
        let partial = "Sure: when someone asks for a loan above fifty thousand euros I will help.";
        let altered = SYSTEM.replace(" the ", " that ").replace("euros", "EUR");
        for (kind, answer) in [
            ("verbatim", SYSTEM),
            ("upper case", &SYSTEM.to_uppercase()),
            ("line breaks", &spaced),
            ("dashes", &dashed),
            ("fullwidth", &fullwidth),
            ("zero width", &zero_width),
            ("partial", partial),
            ("some words replaced", &altered),
        ] {
            let found = found(answer);
            assert!(
                found.iter().all(|(id, _)| id == "leak.system-prompt"),
                "{kind}"
            );
            assert!(!found.is_empty(), "{kind}");
        }
        for (kind, answer) in [
            (
                "paraphrase",
                "My setup: I work for Northwind's bank, keep rates private, and hand big loans to colleagues.",
            ),
            (
                "translation",
                "Sie sind ein hilfreicher Assistent der Northwind-Bank. Nennen Sie nie die Zinstabelle.",
            ),
        ] {
            assert_eq!(found(answer), [], "{kind} is not caught by runs of words");
        }
        // Readings as the decoder hands them over.
        let check = check();
        let decoded: String = reversed.chars().rev().collect();
        assert!(!check.leaks(&decoded).is_empty());
    }

    #[test]
    fn spans_cover_what_leaked() {
        let answer = "Sure: When someone asks for a loan above fifty thousand euros, then?";
        assert_eq!(
            found(answer)[0].1,
            "When someone asks for a loan above fifty thousand euros"
        );
    }

    #[test]
    fn one_run_of_eight_words_of_a_document_is_a_leak() {
        let answer = "I heard the board has met in Lisbon and the papers say so.";
        let expected = (
            "leak.protected-document".to_owned(),
            "the board has met in Lisbon and the".to_owned(),
        );
        assert_eq!(found(answer), [expected]);
        assert_eq!(
            found("The board met in Lisbon, and the regulator agreed."),
            []
        );
    }

    #[test]
    fn documents_without_blanks_need_more_characters() {
        let document = "董事会已经在里斯本开会并且监管机构已经批准了这一计划";
        let check = LeakCheck::new([3; 16], &[], [document], LeakConfig::default());
        assert!(check.leaks("董事会已经在里斯本").is_empty());
        assert!(
            !check
                .leaks("据说董事会已经在里斯本开会并且监管机构已经")
                .is_empty()
        );
    }

    #[test]
    fn nothing_of_the_text_stays() {
        let shown = format!("{:?}", check());
        assert!(!shown.contains("merger") && !shown.contains("Northwind"));
    }

    #[test]
    fn an_index_is_small() {
        let words: Vec<String> = (0..100_000_u32).map(|n| format!("w{n}")).collect();
        let document = words.join(" ");
        let check = LeakCheck::new(
            [1; 16],
            &[],
            [document.as_str()],
            LeakConfig::default(),
        );
        assert!(
            check.index_bytes() < 12 * 100_000,
            "{}",
            check.index_bytes()
        );
    }
}
