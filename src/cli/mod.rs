//! The command line: one file a command.

mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Serve(serve::Arguments),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => serve::run(arguments),
    }
}
