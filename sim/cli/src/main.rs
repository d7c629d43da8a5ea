//! The `leasehold` command: one sub-command a file.

#![forbid(unsafe_code)]

mod check;
mod completions;
mod explore;
mod hunt;
mod interrupt;
mod man;
mod merge;
mod models;
mod mutants;
mod options;
mod output;
mod outputs;
mod page;
mod progress;
mod replay;
mod report;
mod serve;
mod workload;

use std::{fmt, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// The fake Redis allocates often, and little at a time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Says what locks on Redis guarantee under which fault, from a simulated cluster.
///
/// Without a command it does what `check` does, with the options of `leasehold check --help`.
#[derive(Debug, Parser)]
#[command(
    name = "leasehold",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 80,
    after_long_help = "\
Examples:
  leasehold                             what holds, what breaks, and one story
  leasehold --matrix                    every cell of it
  leasehold --subject lock --fault hang,restart
                                        a part of it
  leasehold --time 10m --json report.json
                                        what fits into ten minutes
  leasehold replay lh1_…                one schedule, told
  leasehold explore                     every schedule of small clusters
  leasehold mutants                     whether planted bugs are found
  leasehold hunt -- pytest test_lock.py the fewest faults that make it fail
  leasehold serve                       an in-memory Redis for any client

Exit status: 0 if every cell is what is claimed of it, 1 if not, 2 after wrong
use or if nothing was exercised, 130 after an interrupt."
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
    Completions(completions::Completions),
    Man(man::Man),
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
/// claimed of it, 1 if not, 2 after wrong use, 3 if a search was cut short, and 130 if it was
/// interrupted.
fn main() -> ExitCode {
    let Cli { command, check } =
        Cli::from_arg_matches(&command_line().get_matches()).unwrap_or_else(|error| error.exit());
    let ending = match command.unwrap_or(Command::Check(check)) {
        Command::Check(check) => check.run(),
        Command::Explore(explore) => explore.run(),
        Command::Hunt(hunt) => hunt.run(),
        Command::Replay(replay) => replay.run(),
        Command::Serve(serve) => serve.run(),
        Command::Merge(merge) => merge.run(),
        Command::Mutants(mutants) => mutants.run(),
        Command::Workload(workload) => workload.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    };
    match ending {
        Ok(Ending::AsClaimed) => ExitCode::SUCCESS,
        Ok(Ending::CutShort) => ExitCode::from(3),
        Ok(Ending::Surprise) => ExitCode::from(1),
        Ok(Ending::Interrupted) => ExitCode::from(interrupt::STATUS),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(if matches!(failure, Failure::Unsound(_)) { 1 } else { 2 })
        }
    }
}

/// What may be written on the command line. The options of `check` are told there: they may be
/// given without its name, and would fill the first screen of help.
fn command_line() -> clap::Command {
    let hidden = |option: clap::Arg| match option.get_id().as_str() {
        "help" | "version" => option,
        _ => option.hide(true),
    };
    Cli::command().mut_args(hidden)
}

#[cfg(test)]
mod tests {
    use super::command_line;

    #[test]
    fn the_command_line_is_well_formed() {
        command_line().debug_assert();
    }

    /// The command and those below it, with their names.
    fn all() -> Vec<clap::Command> {
        let mut top = command_line();
        top.build();
        let below: Vec<_> = top.get_subcommands().cloned().collect();
        [vec![top], below].concat()
    }

    #[test]
    fn the_short_help_fits_on_a_screen_and_the_long_one_has_examples() {
        for mut command in all() {
            let name = command.get_name().to_owned();
            let short = command.render_help().to_string();
            assert!(short.lines().count() <= 24, "{name}:\n{short}");
            let long = command.render_long_help().to_string();
            assert!(name == "help" || long.contains("\nExample"), "{name}:\n{long}");
            for line in short.lines().chain(long.lines()) {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
        }
    }
}
