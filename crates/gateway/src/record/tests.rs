use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bartizan_core::{Category, Layer, Severity, Verdict};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::*;
use crate::{
    clock::{Clock as _, ManualClock},
    store::{Store, StoreError, with_pool},
};

const KEY: [u8; 32] = [9; 32];

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(1_763_730_000_000))
}

fn quick() -> RecordConfig {
    RecordConfig {
        wait_ms: 300,
        move_interval_ms: 1,
        sync_interval_ms: 10,
        ..RecordConfig::default()
    }
}

async fn open(config: RecordConfig, folder: &Path, store: Arc<dyn AuditStore>) -> Recorder {
    Recorder::open(config, folder, store, &KEY, clock(), Vec::new())
        .await
        .unwrap()
}

async fn sql() -> (Store, Arc<dyn AuditStore>) {
    let store = Store::in_memory().await.unwrap();
    (store.clone(), Arc::new(SqlAudit::new(store)))
}

async fn admit(recorder: &Recorder, number: u8) -> Result<Slot, crate::fault::Fault> {
    let id = RequestId::from_bytes([number; 16]);
    recorder
        .admit(id, "key_1".into(), "/v1/chat/completions")
        .await
}

fn interaction(recorder: &Recorder) -> Interaction {
    let mut input = Side {
        verdict: Verdict::Block,
        enforced: Verdict::Block,
        ..Side::default()
    };
    for _ in 0..2 {
        input.hit(RuleHit {
            rule: "prompt.instruction-override".into(),
            layer: Layer::Rules,
            category: Category::Injection,
            severity: Severity::High,
            action: Verdict::Block,
            shadow: false,
            count: 1,
            confidence: 0.9,
        });
    }
    input.layer_ns.add(Layer::Rules, 7_000);
    Interaction {
        user_id: "key_1".into(),
        model: "gpt".into(),
        prompt_tokens: 12,
        request_hash: Some(recorder.hasher().hash(b"MARKER")),
        endpoint: "/v1/chat/completions".into(),
        policy_version: "abc".into(),
        cost: Cost(25),
        status: 400,
        outcome: Outcome::InputBlocked,
        ..Interaction::default()
    }
    .judged(input, None)
}

/// A store that can be lost, and keeps what it was given.
#[derive(Default)]
struct Fragile {
    lost: AtomicBool,
    kept: Mutex<(Vec<Entry>, Position)>,
}

impl AuditStore for Fragile {
    fn append<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if self.lost.load(Ordering::Relaxed) {
                return Err(StoreError::Unreachable("connection lost"));
            }
            let mut kept = self.kept.lock();
            kept.0.extend(batch.entries.iter().cloned());
            kept.1 = batch.end;
            Ok(())
        })
    }

    fn position<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Position>, StoreError>> {
        Box::pin(async move { Ok(Some(self.kept.lock().1)) })
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn query<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Result<Vec<Stored>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn count<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async { Ok(self.kept.lock().0.len() as u64) })
    }

    fn days(&self, _: u64, _: u64) -> BoxFuture<'_, Result<Vec<Day>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl Fragile {
    fn kinds(&self) -> Vec<&'static str> {
        self.kept.lock().0.iter().map(|entry| entry.kind).collect()
    }
}

