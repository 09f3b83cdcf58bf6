//! What the client gets does not depend on how the upstream cuts.

use std::collections::BTreeMap;

use bartizan_gateway::{
    endpoint::Endpoint,
    wire::stream::{StreamConfig, StreamSetup},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Got, run, setup, sse, whole};

const PIECES: &[&str] = &[
    "hello ",
    "the meeting is at 3 pm. ",
    "jane@example.com",
    "x-1.2.3.4@secret-corp.com",
    " ",
    "415-555-2671",
    "+44 20 7946 0958",
    "123-45-6789",
    "my ssn is ",
    "\n",
    "password = \"hK9#mQ2$vL7x\"",
    "ghp_",
    "api_key: ",
    "AKIAQYLPMN5HHHFPZAM2",
    "\u{200b}",
    "Привет мир ",
    "о",
    "请忽略",
    "DE89 3704 0044 0532 0130 00",
    "date of birth: 12/03/1985",
    "é",
    "\"quoted\" \\ back\u{1}",
    "😀",
    "192.168.10.11",
    "tel ",
    "<b>",
    "token",
    "| passport | C01X00T47 |\n",
    "order no ",
    " 4111 1111",
    " 1111 1111",
    "[EMAIL",
];

/// A text, cut into pieces on whole characters.
fn cut(text: &str, cuts: &[usize]) -> Vec<String> {
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    bounds.retain(|&at| text.is_char_boundary(at));
    bounds.extend([0, text.len()]);
    bounds.sort_unstable();
    bounds
        .windows(2)
        .map(|w| text[w[0]..w[1]].to_owned())
        .collect()
}

/// Pieces of several texts, one of each in turn.
fn interleaved(texts: &[Vec<String>]) -> Vec<(u64, String)> {
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut all = Vec::new();
    for at in 0..longest {
        for (index, pieces) in (0..).zip(texts) {
            if let Some(piece) = pieces.get(at) {
                all.push((index, piece.clone()));
            }
        }
    }
    all
}

fn chat(pieces: &[(u64, String)], choices: u64, together: bool) -> Vec<Value> {
    let delta = |index: u64, piece: &str| json!({"index": index, "delta": {"content": piece}, "finish_reason": null});
    let chunk = |choices: Vec<Value>| {
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": choices})
    };
    let mut events: Vec<Value> = if together {
        let mut groups: Vec<Vec<Value>> = Vec::new();
        for (index, piece) in pieces {
            let fits = groups
                .last()
                .is_some_and(|group| group.iter().all(|choice| choice["index"] != *index));
            if !fits {
                groups.push(Vec::new());
            }
            groups.last_mut().unwrap().push(delta(*index, piece));
        }
        groups.into_iter().map(chunk).collect()
    } else {
        let one = |(index, piece): &(u64, String)| chunk(vec![delta(*index, piece)]);
        pieces.iter().map(one).collect()
    };
    for index in 0..choices {
        events.push(chunk(vec![
            json!({"index": index, "delta": {}, "finish_reason": "stop"}),
        ]));
    }
    events.push("[DONE]".into());
    events
}

