use std::collections::BTreeSet;

use crate::{Field, Message, ParseError, Source};

/// How many nodes, tensors, and attributes one model may hold.
const MAX_PARTS: u64 = 20_000_000;
/// How many bytes one name or path may have.
const MAX_TEXT: u64 = 1 << 20;

/// What an ONNX model asks its runtime for.
///
/// Source: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>; field numbers are its own.
#[derive(Debug, Default)]
pub struct Onnx {
    /// Operators in use as domain and name, in graphs, subgraphs, and functions.
    pub operators: BTreeSet<(String, String)>,
    /// Functions that the model brings along, as domain and name.
    pub functions: BTreeSet<(String, String)>,
    /// Files beside the model that tensors are read from.
    pub external: BTreeSet<String>,
    /// Keys and values of the model's own notes.
    pub metadata: Vec<(String, String)>,
    /// Whether a tensor claims another size than the bytes that it brings.
    pub lying_tensor: bool,
}

/// The kinds of messages that the walk goes through.
#[derive(Clone, Copy)]
enum Kind {
    Graph,
    Node,
    Attribute,
    Tensor,
    Sparse,
    Function,
    Training,
}

impl Onnx {
    /// Whether `source` is such a model: only fields that one has, and a graph or functions; or one
    /// tensor alone.
    #[must_use]
    pub fn is(source: &dyn Source) -> bool {
        if is_tensor(source) {
            return true;
        }
        let mut version = false;
        let mut graph = false;
        for field in Message::new(source).fields().take(100_000) {
            let Ok(field) = field else { return false };
            match (field.number, field.message()) {
                (1, None) => version = matches!(field.varint(), Some(1..=64)),
                (5, None) => {}
                (7, Some(message)) => graph |= is_graph(message),
                (25, Some(_)) => graph = true,
                (2..=4 | 6 | 8 | 14 | 20, Some(_)) => {}
                _ => return false,
            }
        }
        version && graph
    }

    /// Walks the model.
    ///
    /// # Errors
    /// When a message is broken or a bound is reached.
    pub fn read(source: &dyn Source) -> Result<Self, ParseError> {
        let mut onnx = Self::default();
        if is_tensor(source) {
            onnx.tensor(Message::new(source))?;
            return Ok(onnx);
        }
        let mut queue = Vec::new();
        for field in Message::new(source).fields() {
            let field = field?;
            let Some(message) = field.message() else {
                continue;
            };
            match field.number {
                7 => queue.push((Kind::Graph, message)),
                14 => onnx.metadata.push(pair(message)?),
                20 => queue.push((Kind::Training, message)),
                25 => queue.push((Kind::Function, message)),
                _ => {}
            }
        }
        let mut parts = 0;
        while let Some((kind, message)) = queue.pop() {
            parts += 1;
            if parts > MAX_PARTS {
                return Err(ParseError::Exhausted {
                    limit: "onnx parts",
                    max: MAX_PARTS,
                });
            }
            onnx.part(kind, message, &mut queue)?;
        }
        Ok(onnx)
    }

    fn part<'a>(
        &mut self,
        kind: Kind,
        message: Message<'a>,
        queue: &mut Vec<(Kind, Message<'a>)>,
    ) -> Result<(), ParseError> {
        if let Kind::Tensor = kind {
            return self.tensor(message);
        }
        let (mut domain, mut name) = (String::new(), String::new());
        for field in message.fields() {
            let field = field?;
            let Some(inner) = field.message() else {
                continue;
            };
            let next = match (kind, field.number) {
                (Kind::Graph, 1) | (Kind::Function, 7) => Kind::Node,
                (Kind::Graph, 5) | (Kind::Attribute, 5 | 10) | (Kind::Sparse, 1 | 2) => {
                    Kind::Tensor
                }
                (Kind::Graph, 15) | (Kind::Attribute, 22 | 23) => Kind::Sparse,
                (Kind::Node, 5) | (Kind::Function, 11) => Kind::Attribute,
                (Kind::Attribute, 6 | 11) | (Kind::Training, 1 | 2) => Kind::Graph,
                (Kind::Node, 7) | (Kind::Function, 10) => {
                    domain = inner.text(MAX_TEXT)?;
                    continue;
                }
                (Kind::Node, 4) | (Kind::Function, 1) => {
                    name = inner.text(MAX_TEXT)?;
                    continue;
                }
                _ => continue,
            };
            queue.push((next, inner));
        }
        match kind {
            Kind::Node => {
                self.operators.insert((domain, name));
            }
            Kind::Function => {
                self.functions.insert((domain, name));
            }
            _ => {}
        }
        Ok(())
    }

