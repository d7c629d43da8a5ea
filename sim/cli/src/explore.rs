//! `leasehold explore`: searches every schedule of a small cluster.

use crate::models::{BoundedModel, BoundedModels};
use std::{fs, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::Args;

use super::{
    Ending, Failure, interrupt,
    options::{self, Allowance},
    output::{Target, keep, print, probe},
    page,
    progress::Bar,
};
use crate::report::{Exploration, ExploredReport, Finding, fit};
use leasehold_sim::{
    catalog::{Subject, Verdict},
    claims::Claims,
    explore::{Bounds, Explored, Limits, explore},
    faults::FaultSet,
    guarantees::Guarantee,
    world::Scale,
};

/// Searches every schedule of a small cluster.
///
/// Within bounds, it finds a shortest counterexample or says that there is none in the whole model.
///
/// Without --subject, --bounds or --fault: the models of sim/cli/models.toml, each of which must hold no
/// counterexample and have as many states as is said there.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold explore                     all that is known to be proven, again
  leasehold explore --only lock-failover
  leasehold explore --up-to 500000      the smaller ones, in half a minute
  leasehold explore --subject lock-replicated --guarantee exclusion \\
    --fault failover
  leasehold explore --subject lock --fault reply-loss:2,duplicate:1:3+5 \\
    --workload behaviour:1:2+3 --clients 2 --calls 1 --faults-end 600ms \\
    --end 3s --decisions 3 --time 60s
  leasehold explore --bounds mine.toml --json -

An allowance is NAME:TIMES:CHOICES, such as duplicate:1:3+5: a second copy may
arrive once, and the choices 3 and 5 are tried for when. Without CHOICES all
are, without TIMES it happens once.

Exit status: 0 if each model was searched to its end and is what is claimed of
it, 1 if one is not, 2 after wrong use, 3 if a search was cut short and found
nothing (then nothing is proven), 130 after an interrupt.")]
pub(super) struct Explore {
    /// Only these models, by name.
    ///
    /// Names of sim/cli/models.toml; repeat it, or separate them by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with_all = ["subject", "bounds"])]
    only: Vec<String>,
    /// Only the models of at most so many states.
    ///
    /// As sim/cli/models.toml counts them.
    #[arg(long, value_name = "N", conflicts_with_all = ["subject", "bounds"])]
    up_to: Option<u64>,
    /// The bounds are those in FILE.
    ///
    /// They are written as `[model.bounds]` is in sim/cli/models.toml.
    #[arg(long, value_name = "FILE", conflicts_with = "subject")]
    bounds: Option<PathBuf>,
    #[command(flatten)]
    asked: Asked,
    /// About how much memory to use, such as 512MiB or 4GiB: with less, it takes longer.
    #[arg(long, value_name = "SIZE", hide_short_help = true, default_value = "2GiB", value_parser = options::size)]
    memory: u64,
    /// Cuts each search short, as in 10m.
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    time: Option<Duration>,
    /// Cuts each search short at about so many states.
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = clap::value_parser!(u64).range(1..))]
    states: Option<u64>,
    /// Threads to use [default: one a core].
    #[arg(long, value_name = "J", hide_short_help = true)]
    jobs: Option<NonZeroUsize>,
    /// Writes JSON to FILE; `-` is standard output.
    ///
    /// To standard output it writes nothing else then.
    #[arg(long, value_name = "FILE")]
    json: Option<Target>,
    /// Writes a page for a browser to FILE.
    ///
    /// What was searched, and how it breaks.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Adds what broke against its claim to FILE.
    ///
    /// Its schedule, for a test that runs `leasehold_sim::regressions::replay`.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    save_regressions: Option<PathBuf>,
    /// Writes sim/cli/models.toml with the numbers of states that were found to FILE. For those who
    /// change the simulated world.
    #[arg(long, value_name = "FILE", hide_short_help = true, requires = "because", conflicts_with_all = ["subject", "bounds", "only", "up_to"])]
    record: Option<PathBuf>,
    /// Why the numbers are others than before, as a sentence that is written with them.
    #[arg(long, value_name = "REASON", hide_short_help = true, requires = "record", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    because: Option<String>,
}

