//! The streaming window: holds text back until it was looked at.
//!
//! A plain struct without IO. Law, checked by property tests: however the text is cut into pieces,
//! what [`Window::push`] and [`Window::finish`] release together is what they release for the
//! whole text at once.

use std::ops::Range;

use bartizan_core::Finding;

/// Looks at a stretch of text on behalf of a [`Window`].
pub trait Examine {
    /// Looks at `text`, of which the first byte may stand in the middle of a stream. `last` says
    /// that nothing follows.
    fn examine(&mut self, text: &[u8], last: bool) -> Examined;

    /// The place in `text` from which on it must be kept, so that what starts at `released` or
    /// later is seen as it would be with all the text before.
    fn keep_from(&self, text: &[u8], released: usize) -> usize;
}

/// What an examination says.
#[derive(Debug, Default)]
pub struct Examined {
    /// What was found, as disjoint stretches in order.
    pub clusters: Vec<Cluster>,
    /// Whatever starts before this place is decided: text that follows cannot change it.
    pub settled: usize,
}

/// A stretch in which findings touch each other, and what is to be done with it as a whole.
#[derive(Debug)]
pub struct Cluster {
    /// Bytes of the examined text.
    pub range: Range<usize>,
    /// What to do.
    pub action: Action,
    /// What was found there; spans in bytes of the examined text.
    pub findings: Vec<Finding>,
}

/// What is done with a stretch of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Release it as it is.
    Keep,
    /// Release this in its place.
    Replace(Vec<u8>),
    /// Release nothing from here on.
    Stop,
}

/// Whether a window releases anything further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Open,
    /// A finding stopped the stream.
    Stopped,
    /// More text would have to be held back than the limit allows; nothing further is released.
    Full,
}

/// How a window works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowConfig {
    /// New bytes to wait for before looking again: 0 releases soonest, 64 KiB costs least. With
    /// any but 0, a sixteenth of what is kept as context is waited for if that is more.
    pub step: usize,
    /// Most bytes held back at a time.
    pub max_held: usize,
}

impl WindowConfig {
    /// For a person who reads along.
    pub const PROMPT: Self = Self {
        step: 0,
        max_held: 1 << 20,
    };

    /// For files and logs.
    pub const BULK: Self = Self {
        step: 256 << 10,
        max_held: 4 << 20,
    };
}

/// Holds text back until it was looked at.
#[derive(Debug)]
pub struct Window<E> {
    examiner: E,
    config: WindowConfig,
    /// Context that was released already, then what is held back.
    buffer: Vec<u8>,
    /// How much of `buffer` was released.
    // INVARIANT: `released <= buffer.len()`.
    released: usize,
    /// Bytes of `buffer` at the last look.
    looked_at: usize,
    /// Bytes of the stream before `buffer`.
    dropped: u64,
    flow: Flow,
    findings: Vec<Finding>,
}

impl<E: Examine> Window<E> {
    /// An empty window.
    pub const fn new(examiner: E, config: WindowConfig) -> Self {
        Self {
            examiner,
            config,
            buffer: Vec::new(),
            released: 0,
            looked_at: 0,
            dropped: 0,
            flow: Flow::Open,
            findings: Vec::new(),
        }
    }

