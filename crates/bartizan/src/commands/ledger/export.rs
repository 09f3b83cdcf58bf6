use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    sync::Arc,
};

use bartizan_gateway::{
    clock::{Clock as _, SystemClock},
    record::first_since,
    secrets::ProcessEnvironment,
    start::AtRest,
};
use bartizan_ledger::{Folder, Reader, Signer, Trust, write_export};
use serde_json::json;

use super::{config, gateways, problem, trust_of};
use crate::{
    cli::{Export, PlainFormat},
    commands::serve::{data_folder, problems},
    exit::Exit,
    output,
    problem::{Problem, Problems},
};

/// Writes entries with what proves them.
pub(super) fn run(arguments: &Export) -> Result<Exit, Problems> {
    let dir = gateways(arguments.dir.as_deref(), &arguments.place)?;
    let (folder, trust) = (Folder::shared(&dir), trust_of(&dir)?);
    let signer = if arguments.sign {
        Some(signer(arguments, &trust)?)
    } else {
        None
    };
    let (reader, signed) = Reader::newest(&folder, &trust).map_err(problem)?;
    let first = match arguments.since {
        None => 0,
        Some(since) => {
            let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            let since = SystemClock.unix_ms().saturating_sub(ms);
            first_since(&reader, since).map_err(problem)?
        }
    };
    let end = signed.checkpoint.size;
    let file = &arguments.output;
    let failed = |error| Problem::new(format!("cannot write {}: {error}", file.display()));
    let mut out = BufWriter::new(private(file).map_err(failed)?);
    let key = trust.ledger.to_string();
    write_export(
        &reader,
        &signed,
        first..end,
        signer.as_ref(),
        &key,
        &mut out,
    )
    .map_err(problem)?;
    out.flush().map_err(failed)?;
    let count = end - first;
    output::stdout(&match arguments.place.format {
        PlainFormat::Human => format!(
            "{}: {count} entries from {first} on\n  `bartizan ledger verify --export {} --key {key}` verifies it\n",
            file.display(),
            file.display(),
        ),
        PlainFormat::Json => {
            let report = json!({
                "version": 1,
                "file": file.display().to_string(),
                "first": first,
                "end": end,
                "is_signed": arguments.sign,
                "key": key,
            });
            format!("{report}\n")
        }
    })?;
    Ok(Exit::Clean)
}

/// Entries name users: nobody else reads the file.
fn private(file: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)
}

/// The key that signs the ledger, from what the gateway keeps; that it was asked for is recorded.
fn signer(arguments: &Export, trust: &Trust) -> Result<Signer, Problems> {
    if let Err(error) = bartizan_gateway::serve::forbid_core_dumps() {
        output::note(&format!("core dumps cannot be forbidden: {error}"));
    }
    let place = &arguments.place;
    let config = config(place)?;
    let data = data_folder(place.data.as_deref(), &config.file)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(format!("cannot start: {error}")))?;
    let signer = runtime.block_on(async {
        let clock = Arc::new(SystemClock);
        let rest = AtRest::open(&config.file, &data, &ProcessEnvironment, clock).await?;
        rest.note_export(&config.file, &data).await?;
        Ok(rest.ledger_signer(trust.ledger.name()))
    });
    let signer = signer.map_err(|error| problems(&config, &error))?;
    signer
        .filter(|signer| signer.verifier() == trust.ledger)
        .ok_or_else(|| {
            let help = "with `--data`, name the data folder of the gateway that writes it";
            Problem::new("this ledger is signed by another key")
                .help(help)
                .into()
        })
}
