//! Style sheets: rules whose declarations bear on whether text is seen.

use super::select::{Selector, selectors};

/// Rules of one page.
const MAX_RULES: usize = 20_000;
/// Levels of nested rules.
const MAX_NESTING: usize = 8;
/// A screen of an ordinary size, in CSS pixels, for which conditions of width are answered.
const SCREEN: [f32; 2] = [1280.0, 800.0];

/// A property and its value, in lower case and without comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) property: String,
    pub(super) value: String,
    pub(super) is_important: bool,
}

/// A selector with what it declares.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) selector: Selector,
    pub(super) declarations: Vec<Declaration>,
}

/// The rules of a page in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub(super) rules: Vec<Rule>,
    /// Whether rules were left out because there were too many, or nested too deep.
    pub(super) is_cut: bool,
}

impl Sheet {
    /// Adds the rules of `css`, which is what a style element holds.
    pub(super) fn add(&mut self, css: &str) {
        let css = without_comments(css);
        // What old pages wrap their sheets in is no part of them (CSS Syntax 3, section 4.3.1).
        self.block(&css.replace("<!--", " ").replace("-->", " "), "", 0);
    }

    /// Reads rules; `outer` is the selector around them.
    fn block(&mut self, css: &str, outer: &str, depth: usize) {
        let mut rest = css;
        while let Some((prelude, body, after)) = next_rule(rest) {
            rest = after;
            if depth >= MAX_NESTING || self.rules.len() >= MAX_RULES {
                self.is_cut = true;
                return;
            }
            // Declarations before a nested rule stand in its prelude.
            let prelude = prelude.rsplit(';').next().unwrap_or_default().trim();
            if let Some(at_rule) = prelude.strip_prefix('@') {
                if applies(&at_rule.to_ascii_lowercase()) {
                    if !outer.is_empty() {
                        self.rule(outer, body);
                    }
                    self.block(body, outer, depth + 1);
                }
                continue;
            }
            let selector = nested(outer, prelude);
            self.rule(&selector, body);
            if body.contains('{') {
                self.block(body, &selector, depth + 1);
            }
        }
    }

    fn rule(&mut self, selector: &str, body: &str) {
        let declarations: Vec<Declaration> = declarations(&own_declarations(body));
        if declarations.is_empty() {
            return;
        }
        for selector in selectors(selector) {
            if self.rules.len() >= MAX_RULES {
                self.is_cut = true;
                return;
            }
            self.rules.push(Rule {
                selector,
                declarations: declarations.clone(),
            });
        }
    }
}

/// The declarations of a style attribute or of a rule that bear on visibility.
pub(super) fn declarations(css: &str) -> Vec<Declaration> {
    let css = without_comments(css);
    let mut out = Vec::new();
    for part in split_outside(&css, ';') {
        let Some((property, value)) = part.split_once(':') else {
            continue;
        };
        let property = unescaped(property.trim()).to_ascii_lowercase();
        if !is_tracked(&property) {
            continue;
        }
        let value = unescaped(value.trim()).to_ascii_lowercase();
        let (value, is_important) = match value.rsplit_once('!') {
            Some((value, flag)) if flag.trim() == "important" => (value.trim().to_owned(), true),
            _ => (value, false),
        };
        out.push(Declaration {
            property,
            value,
            is_important,
        });
    }
    out
}

fn is_tracked(property: &str) -> bool {
    const TRACKED: [&str; 34] = [
        "display",
        "visibility",
        "content-visibility",
        "opacity",
        "filter",
        "color",
        "-webkit-text-fill-color",
        "background",
        "background-color",
        "background-image",
        "font",
        "font-size",
        "line-height",
        "text-indent",
        "position",
        "left",
        "right",
        "top",
        "bottom",
        "inset",
        "margin",
        "margin-left",
        "margin-top",
        "transform",
        "scale",
        "zoom",
        "clip",
        "clip-path",
        "-webkit-clip-path",
        "width",
        "height",
        "max-width",
        "max-height",
        "overflow",
    ];
    TRACKED.contains(&property)
        || property.starts_with("--")
        || property.starts_with("overflow-")
        || matches!(property, "white-space" | "translate" | "all")
}

