//! `bartizan bom`: what is in a folder, as a bill of materials.

use bartizan_supply::bom::{BomFacts, CycloneDxVersion, Inventory, cyclonedx, spdx};

use crate::{
    cli::{Bom, BomFormat},
    clock, env,
    exit::Exit,
    files,
    input::escaped,
    output,
    problem::{Problem, Problems},
    render::safe,
    signing::{digest_problem, threads},
};

/// Writes a bill of materials; what could not be read is said, and makes it incomplete.
pub(crate) fn run(arguments: &Bom) -> Result<Exit, Problems> {
    let inventory = Inventory::take(&arguments.path, threads(None));
    let inventory = inventory.map_err(|error| digest_problem(&error))?;
    let is_empty = inventory.locks.iter().all(|lock| lock.packages.is_empty())
        && inventory.models.is_empty()
        && inventory.data.is_empty()
        && inventory.prompts.is_empty();
    if is_empty && inventory.gaps.is_empty() {
        let path = escaped(&arguments.path);
        let message = format!("`{path}` holds no packages, models, data sets, or prompts");
        return Err(Problem::new(message)
            .help("is this the right folder?")
            .into());
    }
    let given = created()?;
    let mut facts = BomFacts {
        tool_version: env!("CARGO_PKG_VERSION"),
        created: given.as_deref(),
    };
    let text = match arguments.format {
        BomFormat::Cyclonedx => cyclonedx(&inventory, CycloneDxVersion::V1_6, &facts),
        BomFormat::Cyclonedx17 => cyclonedx(&inventory, CycloneDxVersion::V1_7, &facts),
        BomFormat::Spdx => {
            // SPDX asks for a time in any case.
            let now = clock::now();
            facts.created = facts.created.or(Some(&now));
            spdx(&inventory, &facts)
        }
    };
    match &arguments.output {
        Some(path) => files::write(path, &text)?,
        None => output::stdout(&text)?,
    }
    for gap in &inventory.gaps {
        let line = safe::line(&format!("{}: {}", gap.path, gap.why));
        output::stderr(&format!("incomplete: {line}\n"));
    }
    Ok(if inventory.gaps.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

/// The time that reproducible builds are given (reproducible-builds.org, `SOURCE_DATE_EPOCH`).
fn created() -> Result<Option<String>, Problem> {
    let Some(text) = env::get(env::SOURCE_DATE_EPOCH) else {
        return Ok(None);
    };
    let seconds = text.to_str().and_then(|text| text.parse().ok());
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let time = time.ok_or_else(|| {
        Problem::new(format!(
            "`{}` is no number of seconds",
            env::SOURCE_DATE_EPOCH
        ))
    })?;
    Ok(Some(time.to_string()))
}
