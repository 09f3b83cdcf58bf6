//! One module per command.

mod access;
mod approve;
mod backup;
mod bom;
mod check;
mod config;
mod consent;
mod convert;
mod database;
mod dependencies;
mod diff;
mod eval;
mod explain;
mod hash;
mod init;
mod keys;
pub(crate) mod ledger;
mod mcp;
mod netpol;
mod policy;
mod prompt;
mod provenance;
mod rag;
mod redteam;
mod replay;
mod retention;
mod rules;
mod scan;
mod schema;
mod seal;
mod secrets;
pub(crate) mod serve;
mod sign;
mod story;
mod stream;
mod subject;
mod verify;
mod walk;

use bartizan_text::rules::RuleSet;
use tokio::runtime::{Builder, Runtime};

use crate::{
    cli::{Cli, Command, ConfigCommand, NetpolCommand, PolicyCommand, PromptCommand, Rules},
    exit::Exit,
    output,
    problem::{Problem, Problems},
};

/// Does what the arguments say.
pub(crate) fn run(cli: Cli) -> Result<Exit, Problems> {
    if cli.version {
        return version();
    }
    let Some(command) = cli.command else {
        let help = "`bartizan check TEXT` checks a text, `bartizan --help` lists the commands";
        return Err(Problem::new("no command given").help(help).into());
    };
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Rules(Rules::Test { dir, mutations }) => rules::test(&dir, mutations),
        Command::Rules(Rules::List { setup }) => rules::list(&setup),
        Command::Rules(Rules::Sign { dir, key }) => rules::sign(&dir, &key),
        Command::Rules(Rules::Verify { dir, trusted_key }) => rules::verify(&dir, &trusted_key),
        Command::Policy(PolicyCommand::Check { file }) => policy::check(&file),
        Command::Policy(PolicyCommand::Show { setup }) => policy::show(&setup),
        Command::Prompt(PromptCommand::Lint { file }) => prompt::lint(&file),
        Command::Prompt(PromptCommand::Harden { file }) => prompt::harden(&file),
        Command::Config(ConfigCommand::Check { file }) => config::check(file),
        Command::Schema(arguments) => schema::run(arguments.of),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Keys(arguments) => keys::run(arguments),
        Command::Ledger(command) => ledger::run(command),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Access(arguments) => access::run(&arguments),
        Command::Consent(arguments) => consent::run(&arguments),
        Command::Retention(arguments) => retention::run(&arguments),
        Command::Subject(arguments) => subject::run(&arguments),
        Command::Netpol(NetpolCommand::Lint {
            file,
            gateway,
            format,
        }) => netpol::lint(&file, &gateway, format),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Hash(arguments) => hash::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Provenance(command) => provenance::run(command),
        Command::Bom(arguments) => bom::run(&arguments),
        Command::Deps(arguments) => dependencies::run(&arguments),
        Command::Db(command) => database::run(&command),
        Command::Redteam(arguments) => redteam::run(*arguments),
        Command::Approve(command) => approve::run(&command),
        Command::Rag(command) => rag::run(&command),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Seal(arguments) => seal::run(&arguments),
        Command::Unseal(arguments) => seal::unseal(&arguments),
        Command::Secrets(arguments) => secrets::run(&arguments),
        Command::Init(command) => init::run(&command),
        Command::Mcp(command) => mcp::run(&command),
    }
}

fn version() -> Result<Exit, Problems> {
    let rules = RuleSet::builtin();
    output::stdout(&format!(
        "bartizan {}\nrules {} ({} rules in {} packs)\n",
        env!("CARGO_PKG_VERSION"),
        rules.version(),
        rules.len(),
        rules.packs().count()
    ))?;
    Ok(Exit::Clean)
}

/// What runs the gateway's parts that wait, on this thread.
pub(crate) fn runtime() -> Result<Runtime, Problem> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Problem::new(format!("cannot start: {error}")))
}
