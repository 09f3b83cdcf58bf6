//! What a page's operators paint: where text stands, how it looks, and what lies under and over it.

use super::{colour::Colour, hiding::Hiding};

/// Letters below this size are not read, in points.
const LEAST_SIZE: f32 = 2.0;
/// Runs, boxes, and pictures of one page.
const MAX_PAINTED: usize = 50_000;
/// Comparisons of runs with boxes.
const MAX_COMPARED: usize = 20_000_000;
/// Levels of saved states (ISO 32000-1, annex C, asks for 28).
const MAX_STATES: usize = 256;

/// Text that was painted at once.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) text: String,
    /// Where it starts on the page, in points.
    pub(super) at: [f32; 2],
    pub(super) size: f32,
    /// Whether the place was set since the last run.
    pub(super) is_moved: bool,
    pub(super) hiding: Option<Hiding>,
    colour: Colour,
    order: usize,
}

/// A filled box or a picture: left, bottom, right, top.
struct Shape {
    sides: [f32; 4],
    /// `None` for a picture.
    colour: Option<Colour>,
    order: usize,
}

/// `[a b c d e f]` (section 8.3.3).
type Matrix = [f32; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

#[derive(Clone)]
struct State {
    matrix: Matrix,
    fill: Colour,
    alpha: f32,
    mode: i32,
    font: f32,
    leading: f32,
    scale: f32,
    rise: f32,
}

/// Runs the operators of one page.
pub(super) struct Painter {
    page: [f32; 4],
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    runs: Vec<Run>,
    boxes: Vec<Shape>,
    pending: Vec<[f32; 4]>,
    order: usize,
    is_moved: bool,
    is_layer_on: bool,
    is_cut: bool,
}

impl Painter {
    /// A painter of a page with that box.
    pub(super) fn new(page: [f32; 4]) -> Self {
        Self {
            page,
            state: State {
                matrix: IDENTITY,
                fill: Colour::BLACK,
                alpha: 1.0,
                mode: 0,
                font: 0.0,
                leading: 0.0,
                scale: 1.0,
                rise: 0.0,
            },
            saved: Vec::new(),
            text: IDENTITY,
            line: IDENTITY,
            runs: Vec::new(),
            boxes: Vec::new(),
            pending: Vec::new(),
            order: 0,
            is_moved: true,
            is_layer_on: true,
            is_cut: false,
        }
    }

    pub(super) const fn set_font(&mut self, size: f32) {
        self.state.font = size;
    }

    pub(super) const fn set_alpha(&mut self, alpha: f32) {
        self.state.alpha = alpha;
    }

    pub(super) const fn set_layer(&mut self, is_on: bool) {
        self.is_layer_on = is_on;
    }

    /// One operator with its numbers (annex A); those that paint no text and hide none are skipped.
    pub(super) fn operate(&mut self, operator: &str, numbers: &[f32]) {
        match (operator, numbers) {
            ("q", _) => {
                if self.saved.len() < MAX_STATES {
                    self.saved.push(self.state.clone());
                } else {
                    self.is_cut = true;
                }
            }
            ("Q", _) => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            ("cm", &[a, b, c, d, e, f]) => {
                self.state.matrix = multiply([a, b, c, d, e, f], self.state.matrix);
            }
            ("BT", _) => {
                self.text = IDENTITY;
                self.line = IDENTITY;
                self.is_moved = true;
            }
            ("Tm", &[a, b, c, d, e, f]) => self.set_line([a, b, c, d, e, f]),
            ("Td", &[x, y]) => self.step(x, y),
            ("TD", &[x, y]) => {
                self.state.leading = -y;
                self.step(x, y);
            }
            ("T*", _) => self.next_line(),
            ("TL", &[leading]) => self.state.leading = leading,
            ("Tr", &[mode]) => self.state.mode = mode as i32,
            ("Tz", &[percent]) => self.state.scale = percent / 100.0,
            ("Ts", &[rise]) => self.state.rise = rise,
            ("g" | "sc" | "scn", &[grey]) => {
                let grey = grey * 255.0;
                self.state.fill = Colour::solid(grey, grey, grey);
            }
            ("rg" | "sc" | "scn", &[r, g, b]) => {
                self.state.fill = Colour::solid(r * 255.0, g * 255.0, b * 255.0);
            }
            ("k" | "sc" | "scn", &[c, m, y, k]) => {
                let part = |ink: f32| 255.0 * (1.0 - ink) * (1.0 - k);
                self.state.fill = Colour::solid(part(c), part(m), part(y));
            }
            ("re", &[x, y, width, height]) if self.pending.len() < MAX_PAINTED => {
                let corners = [[x, y], [x + width, y + height]];
                let corners = corners.map(|point| apply(self.state.matrix, point));
                self.pending.push(sides(corners));
            }
            ("re", _) => self.is_cut |= self.pending.len() >= MAX_PAINTED,
            ("f" | "F" | "f*" | "B" | "B*" | "b" | "b*", _) => {
                let colour = Colour {
                    alpha: self.state.alpha,
                    ..self.state.fill
                };
                for sides in std::mem::take(&mut self.pending) {
                    self.cover(sides, Some(colour));
                }
            }
            ("n" | "S" | "s" | "W" | "W*", _) => self.pending.clear(),
            _ => {}
        }
    }

    /// A picture over the unit square (section 8.9.5).
    pub(super) fn picture(&mut self) {
        let corners = [[0.0, 0.0], [1.0, 1.0]].map(|point| apply(self.state.matrix, point));
        self.cover(sides(corners), None);
    }

    fn cover(&mut self, sides: [f32; 4], colour: Option<Colour>) {
        if self.boxes.len() >= MAX_PAINTED {
            self.is_cut = true;
            return;
        }
        if !self.is_layer_on {
            return;
        }
        self.order += 1;
        self.boxes.push(Shape {
            sides,
            colour,
            order: self.order,
        });
    }

    /// Down by one leading.
    pub(super) fn next_line(&mut self) {
        self.step(0.0, -self.state.leading);
    }

    fn step(&mut self, x: f32, y: f32) {
        self.set_line(multiply([1.0, 0.0, 0.0, 1.0, x, y], self.line));
    }

    fn set_line(&mut self, matrix: Matrix) {
        self.line = matrix;
        self.text = matrix;
        self.is_moved = true;
    }

    /// Paints text where the pen stands.
    pub(super) fn show(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.runs.len() >= MAX_PAINTED {
            self.is_cut = true;
            return;
        }
        let whole = multiply(self.text, self.state.matrix);
        let at = apply(whole, [0.0, self.state.rise]);
        let [a, b, c, d, ..] = whole;
        // By the smaller scale: letters squeezed flat are not read either.
        let height = (c * c + d * d).sqrt();
        let width = (a * a + b * b).sqrt() * self.state.scale.abs();
        let size = self.state.font.abs() * height.min(width);
        // Half an em a letter: good enough to say where the run ends.
        let letters = text.chars().count().min(10_000) as f32;
        let advance = 0.5 * self.state.font * letters * self.state.scale;
        let end = apply(whole, [advance, 0.0]);
        self.order += 1;
        self.runs.push(Run {
            text: text.to_owned(),
            at,
            size,
            is_moved: std::mem::take(&mut self.is_moved),
            hiding: self.look(at, end, size),
            colour: Colour {
                alpha: self.state.alpha,
                ..self.state.fill
            },
            order: self.order,
        });
        self.text = multiply([1.0, 0.0, 0.0, 1.0, advance, 0.0], self.text);
    }

    fn look(&self, at: [f32; 2], end: [f32; 2], size: f32) -> Option<Hiding> {
        // Modes 3 and 7 paint nothing (section 9.3.6).
        if matches!(self.state.mode, 3 | 7) || !self.is_layer_on {
            return Some(Hiding::Style);
        }
        if size < LEAST_SIZE {
            return Some(Hiding::Size);
        }
        let [left, bottom, right, top] = self.page;
        let [x, y] = at;
        let [end_x, end_y] = end;
        let is_off = x.max(end_x) < left
            || x.min(end_x) > right
            || y.max(end_y) + size < bottom
            || y.min(end_y) > top;
        is_off.then_some(Hiding::Position)
    }

    /// Every run, and whether everything was looked at.
    pub(super) fn finish(mut self) -> (Vec<Run>, bool) {
        let compared = self.runs.len().saturating_mul(self.boxes.len());
        if compared > MAX_COMPARED {
            self.is_cut = true;
        }
        for run in self.runs.iter_mut().filter(|run| run.hiding.is_none()) {
            let [x, y] = run.at;
            // A point within the first letter.
            let point = [x + run.size * 0.25, y + run.size * 0.3];
            let mut background = Some(Colour::WHITE);
            let mut is_covered = false;
            if compared <= MAX_COMPARED {
                for shape in self.boxes.iter().filter(|shape| shape.holds(point)) {
                    if shape.order < run.order {
                        background = match (shape.colour, background) {
                            (Some(colour), Some(below)) => Some(colour.over(below)),
                            (Some(colour), None) if colour.alpha >= 1.0 => Some(colour),
                            _ => None,
                        };
                    } else if shape.colour.is_none_or(|colour| colour.alpha > 0.95) {
                        is_covered = true;
                    }
                }
            }
            if is_covered {
                run.hiding = Some(Hiding::Position);
            } else if background.is_some_and(|background| !run.colour.shows_on(background)) {
                run.hiding = Some(Hiding::Colour);
            }
        }
        (self.runs, !self.is_cut)
    }
}

impl Shape {
    fn holds(&self, [x, y]: [f32; 2]) -> bool {
        let [left, bottom, right, top] = self.sides;
        left <= x && x <= right && bottom <= y && y <= top
    }
}

fn sides([[a, b], [c, d]]: [[f32; 2]; 2]) -> [f32; 4] {
    [a.min(c), b.min(d), a.max(c), b.max(d)]
}

/// `first`, then `second`.
fn multiply(first: Matrix, second: Matrix) -> Matrix {
    let [a, b, c, d, e, f] = first;
    let [p, q, r, s, t, u] = second;
    [
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    ]
}

fn apply([a, b, c, d, e, f]: Matrix, [x, y]: [f32; 2]) -> [f32; 2] {
    [a * x + c * y + e, b * x + d * y + f]
}
