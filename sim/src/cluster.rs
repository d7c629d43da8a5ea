//! Your own code in the simulated world: any async functions, as processes of a cluster.
//!
//! How to use it, with examples: [test your code](crate::guide::test_your_code).
//!
//! # What a process may do
//!
//! It runs on the deterministic executor of the simulation: no threads, no runtime. It may await its
//! [`SimClock`], its [`SimStore`], its [`SimRedis`] and the handles of [`leasehold_core`] over them,
//! [`Process::remote`], tasks of [`Process::spawn`], and whatever is woken by one of those: `join!`,
//! `select_biased!`, `FuturesUnordered` and the channels of the `futures` family. Code that
//! takes a [`Lock`](leasehold_core::lock::Lock) or a [`Debounce`](leasehold_core::debounce::Debounce)
//! runs as it is: [`Process::lock`] and [`Process::debounce`] make those, with tokens that the run
//! repeats.
//!
//! Code for any Redis takes [`Process::redis`] as its connection: with the feature `redis`, one of the
//! crate `redis`. [`Setup::mutex`], [`Setup::at_most_once`], [`Setup::no_key_without_ttl`] and
//! [`Setup::eventually_gone`] say what most of it is to hold.
//!
//! # Faults
//!
//! Every [`Fault`]. A process that stands still is not polled, and what comes for it waits. One that
//! crashes loses its futures at a step (their destructors run, but send nothing) and is started
//! anew, as [`Process::life`] says. One that is cancelled loses the future of its main task at an
//! await, as that of a request whose client has hung up: its destructors run and may send, what it
//! spawned goes on, and the main task is started anew in the same life. To have a future dropped
//! inside of it, in a `select` against a time limit, use [`Process::choose`]. A remote call suffers from the faults of the
//! network, not from those of the Redis. What your processes share in memory survives all of that:
//! it stands for the world outside.
//!
//! # What is found beside your invariants
//!
//! Panics. Processes that wait for something unknown, are woken by another thread, or spin. The
//! first schedules, and then one in 32, run twice: a difference means that something is not
//! simulated, and on Linux a wait inside of a poll is noticed. A wait that never ends is not: it
//! hangs the test.

mod ask;
mod blocking;
mod campaign;
mod check;
mod clock;
mod failure;
mod invariants;
mod kept;
mod page;
mod process;
mod quiet;
mod redis;
mod regressions;
mod run;
mod runtime;
mod sessions;
mod setup;
mod store;
mod story;
mod token;
mod user_program;
mod users;
mod words;

use std::{fmt, path::PathBuf, time::Duration};

pub use campaign::Report;
pub use clock::SimClock;
pub use failure::{Breach, Failure};
pub use invariants::{Inside, Once, Section};
pub use process::{Process, RemoteError, TimedOut};
pub use redis::SimRedis;
pub use setup::Setup;
pub use store::SimStore;
pub use token::TokenError;
#[cfg(feature = "proptest")]
pub(crate) use token::of as token_of;
pub use users::RedisError;

use page::Pages;
use story::Alternatives;
use users::Users;

use crate::{
    decide::{DecisionSource, Decisions, Fault, FaultSet, Replay, Seeded},
    world::{SERVERS, Settings, Topology},
};

/// The most processes that a cluster can have.
pub const MOST_PROCESSES: usize = 8;

/// The most independent servers that a cluster can have.
pub const MOST_SERVERS: usize = SERVERS;

/// A test of your own code in a simulated cluster. See the [module](self).
pub struct Cluster {
    build: Box<dyn Fn(&mut Setup)>,
    faults: FaultSet,
    topology: Topology,
    servers: u8,
    disturbed: Duration,
    calm: Duration,
    seed: u64,
    regressions: Option<PathBuf>,
}

impl Cluster {
    /// A test of the cluster that `build` declares. It is called anew for each run, so make in it
    /// whatever a run changes.
    #[must_use]
    pub fn new(build: impl Fn(&mut Setup) + 'static) -> Self {
        Self {
            build: Box::new(build),
            faults: FaultSet::NONE,
            topology: Topology::Replicated,
            servers: 3,
            disturbed: Duration::from_secs(3),
            calm: Duration::from_secs(5),
            seed: 1,
            regressions: None,
        }
    }

