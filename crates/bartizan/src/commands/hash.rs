//! `bartizan hash`: what files and folders are, by their bytes.

use std::{fmt::Write as _, path::Path};

use bartizan_supply::digest::{
    Algorithm, Digest, DigestError, Manifest, Resource, ResourceName, Tree, hash_source, hash_tree,
};
use serde_json::{Value, json};

use super::seal::MANIFEST;
use crate::{
    cli::{Hash, PlainFormat},
    exit::Exit,
    input::{cannot_read, escaped},
    output,
    problem::{Problem, Problems},
    render::safe,
    sealing::{self, Ring},
    signing::{algorithm, digest_problem, granularity, selection, threads},
};

/// One answer.
struct Hashed {
    name: String,
    digest: Digest,
    manifest: Manifest,
    bytes: u64,
}

/// Says the digest of every path.
pub(crate) fn run(arguments: &Hash) -> Result<Exit, Problems> {
    let expected = arguments.expect.as_deref().map(|text| {
        Digest::parse(text).ok_or_else(|| {
            Problem::new("`--expect` is no digest")
                .help("write it as `bartizan hash` does, e.g. `sha256:` and 64 hexadecimal digits")
        })
    });
    let expected = expected.transpose()?;
    if let Some(expected) = &expected
        && expected.algorithm() != algorithm(arguments.digesting.algorithm)
    {
        let message = format!("`--expect` is a digest of `{}`", expected.algorithm());
        let help = format!("add `--algorithm {}`", expected.algorithm());
        return Err(Problem::new(message).help(help).into());
    }
    let ring = Ring::for_reading(&arguments.unseal, None)?;
    let mut all = Vec::new();
    let mut exit = Exit::Clean;
    for path in &arguments.path {
        let hashed = match &ring {
            None => hashed(path, arguments).map_err(|error| digest_problem(&error))?,
            Some(ring) => unsealed(path, arguments, ring)?,
        };
        if expected
            .as_ref()
            .is_some_and(|expected| *expected != hashed.digest)
        {
            exit = Exit::Findings;
        }
        all.push(hashed);
    }
    output::stdout(&match arguments.format {
        PlainFormat::Human => as_text(&all, arguments),
        PlainFormat::Json => as_json(&all, expected.as_ref()),
    })?;
    if exit == Exit::Findings {
        output::stderr("the digest is another one than expected\n");
    }
    Ok(exit)
}

/// The same over what sealed files hold, so that a model has one digest, sealed or not.
fn unsealed(path: &Path, arguments: &Hash, ring: &Ring) -> Result<Hashed, Problem> {
    let digesting = &arguments.digesting;
    if digesting.shards.is_some() {
        return Err(Problem::new("sealed files are digested whole").help("leave out `--shards`"));
    }
    let mut selection = selection(digesting, arguments.ignore_git);
    selection.ignored.push(MANIFEST.to_owned());
    let tree = Tree::walk(path, &selection).and_then(|tree| tree.complete(path));
    let tree = tree.map_err(|error| digest_problem(&error))?;
    let algorithm = algorithm(digesting.algorithm);
    let mut bytes = 0;
    let mut resources = Vec::with_capacity(tree.files.len());
    for file in &tree.files {
        let source = sealing::open(&file.path, Some(ring))?;
        bytes += source.len();
        let digest = hash_source(&*source, algorithm);
        resources.push(Resource {
            name: ResourceName {
                path: file.name.clone(),
                range: None,
            },
            digest: digest.map_err(|error| cannot_read(&file.path, &error))?,
        });
    }
    Ok(Hashed::new(
        path,
        &tree,
        algorithm,
        Manifest { resources },
        bytes,
    ))
}

fn hashed(path: &Path, arguments: &Hash) -> Result<Hashed, DigestError> {
    let digesting = &arguments.digesting;
    let tree = Tree::walk(path, &selection(digesting, arguments.ignore_git))?.complete(path)?;
    let algorithm = algorithm(digesting.algorithm);
    let bytes = tree.files.iter().map(|file| file.length).sum();
    let manifest = hash_tree(
        &tree,
        algorithm,
        granularity(digesting),
        threads(digesting.threads),
    )?;
    Ok(Hashed::new(path, &tree, algorithm, manifest, bytes))
}

impl Hashed {
    fn new(path: &Path, tree: &Tree, algorithm: Algorithm, manifest: Manifest, bytes: u64) -> Self {
        Self {
            name: escaped(path),
            digest: manifest.digest_of(tree, algorithm),
            manifest,
            bytes,
        }
    }
}

fn as_text(all: &[Hashed], arguments: &Hash) -> String {
    let mut text = String::new();
    for hashed in all {
        if arguments.files {
            text.push_str(&hashed.manifest.lines());
        } else {
            let _ = writeln!(text, "{}  {}", hashed.digest, hashed.name);
        }
    }
    text
}

fn as_json(all: &[Hashed], expected: Option<&Digest>) -> String {
    let all: Vec<Value> = all
        .iter()
        .map(|hashed| {
            let files = hashed.manifest.resources.iter().map(|resource| {
                json!({
                    "name": safe::line(&resource.name.to_string()),
                    "digest": resource.digest.to_string(),
                })
            });
            json!({
                "path": hashed.name,
                "digest": hashed.digest.to_string(),
                "model_signing_root": hashed.manifest.root().to_string(),
                "bytes": hashed.bytes,
                "files": files.collect::<Vec<_>>(),
                "expected": expected.map(|expected| *expected == hashed.digest),
            })
        })
        .collect();
    json!({ "version": 1, "paths": all }).to_string() + "\n"
}