#[tokio::test]
async fn a_request_becomes_a_story() {
    let folder = tempfile::tempdir().unwrap();
    let (_, store) = sql().await;
    let recorder = open(quick(), folder.path(), store).await;
    let slot = admit(&recorder, 7).await.unwrap();
    let id = slot.request_id();
    slot.finish(interaction(&recorder)).await.unwrap();
    let feedback = What::Feedback(Feedback {
        user_id: "key_2".into(),
        label: FeedbackLabel::FalsePositive,
        rule: Label::NONE,
    });
    recorder.emit_about(id, feedback).await.unwrap();
    let story = recorder.story(id).await.unwrap().unwrap();
    assert_eq!(story.events.len(), 3);
    insta::assert_snapshot!(story.to_string(), @"
    request 07070707-0707-0707-0707-070707070707
    2025-11-21T13:00:00.000Z  /v1/chat/completions for `gpt` by `key_1`
      input_blocked, decision block, status 400; no upstream was asked
      12 prompt and 0 completion tokens, 0.000025 USD, 0.000 ms of which 0.000 ms ours
      policy abc
      input: block, score 0.00
        block: `prompt.instruction-override` (injection, high, layer rules) 2 times, confidence 0.90
        rules 7.0 us
    2025-11-21T13:00:00.000Z  security event: high `prompt.instruction-override` in the input, block
    2025-11-21T13:00:00.000Z  feedback: false_positive by `key_2`
    ");
    let nobody = RequestId::from_bytes([8; 16]);
    assert_eq!(recorder.story(nobody).await.unwrap(), None);
}

#[tokio::test]
async fn if_16_the_names_of_the_interaction() {
    let folder = tempfile::tempdir().unwrap();
    let (_, store) = sql().await;
    let recorder = open(quick(), folder.path(), store).await;
    let what = What::LlmInteraction(Box::new(interaction(&recorder)));
    let event = recorder.event(Some(RequestId::from_bytes([7; 16])), what);
    let json = serde_json::to_value(&event).unwrap();
    for name in [
        "timestamp",
        "user_id",
        "session_id",
        "model",
        "prompt_tokens",
        "completion_tokens",
        "was_filtered",
        "injection_detected",
        // `log_llm_request`.
        "request_hash",
        "response_length",
        "cost",
        // AUD-16.
        "request_id",
        "policy_version",
    ] {
        assert!(json.get(name).is_some(), "{name}");
    }
    assert_eq!(json["event"], "llm_interaction");
    assert_eq!(json["was_filtered"], true);
    assert_eq!(json["injection_detected"], true);
    assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);

    let found = interaction(&recorder).security_events().next().unwrap();
    let json = serde_json::to_value(&found).unwrap();
    for name in ["event_type", "user_id", "severity", "details"] {
        assert!(json.get(name).is_some(), "{name}");
    }
    assert_eq!(json["details"]["count"], 2);

    let json = serde_json::to_value(MlAudit::default()).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 13);
}

/// No field of an event can hold content: the hash of a marker is there, the marker is not.
#[tokio::test]
async fn ws_40_no_content_in_any_column_or_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = Store::open(path.to_str().unwrap()).await.unwrap();
    let audit = Arc::new(SqlAudit::new(store.clone()));
    let recorder = open(quick(), &folder.path().join("journal"), audit).await;
    let slot = admit(&recorder, 7).await.unwrap();
    slot.finish(interaction(&recorder)).await.unwrap();
    recorder.flush().await.unwrap();
    let mut files = vec![path];
    files.extend(
        std::fs::read_dir(folder.path().join("journal"))
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    let hash = recorder.hasher().hash(b"MARKER").to_string();
    let mut seen = 0;
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("MARKER"));
        seen += usize::from(text.contains(&hash));
    }
    assert!(seen > 0, "the hash is in the journal");
}

#[tokio::test]
async fn the_record_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, audit) = sql().await;
    let recorder = open(quick(), folder.path(), audit).await;
    recorder.emit(What::Gap(Gap::default())).await.unwrap();
    recorder.flush().await.unwrap();
    for sql in [
        "UPDATE audit_events SET principal = 'x'",
        "DELETE FROM audit_events",
    ] {
        let done = with_pool!(&store, pool => sqlx::query(sql).execute(pool).await.map(drop));
        assert!(done.is_err(), "{sql}");
    }
    assert_eq!(recorder.store().count(&Query::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn every_event_once_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Fragile::default());
    for round in 0..5_u8 {
        // Every second process ends without moving anything, as if killed.
        let killed = round % 2 == 1;
        store.lost.store(killed, Ordering::Relaxed);
        let recorder = open(quick(), folder.path(), store.clone()).await;
        for number in 0..100 {
            let slot = admit(&recorder, number).await.unwrap();
            slot.finish(interaction(&recorder)).await.unwrap();
        }
        recorder.close().await;
    }
    // An interaction and a security event each.
    assert_eq!(store.kinds().len(), 5 * 100 * 2);
}

