//! `bartizan redteam`: attacks on one's own system, and what each layer stops.

mod regress;
mod tools;

use std::{
    io::{self, IsTerminal},
    num::NonZeroUsize,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use bartizan_core::{Direction, Origin};
use bartizan_redteam::{
    Chain, LayerSet, Layers, MUTATORS, Scorer, Suite, Target, Test,
    adaptive::{Means, Strategy, hunt},
    corpus,
    report::{self, Adaptive, v1::Report},
    run::{self, Plan, Run},
};

use crate::{
    cli::{Redteam, RedteamCommand, RedteamFormat, RedteamRun, Search},
    clock::{self, Stopwatch},
    engine::Engine,
    exit::Exit,
    files,
    input::{escaped, read_text},
    output,
    problem::{Problem, Problems, nearest},
    redteam::{CommandTarget, Endpoint, Scope, judged, load},
    render::redteam::{html, human},
};

/// Does what the arguments say.
pub(crate) fn run(arguments: Redteam) -> Result<Exit, Problems> {
    match arguments.command {
        None => attack(&arguments.run),
        Some(RedteamCommand::List { what, suite }) => tools::list(what, &suite),
        Some(RedteamCommand::Mutate { chain, text, seed }) => tools::mutate(&chain, text, seed),
        Some(RedteamCommand::Regress(arguments)) => regress::run(&arguments),
    }
}

/// Attacks the target and reports.
fn attack(arguments: &RedteamRun) -> Result<Exit, Problems> {
    writes_are_known(arguments)?;
    let is_layers = arguments.target.is_none() && arguments.command.is_none();
    let suites = suites(arguments, is_layers)?;
    let plan = Plan {
        tests: suites.iter().flat_map(|suite| &suite.tests).collect(),
        chains: chains(&arguments.mutate)?,
        repeat: arguments.repeat,
        seed: arguments.seed,
    };
    if plan.tests.is_empty() {
        let help =
            "`bartizan redteam list tests` names tests, and `--family` takes what they begin with";
        return Err(Problem::new("there is nothing to try").help(help).into());
    }
    let before = match &arguments.baseline {
        Some(path) => Some(earlier(path)?),
        None => None,
    };
    let engine = Engine::new(&arguments.setup)?;
    let watch = Stopwatch::start();
    let clock = || watch.nanos();
    let (target, name) = target(arguments, &engine, &clock)?;
    let scorer = Scorer::new(engine.judge.guard());
    let jobs = jobs(arguments, is_layers);
    if is_layers && let Some(first) = plan.trials().first() {
        // Weights are read when the first text comes, which is no cost of a layer.
        let _ = plan.attempt(*first).map(|attempt| target.ask(&attempt));
    }
    let started = watch.nanos();
    let done = tried(&plan, &*target, &scorer, jobs);
    let searches = searches(arguments, &plan, &done, &*target, &scorer, jobs);
    let setting = report::Setting {
        target: &name,
        rules_version: is_layers.then(|| engine.rules.version()),
        suites: &suites,
        seconds: seconds(watch.nanos().saturating_sub(started)),
    };
    let mut report = report::summarise(&plan, &done, &setting);
    if is_layers {
        let stack = report::stack(&plan, &done);
        let table = report::layer_table(&plan, &done, &stack, &searches, arguments.wanted);
        report.layers = Some(table);
    }
    report.adaptive = searches.iter().map(Into::into).collect();
    report.trend = before.as_ref().map(|before| report::trend(before, &report));
    report.gates = judged(&arguments.gates, &report);
    report.passed = report.gates.iter().all(|gate| gate.passed);
    for path in &arguments.write {
        let form = form_of(path).unwrap_or(RedteamFormat::Json);
        let text = written(&report, form)?;
        files::write(path, &text)?;
    }
    match arguments.format {
        RedteamFormat::Human => output::stdout(&human::report(&report, output::columns()))?,
        form => {
            output::data(written(&report, form)?.as_bytes())?;
        }
    }
    Ok(exit(&report))
}

/// A failed gate wins over attempts without an outcome. Attacks that succeed are what is measured;
/// how many may is said by the gates.
const fn exit(report: &Report) -> Exit {
    if !report.passed {
        Exit::Findings
    } else if !report.complete {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53 for 100 days")]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn jobs(arguments: &RedteamRun, is_layers: bool) -> usize {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    match arguments.jobs {
        Some(jobs) => jobs.get(),
        None if is_layers => cores(),
        // An endpoint is waited for, not computed.
        None => 4,
    }
}

/// The tests: those of the suites and the corpus, of the families that are asked for.
fn suites(arguments: &RedteamRun, is_layers: bool) -> Result<Vec<Suite>, Problems> {
    let mut suites = load(&arguments.suite)?;
    if let Some(path) = &arguments.corpus {
        if is_layers {
            return Err(Problem::new("`--corpus` needs a model to ask")
                .help("name one with `--target` or `--command`")
                .into());
        }
        suites.push(corpus("corpus", &read_text(path)?));
    }
    let prompt = match &arguments.system_prompt {
        Some(path) => Some(read_text(path)?),
        None => None,
    };
    let is_asked = |test: &Test| {
        arguments.family.is_empty()
            || !test.is_attack()
            || arguments
                .family
                .iter()
                .any(|prefix| test.family.id.starts_with(prefix.as_str()))
    };
    // Only layers are asked about answers; a model gives its own.
    let is_fit = |test: &Test| is_layers || test.direction == Direction::Input;
    for suite in &mut suites {
        suite.tests.retain(|test| is_asked(test) && is_fit(test));
        let turns = suite.tests.iter_mut().flat_map(|test| &mut test.turns);
        for turn in turns.filter(|turn| turn.origin == Origin::System) {
            if let Some(prompt) = &prompt {
                turn.text.clone_from(prompt);
            }
        }
    }
    suites.retain(|suite| !suite.tests.is_empty());
    Ok(suites)
}

fn chains(names: &[String]) -> Result<Vec<Chain>, Problem> {
    if names.is_empty() {
        return Ok(vec![Chain::default()]);
    }
    let mut chains: Vec<Chain> = Vec::new();
    for name in names {
        let more = match name.as_str() {
            "each" => Chain::each(),
            name => vec![chain(name)?],
        };
        for chain in more {
            if !chains.contains(&chain) {
                chains.push(chain);
            }
        }
    }
    Ok(chains)
}

fn chain(names: &str) -> Result<Chain, Problem> {
    names
        .parse()
        .map_err(|error: bartizan_redteam::ChainError| {
            let problem = Problem::new(error.to_string());
            match nearest(&error.name, MUTATORS.iter().map(|mutator| mutator.name)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("`bartizan redteam list mutators` names them"),
            }
        })
}

/// The target and its name.
fn target<'c>(
    arguments: &RedteamRun,
    engine: &Engine,
    clock: &'c (dyn Fn() -> u64 + Sync),
) -> Result<(Box<dyn Target + 'c>, String), Problems> {
    let today = clock::today();
    let scope = match &arguments.scope {
        Some(path) => Scope::read(path, today)?,
        None => Scope::default(),
    };
    if let Some(url) = &arguments.target {
        let endpoint = Endpoint::new(arguments, url, &scope)?;
        return Ok((Box::new(endpoint), crate::render::safe::line(url)));
    }
    if let Some(program) = &arguments.command {
        let target = CommandTarget {
            program: program.clone(),
            timeout: arguments.timeout,
            has_prompt: arguments.system_prompt.is_some(),
        };
        return Ok((
            Box::new(target),
            format!("the program {}", escaped(program)),
        ));
    }
    engine.judge.warm(today);
    let layers = Layers::new(engine.judge.clone(), today, clock);
    Ok((Box::new(layers), "the layers".to_owned()))
}

