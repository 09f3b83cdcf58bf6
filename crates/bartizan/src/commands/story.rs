//! `bartizan explain REQUEST-ID`: the story of a decision, from the gateway's record.

use std::path::Path;

use bartizan_gateway::{
    record::{AuditStore as _, Query, RequestId, SqlAudit, Story},
    start::placed,
    store::Store,
};

use super::{runtime, serve::data_folder};
use crate::{
    config::Config,
    exit::Exit,
    output,
    problem::{Problem, Problems},
};

/// Most events of one request.
const EVENTS: u32 = 1_000;

/// Shows what the record holds about a request.
pub(super) fn show(
    request: RequestId,
    data: Option<&Path>,
    config: &Config,
) -> Result<Exit, Problems> {
    let place = placed(&config.file, &data_folder(data, &config.file)?);
    if !place.place.is_postgres() && !Path::new(place.place.expose()).exists() {
        let problem = format!("there is no record at {}", place.place.expose());
        let help = "name the gateway's data folder with `--data`";
        return Err(Problem::new(problem).help(help).into());
    }
    let story = runtime()?.block_on(async {
        let store = Store::open_with(&place)
            .await
            .map_err(|error| Problem::new(error.to_string()))?;
        let query = Query {
            request_id: Some(request),
            limit: EVENTS,
            ..Query::default()
        };
        let stored = SqlAudit::new(store)
            .query(&query)
            .await
            .map_err(|error| Problem::new(error.to_string()))?;
        Ok::<_, Problem>(Story::of(request, stored))
    })?;
    let Some(story) = story else {
        return Err(
            Problem::new(format!("the record knows no request `{request}`"))
                .help("a request shows up in the record within a second")
                .into(),
        );
    };
    output::stdout(&format!("{story}\n"))?;
    Ok(Exit::Clean)
}