    fn tensor(&mut self, message: Message<'_>) -> Result<(), ParseError> {
        let (mut kind, mut count, mut raw) = (0, Some(1_u64), None);
        let mut elsewhere = false;
        for field in message.fields() {
            let field: Field<'_> = field?;
            match (field.number, field.message()) {
                (1, None) => count = multiply(count, field.varint()),
                (1, Some(packed)) => {
                    for side in numbers(packed)? {
                        count = multiply(count, Some(side));
                    }
                }
                (2, None) => kind = field.varint().unwrap_or(0),
                (9, Some(bytes)) => raw = Some(bytes.len()),
                (13, Some(entry)) => {
                    let (key, value) = pair(entry)?;
                    elsewhere = true;
                    if key == "location" {
                        self.external.insert(value);
                    }
                }
                (14, None) => elsewhere |= field.varint() == Some(1),
                _ => {}
            }
        }
        let bits = usize::try_from(kind).ok().and_then(|kind| BITS.get(kind));
        if let (Some(raw), Some(bits), false) = (raw, bits, elsewhere) {
            let size = count.and_then(|count| count.checked_mul(*bits));
            let size = size.map(|bits| bits.div_ceil(8));
            self.lying_tensor |= *bits != 0 && size != Some(raw);
        }
        Ok(())
    }
}

/// Bits of one element by `TensorProto.DataType`; 0 for what has no fixed size.
const BITS: &[u64] = &[
    0, 32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64, 128, 16, 8, 8, 8, 8, 4, 4, 4, 8, 2, 2,
];

/// A `TensorProto` alone, as test data are stored: a type, and data or where they are.
fn is_tensor(source: &dyn Source) -> bool {
    let (mut kind, mut data) = (false, false);
    for field in Message::new(source).fields().take(100_000) {
        let Ok(field) = field else { return false };
        match (field.number, field.message()) {
            (1, _) | (8 | 12, Some(_)) => {}
            (2, None) => kind = matches!(field.varint(), Some(1..=26)),
            (4..=7 | 9..=11, _) | (13, Some(_)) => data = true,
            (14, None) => {}
            _ => return false,
        }
    }
    kind && data
}

/// A graph has a node, a name, or a value among its first fields, and nothing that is no message.
fn is_graph(message: Message<'_>) -> bool {
    message.is_empty()
        || message.fields().take(64).all(|field| {
            field.is_ok_and(|field| {
                field.message().is_some() && matches!(field.number, 1 | 2 | 5 | 10..=16)
            })
        })
}

fn multiply(count: Option<u64>, side: Option<u64>) -> Option<u64> {
    count?.checked_mul(side?)
}

/// Packed varints.
fn numbers(packed: Message<'_>) -> Result<Vec<u64>, ParseError> {
    let mut numbers = Vec::new();
    let (mut number, mut shift) = (0_u64, 0);
    for byte in packed.bytes(1 << 10)? {
        number |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            numbers.push(number);
            (number, shift) = (0, 0);
        }
    }
    Ok(numbers)
}

/// A `StringStringEntryProto`.
fn pair(message: Message<'_>) -> Result<(String, String), ParseError> {
    let (mut key, mut value) = (String::new(), String::new());
    for field in message.fields() {
        let field = field?;
        match (field.number, field.message()) {
            (1, Some(text)) => key = text.text(MAX_TEXT)?,
            (2, Some(text)) => value = text.text(MAX_TEXT)?,
            _ => {}
        }
    }
    Ok((key, value))
}
