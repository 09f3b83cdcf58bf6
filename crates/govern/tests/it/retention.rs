use bartizan_govern::{ClassConfig, GovernConfig, Holds, StoreEntry, plan, sweep};

use super::{Rows, key};

const DAY: i64 = 86_400_000;
const NOW: i64 = 1_000 * DAY;

fn config(yaml: &str) -> GovernConfig {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn aud_11_logs_of_agents_are_kept_for_90_days_whatever_is_configured() {
    let short = config("classes: {agents: {days: 30, agent-log: true}, other: {days: 30}}");
    let mistakes = short.check();
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].0, "classes.agents.days");
    let before = |class: &str| {
        let entry = StoreEntry {
            class: class.to_owned(),
            ..StoreEntry::default()
        };
        let (mut store, holds) = (Rows::default(), Holds::new(&[], key()));
        let planned = plan(&mut store, &entry, &short.classes, &holds, NOW);
        planned.unwrap().unwrap().before_ms
    };
    assert_eq!(before("agents"), NOW - 90 * DAY);
    assert_eq!(before("other"), NOW - 30 * DAY);
    assert_eq!(ClassConfig::default().days, 90);
}

#[test]
fn ws_19_what_is_old_goes_and_what_is_held_stays() {
    let bob = key().hash("bob");
    let config = config(&format!(
        "classes: {{orders: {{days: 10}}, cases: {{days: 10}}}}\n\
         holds: [{{id: one, subject: {bob}}}, {{id: two, class: cases}}]\n"
    ));
    assert_eq!(config.check(), []);
    let holds = Holds::new(&config.holds, key());
    let entry = |class: &str| StoreEntry {
        name: "shop".to_owned(),
        class: class.to_owned(),
        ..StoreEntry::default()
    };
    let rows = [
        ("alice", NOW - 11 * DAY),
        ("bob", NOW - 11 * DAY),
        ("alice", NOW - 9 * DAY),
    ];
    let mut store = Rows::new("shop", &rows);
    let planned = plan(&mut store, &entry("orders"), &config.classes, &holds, NOW)
        .unwrap()
        .unwrap();
    assert_eq!((planned.old, planned.held), (2, 1));
    assert_eq!(store.rows.len(), 3, "a plan removes nothing");
    let swept = sweep(&mut store, planned, &holds).unwrap();
    assert_eq!((swept.removed, swept.left), (1, 0));
    assert_eq!(store.rows.len(), 2);
    let mut store = Rows::new("shop", &rows);
    let planned = plan(&mut store, &entry("cases"), &config.classes, &holds, NOW)
        .unwrap()
        .unwrap();
    assert_eq!((planned.old, planned.held), (2, 2));
    assert_eq!(sweep(&mut store, planned, &holds).unwrap().removed, 0);
    assert_eq!(store.rows.len(), 3);
    let none = plan(&mut store, &entry(""), &config.classes, &holds, NOW).unwrap();
    assert_eq!(none, None);
}

#[test]
fn mistakes_have_their_place() {
    let config = config(
        "stores:\n\
         - {name: a, class: nowhere, files: {}}\n\
         - {name: a, sql: {place: x.db, table: 'a; DROP', subject: e}}\n\
         - {name: b}\n\
         - {name: c, files: {paths: ['logs/*.jsonl', 'logs/*/a.jsonl']}}\n\
         holds: [{id: x}, {id: '', class: gone}]\n",
    );
    let at: Vec<String> = config.check().into_iter().map(|(at, _)| at).collect();
    assert_eq!(
        at,
        [
            "stores[0].class",
            "stores[0].files.paths",
            "stores[1].name",
            "stores[1].sql.table",
            "stores[2]",
            "stores[3].files.paths[1]",
            "holds[0]",
            "holds[1].id",
            "holds[1].class"
        ]
    );
    let bad: Result<GovernConfig, _> = serde_saphyr::from_str("holds: [{id: x, subject: alice}]");
    assert!(bad.is_err(), "a name in clear is no hash");
}
