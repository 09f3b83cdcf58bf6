//! How often, for how much, and how suspicion tightens it.

use super::{ATTACK, ONE, chat, start};
use crate::mock::Mock;

#[tokio::test]
async fn api_05_the_call_after_the_hundredth_waits() {
    let mock = Mock::saying("Fine.").await;
    let yaml = format!("{ONE}limits: {{preset: '100/60min'}}\nextraction: {{enabled: false}}\n");
    let gateway = start(&yaml, &[&mock]).await;
    for number in 0..100 {
        let got = gateway.chat(&chat("Hello.")).await;
        assert_eq!(got.status, 200, "{number}: {got:?}");
    }
    let got = gateway.chat(&chat("Hello.")).await;
    assert_eq!(got.status, 429, "{got:?}");
    let wait: u64 = got.header("retry-after").parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
    assert_eq!(mock.requests(), 100);
    let recorded = gateway.recorded(&got).await;
    assert_eq!(recorded.outcome.as_str(), "limited");
    // Another key has a limit of its own.
    let other = gateway.new_key(&["infer"]).await;
    let got = gateway
        .post_as(&other, "/v1/chat/completions", &chat("Hello."))
        .await;
    assert_eq!(got.status, 200, "{got:?}");
}

/// Ten variants of an attack: who goes on trying is watched more closely and gets less.
#[tokio::test]
async fn ex_11_and_jb_07_suspicion_tightens() {
    let mock = Mock::saying("Fine.").await;
    let yaml = format!("{ONE}limits: {{preset: '100/60min'}}\n");
    let gateway = start(&yaml, &[&mock]).await;
    let honest = gateway.new_key(&["infer"]).await;
    for number in 0..10 {
        let text = format!("{ATTACK} This is try number {number}.");
        let got = gateway.chat(&chat(&text)).await;
        assert_eq!(got.status, 400, "{got:?}");
    }
    let page = gateway.gateway.render_metrics();
    assert!(page.contains("refusals"), "{page}");
    // Of the hundred requests of its limit there are far fewer left.
    let mut passed = 0;
    for _ in 0..90 {
        let got = gateway.chat(&chat("What is the capital of Norway?")).await;
        if got.status == 429 {
            break;
        }
        passed += 1;
    }
    assert!(passed < 60, "{passed}");
    let got = gateway
        .post_as(&honest, "/v1/chat/completions", &chat("Hello."))
        .await;
    assert_eq!(got.status, 200, "others are not affected: {got:?}");
}
