//! Style declarations that load, run, or hide something.

use super::address::{Address, AllowedHosts};

/// What the words of a style do when a browser reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StyleHazard {
    /// Runs script or loads a sheet.
    Active,
    /// Loads from a host that is not listed.
    Loads,
}

/// `css` in lower case, without comments, escapes decoded, and without white space.
pub(super) fn squeezed(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut chars = css.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'*') => {
                chars.next();
                let mut last = ' ';
                for c in chars.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            // CSS Syntax Level 3, section 4.3.7: up to six hexadecimal digits and one blank.
            '\\' => {
                let mut code = 0;
                let mut digits = 0;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(16))
                    && digits < 6
                {
                    code = code * 16 + digit;
                    digits += 1;
                    chars.next();
                }
                if digits > 0 {
                    out.extend(char::from_u32(code).unwrap_or('\u{fffd}').to_lowercase());
                    chars.next_if(|c| c.is_ascii_whitespace());
                } else {
                    out.extend(chars.next());
                }
            }
            c if c.is_whitespace() || c.is_control() => {}
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// What is active in `css`, which may be a sheet or the value of an attribute.
pub(super) fn hazard(css: &str, allowed: &AllowedHosts) -> Option<StyleHazard> {
    let css = squeezed(css);
    let active = [
        "expression(",
        "-moz-binding",
        "behavior:",
        "behaviour:",
        "javascript:",
        "vbscript:",
        "@import",
    ];
    if active.iter().any(|word| css.contains(word)) {
        return Some(StyleHazard::Active);
    }
    let mut loads = false;
    for value in css.split("url(").skip(1) {
        let value = value.split(')').next().unwrap_or(value);
        let address = Address::parse(value.trim_matches(['"', '\'']));
        if address.runs_script()
            && !address.rest.starts_with("font/")
            && !address.rest.starts_with("image/svg")
        {
            return Some(StyleHazard::Active);
        }
        loads |= address.is_foreign(allowed);
    }
    loads.then_some(StyleHazard::Loads)
}

/// Whether `style` keeps an element from being seen.
pub(super) fn hides(style: &str) -> bool {
    let style = squeezed(style);
    let mut colour = None;
    let mut background = None;
    let mut off_flow = false;
    let mut far = false;
    for declaration in style.split(';') {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let value = value.trim_end_matches("!important");
        match name {
            "display" if value == "none" => return true,
            "visibility" if matches!(value, "hidden" | "collapse") => return true,
            "mso-hide" if value == "all" => return true,
            "opacity" if number(value).is_some_and(|n| n <= 0.05) => return true,
            "font-size" if number(value).is_some_and(|n| n <= 1.0) && !relative(value) => {
                return true;
            }
            "font-size" if number(value) == Some(0.0) => return true,
            "font" if value.starts_with("0px") || value.starts_with("0/") => return true,
            "clip" if value.starts_with("rect(0") => return true,
            "clip-path" if value.contains("inset(100%") || value.contains("inset(50%") => {
                return true;
            }
            "transform" if value.contains("scale(0)") => return true,
            "height" | "width" | "max-height" | "max-width" => {
                far |= number(value).is_some_and(|n| n <= 1.0) && !relative(value);
            }
            "overflow" => off_flow |= value == "hidden",
            "position" => off_flow |= matches!(value, "absolute" | "fixed"),
            "text-indent" if number(value).is_some_and(|n| n <= -500.0) => return true,
            "left" | "top" | "right" | "bottom" | "margin-left" | "margin-top" => {
                far |= number(value).is_some_and(|n| n <= -500.0);
            }
            "color" => colour = Some(plain_colour(value)),
            "background" | "background-color" => background = Some(plain_colour(value)),
            _ => {}
        }
    }
    if off_flow && far {
        return true;
    }
    match (colour, background) {
        (Some(front), Some(back)) => front == back,
        (Some(front), None) => front == "white" || front == "transparent",
        _ => false,
    }
}

fn relative(value: &str) -> bool {
    value.ends_with('%') || value.ends_with("em") || value.ends_with("vw") || value.ends_with("vh")
}

fn number(value: &str) -> Option<f32> {
    let end = value
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// One spelling for the spellings of white, black, and nothing.
fn plain_colour(value: &str) -> &str {
    match value {
        "#fff"
        | "#ffffff"
        | "#ffff"
        | "#ffffffff"
        | "rgb(255,255,255)"
        | "rgba(255,255,255,1)"
        | "hsl(0,0%,100%)"
        | "#fefefe"
        | "#fdfdfd"
        | "snow" => "white",
        "#000" | "#000000" | "rgb(0,0,0)" => "black",
        "rgba(0,0,0,0)" | "rgba(255,255,255,0)" | "#0000" | "#00000000" => "transparent",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_comments_do_not_hide() {
        let none = AllowedHosts::default();
        for css in [
            "width: expr/**/ession(alert(1))",
            "background: url('java\\73 cript:alert(1)')",
            "@\\69mport 'x.css'",
            "-moz-binding: url(x)",
        ] {
            assert_eq!(hazard(css, &none), Some(StyleHazard::Active), "{css}");
        }
        let load = "background:url(https://evil.example/a)";
        assert_eq!(hazard(load, &none), Some(StyleHazard::Loads));
        let listed = AllowedHosts::new(["evil.example"]).unwrap();
        assert_eq!(hazard(load, &listed), None);
        assert_eq!(hazard("color: red; width: 50%", &none), None);
    }

    #[test]
    fn what_is_not_seen_is_hidden() {
        for style in [
            "display : none",
            "visibility:hidden !important",
            "font-size:0",
            "font-size:1px",
            "opacity:0.01",
            "color:#fff",
            "color:#FFFFFF;background:white",
            "position:absolute; left:-9999px",
            "height:0;overflow:hidden",
        ] {
            assert!(hides(style), "{style}");
        }
        for style in [
            "color:#333",
            "color:white;background:#004",
            "font-size:1em",
            "display:block",
            "opacity:.8",
            "width:100%;overflow:hidden",
        ] {
            assert!(!hides(style), "{style}");
        }
    }
}
