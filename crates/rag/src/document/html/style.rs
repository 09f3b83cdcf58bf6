//! What the declarations of an element, with what it inherits, do to its text.

use std::collections::HashMap;

use super::sheet::Declaration;
use crate::document::{
    colour::{Colour, LEAST_OPACITY},
    hiding::Hiding,
};

/// Letters below this size are not read, in CSS pixels.
const LEAST_FONT: f32 = 4.0;
/// Distance at which something is off the page, in CSS pixels.
const OFF_PAGE: f32 = -300.0;
/// Size of the root element's letters, in CSS pixels.
const ROOT_FONT: f32 = 16.0;

/// How the text of an element looks.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// What hides the element with everything in it.
    pub(super) hidden: Option<Hiding>,
    /// Hidden, but children may show themselves again.
    is_invisible: bool,
    colour: Colour,
    /// `None` where it cannot be known: a picture or a gradient.
    background: Option<Colour>,
    font: f32,
    opacity: f32,
    indent: f32,
    /// Whether white space is kept.
    pub(super) is_preformatted: bool,
}

impl Default for Look {
    /// Black on white, at an ordinary size.
    fn default() -> Self {
        Self {
            hidden: None,
            is_invisible: false,
            colour: Colour::BLACK,
            background: Some(Colour::WHITE),
            font: ROOT_FONT,
            opacity: 1.0,
            indent: 0.0,
            is_preformatted: false,
        }
    }
}

/// Variables of a page, by name: the last value wins, wherever it was given.
pub(super) type Variables = HashMap<String, String>;

impl Look {
    /// What hides text that looks so.
    pub(super) fn hiding(&self) -> Option<Hiding> {
        if self.hidden.is_some() {
            return self.hidden;
        }
        if self.is_invisible || self.opacity < LEAST_OPACITY {
            return Some(Hiding::Style);
        }
        if self.font < LEAST_FONT {
            return Some(Hiding::Size);
        }
        if self.indent < OFF_PAGE {
            return Some(Hiding::Position);
        }
        match self.background {
            _ if self.colour.alpha < LEAST_OPACITY => Some(Hiding::Colour),
            Some(background) if !self.colour.shows_on(background) => Some(Hiding::Colour),
            _ => None,
        }
    }

    /// The look of a child whose declarations, weakest first, are these.
    pub(super) fn child(&self, declarations: &[&Declaration], variables: &Variables) -> Self {
        let mut look = self.clone();
        let values = Values::of(declarations, variables);
        let get = |name: &str| values.get(name);
        match get("visibility") {
            Some("hidden" | "collapse") => look.is_invisible = true,
            Some("visible" | "initial") => look.is_invisible = false,
            _ => {}
        }
        look.opacity *= get("opacity").and_then(ratio).unwrap_or(1.0);
        if let Some(value) = get("filter").and_then(|filter| argument(filter, "opacity")) {
            look.opacity *= ratio(value).unwrap_or(1.0);
        }
        look.letters(&values);
        look.paint(&values);
        if let Some(indent) = get("text-indent").and_then(|value| pixels(value, look.font)) {
            look.indent = indent;
        }
        match get("white-space") {
            Some("pre" | "pre-wrap" | "pre-line" | "break-spaces") => look.is_preformatted = true,
            Some("normal" | "nowrap") => look.is_preformatted = false,
            _ => {}
        }
        look.hidden = look.hidden.or_else(|| off_the_page(&values, look.font));
        look
    }

    fn letters(&mut self, values: &Values<'_>) {
        let shorthand = values.get("font").and_then(|font| {
            font.split_whitespace().find_map(|word| {
                let size = word.split('/').next().unwrap_or(word);
                let is_length = size.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                    && size.ends_with(|c: char| c.is_alphabetic() || c == '%' || c == '0');
                is_length.then_some(size)
            })
        });
        let Some(size) = values.get("font-size").or(shorthand) else {
            return;
        };
        let keyword = match size {
            "xx-small" => 9.0,
            "x-small" => 10.0,
            "small" => 13.0,
            "medium" | "initial" => 16.0,
            "large" => 18.0,
            "x-large" => 24.0,
            "xx-large" => 32.0,
            "smaller" => self.font / 1.2,
            "larger" => self.font * 1.2,
            size => match size
                .strip_suffix('%')
                .and_then(|n| n.trim().parse::<f32>().ok())
            {
                Some(percent) => self.font * percent / 100.0,
                None => pixels(size, self.font).unwrap_or(self.font),
            },
        };
        self.font = keyword;
    }

