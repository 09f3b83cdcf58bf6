//! Plots as SVG: no scripts, nothing loaded, colours of the page's style sheet.
//!
//! Each has a title and a description for readers who do not see it, and lines differ by their
//! dashes too, so that nothing is said by colour alone.

use maud::{Markup, html};

/// A curve through points of the unit square.
pub(crate) struct Line {
    pub(crate) name: String,
    /// `(x, y)`, both in `[0, 1]`.
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether it is a staircase, as thresholds make it, or goes straight.
    pub(crate) is_steps: bool,
}

/// What a plot says beside its lines.
pub(crate) struct Caption<'a> {
    /// Part of the ids in the page.
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// What can be seen, in a sentence.
    pub(crate) description: String,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// A bin of the reliability diagram.
pub(crate) struct Bar {
    /// Ends of the bin and its mean score, in `[0, 1]`.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) mean: f64,
    /// Share of positive rows with its interval.
    pub(crate) share: f64,
    pub(crate) interval: Option<(f64, f64)>,
    pub(crate) rows: u64,
}

/// A row of a chart of intervals.
pub(crate) struct Whisker {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
    /// That of what it is compared with.
    pub(crate) other: Option<f64>,
}

const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 48.0;

/// Lines that are told apart; the style sheet has as many colours and dashes.
pub(crate) const LINES: usize = 6;

/// Where a point of the unit square stands in the picture.
fn place((x, y): (f64, f64)) -> (f64, f64) {
    let across = WIDTH - LEFT - RIGHT;
    let up = HEIGHT - TOP - BOTTOM;
    (
        LEFT + x.clamp(0.0, 1.0) * across,
        TOP + (1.0 - y.clamp(0.0, 1.0)) * up,
    )
}

/// The two numbers of a place.
fn pair((x, y): (f64, f64)) -> String {
    format!("{x:.1} {y:.1}")
}

/// Curves over the unit square; at most [`LINES`], the first is the boldest.
pub(crate) fn curves(caption: &Caption<'_>, lines: &[Line], has_diagonal: bool) -> Markup {
    picture(
        caption,
        html! {
            @if has_diagonal { (diagonal()) }
            @for (number, line) in lines.iter().take(LINES).enumerate().rev() {
                path class={ "line line-" (number) } d=(path(line)) {}
            }
        },
        html! {
            @if lines.len() > 1 {
                ul class="legend" {
                    @for (number, line) in lines.iter().take(LINES).enumerate() {
                        li {
                            svg width="28" height="10" aria-hidden="true" {
                                path class={ "line line-" (number) } d="M1 5H27" {}
                            }
                            (line.name)
                        }
                    }
                }
            }
        },
    )
}

fn path(line: &Line) -> String {
    let mut out = String::new();
    let mut before: Option<(f64, f64)> = None;
    for &point in &line.points {
        let (x, y) = place(point);
        match before {
            None => out.push_str(&format!("M{}", pair((x, y)))),
            Some((_, before)) if line.is_steps && (before - y).abs() > 0.01 => {
                // To the side first, then up: what lies between two thresholds cannot be reached.
                out.push_str(&format!("H{x:.1}V{y:.1}"));
            }
            Some(_) => out.push_str(&format!("L{}", pair((x, y)))),
        }
        before = Some((x, y));
    }
    out
}

/// Bins against the diagonal on which scores are probabilities.
pub(crate) fn reliability(caption: &Caption<'_>, bars: &[Bar]) -> Markup {
    picture(
        caption,
        html! {
            @for bar in bars {
                @let (left, top) = place((bar.low, bar.share));
                @let (right, bottom) = place((bar.high, 0.0));
                rect class="bar" x=(number(left + 1.0)) y=(number(top))
                    width=(number(right - left - 2.0)) height=(number(bottom - top)) {
                    title {
                        "scores " (number(bar.low)) " to " (number(bar.high)) ": "
                        (bar.rows) " rows, " (number(bar.share * 100.0)) " % positive"
                    }
                }
            }
            (diagonal())
            @for bar in bars {
                @if let Some((low, high)) = bar.interval {
                    @let (x, from) = place((bar.mean, low));
                    @let (_, to) = place((bar.mean, high));
                    path class="whisker" d={ "M" (pair((x, from))) "V" (number(to)) } {}
                }
                @let (x, y) = place((bar.mean, bar.share));
                circle class="dot" cx=(number(x)) cy=(number(y)) r="3.5" {}
            }
        },
        html! {
            ul class="legend" {
                li { "bar: share of rows that should be caught" }
                li { "dot: the same at the mean score, with its 95 % interval" }
                li { "dashed: where scores are probabilities" }
            }
        },
    )
}