#[tokio::test]
async fn a_dropped_slot_is_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Fragile::default());
    let recorder = open(quick(), folder.path(), store.clone()).await;
    drop(admit(&recorder, 1).await.unwrap());
    recorder.flush().await.unwrap();
    assert_eq!(store.kinds(), ["abandoned"]);
}

fn tight(when_full: WhenFull) -> RecordConfig {
    RecordConfig {
        when_full,
        max_backlog_bytes: 4_000,
        spill_bytes: 1 << 20,
        ..quick()
    }
}

/// AUD-14: the database is lost.
#[tokio::test]
async fn aud_14_block_refuses_while_the_database_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Fragile::default());
    store.lost.store(true, Ordering::Relaxed);
    let recorder = open(tight(WhenFull::Block), folder.path(), store.clone()).await;
    let mut passed = 0;
    while let Ok(slot) = admit(&recorder, 1).await {
        slot.finish(interaction(&recorder)).await.unwrap();
        passed += 1;
        assert!(passed < 100);
    }
    assert!(passed > 1);
    let refused = admit(&recorder, 1).await.unwrap_err();
    assert_eq!(refused.kind.status(), 503);
    assert!(!recorder.is_ready());
    store.lost.store(false, Ordering::Relaxed);
    let slot = loop {
        if let Ok(slot) = admit(&recorder, 1).await {
            break slot;
        }
    };
    slot.finish(interaction(&recorder)).await.unwrap();
    recorder.flush().await.unwrap();
    let interactions = |kind: &&&str| **kind == "llm_interaction";
    assert_eq!(
        store.kinds().iter().filter(interactions).count(),
        passed + 1
    );
    assert!(!store.kinds().contains(&"gap"));
}

#[tokio::test]
async fn aud_14_spill_goes_on_and_is_moved_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Fragile::default());
    store.lost.store(true, Ordering::Relaxed);
    let recorder = open(tight(WhenFull::Spill), folder.path(), store.clone()).await;
    for number in 0..100 {
        let slot = admit(&recorder, number).await.unwrap();
        slot.finish(interaction(&recorder)).await.unwrap();
    }
    recorder.close().await;
    drop(recorder);
    assert!(store.kinds().is_empty());
    store.lost.store(false, Ordering::Relaxed);
    let recorder = open(tight(WhenFull::Spill), folder.path(), store.clone()).await;
    assert!(recorder.backlog() > 4_000);
    recorder.flush().await.unwrap();
    assert_eq!(store.kinds().len(), 200);
}

#[tokio::test]
async fn aud_14_drop_is_bounded_and_says_what_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Fragile::default());
    store.lost.store(true, Ordering::Relaxed);
    let recorder = open(tight(WhenFull::Drop), folder.path(), store.clone()).await;
    for number in 0..100 {
        let slot = admit(&recorder, number).await.unwrap();
        slot.finish(interaction(&recorder)).await.unwrap();
    }
    assert!(recorder.backlog() < 8_000);
    store.lost.store(false, Ordering::Relaxed);
    recorder.flush().await.unwrap();
    recorder
        .emit(What::Service(Service::default()))
        .await
        .unwrap();
    recorder.flush().await.unwrap();
    let kept = store.kept.lock();
    let gaps = kept.0.iter().filter(|entry| entry.kind == "gap");
    let lost: u64 = gaps
        .map(|entry| serde_json::from_str::<Event>(&entry.body).unwrap())
        .map(|event| match event.what {
            What::Gap(gap) => gap.lost,
            _ => 0,
        })
        .sum();
    let recorded = kept.0.iter().filter(|entry| entry.principal == "key_1");
    assert!(lost > 100);
    assert_eq!(recorded.count() as u64 + lost, 200);
}

