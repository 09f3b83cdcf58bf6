//! Server-Sent Events, read as they come and written.
//!
//! Source: WHATWG HTML, section 9.2.5 and 9.2.6 (parsing and interpreting an event stream).

use std::ops::ControlFlow;

/// Reads events from bytes that may be cut anywhere.
///
/// Lines end with CRLF, LF, or CR; a byte order mark at the start is left out; `id`, `retry`, and
/// unknown fields are read over. An event that is not followed by a blank line never was.
#[derive(Debug)]
pub struct Events {
    /// Most bytes of one event, its unfinished line included.
    max_bytes: usize,
    /// A line of which the end is still to come.
    line: Vec<u8>,
    name: Vec<u8>,
    /// The lines of `data`, each with a line feed behind it.
    data: Vec<u8>,
    after_cr: bool,
    at_start: bool,
    fault: Option<SseFault>,
}

/// What stands in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An event.
    Event {
        /// Its name, empty for none.
        name: &'a str,
        /// Its data, lines joined by a line feed.
        data: &'a str,
    },
    /// A line that keeps the connection open.
    Comment,
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SseFault {
    /// An event is longer than allowed.
    #[error("an event of the stream is longer than the limit `max-event-bytes`")]
    TooLong,
    /// Bytes that are no UTF-8.
    #[error("the stream is no UTF-8")]
    InvalidUtf8,
}

