use std::collections::HashMap;

use quick_xml::{Reader, events::Event};

use super::{LockError, place};
use crate::bom::{Ecosystem, Package};

/// `pom.xml` (Maven, "POM Reference"): dependencies with their versions, properties filled in.
/// Entities and document types are not read. What a parent would add is not known.
pub(super) fn pom(text: &str) -> Result<Vec<Package>, LockError> {
    let wrong = || LockError::Malformed("pom.xml");
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut properties: HashMap<String, String> = HashMap::new();
    let mut fields: HashMap<String, String> = HashMap::new();
    let mut dependencies = Vec::new();
    let mut managed: HashMap<String, String> = HashMap::new();
    loop {
        match reader.read_event().map_err(|_| wrong())? {
            Event::Eof => break,
            Event::Start(tag) => {
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                if path.is_empty() && name != "project" {
                    return Err(wrong());
                }
                if name == "dependency" {
                    fields.clear();
                }
                if path.len() > 64 {
                    return Err(wrong());
                }
                path.push(name);
            }
            Event::Text(content) => {
                let content = content.decode().map_err(|_| wrong())?;
                let value = content.trim();
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                match names.as_slice() {
                    ["project", "properties", name] => {
                        properties.insert((*name).to_owned(), value.to_owned());
                    }
                    ["project", name @ ("version" | "groupId" | "artifactId")] => {
                        properties.insert(format!("project.{name}"), value.to_owned());
                    }
                    [.., "dependency", name] => {
                        fields.insert((*name).to_owned(), value.to_owned());
                    }
                    _ => {}
                }
            }
            Event::End(_) => {
                let ended = path.pop();
                if ended.as_deref() == Some("dependency") {
                    let mut take = |name: &str| fields.remove(name);
                    if let (Some(group), Some(artifact)) = (take("groupId"), take("artifactId")) {
                        let version = take("version");
                        if path.iter().any(|name| name == "dependencyManagement") {
                            let version = version.unwrap_or_default();
                            managed.insert(format!("{group}:{artifact}"), version);
                        } else {
                            dependencies.push((group, artifact, version));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(dependencies
        .into_iter()
        .map(|(group, artifact, version)| {
            let name = format!(
                "{}:{}",
                filled(&group, &properties),
                filled(&artifact, &properties)
            );
            let version = version
                .or_else(|| managed.get(&format!("{group}:{artifact}")).cloned())
                .map(|version| filled(&version, &properties));
            let is_exact = |version: &String| !version.contains(['[', '(', ',', '$']);
            let exact = version
                .clone()
                .filter(|version| !version.is_empty() && is_exact(version));
            let mut package = Package::new(Ecosystem::Maven, &name, exact.as_deref());
            if exact.is_none() {
                package.requirement = version;
            }
            package.place = place(text, &format!("<artifactId>{artifact}</artifactId>"), 0);
            package
        })
        .collect())
}

/// `text` with `${name}` replaced by the property, a few levels deep.
fn filled(text: &str, properties: &HashMap<String, String>) -> String {
    let mut text = text.to_owned();
    for _ in 0..8 {
        let Some((before, rest)) = text.split_once("${") else {
            break;
        };
        let Some((name, after)) = rest.split_once('}') else {
            break;
        };
        let Some(value) = properties.get(name) else {
            break;
        };
        text = format!("{before}{value}{after}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_and_managed_versions_are_filled_in() {
        let text = "<project><version>9</version><properties><v>1.2</v></properties>
            <dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>b</artifactId><version>3</version></dependency></dependencies></dependencyManagement>
            <dependencies>
              <dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version></dependency>
              <dependency><groupId>g</groupId><artifactId>b</artifactId></dependency>
              <dependency><groupId>g</groupId><artifactId>c</artifactId><version>[1,2)</version></dependency>
              <dependency><groupId>g</groupId><artifactId>d</artifactId><version>${project.version}</version></dependency>
            </dependencies></project>";
        let said: Vec<_> = pom(text)
            .unwrap()
            .into_iter()
            .map(|package| (package.name, package.version, package.requirement))
            .collect();
        let exact = |name: &str, version: &str| (name.to_owned(), Some(version.to_owned()), None);
        assert_eq!(
            said,
            [
                exact("g:a", "1.2"),
                exact("g:b", "3"),
                ("g:c".to_owned(), None, Some("[1,2)".to_owned())),
                exact("g:d", "9"),
            ]
        );
        assert!(pom("<html/>").is_err() || pom("<html></html>").is_err());
        assert!(pom("<project>").unwrap().is_empty());
    }
}
