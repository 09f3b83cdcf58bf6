use std::collections::HashMap;

use super::{Token, TokenKind};

/// A name that source uses, led back to where it was imported from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The whole name, e.g. `os.system` for `system` after `from os import system`.
    pub name: String,
    /// Its line, from 1.
    pub line: u32,
    /// Whether it is called here.
    pub called: bool,
    /// Whether it stands outside every function, i.e. runs when the file is imported.
    pub on_import: bool,
    /// What it is called with.
    pub arguments: Vec<Argument>,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Argument {
    /// Its keyword.
    pub keyword: Option<String>,
    /// Its text, when it is nothing but string literals.
    pub text: Option<String>,
    /// Its name, when it is nothing but a name or a dotted one, led back to its import.
    pub name: Option<String>,
}

/// The names that `tokens` use, in order.
#[must_use]
pub fn uses(tokens: &[Token]) -> Vec<Use> {
    let mut reader = Reader {
        tokens,
        at: 0,
        aliases: HashMap::new(),
        functions: Vec::new(),
        everything: Vec::new(),
        starts_line: true,
        out: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.out
}

/// Words that begin something else than an expression's name.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "continue", "del", "elif", "else", "except",
    "False", "finally", "for", "global", "if", "in", "is", "lambda", "None", "nonlocal", "not",
    "or", "pass", "raise", "return", "True", "try", "while", "with", "yield", "print", "match",
    "case",
];

/// Calls whose result is the module that their text names.
const IMPORTERS: &[&str] = &[
    "__import__",
    "builtins.__import__",
    "importlib.import_module",
    "importlib.__import__",
];

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    aliases: HashMap<String, String>,
    /// Columns of the functions that are open.
    functions: Vec<u32>,
    /// Modules of which every name was imported.
    everything: Vec<String>,
    starts_line: bool,
    out: Vec<Use>,
}

