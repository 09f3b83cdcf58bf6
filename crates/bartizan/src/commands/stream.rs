//! `bartizan check --stream`: bytes in, bytes out, findings as they come.

use std::{
    fs::File,
    io::{self, Read},
    sync::Arc,
};

use bartizan_core::{Direction, Finding, Verdict};
use bartizan_guard::{
    Stream, StreamSubject,
    redact::Redactor,
    window::{Flow, WindowConfig},
};
use bartizan_policy::DecisionContext;

use super::check::{is_output, origin};
use crate::{
    cli::{Check, Format},
    clock::{self, Stopwatch},
    engine::Engine,
    exit::Exit,
    input::{Source, cannot_read},
    output,
    problem::{Problem, Problems},
    render::{human, json},
};

/// Bytes read at a time: what a pipe holds on Linux.
const PIECE: usize = 64 << 10;

/// Reads every input piece by piece. With `redactor`, what may be shown goes to standard output.
pub(super) fn run(
    arguments: &Check,
    engine: &Engine,
    sources: Vec<Result<Source, Problem>>,
    mut redactor: Option<Redactor>,
) -> Result<Exit, Problems> {
    if !matches!(arguments.format, Format::Human | Format::Json) {
        return Err(Problem::new("a stream has no report of this form")
            .help("use `--format json`, which writes one line a finding")
            .into());
    }
    let mut exit = Exit::default();
    for source in sources {
        let one = source.and_then(|source| {
            let name = source.name();
            let (reader, config): (Box<dyn Read>, _) = match source {
                Source::Text(text) => (Box::new(io::Cursor::new(text)), WindowConfig::PROMPT),
                Source::Stdin => (Box::new(io::stdin().lock()), WindowConfig::PROMPT),
                Source::File(path) => {
                    let file = File::open(&path).map_err(|error| cannot_read(&path, &error))?;
                    (Box::new(file), WindowConfig::BULK)
                }
            };
            let redactor = redactor.take();
            Watcher::new(arguments, engine, name).run(reader, config, redactor)
        });
        match one {
            Ok((ended, used)) => {
                exit = exit.join(ended);
                redactor = used;
            }
            Err(problem) => {
                output::show_problems(&[problem]);
                exit = exit.join(Exit::Error);
            }
        }
    }
    Ok(exit)
}

/// Reports on one stream.
struct Watcher<'a> {
    arguments: &'a Check,
    engine: &'a Engine,
    name: String,
    subject: StreamSubject,
    findings: u64,
}

impl<'a> Watcher<'a> {
    fn new(arguments: &'a Check, engine: &'a Engine, name: String) -> Self {
        let is_output = is_output(arguments);
        let subject = StreamSubject {
            origin: origin(arguments, is_output),
            direction: if is_output {
                Direction::Output
            } else {
                Direction::Input
            },
            sink: arguments.sink,
            route: arguments.route.clone(),
            tenant: String::new(),
            today: clock::today(),
        };
        Self {
            arguments,
            engine,
            name,
            subject,
            findings: 0,
        }
    }

