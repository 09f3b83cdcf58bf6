use granit_parser::{Event, Parser};
use percent_encoding::percent_decode_str;

/// How many events one text may have.
const MAX_EVENTS: usize = 2_000_000;
/// The longest text that is read, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// What a YAML text says: tags, and scalars under their keys. Nothing is built.
#[derive(Debug, Default)]
pub struct Yaml {
    /// Tags, resolved, as the whole of handle and suffix.
    pub tags: Vec<String>,
    /// Scalars in order, each with the keys that lead to it; items of a list go by the list's key.
    pub scalars: Vec<Scalar>,
    /// Whether the rest could not be read.
    pub broken: bool,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The keys from the top, joined by `.`; its last part is the nearest key.
    pub path: String,
    /// The text.
    pub value: String,
}

impl Scalar {
    /// The nearest key.
    #[must_use]
    pub fn key(&self) -> &str {
        self.path.rsplit('\0').next().unwrap_or_default()
    }

    /// Whether the keys that lead here are these.
    #[must_use]
    pub fn is_at(&self, keys: &[&str]) -> bool {
        self.path.split('\0').eq(keys.iter().copied())
    }
}

/// A collection that is open: whether it is a mapping, its pending key.
struct Open {
    is_mapping: bool,
    key: Option<String>,
}

impl Yaml {
    /// Reads every document of `text` up to the first mistake.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut yaml = Self {
            broken: text.len() > MAX_BYTES,
            ..Self::default()
        };
        let mut open: Vec<Open> = Vec::new();
        if yaml.broken {
            return yaml;
        }
        for (count, event) in Parser::new_from_str(text).enumerate() {
            let Ok((event, _)) = event else {
                yaml.broken = true;
                return yaml;
            };
            if count > MAX_EVENTS || open.len() > 200 {
                yaml.broken = true;
                return yaml;
            }
            let tag = match &event {
                Event::Scalar(_, _, _, tag)
                | Event::SequenceStart(_, _, tag)
                | Event::MappingStart(_, _, tag) => tag.as_ref(),
                _ => None,
            };
            if let Some(tag) = tag {
                let whole = tag.to_string();
                // Tags may hold `%2F` for `/`, and loaders undo that.
                let read = percent_decode_str(&whole).decode_utf8_lossy();
                yaml.tags.push(read.into_owned());
            }
            match event {
                Event::Scalar(value, ..) => yaml.scalar(&mut open, value.into_owned()),
                Event::Alias(_) => yaml.scalar(&mut open, String::new()),
                Event::SequenceStart(..) => open.push(Open {
                    is_mapping: false,
                    key: None,
                }),
                Event::MappingStart(..) => open.push(Open {
                    is_mapping: true,
                    key: None,
                }),
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    if let Some(parent) = open.last_mut().filter(|parent| parent.is_mapping) {
                        parent.key = match parent.key {
                            // A collection as a key.
                            None => Some(String::new()),
                            Some(_) => None,
                        };
                    }
                }
                _ => {}
            }
        }
        yaml
    }

    fn scalar(&mut self, open: &mut [Open], value: String) {
        if let Some(parent) = open.last_mut()
            && parent.is_mapping
            && parent.key.is_none()
        {
            parent.key = Some(value);
            return;
        }
        let keys: Vec<&str> = open.iter().filter_map(|one| one.key.as_deref()).collect();
        let path = keys.join("\0");
        if let Some(parent) = open.last_mut() {
            parent.key = None;
        }
        self.scalars.push(Scalar { path, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_paths_are_read() {
        let yaml =
            Yaml::read("a:\n  b: [1, {c: 2}]\n  d: !!python/object/apply:os.system ['x']\ne: 3\n");
        assert!(!yaml.broken);
        assert!(
            yaml.tags[0].contains("python/object/apply:os.system"),
            "{:?}",
            yaml.tags
        );
        let at = |keys: &[&str]| {
            let found: Vec<&str> = yaml
                .scalars
                .iter()
                .filter(|one| one.is_at(keys))
                .map(|one| one.value.as_str())
                .collect();
            found.join(",")
        };
        assert_eq!(at(&["a", "b"]), "1");
        assert_eq!(at(&["a", "b", "c"]), "2");
        assert_eq!(at(&["e"]), "3");
    }

    #[test]
    fn tags_in_disguise_are_resolved() {
        for text in [
            "%TAG !p! tag:yaml.org,2002:pyth\n---\n!p!on/object/apply:os.system ['x']\n",
            "!<tag:yaml.org,2002:python/object/apply:os.system> ['x']\n",
            "!!python%2Fobject/apply:os.system ['x']\n",
        ] {
            let yaml = Yaml::read(text);
            assert!(
                yaml.tags
                    .iter()
                    .any(|tag| tag.contains("python/object/apply:os.system")),
                "{text}: {yaml:?}"
            );
        }
    }
}
