//! Colours as CSS and office files name them, and how well one stands out against another.

/// Red, green, blue from 0 to 255, and opacity from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour {
    pub(super) rgb: [f32; 3],
    pub(super) alpha: f32,
}

/// Contrast below which letters cannot be told from their background. WCAG 2.1 (1.4.3) asks for 4.5;
/// grey on white that people do read is above 1.3.
const LEAST_CONTRAST: f32 = 1.15;
/// Opacity below which nothing is seen.
pub(super) const LEAST_OPACITY: f32 = 0.06;

impl Colour {
    pub(super) const WHITE: Self = Self::solid(255.0, 255.0, 255.0);
    pub(super) const BLACK: Self = Self::solid(0.0, 0.0, 0.0);
    const TRANSPARENT: Self = Self {
        rgb: [0.0; 3],
        alpha: 0.0,
    };

    pub(super) const fn solid(red: f32, green: f32, blue: f32) -> Self {
        Self {
            rgb: [red, green, blue],
            alpha: 1.0,
        }
    }

    /// A colour of CSS (CSS Color 4): a name, hexadecimal, `rgb()`, or `hsl()`.
    pub(super) fn css(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text == "transparent" {
            return Some(Self::TRANSPARENT);
        }
        if let Some(hex) = text.strip_prefix('#') {
            return Self::hex(hex);
        }
        if let Some((function, inner)) = text.split_once('(') {
            let numbers: Vec<(f32, bool)> = inner
                .trim_end_matches(')')
                .split([',', ' ', '/'])
                .filter(|part| !part.is_empty())
                .filter_map(number)
                .collect();
            let [(a, a_percent), (b, b_percent), (c, c_percent), rest @ ..] = numbers.as_slice()
            else {
                return None;
            };
            let alpha = match rest.first() {
                Some((value, true)) => value / 100.0,
                Some((value, false)) => *value,
                None => 1.0,
            };
            let scale = |value: f32, percent: bool| if percent { value * 2.55 } else { value };
            let rgb = match function {
                "rgb" | "rgba" => [
                    scale(*a, *a_percent),
                    scale(*b, *b_percent),
                    scale(*c, *c_percent),
                ],
                "hsl" | "hsla" => hsl(*a, b / 100.0, c / 100.0),
                _ => return None,
            };
            return Some(Self { rgb, alpha });
        }
        let (_, hex) = NAMES.iter().find(|(name, _)| *name == text)?;
        Self::hex(hex)
    }

    /// `rgb`, `rrggbb`, with or without opacity at the end.
    pub(super) fn hex(hex: &str) -> Option<Self> {
        let digits: Vec<f32> = hex
            .chars()
            .map(|c| {
                c.to_digit(16)
                    .and_then(|d| u8::try_from(d).ok())
                    .map(f32::from)
            })
            .collect::<Option<_>>()?;
        let pair = |high: f32, low: f32| high * 16.0 + low;
        match digits.as_slice() {
            [r, g, b] => Some(Self::solid(pair(*r, *r), pair(*g, *g), pair(*b, *b))),
            [r, g, b, a] => Some(Self {
                alpha: pair(*a, *a) / 255.0,
                ..Self::solid(pair(*r, *r), pair(*g, *g), pair(*b, *b))
            }),
            [r, s, g, t, b, u] => Some(Self::solid(pair(*r, *s), pair(*g, *t), pair(*b, *u))),
            [r, s, g, t, b, u, a, v] => Some(Self {
                alpha: pair(*a, *v) / 255.0,
                ..Self::solid(pair(*r, *s), pair(*g, *t), pair(*b, *u))
            }),
            _ => None,
        }
    }

    /// What is seen where it lies over `below`.
    pub(super) fn over(self, below: Self) -> Self {
        let alpha = self.alpha.clamp(0.0, 1.0);
        let mix = |mine: f32, theirs: f32| mine * alpha + theirs * (1.0 - alpha);
        let [r, g, b] = self.rgb;
        let [x, y, z] = below.rgb;
        Self::solid(mix(r, x), mix(g, y), mix(b, z))
    }