/// Tries everything, with a line of progress on a terminal.
fn tried(plan: &Plan<'_>, target: &dyn Target, scorer: &Scorer<'_>, jobs: usize) -> Run {
    let is_shown = io::stderr().is_terminal();
    let shown = AtomicUsize::new(0);
    let run = run::run(plan, target, scorer, jobs, &|done, all| {
        let percent = done * 100 / all.max(1);
        if is_shown && shown.fetch_max(percent, Ordering::Relaxed) < percent {
            output::stderr(&format!("\r{percent:3} % of {all} attempts"));
        }
        true
    });
    if is_shown {
        output::stderr("\r                                \r");
    }
    run
}

/// Searches with feedback, against the whole, and against layers where that is asked for.
fn searches(
    arguments: &RedteamRun,
    plan: &Plan<'_>,
    done: &Run,
    target: &dyn Target,
    scorer: &Scorer<'_>,
    jobs: usize,
) -> Vec<Adaptive> {
    let Some(queries) = arguments.adaptive else {
        return Vec::new();
    };
    let goals: Vec<&Test> = plan
        .tests
        .iter()
        .copied()
        .filter(|test| test.is_mutable())
        .collect();
    let step = goals.len().div_ceil(arguments.goals.get()).max(1);
    let goals: Vec<&Test> = goals.into_iter().step_by(step).collect();
    let means = Means {
        strategy: match arguments.search {
            Search::Random => Strategy::Random,
            Search::Evolution => Strategy::Evolution,
        },
        queries,
        max_toll: arguments.max_toll,
        seed: arguments.seed,
        ..Means::default()
    };
    let mut against = vec![None];
    if arguments.adaptive_layers && !done.asked.is_empty() {
        for layer in done.asked.iter() {
            let alone = LayerSet::of(layer);
            against.extend([Some(alone), Some(done.asked.without(alone))]);
        }
    }
    against
        .into_iter()
        .map(|against| Adaptive {
            against,
            means,
            hunts: hunt(&goals, target, scorer, against, means, jobs),
        })
        .collect()
}