/// A model, by options.
#[derive(Debug, Args)]
struct Asked {
    /// The algorithm.
    #[arg(long, value_name = "NAME", value_parser = options::subject(),
          hide_possible_values = true, long_help = options::about_subjects())]
    subject: Option<Subject>,
    /// Only these [default: all claimed to hold].
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "subject", value_parser = options::guarantee(),
          hide_possible_values = true, long_help = options::about_guarantees())]
    guarantee: Vec<Guarantee>,
    /// Faults that may occur, as in hang:2.
    #[arg(long, value_name = "ALLOWANCE", value_delimiter = ',', requires = "subject")]
    fault: Vec<Allowance>,
    /// What clients may do, as in idle:1.
    ///
    /// Parts of the workload that may be other than the calmest: idle, jitter, order, behaviour.
    #[arg(long, value_name = "ALLOWANCE", value_delimiter = ',', requires = "subject")]
    workload: Vec<Allowance>,
    /// How many clients there are.
    #[arg(long, value_name = "N", default_value_t = 2, requires = "subject", value_parser = clap::value_parser!(u8).range(1..=8))]
    clients: u8,
    /// How many servers of a quorum vote.
    #[arg(long, value_name = "N", hide_short_help = true, default_value_t = 3, requires = "subject", value_parser = clap::value_parser!(u8).range(3..=4))]
    servers: u8,
    /// How many times each calls.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "subject")]
    calls: u32,
    /// When the last fault is over.
    ///
    /// In simulated time.
    #[arg(long, value_name = "TIME", default_value = "600ms", requires = "subject", value_parser = options::duration)]
    faults_end: Duration,
    /// When a run is over.
    ///
    /// In simulated time.
    #[arg(long, value_name = "TIME", default_value = "3s", requires = "subject", value_parser = options::duration)]
    end: Duration,
    /// Decisions that are not calm.
    ///
    /// How many in one run may be other than the calmest.
    #[arg(long, value_name = "N", default_value_t = 3, requires = "subject")]
    decisions: u32,
}

