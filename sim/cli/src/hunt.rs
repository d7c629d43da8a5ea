//! `leasehold hunt`: the fewest faults that make somebody's own test fail.

mod again;
mod group;
mod plan;
mod process;
mod report;
mod rule;
mod run;
mod search;
mod shrink;
mod singles;
mod tell;

use std::{
    ffi::OsString,
    io,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use leasehold_sim::campaign::Progress;
use tokio::sync::watch;

use super::{
    Ending, Failure as Refusal,
    options::{self},
    output::{self, Target, print},
    page,
    progress::Bar,
};
use again::Again;
use plan::Planner;
use report::{Effort, Outcome};
use rule::{Fault, Replay};
use run::{Address, Run, Setup};
use search::Pool;
use shrink::Shrinker;

/// How many runs there are if nothing is said.
const RUNS: u64 = 500;

/// How many runs without any fault come first.
const CALM: usize = 3;

/// How long those may take if nothing else is said.
const CALM_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the others may take at least, and how many times a calm one.
const TIMEOUT: Duration = Duration::from_secs(5);
const TIMES_CALM: u32 = 10;

/// After so many schedules that fail only now and then, the one that failed most often is taken.
const UNSTEADY: u64 = 5;

/// Finds the fewest faults that make your own test fail.
///
/// It runs the test again and again, each time against a server that fails in another way.
///
/// The command is told of the server by REDIS_URL, UPSTASH_REDIS_REST_URL and
/// UPSTASH_REDIS_REST_TOKEN. Each run has an empty server of its own. A run fails by its exit status,
/// when it does not end, or by what the server sees of its locks (--lock). TESTING.md begins with an
/// example.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  leasehold hunt -- pytest -q test_lock.py
  leasehold hunt --lock 'lock:*' -- node --test lock.test.js
  leasehold hunt --env CACHE_URL=resp --fault reply-loss -- go test ./...
  leasehold hunt --replay 'h1: reply-loss command=SET next=1' -- python3 job.py

Exit status: 0 if nothing was found, 1 if something was, 2 after wrong use, 3 if
the command fails without any fault, 130 after an interrupt.")]
pub(super) struct Hunt {
    /// The command, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Keys that are locks, such as 'lock:*'.
    ///
    /// Their value says who owns them: nobody else may delete, overwrite or extend them, and they
    /// must expire (repeat for more).
    #[arg(long, value_name = "GLOB")]
    lock: Vec<String>,
    /// One more variable that names the server.
    ///
    /// Its URL over RESP or REST, or the token of REST (repeat for more).
    #[arg(long, value_name = "NAME=resp|rest|token", value_parser = variable)]
    env: Vec<(String, Address)>,
    /// Only these faults, as in reset,hang.
    ///
    /// Kinds of `leasehold serve --fault`: latency, request-loss, reply-loss, duplicate, hang, reset,
    /// stale-read, failover, restart, server-clock and hold.
    #[arg(long, value_name = "KIND", value_delimiter = ',', hide_possible_values = true, value_parser = clap::builder::PossibleValuesParser::new(plan::KINDS))]
    fault: Vec<String>,
    /// How many schedules to run [default: 500].
    ///
    /// With --time, as many as there is time for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// For how long to go on, such as 60s or 10m.
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    time: Option<Duration>,
    /// The seed of the schedules.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many runs at once [default: one a core].
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// How long a run may take, as in 10s.
    ///
    /// [default: ten times as long as a calm one, and 5s at least]
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    timeout: Option<Duration>,
    /// How often to run what has failed.
    ///
    /// Each schedule that failed, and each that is simpler.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    confirm: u64,
    /// Runs this schedule only, as a hunt prints it.
    ///
    /// Rules separated by semicolons.
    #[arg(long, value_name = "SCHEDULE", value_parser = str::parse::<Replay>)]
    replay: Option<Replay>,
    /// Writes JSON to FILE; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    json: Option<Target>,
    /// Writes a page for a browser to FILE.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

fn variable(text: &str) -> Result<(String, Address), String> {
    let wrong = || format!("`{text}` is no variable: write NAME=resp, NAME=rest or NAME=token");
    let (name, address) = text.split_once('=').ok_or_else(wrong)?;
    let address = match address {
        "resp" => Address::Resp,
        "rest" => Address::Rest,
        "token" => Address::Token,
        _ => return Err(wrong()),
    };
    if name.is_empty() { Err(wrong()) } else { Ok((name.into(), address)) }
}

impl Hunt {
    pub(super) fn run(self) -> Result<Ending, Refusal> {
        if let Some(target) = &self.json {
            target.probe()?;
        }
        output::probe("--html", self.html.as_deref())?;
        let stop = interrupts()?;
        let mut setup = self.setup();
        let mut effort = Effort { seed: self.seed, ..Effort::default() };
        let outcome = self.hunt(&mut setup, &stop, &mut effort);
        // Whatever has left its group and was started before its own leader's number came again.
        process::end_marked(0, &Setup::marks());
        let outcome = outcome?;
        effort.interrupted = *stop.borrow();
        let again = self.again();
        if let Some(target) = &self.json {
            target.write(&report::json(&outcome, &effort, &again))?;
        }
        if let (Some(path), Outcome::Found(found)) = (&self.html, &outcome) {
            page::write(path, &page::of_story(&tell::story(found, &again)))?;
        }
        if self.json != Some(Target::Stdout) {
            print(&report::told(&outcome, &effort, &again))?;
        }
        Ok(match outcome {
            _ if effort.interrupted => Ending::Interrupted,
            Outcome::Calm { .. } => Ending::CutShort,
            Outcome::Found(_) => Ending::Surprise,
            Outcome::Nothing => Ending::AsClaimed,
        })
    }

    fn setup(&self) -> Setup {
        let usual = [
            ("REDIS_URL", Address::Resp),
            ("UPSTASH_REDIS_REST_URL", Address::Rest),
            ("UPSTASH_REDIS_REST_TOKEN", Address::Token),
        ];
        let usual = usual.map(|(name, address)| (name.to_owned(), address));
        Setup {
            words: self.command.clone(),
            variables: usual.into_iter().chain(self.env.iter().cloned()).collect(),
            locks: self.lock.clone(),
            timeout: self.timeout.unwrap_or(CALM_TIMEOUT),
            count: AtomicU64::new(0),
        }
    }

    fn hunt(
        &self,
        setup: &mut Setup,
        stop: &watch::Receiver<bool>,
        effort: &mut Effort,
    ) -> Result<Outcome, Refusal> {
        let calm = self.calm(setup, stop)?;
        effort.left_behind = calm.iter().any(|run| run.left_behind);
        if let Some(run) = calm.iter().find(|run| run.failure.is_some()) {
            let failure = run.failure.clone().expect("it was just looked at");
            return Ok(Outcome::Calm { failure, tail: run.tail.clone() });
        }
        if calm.len() < CALM {
            return Ok(Outcome::Nothing);
        }
        if calm.iter().all(|run| run.seen.requests.is_empty()) {
            return Err(Refusal::Use(self.no_request(&calm)));
        }
        let slowest = calm.iter().map(|run| run.took).max().unwrap_or_default();
        setup.timeout = self.timeout.unwrap_or_else(|| TIMEOUT.max(slowest * TIMES_CALM));
        let pool = Pool { setup, jobs: self.jobs(), stop: stop.clone() };
        let confirm = usize::try_from(self.confirm).unwrap_or(usize::MAX);
        let shrinker = Shrinker { pool: &pool, confirm };
        match &self.replay {
            Some(Replay(faults)) => self.again_once(&shrinker, faults, effort),
            None => self.search(&shrinker, &calm, effort),
        }
    }

    /// The runs without any fault.
    fn calm(&self, setup: &Setup, stop: &watch::Receiver<bool>) -> Result<Vec<Run>, Refusal> {
        let pool = Pool { setup, jobs: NonZeroUsize::MIN, stop: stop.clone() };
        let runs = pool.repeat_until(&[], CALM, |run| run.failure.is_some());
        runs.map_err(|error| {
            let name = self.command[0].to_string_lossy();
            Refusal::Use(format!("cannot run `{name}`: {error}; give a command after `--`"))
        })
    }

    fn no_request(&self, calm: &[Run]) -> String {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| &**name).collect();
        let names = if names.is_empty() { "REDIS_URL".into() } else { names.join(", ") };
        let mut text = format!(
            "the command passes, but made no request; is {names} read? See --env for other names"
        );
        if calm.iter().any(|run| run.left_behind) {
            text += "; it left processes running, which were ended: a run is over once the command has \
                     ended";
        }
        text
    }

    /// Runs one schedule.
    fn again_once(
        &self,
        shrinker: &Shrinker<'_>,
        faults: &[Fault],
        effort: &mut Effort,
    ) -> Result<Outcome, Refusal> {
        let runs = shrinker.pool.repeat(faults, shrinker.confirm).map_err(cannot)?;
        effort.runs = runs.len() as u64;
        effort.injected = runs.iter().map(|run| run.injected).sum();
        let of = runs.len();
        let failed = runs.iter().filter(|run| run.failure.is_some()).count();
        let run = runs.into_iter().find(|run| run.failure.is_some());
        Ok(match run {
            Some(run) => Outcome::Found(Box::new(shrink::Found {
                faults: faults.to_vec(),
                failure: run.failure.clone().expect("it was just looked at"),
                tally: shrink::Tally { failed, of },
                run,
                without: Vec::new(),
                finished: true,
            })),
            None => Outcome::Nothing,
        })
    }

    fn search(
        &self,
        shrinker: &Shrinker<'_>,
        calm: &[Run],
        effort: &mut Effort,
    ) -> Result<Outcome, Refusal> {
        let seen: Vec<_> = calm.iter().map(|run| &run.seen).collect();
        let planner = Mutex::new(Planner::new(&seen, self.kinds(), self.seed));
        let usual = if self.time.is_some() { u64::MAX } else { RUNS };
        let most = self.runs.unwrap_or(usual);
        let until = self.time.and_then(|time| Instant::now().checked_add(time));
        let bar = Bar::new("runs", self.time);
        if most < u64::MAX {
            bar.expect(most);
        }
        let drawn = AtomicU64::new(0);
        let next = || {
            let late = until.is_some_and(|until| Instant::now() >= until);
            let over = drawn.fetch_add(1, Ordering::Relaxed) >= most;
            (!late && !over).then(|| planner.lock().unwrap_or_else(PoisonError::into_inner).draw())
        };
        let mut steadiest: Option<shrink::Found> = None;
        while let Some((faults, run)) = self.first_failure(shrinker.pool, &next, &bar, effort)? {
            match shrinker.confirm(faults, run).map_err(cannot)? {
                Some(found) if found.is_steady() || shrinker.pool.is_stopped() => {
                    steadiest = Some(found);
                    break;
                }
                found => {
                    effort.unsteady += 1;
                    let better = |best: &shrink::Found, other: &shrink::Found| {
                        best.tally.failed < other.tally.failed
                    };
                    if let Some(found) = found
                        && steadiest.as_ref().is_none_or(|best| better(best, &found))
                    {
                        steadiest = Some(found);
                    }
                    if steadiest.is_some() && effort.unsteady >= UNSTEADY {
                        break;
                    }
                }
            }
        }
        let Some(mut found) = steadiest else { return Ok(Outcome::Nothing) };
        shrinker.shrink(&mut found).map_err(cannot)?;
        Ok(Outcome::Found(Box::new(found)))
    }

    /// Runs one schedule after the other until one fails.
    fn first_failure(
        &self,
        pool: &Pool<'_>,
        next: &(impl Fn() -> Option<Vec<Fault>> + Sync),
        bar: &Bar,
        effort: &mut Effort,
    ) -> Result<Option<(Vec<Fault>, Run)>, Refusal> {
        let (failed, effort) = (Mutex::new(None), Mutex::new(effort));
        let done = |faults: Vec<Fault>, run: Run| {
            let mut effort = effort.lock().unwrap_or_else(PoisonError::into_inner);
            effort.runs += 1;
            effort.injected += run.injected;
            effort.left_behind |= run.left_behind;
            bar.done();
            let fails = run.failure.is_some();
            if fails {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert((faults, run));
            }
            fails
        };
        pool.each(next, done).map_err(cannot)?;
        Ok(failed.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn kinds(&self) -> Vec<&'static str> {
        let wanted = |kind: &&&str| {
            self.fault.is_empty() || self.fault.iter().any(|wanted| wanted == **kind)
        };
        plan::KINDS.iter().filter(wanted).copied().collect()
    }

    fn jobs(&self) -> NonZeroUsize {
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores)
    }

    fn again(&self) -> Again {
        let locks = self.lock.iter().flat_map(|glob| ["--lock".to_owned(), glob.clone()]);
        let variables = self.env.iter().flat_map(|(name, address)| {
            let address = match address {
                Address::Resp => "resp",
                Address::Rest => "rest",
                Address::Token => "token",
            };
            ["--env".to_owned(), format!("{name}={address}")]
        });
        let words = self.command.iter().map(|word| word.to_string_lossy().into_owned());
        let timeout =
            self.timeout.iter().flat_map(|time| ["--timeout".to_owned(), rule::words(*time)]);
        Again { options: locks.chain(variables).chain(timeout).collect(), command: words.collect() }
    }
}

fn cannot(error: io::Error) -> Refusal {
    Refusal::Use(format!("cannot run it: {error}"))
}

/// Told once somebody ends the hunt from the keyboard.
fn interrupts() -> Result<watch::Receiver<bool>, Refusal> {
    let (told, stop) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::Use(format!("cannot start: {error}")))?;
    let listened = {
        let _context = runtime.enter();
        super::serve::interrupted()
    };
    let interrupted =
        listened.map_err(|error| Refusal::Use(format!("cannot listen for signals: {error}")))?;
    thread::spawn(move || {
        runtime.block_on(interrupted);
        told.send_replace(true);
        // The receivers have to hear of it.
        runtime.block_on(told.closed());
    });
    Ok(stop)
}
