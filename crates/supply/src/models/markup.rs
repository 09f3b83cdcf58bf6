//! Models in XML: OpenVINO, PMML, and whatever else declares entities.

use bartizan_core::CheckError;
use bartizan_formats::Xml;

use super::{
    danger::leads_out,
    rules::{CODE_RISK, CONFIG_PATH, XML_ENTITY, XML_LIBRARY, XML_OPERATOR},
    shown,
};
use crate::Desk;

/// Sets of operators that OpenVINO itself has.
fn is_opset(version: &str) -> bool {
    version.starts_with("opset")
        || matches!(
            version,
            "experimental" | "extension" | "" | "ie_internal_opset" | "type_relaxed_opset"
        )
}

/// Weighs a text in XML.
pub(super) fn markup(text: &str, desk: &mut Desk<'_>) -> Result<(), CheckError> {
    desk.spend(text.len() as u64 >> 8)?;
    let is_model = ["<net", "<PMML", "<pmml", "<IE"]
        .iter()
        .any(|root| text.contains(root));
    let declares =
        text.contains("<!ENTITY") || text.contains("<!DOCTYPE") && !text.contains("<html");
    let xml = match Xml::read(text) {
        Ok(xml) => xml,
        // Pages are not well-formed; only models and what declares entities must be.
        Err(_) if !is_model && !declares => return Ok(()),
        Err(error) => return super::failed(desk, error),
    };
    if xml.external_entity {
        desk.report(
            &XML_ENTITY,
            None,
            "an entity is read from a file or an address",
        )?;
    } else if xml.nested_entity {
        desk.report(&XML_ENTITY, None, "an entity is made of other entities")?;
    } else if xml.entities > 0 {
        desk.report(&XML_ENTITY, None, "an entity is declared")?;
    }
    let root = xml.elements.first().map(|element| element.name.as_str());
    if xml.external_subset && is_model {
        desk.report(
            &XML_ENTITY,
            None,
            "the document's type is read from a file or an address",
        )?;
    }
    if root != Some("net") && root != Some("PMML") {
        return Ok(());
    }
    let code = [
        "<script",
        "javascript:",
        "os.system",
        "subprocess",
        "__import__",
        "Runtime.getRuntime",
        "ProcessBuilder",
    ];
    if code.iter().any(|sign| text.contains(sign)) {
        desk.report(&CODE_RISK, None, "the text holds code")?;
    }
    for element in &xml.elements {
        for (key, value) in &element.attributes {
            let folded = key.to_ascii_lowercase();
            let library = folded.contains("library")
                || folded.contains("plugin")
                || folded.contains("extension_path");
            let native = [".so", ".dll", ".dylib"]
                .iter()
                .any(|end| value.to_ascii_lowercase().ends_with(end));
            if native || library && !value.is_empty() {
                desk.report(
                    &XML_LIBRARY,
                    None,
                    format!("`{}` names a library", shown(key)),
                )?;
            } else if root == Some("net")
                && matches!(
                    folded.as_str(),
                    "path" | "file" | "filename" | "source" | "bin" | "weights"
                )
                && leads_out(value)
            {
                desk.report(
                    &CONFIG_PATH,
                    None,
                    format!("`{}` leads out of the folder", shown(key)),
                )?;
            }
        }
        let folded = element.name.to_ascii_lowercase();
        if root == Some("net") && matches!(folded.as_str(), "library" | "plugin" | "extension") {
            desk.report(&XML_LIBRARY, None, "an element names a library")?;
        }
        let version = element.get("version").unwrap_or_default();
        if root == Some("net") && element.name == "layer" && !is_opset(version) {
            let kind = element.get("type").unwrap_or_default();
            desk.report(
                &XML_OPERATOR,
                None,
                format!("the layer `{}` is of a set of its own", shown(kind)),
            )?;
        }
    }
    Ok(())
}
