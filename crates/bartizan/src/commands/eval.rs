//! `bartizan eval`: labelled texts in, how well they are told apart out.

use std::{num::NonZeroUsize, path::Path, sync::Arc, thread};

use bartizan_core::{Direction, Origin};

use crate::{
    cli::{Eval, EvalFormat},
    clock::{self, Stopwatch},
    config::is_policy,
    engine::{Engine, policy, read_config},
    eval::{
        Counting, Judges, Results, Row, Rows, ScoreFile, Setting, judge_all, reservoir, summarise,
        v1::Evaluation,
    },
    exit::Exit,
    files,
    input::{cannot_read, escaped, read_text},
    output,
    problem::{Problem, Problems},
    render::evaluation::{html, human},
};

/// Evaluates, and says whether every gate held.
pub(crate) fn run(arguments: &Eval) -> Result<Exit, Problems> {
    spares_its_input(arguments)?;
    let engine = Engine::new(&arguments.setup)?;
    let against = match &arguments.against {
        Some(path) => Some(Against::read(arguments, &engine, path)?),
        None => None,
    };
    let judges = Judges {
        judge: engine.judge.clone(),
        against: against.as_ref().map(|against| against.engine.judge.clone()),
    };
    let counting = counting(arguments);
    let jobs = arguments
        .jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let mut rows = Rows::new(arguments)?;
    let mut results = Results::new(
        against.is_some(),
        usize::from(arguments.errors),
        arguments.show_text,
    );
    let watch = Stopwatch::start();
    let mut scores = match &arguments.scores {
        Some(path) => Some(ScoreFile::create(path, &arguments.files)?),
        None => None,
    };
    let not_drawn = {
        let take = |row: Row, judged| {
            if let Some(scores) = &mut scores {
                scores.add(&row, &judged)?;
            }
            results.add(&row, &judged)
        };
        match arguments.sample {
            None => {
                judge_all(&mut rows, &judges, &counting, jobs, take)?;
                0
            }
            Some(size) => {
                let (drawn, all) = reservoir(&mut rows, size.get(), arguments.seed)?;
                let not_drawn = all - drawn.len() as u64;
                let drawn = drawn.into_iter().map(Ok);
                judge_all(drawn, &judges, &counting, jobs, take)?;
                not_drawn
            }
        }
    };
    let nanos = watch.nanos();
    if let Some(scores) = scores {
        scores.finish()?;
    }
    let [incomplete_positives, incomplete_negatives] = results.incomplete;
    if results.len() == 0 && incomplete_positives + incomplete_negatives == 0 {
        return Err(rows.nothing().into());
    }
    rows.dimensions.check()?;
    let setting = Setting {
        arguments,
        counting: &counting,
        judges: &judges,
        rules_version: engine.rules.version(),
        against: against.as_ref().map(|against| {
            (
                against.name.as_str(),
                against.kind,
                against.engine.rules.version(),
            )
        }),
        not_drawn,
        jobs,
        nanos,
    };
    let evaluation = summarise(&rows, &results, &setting);
    if let Some(path) = &arguments.html {
        let page = html::page(&evaluation);
        files::write(path, &page)?;
    }
    match arguments.format {
        EvalFormat::Human => output::stdout(&human::report(&evaluation, output::columns()))?,
        EvalFormat::Json => {
            let text = serde_json::to_string_pretty(&evaluation)
                .map_err(|error| Problem::new(format!("cannot write the report: {error}")))?;
            output::data(format!("{text}\n").as_bytes())?;
        }
    }
    Ok(exit(&evaluation))
}

/// What is written must not be what is read.
fn spares_its_input(arguments: &Eval) -> Result<(), Problem> {
    let same = |a: &Path, b: &Path| {
        a.canonicalize()
            .is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
    };
    for written in arguments.html.iter().chain(&arguments.scores) {
        let read = arguments.files.iter().chain(&arguments.against);
        if read.into_iter().any(|read| same(read, written)) {
            let message = format!(
                "`{}` would be overwritten while it is read",
                escaped(written)
            );
            return Err(Problem::new(message).help("give another name to write to"));
        }
    }
    Ok(())
}

/// A failed gate wins over rows that were not looked at.
const fn exit(evaluation: &Evaluation) -> Exit {
    if !evaluation.passed {
        Exit::Findings
    } else if !evaluation.complete {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

/// What it is compared with.
struct Against {
    name: String,
    /// `policy` or `configuration`.
    kind: &'static str,
    engine: Engine,
}

impl Against {
    /// Reads a policy or a configuration, whichever it is.
    fn read(arguments: &Eval, first: &Engine, path: &Path) -> Result<Self, Problems> {
        if !path.is_file() {
            let error = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(cannot_read(path, &error).into());
        }
        let name = escaped(path);
        let mut setup = arguments.setup.clone();
        if is_policy(&read_text(path)?) {
            setup.policy = Some(path.to_owned());
            let policy = policy(&setup, &read_config(&setup)?)?;
            return Ok(Self {
                name,
                kind: "policy",
                engine: Engine {
                    judge: first.judge.clone().with_policy(Arc::new(policy)),
                    rules: Arc::clone(&first.rules),
                    styles: first.styles.clone(),
                },
            });
        }
        setup.config = Some(path.to_owned());
        Ok(Self {
            name,
            kind: "configuration",
            engine: Engine::new(&setup)?,
        })
    }
}

fn counting(arguments: &Eval) -> Counting<'_> {
    let is_output = arguments.output || arguments.sink.is_some();
    let (direction, by_default) = if is_output {
        (Direction::Output, Origin::Model)
    } else {
        (Direction::Input, Origin::User)
    };
    Counting {
        origin: arguments.origin.unwrap_or(by_default),
        direction,
        sink: arguments.sink,
        route: &arguments.route,
        today: clock::today(),
        score: arguments.score,
        caught: arguments.caught.into(),
        categories: &arguments.category,
        names_rules: arguments.errors > 0,
    }
}
