//! The built-in echo: answers every format without asking anybody, so that the first request works
//! before there is a model. It says that it is none.

mod asked;
mod events;
mod whole;

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

use self::asked::Asked;
use super::{UpstreamRequest, body::UpstreamBody};
use crate::endpoint::Endpoint;

/// The model's name in the list of models.
pub(super) const MODEL: &str = "echo";

/// How every text of the echo begins.
const LABEL: &str = "This is Bartizan's built-in echo; no model is configured.";

/// Most characters of a message that are given back.
const MOST: usize = 2_000;

/// An answer to `request`, at `now` in seconds since 1970.
pub(super) fn answer(request: &UpstreamRequest, now: u64) -> (HeaderMap, UpstreamBody) {
    let asked = Asked::read(request);
    let reply = Reply {
        text: reply_text(&asked.text),
        number: NUMBER.fetch_add(1, Ordering::Relaxed),
        now,
        asked,
    };
    let (kind, pieces) = match request.endpoint {
        Endpoint::ChatCompletions if reply.asked.stream => (EVENTS, events::chat(&reply)),
        Endpoint::Completions if reply.asked.stream => (EVENTS, events::completion(&reply)),
        Endpoint::Responses if reply.asked.stream => (EVENTS, events::response(&reply)),
        Endpoint::Messages if reply.asked.stream => (EVENTS, events::message(&reply)),
        endpoint => (JSON, whole::answer(endpoint, &reply)),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let pieces = pieces.into_iter().map(Bytes::from);
    (headers, UpstreamBody::from_pieces(pieces))
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// What is answered.
struct Reply {
    asked: Asked,
    text: String,
    number: u64,
    now: u64,
}

impl Reply {
    fn id(&self, prefix: &str) -> String {
        format!("{prefix}echo{:012x}", self.number)
    }

    /// Tokens in and out: a quarter of the bytes, for want of a tokenizer.
    fn tokens(&self) -> (usize, usize) {
        (
            self.asked.text.len().div_ceil(4),
            self.text.len().div_ceil(4),
        )
    }

    /// The text in pieces of a few words, as a stream has them.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.text.split_inclusive(' ')
    }
}

fn reply_text(asked: &str) -> String {
    if asked.is_empty() {
        return LABEL.to_owned();
    }
    let short: String = asked.chars().take(MOST).collect();
    format!("{LABEL} You wrote: {short}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    async fn ask(endpoint: Endpoint, body: Value) -> (String, Vec<String>) {
        let request = UpstreamRequest {
            endpoint,
            body: body.to_string().into(),
            model: None,
            model_name: Arc::from("m"),
            headers: HeaderMap::new(),
        };
        let (headers, mut body) = answer(&request, 7);
        let mut pieces = Vec::new();
        while let Some(piece) = body.next().await {
            pieces.push(String::from_utf8(piece.unwrap().to_vec()).unwrap());
        }
        let kind = headers["content-type"].to_str().unwrap().to_owned();
        (kind, pieces)
    }

    async fn whole(endpoint: Endpoint, body: Value) -> Value {
        let (kind, pieces) = ask(endpoint, body).await;
        assert_eq!(kind, JSON);
        serde_json::from_str(&pieces.concat()).unwrap()
    }

    async fn events(endpoint: Endpoint, body: Value) -> Vec<Value> {
        let (kind, pieces) = ask(endpoint, body).await;
        assert_eq!(kind, EVENTS);
        pieces
            .iter()
            .flat_map(|piece| piece.lines())
            .filter_map(|line| line.strip_prefix("data: "))
            .filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    const TEXT: &str = "This is Bartizan's built-in echo; no model is configured. You wrote: héllo";

    #[tokio::test]
    async fn chat_with_several_choices_and_parts() {
        let body = json!({"model": "m", "n": 2, "messages": [
            {"role": "system", "content": "no"},
            {"role": "user", "content": [{"type": "text", "text": "héllo"}]},
        ]});
        let answer = whole(Endpoint::ChatCompletions, body).await;
        assert_eq!(answer["choices"].as_array().unwrap().len(), 2);
        assert_eq!(answer["choices"][1]["message"]["content"], TEXT);
        assert_eq!(answer["model"], "m");
    }

    #[tokio::test]
    async fn every_stream_gives_the_text_in_pieces() {
        let chat = json!({"stream": true, "stream_options": {"include_usage": true},
            "messages": [{"role": "user", "content": "héllo"}]});
        let chunks = events(Endpoint::ChatCompletions, chat).await;
        let text: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(text, TEXT);
        assert!(chunks.last().unwrap()["usage"]["total_tokens"].as_u64() > Some(0));

        let prompt = json!({"stream": true, "prompt": ["héllo"]});
        let chunks = events(Endpoint::Completions, prompt).await;
        let text: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["text"].as_str())
            .collect();
        assert_eq!(text, TEXT);

        let input = json!({"stream": true, "input": [{"role": "user",
            "content": [{"type": "input_text", "text": "héllo"}]}]});
        let chunks = events(Endpoint::Responses, input).await;
        let text: String = chunks
            .iter()
            .filter(|event| event["type"] == "response.output_text.delta")
            .filter_map(|event| event["delta"].as_str())
            .collect();
        assert_eq!(text, TEXT);
        let last = chunks.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        assert_eq!(last["response"]["output"][0]["content"][0]["text"], TEXT);
        let numbers: Vec<_> = chunks
            .iter()
            .map(|e| e["sequence_number"].as_u64())
            .collect();
        assert!(numbers.is_sorted() && numbers[0] == Some(0));

        let messages = json!({"stream": true, "max_tokens": 9,
            "messages": [{"role": "user", "content": "héllo"}]});
        let chunks = events(Endpoint::Messages, messages).await;
        let text: String = chunks
            .iter()
            .filter_map(|event| event["delta"]["text"].as_str())
            .collect();
        assert_eq!(text, TEXT);
        assert_eq!(chunks.last().unwrap()["type"], "message_stop");
    }

    #[tokio::test]
    async fn other_formats() {
        let message = whole(
            Endpoint::Messages,
            json!({"messages": [{"role": "user", "content": "héllo"}]}),
        )
        .await;
        assert_eq!(message["content"][0]["text"], TEXT);
        assert_eq!(message["stop_reason"], "end_turn");
        let response = whole(Endpoint::Responses, json!({"input": "héllo"})).await;
        assert_eq!(response["output"][0]["content"][0]["text"], TEXT);
        let tokens = whole(
            Endpoint::CountTokens,
            json!({"messages": [{"role": "user", "content": "12345678"}]}),
        )
        .await;
        assert_eq!(tokens["input_tokens"], 2);
        let list = whole(Endpoint::Models, json!({})).await;
        assert_eq!(list["data"][0]["id"], "echo");
        let moderation = whole(Endpoint::Moderations, json!({"input": "x"})).await;
        assert_eq!(moderation["results"], json!([]), "the echo judges nothing");
    }

    #[tokio::test]
    async fn embeddings_are_of_length_one_and_the_same_for_the_same_text() {
        let floats = whole(Endpoint::Embeddings, json!({"input": ["a", "b", "a"]})).await;
        let vector = |at: usize| floats["data"][at]["embedding"].as_array().unwrap().clone();
        assert_eq!(vector(0), vector(2));
        assert_ne!(vector(0), vector(1));
        let square: f64 = vector(0).iter().map(|x| x.as_f64().unwrap().powi(2)).sum();
        assert!((square - 1.0).abs() < 1e-3, "{square}");
        let encoded = whole(
            Endpoint::Embeddings,
            json!({"input": "a", "encoding_format": "base64"}),
        )
        .await;
        assert!(encoded["data"][0]["embedding"].is_string());
    }

    #[tokio::test]
    async fn a_body_that_is_no_request_still_gets_an_answer() {
        for body in [json!(null), json!([1]), json!({"messages": 7, "n": -1})] {
            let answer = whole(Endpoint::ChatCompletions, body).await;
            assert_eq!(answer["choices"][0]["message"]["content"], LABEL);
        }
    }
}