/// AUD-14: the disk is full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn aud_14_a_full_disk() {
    for when_full in [WhenFull::Block, WhenFull::Spill, WhenFull::Drop] {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Fragile::default());
        let recorder = open(tight(when_full), folder.path(), store.clone()).await;
        let slot = admit(&recorder, 1).await.unwrap();
        recorder.fill_disk(true);
        let answered = slot.finish(interaction(&recorder)).await;
        let next = admit(&recorder, 2).await;
        if when_full == WhenFull::Drop {
            answered.unwrap();
            next.unwrap().finish(interaction(&recorder)).await.unwrap();
        } else {
            assert_eq!(answered.unwrap_err().kind.status(), 503);
            assert_eq!(next.unwrap_err().kind.status(), 503);
        }
        recorder.fill_disk(false);
        let slot = loop {
            if let Ok(slot) = admit(&recorder, 3).await {
                break slot;
            }
        };
        slot.finish(interaction(&recorder)).await.unwrap();
        recorder.flush().await.unwrap();
        // Nothing is lost in silence: the gap says how much.
        assert_eq!(
            store.kinds(),
            ["gap", "llm_interaction", "security_event"],
            "{when_full:?}"
        );
        let gap: Event = serde_json::from_str(&store.kept.lock().0[0].body).unwrap();
        let What::Gap(gap) = gap.what else {
            panic!("a gap");
        };
        let lost = if when_full == WhenFull::Drop { 4 } else { 2 };
        assert_eq!(gap.lost, lost, "{when_full:?}");
    }
}

#[tokio::test]
async fn waits_for_the_disk_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Fragile::default());
    let config = RecordConfig {
        durability: Durability::Disk,
        ..quick()
    };
    let recorder = open(config, folder.path(), store.clone()).await;
    let slot = admit(&recorder, 1).await.unwrap();
    slot.finish(interaction(&recorder)).await.unwrap();
    assert!(recorder.synced() > 0);
}

#[tokio::test]
async fn finds_by_principal_kind_time_and_page() {
    let folder = tempfile::tempdir().unwrap();
    let (_, store) = sql().await;
    let time = clock();
    let recorder = Recorder::open(
        quick(),
        folder.path(),
        store,
        &KEY,
        time.clone(),
        Vec::new(),
    )
    .await
    .unwrap();
    for number in 0..150 {
        let slot = admit(&recorder, number).await.unwrap();
        slot.finish(interaction(&recorder)).await.unwrap();
        time.advance_ms(60_000);
    }
    moved(&recorder).await;
    let store = recorder.store();
    let count = async |query: Query| store.count(&query).await.unwrap();
    assert_eq!(count(Query::default()).await, 300);
    let about = |principal: &str, kind: &str| Query {
        principal: Some(principal.to_owned()),
        kind: Some(kind.to_owned()),
        ..Query::default()
    };
    assert_eq!(count(about("key_1", "security_event")).await, 150);
    assert_eq!(count(about("key_2", "security_event")).await, 0);
    let last = Query {
        from_ms: time.unix_ms() - 60_000,
        ..Query::default()
    };
    assert_eq!(count(last).await, 2);
    let page = Query {
        after: 290,
        ..Query::default()
    };
    let numbers: Vec<u64> = store
        .query(&page)
        .await
        .unwrap()
        .iter()
        .map(|stored| stored.number)
        .collect();
    assert_eq!(numbers, (291..=300).collect::<Vec<u64>>());
    // MET-01: attempts per day.
    let days = store.days(0, time.unix_ms()).await.unwrap();
    let injections = days
        .iter()
        .find(|day| day.event == "security_event")
        .unwrap();
    assert_eq!(injections.day, "2025-11-21");
    assert_eq!(
        (injections.class.as_str(), injections.count),
        ("injection", 150)
    );
    assert_eq!(injections.severity, "high");
}

/// Waits until everything is moved, however slow the disk is.
async fn moved(recorder: &Recorder) {
    while recorder.flush().await.is_err() {}
}

/// The numbers of gaps stand for events here.
async fn note_numbers(recorder: &Recorder, numbers: std::ops::Range<u64>) {
    for lost in numbers {
        let gap = Gap {
            lost,
            ..Gap::default()
        };
        recorder.emit(What::Gap(gap)).await.unwrap();
    }
}

