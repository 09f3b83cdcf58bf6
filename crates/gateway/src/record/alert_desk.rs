use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bartizan_core::Severity;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{Alert, AlertTarget, Alerts, AlertsConfig, Event, Observe};

/// Sends alerts on their way: to the log here, to webhooks through a [`Deliver`].
///
/// Hangs on the record as an observer. Alerts that find no room are dropped and counted: a slow
/// receiver never holds a request up.
pub struct AlertDesk {
    mildest: Severity,
    alerts: Mutex<Alerts>,
    queue: mpsc::Sender<(AlertTarget, Alert)>,
    dropped: Arc<AtomicU64>,
}

/// Sends one alert to a receiver of HTTP POSTs; made of the gateway's own client, which knows the
/// allow-list and the time-outs.
pub trait Deliver: Send + Sync + 'static {
    /// Posts `body`, JSON, to the receiver of that name; whether it was taken.
    fn post<'a>(&'a self, receiver: &'a str, body: Vec<u8>) -> BoxFuture<'a, bool>;
}

/// Alerts that wait for a receiver.
const QUEUE: usize = 256;

/// How often a receiver is asked to take one.
const ATTEMPTS: u32 = 3;

impl AlertDesk {
    /// Begins to send as configured, on the current runtime.
    #[must_use]
    pub fn start(config: AlertsConfig, deliver: Arc<dyn Deliver>) -> Arc<Self> {
        let mildest = config
            .routes
            .iter()
            .map(|route| route.severity)
            .min()
            .unwrap_or(Severity::High);
        let (queue, waiting) = mpsc::channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(send(waiting, deliver, Arc::clone(&dropped)));
        Arc::new(Self {
            mildest,
            alerts: Mutex::new(Alerts::new(config)),
            queue,
            dropped,
        })
    }

    /// Alerts that reached nobody.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Observe for AlertDesk {
    fn event(&self, event: &Event) {
        if event.what.severity() < self.mildest {
            return;
        }
        let alerts = self.alerts.lock().observe(event);
        for alert in alerts {
            if self.queue.try_send(alert).is_err() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

async fn send(
    mut waiting: mpsc::Receiver<(AlertTarget, Alert)>,
    deliver: Arc<dyn Deliver>,
    dropped: Arc<AtomicU64>,
) {
    while let Some((target, alert)) = waiting.recv().await {
        // Texts and numbers: serialisation cannot fail.
        let body = serde_json::to_vec(&alert).unwrap_or_default();
        match target {
            AlertTarget::Log => {
                let alert = String::from_utf8_lossy(&body);
                tracing::warn!(%alert, "alert");
            }
            AlertTarget::Webhook(receiver) => {
                let mut taken = false;
                for attempt in 0..ATTEMPTS {
                    taken = deliver.post(&receiver, body.clone()).await;
                    if taken {
                        break;
                    }
                    tokio::time::sleep(std::time::Duration::from_secs(1 << attempt)).await;
                }
                if !taken {
                    dropped.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(receiver, "an alert was not taken");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{AlertRoute, At, Gap, SCHEMA_VERSION, What};

    /// Refuses the first attempt.
    #[derive(Default)]
    struct Receiver(Mutex<Vec<(String, Vec<u8>)>>, AtomicU64);

    impl Deliver for Receiver {
        fn post<'a>(&'a self, receiver: &'a str, body: Vec<u8>) -> BoxFuture<'a, bool> {
            Box::pin(async move {
                if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
                    return false;
                }
                self.0.lock().push((receiver.to_owned(), body));
                true
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn mon_07_an_alert_reaches_its_receiver() {
        let receiver = Arc::new(Receiver::default());
        let config = AlertsConfig {
            routes: vec![AlertRoute {
                to: AlertTarget::Webhook("security".to_owned()),
                severity: Severity::High,
                events: Vec::new(),
            }],
            ..AlertsConfig::default()
        };
        let desk = AlertDesk::start(config, Arc::clone(&receiver) as Arc<dyn Deliver>);
        for _ in 0..100 {
            desk.event(&Event {
                v: SCHEMA_VERSION,
                timestamp: At(0),
                request_id: None,
                what: What::Gap(Gap::default()),
            });
        }
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        let received = receiver.0.lock();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].0, "security");
        let alert: serde_json::Value = serde_json::from_slice(&received[0].1).unwrap();
        assert_eq!(alert["event"], "gap");
    }
}
