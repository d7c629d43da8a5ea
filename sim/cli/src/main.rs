//! The `leasehold` command: one sub-command a file.

#![forbid(unsafe_code)]

mod check;
mod explore;
mod hunt;
mod merge;
mod models;
mod mutants;
mod options;
mod output;
mod progress;
mod replay;
mod report;
mod serve;
mod workload;

use std::{fmt, process::ExitCode};

use clap::{Parser, Subcommand};

/// The fake Redis allocates often, and little at a time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Proves what the locks of Leasehold guarantee under which fault, in a simulated cluster.
///
/// Without a command: `check`.
#[derive(Debug, Parser)]
#[command(
    name = "leasehold",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  leasehold                                       the whole matrix
  leasehold --subject lock --fault hang,failover  a part of it
  leasehold --time 10m --json report.json         as many schedules as fit into ten minutes
  leasehold replay lh1_…                          one schedule, told
  leasehold explore                               every schedule of small clusters
  leasehold mutants                               whether planted bugs are found
  leasehold hunt -- pytest test_lock.py           the fewest faults that make your own test fail
  leasehold serve                                 an in-memory Redis for clients of any language

Exit status: 0 if every cell is what is claimed of it, 1 if not, 2 after wrong use."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    check: check::Check,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Explore(explore::Explore),
    Hunt(Box<hunt::Hunt>),
    Replay(replay::Replay),
    Serve(Box<serve::Serve>),
    Merge(merge::Merge),
    Mutants(mutants::Mutants),
    Workload(workload::Workload),
}

/// Whether every cell is what is claimed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    AsClaimed,
    /// A search was cut short: nothing is known.
    CutShort,
    Surprise,
    /// Somebody ended it early.
    Interrupted,
}

/// Why a command did not do its work.
#[derive(Debug)]
enum Failure {
    /// It was used in a wrong way: what was wrong, and what to do.
    Use(String),
    /// What was found is worth nothing.
    Unsound(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Use(text) | Self::Unsound(text) => f.write_str(text),
        }
    }
}

/// Does what the command line asks for. The status is 0 if every cell of the matrix is what is
/// claimed of it, 1 if not, 2 after wrong use, and 3 if a search was cut short.
fn main() -> ExitCode {
    let Cli { command, check } = Cli::parse();
    let ending = match command.unwrap_or(Command::Check(check)) {
        Command::Check(check) => check.run(),
        Command::Explore(explore) => explore.run(),
        Command::Hunt(hunt) => hunt.run(),
        Command::Replay(replay) => replay.run(),
        Command::Serve(serve) => serve.run(),
        Command::Merge(merge) => merge.run(),
        Command::Mutants(mutants) => mutants.run(),
        Command::Workload(workload) => workload.run(),
    };
    match ending {
        Ok(Ending::AsClaimed) => ExitCode::SUCCESS,
        Ok(Ending::CutShort) => ExitCode::from(3),
        Ok(Ending::Surprise) => ExitCode::from(1),
        Ok(Ending::Interrupted) => ExitCode::from(130),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(if matches!(failure, Failure::Unsound(_)) { 1 } else { 2 })
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
