//! Images, built here as `docker save` and OCI layouts have them.

use std::io::Write;

use bartizan_supply::{
    bom::{Inventory, Package},
    digest::Algorithm,
    vuln::{Advisory, AuditOptions, Database, Exceptions, Hygiene, audit},
};
use serde_json::json;

const STATUS: &str =
    "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.11-1~deb12u2\n";
const RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\n";

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        // As it stands: `..` and the like too.
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn saved(layers: &[Vec<u8>]) -> Vec<u8> {
    let names: Vec<String> = (0..layers.len())
        .map(|at| format!("{at}/layer.tar"))
        .collect();
    let manifest = json!([{ "Config": "c.json", "RepoTags": ["a:b"], "Layers": names }]);
    let manifest = manifest.to_string();
    let mut files: Vec<(&str, &[u8])> = vec![("manifest.json", manifest.as_bytes())];
    files.extend(
        names
            .iter()
            .map(String::as_str)
            .zip(layers.iter().map(Vec::as_slice)),
    );
    tar(&files)
}

fn layout(layers: &[Vec<u8>], alter: bool) -> Vec<u8> {
    let digest = |bytes: &[u8]| Algorithm::Sha256.digest(bytes).to_hex();
    let described = layers
        .iter()
        .map(|layer| json!({ "digest": format!("sha256:{}", digest(layer)) }));
    let manifest = json!({ "layers": described.collect::<Vec<_>>() }).to_string();
    let index = json!({ "manifests": [
        { "digest": format!("sha256:{}", digest(manifest.as_bytes())) },
        { "digest": "sha256:00", "platform": { "os": "unknown" } },
    ] })
    .to_string();
    let mut files = vec![
        ("oci-layout".to_owned(), b"{}".to_vec()),
        ("index.json".to_owned(), index.into_bytes()),
        (
            format!("blobs/sha256/{}", digest(manifest.as_bytes())),
            manifest.clone().into_bytes(),
        ),
    ];
    for layer in layers {
        let mut bytes = layer.clone();
        if alter {
            *bytes.last_mut().unwrap() ^= 1;
        }
        files.push((format!("blobs/sha256/{}", digest(layer)), bytes));
    }
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    tar(&files)
}

fn look(image: &[u8]) -> Inventory {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    std::fs::write(&path, image).unwrap();
    Inventory::packages(&path).unwrap()
}

fn packages(inventory: &Inventory) -> Vec<String> {
    let all = inventory.locks.iter().flat_map(|lock| &lock.packages);
    all.map(Package::purl).collect()
}

#[test]
fn scn_05_packages_of_the_system_and_of_languages() {
    let base = tar(&[
        ("etc/os-release", RELEASE.as_bytes()),
        ("var/lib/dpkg/status", STATUS.as_bytes()),
    ]);
    let app = tar(&[("./app/requirements.txt", b"jinja2==2.10\n")]);
    let packed = zstd::encode_all(&app[..], 1).unwrap();
    let expected = [
        "pkg:pypi/jinja2@2.10",
        "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12",
    ];
    for image in [
        saved(&[base.clone(), app.clone()]),
        layout(&[gzip(&base), packed], false),
    ] {
        let inventory = look(&image);
        assert_eq!(inventory.gaps, []);
        assert_eq!(packages(&inventory), expected);
    }
    let altered = look(&layout(&[gzip(&base)], true));
    assert!(altered.locks.is_empty());
    assert!(altered.gaps[0].why.contains("is not what its digest says"));
}

#[test]
fn later_layers_take_away_what_earlier_ones_brought() {
    let base = tar(&[
        ("a/requirements.txt", b"a==1\n"),
        ("b/requirements.txt", b"b==1\n"),
        ("b/deep/requirements.txt", b"c==1\n"),
        ("d/requirements.txt", b"d==1\n"),
    ]);
    let change = tar(&[
        ("a/.wh.requirements.txt", b""),
        ("b/e/requirements.txt", b"e==1\n"),
        ("b/.wh..wh..opq", b""),
        ("d/requirements.txt", b"d==2\n"),
    ]);
    let inventory = look(&saved(&[base.clone(), change]));
    assert_eq!(packages(&inventory), ["pkg:pypi/e@1", "pkg:pypi/d@2"]);
    let gone = tar(&[(".wh.b", b""), ("d", b"no folder any more")]);
    assert_eq!(packages(&look(&saved(&[base, gone]))), ["pkg:pypi/a@1"]);
}

#[test]
fn what_is_not_read_is_said() {
    let rpm = tar(&[
        ("etc/os-release", b"ID=fedora\nVERSION_ID=40\n"),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", b"SQLite format 3\0"),
    ]);
    let nameless = tar(&[("var/lib/dpkg/status", STATUS.as_bytes())]);
    let bare = tar(&[("etc/os-release", RELEASE.as_bytes())]);
    for (layer, why) in [
        (rpm, "RPM"),
        (nameless, "which release"),
        (bare, "without a known database"),
        (b"no layer at all".repeat(50), "cannot be read"),
    ] {
        let inventory = look(&saved(&[layer]));
        assert!(
            inventory.gaps.iter().any(|gap| gap.why.contains(why)),
            "{why}: {:?}",
            inventory.gaps
        );
    }
    let missing = tar(&[("manifest.json", br#"[{"Layers":["x/layer.tar"]}]"#)]);
    assert!(look(&missing).gaps[0].why.contains("lacks"));
}

#[test]
fn a_folder_with_a_manifest_of_its_own_is_no_image() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("manifest.json", "[]"), ("requirements.txt", "a==1\n")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let inventory = Inventory::packages(folder.path()).unwrap();
    assert_eq!(packages(&inventory), ["pkg:pypi/a@1"]);
}

/// Weak by the source package and the release, and by nothing else.
#[test]
fn weaknesses_of_a_distribution_are_known_by_source_and_release() {
    let advisory = |id: &str, ecosystem: &str, fixed: &str| {
        let record = json!({
            "id": id, "modified": "2026-01-01T00:00:00Z",
            "affected": [{
                "package": { "ecosystem": ecosystem, "name": "openssl" },
                "ranges": [{ "type": "ECOSYSTEM",
                    "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
            }],
        });
        Advisory::from_json(&record.to_string()).unwrap()
    };
    let advisories = vec![
        advisory("DSA-1", "Debian:12", "3.0.11-1~deb12u10"),
        advisory("DSA-2", "Debian:12", "3.0.11-1~deb12u2"),
        advisory("DSA-3", "Debian:11", "9"),
        advisory("USN-1", "Ubuntu:22.04:LTS", "9"),
    ];
    let database = Database::new(advisories, Vec::new(), "2026-01-02").unwrap();
    let layer = tar(&[
        ("etc/os-release", RELEASE.as_bytes()),
        ("var/lib/dpkg/status", STATUS.as_bytes()),
    ]);
    let found = audit(
        &look(&saved(&[layer])),
        &AuditOptions {
            database: &database,
            exceptions: &Exceptions::default(),
            hygiene: Hygiene { pins: false },
            today: "2026-01-03".parse().unwrap(),
            max_age_days: None,
        },
    );
    assert!(found.files[0].report.is_complete());
    let messages: Vec<&str> = found.files[0]
        .report
        .findings
        .iter()
        .map(|finding| &*finding.message)
        .collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].starts_with("DSA-1 in `libssl3` 3.0.11-1~deb12u2"),
        "{messages:?}"
    );
}
