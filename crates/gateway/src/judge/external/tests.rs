//! Exchanges as the services document them: what is sent, and what an answer comes to.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::judge::Question;

fn config(kind: ServiceKind) -> ClassifierConfig {
    ClassifierConfig::new(kind, "outside")
}

/// The ends of the rules' ids that an answer speaks for, with their confidence.
fn hits(config: &ClassifierConfig, answer: &str) -> Result<Vec<(String, f32)>, Unanswered> {
    let hits = config.kind.service().hits(answer, config)?;
    Ok(hits
        .into_iter()
        .map(|hit| {
            let (_, ours) = hit.rule.id.rsplit_once('.').unwrap();
            (ours.to_owned(), (hit.confidence * 100.0).round() / 100.0)
        })
        .collect())
}

fn found(kind: ServiceKind, answer: &str) -> Result<Vec<(String, f32)>, Unanswered> {
    hits(&config(kind), answer)
}

fn of(pairs: &[(&str, f32)]) -> Result<Vec<(String, f32)>, Unanswered> {
    Ok(pairs
        .iter()
        .map(|(name, confidence)| ((*name).to_owned(), *confidence))
        .collect())
}

const OPENAI: &str = include_str!("fixtures/openai-harmful.json");
const PERSPECTIVE: &str = include_str!("fixtures/perspective-harmful.json");
const AZURE: &str = include_str!("fixtures/azure-harmful.json");

#[test]
fn out_03_recorded_answers_come_to_our_kinds() {
    use ServiceKind as S;
    for (kind, answer, expected) in [
        (S::OpenaiModeration, OPENAI, of(&[("violence", 0.94)])),
        (
            S::OpenaiModeration,
            include_str!("fixtures/openai-harmless.json"),
            of(&[]),
        ),
        (
            S::Perspective,
            PERSPECTIVE,
            of(&[("toxicity", 0.95), ("insult", 0.94)]),
        ),
        (
            S::Perspective,
            include_str!("fixtures/perspective-harmless.json"),
            of(&[]),
        ),
        (S::AzureContentSafety, AZURE, of(&[("violence", 0.87)])),
        (
            S::AzureContentSafety,
            include_str!("fixtures/azure-harmless.json"),
            of(&[]),
        ),
        (S::LlamaGuard, "\n\nsafe", of(&[])),
        (
            S::LlamaGuard,
            "\n\nunsafe\nS1,S10",
            of(&[("violent-crimes", 1.0), ("hate", 1.0)]),
        ),
    ] {
        assert_eq!(found(kind, answer), expected, "{}", kind.as_str());
    }
}

#[test]
fn out_03_questions_are_as_documented() {
    use ServiceKind as S;
    let ask = |kind, direction| {
        let question = Question::to_service(&config(kind), "Hello", direction);
        let body: Value = serde_json::from_str(&question.body("Hello")).unwrap();
        (question.endpoint.path(), body)
    };
    assert_eq!(
        ask(S::OpenaiModeration, Direction::Input),
        (
            "/v1/moderations",
            json!({"model": "omni-moderation-latest", "input": "Hello"})
        )
    );
    let (_, perspective) = ask(S::Perspective, Direction::Input);
    assert_eq!(perspective["comment"], json!({"text": "Hello"}));
    assert_eq!(perspective["doNotStore"], true);
    assert_eq!(
        perspective["requestedAttributes"]["SEVERE_TOXICITY"],
        json!({})
    );
    let (_, azure) = ask(S::AzureContentSafety, Direction::Input);
    assert_eq!(
        azure,
        json!({
            "text": "Hello",
            "categories": ["Hate", "SelfHarm", "Sexual", "Violence"],
            "outputType": "EightSeverityLevels",
        })
    );
    let (path, guard) = ask(S::LlamaGuard, Direction::Output);
    assert_eq!(path, "/v1/chat/completions");
    assert_eq!(
        guard["messages"][1],
        json!({"role": "assistant", "content": "Hello"})
    );
    let (_, guard) = ask(S::LlamaGuard, Direction::Input);
    assert_eq!(
        guard["messages"],
        json!([{"role": "user", "content": "Hello"}])
    );
}