    /// Whether letters of this colour are seen on `background`.
    pub(super) fn shows_on(self, background: Self) -> bool {
        if self.alpha < LEAST_OPACITY {
            return false;
        }
        let (one, other) = (self.over(background).luminance(), background.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05) >= LEAST_CONTRAST
    }

    /// Relative luminance, WCAG 2.1.
    fn luminance(self) -> f32 {
        let [r, g, b] = self.rgb.map(|value| {
            let value = (value / 255.0).clamp(0.0, 1.0);
            if value <= 0.03928 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }
}

fn number(text: &str) -> Option<(f32, bool)> {
    match text.strip_suffix('%') {
        Some(number) => Some((number.parse().ok()?, true)),
        None => Some((text.trim_end_matches("deg").parse().ok()?, false)),
    }
}

/// CSS Color 4, section 7.1.
fn hsl(hue: f32, saturation: f32, lightness: f32) -> [f32; 3] {
    let part = |n: f32| {
        let k = (n + hue / 30.0).rem_euclid(12.0);
        let a = saturation * lightness.min(1.0 - lightness);
        255.0 * (lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0))
    };
    [part(0.0), part(8.0), part(4.0)]
}

/// Names of CSS that are light, dark, or common; others keep what they inherit.
const NAMES: [(&str, &str); 44] = [
    ("white", "ffffff"),
    ("snow", "fffafa"),
    ("ivory", "fffff0"),
    ("ghostwhite", "f8f8ff"),
    ("floralwhite", "fffaf0"),
    ("mintcream", "f5fffa"),
    ("azure", "f0ffff"),
    ("aliceblue", "f0f8ff"),
    ("honeydew", "f0fff0"),
    ("seashell", "fff5ee"),
    ("whitesmoke", "f5f5f5"),
    ("lightyellow", "ffffe0"),
    ("lavenderblush", "fff0f5"),
    ("linen", "faf0e6"),
    ("beige", "f5f5dc"),
    ("lavender", "e6e6fa"),
    ("lightgray", "d3d3d3"),
    ("lightgrey", "d3d3d3"),
    ("silver", "c0c0c0"),
    ("gainsboro", "dcdcdc"),
    ("darkgray", "a9a9a9"),
    ("darkgrey", "a9a9a9"),
    ("gray", "808080"),
    ("grey", "808080"),
    ("black", "000000"),
    ("red", "ff0000"),
    ("maroon", "800000"),
    ("yellow", "ffff00"),
    ("olive", "808000"),
    ("lime", "00ff00"),
    ("green", "008000"),
    ("aqua", "00ffff"),
    ("cyan", "00ffff"),
    ("teal", "008080"),
    ("blue", "0000ff"),
    ("navy", "000080"),
    ("fuchsia", "ff00ff"),
    ("magenta", "ff00ff"),
    ("purple", "800080"),
    ("orange", "ffa500"),
    ("darkblue", "00008b"),
    ("darkred", "8b0000"),
    ("darkgreen", "006400"),
    ("pink", "ffc0cb"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_from_its_background_is_not_seen() {
        let white = Colour::WHITE;
        for hidden in [
            "white",
            "#fff",
            "#fefefe",
            "rgb(255,255,255)",
            "hsl(0,0%,100%)",
            "transparent",
            "rgba(0,0,0,0.01)",
            "rgb(0 0 0 / 1%)",
            "snow",
        ] {
            assert!(!Colour::css(hidden).unwrap().shows_on(white), "{hidden}");
        }
        for seen in [
            "black",
            "#ccc",
            "silver",
            "rgb(200,0,0)",
            "hsl(120,100%,25%)",
        ] {
            assert!(Colour::css(seen).unwrap().shows_on(white), "{seen}");
        }
        assert!(Colour::css("white").unwrap().shows_on(Colour::BLACK));
    }
}