    fn run(
        mut self,
        mut reader: Box<dyn Read>,
        config: WindowConfig,
        redactor: Option<Redactor>,
    ) -> Result<(Exit, Option<Redactor>), Problem> {
        let watch = Stopwatch::start();
        let is_redacting = redactor.is_some();
        let judge = &self.engine.judge;
        let mut piece = vec![0; PIECE];
        let mut read = |piece: &mut [u8]| loop {
            match reader.read(piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        };
        let failed =
            |name: &str, error: io::Error| Problem::new(format!("cannot read `{name}`: {error}"));
        let mut len = read(&mut piece).map_err(|error| failed(&self.name, error))?;
        // A pipe that is full at the first look is a file on its way, not a person who writes.
        let config = if len == PIECE {
            WindowConfig::BULK
        } else {
            config
        };
        // Without redaction nothing is shown, so the redactor's styles do not matter.
        let unused = || {
            let keys = bartizan_guard::redact::Keys::new([0; 32]);
            Redactor::new(Default::default(), keys, "")
        };
        let mut stream = Stream::new(
            Arc::clone(judge.guard()),
            Arc::clone(judge.policy()),
            redactor.unwrap_or_else(unused),
            self.subject.clone(),
            config,
        );
        let (mut released, mut bytes, mut flow) = (Vec::new(), 0_u64, Flow::Open);
        while len > 0 && flow == Flow::Open {
            bytes += len as u64;
            flow = stream.push(piece.get(..len).unwrap_or_default(), &mut released);
            let goes_on = self.release(is_redacting, &mut released)?;
            self.report(stream.take_findings())?;
            if !goes_on {
                break;
            }
            len = read(&mut piece).map_err(|error| failed(&self.name, error))?;
        }
        flow = stream.finish(&mut released);
        self.release(is_redacting, &mut released)?;
        self.report(stream.take_findings())?;
        let exit = self.close(&stream, flow, bytes, watch.nanos());
        Ok((exit, is_redacting.then(|| stream.into_redactor())))
    }

    /// Writes what may be shown; says whether anybody still reads.
    fn release(&self, is_redacting: bool, released: &mut Vec<u8>) -> Result<bool, Problem> {
        let goes_on = if is_redacting && !released.is_empty() {
            output::data(released)?
        } else {
            true
        };
        released.clear();
        Ok(goes_on)
    }

    fn report(&mut self, findings: Vec<Finding>) -> Result<(), Problem> {
        let mut cx = DecisionContext::new(
            self.subject.direction,
            self.subject.origin,
            self.subject.today,
        );
        cx.route = &self.subject.route;
        let policy = self.engine.judge.policy();
        let mut lines = String::new();
        for finding in findings {
            // What no row lists is not reported, and the rest only with what it leads to.
            let decision = policy.decide(
                &bartizan_core::Report {
                    findings: vec![finding.clone()],
                    coverage: Vec::new(),
                },
                &cx,
            );
            let Some(reason) = decision.reasons.first() else {
                continue;
            };
            if reason.exception.is_none() {
                self.findings += 1;
            }
            lines.push_str(&match self.arguments.format {
                Format::Json => json::v1::line(&self.name, &finding, reason),
                _ => human_line(&self.name, &finding, reason.action),
            });
        }
        if lines.is_empty() || self.arguments.quiet {
            return Ok(());
        }
        if self.arguments.redact {
            output::stderr(&lines);
            return Ok(());
        }
        output::stdout(&lines)
    }

    fn close(&self, stream: &Stream, flow: Flow, bytes: u64, nanos: u64) -> Exit {
        let gaps = stream.gaps();
        if !self.arguments.quiet {
            let mut said: Vec<String> = gaps
                .iter()
                .filter_map(|gap| {
                    let error = gap.outcome.as_ref().err()?;
                    Some(format!(
                        "incomplete: `{}` did not look at everything: {error}\n",
                        gap.check
                    ))
                })
                .collect();
            said.sort();
            said.dedup();
            let verdict = match flow {
                Flow::Stopped => "stopped",
                Flow::Full => "stopped: more would have to be held back than the limit allows",
                Flow::Open if self.findings == 0 && gaps.is_empty() => "clean",
                Flow::Open => stream.verdict().as_str(),
            };
            let findings = usize::try_from(self.findings).unwrap_or(usize::MAX);
            said.push(format!(
                "{verdict}: {findings} {} in {bytes} bytes of {} ({})\n",
                human::plural(findings, "finding"),
                self.name,
                human::duration(nanos)
            ));
            output::stderr(&said.concat());
        }
        if self.findings > 0 || stream.verdict() > Verdict::Allow {
            Exit::Findings
        } else if gaps.is_empty() && flow == Flow::Open {
            Exit::Clean
        } else {
            Exit::Incomplete
        }
    }
}

fn human_line(name: &str, finding: &Finding, action: Verdict) -> String {
    let rule = &finding.rule;
    let style = human::severity_style(rule.severity);
    let place = finding
        .span
        .map_or(String::new(), |span| format!(" bytes {span}"));
    let via: Vec<&str> = finding.via.iter().map(|via| via.as_str()).collect();
    let via = if via.is_empty() {
        String::new()
    } else {
        format!(" via {}", via.join(" > "))
    };
    format!(
        "{style}{}{style:#}[{}]: {name}{place}: {}{via}, {:.0} % sure, {action}\n",
        rule.severity,
        rule.id,
        finding.message,
        finding.confidence.get() * 100.0
    )
}
