//! `leasehold mutants`: looks for planted bugs.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args, builder::TypedValueParser};

use super::{
    Ending, Failure, interrupt,
    options::{self, wanted},
    output::{Target, print, probe},
    page,
    progress::Bar,
};
use leasehold_sim::{
    hunt::{Hunt, KillMatrix},
    mutants::Mutant,
};

/// Looks for planted bugs, and says which checker finds which.
///
/// This is how the simulator shows that it can see. Each bug must be found by the checker of the
/// guarantee that it violates, within a stated number of schedules; and in the same schedules the
/// same checker must find nothing where the bug is not planted. `schedules` is the median over the
/// campaigns of how many it took, `decisions` how few are enough to show it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold mutants                     all of them
  leasehold mutants bare-delete 7       two of them, by name or by number
  leasehold mutants --json - | jq -r '.mutants[] | [.id, .killed_by] | @tsv'

Exit status: 0 if every bug is found and nothing else, 1 if not, 2 after wrong
use, 130 after an interrupt: then it tells of the bugs that it was done with.")]
pub(super) struct Mutants {
    /// Only these bugs, by name or number (always with the canary).
    #[arg(value_name = "ID", value_parser = mutant())]
    ids: Vec<Mutant>,
    /// Seed of the first campaign.
    ///
    /// Each further one has the next.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Campaigns that look for each bug.
    #[arg(long, value_name = "N", default_value = "5")]
    campaigns: NonZeroU64,
    /// Schedules of each campaign at the most.
    ///
    /// A bug that is given less is looked for in less.
    #[arg(long, value_name = "N")]
    schedules: Option<NonZeroU64>,
    /// Threads to use [default: one a core].
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// Writes JSON to FILE; `-` is standard output.
    ///
    /// To standard output it writes nothing else then.
    #[arg(long, value_name = "FILE")]
    json: Option<Target>,
    /// Writes a page for a browser to FILE.
    ///
    /// Which bugs were found, and how each shows.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Mutants {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        if let Some(target) = &self.json {
            target.probe()?;
        }
        probe("--html", self.html.as_deref())?;
        let hunt = Hunt {
            mutants: wanted(Mutant::ALL, &self.ids),
            seed: self.seed,
            campaigns: self.campaigns.get(),
            schedules: self.schedules.map(NonZeroU64::get),
        };
        let pool = options::pool(self.jobs)?;
        interrupt::watch()?;
        let bar = Bar::new("planted bugs", None);
        let mut matrix = pool.install(|| KillMatrix::of(&hunt, &bar));
        drop(bar);
        if self.json.is_some() || self.html.is_some() {
            pool.install(|| matrix.tell_stories());
        }
        if let Some(path) = &self.html {
            page::write(path, &page::of_hunt(&matrix))?;
        }
        if let Some(target) = &self.json {
            target.write(&matrix)?;
        }
        if self.json != Some(Target::Stdout) {
            print(&matrix.told())?;
        }
        if interrupt::happened() {
            let done = matrix.mutants.len();
            eprintln!("only {done} planted bugs were looked for to the end");
            return Ok(Ending::Interrupted);
        }
        Ok(if matrix.is_clean() { Ending::AsClaimed } else { Ending::Surprise })
    }
}

/// Takes the name or the number of a planted bug.
fn mutant() -> impl TypedValueParser<Value = Mutant> {
    let names = Mutant::ALL.iter().map(|mutant| mutant.id());
    clap::builder::StringValueParser::new().try_map(move |name| {
        Mutant::named(&name).ok_or_else(|| {
            let known: Vec<&str> = names.clone().collect();
            format!("no planted bug is called so; there are {}", known.join(", "))
        })
    })
}