impl Reader<'_> {
    fn kind(&self, ahead: usize) -> Option<&TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn is_sign(&self, ahead: usize, sign: char) -> bool {
        self.kind(ahead) == Some(&TokenKind::Sign(sign))
    }

    fn name(&self, ahead: usize) -> Option<&str> {
        match self.kind(ahead) {
            Some(TokenKind::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn step(&mut self) {
        let starts_line = std::mem::replace(&mut self.starts_line, false);
        let Some(token) = self.tokens.get(self.at) else {
            return;
        };
        let column = token.column;
        match &token.kind {
            TokenKind::Newline => self.starts_line = true,
            TokenKind::Sign(';') => self.starts_line = true,
            TokenKind::Name(name) => {
                if starts_line {
                    self.functions.retain(|open| *open < column);
                }
                match name.as_str() {
                    "def" | "class" => {
                        if name == "def" {
                            self.functions.push(column);
                        }
                        // What is defined is no use of a name.
                        self.at += 2;
                        return;
                    }
                    "import" if self.at == 0 || starts_line || self.after_colon() => {
                        return self.import();
                    }
                    "from" if starts_line || self.after_colon() => return self.import_from(),
                    word if KEYWORDS.contains(&word) => {}
                    _ => return self.primary(starts_line),
                }
            }
            _ => {}
        }
        self.at += 1;
    }

    fn after_colon(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| token.kind == TokenKind::Sign(':'))
    }

    /// `a.b.c` from here on; moves behind it.
    fn dotted(&mut self) -> String {
        let mut name = String::new();
        loop {
            if self.is_sign(0, '.') {
                name.push('.');
            } else if let Some(part) = self.name(0).filter(|part| *part != "import") {
                name.push_str(part);
                if !self.is_sign(1, '.') {
                    self.at += 1;
                    return name;
                }
            } else {
                return name;
            }
            self.at += 1;
        }
    }

    fn alias(&mut self) -> Option<String> {
        if self.name(0) != Some("as") {
            return None;
        }
        let alias = self.name(1).map(str::to_owned);
        self.at += 2;
        alias
    }

    fn import(&mut self) {
        self.at += 1;
        loop {
            let name = self.dotted();
            let top = name.split('.').next().unwrap_or_default().to_owned();
            match self.alias() {
                Some(alias) => self.aliases.insert(alias, name),
                None => self.aliases.insert(top.clone(), top),
            };
            if !self.is_sign(0, ',') {
                return;
            }
            self.at += 1;
        }
    }

    fn import_from(&mut self) {
        self.at += 1;
        let module = self.dotted();
        if self.name(0) != Some("import") {
            return;
        }
        self.at += 1;
        if self.is_sign(0, '*') && self.everything.len() < 8 {
            self.everything.push(module);
            return;
        }
        let parenthesised = self.is_sign(0, '(');
        self.at += usize::from(parenthesised);
        while let Some(name) = self.name(0) {
            let whole = format!("{module}.{name}");
            let name = name.to_owned();
            self.at += 1;
            let alias = self.alias().unwrap_or(name);
            self.aliases.insert(alias, whole);
            if !self.is_sign(0, ',') {
                break;
            }
            self.at += 1;
        }
    }

    fn line(&self) -> u32 {
        self.tokens.get(self.at).map_or(0, |token| token.line)
    }

    fn note(&mut self, name: &str, line: u32, called: bool, arguments: Vec<Argument>) {
        if !name.contains('.') {
            for module in self.everything.clone() {
                self.push(&format!("{module}.{name}"), line, called, arguments.clone());
            }
        }
        self.push(name, line, called, arguments);
    }

    fn push(&mut self, name: &str, line: u32, called: bool, arguments: Vec<Argument>) {
        self.out.push(Use {
            name: name.to_owned(),
            line,
            called,
            on_import: self.functions.is_empty(),
            arguments,
        });
    }

    /// A name, what is taken from it, and the calls of it.
    fn primary(&mut self, starts_line: bool) {
        let target = (starts_line && self.is_sign(1, '=') && !self.is_sign(2, '='))
            .then(|| self.name(0).map(str::to_owned))
            .flatten();
        if let Some(target) = target {
            self.at += 2;
            let value = match self.name(0) {
                Some(name) if !KEYWORDS.contains(&name) => self.expression(),
                _ => None,
            };
            let ends = matches!(
                self.kind(0),
                Some(TokenKind::Newline | TokenKind::Sign(';')) | None
            );
            match value.filter(|_| ends) {
                Some(value) => self.aliases.insert(target, value),
                None => self.aliases.remove(&target),
            };
            return;
        }
        self.expression();
    }

    /// Reads from a name on; gives the name of what it comes to, when it has one.
    fn expression(&mut self) -> Option<String> {
        // An attribute of something that has no name stands on its own.
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let follows_dot = before.is_some_and(|token| token.kind == TokenKind::Sign('.'));
        let line = self.line();
        let first = self.name(0)?.to_owned();
        self.at += 1;
        let mut name = match self.aliases.get(&first) {
            Some(whole) if !follows_dot => whole.clone(),
            _ if follows_dot => format!("?.{first}"),
            _ => first,
        };
        loop {
            if self.is_sign(0, '.') {
                let Some(part) = self.name(1).map(str::to_owned) else {
                    self.at += 1;
                    return None;
                };
                name = format!("{name}.{part}");
                self.at += 2;
            } else if self.is_sign(0, '(') {
                let arguments = self.arguments();
                let result = result_of(&name, &arguments);
                self.note(&name, line, true, arguments);
                match result {
                    Some(result) => {
                        self.step_into();
                        name = result;
                    }
                    // The arguments are read next, as expressions of their own.
                    None => {
                        self.at += 1;
                        return None;
                    }
                }
            } else if self.is_sign(0, '[')
                && let Some(TokenKind::Text(key)) = self.kind(1)
                && self.is_sign(2, ']')
            {
                name = match name.strip_suffix(".__dict__") {
                    Some(owner) => format!("{owner}.{key}"),
                    None if name.is_empty() => key.clone(),
                    None => format!("{name}.{key}"),
                };
                self.at += 3;
            } else {
                let keyword = self.is_sign(0, '=') && !self.is_sign(1, '=');
                if !keyword {
                    self.note(&name, line, false, Vec::new());
                }
                return Some(name);
            }
        }
    }

    /// Moves behind the brackets that open here.
    fn step_into(&mut self) {
        let mut depth = 0_u32;
        while let Some(kind) = self.kind(0) {
            match kind {
                TokenKind::Sign('(' | '[' | '{') => depth += 1,
                TokenKind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// The arguments between the brackets that open here; does not move.
    fn arguments(&self) -> Vec<Argument> {
        let mut arguments = Vec::new();
        let mut depth = 0_u32;
        let mut ahead = 0;
        let mut start = 1;
        // Longer lists of arguments prove nothing more.
        while ahead < 2_000 {
            let Some(kind) = self.kind(ahead) else { break };
            match kind {
                TokenKind::Sign('(' | '[' | '{') => depth += 1,
                TokenKind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            let ends = depth == 0;
            if ends || (depth == 1 && *kind == TokenKind::Sign(',')) {
                if ahead > start {
                    arguments.push(self.argument(start, ahead));
                }
                start = ahead + 1;
            }
            ahead += 1;
            if ends {
                break;
            }
        }
        arguments
    }

    fn argument(&self, mut start: usize, end: usize) -> Argument {
        let mut argument = Argument::default();
        if self.is_sign(start + 1, '=') && !self.is_sign(start + 2, '=') {
            argument.keyword = self.name(start).map(str::to_owned);
            start += 2;
        }
        let mut text = Some(String::new());
        let mut name = Some(String::new());
        let mut ahead = start;
        while ahead < end {
            let kind = self.kind(ahead);
            ahead += 1;
            // A module that is imported on the spot.
            let imports = name
                .as_deref()
                .is_some_and(|name| IMPORTERS.contains(&name));
            if imports
                && kind == Some(&TokenKind::Sign('('))
                && let Some(TokenKind::Text(module)) = self.kind(ahead)
                && self.is_sign(ahead + 1, ')')
            {
                name = Some(module.clone());
                ahead += 2;
                continue;
            }
            match kind {
                Some(TokenKind::Text(part)) => {
                    name = None;
                    text = text.map(|text| text + part);
                }
                // Texts that are added are one text.
                Some(TokenKind::Sign('+')) if text.is_some() => name = None,
                Some(TokenKind::Name(part)) => {
                    text = None;
                    name = name.map(|name| match self.aliases.get(part) {
                        Some(whole) if name.is_empty() => whole.clone(),
                        _ => name + part,
                    });
                }
                Some(TokenKind::Sign('.')) => {
                    text = None;
                    name = name.map(|name| name + ".");
                }
                _ => (text, name) = (None, None),
            }
        }
        argument.text = text.filter(|_| end > start);
        argument.name = name.filter(|name| !name.is_empty());
        argument
    }
}

/// What a call comes to, when that has a name: a module, or an attribute.
fn result_of(name: &str, arguments: &[Argument]) -> Option<String> {
    if IMPORTERS.contains(&name) {
        return arguments.first()?.text.clone();
    }
    if matches!(name, "getattr" | "builtins.getattr") {
        let [owner, attribute, ..] = arguments else {
            return None;
        };
        return Some(format!(
            "{}.{}",
            owner.name.as_deref()?,
            attribute.text.as_deref().unwrap_or("?")
        ));
    }
    match name {
        // What is taken from the table of names is that name.
        "globals" | "locals" | "vars" if arguments.is_empty() => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        let tokens = crate::python::tokens(source).unwrap();
        let called = uses(&tokens).into_iter().filter(|one| one.called);
        called.map(|one| one.name).collect()
    }

    #[test]
    fn names_are_led_back_to_their_import() {
        for (source, name) in [
            ("import os\nos.system('x')", "os.system"),
            ("import os as o\no.system('x')", "os.system"),
            ("from os import system as s\ns('x')", "os.system"),
            (
                "from os import (\n    path,\n    system,\n)\nsystem('x')",
                "os.system",
            ),
            ("__import__('os').system('x')", "os.system"),
            ("__import__('o' 's').system('x')", "os.system"),
            ("__import__('o' + 's').system('x')", "os.system"),
            (
                "import importlib\nimportlib.import_module('os').system('x')",
                "os.system",
            ),
            ("import os\ngetattr(os, 'sys' + 'tem')('x')", "os.system"),
            ("import os\nf = os.system\nf('x')", "os.system"),
            ("m = __import__('os')\nm.system('x')", "os.system"),
            ("import os\nos.__dict__['system']('x')", "os.system"),
            (
                "\u{ff4f}\u{ff53} = 1\nimport \u{ff4f}\u{ff53}\nos.system('x')",
                "os.system",
            ),
            ("x = f'{__import__(\"os\").system(\"x\")}'", "os.system"),
            (
                "try: import os\nexcept: pass\nos.\\\nsystem('x')",
                "os.system",
            ),
            ("if 1: import os; os.system('x')", "os.system"),
            ("__import__('\\x6fs').system('x')", "os.system"),
            ("globals()['__builtins__'].eval('1')", "__builtins__.eval"),
            ("from os import *\nsystem('x')", "os.system"),
        ] {
            assert!(
                names(source).contains(&name.to_owned()),
                "{source}: {:?}",
                names(source)
            );
        }
    }

    #[test]
    fn text_and_methods_are_no_calls_of_builtins() {
        let source = "# os.system('x')\n\"\"\"eval('1')\"\"\"\nmodel.eval()\nx = 'exec(1)'\ndef eval(a):\n    retrieval(a)\n    foo().eval()\n";
        assert_eq!(names(source), ["model.eval", "retrieval", "foo", "?.eval"]);
    }

    #[test]
    fn what_runs_on_import_is_told_apart() {
        let source = "a()\ndef f(x=1):\n    b()\n    class C:\n        c()\nclass D:\n    d()\n    def g(self):\n        e()\nf()\n";
        let tokens = crate::python::tokens(source).unwrap();
        let on_import: Vec<String> = uses(&tokens)
            .into_iter()
            .filter(|one| one.called && one.on_import)
            .map(|one| one.name)
            .collect();
        assert_eq!(on_import, ["a", "d", "f"]);
    }

    #[test]
    fn arguments_have_keywords_texts_and_names() {
        let tokens =
            crate::python::tokens("import os\nf('a' 'b', os.path, shell=True, g(1, 2))").unwrap();
        let uses = uses(&tokens);
        let call = uses.iter().find(|one| one.name == "f").unwrap();
        assert_eq!(call.arguments.len(), 4);
        assert_eq!(call.arguments[0].text.as_deref(), Some("ab"));
        assert_eq!(call.arguments[1].name.as_deref(), Some("os.path"));
        assert_eq!(call.arguments[2].keyword.as_deref(), Some("shell"));
        assert_eq!(call.arguments[2].name.as_deref(), Some("True"));
    }
}