    /// Takes `bytes` in and appends what may be released now to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Flow {
        if self.flow != Flow::Open {
            return self.flow;
        }
        // Pieces of bounded size, so that one huge push costs no more memory than many small ones.
        for piece in bytes.chunks(self.config.step.max(MIN_PIECE)) {
            self.buffer.extend_from_slice(piece);
            if self.waiting() > self.step() {
                self.advance(false, out);
            }
            if self.flow != Flow::Open {
                break;
            }
        }
        self.flow
    }

    /// Looks at once at what waits for its step to fill.
    pub fn flush(&mut self, out: &mut Vec<u8>) -> Flow {
        if self.flow == Flow::Open && self.waiting() > 0 {
            self.advance(false, out);
        }
        self.flow
    }

    /// Says that nothing follows; appends the rest to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Flow {
        if self.flow == Flow::Open {
            self.advance(true, out);
        }
        self.flow
    }

    /// What was found in the text decided so far, spans in bytes of the stream; each once.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Bytes held back at the moment.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.buffer.len() - self.released
    }

    /// Bytes that came since the last look.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.buffer.len() - self.looked_at
    }

    /// Bytes of the stream decided so far.
    #[must_use]
    pub const fn decided(&self) -> u64 {
        self.dropped + self.released as u64
    }

    /// Whether it releases anything further.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// What it was made with.
    pub const fn examiner(&self) -> &E {
        &self.examiner
    }

    /// What it was made with.
    pub const fn examiner_mut(&mut self) -> &mut E {
        &mut self.examiner
    }

    /// What it was made with.
    pub fn into_examiner(self) -> E {
        self.examiner
    }

    /// New bytes to wait for: each look reads the whole buffer, so that a long one waits longer.
    /// What waits is held back, so it counts against the limit.
    fn step(&self) -> usize {
        match self.config.step {
            0 => 0,
            step => step.max(self.looked_at / 16).min(self.config.max_held / 2),
        }
    }

    fn advance(&mut self, last: bool, out: &mut Vec<u8>) {
        let examined = self.examiner.examine(&self.buffer, last);
        self.looked_at = self.buffer.len();
        let settled = if last {
            self.buffer.len()
        } else {
            examined.settled.min(self.buffer.len())
        };
        let mut cut = settled.max(self.released);
        for cluster in examined.clusters {
            if cluster.range.start < self.released {
                continue;
            }
            if cluster.range.end > settled {
                // It may still grow.
                cut = cut.min(cluster.range.start.max(self.released));
                break;
            }
            self.release_until(cluster.range.start, out);
            self.findings
                .extend(cluster.findings.into_iter().map(|finding| Finding {
                    span: finding.span.map(|span| span.shifted(self.dropped)),
                    ..finding
                }));
            match cluster.action {
                Action::Keep => self.release_until(cluster.range.end, out),
                Action::Replace(text) => {
                    out.extend_from_slice(&text);
                    self.released = cluster.range.end;
                }
                Action::Stop => {
                    self.flow = Flow::Stopped;
                    self.dropped = self.decided();
                    self.buffer.clear();
                    self.released = 0;
                    self.looked_at = 0;
                    return;
                }
            }
        }
        self.release_until(cut, out);
        if self.held() > self.config.max_held {
            self.flow = Flow::Full;
        }
        self.forget();
    }

    fn release_until(&mut self, end: usize, out: &mut Vec<u8>) {
        if let Some(text) = self.buffer.get(self.released..end) {
            out.extend_from_slice(text);
            self.released = end;
        }
    }

    /// Drops context that is no longer needed, once it is worth moving the rest.
    fn forget(&mut self) {
        let keep = self
            .examiner
            .keep_from(&self.buffer, self.released)
            .min(self.released);
        if keep > self.buffer.len() / 2 {
            self.buffer.drain(..keep);
            self.released -= keep;
            self.looked_at -= keep;
            self.dropped += keep as u64;
        }
    }
}

/// Smallest piece into which a push is cut.
const MIN_PIECE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Replaces runs of up to 6 digits by `#`, keeps longer ones, and stops at `!!!`, which takes
    /// looking 7 bytes ahead and 1 back.
    struct Digits;

    const AHEAD: usize = 7;

    impl Examine for Digits {
        fn examine(&mut self, text: &[u8], last: bool) -> Examined {
            let mut clusters = Vec::new();
            let mut at = 0;
            while at < text.len() {
                let run = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
                let whole = at == 0 || !text[at - 1].is_ascii_digit();
                if whole && (1..=6).contains(&run) {
                    clusters.push(Cluster {
                        range: at..at + run,
                        action: Action::Replace("#".into()),
                        findings: Vec::new(),
                    });
                } else if text[at..].starts_with(b"!!!") {
                    clusters.push(Cluster {
                        range: at..at + 3,
                        action: Action::Stop,
                        findings: Vec::new(),
                    });
                }
                at += run.max(1);
            }
            Examined {
                clusters,
                settled: if last {
                    text.len()
                } else {
                    text.len().saturating_sub(AHEAD)
                },
            }
        }

        fn keep_from(&self, _text: &[u8], released: usize) -> usize {
            released.saturating_sub(1)
        }
    }

    fn filter(pieces: &[&[u8]], step: usize) -> (Vec<u8>, Flow) {
        let config = WindowConfig {
            step,
            max_held: 1000,
        };
        let mut window = Window::new(Digits, config);
        let mut out = Vec::new();
        for piece in pieces {
            window.push(piece, &mut out);
        }
        let flow = window.finish(&mut out);
        (out, flow)
    }

    #[test]
    fn releases_before_a_stop_and_nothing_after() {
        let (out, flow) = filter(&[b"call 123", b"456 now !", b"!! secret"], 0);
        assert_eq!((out.as_slice(), flow), (&b"call # now "[..], Flow::Stopped));
    }

    proptest! {
        #[test]
        fn pieces_release_what_the_whole_releases(
            text in "[0-9a !]{0,200}",
            cuts in prop::collection::vec(0usize..200, 0..30),
            step in 0usize..40,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let bounds: Vec<usize> = std::iter::once(0).chain(cuts).chain([text.len()]).collect();
            let pieces: Vec<&[u8]> = bounds.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
            prop_assert_eq!(filter(&pieces, step), filter(&[text.as_bytes()], 0));
        }
    }
}