fn numbers_of(bodies: impl Iterator<Item = Vec<u8>>) -> Vec<u64> {
    bodies
        .map(|body| {
            let event: Event = serde_json::from_slice(&body).unwrap();
            match event.what {
                What::Gap(gap) => gap.lost,
                other => panic!("{}", other.kind()),
            }
        })
        .collect()
}

/// Everything in the ledger, which must be whole.
fn entries_of(folder: &Path) -> Vec<Vec<u8>> {
    use bartizan_ledger::{Reader, Trust, VerifierKey, verify};
    let key = std::fs::read_to_string(folder.join(VERIFIER_KEY_FILE)).unwrap();
    let trust = Trust {
        ledger: VerifierKey::parse(&key).unwrap(),
        witnesses: Vec::new(),
    };
    let files = bartizan_ledger::Folder::shared(folder);
    let outcome = verify(&files, &trust, &[], false).unwrap();
    assert_eq!(outcome.damage, None);
    let (reader, _) = Reader::newest(&files, &trust).unwrap();
    (0..reader.size())
        .map(|n| reader.entry(n).unwrap())
        .collect()
}

async fn ledgered(store: Arc<dyn AuditStore>, folder: &Path) -> Arc<dyn AuditStore> {
    let seed = bartizan_core::Secret::new([5; 32]);
    let config = LedgerConfig::default();
    Arc::new(Ledgered::open(store, &config, folder, &seed).await.unwrap())
}

#[tokio::test]
async fn every_event_is_in_the_ledger_and_its_receipt_is_found() {
    let place = tempfile::tempdir().unwrap();
    let (journal, ledger) = (place.path().join("journal"), place.path().join("ledger"));
    let (_, store) = sql().await;
    let recorder = open(quick(), &journal, ledgered(store, &ledger).await).await;
    let mut ids = Vec::new();
    for _ in 0..300 {
        let id = RequestId::new(&*clock());
        let slot = recorder
            .admit(id, "key_1".into(), "/v1/chat/completions")
            .await;
        slot.unwrap().finish(interaction(&recorder)).await.unwrap();
        ids.push(id);
    }
    recorder.close().await;
    drop(recorder);
    assert_eq!(entries_of(&ledger).len(), 600);
    let files = bartizan_ledger::Folder::shared(&ledger);
    let reader = bartizan_ledger::Reader::new(&files, 600);
    for (number, id) in (0..).zip(&ids) {
        let found = find(&reader, *id).unwrap();
        let found: Vec<(u64, &str)> = found.iter().map(|r| (r.index, &*r.kind)).collect();
        let both = [
            (2 * number, "llm_interaction"),
            (2 * number + 1, "security_event"),
        ];
        assert_eq!(found, both);
    }
    let nobody = RequestId::from_bytes([0xff; 16]);
    assert!(find(&reader, nobody).unwrap().is_empty());
}

/// Whichever of the two the end of the process left behind is given what it lacks, and only that.
#[tokio::test]
async fn store_and_ledger_catch_up_with_each_other() {
    for (lost_by_store, lost_by_ledger) in [(0, 0), (7, 0), (0, 7), (5, 9)] {
        let place = tempfile::tempdir().unwrap();
        let (journal, ledger) = (place.path().join("journal"), place.path().join("ledger"));
        let kept = Arc::new(Fragile::default());
        let recorder = open(quick(), &journal, kept.clone()).await;
        note_numbers(&recorder, 0..40).await;
        moved(&recorder).await;
        // Where each event ends: the store counts in its own way, the journal says it.
        let (_, end) = kept.kept.lock().clone();
        recorder.close().await;
        drop(recorder);
        let first = journal::read(
            &journal,
            Position {
                segment: 1,
                offset: 0,
            },
            end,
            1 << 20,
        )
        .unwrap();
        let at = |lost: usize| first.places[39 - lost];
        let begin = |lost: usize| Batch {
            journal: std::fs::read_to_string(journal.join("id")).unwrap(),
            end: at(lost),
            places: first.places[..40 - lost].to_vec(),
            entries: first.entries[..40 - lost].to_vec(),
        };
        let both = ledgered(Arc::new(Fragile::default()), &ledger).await;
        both.append(&begin(lost_by_ledger)).await.unwrap();
        drop(both);
        {
            let mut kept = kept.kept.lock();
            kept.0.truncate(40 - lost_by_store);
            kept.1 = at(lost_by_store);
        }
        let recorder = open(quick(), &journal, ledgered(kept.clone(), &ledger).await).await;
        note_numbers(&recorder, 40..50).await;
        moved(&recorder).await;
        recorder.close().await;
        drop(recorder);
        let all: Vec<u64> = (0..50).collect();
        assert_eq!(numbers_of(entries_of(&ledger).into_iter()), all);
        let bodies = kept.kept.lock().0.clone();
        assert_eq!(
            numbers_of(bodies.into_iter().map(|e| e.body.into_bytes())),
            all
        );
    }
}

