//! `leasehold replay`: tells one schedule's story.

use std::path::PathBuf;

use clap::Args;

use super::{
    Ending, Failure,
    output::{Target, print, probe},
    page,
};
use leasehold_sim::schedule::Schedule;
use leasehold_sim::story::{self, Topic};

/// Tells the story of one schedule: what was decided, what happened, and what if not.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  leasehold replay lh1_…    with a word that `leasehold check` has printed
  leasehold replay lh1_… --html story.html --json story.json

Exit status: 0 if the story is told, 2 after wrong use.")]
pub(super) struct Replay {
    /// The schedule: a word that begins with lh1_.
    #[arg(value_name = "TOKEN")]
    schedule: Schedule,
    /// Every event to the end, too, as the checkers see it, and the hash of the trace.
    #[arg(long)]
    all: bool,
    /// Writes the story as JSON to FILE, with how it goes without each of the decisions; with `-`,
    /// to standard output and nothing else.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<Target>,
    /// Writes the story as a page to FILE, which any browser shows.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Replay {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        if let Some(target) = &self.json {
            target.probe()?;
        }
        probe("--html", self.html.as_deref())?;
        if self.json.is_some() || self.html.is_some() {
            let story = story::tell(&Topic::from(&self.schedule));
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
        let mut text = story::replay(&self.schedule);
        if self.all {
            text += &story::every_event(&self.schedule);
        }
        print(&text)?;
        Ok(Ending::AsClaimed)
    }
}