/// Whatever is not wholly understood is no answer, and so never a clean one.
#[test]
fn co_07_what_is_not_understood_is_no_answer() {
    use ServiceKind as S;
    let lacks = |answer: &str, pointer: &str, key: &str| {
        let mut answer: Value = serde_json::from_str(answer).unwrap();
        let object = answer
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap();
        object.remove(key).unwrap();
        answer.to_string()
    };
    let with = |answer: &str, pointer: &str, value: Value| {
        let mut answer: Value = serde_json::from_str(answer).unwrap();
        *answer.pointer_mut(pointer).unwrap() = value;
        answer.to_string()
    };
    let malformed = [
        (S::OpenaiModeration, String::new()),
        (S::OpenaiModeration, "[]".to_owned()),
        (S::OpenaiModeration, r#"{"results": []}"#.to_owned()),
        (
            S::OpenaiModeration,
            r#"{"error": {"message": "m"}}"#.to_owned(),
        ),
        (
            S::OpenaiModeration,
            lacks(OPENAI, "/results/0/categories", "hate"),
        ),
        (
            S::OpenaiModeration,
            lacks(OPENAI, "/results/0/category_scores", "hate"),
        ),
        (
            S::OpenaiModeration,
            with(OPENAI, "/results/0/category_scores/hate", json!(1.5)),
        ),
        (
            S::OpenaiModeration,
            with(OPENAI, "/results/0/category_scores/hate", json!(-0.1)),
        ),
        (
            S::OpenaiModeration,
            with(OPENAI, "/results/0/category_scores/hate", json!(null)),
        ),
        (
            S::OpenaiModeration,
            with(OPENAI, "/results/0/category_scores/hate", json!("0.1")),
        ),
        (
            S::Perspective,
            lacks(PERSPECTIVE, "/attributeScores", "THREAT"),
        ),
        (
            S::Perspective,
            with(
                PERSPECTIVE,
                "/attributeScores/THREAT/summaryScore/type",
                json!("SCORE"),
            ),
        ),
        (
            S::AzureContentSafety,
            r#"{"categoriesAnalysis": []}"#.to_owned(),
        ),
        (
            S::AzureContentSafety,
            with(AZURE, "/categoriesAnalysis/0/severity", json!(8)),
        ),
        (
            S::AzureContentSafety,
            with(AZURE, "/categoriesAnalysis/0/severity", json!(null)),
        ),
        (
            S::AzureContentSafety,
            with(AZURE, "/categoriesAnalysis/0/category", json!("Violence")),
        ),
    ];
    for (kind, answer) in malformed {
        assert_eq!(found(kind, &answer), Err(Unanswered::Malformed), "{answer}");
    }
    for answer in [
        "",
        "Safe",
        "safe.",
        "safe\nS1",
        "unsafe",
        "unsafe\nS1\nS2",
        "The text is safe",
        "safe\nunsafe",
        "I cannot help with that",
    ] {
        assert_eq!(
            found(S::LlamaGuard, answer),
            Err(Unanswered::Neither),
            "{answer}"
        );
    }
    let unknown = [
        (S::LlamaGuard, "unsafe\nS99".to_owned()),
        (S::LlamaGuard, "unsafe\nO3".to_owned()),
        (S::LlamaGuard, "unsafe\nS1,".to_owned()),
        (S::AzureContentSafety, {
            let mut answer: Value = serde_json::from_str(AZURE).unwrap();
            let list = answer["categoriesAnalysis"].as_array_mut().unwrap();
            list.push(json!({"category": "Weapons", "severity": 6}));
            answer.to_string()
        }),
        (S::OpenaiModeration, {
            let mut answer: Value = serde_json::from_str(OPENAI).unwrap();
            answer["results"][0]["categories"]["fraud"] = json!(true);
            answer["results"][0]["category_scores"]["fraud"] = json!(0.3);
            answer.to_string()
        }),
    ];
    for (kind, answer) in unknown {
        assert_eq!(
            found(kind, &answer),
            Err(Unanswered::UnknownHarm),
            "{answer}"
        );
    }
    // A kind that is new to us and was not found does not stop anybody.
    let mut answer: Value = serde_json::from_str(OPENAI).unwrap();
    answer["results"][0]["categories"]["fraud"] = json!(false);
    answer["results"][0]["category_scores"]["fraud"] = json!(0.01);
    let answer = answer.to_string();
    assert_eq!(
        found(S::OpenaiModeration, &answer),
        of(&[("violence", 0.94)])
    );
}

#[test]
fn thresholds_are_by_kind_and_stand_at_the_confidence_that_refuses() {
    let mut own = config(ServiceKind::OpenaiModeration);
    own.thresholds = [
        ("violence".to_owned(), 0.9),
        ("violence-graphic".to_owned(), 0.377),
    ]
    .into();
    // `violence` is flagged by the service, but the configuration says from when on it counts.
    assert_eq!(hits(&own, OPENAI), of(&[("violence-graphic", 0.8)]));
    own.ignore = vec!["violence-graphic".to_owned()];
    assert_eq!(hits(&own, OPENAI), of(&[]));
    // Below its usual threshold, what the service flags still counts.
    let mut answer: Value = serde_json::from_str(OPENAI).unwrap();
    answer["results"][0]["category_scores"]["violence"] = json!(0.3);
    let answer = answer.to_string();
    let usual = config(ServiceKind::OpenaiModeration);
    assert_eq!(hits(&usual, &answer), of(&[("violence", 0.8)]));
}

#[test]
fn tables_name_each_kind_once_and_rules_by_service() {
    let mut ids = BTreeSet::new();
    for kind in ServiceKind::ALL {
        let service = kind.service();
        let mut ours = BTreeSet::new();
        let mut theirs = BTreeSet::new();
        for harm in service.harms {
            assert!(ours.insert(harm.ours) && theirs.insert(harm.theirs));
            assert!(harm.threshold > 0.0 && harm.threshold <= 1.0);
            assert_eq!(
                harm.rule.id,
                format!("external.{}.{}", service.name, harm.ours)
            );
            assert_eq!(harm.rule.category, Category::Harm);
            ids.insert(harm.rule.id.clone());
        }
    }
    assert_eq!(rules().count(), ids.len());
}

/// The guide lists what a configuration may name.
#[test]
fn the_guide_knows_every_kind() {
    let guide = include_str!("../../../../../docs/src/guides/classifiers.md");
    for kind in ServiceKind::ALL {
        let service = kind.service();
        assert!(guide.contains(&format!("| `{}` |", service.name)));
        for harm in service.harms {
            assert!(guide.contains(&format!("`{}`", harm.ours)), "{}", harm.ours);
        }
    }
}

#[test]
fn co_11_mistakes_of_a_classifier_are_named() {
    let upstream = |name: &str| match name {
        "outside" => Some(Kind::Perspective),
        "models" => Some(Kind::OpenAi),
        _ => None,
    };
    let check = |yaml: &str| -> Vec<String> {
        let config: ClassifierConfig = serde_saphyr::from_str(yaml).unwrap();
        config
            .check(upstream)
            .into_iter()
            .map(|(key, _)| key)
            .collect()
    };
    assert!(check("kind: perspective\nupstream: outside").is_empty());
    assert!(check("kind: llama-guard\nupstream: models\nmodel: m").is_empty());
    assert_eq!(
        check("kind: openai-moderation\nupstream: outside"),
        ["upstream"]
    );
    assert_eq!(check("kind: perspective\nupstream: nowhere"), ["upstream"]);
    assert_eq!(
        check(
            "kind: perspective\nupstream: outside\nthresholds: {toxicity: 0, hate: 0.5}\nignore: [x]\ndirections: []\nmax-bytes: 100000\nper-minute: 0"
        ),
        [
            "per-minute",
            "thresholds",
            "thresholds",
            "ignore",
            "directions",
            "max-bytes"
        ]
    );
    assert!(serde_saphyr::from_str::<ClassifierConfig>("upstream: outside").is_err());
}