fn responses(pieces: &[(u64, String)], texts: &[String]) -> Vec<Value> {
    let item = |index: usize, text: &str| {
        json!({"type": "message", "id": format!("m{index}"), "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}]})
    };
    let mut events = vec![json!({"type": "response.created", "sequence_number": 0,
        "response": {"id": "r", "object": "response", "model": "m", "output": []}})];
    for (index, piece) in pieces {
        events.push(
            json!({"type": "response.output_text.delta", "sequence_number": 1,
            "item_id": format!("m{index}"), "output_index": index, "content_index": 0,
            "delta": piece, "logprobs": []}),
        );
    }
    for (index, text) in texts.iter().enumerate() {
        events.push(
            json!({"type": "response.output_text.done", "sequence_number": 1,
            "item_id": format!("m{index}"), "output_index": index, "content_index": 0,
            "text": text, "logprobs": []}),
        );
        events.push(
            json!({"type": "response.output_item.done", "sequence_number": 1,
            "output_index": index, "item": item(index, text)}),
        );
    }
    let output: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| item(index, text))
        .collect();
    events.push(json!({"type": "response.completed", "sequence_number": 1,
        "response": {"id": "r", "object": "response", "model": "m", "status": "completed",
            "output": output}}));
    events
}

fn messages(pieces: &[(u64, String)], blocks: u64) -> Vec<Value> {
    let mut events = vec![
        json!({"type": "message_start", "message": {"id": "m", "type": "message",
        "role": "assistant", "content": [], "model": "m", "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}}}),
    ];
    for index in 0..blocks {
        events.push(json!({"type": "content_block_start", "index": index,
            "content_block": {"type": "text", "text": ""}}));
    }
    for (index, piece) in pieces {
        events.push(json!({"type": "content_block_delta", "index": index,
            "delta": {"type": "text_delta", "text": piece}}));
    }
    for index in 0..blocks {
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn",
        "stop_sequence": null}, "usage": {"output_tokens": 9}}),
    );
    events.push(json!({"type": "message_stop"}));
    events
}

/// The texts that a client puts together, by the number of their choice, item, or block.
fn read(got: &Got) -> BTreeMap<u64, String> {
    let mut texts: BTreeMap<u64, String> = BTreeMap::new();
    for (name, event) in &got.events {
        for choice in event["choices"].as_array().into_iter().flatten() {
            let text = texts.entry(choice["index"].as_u64().unwrap()).or_default();
            text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        }
        let (number, text) = match name.as_str() {
            "response.output_text.delta" => (&event["output_index"], &event["delta"]),
            "content_block_delta" => (&event["index"], &event["delta"]["text"]),
            _ => continue,
        };
        texts
            .entry(number.as_u64().unwrap())
            .or_default()
            .push_str(text.as_str().unwrap());
    }
    texts
}

fn bytes_cut(stream: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    bounds.extend([0, stream.len()]);
    bounds.sort_unstable();
    bounds
        .windows(2)
        .map(|w| stream[w[0]..w[1]].to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// `OUT-24`: for every protocol, what the client puts together is what filtering the whole text
    /// gives, and never more than the limit is held back. 250 cases of 1 to 3 texts in 3 formats, about 1,500 texts.
    #[test]
    fn streams_release_what_the_whole_releases(
        picks in prop::collection::vec(prop::collection::vec(0..PIECES.len(), 0..40), 1..4),
        cuts in prop::collection::vec(0usize..4000, 0..60),
        wire_cuts in prop::collection::vec(0usize..100_000, 0..60),
        together in any::<bool>(),
        batch in prop_oneof![Just(0usize), Just(16), Just(128)],
    ) {
        let texts: Vec<String> = picks
            .iter()
            .map(|picks| picks.iter().map(|&at| PIECES[at]).collect())
            .collect();
        let pieces = interleaved(&texts.iter().map(|text| cut(text, &cuts)).collect::<Vec<_>>());
        let expected: Vec<(String, bool)> = texts.iter().map(|text| whole(text)).collect();
        // The test's policy stops a text at a card number.
        let blocked = expected.iter().any(|(_, stopped)| *stopped);
        let config = StreamConfig { batch_bytes: batch, max_hold_back_bytes: 16 << 10, ..StreamConfig::default() };
        let count = texts.len() as u64;
        let runs = [
            (Endpoint::ChatCompletions, chat(&pieces, count, together)),
            (Endpoint::Responses, responses(&pieces, &texts)),
            (Endpoint::Messages, messages(&pieces, count)),
        ];
        for (endpoint, events) in runs {
            let stream = sse(&events);
            let bytes = bytes_cut(stream.as_bytes(), &wire_cuts);
            let bytes: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
            let got = run(endpoint, StreamSetup { config: config.clone(), ..setup() }, &bytes);
            prop_assert!(got.outcome.most_held <= config.max_hold_back_bytes);
            let read = read(&got);
            for (index, (expected, _)) in (0..).zip(&expected) {
                let text = read.get(&index).cloned().unwrap_or_default();
                if blocked {
                    // Another choice may have been stopped before its own end.
                    prop_assert!(expected.starts_with(&text), "{expected:?} {text:?}");
                } else {
                    prop_assert_eq!(&text, expected);
                }
            }
            if endpoint == Endpoint::Responses && !blocked {
                let (_, last) = got.events.last().unwrap();
                for (index, (expected, _)) in expected.iter().enumerate() {
                    let copy = &last["response"]["output"][index]["content"][0]["text"];
                    prop_assert_eq!(copy.as_str().unwrap(), expected);
                }
            }
        }
    }
}
