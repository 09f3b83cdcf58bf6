//! What a session costs per message, without any transport.

use std::sync::Arc;

use bartizan_agents::{CallLimit, Governor, Switches};
use bartizan_guard::{GuardBuilder, Judge, Settings};
use bartizan_mcp::{Action, Gate, GateParts, McpConfig, Session, Who, World};
use bartizan_policy::{Date, Policy};
use bartizan_text::rules::RuleSet;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
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

const LIST: &str = r#"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#;
const TOOLS: &str = r#"{"jsonrpc":"2.0","id":"l","result":{"tools":[{"name":"read_file","description":"Reads a text file of the project.","inputSchema":{"type":"object","properties":{"path":{"type":"string","description":"The path of the file, relative to the project."}},"required":["path"]}}]}}"#;
const CALL: &str = r#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"read_file","arguments":{"path":"notes/meeting.txt"}}}"#;

fn session(governed: bool) -> Option<(Session, Still)> {
    let guard = GuardBuilder::standard(&Settings::default(), RuleSet::builtin()).ok()?;
    let yaml = "unknown-tools: guess-by-name\nlimits: {max-steps: 10000, max-repeats: 1000}";
    let agents = serde_saphyr::from_str(yaml).ok()?;
    let gate = Gate::new(GateParts {
        name: "files".into(),
        server: Default::default(),
        config: Arc::new(McpConfig::default()),
        judge: Judge::new(Arc::new(guard.build()), Arc::new(Policy::default()), None),
        governor: governed.then(|| Arc::new(Governor::new(agents))),
        pins: Arc::default(),
        styles: Default::default(),
        key: [0; 32],
    });
    let mut session = Session::new(Arc::new(gate), Who::default());
    let mut world = Still(Switches::default());
    session.from_client(LIST.as_bytes(), &mut world);
    session.from_server(TOOLS.as_bytes(), &mut world);
    Some((session, world))
}

fn answer(bytes: usize) -> String {
    let line = "The meeting began at nine; the budget was discussed and accepted. ";
    let text = line.repeat(bytes / line.len());
    format!(
        r#"{{"jsonrpc":"2.0","id":"c","result":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#
    )
}

/// A call and its result, each of which is looked at.
fn call_and_result(bencher: Bencher<'_, '_>, governed: bool, bytes: usize) {
    let Some((mut session, mut world)) = session(governed) else {
        return;
    };
    let answer = answer(bytes);
    bencher.bench_local(|| {
        let asked = session.from_client(black_box(CALL.as_bytes()), &mut world);
        let told = session.from_server(black_box(answer.as_bytes()), &mut world);
        let passed = |actions: &[Action]| {
            actions
                .iter()
                .any(|action| matches!(action, Action::ToClient(_) | Action::ToServer(_)))
        };
        (passed(&asked), passed(&told))
    });
}

/// Without a table of tools; the argument is the length of the result in bytes.
#[divan::bench(args = [100, 1_000, 10_000])]
fn guarded(bencher: Bencher<'_, '_>, bytes: usize) {
    call_and_result(bencher, false, bytes);
}

/// With a table of tools, one call after the other in one run.
#[divan::bench(args = [100, 1_000], sample_count = 5, sample_size = 4)]
fn governed(bencher: Bencher<'_, '_>, bytes: usize) {
    call_and_result(bencher, true, bytes);
}

/// A list of tools that was seen before.
#[divan::bench]
fn list_again(bencher: Bencher<'_, '_>) {
    let Some((mut session, mut world)) = session(false) else {
        return;
    };
    bencher.bench_local(|| {
        session.from_client(black_box(LIST.as_bytes()), &mut world);
        session
            .from_server(black_box(TOOLS.as_bytes()), &mut world)
            .len()
    });
}