/// The next rule: what stands before its brace, what stands within, and what follows.
fn next_rule(css: &str) -> Option<(&str, &str, &str)> {
    let open = find_outside(css, '{')?;
    let (prelude, rest) = css.split_at_checked(open)?;
    let inner = rest.get(1..)?;
    let mut depth = 1_usize;
    let mut quote = None;
    let mut skip = false;
    for (at, c) in inner.char_indices() {
        if std::mem::take(&mut skip) {
            continue;
        }
        match (quote, c) {
            (_, '\\') => skip = true,
            (Some(q), c) if q == c || c == '\n' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => {
                depth -= 1;
                if depth == 0 {
                    return Some((prelude, inner.get(..at)?, inner.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    // An open block ends with the sheet.
    Some((prelude, inner, ""))
}

/// What a block declares itself, without the rules nested in it.
fn own_declarations(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((prelude, _, after)) = next_rule(rest) {
        if let Some((own, _)) = prelude.rsplit_once(';') {
            out.push_str(own);
            out.push(';');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// CSS Nesting 1, section 3: `&` stands for the outer selector, otherwise it is an ancestor.
fn nested(outer: &str, prelude: &str) -> String {
    if outer.is_empty() {
        return prelude.to_owned();
    }
    let each = |inner: &str, outer: &str| {
        if inner.contains('&') {
            inner.replace('&', outer)
        } else {
            format!("{outer} {inner}")
        }
    };
    let mut out = String::new();
    for outer in split_outside(outer, ',').into_iter().take(16) {
        for inner in split_outside(prelude, ',').into_iter().take(16) {
            if !out.is_empty() {
                out.push(',');
            }
            out.push_str(&each(inner.trim(), outer.trim()));
        }
    }
    out
}

/// Whether the rules within an at-rule hold on an ordinary screen.
fn applies(at_rule: &str) -> bool {
    let (name, condition) = at_rule
        .split_once(|c: char| c.is_whitespace() || c == '(')
        .unwrap_or((at_rule, ""));
    match name {
        "media" => media(at_rule.strip_prefix("media").unwrap_or_default()),
        "supports" => !condition.trim_start().starts_with("not"),
        "layer" | "container" | "scope" | "starting-style" | "document" | "-moz-document" => true,
        _ => false,
    }
}

/// Whether a media query holds (Media Queries 4): widths are compared with an ordinary screen,
/// printers and dark schemes are not one, and what is unknown holds.
pub(super) fn media(query: &str) -> bool {
    query.split(',').any(|query| {
        let query = query.trim().to_ascii_lowercase();
        if let Some(rest) = query.strip_prefix("not ") {
            return !media(rest);
        }
        if query.starts_with("print") || query.starts_with("speech") || query.contains("dark") {
            return false;
        }
        query.split(" and ").all(|feature| {
            let feature = feature.trim_matches(|c: char| c.is_whitespace() || "()".contains(c));
            let Some((name, value)) = feature.split_once(':') else {
                return true;
            };
            let Some(value) = super::style::pixels(value.trim(), 16.0) else {
                return true;
            };
            let [width, height] = SCREEN;
            match name.trim() {
                "min-width" | "min-device-width" => width >= value,
                "max-width" | "max-device-width" => width <= value,
                "min-height" => height >= value,
                "max-height" => height <= value,
                _ => true,
            }
        })
    })
}

/// CSS Syntax 3, section 4.3.2.
fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// CSS Syntax 3, section 4.3.7: a backslash and up to six hexadecimal digits, or one character.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = 0;
        let mut digits = 0;
        while digits < 6
            && let Some(digit) = chars.peek().and_then(|c| c.to_digit(16))
        {
            code = code * 16 + digit;
            digits += 1;
            chars.next();
        }
        if digits == 0 {
            out.extend(chars.next());
        } else {
            chars.next_if(|c| c.is_whitespace());
            out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
        }
    }
    out
}

fn find_outside(text: &str, wanted: char) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut skip = false;
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut skip) {
            continue;
        }
        match (quote, c) {
            (_, '\\') => skip = true,
            (Some(q), c) if q == c || c == '\n' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, c) if c == wanted && depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Splits at `separator` outside quotes, brackets, and parentheses.
pub(super) fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = find_outside(rest, separator) {
        out.push(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + separator.len_utf8()..).unwrap_or_default();
    }
    out.push(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_read_as_browsers_read_them() {
        let count = |css: &str| {
            let mut sheet = Sheet::default();
            sheet.add(css);
            sheet.rules.len()
        };
        assert_eq!(count(".a{display:none} .b, .c {opacity:0}"), 3);
        assert_eq!(count("/* x */ .a { dis\\70lay : none !important"), 1);
        assert_eq!(count("@media print {.a{display:none}}"), 0);
        assert_eq!(count("@media (max-width: 600px) {.a{display:none}}"), 0);
        assert_eq!(
            count("@media screen and (min-width:1px) {.a{display:none}}"),
            1
        );
        assert_eq!(
            count("@font-face{font-family:x} @keyframes k{to{opacity:0}}"),
            0
        );
        assert_eq!(count(".a { color: red; .b { display:none } }"), 2);
        assert_eq!(count(".a{content:\"}\";display:none}"), 1);
        assert_eq!(count(".a{border:0}"), 0);
        assert_eq!(declarations("display:none!important").len(), 1);
    }
}