impl Explore {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let models = self.models()?;
        if let Some(target) = &self.json {
            target.probe()?;
        }
        probe("--html", self.html.as_deref())?;
        probe("--save-regressions", self.save_regressions.as_deref())?;
        probe("--record", self.record.as_deref())?;
        interrupt::watch()?;
        let pool = options::pool(self.jobs)?;
        let mut limits = Limits::default();
        (limits.memory, limits.time, limits.states) = (self.memory, self.time, self.states);
        let (mut reports, mut ending) = (Vec::new(), Ending::AsClaimed);
        for model in &models {
            let bar = Bar::new("branches known so far", None);
            let explored = pool.install(|| explore(&model.bounds, &limits, &bar));
            let elapsed = bar.elapsed();
            drop(bar);
            let mut report = ExploredReport::of(model.name.as_deref(), &model.bounds, &explored);
            if self.json != Some(Target::Stdout) {
                print(&model.told(&report, &explored, elapsed))?;
            }
            let end = model.ending(&report, self.record.is_some());
            if let (Some(file), Some(told)) = (&self.save_regressions, &report.counterexample)
                && end == Ending::Surprise
            {
                keep(file, told, &report.subject)?;
            }
            ending = ending.max(end);
            if self.json.is_some() || self.html.is_some() {
                report.tell_story();
            }
            reports.push(report);
            if interrupt::happened() {
                ending = Ending::Interrupted;
                break;
            }
        }
        if let (Some(path), Some(because)) = (&self.record, &self.because) {
            record(path, &reports, because)?;
        }
        if let Some(path) = &self.html {
            page::write(path, &page::of_searches(&reports))?;
        }
        let is_about_nothing = reports.iter().any(ExploredReport::is_about_nothing);
        if let Some(target) = &self.json {
            let version = env!("CARGO_PKG_VERSION").into();
            target.write(&Exploration { version, explored: reports })?;
        }
        if is_about_nothing && ending == Ending::AsClaimed {
            let nothing = "nothing was exercised: in no schedule of the model did the situation \
                           occur that a guarantee is about; choose others, or wider bounds";
            return Err(Failure::Use(nothing.into()));
        }
        Ok(ending)
    }

    fn models(&self) -> Result<Vec<Model>, Failure> {
        if let Some(bounds) = self.asked.bounds()? {
            return Ok(vec![Model { name: None, states: None, bounds }]);
        }
        if let Some(path) = &self.bounds {
            let wrong = |error: &dyn std::fmt::Display| {
                Failure::Use(format!("{}: {error}", path.display()))
            };
            let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
            let bounds = toml::from_str(&text).map_err(|error| wrong(&error))?;
            return Ok(vec![Model { name: None, states: None, bounds }]);
        }
        let models = BoundedModels::current();
        let known = |name: &String| models.all().iter().any(|model| model.name == *name);
        if let Some(unknown) = self.only.iter().find(|name| !known(name)) {
            let names: Vec<&str> = models.all().iter().map(|model| &*model.name).collect();
            let all = names.join(", ");
            return Err(Failure::Use(format!("there is no model {unknown:?}, only {all}")));
        }
        let wanted = |model: &&BoundedModel| {
            let named = self.only.is_empty() || self.only.contains(&model.name);
            named && self.up_to.is_none_or(|most| model.states <= most)
        };
        let search = |model: &BoundedModel| Model {
            name: Some(model.name.clone()),
            states: Some(model.states),
            bounds: model.bounds.clone(),
        };
        Ok(models.all().iter().filter(wanted).map(search).collect())
    }
}

impl Asked {
    fn bounds(&self) -> Result<Option<Bounds>, Failure> {
        let Some(subject) = self.subject else { return Ok(None) };
        let allowances = self.fault.iter().chain(&self.workload);
        let mut faults = FaultSet::NONE;
        for allowance in &self.fault {
            let fault = allowance.fault().ok_or_else(|| allowance.unknown())?;
            faults = faults.with(fault);
        }
        if let Some(other) = self.workload.iter().find(|allowance| !allowance.kind.is_workload()) {
            return Err(other.unknown());
        }
        let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let bounds = Bounds {
            subject,
            guarantees: self.guarantees(subject, faults),
            scale: Scale {
                clients: self.clients,
                calls: self.calls,
                faults_end_ms: millis(self.faults_end),
                end_ms: millis(self.end),
                faults,
                servers: self.servers,
            },
            decisions: self.decisions,
            allowed: allowances
                .map(|allowance| (allowance.kind, allowance.allowed.clone()))
                .collect(),
        };
        bounds.checked().map(Some).map_err(|error| Failure::Use(error.to_string()))
    }

    /// Those that were asked for, or all of the subject's first workload that are claimed to hold.
    fn guarantees(&self, subject: Subject, faults: FaultSet) -> Vec<Guarantee> {
        if !self.guarantee.is_empty() {
            return self.guarantee.clone();
        }
        let (claims, workload) = (Claims::current(), subject.workloads()[0]);
        let holds = |guarantee: &Guarantee| {
            guarantee.workload() == workload
                && claims.under_any(subject, *guarantee, faults) == Verdict::Holds
        };
        Guarantee::ALL.iter().copied().filter(holds).collect()
    }
}

/// What is searched, and what is said of it.
struct Model {
    name: Option<String>,
    states: Option<u64>,
    bounds: Bounds,
}

