/// How many tokens one template may have.
const MAX_TOKENS: usize = 200_000;

/// A Jinja template as its parts, read as Jinja's own lexer reads it, never rendered.
///
/// Source: <https://jinja.palletsprojects.com/en/stable/templates/>
#[derive(Debug, Default)]
pub struct Jinja {
    /// What stands in `{{ }}` and `{% %}`.
    pub blocks: Vec<Block>,
    /// What is put out as it stands.
    pub texts: Vec<String>,
    /// Whether there was more than is read.
    pub cut: bool,
}

/// One `{{ }}` or `{% %}`.
#[derive(Debug)]
pub struct Block {
    /// Whether it is a statement.
    pub is_statement: bool,
    /// Its tokens.
    pub tokens: Vec<JinjaToken>,
}

/// A token of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JinjaToken {
    /// A name or keyword.
    Name(String),
    /// A string, its escapes resolved.
    Text(String),
    /// A whole number.
    Number(u64),
    /// A sign of one character.
    Sign(char),
}

impl Jinja {
    /// Reads `source`; what has no end ends with the template.
    #[must_use]
    pub fn read(source: &str) -> Self {
        let mut template = Self::default();
        let mut rest = source;
        let mut tokens = 0;
        while let Some(open) = next_open(rest) {
            let text = rest.get(..open).unwrap_or_default();
            template.text(text);
            let body = rest.get(open + 2..).unwrap_or_default();
            let kind = rest.as_bytes().get(open + 1);
            if kind == Some(&b'#') {
                let end = body.find("#}").map_or(body.len(), |end| end + 2);
                rest = body.get(end..).unwrap_or_default();
                continue;
            }
            let close = if kind == Some(&b'%') { "%}" } else { "}}" };
            // A sign that trims space belongs to no expression.
            let body = body.strip_prefix(['-', '+']).unwrap_or(body);
            let (block, used) = lex(body, close);
            rest = body.get(used..).unwrap_or_default();
            tokens += block.len() + 1;
            if tokens > MAX_TOKENS {
                template.cut = true;
                return template;
            }
            let is_raw = block.first() == Some(&JinjaToken::Name("raw".into()));
            if kind == Some(&b'%') && is_raw {
                let end = rest.find("endraw").unwrap_or(rest.len());
                template.text(rest.get(..end).unwrap_or_default());
                let after = rest.get(end..).unwrap_or_default();
                let end = after.find("%}").map_or(after.len(), |end| end + 2);
                rest = after.get(end..).unwrap_or_default();
                continue;
            }
            template.blocks.push(Block {
                is_statement: kind == Some(&b'%'),
                tokens: block,
            });
        }
        template.text(rest);
        template
    }

    fn text(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.texts.push(text.to_owned());
        }
    }
}

fn next_open(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('{')?;
        if matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The tokens up to `close`, and how many bytes that were with it.
fn lex(body: &str, close: &str) -> (Vec<JinjaToken>, usize) {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut braces = 0_u32;
    while let Some(rest) = body.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        // A brace that an expression opened is closed by its own.
        if rest.starts_with(close) && (close != "}}" || braces == 0) {
            return (tokens, at + close.len());
        }
        if matches!(c, '"' | '\'') {
            let (text, used) = string(rest, c);
            tokens.push(JinjaToken::Text(text));
            at += used;
        } else if c == '_' || c.is_alphabetic() {
            let part = |c: char| c == '_' || c.is_alphanumeric();
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            tokens.push(JinjaToken::Name(
                rest.get(..end).unwrap_or_default().to_owned(),
            ));
            at += end;
        } else if c.is_ascii_digit() {
            let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            let digits = rest.get(..end).unwrap_or_default().replace('_', "");
            tokens.push(JinjaToken::Number(digits.parse().unwrap_or(u64::MAX)));
            at += end;
        } else {
            match c {
                '{' => braces += 1,
                '}' => braces = braces.saturating_sub(1),
                _ => {}
            }
            if !c.is_whitespace() {
                tokens.push(JinjaToken::Sign(c));
            }
            at += c.len_utf8();
        }
    }
    (tokens, body.len())
}

/// A string from its opening quote on, and how many bytes it takes.
fn string(rest: &str, quote: char) -> (String, usize) {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return (value, at + 1);
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        let Some((_, next)) = chars.next() else { break };
        let digits = match next {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let hex: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
            let code = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
            value.extend(code);
        } else if let Some(first) = next.to_digit(8) {
            let mut code = first;
            for _ in 0..2 {
                let mut ahead = chars.clone();
                let Some(digit) = ahead.next().and_then(|(_, c)| c.to_digit(8)) else {
                    break;
                };
                chars = ahead;
                code = code * 8 + digit;
            }
            value.extend(char::from_u32(code));
        } else {
            value.push(match next {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
        }
    }
    (value, rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_read_in_parts() {
        let template = Jinja::read(
            "a{# {{ no }} #}{%- set x = {'a': {'b': 1}} -%}{{ x['\\x5f\\137\\u005f'] }}b{% raw %}{{ y }}{% endraw %}",
        );
        assert_eq!(template.texts, ["a", "b", "{{ y }}{% "]);
        assert_eq!(template.blocks.len(), 2);
        let text = JinjaToken::Text("___".into());
        assert!(template.blocks[1].tokens.contains(&text));
    }

    #[test]
    fn what_has_no_end_ends_with_the_template() {
        assert_eq!(Jinja::read("{{ 'a").blocks.len(), 1);
        assert_eq!(Jinja::read("{# a").blocks.len(), 0);
        assert_eq!(Jinja::read("{% raw %}a").texts, ["a"]);
    }
}
