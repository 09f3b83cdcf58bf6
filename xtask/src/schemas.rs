//! The JSON schemas of what users write and read.

use miette::IntoDiagnostic as _;

use crate::generate::{Generated, Program};

/// The schema files. That of rule packs comes with the command `packs`.
pub(crate) fn files(program: &Program) -> miette::Result<Vec<Generated>> {
    let mut policy = bartizan_policy::schema().to_value();
    policy.sort_all_objects();
    let policy = schemars::Schema::try_from(policy).into_diagnostic()?;
    let policy = serde_json::to_string_pretty(&policy).into_diagnostic()? + "\n";
    Ok(vec![
        Generated {
            path: "schemas/policy.schema.json".to_owned(),
            content: policy,
        },
        Generated {
            path: "schemas/config.schema.json".to_owned(),
            content: program.print(&["schema", "config"])?,
        },
        Generated {
            path: "schemas/report.v1.schema.json".to_owned(),
            content: program.print(&["schema", "report"])?,
        },
        Generated {
            path: "schemas/eval.v1.schema.json".to_owned(),
            content: program.print(&["schema", "eval"])?,
        },
        Generated {
            path: "schemas/scan.v1.schema.json".to_owned(),
            content: program.print(&["schema", "scan"])?,
        },
        Generated {
            path: "schemas/suite.schema.json".to_owned(),
            content: program.print(&["schema", "suite"])?,
        },
        Generated {
            path: "schemas/redteam.v1.schema.json".to_owned(),
            content: program.print(&["schema", "redteam"])?,
        },
    ])
}
