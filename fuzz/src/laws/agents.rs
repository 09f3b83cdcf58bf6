use std::collections::BTreeMap;

use bartizan_agents::{
    AgentsConfig, Caller, FlowAction, Governor, Run, Switches, UnknownTools, calls_of,
    transcript_of,
};
use serde_json::Value;

/// Agents: any JSON is read as a request and as an answer; deciding about its calls twice gives the
/// same, and a call that may be made has no objection.
pub fn agents(data: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let governor = Governor::new(AgentsConfig {
        unknown_tools: UnknownTools::GuessByName,
        ..AgentsConfig::default()
    });
    let caller = Caller::default();
    let live = Switches::default();
    let transcript = transcript_of(&body, &BTreeMap::new());
    let context = governor.context(&transcript, "agent");
    let _ = governor.examine_run(&Run::of(&transcript), &caller, &live, 1);
    let of_history = transcript.calls().cloned();
    for call in of_history.chain(calls_of(&body)).take(20) {
        let seen = governor.examine(&context, &call, &caller, &live);
        let again = governor.examine(&context, &call, &caller, &live);
        assert_eq!(seen.to_string(), again.to_string());
        assert_eq!(
            seen.action() == FlowAction::Allow,
            seen.objections.is_empty()
        );
    }
}
