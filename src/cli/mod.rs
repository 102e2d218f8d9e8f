//! The command line: one file a command.

mod asking;
mod cel;
mod check;
mod coverage;
mod doctor;
mod duration;
mod export;
mod explain;
mod modules;
mod policies;
mod rbac;
mod promote;
mod recording;
mod replay;
mod schema;
mod serve;
mod servers;
mod status;
mod test;
mod webhook_rules;

use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{Command as Definition, CommandFactory as _, Parser, Subcommand};

use crate::output::Colour;

/// Exit code: something was denied, failed or different.
pub(crate) const DENIED: u8 = 1;
/// Exit code: usage, unreadable input or broken policies.
pub(crate) const BROKEN: u8 = 2;

/// A Kubernetes admission webhook: policies proven before they enforce, decisions explained and replayed.
#[derive(Debug, Parser)]
#[command(name = "admittance", version, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the webhook.
    Serve(Box<serve::Arguments>),
    Check(check::Arguments),
    Test(test::Arguments),
    Replay(replay::Arguments),
    Modules(modules::Arguments),
    Cel(cel::Arguments),
    Rbac(rbac::Arguments),
    WebhookRules(webhook_rules::Arguments),
    Export(export::Arguments),
    Status(status::Arguments),
    Promote(promote::Arguments),
    Explain(explain::Arguments),
    Doctor(doctor::Arguments),
    Coverage(coverage::Arguments),
    /// Print the JSON Schema of policy documents, for editors.
    Schema,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Modules(arguments) => modules::run(&arguments),
        Command::Cel(arguments) => cel::run(&arguments),
        Command::Rbac(arguments) => rbac::run(&arguments),
        Command::WebhookRules(arguments) => webhook_rules::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Promote(arguments) => promote::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Coverage(arguments) => coverage::run(&arguments),
        Command::Schema => schema::run(),
    }
}

/// All commands and options, for whoever documents them.
pub fn definition() -> Definition {
    Cli::command()
}

/// Whether standard output is coloured.
fn colour() -> Colour {
    match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    }
}

/// Writes a command's whole output. A reader that closed the pipe has seen enough.
fn print(text: &str) -> ExitCode {
    use std::io::{ErrorKind, Write as _};
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            anstream::eprintln!("error: cannot write to standard output: {error}");
            ExitCode::from(BROKEN)
        }
        _ => ExitCode::SUCCESS,
    }
}
