//! `leasehold replay`: tells one schedule's story.

use std::io::{self, Read};

use clap::Args;

use super::{Ending, Failure, output::print};
use crate::report::fit;
use leasehold_sim::schedule::Schedule;
use leasehold_sim::story;

/// How much of standard input is read, in bytes: far more than any token has.
const LONGEST: u64 = 1 << 20;

/// Tells the story of one schedule.
///
/// What was decided, what happened, and what would have happened without.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold replay lh1_…                a word that `leasehold check` has printed
  jq -r '.cells[0].counterexample.token' report.json | leasehold replay -

Exit status: 0 if the story is told, 2 after wrong use.")]
pub(super) struct Replay {
    /// The schedule, which begins with lh1_; `-` for standard input.
    #[arg(value_name = "TOKEN")]
    token: String,
    /// Every event to the end, too.
    ///
    /// As the checkers see them, and the hash of the trace.
    #[arg(long)]
    all: bool,
}

impl Replay {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let schedule = self.schedule()?;
        let mut text = fit(&story::replay(&schedule));
        if self.all {
            text += &story::every_event(&schedule);
        }
        print(&text)?;
        Ok(Ending::AsClaimed)
    }

    fn schedule(&self) -> Result<Schedule, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::Use(error.to_string());
        if self.token != "-" {
            return self.token.parse().map_err(|error| wrong(&error));
        }
        let mut read = String::new();
        io::stdin()
            .take(LONGEST)
            .read_to_string(&mut read)
            .map_err(|error| wrong(&format!("cannot read standard input: {error}")))?;
        read.trim().parse().map_err(|error| wrong(&error))
    }
}
