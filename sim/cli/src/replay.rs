//! `leasehold replay`: tells one schedule's story.

use std::{
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;

use super::{
    Ending, Failure,
    output::{Target, print, probe},
    page,
};
use crate::report::fit;
use leasehold_sim::schedule::Schedule;
use leasehold_sim::story::{self, Topic};

/// How much of standard input is read, in bytes: far more than any token has.
const LONGEST: u64 = 1 << 20;

/// Tells the story of one schedule.
///
/// What was decided, what happened, and what would have happened without.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold replay lh1_…                a word that `leasehold check` has printed
  leasehold replay lh1_… --html story.html
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
    /// Writes JSON to FILE; `-` is standard output.
    ///
    /// What happened, and how it goes without each of the decisions. To standard output it writes
    /// nothing else then.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<Target>,
    /// Writes a page for a browser to FILE.
    ///
    /// What happened, with a switch for each decision.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Replay {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let schedule = self.schedule()?;
        if let Some(target) = &self.json {
            target.probe()?;
        }
        probe("--html", self.html.as_deref())?;
        if self.json.is_some() || self.html.is_some() {
            let story = story::tell(&Topic::from(&schedule));
            if let Some(target) = &self.json {
                target.write(&story)?;
            }
            if let Some(path) = &self.html {
                page::write(path, &page::of_story(&story))?;
            }
        }
        if self.json == Some(Target::Stdout) {
            return Ok(Ending::AsClaimed);
        }
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
