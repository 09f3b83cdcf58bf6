//! A page as a browser's parser builds it (WHATWG HTML, section 13.2), with places in its source.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use bartizan_core::CheckError;
use html5ever::{
    Attribute, ExpandedName, ParseOpts, QualName,
    interface::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    local_name, ns, parse_document,
    tendril::{StrTendril, TendrilSink as _},
    tokenizer::TokenizerOpts,
    tree_builder::TreeBuilderOpts,
};

/// Levels of nesting, as in browsers: Blink and WebKit stop at 512, too.
const MAX_DEPTH: usize = 512;

/// A node of the page.
pub(super) type Handle = Rc<Node>;

/// A node, and where it stands in the source.
pub(super) struct Node {
    pub(super) data: Data,
    /// The source that the parser had read for it: the tag, or the text.
    pub(super) range: Cell<(usize, usize)>,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Handle>>,
    depth: Cell<usize>,
}

/// What a node is.
pub(super) enum Data {
    /// The page, or what a template holds.
    Document,
    /// An element.
    Element {
        name: QualName,
        attributes: RefCell<Vec<Attribute>>,
        template: Option<Handle>,
        annotation: bool,
    },
    /// Text; pieces with their places, in order.
    Text(RefCell<Vec<TextPiece>>),
    /// A comment.
    Comment(String),
}

/// A piece of a text and the source from which it came.
#[derive(Clone, Debug)]
pub(super) struct TextPiece {
    pub(super) text: String,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_exact: bool,
}

impl Node {
    /// Its children, in order; of a template, what it holds.
    pub(super) fn children(&self) -> Vec<Handle> {
        let mut children = self.children.borrow().clone();
        if let Data::Element {
            template: Some(inner),
            ..
        } = &self.data
        {
            children.extend(inner.children.borrow().iter().cloned());
        }
        children
    }

    pub(super) fn parent(&self) -> Option<Handle> {
        self.parent.borrow().upgrade()
    }

    /// Its name without the namespace; empty for what is no element.
    pub(super) fn name(&self) -> &str {
        match &self.data {
            Data::Element { name, .. } => &name.local,
            _ => "",
        }
    }

    pub(super) const fn is_element(&self) -> bool {
        matches!(self.data, Data::Element { .. })
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, wanted: &str) -> Option<String> {
        let Data::Element { attributes, .. } = &self.data else {
            return None;
        };
        let attributes = attributes.borrow();
        let found = attributes.iter().find(|a| &*a.name.local == wanted)?;
        Some(found.value.to_string())
    }

    /// Every attribute with its value.
    pub(super) fn attributes(&self) -> Vec<(String, String)> {
        let Data::Element { attributes, .. } = &self.data else {
            return Vec::new();
        };
        let attributes = attributes.borrow();
        let pairs = attributes.iter();
        pairs
            .map(|a| (a.name.local.to_string(), a.value.to_string()))
            .collect()
    }

    fn take_template(&mut self) -> Option<Handle> {
        match &mut self.data {
            Data::Element { template, .. } => template.take(),
            _ => None,
        }
    }

    /// The text within, children of children included.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut open = self.children();
        open.reverse();
        while let Some(node) = open.pop() {
            if let Data::Text(pieces) = &node.data {
                out.extend(pieces.borrow().iter().map(|piece| piece.text.as_str()));
            }
            open.extend(node.children().into_iter().rev());
        }
        out
    }
}

impl Drop for Node {
    /// Without recursion: misnested tags can nest a page deeper than its tags are.
    fn drop(&mut self) {
        let mut open = std::mem::take(&mut *self.children.borrow_mut());
        open.extend(self.take_template());
        while let Some(node) = open.pop() {
            // What somebody else still holds goes with its last holder.
            if let Some(mut node) = Rc::into_inner(node) {
                open.append(&mut node.children.borrow_mut());
                open.extend(node.take_template());
            }
        }
    }
}

/// Builds the page of `source`; what stops the parser stands beside what it had built by then.
pub(super) fn parse(source: &str) -> (Handle, Option<CheckError>) {
    let at = Rc::new(Cell::new(At::default()));
    let builder = Builder {
        document: node(Data::Document, (0, 0)),
        source,
        at: Rc::clone(&at),
        deepest: Cell::new(0),
        made: Cell::new(0),
        nameless: QualName::new(None, ns!(html), local_name!("html")),
    };
    let options = ParseOpts {
        tokenizer: TokenizerOpts {
            discard_bom: false,
            ..TokenizerOpts::default()
        },
        tree_builder: TreeBuilderOpts {
            scripting_enabled: true,
            drop_doctype: true,
            ..TreeBuilderOpts::default()
        },
    };
    let mut parser = parse_document(builder, options);
    // A tag cannot make more than one node, but the parser copies formatting elements into every
    // block, which grows as the square of the input.
    let most = source.len().saturating_add(1000);
    for (start, end) in pieces(source) {
        at.set(At {
            before: at.get().start,
            start,
            end,
        });
        parser.process(StrTendril::from_slice(
            source.get(start..end).unwrap_or_default(),
        ));
        let builder = &parser.tokenizer.sink.sink;
        let stopped = if builder.deepest.get() > MAX_DEPTH {
            Some(("max-depth", MAX_DEPTH))
        } else if builder.made.get() > most {
            Some(("max-nodes", most))
        } else {
            None
        };
        if let Some((limit, reached)) = stopped {
            let document = Rc::clone(&builder.document);
            let at = reached as u64;
            return (document, Some(CheckError::Exhausted { limit, at }));
        }
    }
    (parser.finish(), None)
}

