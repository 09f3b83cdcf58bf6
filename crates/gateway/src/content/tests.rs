use std::path::Path;

use bartizan_core::Secret;
use bartizan_govern::{HoldConfig, Holds, SubjectKey};

use super::*;
use crate::store::{Store, with_pool};

const PROMPT: &str = "what she asked, which nobody else may read";

fn hash(who: &str) -> SubjectHash {
    SubjectKey::derive(&[7; 32]).hash(who)
}

fn content(who: &str, number: u8, at_ms: u64) -> Content {
    Content {
        subject: hash(who),
        request_id: RequestId::from_bytes([number; 16]),
        at_ms,
        input: PROMPT.into(),
        output: Bytes::from_static(b"an answer"),
    }
}

async fn sealed(folder: &Path) -> SealedContent {
    let store = Store::open(folder.join("a.db").to_str().unwrap()).await;
    SealedContent::new(store.unwrap(), Secret::new([3; 32]))
}

/// Whether any file of the folder holds these bytes.
fn holds(folder: &Path, sought: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        memchr::memmem::find(&bytes, sought).is_some()
    })
}

/// Everything of somebody that is in the tables.
async fn rows(sealed: &SealedContent, who: &str) -> Vec<String> {
    let sql = "SELECT sealed FROM subject_keys WHERE subject = $1 \
        UNION ALL SELECT sealed FROM sealed_content WHERE subject = $1";
    with_pool!(sealed.store(), pool => sqlx::query_scalar(sql)
        .bind(hash(who).as_str())
        .fetch_all(pool)
        .await
        .unwrap())
}

#[tokio::test]
async fn aud_17_who_is_erased_is_in_no_byte_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = sealed(folder.path()).await;
    sealed.keep(&content("alice", 1, 1_000)).await.unwrap();
    sealed.keep(&content("bob", 2, 1_000)).await.unwrap();
    assert!(!holds(folder.path(), PROMPT.as_bytes()), "in clear");
    let shown = sealed.export(&hash("alice")).await.unwrap();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0]["content"], PROMPT);
    assert_eq!(
        (shown[0]["side"].as_str(), shown[1]["side"].as_str()),
        (Some("input"), Some("output"))
    );
    let before = rows(&sealed, "alice").await;
    assert_eq!(before.len(), 3);
    assert!(
        before
            .iter()
            .all(|row| holds(folder.path(), row.as_bytes()))
    );
    assert_eq!(sealed.erase(&hash("alice")).await.unwrap(), 3);
    for row in &before {
        assert!(!holds(folder.path(), row.as_bytes()), "still there");
    }
    assert_eq!(sealed.count(&hash("alice")).await.unwrap(), 0);
    assert!(sealed.export(&hash("alice")).await.unwrap().is_empty());
    assert_eq!(sealed.export(&hash("bob")).await.unwrap().len(), 2);
    // Taken up again after the process ended in between.
    assert_eq!(sealed.erase(&hash("alice")).await.unwrap(), 0);
}

/// Contents that somehow stayed, in a copy for instance, open for nobody without their key.
#[tokio::test]
async fn a_content_opens_under_its_own_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let ours = sealed(folder.path()).await;
    ours.keep(&content("alice", 1, 1_000)).await.unwrap();
    let other = SealedContent::new(ours.store().clone(), Secret::new([4; 32]));
    let refused = other.export(&hash("alice")).await.unwrap_err();
    assert!(matches!(refused, ContentError::Sealed));
    let swap = "UPDATE sealed_content SET side = 'output'";
    with_pool!(ours.store(), pool => sqlx::query(swap).execute(pool).await.map(drop)).unwrap();
    assert!(
        ours.export(&hash("alice")).await.is_err(),
        "moved to another place"
    );
}

#[tokio::test]
async fn gov_12_what_is_old_goes_unless_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = sealed(folder.path()).await;
    sealed.keep(&content("alice", 1, 1_000)).await.unwrap();
    sealed.keep(&content("alice", 2, 9_000)).await.unwrap();
    sealed.keep(&content("bob", 3, 1_000)).await.unwrap();
    let hold = HoldConfig {
        id: "case".to_owned(),
        class: None,
        subject: Some(hash("bob")),
    };
    let holds = Holds::new(&[hold], SubjectKey::derive(&[7; 32]));
    assert_eq!(sealed.count_old(5_000, &holds).await.unwrap(), (4, 2));
    assert_eq!(sealed.remove_old(5_000, &holds).await.unwrap(), 2);
    assert_eq!(sealed.export(&hash("alice")).await.unwrap().len(), 2);
    assert_eq!(sealed.export(&hash("bob")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_too_long_is_counted_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = sealed(folder.path()).await;
    let keeper = Keeper::new(sealed.clone());
    keeper.keep(Content {
        output: vec![0; MAX_CONTENT + 1].into(),
        ..content("alice", 1, 0)
    });
    keeper.keep(content("bob", 2, 0));
    keeper.close().await;
    assert_eq!(keeper.dropped(), 1);
    assert_eq!(sealed.count(&hash("alice")).await.unwrap(), 0);
    assert_eq!(sealed.count(&hash("bob")).await.unwrap(), 3);
}
