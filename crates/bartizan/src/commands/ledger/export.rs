use std::io::{BufWriter, Write as _};

use bartizan_gateway::{
    clock::{Clock as _, SystemClock},
    record::first_since,
};
use bartizan_ledger::{Folder, Reader, Signer, Trust, write_export};
use serde_json::json;

use super::{gateways, problem, trust_of};
use crate::{
    cli::{Export, PlainFormat},
    commands::{keys, runtime, serve::problems},
    engine::config_at,
    exit::Exit,
    files, output,
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
    let mut out = BufWriter::new(files::create_private(file).map_err(failed)?);
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

/// The key that signs the ledger, from what the gateway keeps; that it was asked for is recorded.
fn signer(arguments: &Export, trust: &Trust) -> Result<Signer, Problems> {
    let place = &arguments.place;
    let config = config_at(place.config.as_deref())?;
    let signer = runtime()?.block_on(async {
        let (rest, data) = keys::at_rest(place, &config).await?;
        let noted = rest.note_export(&config.file, &data).await;
        noted.map_err(|error| problems(&config, &error))?;
        Ok::<_, Problems>(rest.ledger_signer(trust.ledger.name()))
    })?;
    signer
        .filter(|signer| signer.verifier() == trust.ledger)
        .ok_or_else(|| {
            let help = "with `--data`, name the data folder of the gateway that writes it";
            Problem::new("this ledger is signed by another key")
                .help(help)
                .into()
        })
}
