//! The command line of Bartizan: arguments, configuration, rendering, and exit codes. Everything
//! else is in the libraries.

mod backup;
mod cli;
mod clock;
mod commands;
mod config;
mod engine;
mod env;
mod eval;
mod exit;
mod files;
mod findings;
mod input;
mod key;
mod output;
mod packs;
mod personal;
mod problem;
mod redteam;
mod render;
mod sealing;
mod signing;

use clap::Parser;
use exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = cli::Cli::parse();
    output::choose_colour(cli.color);
    let exit = commands::run(cli).unwrap_or_else(|problems| {
        output::show_problems(&problems);
        Exit::Error
    });
    exit.into()
}