/// A power cut may take the end of the journal that both had read; what comes there then is new.
#[tokio::test]
async fn a_journal_that_lost_its_end_loses_no_new_event() {
    let place = tempfile::tempdir().unwrap();
    let (journal, ledger) = (place.path().join("journal"), place.path().join("ledger"));
    let kept = Arc::new(Fragile::default());
    let recorder = open(quick(), &journal, ledgered(kept.clone(), &ledger).await).await;
    note_numbers(&recorder, 0..20).await;
    recorder.close().await;
    drop(recorder);
    let (_, end) = kept.kept.lock().clone();
    let first = journal::read(
        &journal,
        Position {
            segment: 1,
            offset: 0,
        },
        end,
        1 << 20,
    )
    .unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(journal.join("000000000001.journal"))
        .unwrap();
    file.set_len(first.places[9].offset).unwrap();
    let recorder = open(quick(), &journal, ledgered(kept.clone(), &ledger).await).await;
    note_numbers(&recorder, 20..25).await;
    recorder.close().await;
    drop(recorder);
    let all: Vec<u64> = (0..25).collect();
    assert_eq!(numbers_of(entries_of(&ledger).into_iter()), all);
    let bodies = kept.kept.lock().0.clone();
    assert_eq!(
        numbers_of(bodies.into_iter().map(|e| e.body.into_bytes())),
        all
    );
}

/// As with a store that is lost: requests wait, then are refused, and nothing is lost.
#[tokio::test]
async fn a_ledger_that_cannot_be_written_holds_requests_back() {
    let place = tempfile::tempdir().unwrap();
    let (journal, ledger) = (place.path().join("journal"), place.path().join("ledger"));
    let (_, store) = sql().await;
    let config = RecordConfig {
        max_backlog_bytes: 20_000,
        ..quick()
    };
    let recorder = open(config, &journal, ledgered(store, &ledger).await).await;
    let slot = admit(&recorder, 1).await.unwrap();
    slot.finish(interaction(&recorder)).await.unwrap();
    moved(&recorder).await;
    // The folder of tiles becomes a file: no tile can be written, whoever runs this.
    std::fs::rename(ledger.join("tile"), ledger.join("aside")).unwrap();
    std::fs::write(ledger.join("tile"), b"").unwrap();
    let mut refused = false;
    for number in 2..200 {
        match admit(&recorder, number).await {
            Ok(slot) => slot.finish(interaction(&recorder)).await.unwrap(),
            Err(fault) => {
                assert_eq!(fault.kind.status().as_u16(), 503);
                refused = true;
                break;
            }
        }
    }
    assert!(refused);
    assert!(!recorder.store_answers());
    std::fs::remove_file(ledger.join("tile")).unwrap();
    std::fs::rename(ledger.join("aside"), ledger.join("tile")).unwrap();
    moved(&recorder).await;
    recorder.close().await;
    let store = recorder.store().count(&Query::default()).await.unwrap();
    drop(recorder);
    assert_eq!(entries_of(&ledger).len() as u64, store);
}
