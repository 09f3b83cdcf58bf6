//! Selectors (Selectors 4): those that bear on which elements a sheet hides.

use super::{
    sheet::split_outside,
    tree::{Handle, Node},
};

/// Compounds with what stands between them, last first.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    compounds: Vec<(Combinator, Compound)>,
    /// Ids, classes with attributes and pseudo-classes, and types (section 17).
    pub(super) specificity: [u32; 3],
}

/// How a compound is joined to the one on its left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Combinator {
    Descendant,
    Child,
    Next,
    Later,
}

#[derive(Clone, Debug, Default)]
struct Compound(Vec<Simple>);

#[derive(Clone, Debug)]
enum Simple {
    Type(String),
    Id(String),
    Class(String),
    Attribute {
        name: String,
        operator: char,
        value: Option<String>,
    },
    /// Any, or none, of these.
    Any {
        of: Vec<Selector>,
        negated: bool,
    },
    /// Place among the siblings: `step * n + offset`, from the front or the back.
    Nth {
        step: i64,
        offset: i64,
        from_end: bool,
    },
    Root,
    Never,
}

/// The selectors of a list that stand for elements of the page at rest; those of pseudo-elements
/// and of what only a hand or a mouse brings about are left out.
pub(super) fn selectors(list: &str) -> Vec<Selector> {
    split_outside(list, ',')
        .into_iter()
        .filter_map(|text| Selector::parse(text, 0))
        .collect()
}

impl Selector {
    fn parse(text: &str, depth: usize) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > 2048 || depth > 4 || text.contains("::") {
            return None;
        }
        let mut reader = Reader {
            chars: text.chars().peekable(),
            depth,
        };
        let mut compounds = Vec::new();
        let mut specificity = [0; 3];
        let mut combinator = Combinator::Descendant;
        loop {
            let compound = reader.compound()?;
            for simple in &compound.0 {
                let [ids, classes, types] = &mut specificity;
                match simple {
                    Simple::Id(_) => *ids += 1,
                    Simple::Type(_) => *types += 1,
                    _ => *classes += 1,
                }
            }
            compounds.push((combinator, compound));
            match reader.combinator() {
                Some(next) => combinator = next,
                None => break,
            }
        }
        compounds.reverse();
        Some(Self {
            compounds,
            specificity,
        })
    }

    /// What an element must have for the selector to stand a chance: its index among many.
    pub(super) fn key(&self) -> String {
        let Some((_, last)) = self.compounds.first() else {
            return String::new();
        };
        let of = |simple: &Simple| match simple {
            Simple::Id(id) => Some(format!("#{id}")),
            Simple::Class(class) => Some(format!(".{class}")),
            Simple::Type(name) => Some(name.clone()),
            _ => None,
        };
        last.0.iter().find_map(of).unwrap_or_default()
    }

    /// Whether it stands for `element`; spends `budget` on every element that it looks at.
    pub(super) fn matches(&self, element: &Handle, budget: &mut u64) -> bool {
        self.matches_from(0, element, budget)
    }

    fn matches_from(&self, at: usize, element: &Handle, budget: &mut u64) -> bool {
        let Some(left) = budget.checked_sub(1) else {
            return false;
        };
        *budget = left;
        let Some((combinator, compound)) = self.compounds.get(at) else {
            return true;
        };
        if !compound.matches(element, budget) {
            return false;
        }
        let at = at + 1;
        if at >= self.compounds.len() {
            return true;
        }
        match combinator {
            Combinator::Child => element
                .parent()
                .is_some_and(|parent| self.matches_from(at, &parent, budget)),
            Combinator::Descendant => {
                let mut next = element.parent();
                while let Some(ancestor) = next {
                    if self.matches_from(at, &ancestor, budget) {
                        return true;
                    }
                    next = ancestor.parent();
                }
                false
            }
            Combinator::Next | Combinator::Later => {
                let before = before(element);
                *budget = budget.saturating_sub(before.len() as u64);
                let take = if *combinator == Combinator::Next {
                    1
                } else {
                    before.len()
                };
                before
                    .iter()
                    .rev()
                    .take(take)
                    .any(|sibling| self.matches_from(at, sibling, budget))
            }
        }
    }
}

/// The elements before `element` that have its parent.
fn before(element: &Handle) -> Vec<Handle> {
    let siblings = siblings(element);
    let place = siblings
        .iter()
        .position(|node| std::rc::Rc::ptr_eq(node, element));
    siblings
        .into_iter()
        .take(place.unwrap_or_default())
        .collect()
}

