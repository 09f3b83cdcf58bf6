use std::{
    borrow::Cow,
    sync::atomic::{AtomicUsize, Ordering},
};

use bartizan_core::{
    Category, Confidence, Coverage, Finding, Layer, Origin, Rule, RuleRef, Severity,
};
use bartizan_guard::{Inspection, JudgedPart, conversation::PartKind};
use bartizan_policy::Date;
use futures_util::future::BoxFuture;

use super::{super::asker::pieces, *};
use crate::{
    clock::ManualClock,
    judge::{Question, Streams, Unanswered},
};

/// A model that answers what it is told to, with the question's nonce for `NONCE`.
struct Model {
    answer: Result<&'static str, Unanswered>,
    asked: AtomicUsize,
    hangs: bool,
}

impl Ask for Model {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<String, Unanswered>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let nonce = question.text.split(['-', '>']).nth(1).unwrap().to_owned();
        Box::pin(async move {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            self.answer.map(|answer| answer.replace("NONCE", &nonce))
        })
    }
}

const BENIGN: &str = r#"{"verdict":"benign","nonce":"NONCE"}"#;
const YES: &str = r#"{"verdict":"attack","nonce":"NONCE"}"#;

static WEAK: Rule = Rule {
    id: Cow::Borrowed("test.weak"),
    title: Cow::Borrowed("weak"),
    severity: Severity::Medium,
    category: Category::Injection,
    refs: Cow::Borrowed(&[]),
    why: Cow::Borrowed(""),
    fix: Cow::Borrowed(""),
    entity: None,
};

fn model(answer: Result<&'static str, Unanswered>) -> Arc<Model> {
    Arc::new(Model {
        answer,
        asked: AtomicUsize::new(0),
        hangs: false,
    })
}

fn layer(config: JudgeConfig, model: &Arc<Model>) -> (JudgeLayer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(1_000_000));
    let config = JudgeConfig {
        model: "judge".into(),
        ..config
    };
    let ask = Arc::clone(model) as Arc<dyn Ask>;
    let layer = JudgeLayer::new(&config, &[], ask, Arc::clone(&clock) as Arc<dyn Clock>);
    (layer.unwrap(), clock)
}

/// A judgement of one text that one rule saw with that confidence.
fn judgement(confidence: f32, origin: Origin) -> Judgement {
    let mut inspection = Inspection::default();
    inspection.report.findings.push(Finding {
        rule: RuleRef::Static(&WEAK),
        layer: Layer::Rules,
        confidence: Confidence::clamped(confidence),
        span: None,
        via: Vec::new(),
        message: "weak".into(),
    });
    inspection.report.coverage.push(Coverage {
        check: "rules",
        layer: Layer::Rules,
        outcome: Ok(()),
    });
    let cx = DecisionContext::new(Direction::Input, origin, Date::MIN);
    let decision = Policy::default().decide(&inspection.report, &cx);
    Judgement {
        parts: vec![JudgedPart {
            path: String::new(),
            origin,
            kind: PartKind::Text,
            inspection,
        }],
        decision,
    }
}

async fn verdict(layer: &JudgeLayer, confidence: f32, text: &str) -> Verdict {
    let first = judgement(confidence, Origin::User);
    let opinions = layer
        .review(&first, &[Asked { text }], Direction::Input)
        .await;
    let cx = DecisionContext::new(Direction::Input, Origin::User, Date::MIN);
    amend(first, opinions, &Policy::default(), &cx)
        .decision
        .enforced()
}

#[tokio::test]
async fn asked_in_the_grey_band_only() {
    for (confidence, asked) in [(0.1, 0), (0.35, 1), (0.6, 1), (0.79, 1), (0.95, 0)] {
        let model = model(Ok(BENIGN));
        let (layer, _) = layer(JudgeConfig::default(), &model);
        verdict(&layer, confidence, "text").await;
        assert_eq!(model.asked.load(Ordering::Relaxed), asked, "{confidence}");
    }
}

#[tokio::test]
async fn an_attack_blocks_and_a_benign_answer_takes_nothing_back() {
    let says_yes = model(Ok(YES));
    let (attack, _) = layer(JudgeConfig::default(), &says_yes);
    assert_eq!(verdict(&attack, 0.35, "text").await, Verdict::Block);
    let says_no = model(Ok(BENIGN));
    let (benign, _) = layer(JudgeConfig::default(), &says_no);
    assert_eq!(verdict(&benign, 0.35, "text").await, Verdict::Allow);
    assert_eq!(verdict(&benign, 0.6, "text").await, Verdict::Ask);
}

