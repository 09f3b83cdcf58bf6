use serde_json::json;

use super::{azure, check, lakera, litellm, llm_guard, presidio, rag, report};
use crate::openapi::{ErrorShape, RouteDoc, given, taken};

/// The guard-only routes, for the OpenAPI document.
pub(crate) fn routes() -> Vec<RouteDoc> {
    let names = || Some(json!({"type": "array", "items": {"type": "string"}}));
    let presidio = |method, path, id, summary| RouteDoc {
        errors: ErrorShape::Plain,
        ..RouteDoc::new(method, path, id, "presidio", summary)
    };
    let llm_guard = |path, id, request, summary| RouteDoc {
        errors: ErrorShape::LlmGuard,
        request: Some(request),
        answer: Some(given::<llm_guard::Scanned>()),
        ..RouteDoc::new("post", path, id, "llm-guard", summary)
    };
    let found = given::<presidio::Found>();
    let list = json!({"type": "array", "items": found});
    let lists = json!({"type": "array", "items": list});
    vec![
        RouteDoc {
            request: Some(taken::<check::CheckRequest>()),
            answer: Some(given::<report::Report>()),
            ..RouteDoc::new(
                "post",
                check::PATH,
                "guardCheck",
                "guard",
                "Judge texts and conversations",
            )
        },
        RouteDoc {
            request: Some(taken::<rag::IngestRequest>()),
            answer: Some(given::<rag::Ingested>()),
            ..RouteDoc::new(
                "post",
                rag::INGEST,
                "ragIngestCheck",
                "rag",
                "Judge a document or chunks before they are stored",
            )
        },
        RouteDoc {
            request: Some(taken::<rag::QueryRequest>()),
            answer: Some(given::<rag::Retrieved>()),
            ..RouteDoc::new(
                "post",
                rag::QUERY,
                "ragQueryCheck",
                "rag",
                "Judge a question and the chunks retrieved for it",
            )
        },
        RouteDoc {
            request: Some(taken::<rag::AnswerRequest>()),
            answer: Some(given::<rag::Answered>()),
            ..RouteDoc::new(
                "post",
                rag::ANSWER,
                "ragAnswerCheck",
                "rag",
                "Hold an answer against its evidence",
            )
        },
        RouteDoc {
            request: Some(taken::<presidio::AnalyzeRequest>()),
            answer: Some(json!({"anyOf": [list, lists]})),
            ..presidio(
                "post",
                presidio::ANALYZE,
                "analyze",
                "Find entities in texts",
            )
        },
        RouteDoc {
            request: Some(taken::<presidio::AnonymizeRequest>()),
            answer: Some(given::<presidio::Anonymized>()),
            ..presidio("post", presidio::ANONYMIZE, "anonymize", "Replace entities")
        },
        RouteDoc {
            request: Some(taken::<presidio::DeanonymizeRequest>()),
            answer: Some(given::<presidio::Anonymized>()),
            ..presidio(
                "post",
                presidio::DEANONYMIZE,
                "deanonymize",
                "Turn encrypted entities back",
            )
        },
        RouteDoc {
            answer: names(),
            query: &["language"],
            ..presidio(
                "get",
                presidio::SUPPORTED_ENTITIES,
                "supportedEntities",
                "The entities that are found",
            )
        },
        RouteDoc {
            answer: names(),
            query: &["language"],
            ..presidio(
                "get",
                presidio::RECOGNIZERS,
                "recognizers",
                "The rules that find them",
            )
        },
        RouteDoc {
            answer: names(),
            ..presidio("get", presidio::ANONYMIZERS, "anonymizers", "The operators")
        },
        RouteDoc {
            answer: names(),
            ..presidio(
                "get",
                presidio::DEANONYMIZERS,
                "deanonymizers",
                "The operators that turn back",
            )
        },
        RouteDoc {
            request: Some(taken::<litellm::GuardrailRequest>()),
            answer: Some(given::<litellm::GuardrailAnswer>()),
            ..RouteDoc::new(
                "post",
                litellm::PATH,
                "litellmGuardrail",
                "litellm",
                "LiteLLM's generic guardrail",
            )
        },
        RouteDoc {
            request: Some(taken::<lakera::GuardRequest>()),
            answer: Some(given::<lakera::Guarded>()),
            ..RouteDoc::new(
                "post",
                lakera::PATH,
                "lakeraGuard",
                "lakera",
                "Lakera Guard",
            )
        },
        RouteDoc {
            errors: ErrorShape::Azure,
            query: &["api-version"],
            request: Some(taken::<azure::ShieldPrompt>()),
            answer: Some(given::<azure::Shielded>()),
            ..RouteDoc::new(
                "post",
                azure::PATH,
                "shieldPrompt",
                "azure",
                "Azure Prompt Shields",
            )
        },
        llm_guard(
            llm_guard::ANALYZE_PROMPT,
            "analyzePrompt",
            taken::<llm_guard::PromptRequest>(),
            "Judge a prompt and give its safe version",
        ),
        llm_guard(
            llm_guard::ANALYZE_OUTPUT,
            "analyzeOutput",
            taken::<llm_guard::OutputRequest>(),
            "Judge an answer and give its safe version",
        ),
        llm_guard(
            llm_guard::SCAN_PROMPT,
            "scanPrompt",
            taken::<llm_guard::PromptRequest>(),
            "Judge a prompt",
        ),
        llm_guard(
            llm_guard::SCAN_OUTPUT,
            "scanOutput",
            taken::<llm_guard::OutputRequest>(),
            "Judge an answer",
        ),
    ]
}