fn siblings(element: &Handle) -> Vec<Handle> {
    let parent = element.parent();
    let children = parent.map(|parent| parent.children()).unwrap_or_default();
    children
        .into_iter()
        .filter(|node| node.is_element())
        .collect()
}

impl Compound {
    fn matches(&self, element: &Handle, budget: &mut u64) -> bool {
        element.is_element() && self.0.iter().all(|simple| simple.matches(element, budget))
    }
}

impl Simple {
    fn matches(&self, element: &Handle, budget: &mut u64) -> bool {
        match self {
            Self::Type(name) => name == "*" || element.name().eq_ignore_ascii_case(name),
            Self::Id(id) => element.attribute("id").is_some_and(|value| value == *id),
            Self::Class(class) => has_class(element, class),
            Self::Attribute {
                name,
                operator,
                value,
            } => element
                .attribute(name)
                .is_some_and(|have| attribute_matches(&have, *operator, value.as_deref())),
            Self::Any { of, negated } => {
                of.iter().any(|selector| selector.matches(element, budget)) != *negated
            }
            Self::Nth {
                step,
                offset,
                from_end,
            } => {
                let siblings = siblings(element);
                *budget = budget.saturating_sub(siblings.len() as u64);
                let place = siblings
                    .iter()
                    .position(|node| std::rc::Rc::ptr_eq(node, element));
                let place = place.unwrap_or_default();
                let place = if *from_end {
                    siblings.len() - place
                } else {
                    place + 1
                };
                let difference = i64::try_from(place).unwrap_or(i64::MAX) - offset;
                match step {
                    0 => difference == 0,
                    step => difference % step == 0 && difference / step >= 0,
                }
            }
            Self::Root => element.name() == "html",
            Self::Never => false,
        }
    }
}

pub(super) fn has_class(element: &Node, class: &str) -> bool {
    element
        .attribute("class")
        .is_some_and(|value| value.split_ascii_whitespace().any(|have| have == class))
}

/// Selectors 4, section 6.
fn attribute_matches(have: &str, operator: char, value: Option<&str>) -> bool {
    let Some(value) = value else {
        return true;
    };
    match operator {
        '^' => !value.is_empty() && have.starts_with(value),
        '$' => !value.is_empty() && have.ends_with(value),
        '*' => !value.is_empty() && have.contains(value),
        '~' => have.split_ascii_whitespace().any(|word| word == value),
        '|' => {
            have == value
                || have
                    .strip_prefix(value)
                    .is_some_and(|rest| rest.starts_with('-'))
        }
        _ => have.eq_ignore_ascii_case(value),
    }
}

struct Reader<'t> {
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    depth: usize,
}

impl Reader<'_> {
    fn compound(&mut self) -> Option<Compound> {
        let mut simples = Vec::new();
        while let Some(&c) = self.chars.peek() {
            let simple = match c {
                '*' => {
                    self.chars.next();
                    Simple::Type("*".to_owned())
                }
                '.' => {
                    self.chars.next();
                    Simple::Class(self.name()?)
                }
                '#' => {
                    self.chars.next();
                    Simple::Id(self.name()?)
                }
                '[' => {
                    self.chars.next();
                    let inner = self.until(']')?;
                    attribute(&inner)?
                }
                ':' => {
                    self.chars.next();
                    self.pseudo()?
                }
                c if is_name(c) => Simple::Type(self.name()?.to_ascii_lowercase()),
                _ => break,
            };
            simples.push(simple);
        }
        (!simples.is_empty()).then_some(Compound(simples))
    }

    fn combinator(&mut self) -> Option<Combinator> {
        let mut found = None;
        while let Some(&c) = self.chars.peek() {
            let next = match c {
                '>' => Combinator::Child,
                '+' => Combinator::Next,
                '~' => Combinator::Later,
                c if c.is_whitespace() => Combinator::Descendant,
                _ => break,
            };
            if found.is_none() || next != Combinator::Descendant {
                found = Some(next);
            }
            self.chars.next();
        }
        found.filter(|_| self.chars.peek().is_some())
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        while let Some(c) = self.chars.next_if(|c| is_name(*c) || *c == '\\') {
            if c == '\\' {
                name.extend(self.chars.next());
            } else {
                name.push(c);
            }
        }
        (!name.is_empty()).then_some(name)
    }

    fn until(&mut self, end: char) -> Option<String> {
        let mut inner = String::new();
        let mut depth = 0_usize;
        for c in self.chars.by_ref() {
            if c == end && depth == 0 {
                return Some(inner);
            }
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            inner.push(c);
        }
        None
    }

    /// States that a hand or a mouse brings about never hold; what is unknown holds, so that a new
    /// word hides nothing from us.
    fn pseudo(&mut self) -> Option<Simple> {
        let name = self.name()?.to_ascii_lowercase();
        let argument = if self.chars.next_if_eq(&'(').is_some() {
            Some(self.until(')')?)
        } else {
            None
        };
        let nth = |step, offset, from_end| Simple::Nth {
            step,
            offset,
            from_end,
        };
        let argument = argument.as_deref();
        Some(match name.as_str() {
            "before" | "after" | "first-line" | "first-letter" => return None,
            "root" => Simple::Root,
            "first-child" => nth(0, 1, false),
            "last-child" => nth(0, 1, true),
            "nth-child" | "nth-last-child" => {
                let (step, offset) = an_plus_b(argument?)?;
                nth(step, offset, name == "nth-last-child")
            }
            "not" | "is" | "where" | "matches" | "-webkit-any" | "-moz-any" => Simple::Any {
                of: split_outside(argument?, ',')
                    .into_iter()
                    .filter_map(|text| Selector::parse(text, self.depth + 1))
                    .collect(),
                negated: name == "not",
            },
            "hover" | "focus" | "active" | "visited" | "target" | "checked" | "focus-within"
            | "focus-visible" | "disabled" | "invalid" | "popover-open" | "fullscreen" => {
                Simple::Never
            }
            _ => Simple::Type("*".to_owned()),
        })
    }
}

