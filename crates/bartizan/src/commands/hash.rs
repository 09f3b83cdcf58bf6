//! `bartizan hash`: what files and folders are, by their bytes.

use std::{fmt::Write as _, path::Path};

use bartizan_supply::digest::{Digest, DigestError, Manifest, Tree, hash_tree};
use serde_json::{Value, json};

use crate::{
    cli::{Hash, PlainFormat},
    exit::Exit,
    input::escaped,
    output,
    problem::{Problem, Problems},
    render::safe,
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
    let mut all = Vec::new();
    let mut exit = Exit::Clean;
    for path in &arguments.path {
        let hashed = hashed(path, arguments).map_err(|error| digest_problem(&error))?;
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
    let digest = manifest.digest_of(&tree, algorithm);
    Ok(Hashed {
        name: escaped(path),
        digest,
        manifest,
        bytes,
    })
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
