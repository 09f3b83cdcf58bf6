//! `bartizan sign`: signatures of models.

use std::path::{Path, PathBuf};

use bartizan_supply::{
    digest::{Tree, hash_tree},
    sign::{SharedKeyManifest, describe, sign_blob, sign_statement},
};

use crate::{
    cli::Sign,
    clock,
    exit::Exit,
    files,
    input::{escaped, read_bytes},
    output,
    problem::{Problem, Problems},
    signing::{
        MAX_BLOB_BYTES, SIGNATURE, algorithm, digest_problem, granularity, selection, shared_key,
        sign_problem, signer, threads,
    },
};

/// Writes the signature of a model.
pub(crate) fn run(arguments: &Sign) -> Result<Exit, Problems> {
    let output = arguments.output.clone();
    let output = output.unwrap_or_else(|| PathBuf::from(SIGNATURE));
    let (text, what) = if let Some(key) = &arguments.shared_key {
        (shared(arguments, key)?, "manifest")
    } else if arguments.blob {
        let bytes = read_bytes(&arguments.path, MAX_BLOB_BYTES)?;
        let bundle = sign_blob(&bytes, &signer(&arguments.signer)?);
        (
            bundle.map_err(|error| sign_problem(&error))?.to_json(),
            "signature",
        )
    } else {
        (model(arguments, &output)?, "signature")
    };
    files::write(&output, &text)?;
    let path = escaped(&arguments.path);
    output::stderr(&format!("{what} of `{path}` in `{}`\n", escaped(&output)));
    Ok(Exit::Clean)
}

fn model(arguments: &Sign, output: &Path) -> Result<String, Problem> {
    let digesting = &arguments.digesting;
    // The key first: it is quick to say that there is none.
    let signer = signer(&arguments.signer)?;
    let mut selection = selection(digesting, !arguments.include_git);
    if let Some(name) = name_within(output, &arguments.path) {
        selection.ignored.push(name);
    }
    let statement = describe(
        &arguments.path,
        selection,
        algorithm(digesting.algorithm),
        granularity(digesting),
        threads(digesting.threads),
    );
    let statement = statement.map_err(|error| sign_problem(&error))?;
    let bundle = sign_statement(&statement.to_statement(), &signer);
    Ok(bundle.map_err(|error| sign_problem(&error))?.to_json())
}

fn shared(arguments: &Sign, key: &Path) -> Result<String, Problem> {
    let key = shared_key(key)?;
    let digesting = &arguments.digesting;
    let algorithm = algorithm(digesting.algorithm);
    let selection = selection(digesting, !arguments.include_git);
    let tree = Tree::walk(&arguments.path, &selection)
        .and_then(|tree| tree.complete(&arguments.path))
        .map_err(|error| digest_problem(&error))?;
    let manifest = hash_tree(
        &tree,
        algorithm,
        Default::default(),
        threads(digesting.threads),
    );
    let manifest = manifest.map_err(|error| digest_problem(&error))?;
    let digest = manifest.digest_of(&tree, algorithm);
    let now = clock::now();
    let signed = SharedKeyManifest::sign(&tree.name, &digest, &now, Default::default(), &key);
    signed.map(|manifest| manifest.to_json()).map_err(|_| {
        Problem::new("the shared key has fewer than 16 bytes")
            .help("`openssl rand -hex 32` makes one")
    })
}

/// What a signature inside of the model is called there.
fn name_within(file: &Path, model: &Path) -> Option<String> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let file = folder.canonicalize().ok()?.join(file.file_name()?);
    let name = file.strip_prefix(model.canonicalize().ok()?).ok()?;
    let parts: Option<Vec<&str>> = name.iter().map(|part| part.to_str()).collect();
    parts
        .map(|parts| parts.join("/"))
        .filter(|name| !name.is_empty())
}
