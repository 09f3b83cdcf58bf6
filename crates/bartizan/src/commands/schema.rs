//! `bartizan schema`: the JSON schema of a file format.

use crate::{
    cli::SchemaOf,
    config, eval,
    exit::Exit,
    output,
    problem::{Problem, Problems},
    render::{artifacts, json},
};

/// Prints a schema.
pub(crate) fn run(of: SchemaOf) -> Result<Exit, Problems> {
    let mut schema = match of {
        SchemaOf::Policy => bartizan_policy::schema().to_value(),
        SchemaOf::Config => config::schema().to_value(),
        SchemaOf::RulePack => bartizan_text::rules::schema(),
        SchemaOf::Report => json::v1::schema().to_value(),
        SchemaOf::Eval => eval::v1::schema().to_value(),
        SchemaOf::Scan => artifacts::json::schema().to_value(),
        SchemaOf::Suite => bartizan_redteam::schema(),
        SchemaOf::Redteam => bartizan_redteam::report::v1::schema(),
    };
    // The order of keys must not hang on what else is compiled in.
    schema.sort_all_objects();
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Problem::new(format!("cannot write the schema: {error}")))?;
    output::data(format!("{text}\n").as_bytes())?;
    Ok(Exit::Clean)
}
