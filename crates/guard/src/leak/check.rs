use std::{borrow::Cow, collections::BTreeSet, ops::Range, sync::Arc};

use bartizan_core::{
    Category, Check, CheckError, Cx, Direction, Layer, Reach, Rule, RuleRef, Severity,
};
use bartizan_text::Text;

use super::{
    report::Leaks,
    shingle::{HashTable, Hasher, last_words, shingles},
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

/// Bytes of a run of words, as far as one can say; [`LeakCheck`] says exactly what is open.
const MAX_RUN: u64 = 256;

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
    index: Arc<LeakIndex>,
    scope: Scope,
}

/// What of the index a check looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Local,
    Whole,
}

/// Keyed hashes of the word runs of what was given in confidence.
#[derive(Debug)]
pub struct LeakIndex {
    hasher: Hasher,
    prompts: Vec<HashTable>,
    documents: HashTable,
    config: LeakConfig,
}

impl LeakIndex {
    /// The runs of `prompts` and `documents`, as hashes under `key`, which should be random for each
    /// instance.
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

    /// Its memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let prompts: usize = self.prompts.iter().map(HashTable::bytes).sum();
        prompts + self.documents.bytes()
    }

    const fn is_empty(&self) -> bool {
        self.prompts.is_empty() && self.documents.len() == 0
    }

    /// What `text` has of each system prompt.
    fn of_prompts(&self, text: &str) -> Vec<(&HashTable, Runs)> {
        let mut found: Vec<_> = self.prompts.iter().map(|p| (p, Runs::default())).collect();
        if !found.is_empty() {
            shingles::<PROMPT_WORDS>(self.hasher, text, |s| {
                for (prompt, runs) in &mut found {
                    if prompt.contains(s.hash) {
                        runs.add(s.start..s.end, s.hash);
                    }
                }
            });
        }
        found
    }

    /// What `text` has of the protected documents.
    fn of_documents(&self, text: &str) -> Runs {
        let mut runs = Runs::default();
        if self.documents.len() == 0 {
            return runs;
        }
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
        runs
    }

    /// Runs of `prompt` in a row that are a leak by themselves. A prompt of a few words leaks when
    /// all of it does.
    fn min_run(&self, prompt: &HashTable) -> usize {
        let min_run = self.config.min_run.max(5) as usize - (PROMPT_WORDS - 1);
        min_run.min(prompt.len())
    }

    /// Copies that are long enough to be a leak wherever they stand.
    fn long(&self, text: &str) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for (prompt, runs) in self.of_prompts(text) {
            let min_run = self.min_run(prompt);
            leaks.extend(runs.runs.into_iter().filter_map(|run| {
                let longer = u16::try_from(run.shingles.checked_sub(min_run)?).unwrap_or(u16::MAX);
                Some(Leak {
                    rule: &PROMPT,
                    range: run.range,
                    confidence: 0.03_f32.mul_add(f32::from(longer), 0.75).min(0.99),
                })
            }));
        }
        let documents = self.of_documents(text).runs;
        leaks.extend(documents.into_iter().map(|run| Leak {
            rule: &DOCUMENT,
            range: run.range,
            confidence: if run.shingles > 4 { 0.98 } else { 0.9 },
        }));
        leaks
    }

    /// Short copies that are a leak because together they are much of a prompt.
    fn scattered(&self, text: &str) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for (prompt, runs) in self.of_prompts(text) {
            let shared = runs.hashes.len();
            #[expect(clippy::cast_precision_loss, reason = "a share of a few thousand runs")]
            let share = shared as f32 / prompt.len() as f32;
            if shared < self.config.min_runs.min(prompt.len()) || share < self.config.min_share {
                continue;
            }
            let min_run = self.min_run(prompt);
            let short = runs.runs.into_iter().filter(|run| run.shingles < min_run);
            leaks.extend(short.map(|run| Leak {
                rule: &PROMPT,
                range: run.range,
                confidence: 0.4_f32.mul_add(share, 0.6).min(0.99),
            }));
        }
        leaks
    }

    /// Where the end of `text` begins that may become a long copy, or a longer one.
    fn open_from(&self, text: &str) -> usize {
        // A run that is to come holds the last word, which may be cut short, or one after it.
        let mut frontier = text.len();
        let mut seen_from = |start: usize| frontier = frontier.min(start);
        if !self.prompts.is_empty() {
            seen_from(last_words(text, PROMPT_WORDS));
        }
        if self.documents.len() > 0 {
            seen_from(last_words(text, 2 * DOCUMENT_WORDS));
        }
        let prompts = self.of_prompts(text);
        let runs = prompts.iter().flat_map(|(_, runs)| &runs.runs);
        let documents = self.of_documents(text);
        runs.chain(&documents.runs)
            .filter(|run| run.range.end >= frontier)
            .map(|run| run.range.start)
            .fold(frontier, usize::min)
    }
}

