//! Pickles: what loading one would do, judged against exact lists.

mod chain;
mod contract;
mod judge;
pub(crate) mod legacy;
mod names;
mod rules;
mod sweep;

use bartizan_core::{CheckError, Rule, Span};
use bartizan_formats::{
    Format, Section,
    pickle::{self, Dialect, End, PickleLimits, Program},
};
pub(crate) use judge::Setting;
use judge::{Accusations, judge};

use crate::{Artifact, Desk, Inspector};

/// Knows pickles, alone, one after the other, as `joblib` and as PyTorch before 1.6 wrote them.
pub(crate) struct Pickles;

/// Most pickles that stand one after the other.
const MOST: usize = 10_000;

impl Inspector for Pickles {
    fn name(&self) -> &'static str {
        "pickle"
    }

    fn rules(&self) -> &'static [&'static Rule] {
        rules::ALL
    }

    fn matches(&self, artifact: &Artifact<'_>, formats: &[Format]) -> bool {
        formats.contains(&Format::Pickle) || imports_danger(artifact)
    }

    fn inspect(&self, artifact: &Artifact<'_>, desk: &mut Desk<'_>) -> Result<(), CheckError> {
        let source = artifact.source;
        let mut accusations = Accusations::default();
        let outcome = follow(artifact, desk, &mut accusations);
        let loads = std::mem::take(&mut accusations.loads);
        accusations.report(desk)?;
        for (number, bytes) in loads.iter().enumerate() {
            let inner = Section::new(source, bytes.at, bytes.length);
            desk.member(&format!("bytes-{number}"), &inner)?;
        }
        outcome
    }
}

/// Whether something that is no pickle to the end begins by importing what is dangerous: the import
/// alone may act.
fn imports_danger(artifact: &Artifact<'_>) -> bool {
    let limits = PickleLimits {
        max_instructions: 64,
        max_values: 256,
        ..PickleLimits::default()
    };
    if !matches!(artifact.source.read(0, 1).as_deref(), Ok([b'c' | b'('])) {
        return false;
    }
    let program = Program::read(artifact.source, 0, Dialect::Plain, limits);
    let mut globals = program.globals.iter();
    globals.any(|global| {
        let standing = names::standing(&global.module, &global.name);
        matches!(standing, names::Standing::Dangerous(_))
    })
}

/// Follows every pickle of the file.
fn follow(
    artifact: &Artifact<'_>,
    desk: &mut Desk<'_>,
    accusations: &mut Accusations,
) -> Result<(), CheckError> {
    let source = artifact.source;
    let is_legacy = legacy::is_legacy(source);
    let setting = Setting {
        persistent: is_legacy || is_torch_member(artifact.path),
        only_dangerous: false,
    };
    let mut start = 0;
    let mut programs = Vec::new();
    for _ in 0..MOST {
        let program = read(artifact, desk, start, setting, accusations)?;
        start = program.after;
        if is_legacy && programs.len() < legacy::PICKLES {
            programs.push(program);
        }
        if start >= source.len() {
            return Ok(());
        }
        if is_legacy
            && programs.len() == legacy::PICKLES
            && let Some((_, after)) = legacy::storages(&programs, source)?
        {
            if after >= source.len() {
                return Ok(());
            }
            start = after;
        }
        let rest = Section::new(source, start, source.len() - start);
        if !pickle::is_pickle(&rest) {
            let rest = Span::new(start, source.len());
            let words = format!("{} bytes follow", source.len() - start);
            return desk.report(&rules::TRAILING, rest, words);
        }
    }
    Err(CheckError::Exhausted {
        limit: "pickles in one file",
        at: MOST as u64,
    })
}

/// Follows the pickle at `start` and judges it, however it ends.
fn read(
    artifact: &Artifact<'_>,
    desk: &mut Desk<'_>,
    start: u64,
    setting: Setting,
    accusations: &mut Accusations,
) -> Result<Program, CheckError> {
    let source = artifact.source;
    let limits = PickleLimits {
        max_instructions: desk.may_step(),
        ..PickleLimits::default()
    };
    let mut program = Program::read(source, start, Dialect::Plain, limits);
    let mut setting = setting;
    if pickle::is_joblib(&program) {
        // What `joblib` takes for arrays, `pickle` would take for instructions.
        setting.only_dangerous = true;
        judge(&program, source, setting, accusations);
        setting.only_dangerous = false;
        desk.spend(program.instructions)?;
        program = Program::read(source, start, Dialect::Joblib, limits);
    }
    judge(&program, source, setting, accusations);
    let spent = desk.spend(program.instructions);
    match &program.end {
        End::Stop => spent.map(|()| program),
        End::Broken(error) => {
            let rest = Section::new(
                source,
                program.after,
                source.len() - program.after.min(source.len()),
            );
            sweep::sweep(&rest, program.after, desk)?;
            Err(to_check_error(error))
        }
    }
}

fn to_check_error(error: &bartizan_formats::ParseError) -> CheckError {
    use bartizan_formats::ParseError;
    match error {
        ParseError::Exhausted { limit, max } => CheckError::Exhausted { limit, at: *max },
        ParseError::Io(_) => CheckError::Unavailable("the file cannot be read".into()),
        error => CheckError::Malformed(error.to_string().into()),
    }
}

/// Whether a member is the pickle of a PyTorch archive, in which persistent ids name storages.
fn is_torch_member(path: &str) -> bool {
    let name = path.rsplit(['!', '/']).next().unwrap_or_default();
    path.contains('!') && matches!(name, "data.pkl" | "constants.pkl" | "pickle" | "tensors")
}