/// A row for each group: its value, its interval, and the value that it is compared with.
pub(crate) fn whiskers(caption: &Caption<'_>, rows: &[Whisker]) -> Markup {
    const ROW: f64 = 20.0;
    const NAMES: f64 = 170.0;
    const ACROSS: f64 = 560.0;
    #[expect(clippy::cast_precision_loss, reason = "a few dozen rows")]
    let down = ROW * rows.len() as f64;
    let height = down + 44.0;
    let at = |share: f64| NAMES + share.clamp(0.0, 1.0) * (ACROSS - NAMES - 20.0);
    let (title, text) = (
        format!("{}-title", caption.id),
        format!("{}-text", caption.id),
    );
    html! {
        figure class="wide" {
            figcaption { (caption.title) }
            svg viewBox={ "0 0 " (ACROSS) " " (height) } role="img"
                aria-labelledby={ (title) " " (text) } {
                title id=(title) { (caption.title) }
                desc id=(text) { (caption.description) }
                @for tick in ticks() {
                    path class="grid" d={ "M" (number(at(tick))) " 4V" (number(down + 8.0)) } {}
                    text class="tick" x=(number(at(tick))) y=(number(down + 22.0))
                        text-anchor="middle" { (number(tick)) }
                }
                text class="axis" x=(number(at(0.5))) y=(number(down + 38.0))
                    text-anchor="middle" { (caption.x) }
                @for (place, row) in (0_u16..).zip(rows) {
                    @let y = f64::from(place) * ROW + 14.0;
                    text class="name" x=(number(NAMES - 8.0)) y=(number(y + 4.0))
                        text-anchor="end" { (row.name) }
                    @if let Some((low, high)) = row.interval {
                        path class="whisker" d={ "M" (pair((at(low), y))) "H" (number(at(high))) } {}
                    }
                    @if let Some(other) = row.other {
                        @let x = at(other);
                        path class="other" d={
                            "M" (pair((x, y - 5.0))) "L" (pair((x + 5.0, y)))
                            "L" (pair((x, y + 5.0))) "L" (pair((x - 5.0, y))) "Z"
                        } {}
                    }
                    circle class="dot" cx=(number(at(row.value))) cy=(number(y)) r="4" {}
                }
            }
        }
    }
}

/// Axes, ticks, and what is drawn between them.
fn picture(caption: &Caption<'_>, inside: Markup, legend: Markup) -> Markup {
    let (left, bottom) = place((0.0, 0.0));
    let (right, top) = place((1.0, 1.0));
    let (title, text) = (
        format!("{}-title", caption.id),
        format!("{}-text", caption.id),
    );
    html! {
        figure {
            figcaption { (caption.title) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img"
                aria-labelledby={ (title) " " (text) } {
                title id=(title) { (caption.title) }
                desc id=(text) { (caption.description) }
                @for tick in ticks() {
                    @let (x, _) = place((tick, 0.0));
                    @let (_, y) = place((0.0, tick));
                    path class="grid" d={ "M" (pair((x, top))) "V" (number(bottom)) } {}
                    path class="grid" d={ "M" (pair((left, y))) "H" (number(right)) } {}
                    text class="tick" x=(number(x)) y=(number(bottom + 16.0))
                        text-anchor="middle" { (number(tick)) }
                    text class="tick" x=(number(left - 8.0)) y=(number(y + 4.0))
                        text-anchor="end" { (number(tick)) }
                }
                (inside)
                text class="axis" x=(number(f64::midpoint(left, right))) y=(number(HEIGHT - 10.0))
                    text-anchor="middle" { (caption.x) }
                text class="axis" text-anchor="middle"
                    transform={
                        "translate(14 " (number(f64::midpoint(top, bottom))) ") rotate(-90)"
                    } { (caption.y) }
            }
            (legend)
        }
    }
}

fn diagonal() -> Markup {
    let (from, to) = (place((0.0, 0.0)), place((1.0, 1.0)));
    html! { path class="diagonal" d={ "M" (pair(from)) "L" (pair(to)) } {} }
}

fn ticks() -> impl Iterator<Item = f64> {
    (0..=5_u8).map(|tick| f64::from(tick) / 5.0)
}

/// A number without needless digits.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staircases_go_sideways_before_they_rise() {
        let line = |is_steps| Line {
            name: "x".to_owned(),
            points: vec![(0.0, 0.0), (0.5, 1.0)],
            is_steps,
        };
        assert_eq!(path(&line(true)), "M52.0 282.0H209.0V12.0");
        assert_eq!(path(&line(false)), "M52.0 282.0L209.0 12.0");
    }

    #[test]
    fn names_cannot_break_out_of_the_picture() {
        let caption = Caption {
            id: "x",
            title: "<script>",
            description: String::new(),
            x: "a",
            y: "b",
        };
        let row = Whisker {
            name: "</svg><script>alert(1)</script>".to_owned(),
            value: 0.5,
            interval: Some((0.4, 0.6)),
            other: Some(2.0),
        };
        let drawn = whiskers(&caption, &[row]).into_string();
        assert!(!drawn.contains("<script"), "{drawn}");
        // What lies outside is drawn at the edge.
        assert!(drawn.contains("M540.0 9.0"), "{drawn}");
    }
}