fn earlier(path: &Path) -> Result<Report, Problems> {
    let text = read_text(path)?;
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        Problem::new(format!("`{}` is no report: {error}", escaped(path)))
            .help("`bartizan redteam --write report.json` writes one")
    })?;
    if report.version != 1 {
        let message = format!("`{}` is of version {}", escaped(path), report.version);
        return Err(Problem::new(message)
            .help("this program reads version 1")
            .into());
    }
    Ok(report)
}

/// The form of a file, by its ending.
fn form_of(path: &Path) -> Option<RedteamFormat> {
    const FORMS: [(&str, RedteamFormat); 6] = [
        ("json", RedteamFormat::Json),
        ("md", RedteamFormat::Markdown),
        ("html", RedteamFormat::Html),
        ("sarif", RedteamFormat::Sarif),
        ("xml", RedteamFormat::Junit),
        ("jsonl", RedteamFormat::Garak),
    ];
    let extension = path.extension()?.to_str()?;
    let found = FORMS
        .iter()
        .find(|(ending, _)| ending.eq_ignore_ascii_case(extension));
    found.map(|(_, form)| *form)
}

/// Every file has a known ending and a folder, and is none that is read, before anything is tried.
fn writes_are_known(arguments: &RedteamRun) -> Result<(), Problems> {
    let mut problems = Problems::new();
    for path in &arguments.write {
        if form_of(path).is_none() {
            problems.push(
                Problem::new(format!("`{}` ends in no form of a report", escaped(path)))
                    .help("write to .json, .md, .html, .sarif, .xml, or .jsonl"),
            );
        }
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let message = format!("there is no folder `{}` to write to", escaped(folder));
            problems.push(Problem::new(message).help("check the path"));
        }
        if arguments
            .suite
            .iter()
            .any(|suite| Path::new(suite) == path.as_path())
        {
            let message = format!("`{}` would be overwritten", escaped(path));
            problems.push(Problem::new(message).help("give another name to write to"));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn written(report: &Report, form: RedteamFormat) -> Result<String, Problem> {
    Ok(match form {
        RedteamFormat::Human => human::report(report, output::columns()),
        RedteamFormat::Json => {
            let text = serde_json::to_string_pretty(report)
                .map_err(|error| Problem::new(format!("cannot write the report: {error}")))?;
            format!("{text}\n")
        }
        RedteamFormat::Markdown => report::markdown(report),
        RedteamFormat::Html => html::page(report),
        RedteamFormat::Sarif => report::sarif(report),
        RedteamFormat::Junit => report::junit(report),
        RedteamFormat::Garak => {
            let run = format!(
                "00000000-0000-4000-8000-{:012x}",
                report.seed & 0xffff_ffff_ffff
            );
            report::garak(report, &run)
        }
    })
}
