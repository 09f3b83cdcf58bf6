//! HCL, the language of Terraform.

use std::ops::Range;

use hcl_edit::{
    expr::{Expression, ObjectKey},
    parser,
    repr::Span,
    structure::{BlockLabel, Body, Structure},
};

use super::{Entry, MAX_BYTES, Node, TreeError, Value};

/// The attributes and blocks of `text`. The labels of a block are names on the way to it; what is
/// computed is the text of its expression.
///
/// # Errors
/// When it is no HCL, or over a bound; the parser takes 64 levels.
pub fn read(text: &str) -> Result<Node, TreeError> {
    if text.len() > MAX_BYTES {
        return Err(TreeError::Exhausted {
            limit: "hcl bytes",
            at: MAX_BYTES as u64,
        });
    }
    let body = parser::parse_body(text).map_err(|error| TreeError::Malformed {
        line: error.location().line(),
    })?;
    Ok(self::body(&body, 0..text.len(), text))
}

fn place(of: &impl Span, within: &Range<usize>) -> Range<usize> {
    of.span().unwrap_or_else(|| within.clone())
}

fn body(body: &Body, span: Range<usize>, text: &str) -> Node {
    let entries = body.iter().map(|structure| match structure {
        Structure::Attribute(attribute) => Entry {
            key: attribute.key.as_str().to_owned(),
            key_span: place(&attribute.key, &span),
            node: expression(&attribute.value, &span, text),
        },
        Structure::Block(block) => {
            let key_span = place(&block.ident, &span);
            let inside = place(&block.body, &key_span);
            let mut node = self::body(&block.body, inside, text);
            for label in block.labels.iter().rev() {
                let (name, label_span) = match label {
                    BlockLabel::Ident(name) => (name.as_str(), place(name, &key_span)),
                    BlockLabel::String(name) => (name.as_str(), place(name, &key_span)),
                };
                node = Node {
                    span: node.span.clone(),
                    value: Value::Map(vec![Entry {
                        key: name.to_owned(),
                        key_span: label_span,
                        node,
                    }]),
                };
            }
            Entry {
                key: block.ident.as_str().to_owned(),
                key_span,
                node,
            }
        }
    });
    Node {
        value: Value::Map(entries.collect()),
        span,
    }
}

fn expression(expression: &Expression, within: &Range<usize>, text: &str) -> Node {
    let span = place(expression, within);
    match expression {
        Expression::String(value) => Node::scalar(value.as_str(), span),
        Expression::Array(items) => Node {
            value: Value::List(
                items
                    .iter()
                    .map(|item| self::expression(item, &span, text))
                    .collect(),
            ),
            span,
        },
        Expression::Object(object) => {
            let entries = object.iter().map(|(key, value)| {
                let (name, key_span) = match key {
                    ObjectKey::Ident(name) => (name.as_str().to_owned(), place(name, &span)),
                    ObjectKey::Expression(key) => {
                        let node = self::expression(key, &span, text);
                        (node.text().unwrap_or_default().to_owned(), node.span)
                    }
                };
                Entry {
                    key: name,
                    key_span,
                    node: self::expression(value.expr(), &span, text),
                }
            });
            Node {
                value: Value::Map(entries.collect()),
                span,
            }
        }
        // `jsonencode({...})` is what it encodes.
        Expression::FuncCall(call) if call.name.name.as_str() == "jsonencode" => {
            match call.args.iter().next() {
                Some(argument) => self::expression(argument, &span, text),
                None => Node::scalar("", span),
            }
        }
        _ => Node::scalar(text.get(span.clone()).unwrap_or_default().trim(), span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::Path;

    const TEXT: &str = r#"
resource "aws_s3_bucket" "data" {
  bucket = "x-${var.name}"
  acl    = "public-read"
  policy = jsonencode({ Statement = [{ Action = "*" }] })
}
resource "aws_security_group" "all" {
  ingress {
    cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]
    from_port   = 0
  }
}
"#;

    #[test]
    fn labels_are_names_on_the_way() {
        let root = read(TEXT).unwrap();
        let at = |path: &str| -> Vec<String> {
            let found = Path::new(path).select(&root);
            found
                .iter()
                .filter_map(|one| one.node.text().map(str::to_owned))
                .collect()
        };
        assert_eq!(at("resource.aws_s3_bucket.*.acl"), ["public-read"]);
        assert_eq!(at("resource.aws_s3_bucket.*.bucket"), ["\"x-${var.name}\""]);
        assert_eq!(at("resource.*.*.policy.Statement.Action"), ["*"]);
        assert_eq!(
            at("resource.*.*.ingress.cidr_blocks"),
            ["10.0.0.0/8", "0.0.0.0/0"]
        );
        assert_eq!(at("resource.*.*.ingress.from_port"), ["0"]);
        let acl = Path::new("**.acl").select(&root).remove(0);
        assert_eq!(TEXT.get(acl.place.clone()).unwrap(), "acl");
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        assert!(read(&format!("a = {}1", "(".repeat(100_000))).is_err());
        assert!(read(&format!("a = {}1", "!".repeat(100_000))).is_err());
        assert!(read(&format!("a = {}1", "x ? y : ".repeat(100_000))).is_err());
        assert!(read(&"a {\n".repeat(50_000)).is_err());
        assert_eq!(
            read("a = 1\nb = [\n"),
            Err(TreeError::Malformed { line: 2 })
        );
    }
}
