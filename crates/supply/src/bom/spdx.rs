use serde_json::{Value, json};

use super::{BomFacts, Inventory, Package, cyclonedx::serial, licence::Licence};

/// The inventory as a bill of materials in SPDX 2.3 JSON (ISO/IEC 5962 with amendments); the same
/// inventory and time give the same bytes.
///
/// Files are written as packages of one file, since the format asks for a SHA-1 of everything that it
/// calls a file.
#[must_use]
pub fn spdx(inventory: &Inventory, facts: &BomFacts<'_>) -> String {
    let root = "SPDXRef-root";
    let mut packages = vec![bare(root, &inventory.name, "APPLICATION")];
    let mut relationships = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", root)];
    let mut number = 0;
    let mut id = |kind: &str| {
        number += 1;
        format!("SPDXRef-{kind}-{number}")
    };
    for model in &inventory.models {
        let own = id("model");
        let mut package = bare(&own, &model.name, "OTHER");
        declare(&mut package, model.licence.as_deref());
        if let (Some(fields), false) = (package.as_object_mut(), model.bases.is_empty()) {
            let bases = format!("made from {}", model.bases.join(", "));
            fields.insert("comment".to_owned(), bases.into());
        }
        packages.push(package);
        relationships.push(relation(root, "CONTAINS", &own));
        for file in &model.files {
            let name = id("file");
            packages.push(one_file(&name, &file.path, &file.sha256));
            relationships.push(relation(&own, "CONTAINS", &name));
        }
    }
    for asset in inventory.data.iter().chain(&inventory.prompts) {
        let name = id("file");
        packages.push(one_file(&name, &asset.path, &asset.sha256));
        relationships.push(relation(root, "CONTAINS", &name));
    }
    for (package, _) in inventory.merged() {
        let name = id("package");
        packages.push(library(&name, &package));
        relationships.push(relation(root, "DEPENDS_ON", &name));
    }
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": inventory.name,
        "creationInfo": {
            "created": facts.created.unwrap_or("1970-01-01T00:00:00Z"),
            "creators": [format!("Tool: bartizan-{}", facts.tool_version)],
        },
        "packages": packages,
        "relationships": relationships,
    });
    document.sort_all_objects();
    let serial = serial(document.to_string().as_bytes());
    if let Some(fields) = document.as_object_mut() {
        let namespace = format!("urn:uuid:{serial}");
        fields.insert("documentNamespace".to_owned(), namespace.into());
    }
    document.sort_all_objects();
    format!("{document:#}\n")
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

fn bare(id: &str, name: &str, purpose: &str) -> Value {
    json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": purpose,
    })
}

fn one_file(id: &str, path: &str, sha256: &str) -> Value {
    let mut package = bare(id, path, "FILE");
    if let Some(fields) = package.as_object_mut() {
        fields.insert("packageFileName".to_owned(), path.into());
        let checksums = json!([{ "algorithm": "SHA256", "checksumValue": sha256 }]);
        fields.insert("checksums".to_owned(), checksums);
    }
    package
}

fn library(id: &str, package: &Package) -> Value {
    let mut value = bare(id, &package.name, "LIBRARY");
    declare(&mut value, package.licence.as_deref());
    let Some(fields) = value.as_object_mut() else {
        return value;
    };
    if let Some(version) = &package.version {
        fields.insert("versionInfo".to_owned(), version.as_str().into());
    }
    let checksums: Vec<Value> = package
        .known_hashes()
        .map(|(name, digits)| json!({ "algorithm": name.spdx, "checksumValue": digits }))
        .collect();
    if !checksums.is_empty() {
        fields.insert("checksums".to_owned(), checksums.into());
    }
    let reference = json!([{
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": package.purl(),
    }]);
    fields.insert("externalRefs".to_owned(), reference);
    value
}

fn declare(package: &mut Value, licence: Option<&str>) {
    let (Some(fields), Some(licence)) = (package.as_object_mut(), licence) else {
        return;
    };
    match Licence::of(licence) {
        Licence::Id(id) => {
            fields.insert("licenseDeclared".to_owned(), id.into());
        }
        Licence::Expression(expression) => {
            fields.insert("licenseDeclared".to_owned(), expression.into());
        }
        Licence::Name(name) => {
            let comment = format!("declared as `{name}`");
            fields.insert("licenseComments".to_owned(), comment.into());
        }
    }
}
