use bartizan_core::hex;
use serde_json::{Value, json};

use super::{
    Asset, BomFacts, Inventory, Model, Package,
    licence::Licence,
    package::{address, encoded},
};
use crate::digest::Algorithm;

/// A version of CycloneDX (ECMA-424).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycloneDxVersion {
    /// 1.6, April 2024.
    V1_6,
    /// 1.7, October 2025; what is written here is the same.
    V1_7,
}

impl CycloneDxVersion {
    const fn as_str(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

/// The inventory as a bill of materials in CycloneDX JSON; the same inventory gives the same bytes.
#[must_use]
pub fn cyclonedx(inventory: &Inventory, version: CycloneDxVersion, facts: &BomFacts<'_>) -> String {
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for model in &inventory.models {
        components.push(model_component(model));
        let data = model.datasets.iter().map(|name| format!("data:{name}"));
        dependencies.push(json!({
            "ref": model_ref(model),
            "dependsOn": data.collect::<Vec<_>>(),
        }));
    }
    let mut named: Vec<&String> = inventory
        .models
        .iter()
        .flat_map(|model| &model.datasets)
        .collect();
    named.sort();
    named.dedup();
    for name in named {
        components.push(json!({
            "type": "data",
            "bom-ref": format!("data:{name}"),
            "name": name,
            "data": [{ "type": "dataset", "name": name }],
        }));
    }
    components.extend(
        inventory
            .data
            .iter()
            .map(|asset| asset_component(asset, "dataset")),
    );
    components.extend(
        inventory
            .prompts
            .iter()
            .map(|asset| asset_component(asset, "other")),
    );
    let merged = inventory.merged();
    components.extend(
        merged
            .iter()
            .map(|(package, files)| package_component(package, files)),
    );
    let root = format!("root:{}", inventory.name);
    let mut refs: Vec<&str> = components
        .iter()
        .filter_map(|component| component.get("bom-ref")?.as_str())
        .collect();
    refs.sort_unstable();
    dependencies.insert(0, json!({ "ref": root, "dependsOn": refs }));
    let mut metadata = json!({
        "tools": { "components": [{
            "type": "application",
            "name": "bartizan",
            "version": facts.tool_version,
        }]},
        "component": {
            "type": "application",
            "bom-ref": root,
            "name": inventory.name,
        },
    });
    insert(&mut metadata, "timestamp", facts.created);
    let mut bom = json!({
        "$schema": format!("http://cyclonedx.org/schema/bom-{}.schema.json", version.as_str()),
        "bomFormat": "CycloneDX",
        "specVersion": version.as_str(),
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
        // Incomplete is never complete: what could not be read is said.
        "compositions": [{
            "aggregate": if inventory.gaps.is_empty() { "unknown" } else { "incomplete" },
            "assemblies": [root],
        }],
    });
    bom.sort_all_objects();
    let serial = serial(bom.to_string().as_bytes());
    insert(
        &mut bom,
        "serialNumber",
        Some(&format!("urn:uuid:{serial}")),
    );
    bom.sort_all_objects();
    format!("{bom:#}\n")
}

/// A UUID of version 8 (RFC 9562) from the content, so that it is the same for the same content.
pub(super) fn serial(content: &[u8]) -> String {
    let mut bytes = Algorithm::Sha256.digest(content).as_bytes().to_vec();
    bytes.truncate(16);
    if let Some(byte) = bytes.get_mut(6) {
        *byte = (*byte & 0x0f) | 0x80;
    }
    if let Some(byte) = bytes.get_mut(8) {
        *byte = (*byte & 0x3f) | 0x80;
    }
    let digits = hex::encode(&bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}

fn insert(value: &mut Value, name: &str, text: Option<&str>) {
    if let (Some(fields), Some(text)) = (value.as_object_mut(), text) {
        fields.insert(name.to_owned(), text.into());
    }
}

fn model_ref(model: &Model) -> String {
    format!(
        "model:{}",
        if model.folder.is_empty() {
            "."
        } else {
            &model.folder
        }
    )
}

fn model_component(model: &Model) -> Value {
    let files: Vec<Value> = model
        .files
        .iter()
        .map(|file| {
            json!({
                "type": "file",
                "bom-ref": format!("file:{}", file.path),
                "name": file.path,
                "hashes": sha256(&file.sha256),
                "properties": [{ "name": "bartizan:bytes", "value": file.length.to_string() }],
            })
        })
        .collect();
    let mut parameters = json!({});
    insert(&mut parameters, "task", model.task.as_deref());
    insert(
        &mut parameters,
        "architectureFamily",
        model.family.as_deref(),
    );
    insert(
        &mut parameters,
        "modelArchitecture",
        model.architecture.as_deref(),
    );
    let datasets: Vec<Value> = model
        .datasets
        .iter()
        .map(|name| json!({ "ref": format!("data:{name}") }))
        .collect();
    if let (Some(fields), false) = (parameters.as_object_mut(), datasets.is_empty()) {
        fields.insert("datasets".to_owned(), datasets.into());
    }
    let kind = if model.is_adapter { "adapter" } else { "model" };
    let mut properties = vec![json!({ "name": "bartizan:kind", "value": kind })];
    if let Some(template) = &model.chat_template {
        let name = "bartizan:chat_template:sha256";
        properties.push(json!({ "name": name, "value": template }));
    }
    let mut component = json!({
        "type": "machine-learning-model",
        "bom-ref": model_ref(model),
        "name": model.name,
        "components": files,
        "modelCard": { "modelParameters": parameters },
        "properties": properties,
    });
    if let Some(fields) = component.as_object_mut() {
        if let Some(licence) = &model.licence {
            fields.insert("licenses".to_owned(), licences(licence));
        }
        if !model.bases.is_empty() {
            let ancestors = model.bases.iter().map(|base| {
                let mut ancestor = json!({ "type": "machine-learning-model", "name": base });
                // A path is no name on the hub.
                if base.split('/').count() == 2 && !base.starts_with(['.', '/']) {
                    insert(
                        &mut ancestor,
                        "purl",
                        Some(&format!("pkg:huggingface/{}", encoded(base))),
                    );
                }
                ancestor
            });
            let ancestors: Vec<Value> = ancestors.collect();
            fields.insert("pedigree".to_owned(), json!({ "ancestors": ancestors }));
        }
    }
    component
}

fn asset_component(asset: &Asset, kind: &str) -> Value {
    json!({
        "type": "data",
        "bom-ref": format!("file:{}", asset.path),
        "name": asset.path,
        "hashes": sha256(&asset.sha256),
        "data": [{ "type": kind, "name": asset.path }],
        "properties": [
            { "name": "bartizan:kind", "value": if kind == "dataset" { "dataset" } else { "prompt" } },
            { "name": "bartizan:bytes", "value": asset.length.to_string() },
        ],
    })
}

fn package_component(package: &Package, files: &[&str]) -> Value {
    let purl = package.purl();
    let mut properties: Vec<Value> = files
        .iter()
        .map(|file| json!({ "name": "bartizan:named-in", "value": file }))
        .collect();
    if let Some(requirement) = &package.requirement {
        properties.push(json!({ "name": "bartizan:requirement", "value": requirement }));
    }
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "purl": purl,
        "properties": properties,
    });
    insert(&mut component, "version", package.version.as_deref());
    if let Some(fields) = component.as_object_mut() {
        if let Some(licence) = &package.licence {
            fields.insert("licenses".to_owned(), licences(licence));
        }
        let hashes: Vec<Value> = package
            .known_hashes()
            .map(|(name, digits)| json!({ "alg": name.cyclonedx, "content": digits }))
            .collect();
        if !hashes.is_empty() {
            fields.insert("hashes".to_owned(), hashes.into());
        }
        if let Some(origin) = &package.origin {
            let reference = json!([{ "type": "distribution", "url": address(origin) }]);
            fields.insert("externalReferences".to_owned(), reference);
        }
    }
    component
}

fn sha256(digits: &str) -> Value {
    json!([{ "alg": "SHA-256", "content": digits }])
}

fn licences(text: &str) -> Value {
    match Licence::of(text) {
        Licence::Id(id) => json!([{ "license": { "id": id } }]),
        Licence::Expression(expression) => json!([{ "expression": expression }]),
        Licence::Name(name) => json!([{ "license": { "name": name } }]),
    }
}