    fn paint(&mut self, values: &Values<'_>) {
        let colour = values
            .get("-webkit-text-fill-color")
            .or_else(|| values.get("color"));
        match colour {
            Some("initial" | "canvastext") => self.colour = Colour::BLACK,
            Some(text) => self.colour = Colour::css(text).unwrap_or(self.colour),
            None => {}
        }
        for name in ["background", "background-color", "background-image"] {
            let Some(value) = values.get(name) else {
                continue;
            };
            if value.contains("url(") || value.contains("gradient") {
                self.background = None;
                continue;
            }
            let whole = std::iter::once(value);
            let painted = whole
                .chain(value.split_whitespace())
                .find_map(Colour::css)
                .filter(|colour| colour.alpha > 0.0);
            if let Some(colour) = painted {
                self.background = Some(match self.background {
                    Some(below) => colour.over(below),
                    None if colour.alpha >= 1.0 => colour,
                    None => return,
                });
            }
        }
    }
}

/// The winning value of every property, variables put in.
struct Values<'d>(HashMap<&'d str, String>);

impl<'d> Values<'d> {
    fn of(declarations: &[&'d Declaration], variables: &Variables) -> Self {
        let mut values = HashMap::new();
        for declaration in declarations {
            let value = resolved(&declaration.value, variables);
            values.insert(declaration.property.as_str(), value);
        }
        Self(values)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// CSS Custom Properties 1, section 3; a variable is taken wherever it was set.
fn resolved(value: &str, variables: &Variables) -> String {
    let mut value = value.to_owned();
    for _ in 0..4 {
        let Some((before, rest)) = value.split_once("var(") else {
            break;
        };
        let Some((inner, after)) = rest.split_once(')') else {
            break;
        };
        let (name, fallback) = inner.split_once(',').unwrap_or((inner, ""));
        let known = variables.get(name.trim()).map_or(fallback, String::as_str);
        value = format!("{before}{}{after}", known.trim());
        if value.len() > 1024 {
            break;
        }
    }
    value
}

/// What takes an element off the page for good.
fn off_the_page(values: &Values<'_>, font: f32) -> Option<Hiding> {
    let get = |name: &str| values.get(name);
    let px = |name: &str| get(name).and_then(|value| pixels(value, font));
    if get("display") == Some("none") || get("content-visibility") == Some("hidden") {
        return Some(Hiding::Style);
    }
    let is_out_of_flow = matches!(get("position"), Some("absolute" | "fixed" | "relative"));
    let pushed = ["left", "top", "right", "bottom", "inset"]
        .iter()
        .any(|name| px(name).is_some_and(|value| !(OFF_PAGE..=9000.0).contains(&value)));
    let drawn_away = ["margin-left", "margin-top", "margin"]
        .iter()
        .any(|name| px(name).is_some_and(|value| !(OFF_PAGE..=9000.0).contains(&value)));
    if (is_out_of_flow && pushed) || drawn_away {
        return Some(Hiding::Position);
    }
    if let Some(clip) = get("clip-path").or_else(|| get("-webkit-clip-path"))
        && is_clipped_away(clip)
    {
        return Some(Hiding::Position);
    }
    if let Some(inner) = get("clip").and_then(|clip| argument(clip, "rect")) {
        let sides = inner
            .split([',', ' '])
            .filter(|side| !side.is_empty())
            .filter_map(|side| pixels(side, font));
        if sides.fold(0.0_f32, |most, side| most.max(side.abs())) <= 1.0 {
            return Some(Hiding::Position);
        }
    }
    if let Some(transform) = get("transform") {
        let moved = transform.contains("translate")
            && transform
                .split(['(', ')', ','])
                .filter_map(|part| pixels(part.trim(), font))
                .any(|value| value.abs() > 2000.0);
        let gone = ["scale", "scalex", "scaley", "scale3d"]
            .iter()
            .any(|name| argument(transform, name).and_then(ratio_of_first) == Some(0.0));
        if moved {
            return Some(Hiding::Position);
        }
        if gone {
            return Some(Hiding::Size);
        }
    }
    if get("scale").and_then(ratio) == Some(0.0) || get("zoom").and_then(ratio) == Some(0.0) {
        return Some(Hiding::Size);
    }
    let clips = ["overflow", "overflow-x", "overflow-y"].iter().any(|name| {
        get(name).is_some_and(|value| value.contains("hidden") || value.contains("clip"))
    });
    let tiny = ["width", "height", "max-width", "max-height", "line-height"]
        .iter()
        .any(|name| px(name).is_some_and(|value| value <= 1.0) && is_length(get(name)));
    (clips && tiny).then_some(Hiding::Size)
}

/// A bare number is a length only if it is 0; `line-height: 1` is not one.
fn is_length(value: Option<&str>) -> bool {
    value.is_some_and(|value| {
        let bare = value.parse::<f32>();
        bare.is_err() || bare == Ok(0.0)
    })
}

fn is_clipped_away(clip: &str) -> bool {
    if let Some(inset) = argument(clip, "inset") {
        let first = inset.split_whitespace().next().unwrap_or_default();
        return first
            .strip_suffix('%')
            .and_then(|n| n.parse::<f32>().ok())
            .is_some_and(|percent| percent >= 50.0);
    }
    ["circle", "ellipse"].iter().any(|shape| {
        argument(clip, shape).is_some_and(|inner| {
            inner
                .split_whitespace()
                .next()
                .and_then(|r| pixels(r, 16.0))
                == Some(0.0)
        })
    })
}

/// What stands between the parentheses of a function.
fn argument<'v>(value: &'v str, function: &str) -> Option<&'v str> {
    let (_, rest) = value.split_once(function)?;
    let rest = rest.strip_prefix('(')?;
    Some(rest.split_once(')').map_or(rest, |(inner, _)| inner))
}

fn ratio_of_first(text: &str) -> Option<f32> {
    ratio(text.split([',', ' ']).next()?)
}

/// `0.5` or `50%`.
fn ratio(text: &str) -> Option<f32> {
    match text.trim().strip_suffix('%') {
        Some(percent) => Some(percent.trim().parse::<f32>().ok()? / 100.0),
        None => text.trim().parse().ok(),
    }
}

/// A length in CSS pixels (CSS Values 4, section 6); `font` is the size of the element's letters.
pub(super) fn pixels(text: &str, font: f32) -> Option<f32> {
    let text = text.trim();
    let text = text
        .strip_prefix("calc(")
        .map_or(text, |inner| inner.trim_end_matches(')'));
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let value: f32 = number.parse().ok()?;
    let scale = match unit.split_whitespace().next().unwrap_or_default() {
        "" | "px" => 1.0,
        "em" => font,
        "rem" => ROOT_FONT,
        "ex" | "ch" => font / 2.0,
        "pt" => 4.0 / 3.0,
        "pc" => 16.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "vw" | "vmax" => 12.8,
        "vh" | "vmin" => 8.0,
        "%" => 12.8,
        _ => return None,
    };
    Some(value * scale)
}

#[cfg(test)]
mod tests {
    use super::{super::sheet::declarations, *};

