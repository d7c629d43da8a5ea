//! What a hunt sees of a run: every request with its times, and what became of locks.

use bytes::Bytes;

use super::{
    FaultState, Host,
    locks::{Violation, Watch},
};
use crate::{
    Facts, Server, SessionId,
    serve::faults::{Effects, Request, Transport, told},
};

/// How many requests are kept.
const KEPT: usize = 10_000;

/// How many words of a command are told, and how many of its bytes.
const WORDS_TOLD: usize = 12;
const BYTES_TOLD: usize = 40;

/// How many commands of a request are told.
const COMMANDS_TOLD: usize = 32;

/// A request, from its arrival to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The number of its connection; 0 over REST.
    pub connection: u64,
    /// What its client calls the connection; empty if nothing.
    pub name: String,
    /// By which way it came.
    pub transport: Transport,
    /// When it arrived, in microseconds of the server's clock since its start.
    pub arrived_us: u64,
    /// When it was executed.
    pub executed_us: Option<u64>,
    /// Its commands: the first 32.
    pub commands: Vec<ObservedCommand>,
    /// The names of the rules that injected something.
    pub rules: Vec<String>,
    /// What its client gets, and whether it was executed.
    pub effects: Effects,
}

/// A command of such a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedCommand {
    /// Its name, in upper case.
    pub name: String,
    /// Its keys, at most 32.
    pub keys: Vec<String>,
    /// The command as text, cut where it is long.
    pub text: String,
    /// Whether it only reads.
    pub reads: bool,
    /// The times to live that it may be asking for, in milliseconds.
    pub times_ms: Vec<u64>,
}

/// What has been seen.
#[derive(Debug, Default)]
pub(super) struct Observer {
    requests: Vec<Observed>,
    missed: u64,
    watch: Option<Watch>,
}

/// All that was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observations {
    /// The first ten thousand requests, in the order of their arrival.
    pub requests: Vec<Observed>,
    /// How many came after those.
    pub missed: u64,
    /// What went wrong with locks, in order: the first hundred.
    pub violations: Vec<Violation>,
}

/// The place of a request in the list.
pub(in crate::serve) type Place = Option<usize>;

impl Observer {
    fn arrived(
        &mut self,
        request: &Request<'_>,
        at_us: u64,
        rules: Vec<String>,
        effects: &Effects,
    ) -> Place {
        if self.requests.len() == KEPT {
            self.missed += 1;
            return None;
        }
        self.requests.push(Observed {
            connection: request.connection,
            name: request.name.into(),
            transport: request.transport,
            arrived_us: at_us,
            executed_us: None,
            commands: request.commands.iter().take(COMMANDS_TOLD).map(|all| command(all)).collect(),
            rules,
            effects: effects.clone(),
        });
        Some(self.requests.len() - 1)
    }
}

impl FaultState {
    /// Whether somebody observes.
    pub(super) fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    pub(super) fn observe_arrival(
        &mut self,
        request: &Request<'_>,
        at_us: u64,
        effects: &Effects,
        before: u64,
    ) -> Place {
        let observer = self.observer.as_mut()?;
        let rules = self.faults.rules_since(before);
        observer.arrived(request, at_us, rules, effects)
    }

    /// Looks at the locks after a command of `client`.
    pub(in crate::serve::host) fn observe_command(
        &mut self,
        server: &Server,
        (client, connection): (SessionId, u64),
        arguments: &[Bytes],
        (now_us, elapsed_us): (u64, u64),
        queued: bool,
    ) {
        if let Some(watch) = self.observer.as_mut().and_then(|observer| observer.watch.as_mut()) {
            watch.look(server, (client, connection), arguments, (now_us, elapsed_us), queued);
        }
    }

    /// Looks at the locks after something that no client did.
    pub(in crate::serve::host) fn observe_change(&mut self, server: &Server, now_us: u64) {
        if let Some(watch) = self.observer.as_mut().and_then(|observer| observer.watch.as_mut()) {
            watch.learn(server, now_us);
        }
    }
}

impl Host {
    /// From now on takes down every request, and watches the keys that match one of these globs:
    /// locks, whose value says who owns them.
    pub fn observe(&self, locks: &[String]) {
        let watch = (!locks.is_empty()).then(|| Watch::new(locks));
        self.with_fault_state(|state, _| {
            state.observer = Some(Box::new(Observer { watch, ..Observer::default() }));
        });
    }

    /// What was observed since [`Host::observe`], and stops observing.
    pub fn observations(&self) -> Observations {
        let now_us = self.clock.now_us();
        let elapsed_us = self.clock.elapsed_us();
        self.with_fault_state(|state, server| {
            let Some(observer) = state.observer.take() else { return Observations::default() };
            let Observer { requests, missed, watch } = *observer;
            let violations = watch.map(|watch| watch.end(server, (now_us, elapsed_us)));
            Observations { requests, missed, violations: violations.unwrap_or_default() }
        })
    }

    /// Notes that a request has been executed: whoever was held for that goes on.
    pub(in crate::serve) fn note_executed(&self, place: Place) {
        let at_us = self.clock.elapsed_us();
        self.with_fault_state(|state, _| {
            state.pass_holds();
            let requests = state.observer.as_mut().map(|observer| &mut observer.requests);
            if let Some(request) = requests.zip(place).and_then(|(all, place)| all.get_mut(place)) {
                request.executed_us = Some(at_us);
            }
        });
    }
}

fn command(arguments: &[Bytes]) -> ObservedCommand {
    let (name, keys) = told(arguments);
    let word = |word: &Bytes| {
        let cut = &word[..word.len().min(BYTES_TOLD)];
        let text = String::from_utf8_lossy(cut).replace(char::is_control, " ");
        if cut.len() < word.len() { text + "…" } else { text }
    };
    let mut words: Vec<String> = arguments.iter().take(WORDS_TOLD).map(word).collect();
    if arguments.len() > WORDS_TOLD {
        words.push("…".into());
    }
    let reads = Facts::of(arguments).is_some_and(|facts| facts.reads);
    ObservedCommand { times_ms: times(&name, arguments), name, keys, text: words.join(" "), reads }
}

/// The times to live in a command: those with a name, and for a script whatever could be one.
fn times(name: &str, arguments: &[Bytes]) -> Vec<u64> {
    let number = |at: usize| {
        let text = std::str::from_utf8(arguments.get(at)?).ok()?;
        text.parse::<u64>().ok().filter(|time| (1..=86_400_000).contains(time))
    };
    let seconds = |at| number(at).map(|time| time.saturating_mul(1_000));
    match name {
        "EXPIRE" | "SETEX" => seconds(2).into_iter().collect(),
        "PEXPIRE" | "PSETEX" => number(2).into_iter().collect(),
        "SET" | "GETEX" => {
            let option = |at: usize| arguments[at].to_ascii_uppercase();
            (1..arguments.len())
                .filter_map(|at| match &option(at)[..] {
                    b"EX" => seconds(at + 1),
                    b"PX" => number(at + 1),
                    _ => None,
                })
                .collect()
        }
        "EVAL" | "EVALSHA" => {
            let keys = number(2).unwrap_or(0).min(32) as usize;
            (3 + keys..arguments.len().min(32))
                .filter_map(number)
                .filter(|time| *time >= 50)
                .collect()
        }
        _ => Vec::new(),
    }
}
