use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use bartizan_agents::{CallLimit, Switches};
use bartizan_guard::{Judge, shape::Shape};
use bartizan_mcp::{Action, Gate, GateParts, McpConfig, Outgoing, Role, Session, Who, World};
use bartizan_policy::{Date, Policy};
use serde_json::Value;

use crate::guards;

/// A proxy of the Model Context Protocol: each line is a message, of the server if it begins with
/// `<`, and of the client otherwise. What goes on is JSON-RPC on one line, nothing follows the end
/// of a session, and no tool is called that the server did not list.
pub fn mcp(data: &[u8]) {
    let mut session = Session::new(gate(), Who::default());
    let mut world = Still(Switches::default());
    let mut listed = HashSet::new();
    for line in data.split(|byte| *byte == b'\n').take(16) {
        let actions = match line.split_first() {
            Some((b'<', message)) => {
                let body: Value = serde_json::from_slice(message).unwrap_or_default();
                let tools = body.pointer("/result/tools").and_then(Value::as_array);
                let names = tools.into_iter().flatten();
                listed.extend(names.filter_map(|tool| tool["name"].as_str().map(str::to_owned)));
                session.from_server(message, &mut world)
            }
            _ => session.from_client(line, &mut world),
        };
        let mut is_over = false;
        for action in actions {
            match action {
                Action::ToClient(message) => drop(checked(&message)),
                Action::ToServer(message) => {
                    let body = checked(&message);
                    if body["method"] == "tools/call" {
                        let name = body["params"]["name"].as_str().unwrap_or_default();
                        assert!(listed.contains(name), "a tool that was not listed");
                    }
                }
                Action::Close(..) => is_over = true,
                Action::Record(_) | Action::Asked(_) | Action::Learned => {}
            }
        }
        if is_over {
            return;
        }
    }
}

fn checked(message: &Outgoing) -> Value {
    assert!(!message.bytes.contains(&b'\n'));
    let body: Value = serde_json::from_slice(&message.bytes).expect("what goes on is JSON");
    assert_eq!(body["jsonrpc"], "2.0");
    let is_answer = body.get("method").is_none();
    assert_eq!(is_answer, matches!(message.role, Role::Answer(_)));
    body
}

fn gate() -> Arc<Gate> {
    static JUDGE: OnceLock<Judge> = OnceLock::new();
    let judge = JUDGE.get_or_init(|| {
        let policy = Arc::new(Policy::default());
        Judge::new(Arc::clone(guards::standard()), policy, Some(Shape::default()))
    });
    Arc::new(Gate::new(GateParts {
        name: "fuzz".to_owned(),
        server: Default::default(),
        config: Arc::new(McpConfig::default()),
        judge: judge.clone(),
        governor: None,
        pins: Arc::default(),
        styles: Default::default(),
        key: [0; 32],
    }))
}

struct Still(Switches);

impl World for Still {
    fn now_ms(&self) -> u64 {
        0
    }

    fn today(&self) -> Date {
        Date::constant(2026, 7, 1)
    }

    fn switches(&self) -> &Switches {
        &self.0
    }

    fn may_call(&mut self, _: &str, _: &str, _: CallLimit) -> bool {
        true
    }

    fn take_approval(&mut self, _: &str) -> bool {
        false
    }
}
