//! `leasehold replay`: tells one schedule's story.

use clap::Args;

use super::{Ending, Failure, output::print};
use leasehold_sim::schedule::Schedule;
use leasehold_sim::story;

/// Tells the story of one schedule: what was decided, what happened, and what if not.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  leasehold replay lh1_…    with a word that `leasehold check` has printed

Exit status: 0 if the story is told, 2 after wrong use.")]
pub(super) struct Replay {
    /// The schedule: a word that begins with lh1_.
    #[arg(value_name = "TOKEN")]
    schedule: Schedule,
    /// Every event to the end, too, as the checkers see it, and the hash of the trace.
    #[arg(long)]
    all: bool,
}

impl Replay {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let mut text = story::replay(&self.schedule);
        if self.all {
            text += &story::every_event(&self.schedule);
        }
        print(&text)?;
        Ok(Ending::AsClaimed)
    }
}
