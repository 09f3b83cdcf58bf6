//! What flow control costs per call, with 100 KB of context.

use std::fmt::Write as _;

use bartizan_agents::{
    AgentsConfig, Call, Caller, Entry, Governor, Said, Switches, ToolResult, Transcript,
};
use bartizan_core::Origin;
use divan::{Bencher, black_box};
use serde_json::json;

fn main() {
    divan::main();
}

/// 100 KB of what tools returned, in ten results.
fn transcript() -> Transcript {
    let mut entries = vec![Entry::Said(Said {
        origin: Origin::User,
        text: "Pay 85 euro to Mr Hill and mail bob@firm.example that it is done.".into(),
        path: "messages[0]".into(),
        label: None,
    })];
    for number in 0..10 {
        let mut text = String::new();
        let mut line = 0;
        while text.len() < 10_240 {
            line += 1;
            let _ = writeln!(
                text,
                "On day {line} of month {number} the carrier brought {} boxes to customer {line}{number}77, \
                 who wrote to desk{line}@shop{number}.example about order A-{number}{line}.",
                line * 7 % 13
            );
        }
        entries.push(Entry::Result(ToolResult {
            call: String::new(),
            tool: "read_email".into(),
            text,
            failed: false,
            path: format!("messages[{}]", number + 1),
            label: None,
        }));
    }
    Transcript {
        entries,
        offered: Vec::new(),
    }
}

fn governor() -> Governor {
    let yaml = "unknown-tools: guess-by-name\ntools: [{name: read_email, private: true}]";
    let config: AgentsConfig = serde_saphyr::from_str(yaml).unwrap_or_default();
    Governor::new(config)
}

fn call(tool: &str, arguments: serde_json::Value) -> Call {
    Call {
        id: String::new(),
        tool: tool.into(),
        arguments,
        path: String::new(),
    }
}

fn calls() -> [Call; 3] {
    [
        // Every value is named by the user.
        call(
            "send_email",
            json!({"to": "bob@firm.example", "subject": "Done", "body": "It is done."}),
        ),
        // A recipient out of a document, which is looked for in every notation.
        call(
            "send_money",
            json!({"recipient": "DE44500105175407324931", "amount": 900}),
        ),
        // A long text on its way to everyone.
        call(
            "create_gist",
            json!({"content": "The carrier brought 9 boxes to the customer. ".repeat(40)}),
        ),
    ]
}

/// Everything: the context is read anew and the call examined.
#[divan::bench(args = [0, 1, 2])]
fn context_and_call(bencher: Bencher<'_, '_>, which: usize) {
    let (governor, transcript) = (governor(), transcript());
    let calls = calls();
    let live = Switches::default();
    bencher.bench_local(|| {
        let context = governor.context(black_box(&transcript), "agent");
        let call = calls.get(which);
        call.map(|call| governor.examine(&context, call, &Caller::default(), &live))
    });
}

/// A further call against a context that was read.
#[divan::bench(args = [0, 1, 2])]
fn call_alone(bencher: Bencher<'_, '_>, which: usize) {
    let governor = governor();
    let context = governor.context(&transcript(), "agent");
    let calls = calls();
    let live = Switches::default();
    bencher.bench_local(|| {
        let call = calls.get(which);
        call.map(|call| governor.examine(black_box(&context), call, &Caller::default(), &live))
    });
}
