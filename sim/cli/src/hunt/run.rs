//! One run: a server of its own, a command, and what came of it.

use std::{
    ffi::OsString,
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use leasehold_fake_redis::serve::{
    Host, HostOptions, Observations,
    faults::Faults,
    keep_time, resp,
    rest::{self, Tokens},
};
use tokio::net::TcpListener;

use super::{
    process::{self, Ended},
    rule::Fault,
};

/// The token over REST. It is no secret: the server is for this machine, has nothing, and is gone soon.
const TOKEN: &str = "leasehold";

/// What a variable is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Resp,
    Rest,
    Token,
}

/// What is run.
#[derive(Debug)]
pub(super) struct Setup {
    /// The command.
    pub(super) words: Vec<OsString>,
    /// Variables that tell it where the server is.
    pub(super) variables: Vec<(String, Address)>,
    /// Keys that are locks.
    pub(super) locks: Vec<String>,
    /// How long a run may take.
    pub(super) timeout: Duration,
    /// How many runs there have been.
    pub(super) count: AtomicU64,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Why it failed; `None` if it passed.
    pub(super) failure: Option<Failure>,
    pub(super) tail: String,
    pub(super) took: Duration,
    /// How many faults were injected.
    pub(super) injected: u64,
    pub(super) left_behind: bool,
    pub(super) seen: Observations,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A lock was not treated as one.
    Lock(String),
    /// By the command's exit status.
    Status(String),
    /// It did not end.
    TimedOut(Duration),
}

impl Failure {
    /// Whether both are failures of the same sort.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock(text) | Self::Status(text) => f.write_str(text),
            Self::TimedOut(after) => {
                write!(f, "it did not end within {}", humantime::format_duration(*after))
            }
        }
    }
}

impl Setup {
    /// The mark of all runs of this process.
    pub(super) fn marks() -> String {
        format!("{}-", std::process::id())
    }

    /// Runs the command against a server of its own under these faults. `None` if it was stopped.
    pub(super) async fn run(
        &self,
        faults: &[Fault],
        stop: impl Future<Output = ()>,
    ) -> io::Result<Option<Run>> {
        let any = "127.0.0.1:0";
        let (resp, rest) = (TcpListener::bind(any).await?, TcpListener::bind(any).await?);
        let environment = self.environment(resp.local_addr()?.port(), rest.local_addr()?.port());
        let mut rules = Faults::new(1);
        for (number, fault) in faults.iter().enumerate() {
            let added = rules.add(&fault.numbered(number));
            added.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        }
        let host = Host::new(HostOptions::default().faults(rules));
        host.observe(&self.locks);
        tokio::spawn(keep_time(Arc::clone(&host)));
        tokio::spawn(resp::listen(Arc::clone(&host), resp));
        let tokens = Tokens::new(Some(TOKEN.into()), None);
        tokio::spawn(rest::listen(Arc::clone(&host), tokens, rest));
        let begun = Instant::now();
        let mark = format!("{}{}-", Self::marks(), self.count.fetch_add(1, Ordering::Relaxed));
        let finished = process::run(&self.words, &environment, &mark, self.timeout, stop).await;
        let took = begun.elapsed();
        let seen = host.observations();
        let injected = host.with_faults(|faults| faults.report().map(|rule| rule.injected).sum());
        host.stop();
        let finished = finished?;
        let status = match finished.ended {
            Ended::Stopped => return Ok(None),
            Ended::TimedOut => Some(Failure::TimedOut(self.timeout)),
            Ended::By(status) => {
                (!status.success()).then(|| Failure::Status(format!("it ended with {status}")))
            }
        };
        let broken = seen.violations.first().map(|first| Failure::Lock(first.text.clone()));
        Ok(Some(Run {
            failure: broken.or(status),
            tail: finished.tail,
            took,
            injected,
            left_behind: finished.left_behind,
            seen,
        }))
    }

    fn environment(&self, resp: u16, rest: u16) -> Vec<(String, String)> {
        let value = |address| match address {
            Address::Resp => format!("redis://127.0.0.1:{resp}"),
            Address::Rest => format!("http://127.0.0.1:{rest}"),
            Address::Token => TOKEN.into(),
        };
        self.variables.iter().map(|(name, address)| (name.clone(), value(*address))).collect()
    }
}