    fn hiding(style: &str) -> Option<Hiding> {
        let declarations = declarations(style);
        let by_reference: Vec<&Declaration> = declarations.iter().collect();
        Look::default()
            .child(&by_reference, &Variables::new())
            .hiding()
    }

    #[test]
    fn styles_hide_as_in_browsers() {
        for (style, expected) in [
            ("display:none", Hiding::Style),
            ("DISPLAY : NONE !important", Hiding::Style),
            ("visibility:hidden", Hiding::Style),
            ("opacity:0", Hiding::Style),
            ("filter: opacity(0%)", Hiding::Style),
            ("color:white", Hiding::Colour),
            ("color:#fffffe; background:white", Hiding::Colour),
            ("color:rgba(0,0,0,0)", Hiding::Colour),
            ("background:#000;color:#010101", Hiding::Colour),
            ("font-size:0", Hiding::Size),
            ("font-size:1px", Hiding::Size),
            ("font:0/0 a", Hiding::Size),
            ("font-size:.01em", Hiding::Size),
            ("position:absolute;left:-9999px", Hiding::Position),
            ("position:fixed;top:-100vh", Hiding::Position),
            ("text-indent:-9999px", Hiding::Position),
            ("clip:rect(0,0,0,0);position:absolute", Hiding::Position),
            ("clip-path: inset(50%)", Hiding::Position),
            ("transform:scale(0)", Hiding::Size),
            ("transform: translateX(-9999px)", Hiding::Position),
            ("height:0;overflow:hidden", Hiding::Size),
            ("max-height:0px;overflow-y:hidden", Hiding::Size),
        ] {
            assert_eq!(hiding(style), Some(expected), "{style}");
        }
        for style in [
            "color:red",
            "color:white;background:#036",
            "color:white;background:url(dark.png)",
            "color:#888",
            "font-size:12px",
            "font:italic 12px/1 serif",
            "position:absolute;left:-10px",
            "overflow:hidden;line-height:1",
            "height:40px;overflow:hidden",
            "opacity:.5",
            "margin:-8px",
            "width:100%;overflow:hidden",
        ] {
            assert_eq!(hiding(style), None, "{style}");
        }
    }
}
