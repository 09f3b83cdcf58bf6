use std::{panic, sync::Once};

use tracing_subscriber::{
    EnvFilter, Layer as _, filter::ParseError, fmt::MakeWriter, layer::SubscriberExt as _,
    registry::Registry,
};

use super::{LogConfig, LogFormat};

pub(super) fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(text)
}

/// A subscriber that writes to `out` as configured. `filter` goes before the configured one where
/// it is given and can be read.
///
/// The libraries below the gateway keep to warnings whatever is asked for: on finer levels they
/// print headers and bodies.
pub fn subscriber<W>(
    config: &LogConfig,
    wanted: Option<&str>,
    out: W,
) -> impl tracing::Subscriber + Send + Sync + use<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let chosen = wanted
        .and_then(|text| filter(text).ok())
        .or_else(|| filter(&config.filter).ok())
        .unwrap_or_default();
    let ours = tracing_subscriber::filter::filter_fn(|about| {
        about.target().starts_with("bartizan") || *about.level() <= tracing::Level::WARN
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(out);
    let lines = match config.format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(false).boxed(),
    };
    Registry::default()
        .with(lines.with_filter(ours))
        .with(chosen)
}

/// Makes panics one line of the log with their place and without their words, which may quote what
/// was being read.
pub fn hook_panics() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let (file, line) = info
                .location()
                .map_or(("unknown", 0), |place| (place.file(), place.line()));
            tracing::error!(file, line, "a request met a fault of the program");
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn logged(filter: &str, run: impl FnOnce()) -> String {
        let lines = Lines::default();
        let out = lines.clone();
        let config = LogConfig::default();
        let subscriber = subscriber(&config, Some(filter), move || out.clone());
        tracing::subscriber::with_default(subscriber, run);
        lines.text()
    }

    #[test]
    fn mon_15_a_line_is_a_json_object() {
        let text = logged("info", || {
            tracing::info!(target: "bartizan", request_id = "r1", "ready");
            tracing::debug!(target: "bartizan", "not asked for");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["request_id"], "r1");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "ready");
    }

    #[test]
    fn libraries_stay_quiet_on_fine_levels() {
        let text = logged("trace", || {
            tracing::trace!(target: "hyper::proto", "GET /?q=MARKER");
            tracing::trace!(target: "bartizan_gateway", "ours");
        });
        assert!(!text.contains("MARKER") && text.contains("ours"));
    }

    #[test]
    fn panics_do_not_repeat_what_they_read() {
        let before = panic::take_hook();
        hook_panics();
        let text = logged("info", || {
            let _ = panic::catch_unwind(|| panic!("cannot read `MARKER`"));
        });
        panic::set_hook(before);
        assert!(!text.contains("MARKER"));
        assert!(text.contains("log.rs"), "{text}");
    }
}