impl Model {
    fn told(&self, report: &ExploredReport, explored: &Explored, elapsed: Duration) -> String {
        let mut text = report.told();
        let seconds = elapsed.as_secs_f64().max(0.001);
        let rate = explored.steps as f64 / seconds;
        text += &format!("  {seconds:.1} s, {rate:.0} events/s\n");
        if let Some(states) = self.states.filter(|&states| states != report.states)
            && report.finding == Finding::Exhausted
        {
            text += &fit(&format!(
                "  sim/cli/models.toml says {states} states, and gives no reason for others. A change \
                 that was not meant to change the world, a machine, a script or a checker has \
                 changed one. They were last counted anew for this reason: {}",
                BoundedModels::current().because()
            ));
        }
        text.push('\n');
        text
    }

    fn ending(&self, report: &ExploredReport, recording: bool) -> Ending {
        match &report.finding {
            Finding::CutShort => Ending::CutShort,
            Finding::Broken => match self.claimed(report) {
                Verdict::Broken => Ending::AsClaimed,
                Verdict::Holds | Verdict::NotExercised => Ending::Surprise,
            },
            Finding::Exhausted => {
                let known = self.states.is_none_or(|states| states == report.states || recording);
                let proven = self.name.is_none() || report.is_exhausted();
                if known && proven { Ending::AsClaimed } else { Ending::Surprise }
            }
        }
    }

    /// What is claimed of the guarantee that was broken.
    fn claimed(&self, report: &ExploredReport) -> Verdict {
        let broken = report.counterexample.as_ref().and_then(|told| told.token.parse().ok());
        let claims = Claims::current();
        broken.map_or(Verdict::Holds, |schedule: leasehold_sim::schedule::Schedule| {
            let Bounds { subject, scale, .. } = &self.bounds;
            claims.under_any(*subject, schedule.cell.guarantee, scale.faults)
        })
    }
}

fn record(path: &PathBuf, reports: &[ExploredReport], because: &str) -> Result<(), Failure> {
    let proven = reports.iter().filter(|report| report.is_exhausted());
    let counts: Vec<(String, u64)> =
        proven.filter_map(|report| Some((report.name.clone()?, report.states))).collect();
    fs::write(path, BoundedModels::recounted(&counts, because))
        .map_err(|error| Failure::Use(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(states: Option<u64>, faults: &str) -> Model {
        let text = format!(
            "subject = 'lock-replicated'\nguarantees = ['exclusion']\nclients = 3\ncalls = 1\n\
             faults-end-ms = 600\nend-ms = 3000\ndecisions = 1\nfaults = {{ {faults} }}"
        );
        let bounds = toml::from_str(&text).unwrap();
        Model { name: states.map(|_| "model".into()), states, bounds }
    }

    fn report(model: &Model, limits: Limits) -> ExploredReport {
        let explored = explore(&model.bounds, &limits, &());
        ExploredReport::of(model.name.as_deref(), &model.bounds, &explored)
    }

    #[test]
    fn what_is_found_must_be_what_is_claimed() {
        let failover = model(None, "failover = { times = 1 }");
        let broken = report(&failover, Limits::default());
        assert_eq!(failover.ending(&broken, false), Ending::AsClaimed);
        // Without a failover, exclusion is claimed to hold.
        let other = model(None, "hang = { times = 1 }");
        assert_eq!(other.ending(&broken, false), Ending::Surprise);
        let mut limits = Limits::default();
        (limits.states, limits.time) = (Some(1), Some(Duration::ZERO));
        let cut = report(&other, limits);
        assert_eq!(other.ending(&cut, false), Ending::CutShort);
    }

    #[test]
    fn a_proof_must_have_the_states_that_it_says_and_be_about_something() {
        let wrong = model(Some(1), "hang = { times = 1 }");
        let found = report(&wrong, Limits::default());
        assert_eq!(wrong.ending(&found, false), Ending::Surprise);
        assert_eq!(wrong.ending(&found, true), Ending::AsClaimed);
        let right = Model { states: Some(found.states), ..model(Some(0), "hang = { times = 1 }") };
        assert_eq!(right.ending(&found, false), Ending::AsClaimed);
        let idle = ExploredReport { never_effective: vec!["hang".into()], ..found };
        assert_eq!(right.ending(&idle, false), Ending::Surprise);
    }
}
