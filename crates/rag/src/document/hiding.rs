use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

/// What keeps a passage from readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hiding {
    /// A style or attribute that takes it off the page: `display: none`, `hidden`, `aria-hidden`,
    /// `w:vanish`, invisible rendering.
    Style,
    /// The colour of its background, or transparent.
    Colour,
    /// Letters or a box too small to read.
    Size,
    /// Off the page, clipped, or painted over.
    Position,
    /// A comment.
    Comment,
    /// Metadata: `meta`, document properties, mail headers, front matter.
    Metadata,
    /// Text in place of something: `alt`, `title`, labels, a mail's other version.
    Alternative,
    /// An element that is not rendered: `noscript`, `template`.
    Element,
    /// Code and style sheets. Dropped, and not judged as prose.
    Code,
    /// Characters that nobody sees: tag characters, variation selectors, zero width.
    Characters,
    /// Deleted text that the file still holds.
    Revision,
}

impl Hiding {
    /// Every way to hide.
    pub const ALL: [Self; 11] = [
        Self::Style,
        Self::Colour,
        Self::Size,
        Self::Position,
        Self::Comment,
        Self::Metadata,
        Self::Alternative,
        Self::Element,
        Self::Code,
        Self::Characters,
        Self::Revision,
    ];

    /// The name used in output, e.g. `colour`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.line().0
    }

    /// The rule of a passage that is hidden so.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        self.line().1
    }

    /// Whether hiding text so serves no reader at all, so that it is worth a look by itself.
    #[must_use]
    pub const fn is_odd(self) -> bool {
        matches!(
            self,
            Self::Colour | Self::Size | Self::Position | Self::Characters
        )
    }

    /// Whether what it says is judged; code is dropped and judged by nobody.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        !matches!(self, Self::Code)
    }

    fn line(self) -> (&'static str, &'static Rule) {
        match self {
            Self::Style => ("style", &HIDDEN_STYLE),
            Self::Colour => ("colour", &HIDDEN_COLOUR),
            Self::Size => ("size", &HIDDEN_SIZE),
            Self::Position => ("position", &HIDDEN_POSITION),
            Self::Comment => ("comment", &HIDDEN_COMMENT),
            Self::Metadata => ("metadata", &HIDDEN_METADATA),
            Self::Alternative => ("alternative", &HIDDEN_ALTERNATIVE),
            Self::Element => ("element", &HIDDEN_ELEMENT),
            Self::Code => ("code", &HIDDEN_CODE),
            Self::Characters => ("characters", &HIDDEN_CHARACTERS),
            Self::Revision => ("revision", &HIDDEN_REVISION),
        }
    }
}

const REFS: &[Cow<'static, str>] = &[
    Cow::Borrowed("LLM01:2025"),
    Cow::Borrowed("LLM08:2025"),
    Cow::Borrowed("AML.T0051.001"),
    Cow::Borrowed("CWE-451"),
];

const fn hidden(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    why: &'static str,
) -> Rule {
    let fix = "Index the safe text, which leaves it out; look at the passage before you trust the source.";
    Rule::new(
        id,
        title,
        severity,
        Category::Obfuscation,
        REFS,
        [why, fix],
        None,
    )
}

/// Text taken off the page by a style.
pub(super) static HIDDEN_STYLE: Rule = hidden(
    "rag.hidden-style",
    "text that a style or attribute takes off the page",
    Severity::Info,
    "A reader of the page does not see it, and a model that is given the file does. Menus and dialogs are hidden so, too.",
);
/// Text in the colour of its background.
pub(super) static HIDDEN_COLOUR: Rule = hidden(
    "rag.hidden-colour",
    "text in the colour of its background",
    Severity::Medium,
    "White on white serves no reader; it is how instructions to models are put into CVs, papers, and pages.",
);
/// Text too small to read.
pub(super) static HIDDEN_SIZE: Rule = hidden(
    "rag.hidden-size",
    "text too small to read",
    Severity::Medium,
    "Letters of a point or a box without area serve no reader, and a model reads them like any others.",
);
/// Text off the page.
pub(super) static HIDDEN_POSITION: Rule = hidden(
    "rag.hidden-position",
    "text off the page, clipped, or painted over",
    Severity::Low,
    "It stands where nobody looks. Screen readers have a use for it, and so have those who address models.",
);
/// A comment.
pub(super) static HIDDEN_COMMENT: Rule = hidden(
    "rag.hidden-comment",
    "text in a comment",
    Severity::Info,
    "Comments are for authors. A model that is given the source reads them as text.",
);
/// Metadata.
pub(super) static HIDDEN_METADATA: Rule = hidden(
    "rag.hidden-metadata",
    "text in metadata",
    Severity::Info,
    "Properties and headers are filled in by whoever made the file, and shown to nobody.",
);
/// Text in place of something.
pub(super) static HIDDEN_ALTERNATIVE: Rule = hidden(
    "rag.hidden-alternative",
    "text that stands in for something else",
    Severity::Info,
    "Descriptions of pictures, titles of links, and the plain version of a mail are read by few, and by models.",
);
/// An element that is not rendered.
pub(super) static HIDDEN_ELEMENT: Rule = hidden(
    "rag.hidden-element",
    "text in an element that is not shown",
    Severity::Info,
    "Browsers do not render `noscript`, `template`, and their like.",
);
/// Code.
pub(super) static HIDDEN_CODE: Rule = hidden(
    "rag.hidden-code",
    "a script or a style sheet",
    Severity::Info,
    "It does something in a browser and says nothing to a reader.",
);
/// Characters that nobody sees.
pub(super) static HIDDEN_CHARACTERS: Rule = hidden(
    "rag.hidden-characters",
    "a message in characters that nobody sees",
    Severity::High,
    "Tag characters and runs of variation selectors have no use in a document; tokenizers read them as letters.",
);
/// Deleted text.
pub(super) static HIDDEN_REVISION: Rule = hidden(
    "rag.hidden-revision",
    "deleted text that the file still holds",
    Severity::Low,
    "What was struck out is no longer what the document says, and may be what its author took back.",
);
/// Hidden text that speaks to a model.
pub static HIDDEN_INSTRUCTION: Rule = Rule::new(
    "rag.hidden-instruction",
    "hidden text that gives orders to a model",
    Severity::High,
    Category::Injection,
    REFS,
    [
        "Text that no reader sees and that speaks to a model was put there for the model.",
        "Refuse the document and its source until somebody has looked at it.",
    ],
    None,
);