/// Where the parser reads.
#[derive(Clone, Copy, Default)]
struct At {
    before: usize,
    start: usize,
    end: usize,
}

/// Cuts before every `<` and after every `>`, so that what the parser makes of a piece stands there.
fn pieces(source: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, byte) in source.bytes().enumerate() {
        let cut = match byte {
            b'<' => at,
            b'>' => at + 1,
            _ => continue,
        };
        if cut > start {
            out.push((start, cut));
            start = cut;
        }
    }
    if start < source.len() {
        out.push((start, source.len()));
    }
    out
}

fn node(data: Data, range: (usize, usize)) -> Handle {
    Rc::new(Node {
        data,
        range: Cell::new(range),
        parent: RefCell::new(Weak::new()),
        children: RefCell::new(Vec::new()),
        depth: Cell::new(0),
    })
}

struct Builder<'s> {
    document: Handle,
    source: &'s str,
    at: Rc<Cell<At>>,
    deepest: Cell<usize>,
    made: Cell<usize>,
    /// What the parser is told about nodes that are no elements.
    nameless: QualName,
}

impl Builder<'_> {
    fn make(&self, data: Data) -> Handle {
        self.made.set(self.made.get() + 1);
        let At { start, end, .. } = self.at.get();
        node(data, (start, end))
    }

    fn piece(&self, text: &str) -> TextPiece {
        let At { before, start, end } = self.at.get();
        let is_exact = self.source.get(start..end) == Some(text);
        TextPiece {
            text: text.to_owned(),
            // Text that the parser held back stands further up.
            start: if is_exact { start } else { before },
            end,
            is_exact,
        }
    }

    fn adopt(&self, parent: &Handle, child: &Handle) {
        *child.parent.borrow_mut() = Rc::downgrade(parent);
        child.depth.set(parent.depth.get() + 1);
        self.deepest
            .set(self.deepest.get().max(parent.depth.get() + 1));
    }

    fn insert(&self, parent: &Handle, at: usize, child: NodeOrText<Handle>) {
        let child = match child {
            NodeOrText::AppendText(text) => {
                let piece = self.piece(&text);
                let before = at.checked_sub(1);
                let before = before.and_then(|at| parent.children.borrow().get(at).cloned());
                if let Some(Data::Text(pieces)) = before.as_ref().map(|node| &node.data) {
                    pieces.borrow_mut().push(piece);
                    return;
                }
                self.make(Data::Text(RefCell::new(vec![piece])))
            }
            NodeOrText::AppendNode(node) => {
                self.remove_from_parent(&node);
                node
            }
        };
        self.adopt(parent, &child);
        let mut children = parent.children.borrow_mut();
        let at = at.min(children.len());
        children.insert(at, child);
    }
}

impl<'s> TreeSink for Builder<'s> {
    type Handle = Handle;
    type Output = Handle;
    type ElemName<'a>
        = ExpandedName<'a>
    where
        's: 'a;

    fn finish(self) -> Handle {
        self.document
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Rc::clone(&self.document)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        match &target.data {
            Data::Element { name, .. } => name.expanded(),
            _ => self.nameless.expanded(),
        }
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> Handle {
        let template = flags.template.then(|| self.make(Data::Document));
        self.make(Data::Element {
            name,
            attributes: RefCell::new(attributes),
            template,
            annotation: flags.mathml_annotation_xml_integration_point,
        })
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        self.make(Data::Comment(text.to_string()))
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        self.make(Data::Comment(format!("{target} {data}")))
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let at = parent.children.borrow().len();
        self.insert(parent, at, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        if element.parent().is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        match &target.data {
            Data::Element {
                template: Some(inner),
                ..
            } => {
                inner.depth.set(target.depth.get());
                Rc::clone(inner)
            }
            _ => Rc::clone(target),
        }
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        Rc::ptr_eq(one, other)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let Some(parent) = sibling.parent() else {
            return;
        };
        if let NodeOrText::AppendNode(node) = &child {
            self.remove_from_parent(node);
        }
        // From the end: the sibling is the table that was opened last.
        let at = parent
            .children
            .borrow()
            .iter()
            .rposition(|node| Rc::ptr_eq(node, sibling));
        self.insert(&parent, at.unwrap_or_default(), child);
    }

    fn add_attrs_if_missing(&self, target: &Handle, new: Vec<Attribute>) {
        let Data::Element { attributes, .. } = &target.data else {
            return;
        };
        let mut attributes = attributes.borrow_mut();
        for attribute in new {
            if !attributes.iter().any(|known| known.name == attribute.name) {
                attributes.push(attribute);
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        let Some(parent) = target.parent() else {
            return;
        };
        let mut children = parent.children.borrow_mut();
        if let Some(at) = children.iter().rposition(|node| Rc::ptr_eq(node, target)) {
            children.remove(at);
        }
        *target.parent.borrow_mut() = Weak::new();
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let moved: Vec<Handle> = node.children.borrow_mut().drain(..).collect();
        for child in moved {
            self.adopt(new_parent, &child);
            new_parent.children.borrow_mut().push(child);
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        matches!(
            target.data,
            Data::Element {
                annotation: true,
                ..
            }
        )
    }
}
