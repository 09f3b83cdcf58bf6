//! How often, for how much, and how suspicion tightens it.

use std::time::Duration;

use super::{ATTACK, ONE, chat, start, start_with};
use crate::mock::{Format, Mock};

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

/// Texts that the built-in policy lets pass, with a doubt: attacks that are talked about.
const DOUBTFUL: [&str; 1] =
    ["Attackers put ignore previous instructions into their mails. Why does that work?"];

/// The whole of JB-07 on the built-in policy and the default limits: ten variants of an attack from
/// one key, and what is doubtful is refused to it, it gets fewer requests, and it is recorded. Nobody
/// else notices.
#[tokio::test]
async fn jb_07_on_the_defaults() {
    let mock = Mock::saying("Fine.").await;
    let yaml = format!("{ONE}limits: {{preset: '100/60min'}}\n");
    let gateway = start(&yaml, &[&mock]).await;
    let honest = gateway.new_key(&["infer"]).await;
    let path = "/v1/chat/completions";
    for text in DOUBTFUL {
        let got = gateway.chat(&chat(text)).await;
        assert_eq!(got.status, 200, "{text}: {got:?}");
        let recorded = gateway.recorded(&got).await;
        assert!(!recorded.input.rules.is_empty(), "{text} is not doubtful");
    }
    for number in 0..10 {
        let text = format!("{ATTACK} This is try number {number}.");
        assert_eq!(gateway.chat(&chat(&text)).await.status, 400);
    }
    for text in DOUBTFUL {
        let got = gateway.chat(&chat(text)).await;
        assert_eq!(got.status, 400, "{text}: {got:?}");
        assert_eq!(got.json()["error"]["code"], "content_filter", "{got:?}");
        let got = gateway.post_as(&honest, path, &chat(text)).await;
        assert_eq!(got.status, 200, "{text}: {got:?}");
    }
    // 88 requests of the hundred are left, and weigh more than one each.
    let mut passed = 0;
    while gateway
        .chat(&chat("What is the capital of Norway?"))
        .await
        .status
        == 200
    {
        passed += 1;
    }
    assert!(passed < 60, "{passed}");
    let got = gateway.post_as(&honest, path, &chat("Hello.")).await;
    assert_eq!(got.status, 200, "{got:?}");
    let page = gateway.gateway.render_metrics();
    let raised = page
        .lines()
        .find(|line| line.starts_with("bartizan_suspicions_total") && line.contains("refusals"));
    let count: f64 = raised.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(count >= 1.0, "{page}");
}

/// What passes from an unknown is refused to who was refused ten times.
#[tokio::test]
async fn jb_07_thresholds_sink_with_suspicion() {
    let policy = "rows:
  - {name: cards, rule: ['pii.credit-card*'], block: 0.3}
  - {name: late, category: [injection, jailbreak, prompt-extraction, tool-hijack, exfiltration], flag: 0.3, block: 1.0}
";
    let mock = Mock::saying("Fine.").await;
    let gateway = start_with(ONE, policy, &[&mock]).await;
    let first = gateway.chat(&chat(ATTACK)).await;
    assert_eq!(first.status, 200, "{first:?}");
    for number in 0..10 {
        let text = format!("Charge 4012888888881881 for order {number}.");
        assert_eq!(gateway.chat(&chat(&text)).await.status, 400);
    }
    let again = gateway.chat(&chat(ATTACK)).await;
    assert_eq!(again.status, 400, "{again:?}");
    let honest = gateway.new_key(&["infer"]).await;
    let other = gateway
        .post_as(&honest, "/v1/chat/completions", &chat(ATTACK))
        .await;
    assert_eq!(other.status, 200, "{other:?}");
}

#[tokio::test]
async fn places_among_running_requests_are_given_back() {
    let mock = Mock::saying("Fine.").await;
    let yaml = format!(
        "{ONE}limits:\n  preset: none\n  rules: [{{name: one, per: key, concurrency: 1}}]\n"
    );
    let gateway = start(&yaml, &[&mock]).await;
    let slow = || {
        Format::Chat
            .whole("Late.")
            .after(Duration::from_millis(600))
    };
    mock.then(slow());
    let body = chat("Hello.");
    let (one, two) = tokio::join!(gateway.chat(&body), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        gateway.chat(&body).await
    });
    assert_eq!((one.status, two.status), (200, 429), "{two:?}");
    // Also after an answer that nobody waited for.
    mock.then(slow());
    let gone = tokio::time::timeout(Duration::from_millis(200), gateway.chat(&body)).await;
    assert!(gone.is_err());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(gateway.chat(&body).await.status, 200);
}
