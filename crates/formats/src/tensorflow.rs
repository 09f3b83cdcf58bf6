use std::collections::BTreeSet;

use crate::{Message, ParseError, Source};

/// How many messages one file may hold.
const MAX_PARTS: u64 = 20_000_000;
/// How many bytes one name or note may have; Keras keeps a layer's configuration in one.
const MAX_TEXT: u64 = 16 << 20;

/// What a TensorFlow graph asks its runtime for: a `SavedModel`, a `MetaGraphDef`, a `GraphDef`, or
/// Keras' `SavedMetadata`.
///
/// Source: `tensorflow/core/protobuf/{saved_model,meta_graph,saved_object_graph}.proto`,
/// `tensorflow/core/framework/{graph,function,node_def}.proto`, `keras/protobuf/saved_metadata.proto`.
#[derive(Debug, Default)]
pub struct TensorFlow {
    /// Operators in use, in the graph and in its functions.
    pub operators: BTreeSet<String>,
    /// Functions that the file brings along; a node may call one by its name.
    pub functions: BTreeSet<String>,
    /// File names of assets.
    pub assets: BTreeSet<String>,
    /// What Keras noted about its objects, as JSON.
    pub notes: Vec<String>,
}

/// Which of the messages a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `saved_model.pb`.
    SavedModel,
    /// A checkpoint's `.meta`.
    MetaGraph,
    /// A frozen graph.
    Graph,
    /// `keras_metadata.pb`.
    KerasMetadata,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    SavedModel,
    MetaGraph,
    Graph,
    Node,
    Library,
    Function,
    Signature,
    Asset,
    Objects,
    Object,
    UserObject,
    KerasMetadata,
    KerasObject,
}

/// Which field of which message leads to which message.
#[rustfmt::skip]
const EDGES: &[(Kind, u32, Kind)] = &[
    (Kind::SavedModel, 2, Kind::MetaGraph),
    (Kind::MetaGraph, 2, Kind::Graph),
    (Kind::MetaGraph, 6, Kind::Asset),
    (Kind::MetaGraph, 7, Kind::Objects),
    (Kind::Graph, 1, Kind::Node),
    (Kind::Graph, 2, Kind::Library),
    (Kind::Library, 1, Kind::Function),
    (Kind::Function, 1, Kind::Signature),
    (Kind::Function, 3, Kind::Node),
    (Kind::Objects, 1, Kind::Object),
    (Kind::Object, 4, Kind::UserObject),
    (Kind::KerasMetadata, 1, Kind::KerasObject),
];

impl TensorFlow {
    /// Which message `source` is, if any.
    #[must_use]
    pub fn shape(source: &dyn Source) -> Option<Shape> {
        let whole = Message::new(source);
        let (mut version, mut counts) = (false, [0_u32; 8]);
        for field in whole.fields().take(1_000) {
            let field = field.ok()?;
            match (field.number, field.message()) {
                (1 | 3, None) => version = true,
                (number @ 1..=7, Some(_)) => *counts.get_mut(number as usize)? += 1,
                _ => return None,
            }
        }
        let first = |number: u32| {
            let mut fields = whole.fields().filter_map(Result::ok);
            fields.find(|field| field.number == number)?.message()
        };
        let is = |number: u32, test: fn(Message<'_>) -> bool| first(number).is_some_and(test);
        if version && counts[1] == 0 && is(2, is_meta_graph) {
            return Some(Shape::SavedModel);
        }
        if counts[2] > 0 && !version && is_meta_graph(whole) {
            return Some(Shape::MetaGraph);
        }
        if is(1, is_keras_object) {
            return Some(Shape::KerasMetadata);
        }
        is(1, is_node).then_some(Shape::Graph)
    }

    /// Walks the file.
    ///
    /// # Errors
    /// When a message is broken or a bound is reached.
    pub fn read(source: &dyn Source, shape: Shape) -> Result<Self, ParseError> {
        let kind = match shape {
            Shape::SavedModel => Kind::SavedModel,
            Shape::MetaGraph => Kind::MetaGraph,
            Shape::Graph => Kind::Graph,
            Shape::KerasMetadata => Kind::KerasMetadata,
        };
        let mut found = Self::default();
        let mut queue = vec![(kind, Message::new(source))];
        let mut parts = 0;
        while let Some((kind, message)) = queue.pop() {
            parts += 1;
            if parts > MAX_PARTS {
                return Err(ParseError::Exhausted {
                    limit: "tensorflow parts",
                    max: MAX_PARTS,
                });
            }
            for field in message.fields() {
                let field = field?;
                let Some(inner) = field.message() else {
                    continue;
                };
                let edge = |edge: &&(Kind, u32, Kind)| (edge.0, edge.1) == (kind, field.number);
                if let Some((_, _, next)) = EDGES.iter().find(edge) {
                    queue.push((*next, inner));
                    continue;
                }
                match (kind, field.number) {
                    (Kind::Node, 2) => {
                        found.operators.insert(inner.text(MAX_TEXT)?);
                    }
                    (Kind::Signature, 1) => {
                        found.functions.insert(inner.text(MAX_TEXT)?);
                    }
                    (Kind::Asset, 2) => {
                        found.assets.insert(inner.text(MAX_TEXT)?);
                    }
                    (Kind::UserObject, 3) | (Kind::KerasObject, 5) => {
                        found.notes.push(inner.text(MAX_TEXT)?);
                    }
                    _ => {}
                }
            }
        }
        Ok(found)
    }
}

/// Whether a payload is printable text, as names are.
fn is_text(message: Message<'_>) -> bool {
    message.len() <= 4 << 10
        && message
            .bytes(4 << 10)
            .is_ok_and(|bytes| !bytes.is_empty() && bytes.iter().all(|b| (0x20..0x7F).contains(b)))
}

fn all_fields(message: Message<'_>, test: impl Fn(u32, Option<Message<'_>>) -> bool) -> bool {
    message
        .fields()
        .take(64)
        .all(|field| field.is_ok_and(|field| test(field.number, field.message())))
}

fn is_meta_graph(message: Message<'_>) -> bool {
    let graph = message.fields().filter_map(Result::ok).any(
        |field| matches!((field.number, field.message()), (2, Some(graph)) if is_graph(graph)),
    );
    graph && all_fields(message, |number, inner| inner.is_some() && number <= 7)
}

fn is_graph(message: Message<'_>) -> bool {
    all_fields(message, |number, inner| match (number, inner) {
        (1, Some(node)) => is_node(node),
        (2 | 4 | 5, Some(_)) | (3, None) => true,
        _ => false,
    })
}

/// `NodeDef`: a name and an operator, both text.
fn is_node(message: Message<'_>) -> bool {
    let operator = message
        .fields()
        .filter_map(Result::ok)
        .any(|field| field.number == 2 && field.message().is_some_and(is_text));
    operator
        && all_fields(message, |number, inner| match (number, inner) {
            (1..=4, Some(text)) => is_text(text) || text.is_empty(),
            (5..=7, Some(_)) => true,
            _ => false,
        })
}

fn is_keras_object(message: Message<'_>) -> bool {
    let noted = message.fields().filter_map(Result::ok).any(|field| {
        field.number == 4
            && field
                .message()
                .and_then(|text| text.text(256).ok())
                .is_some_and(|text| text.starts_with("_tf_keras_"))
    });
    noted && all_fields(message, |number, _| (2..=6).contains(&number))
}