impl Events {
    /// A reader of events of at most `max_bytes` bytes each.
    #[must_use]
    pub const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            after_cr: false,
            at_start: true,
            fault: None,
        }
    }

    /// Takes `bytes` in and calls `each` for everything that is complete, until it says to stop;
    /// what follows in `bytes` is then lost.
    ///
    /// # Errors
    /// When an event is too long or no UTF-8; every later call gives the same error.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> Result<(), SseFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let outcome = loop {
            if std::mem::take(&mut self.after_cr) {
                match bytes.split_first() {
                    Some((b'\n', rest)) => bytes = rest,
                    Some(_) => {}
                    None => {
                        self.after_cr = true;
                        break Ok(());
                    }
                }
            }
            let Some(at) = memchr::memchr2(b'\n', b'\r', bytes) else {
                break self.hold(bytes);
            };
            let (line, rest) = bytes.split_at(at);
            self.after_cr = rest.first() == Some(&b'\r');
            bytes = rest.get(1..).unwrap_or_default();
            let flow = if self.line.is_empty() {
                self.line(line, &mut each)
            } else {
                let held = self.hold(line).map(|()| std::mem::take(&mut self.line));
                held.and_then(|mut held| {
                    let flow = self.line(&held, &mut each);
                    held.clear();
                    self.line = held;
                    flow
                })
            };
            match flow {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break Ok(()),
                Err(fault) => break Err(fault),
            }
        };
        self.fault = outcome.err();
        outcome
    }

    /// Whether an event has begun that is not complete.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        !self.line.is_empty() || !self.data.is_empty()
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), SseFault> {
        self.fits(bytes.len())?;
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    const fn fits(&self, more: usize) -> Result<(), SseFault> {
        let held = self.line.len() + self.name.len() + self.data.len();
        if held.saturating_add(more) > self.max_bytes {
            return Err(SseFault::TooLong);
        }
        Ok(())
    }

    fn line(
        &mut self,
        line: &[u8],
        each: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, SseFault> {
        let line = match line.strip_prefix("\u{feff}".as_bytes()) {
            Some(rest) if self.at_start => rest,
            _ => line,
        };
        self.at_start = false;
        self.fits(line.len())?;
        if line.is_empty() {
            return self.dispatch(each);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(0) => return Ok(each(Item::Comment)),
            Some(at) => {
                let (field, value) = line.split_at(at);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match field {
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn dispatch(
        &mut self,
        each: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, SseFault> {
        let flow = match self.data.strip_suffix(b"\n") {
            None => ControlFlow::Continue(()),
            Some(data) => {
                let text = |bytes| std::str::from_utf8(bytes).map_err(|_| SseFault::InvalidUtf8);
                each(Item::Event {
                    name: text(&self.name)?,
                    data: text(data)?,
                })
            }
        };
        self.name.clear();
        self.data.clear();
        Ok(flow)
    }
}

/// Appends an event to `out`. An empty `name` is left out; line breaks in it end it.
pub fn write(out: &mut Vec<u8>, name: &str, data: &str) {
    write_name(out, name);
    for line in data.split('\n').flat_map(|line| line.split('\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// Appends the line that names an event, none for an empty `name`.
pub fn write_name(out: &mut Vec<u8>, name: &str) {
    let name = name.split(['\n', '\r']).next().unwrap_or_default();
    if !name.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
}

/// Appends a line that says nothing but keeps the connection open.
pub fn write_keep_alive(out: &mut Vec<u8>) {
    out.extend_from_slice(b": keep-alive\n\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Seen = Vec<Option<(String, String)>>;

    fn read(pieces: &[&[u8]], max_bytes: usize) -> (Seen, Result<(), SseFault>) {
        let mut events = Events::new(max_bytes);
        let mut seen = Vec::new();
        for piece in pieces {
            let outcome = events.push(piece, |item| {
                seen.push(match item {
                    Item::Event { name, data } => Some((name.to_owned(), data.to_owned())),
                    Item::Comment => None,
                });
                ControlFlow::Continue(())
            });
            if outcome.is_err() {
                return (seen, outcome);
            }
        }
        (seen, Ok(()))
    }

    fn check(stream: &str, expected: &[(&str, &str)]) {
        let (seen, outcome) = read(&[stream.as_bytes()], 1000);
        assert_eq!(outcome, Ok(()));
        let seen: Vec<_> = seen.into_iter().flatten().collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, data)| ((*name).to_owned(), (*data).to_owned()))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn reads_what_the_standard_says() {
        // The examples of section 9.2.6.
        check(
            "data: YHOO\ndata: +2\ndata: 10\n\n",
            &[("", "YHOO\n+2\n10")],
        );
        check(
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            &[
                ("", "first event"),
                ("", "second event"),
                ("", " third event"),
            ],
        );
        check("data\n\ndata\ndata\n\ndata:", &[("", ""), ("", "\n")]);
        check("data:test\n\ndata: test\n\n", &[("", "test"), ("", "test")]);
    }

    #[test]
    fn reads_every_end_of_line_names_and_a_byte_order_mark() {
        check(
            "\u{feff}event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\rdata: 3\n\n",
            &[("a", "1"), ("b", "2"), ("", "3")],
        );
        check("\u{feff}\u{feff}data: 1\n\n", &[]);
        check("event: lost\n\ndata: 1\n\n", &[("", "1")]);
        check("retry: 10\nwhatever: x\ndata: 1\n\n", &[("", "1")]);
    }

    #[test]
    fn an_event_without_a_blank_line_never_was() {
        check("data: 1\n", &[]);
        let mut events = Events::new(100);
        events
            .push(b"data: 1\n", |_| ControlFlow::Continue(()))
            .unwrap();
        assert!(events.is_inside());
    }

    #[test]
    fn long_events_and_broken_characters_are_refused_for_good() {
        let long = [b"data: ".as_slice(), &[b'x'; 100]].concat();
        assert_eq!(read(&[&long], 90).1, Err(SseFault::TooLong));
        assert_eq!(read(&[&long, b"\n\n"], 1000).1, Ok(()));
        let many = b"data: xxxxxxxxxx\n".repeat(10);
        assert_eq!(read(&[&many], 90).1, Err(SseFault::TooLong));
        assert_eq!(read(&[b"data: \xff\n\n"], 90).1, Err(SseFault::InvalidUtf8));
        let mut events = Events::new(90);
        let mut push = |bytes: &[u8]| events.push(bytes, |_| ControlFlow::Continue(()));
        assert_eq!(push(&long), Err(SseFault::TooLong));
        assert_eq!(push(b"\n\ndata: 1\n\n"), Err(SseFault::TooLong));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            stream in r"(\u{feff})?((data|event|id|:|dat)(: ?)?[aé€😀 ]{0,5}(\n|\r|\r\n){1,3}){0,12}",
            cuts in prop::collection::vec(0usize..400, 0..12),
        ) {
            let bytes = stream.as_bytes();
            let mut bounds: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            bounds.extend([0, bytes.len()]);
            bounds.sort_unstable();
            let pieces: Vec<&[u8]> = bounds.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(read(&pieces, 100), read(&[bytes], 100));
        }

        #[test]
        fn what_is_written_is_read(name in "[a-z.]{0,9}", data in "[a-zé \n]{0,30}") {
            let mut out = Vec::new();
            write(&mut out, &name, &data);
            write_keep_alive(&mut out);
            let (seen, _) = read(&[&out], 1000);
            prop_assert_eq!(seen, vec![Some((name, data)), None]);
        }
    }
}