impl LeakCheck {
    /// Looks for copies that are long enough to be a leak wherever they stand, and so within a
    /// stream, where none of them is released.
    #[must_use]
    pub const fn local(index: Arc<LeakIndex>) -> Self {
        Self {
            index,
            scope: Scope::Local,
        }
    }

    /// Looks for short copies that together are much of a system prompt, which needs the whole
    /// text.
    #[must_use]
    pub const fn whole(index: Arc<LeakIndex>) -> Self {
        Self {
            index,
            scope: Scope::Whole,
        }
    }

    /// What leaks in one reading.
    fn leaks(&self, text: &str) -> Vec<Leak> {
        match self.scope {
            Scope::Local => self.index.long(text),
            Scope::Whole => self.index.scattered(text),
        }
    }

    fn is_idle(&self, text: &Text<'_>) -> bool {
        self.index.is_empty() || text.direction != Direction::Output
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
    hashes: BTreeSet<u64>,
}

#[derive(Debug)]
struct Run {
    range: Range<usize>,
    shingles: usize,
    last: u64,
}

impl Runs {
    fn add(&mut self, range: Range<usize>, hash: u64) {
        self.hashes.insert(hash);
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
        match self.scope {
            Scope::Local => "leak",
            Scope::Whole => "leak-whole",
        }
    }

    fn layer(&self) -> Layer {
        Layer::Leak
    }

    fn rules(&self) -> Vec<RuleRef> {
        [&PROMPT, &DOCUMENT].map(RuleRef::Static).to_vec()
    }

    fn reach(&self) -> Reach {
        match self.scope {
            Scope::Local => Reach::Bounded(MAX_RUN),
            Scope::Whole => Reach::Unbounded,
        }
    }

    fn settled(&self, text: &Text<'_>) -> Option<u64> {
        let main = &text.main().text;
        Some(match self.is_idle(text) {
            true => main.len() as u64,
            false => self.index.open_from(main) as u64,
        })
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        if self.is_idle(text) {
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

    fn index() -> LeakIndex {
        LeakIndex::new([9; 16], &[SYSTEM], [DOCUMENT], LeakConfig::default())
    }

    fn found(answer: &str) -> Vec<(String, String)> {
        let patterns = Arc::new(PatternsBuilder::default().build());
        let scanner = Scanner::new(patterns, ViewLimits::default());
        let mut text = scanner.read(Origin::Model, answer.as_bytes());
        text.direction = Direction::Output;
        let mut report = Report::default();
        let index = Arc::new(index());
        for check in [
            LeakCheck::local(Arc::clone(&index)),
            LeakCheck::whole(index),
        ] {
            report.run::<Text<'_>>(&check, &text, Limits::default());
        }
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
        let decoded: String = reversed.chars().rev().collect();
        assert!(!index().long(&decoded).is_empty());
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
        let index = LeakIndex::new([3; 16], &[], [document], LeakConfig::default());
        assert!(index.long("董事会已经在里斯本").is_empty());
        assert!(
            !index
                .long("据说董事会已经在里斯本开会并且监管机构已经")
                .is_empty()
        );
    }

    #[test]
    fn nothing_of_the_text_stays() {
        let shown = format!("{:?}", index());
        assert!(!shown.contains("merger") && !shown.contains("Northwind"));
    }

    #[test]
    fn an_index_is_small() {
        let words: Vec<String> = (0..100_000_u32).map(|n| format!("w{n}")).collect();
        let document = words.join(" ");
        let index = LeakIndex::new([1; 16], &[], [document.as_str()], LeakConfig::default());
        assert!(index.bytes() < 12 * 100_000, "{}", index.bytes());
    }

    /// Said in a stream, the place from which on a copy may begin is held back.
    #[test]
    fn what_may_become_a_copy_is_open() {
        let index = index();
        let before = "As you like: here it is. ";
        for (end, _) in SYSTEM.match_indices(' ') {
            let said = format!("{before}{}", &SYSTEM[..end]);
            assert!(index.open_from(&said) <= before.len(), "{end}");
        }
        let text = format!(
            "{before}{SYSTEM} And now one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
        );
        assert_eq!(&text[index.open_from(&text)..][..3], "two");
    }
}