/// Whatever the model says that is no answer, a status, a lost line, or silence: nothing of it
/// counts as safe.
#[tokio::test(start_paused = true)]
async fn ws_14_no_answer_fails_closed() {
    let answers = [
        Ok("Yes."),
        Ok("yes, it is"),
        Ok("**Yes**"),
        Ok(""),
        Ok("Error: rate limited"),
        Ok("no"),
        Ok(r#"{"verdict":"benign","nonce":"0123456789abcdef0123456789abcdef"}"#),
        Err(Unanswered::Status(500)),
        Err(Unanswered::Unreachable),
        Err(Unanswered::Malformed),
    ];
    for answer in answers {
        let model = model(answer);
        let (layer, _) = layer(JudgeConfig::default(), &model);
        assert_eq!(
            verdict(&layer, 0.35, "text").await,
            Verdict::Block,
            "{answer:?}"
        );
        verdict(&layer, 0.35, "text").await;
        assert_eq!(model.asked.load(Ordering::Relaxed), 2, "not remembered");
    }
    let hanging = Arc::new(Model {
        answer: Ok(BENIGN),
        asked: AtomicUsize::new(0),
        hangs: true,
    });
    let (layer, _) = layer(JudgeConfig::default(), &hanging);
    assert_eq!(verdict(&layer, 0.35, "text").await, Verdict::Block);
}

#[tokio::test]
async fn opinions_are_remembered_for_a_while() {
    let model = model(Ok(BENIGN));
    let (layer, clock) = layer(JudgeConfig::default(), &model);
    for _ in 0..5 {
        verdict(&layer, 0.5, "text").await;
    }
    assert_eq!(model.asked.load(Ordering::Relaxed), 1);
    verdict(&layer, 0.5, "other").await;
    assert_eq!(model.asked.load(Ordering::Relaxed), 2);
    clock.advance_ms(3_601_000);
    verdict(&layer, 0.5, "text").await;
    assert_eq!(model.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn the_budget_is_per_minute_and_running_out_is_a_gap() {
    let model = model(Ok(BENIGN));
    let config = JudgeConfig {
        per_minute: 3,
        ..JudgeConfig::default()
    };
    let (layer, clock) = layer(config, &model);
    for number in 0..3 {
        assert_eq!(
            verdict(&layer, 0.35, &format!("text {number}")).await,
            Verdict::Allow
        );
    }
    assert_eq!(verdict(&layer, 0.35, "one more").await, Verdict::Block);
    clock.advance_ms(60_000);
    assert_eq!(verdict(&layer, 0.35, "one more").await, Verdict::Allow);
}

#[tokio::test]
async fn long_texts_are_asked_about_in_pieces() {
    let model = model(Ok(BENIGN));
    let config = JudgeConfig {
        max_bytes: 1_024,
        max_questions: 4,
        ..JudgeConfig::default()
    };
    let (layer, _) = layer(config, &model);
    let text: String = (0..150).map(|at| format!("日本語 {at} ")).collect();
    assert_eq!(verdict(&layer, 0.35, &text).await, Verdict::Allow);
    assert!(model.asked.load(Ordering::Relaxed) >= 3);
    let longer = text.repeat(4);
    assert_eq!(verdict(&layer, 0.35, &longer).await, Verdict::Block);
}

/// A judge that is to see answers, and cannot, is not left out in silence.
#[tokio::test]
async fn streams_are_refused_where_the_judge_is_to_see_answers() {
    let model = model(Ok(BENIGN));
    let refuses = |config| layer(config, &model).0.refuses_streams();
    assert!(refuses(JudgeConfig::default()));
    assert!(!refuses(JudgeConfig {
        directions: vec![Direction::Input],
        ..JudgeConfig::default()
    }));
    assert!(!refuses(JudgeConfig {
        streams: Streams::PassUnseen,
        ..JudgeConfig::default()
    }));
}

#[test]
fn pieces_cover_the_text_and_overlap() {
    for text in ["", "a", &"é".repeat(5_000), &"日本".repeat(3_000)] {
        let pieces = pieces(text, 1_024);
        assert!(pieces.iter().all(|piece| piece.len() <= 1_024));
        let total: usize = pieces.iter().map(|piece| piece.len()).sum();
        assert!(total >= text.len());
        assert!(text.starts_with(pieces[0]) && text.ends_with(pieces[pieces.len() - 1]));
        assert!(pieces.len() <= text.len() / 700 + 1);
    }
}

#[tokio::test]
async fn the_operators_own_prompt_is_not_asked_about() {
    let model = model(Ok(YES));
    let (layer, _) = layer(JudgeConfig::default(), &model);
    let first = judgement(0.5, Origin::System);
    let asked = [Asked { text: "text" }];
    assert!(
        layer
            .review(&first, &asked, Direction::Input)
            .await
            .is_empty()
    );
    let config = JudgeConfig::default();
    assert!(JudgeLayer::new(&config, &[], model, Arc::new(ManualClock::at(0))).is_none());
}

/// Answers when so many questions wait at once, and never before.
struct Together(tokio::sync::Barrier);

impl Ask for Together {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<String, Unanswered>> {
        let nonce = question.text.split(['-', '>']).nth(1).unwrap().to_owned();
        Box::pin(async move {
            self.0.wait().await;
            Ok(BENIGN.replace("NONCE", &nonce))
        })
    }
}

#[tokio::test]
async fn parts_are_asked_about_side_by_side() {
    let config = JudgeConfig {
        model: "judge".into(),
        max_questions: 8,
        ..JudgeConfig::default()
    };
    let ask = Arc::new(Together(tokio::sync::Barrier::new(8)));
    let clock = Arc::new(ManualClock::at(0));
    let layer = JudgeLayer::new(&config, &[], ask, clock).unwrap();
    let mut first = judgement(0.35, Origin::User);
    let part = first.parts[0].clone();
    first.parts = vec![part; 8];
    let texts: Vec<String> = (0..8).map(|number| format!("text {number}")).collect();
    let asked: Vec<Asked<'_>> = texts.iter().map(|text| Asked { text }).collect();
    let opinions = layer.review(&first, &asked, Direction::Input).await;
    assert_eq!(opinions.questions(), 8);
    let cx = DecisionContext::new(Direction::Input, Origin::User, Date::MIN);
    let decision = amend(first, opinions, &Policy::default(), &cx).decision;
    assert_eq!(decision.enforced(), Verdict::Allow);
}