/// CSS Syntax 3, section 6.
fn an_plus_b(text: &str) -> Option<(i64, i64)> {
    let text: String = text.to_ascii_lowercase().split_whitespace().collect();
    match text.as_str() {
        "odd" => return Some((2, 1)),
        "even" => return Some((2, 0)),
        _ => {}
    }
    let Some((step, offset)) = text.split_once('n') else {
        return Some((0, text.parse().ok()?));
    };
    let step = match step {
        "" | "+" => 1,
        "-" => -1,
        step => step.parse().ok()?,
    };
    let offset = if offset.is_empty() {
        0
    } else {
        offset.parse().ok()?
    };
    Some((step, offset))
}

fn attribute(inner: &str) -> Option<Simple> {
    let (name, value) = match inner.split_once('=') {
        Some((name, value)) => {
            let value = value.trim();
            let value = match value.rsplit_once(char::is_whitespace) {
                Some((value, "i" | "s")) => value,
                _ => value,
            };
            (name, Some(value.trim_matches(['"', '\'', ' ']).to_owned()))
        }
        None => (inner, None),
    };
    let name = name.trim();
    let operator = name
        .chars()
        .last()
        .filter(|c| "^$*~|".contains(*c))
        .unwrap_or('=');
    let name = name.trim_end_matches(['^', '$', '*', '~', '|']).trim();
    (!name.is_empty()).then(|| Simple::Attribute {
        name: name.to_ascii_lowercase(),
        operator,
        value,
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::{super::tree, *};

    fn matched(page: &str, selector: &str) -> Vec<String> {
        let (document, _) = tree::parse(page);
        let list = selectors(selector);
        let mut out = Vec::new();
        // Parents are held by the page alone.
        let mut open = vec![std::rc::Rc::clone(&document)];
        while let Some(node) = open.pop() {
            let mut budget = 1_000_000;
            if list.iter().any(|s| s.matches(&node, &mut budget)) {
                out.push(node.attribute("id").unwrap_or_default());
            }
            open.extend(node.children());
        }
        out.sort();
        out
    }

    #[test]
    fn selectors_find_what_browsers_find() {
        let page = "<div id=a class='x y'><p id=b data-k=v1>t</p><p id=c>u</p></div><p id=d>v</p>";
        for (selector, expected) in [
            (".x", vec!["a"]),
            ("div.x.y > p", vec!["b", "c"]),
            ("#a p + p", vec!["c"]),
            ("p ~ p", vec!["c"]),
            ("div ~ p", vec!["d"]),
            ("[data-k^=v]", vec!["b"]),
            ("p:not(#b):not(.q)", vec!["c", "d"]),
            ("div p:first-child", vec!["b"]),
            ("p:nth-child(2n)", vec!["c", "d"]),
            ("p:hover", vec![]),
            (":is(#b, #d)", vec!["b", "d"]),
            ("p::before", vec![]),
        ] {
            assert_eq!(matched(page, selector), expected, "{selector}");
        }
    }
}
