use std::ops::ControlFlow;

use crate::{
    input::Input,
    wire::sse::{Events, Item, SseFault, write},
};

/// Server-Sent Events: however the bytes are cut, the same events are read; what is written is read
/// as it was. The first line says how the rest is cut.
pub fn sse(data: &[u8]) {
    let mut input = Input::new(data);
    let cuts = input.line();
    let stream = input.rest();
    let (whole, outcome) = read(&[stream]);
    assert_eq!(
        read(&pieces(stream, cuts)),
        (whole.clone(), outcome),
        "the events depend on the cuts"
    );
    let mut written = Vec::new();
    for (name, data) in &whole {
        write(&mut written, name, data);
    }
    let (again, outcome) = read(&[&written]);
    assert_eq!((again, outcome), (whole, Ok(())), "an event changed");
}

/// `stream` in pieces as long as `cuts` says.
pub(super) fn pieces<'a>(stream: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = stream;
    for cut in cuts.iter().take(32) {
        let (piece, after) = rest.split_at(usize::from(*cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

type Seen = (Vec<(String, String)>, Result<(), SseFault>);

fn read(pieces: &[&[u8]]) -> Seen {
    let mut events = Events::new(1 << 16);
    let mut seen = Vec::new();
    for piece in pieces {
        let outcome = events.push(piece, |item| {
            if let Item::Event { name, data } = item {
                seen.push((name.to_owned(), data.to_owned()));
            }
            ControlFlow::Continue(())
        });
        if outcome.is_err() {
            return (seen, outcome);
        }
    }
    (seen, Ok(()))
}
