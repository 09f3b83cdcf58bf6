//! `bartizan retention`: what is too old goes.

use std::{fmt::Write as _, path::Path};

use bartizan_govern::{Planned, Swept, plan, sweep};
use serde_json::{Map, Value, json};

use crate::{
    cli::{KeyPlace, PlainFormat, RetentionCommand},
    exit::Exit,
    output,
    personal::{Desk, Proof, failed, moment, now_ms},
    problem::Problems,
    render::safe,
};

/// Does what the arguments say.
pub(crate) fn run(command: &RetentionCommand) -> Result<Exit, Problems> {
    match command {
        RetentionCommand::Plan { place } => {
            let desk = Desk::open(place)?;
            let planned = planned(&desk)?;
            output::stdout(&match place.format {
                PlainFormat::Json => {
                    let rows: Vec<Value> = planned.iter().map(as_json).collect();
                    json!({ "version": 1, "plan": rows }).to_string() + "\n"
                }
                PlainFormat::Human => planned.iter().map(line).collect(),
            })?;
            Ok(Exit::Clean)
        }
        RetentionCommand::Run { proof, place } => swept(place, proof.as_deref()),
    }
}

fn planned(desk: &Desk) -> Result<Vec<Planned>, Problems> {
    let mut stores = desk.stores()?;
    let (holds, now) = (desk.holds(), now_ms());
    let classes = &desk.config.file.govern.classes;
    let mut all = Vec::new();
    for (entry, store) in stores.entries.iter().zip(&mut stores.open) {
        match plan(&mut **store, entry, classes, &holds, now) {
            Ok(planned) => all.extend(planned),
            Err(fault) => return Err(failed(&entry.name, &fault).into()),
        }
    }
    Ok(all)
}

fn swept(place: &KeyPlace, proof: Option<&Path>) -> Result<Exit, Problems> {
    let desk = Desk::open(place)?;
    let began_ms = now_ms();
    let (holds, mut stores) = (desk.holds(), desk.stores()?);
    let classes = &desk.config.file.govern.classes;
    let mut all: Vec<Swept> = Vec::new();
    let mut problems = Problems::new();
    // One store that cannot be used keeps no other from being swept.
    for (entry, store) in stores.entries.iter().zip(&mut stores.open) {
        let swept = match plan(&mut **store, entry, classes, &holds, began_ms) {
            Ok(None) => continue,
            Ok(Some(planned)) => sweep(&mut **store, planned, &holds),
            Err(fault) => Err(fault),
        };
        match swept {
            Ok(swept) => all.push(swept),
            Err(fault) => problems.push(failed(&entry.name, &fault)),
        }
    }
    let rows: Vec<Value> = all
        .iter()
        .map(|swept| {
            let mut row = as_json(&swept.planned);
            if let Value::Object(row) = &mut row {
                row.insert("removed".to_owned(), swept.removed.into());
                row.insert("left".to_owned(), swept.left.into());
            }
            row
        })
        .collect();
    if let Some(path) = proof {
        let account = Map::from_iter([
            ("version".to_owned(), 1.into()),
            ("kind".to_owned(), "retention".into()),
            ("began".to_owned(), moment(began_ms).into()),
            ("ended".to_owned(), moment(now_ms()).into()),
            ("complete".to_owned(), problems.is_empty().into()),
            ("stores".to_owned(), rows.clone().into()),
        ]);
        let text = Proof::new(&desk.key)?.sign(account)?;
        super::subject::write(path, &text)?;
    }
    output::stdout(&match place.format {
        PlainFormat::Json => json!({ "version": 1, "swept": rows }).to_string() + "\n",
        PlainFormat::Human => {
            let mut text = String::new();
            for swept in &all {
                text.push_str(&line(&swept.planned));
                let _ = writeln!(text, "  removed {}, left {}", swept.removed, swept.left);
            }
            text
        }
    })?;
    if !problems.is_empty() {
        return Err(problems);
    }
    let is_done = all.iter().all(|swept| swept.left == 0);
    Ok(if is_done {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

fn line(planned: &Planned) -> String {
    let hold = planned.hold.as_ref();
    let hold = hold.map_or_else(String::new, |hold| format!(", all held by `{}`", hold.0));
    format!(
        "{}  {}, {} days: {} records before {}, {} held{}\n",
        safe::line(&planned.store),
        safe::line(&planned.class),
        planned.days,
        planned.old,
        moment(planned.before_ms),
        planned.held,
        safe::line(&hold)
    )
}

fn as_json(planned: &Planned) -> Value {
    json!({
        "store": planned.store,
        "class": planned.class,
        "days": planned.days,
        "before": moment(planned.before_ms),
        "old": planned.old,
        "held": planned.held,
        "hold": planned.hold.as_ref().map(|hold| hold.0.as_str()),
    })
}
