//! `leasehold check`: runs a campaign and prints the matrix.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use super::{
    Ending, Failure,
    options::{self, Disturbance, Shard},
    output::{Target, keep, print, probe},
    page,
    progress::Bar,
};
use crate::report::{Report, matrix, story_of, surprises};
use leasehold_sim::{
    campaign::{self, Outcome, Settings},
    catalog::Subject,
    guarantees::Guarantee,
    schedule::Schedule,
};

/// Runs many schedules of every subject under every fault, and prints which guarantee held.
///
/// Then tells the shortest counterexample of one broken cell, and lists the cells that are not what
/// is claimed of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  leasehold check --guarantee exclusion --fault failover --schedules 20000
  leasehold check --shard 3/8 --json part-3.json      one of eight machines does its part
  leasehold check --json - --fault none | jq '.cells[].verdict'
  leasehold check --shard $((JOB_COMPLETION_INDEX + 1))/8 --json /reports/$JOB_COMPLETION_INDEX.json
                                                      the same in a Kubernetes Indexed Job

A part of a campaign (--shard with more than one part) fails only for what broke against its claim;
`leasehold merge` judges the whole.

Exit status: 0 if every cell is what is claimed of it, 1 if not, 2 after wrong use.")]
pub(super) struct Check {
    /// Only these subjects (repeat, or separate by commas).
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = options::subject())]
    subject: Vec<Subject>,
    /// Only these guarantees (repeat, or separate by commas).
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = options::guarantee())]
    guarantee: Vec<Guarantee>,
    /// Only these faults, or `none` (repeat, or separate by commas).
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = options::disturbance())]
    fault: Vec<Disturbance>,
    /// How many schedules to run of each subject under each fault.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    schedules: u64,
    /// Goes on with more schedules for at least this long, such as 60s or 10m.
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    time: Option<Duration>,
    /// The seed of the campaign; the same seed gives the same schedules.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many threads to use [default: one a core].
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// Does part K, from 1, of N parts of the campaign; `leasehold merge` joins their JSON.
    #[arg(long, value_name = "K/N", default_value = "1/1")]
    shard: Shard,
    /// Writes the result as JSON to FILE; with `-`, to standard output and nothing else.
    #[arg(long, value_name = "FILE")]
    json: Option<Target>,
    /// Writes a page to FILE, which any browser shows: the matrix, and how each cell breaks.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Adds the schedule of each cell that broke against its claim to FILE, for a test that runs
    /// `leasehold_sim::regressions::replay`.
    #[arg(long, value_name = "FILE")]
    save_regressions: Option<PathBuf>,
    /// Writes the shortest schedule that breaks each broken cell to FILE, a line each. For those who
    /// change the simulated world: `sim/counterexamples.txt` belongs to it.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    counterexamples: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let settings = self.settings()?;
        if let Some(target) = &self.json {
            target.probe()?;
        }
        probe("--html", self.html.as_deref())?;
        let pool = options::pool(self.jobs)?;
        let bar = Bar::new("schedules");
        let outcome = pool.install(|| campaign::run(&settings, &bar));
        let elapsed = bar.elapsed();
        drop(bar);
        let outcome = outcome.map_err(|differs| Failure::Unsound(differs.to_string()))?;
        if let Some(path) = &self.counterexamples {
            fs::write(path, counterexamples(&outcome))
                .map_err(|error| Failure::Use(format!("{}: {error}", path.display())))?;
        }
        let mut report = Report::of(&outcome, settings.shard);
        page::of_report(&mut report, self.json.is_some(), self.html.as_deref())?;
        let regressions = self.save_regressions.as_deref();
        publish(&report, self.json.as_ref(), regressions, Some(elapsed))
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let faults = options::wanted(&Disturbance::all(), &self.fault);
        let settings = Settings {
            subjects: options::wanted(Subject::ALL, &self.subject),
            guarantees: options::wanted(Guarantee::ALL, &self.guarantee),
            faults: faults.into_iter().map(|Disturbance(fault)| fault).collect(),
            schedules: self.schedules,
            time: self.time,
            seed: self.seed,
            shard: (self.shard.number - 1, self.shard.of),
            candidates: if self.counterexamples.is_some() { 24 } else { 2 },
        };
        let any = settings.subjects.iter().any(|subject| {
            let promises =
                |guarantee: &Guarantee| subject.workloads().contains(&guarantee.workload());
            settings.guarantees.iter().any(promises)
        });
        let nothing = "none of these subjects has to do with any of these guarantees: leave out \
                       --subject or --guarantee";
        any.then_some(settings).ok_or_else(|| Failure::Use(nothing.into()))
    }
}

fn counterexamples(outcome: &Outcome) -> String {
    let schedules = outcome.cells.iter().filter_map(|cell| {
        let decisions = cell.counterexample.as_ref()?.decisions.clone();
        Some(Schedule::of(cell.name, decisions))
    });
    schedules.map(|schedule| format!("{schedule}\n")).collect()
}

/// Prints a report and says how it ends.
pub(super) fn publish(
    report: &Report,
    json: Option<&Target>,
    regressions: Option<&Path>,
    elapsed: Option<Duration>,
) -> Result<Ending, Failure> {
    if let Some(file) = regressions {
        let broken =
            report.surprises().filter_map(|cell| Some((cell, cell.counterexample.as_ref()?)));
        for (cell, told) in broken {
            keep(file, told, &cell.place())?;
        }
    }
    if let Some(target) = json {
        target.write(report)?;
    }
    if json != Some(&Target::Stdout) {
        print(&told(report, elapsed))?;
    }
    Ok(match report.surprises().next() {
        None => Ending::AsClaimed,
        Some(_) => Ending::Surprise,
    })
}

fn told(report: &Report, elapsed: Option<Duration>) -> String {
    let mut text = matrix(report);
    let (schedules, effects, seed) = (report.schedules, report.effects(), report.seed);
    text +=
        &format!("{schedules} schedules in which faults took effect {effects} times, seed {seed}");
    if let Some(elapsed) = elapsed {
        let seconds = elapsed.as_secs_f64().max(0.001);
        let rate = report.schedules as f64 / seconds;
        text += &format!(", {seconds:.1} s, {rate:.0} schedules/s");
    }
    let proven = report.cells.iter().filter(|cell| cell.exhausted.is_some()).count();
    if proven > 0 {
        text += &format!(
            "\n{proven} cells hold in every schedule of a small cluster, too: leasehold explore"
        );
    }
    if report.shards.of > 1 {
        let done = report.shards.done.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        text += &format!("\npart {done} of {}", report.shards.of);
    }
    text.push('\n');
    text += &report.statistics.told();
    for part in [story_of(report), surprises(report)].into_iter().flatten() {
        text.push('\n');
        text += &part;
    }
    text
}