    /// Lets these faults occur; without, there is none but the ordinary spread of the network.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults = faults.into_iter().collect();
        self
    }

    /// What the processes talk to: one server with a replica that lags behind it, unless said. Of
    /// several independent servers, [`Process::store_of`] and [`Process::redis_of`] reach each; all
    /// else is the first. [An example of each](crate::guide::test_your_code#choose-the-servers).
    #[must_use]
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// How many servers there are that know nothing of each other, 3 unless said: what
    /// [`Topology::Independent`] is.
    ///
    /// # Panics
    ///
    /// If there are none or more than [`MOST_SERVERS`].
    #[must_use]
    pub fn servers(mut self, servers: u8) -> Self {
        let possible = (1..=MOST_SERVERS).contains(&usize::from(servers));
        assert!(possible, "a cluster has 1 to {MOST_SERVERS} servers, not {servers}");
        self.servers = servers;
        self
    }

    /// How long faults may occur, 3 s unless said, and how long the run goes on after everything
    /// has healed, 5 s unless said. In simulated time.
    #[must_use]
    pub fn lasting(mut self, disturbed: Duration, calm: Duration) -> Self {
        (self.disturbed, self.calm) = (disturbed, calm);
        self
    }

    /// Other schedules than those of seed 1.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Keeps the words of failing runs in this file, a line each: [`Cluster::check`] runs them first,
    /// and adds what it finds. Lines that begin with `#` are comments.
    #[must_use]
    pub fn regressions(mut self, file: impl Into<PathBuf>) -> Self {
        self.regressions = Some(file.into());
        self
    }

    /// Runs the regressions, and then so many schedules.
    ///
    /// # Panics
    ///
    /// If one of them fails, with its shrunk story and a word to run it again; if a situation of
    /// [`Setup::sometimes`] did not occur in any of them; if a fault that may occur changed nothing
    /// in any of them; or if the regressions cannot be read or written.
    pub fn check(&self, schedules: u64) {
        let pages = Pages::asked_for();
        self.replay_regressions(&pages);
        let report = self.report(schedules);
        if let Some(failure) = &report.failure {
            let (kept, page) = (self.keep_regression(failure), pages.write(failure));
            panic!("{failure}{kept}{page}");
        }
        report.assert_meaningful();
    }

    /// Runs so many schedules, or as many as it takes until one fails, which is shrunk.
    #[must_use]
    pub fn report(&self, schedules: u64) -> Report {
        campaign::report(self, schedules)
    }

    /// Runs one schedule of the campaign.
    ///
    /// # Errors
    ///
    /// [`Failure`], as it was found, not shrunk.
    pub fn run(&self, schedule: u64) -> Result<(), Failure> {
        self.follow(Seeded::new(self.seed, schedule))
    }

    /// Runs with the choices of any driver.
    ///
    /// # Errors
    ///
    /// [`Failure`], as it was found, not shrunk.
    pub fn follow(&self, source: impl DecisionSource) -> Result<(), Failure> {
        let ran = run::run(self, source, run::Looks::default());
        match ran.breach {
            None => Ok(()),
            Some(breach) => Err(self.told(breach, &ran.decisions, Alternatives::None)),
        }
    }

    /// Runs these decisions again; a failure has its alternatives.
    fn again(&self, decisions: &Decisions) -> Result<(), Failure> {
        let ran = run::run(self, Replay::of(decisions), run::Looks::default());
        let breach = ran.breach.map_or(Ok(()), Err);
        breach.map_err(|breach| self.told(breach, &ran.decisions, Alternatives::Run))
    }

    /// Runs the word of a failing run again, e.g. under a debugger.
    ///
    /// # Panics
    ///
    /// If it fails still, with its story; or if it is no such word.
    pub fn replay(&self, word: &str) {
        let pages = Pages::asked_for();
        let decisions = token::parse(word).unwrap_or_else(|error| panic!("{error}"));
        if let Err(failure) = self.again(&decisions) {
            panic!("{failure}{}", pages.write(&failure));
        }
    }

    /// The plan of a run with so many processes.
    fn plan(&self, processes: usize) -> users::Plan {
        assert!(
            (1..=MOST_PROCESSES).contains(&processes),
            "a cluster has 1 to {MOST_PROCESSES} processes, not {processes}"
        );
        let micros = |length: Duration| u64::try_from(length.as_micros()).unwrap_or(u64::MAX / 4);
        let faults_end = micros(self.disturbed);
        let settings = Settings {
            clients: processes as u8,
            faults_end,
            servers: self.servers,
            end: faults_end.saturating_add(micros(self.calm)),
            ..Settings::new(self.topology, self.faults)
        };
        users::Plan { settings, scenario: Users }
    }

    /// The failure that `decisions` lead to, with its story.
    fn told(&self, breach: Breach, decisions: &Decisions, others: Alternatives) -> Failure {
        let looks = run::Looks { story: true, waiting: false };
        let ran = run::run(self, Replay::of(decisions), looks);
        let settings = Box::new(self.plan(1).settings);
        let (at, story) = (ran.at, ran.story.clone());
        let told = Box::new(story::of(self, &breach, decisions, ran, others));
        Failure { breach, at, settings, decisions: decisions.clone(), story, told }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("faults", &self.faults).finish_non_exhaustive()
    }
}
