//! `leasehold check`: runs a campaign and prints the matrix.

use std::{fs, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::Args;

use super::{
    Ending, Failure, interrupt,
    options::{self, Disturbance, Shard},
    output::{print, probe},
    outputs::Outputs,
    progress::Bar,
};
use crate::report::{Report, Telling};
use leasehold_sim::{
    campaign::{self, Outcome, Settings},
    catalog::Subject,
    faults::Fault,
    guarantees::Guarantee,
};

/// Says which guarantee holds under which fault.
///
/// It runs many schedules of each subject under each fault.
///
/// Then it tells one counterexample, and lists the cells that are not what is claimed of them. An
/// interrupt (Ctrl-C) ends it with what is known by then.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold check --matrix
  leasehold check --guarantee exclusion --fault failover --schedules 20000
  leasehold check --shard 3/8 --json part-3.json
                                        one of eight machines does its part
  leasehold check --json - --fault none | jq '.cells[].verdict'
  leasehold check --shard $((JOB_COMPLETION_INDEX + 1))/8 \\
    --json /reports/$JOB_COMPLETION_INDEX.json
                                        the same in a Kubernetes Indexed Job

A part of a campaign (--shard with more than one part) fails only for what broke
against its claim; `leasehold merge` judges the whole.

Exit status: 0 if every cell is what is claimed of it, 1 if not, 2 after wrong
use or if nothing was exercised, 130 after an interrupt.")]
pub(super) struct Check {
    /// Only these subjects, as in lock,quorum.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = options::subject(),
          hide_possible_values = true, long_help = options::about_subjects())]
    subject: Vec<Subject>,
    /// Only these guarantees.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = options::guarantee(),
          hide_possible_values = true, long_help = options::about_guarantees())]
    guarantee: Vec<Guarantee>,
    /// Only these faults, or `none`.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = options::disturbance(),
          hide_possible_values = true, long_help = options::about_faults())]
    fault: Vec<Disturbance>,
    /// Schedules for each fault.
    ///
    /// So many of each subject under each fault, and half as many of those whose clients run handles, which take longer.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    schedules: u64,
    /// Goes on for at least this long, as in 10m.
    ///
    /// With more schedules than --schedules says, which are run in any case.
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    time: Option<Duration>,
    /// Seed of the campaign.
    ///
    /// The same seed gives the same schedules.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Threads to use [default: one a core].
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// Part K of N of the campaign.
    ///
    /// Parts are counted from 1; `leasehold merge` joins their JSON.
    #[arg(long, value_name = "K/N", default_value = "1/1")]
    shard: Shard,
    #[command(flatten)]
    outputs: Outputs,
    /// Writes the shortest schedule of each broken cell to FILE.
    ///
    /// A line each. For those who change the simulated world: `sim/counterexamples.txt` belongs to it.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    counterexamples: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let settings = self.settings()?;
        self.probe()?;
        let pool = options::pool(self.jobs)?;
        let is_told = self.outputs.is_told();
        let mut telling = Telling::new(settings.subjects.len(), self.outputs.matrix);
        if is_told {
            let names: Vec<&str> = faults(&settings).collect();
            print(&telling.head(&settings.guarantees, &names))?;
        }
        interrupt::watch()?;
        let bar = Bar::new("schedules", self.time);
        let (mut whole, mut printed) = (None::<Report>, Ok(()));
        let finished = |outcome: Outcome| {
            let part = Report::of(&outcome, settings.shard);
            if is_told && printed.is_ok() {
                printed = bar.aside(|| print(&telling.subjects(&part)));
            }
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => whole.extend(part),
            }
        };
        let ran = pool.install(|| campaign::run_by_subject(&settings, &bar, finished));
        let elapsed = bar.elapsed();
        drop(bar);
        printed?;
        ran.map_err(|differs| Failure::Unsound(differs.to_string()))?;
        let mut report = whole.expect("there is a subject");
        self.outputs.page(&mut report)?;
        if let Some(path) = &self.counterexamples {
            fs::write(path, counterexamples(&report))
                .map_err(|error| Failure::Use(format!("{}: {error}", path.display())))?;
        }
        self.outputs.publish(&report, &telling, Some(elapsed))
    }

    /// Finds out whether all files can be written, before the work is done.
    fn probe(&self) -> Result<(), Failure> {
        self.outputs.probe()?;
        probe("--counterexamples", self.counterexamples.as_deref())
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let faults = options::wanted(&Disturbance::all(), &self.fault);
        let mut settings = Settings::new(self.schedules);
        settings.subjects = options::wanted(Subject::ALL, &self.subject);
        settings.guarantees = options::wanted(Guarantee::ALL, &self.guarantee);
        settings.faults = faults.into_iter().map(|Disturbance(fault)| fault).collect();
        (settings.time, settings.seed) = (self.time, self.seed);
        settings.shard = (self.shard.number - 1, self.shard.of);
        settings.candidates = if self.counterexamples.is_some() { 24 } else { 2 };
        let promises = |subject: &Subject| {
            let of_subject =
                |guarantee: &&Guarantee| subject.workloads().contains(&guarantee.workload());
            settings.guarantees.iter().any(|guarantee| of_subject(&guarantee))
        };
        if !settings.subjects.iter().any(promises) {
            let nothing = "none of these subjects has to do with any of these guarantees: leave \
                           out --subject or --guarantee";
            return Err(Failure::Use(nothing.into()));
        }
        let is_exercised = |subject: &Subject| {
            let suffers =
                |fault: &Option<Fault>| fault.is_none_or(|fault| subject.can_suffer(fault));
            promises(subject) && settings.faults.iter().any(suffers)
        };
        if !settings.subjects.iter().any(is_exercised) {
            return Err(Failure::Use(no_effect(&settings)));
        }
        Ok(settings)
    }
}

/// The names of the faults, with `none`.
fn faults(settings: &Settings) -> impl Iterator<Item = &'static str> {
    settings.faults.iter().map(|fault| fault.map_or("none", Fault::name))
}

/// That none of the subjects can suffer any of the faults.
fn no_effect(settings: &Settings) -> String {
    let names: Vec<&str> = faults(settings).collect();
    let subjects: Vec<&str> = settings.subjects.iter().map(|subject| subject.name()).collect();
    let suffers = |subject: &&Subject| {
        settings.faults.iter().flatten().any(|&fault| subject.can_suffer(fault))
    };
    let other = Subject::ALL.iter().find(suffers).map_or("another", |subject| subject.name());
    format!(
        "nothing is exercised: {} cannot suffer {}; choose another --fault, or a subject that can, \
         as with --subject {other}",
        subjects.join(" or "),
        names.join(" or ")
    )
}

fn counterexamples(report: &Report) -> String {
    let told = report.cells.iter().filter_map(|cell| cell.counterexample.as_ref());
    told.map(|told| format!("{}\n", told.token)).collect()
}
