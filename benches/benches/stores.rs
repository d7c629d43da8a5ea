//! Locks over a real connection, beside bare round trips in the same run.
//!
//! Prints ratios, and what to aim at. Needs `redis-server` for TCP and `taskset` to keep client and
//! server to cores, without which the scheduler decides the result; npm for the peer. What is
//! missing is said.

use std::{path::Path, sync::Arc, time::Duration};

use futures_timer::Delay;
use leasehold_benches::{
    servers::{Protocol, Server, TOKEN, serve_if_asked},
    stores::{
        contended::{Ours, Polled, Waiter, contest},
        cycles::{Cycle, Release, Sample, Uncontended, crowd, solo},
        distance::carry,
        floors::{Pings, Posts},
        others::{Rslock, Textbook},
        peer::Peer,
        ratios::{Effort, Measure, Side, compare, compare_by, print},
        scripts::Scripts,
    },
};
use leasehold_core::{MemoryStore, lock::Guarantee};
use leasehold_upstash::{Tcp, Upstash};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

const TASKS: usize = 64;

/// How far off servers are, there and back: in the same building, in the same region, elsewhere.
const ROUND_TRIPS: [u64; 3] = [300, 1_000, 10_000];

const FULL: &str = "acquire, release";
const FULL_SENT: &str = "acquire, release sent";
const LEAN: &str = "lean acquire, release";
const LEAN_SENT: &str = "lean acquire, release sent";
const BY_HAND: &str = "the same scripts, by hand";
const TEXTBOOK: &str = "SET NX PX, compare and delete";
const RSLOCK: &str = "rslock";

const AIM_ALONE: &str = "aim: at most 1.5";
const COST_AIMS: [&str; 4] = ["", "aim: at most 2.4", "", "aim: at most 1.2"];

fn main() {
    serve_if_asked().expect("this machine has a free port");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--test");
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter.as_str()));
    let effort = |cycles| {
        if quick { Effort { rounds: 1, cycles: 64 } } else { Effort { rounds: 15, cycles } }
    };
    if wanted("stores tcp") {
        match Server::redis() {
            Ok(server) => {
                tcp_alone(&server, effort(4_000));
                tcp_crowd(&server, effort(40_000));
                let rounds = if quick { 1 } else { 5 };
                tcp_contended(&server, Effort { rounds, ..effort(1_000) });
                for micros in ROUND_TRIPS {
                    // Less than two seconds for a turn.
                    let cycles = if quick { 4 } else { (500_000 / micros).min(400) };
                    let effort = Effort { rounds: rounds.min(3), cycles };
                    tcp_far(&server, Duration::from_micros(micros), effort);
                }
            }
            Err(error) => println!("skipped, TCP: redis-server: {error}"),
        }
    }
    if wanted("stores memory") {
        memory_alone(effort(40_000));
    }
    if wanted("stores rest") {
        let server = Server::fake(Protocol::Rest).expect("this program can start itself");
        rest_alone(&server, effort(2_000));
        rest_crowd(&server, effort(10_000));
    }
}

fn tcp_alone(server: &Server, effort: Effort) {
    pin(server, "0");
    let runtime = one_thread();
    let pings = runtime.block_on(Pings::to(&server.url));
    let store = Tcp::new(&server.url).expect("a server's own URL is one");
    let lock = |guarantee, release| Uncontended::new(store.clone(), "bench", guarantee, release);
    let textbook = runtime.block_on(Textbook::at(&server.url, "textbook"));
    let rslock = Rslock::at(&server.url, "rslock");
    let meter = Meter { runtime: &runtime, pings: pings.clone() };
    let sides: [Side<'_>; 8] = [
        ("two PINGs", &|cycles| meter.solo(pings.clone(), cycles)),
        (FULL, &|cycles| meter.solo(lock(Guarantee::Full, Release::Confirmed), cycles)),
        (FULL_SENT, &|cycles| meter.solo(lock(Guarantee::Full, Release::Detached), cycles)),
        (LEAN, &|cycles| meter.solo(lock(Guarantee::Lean, Release::Confirmed), cycles)),
        (LEAN_SENT, &|cycles| meter.solo(lock(Guarantee::Lean, Release::Detached), cycles)),
        (BY_HAND, &|cycles| meter.solo(Scripts::over(pings.clone(), "scripts"), cycles)),
        (TEXTBOOK, &|cycles| meter.solo(textbook.clone(), cycles)),
        (RSLOCK, &|cycles| meter.solo(rslock.clone(), cycles)),
    ];
    let measures = [(Measure::P50, 0), (Measure::ServerTime, 6)];
    let [took, cost] = compare_by(measures, effort, &sides);
    let aims = ["", AIM_ALONE, "aim: at most 0.70", "aim: at most 1.2", "aim: at most 0.75"];
    print("TCP, one task; client and server on one core", Measure::P50, &took, &aims);
    let title = "the same: the server's processor time for a cycle, beside the textbook's lock";
    print(title, Measure::ServerTime, &cost, &COST_AIMS);
}

fn tcp_crowd(server: &Server, effort: Effort) {
    pin(server, "0,1");
    let runtime = two_threads();
    let pings = runtime.block_on(Pings::to(&server.url));
    let store = Tcp::new(&server.url).expect("a server's own URL is one");
    let locks = |guarantee, release| Uncontended::many(&store, TASKS, guarantee, release);
    let textbook = runtime.block_on(Textbook::at(&server.url, "textbook"));
    let rslock = Rslock::at(&server.url, "rslock");
    let meter = Meter { runtime: &runtime, pings: pings.clone() };
    let sides: [Side<'_>; 8] = [
        ("two PINGs", &|cycles| meter.crowd(vec![pings.clone(); TASKS], cycles)),
        (FULL, &|cycles| meter.crowd(locks(Guarantee::Full, Release::Confirmed), cycles)),
        (FULL_SENT, &|cycles| meter.crowd(locks(Guarantee::Full, Release::Detached), cycles)),
        (LEAN, &|cycles| meter.crowd(locks(Guarantee::Lean, Release::Confirmed), cycles)),
        (LEAN_SENT, &|cycles| meter.crowd(locks(Guarantee::Lean, Release::Detached), cycles)),
        (BY_HAND, &|cycles| meter.crowd(Scripts::many(&pings, TASKS), cycles)),
        (TEXTBOOK, &|cycles| meter.crowd(textbook.many(TASKS), cycles)),
        (RSLOCK, &|cycles| meter.crowd(rslock.many(TASKS), cycles)),
    ];
    let measures = [(Measure::Rate, 0), (Measure::Rate, 6), (Measure::ServerTime, 6)];
    let [rows, beside, cost] = compare_by(measures, effort, &sides);
    let aims = ["", "aim: at least 0.60"];
    print("TCP, 64 tasks, a key each; two cores", Measure::Rate, &rows, &aims);
    let aims = ["", "aim: at least 0.55", "", "aim: at least 0.95"];
    print("the same, beside the textbook's lock", Measure::Rate, &beside, &aims);
    let title = "the same: the server's processor time for a cycle";
    print(title, Measure::ServerTime, &cost, &COST_AIMS);
}

/// What runs cycles, and asks the server what they cost it.
struct Meter<'a> {
    runtime: &'a Runtime,
    pings: Pings,
}

impl Meter<'_> {
    fn solo(&self, cycle: impl Cycle, cycles: u64) -> Sample {
        self.measured(solo(cycle, cycles))
    }

    fn crowd<C: Cycle>(&self, tasks: Vec<C>, cycles: u64) -> Sample {
        self.measured(crowd(tasks, cycles))
    }

    fn contest<W: Waiter>(&self, waiters: Vec<W>, acquisitions: u64) -> Sample {
        // Tokio's timers tick in milliseconds, which is too coarse here.
        self.measured(contest(waiters, acquisitions, Delay::new))
    }

    fn measured(&self, run: impl Future<Output = Sample>) -> Sample {
        let mut pings = self.pings.clone();
        self.runtime.block_on(async {
            let before = pings.server_time().await;
            let mut sample = run.await;
            sample.server_time = pings.server_time().await - before;
            sample
        })
    }
}

fn tcp_contended(server: &Server, effort: Effort) {
    const WAITERS: usize = 16;
    pin(server, "0,1");
    let runtime = two_threads();
    let pings = runtime.block_on(Pings::to(&server.url));
    let store = |_| Tcp::new(&server.url).expect("a server's own URL is one");
    let stores: Vec<_> = (0..WAITERS).map(store).collect();
    let rslock = || Rslock::at(&server.url, "rslock:hot");
    let (patient, eager) = (rslock(), rslock().again_within(Duration::from_millis(2)));
    let meter = Meter { runtime: &runtime, pings };
    let polled = |rslock| Polled::many(rslock, WAITERS);
    let by = |guarantee, count: usize| {
        Ours::in_processes(&stores[..count], "hot", WAITERS / count, guarantee)
    };
    let ours = |count| by(Guarantee::Full, count);
    let sides: [Side<'_>; 7] = [
        ("rslock, again after up to 200 ms", &|count| meter.contest(polled(&patient), count)),
        ("rslock, again after up to 1 ms", &|count| meter.contest(polled(&eager), count)),
        ("leasehold, 16 processes", &|count| meter.contest(ours(16), count)),
        ("leasehold, 4 processes", &|count| meter.contest(ours(4), count)),
        ("leasehold, 1 process", &|count| meter.contest(ours(1), count)),
        ("lean, 16 processes", &|count| meter.contest(by(Guarantee::Lean, 16), count)),
        ("lean, 4 processes", &|count| meter.contest(by(Guarantee::Lean, 4), count)),
    ];
    let measures = [Measure::Rate, Measure::P99, Measure::ServerTime];
    let tables = compare_by(measures.map(|measure| (measure, 0)), effort, &sides);
    let titles = [
        "TCP, 16 tasks want one key, held for 1 ms: acquisitions",
        "the same: how long 99 of 100 waited at most",
        "the same: the server's processor time for an acquisition",
    ];
    for ((title, measure), rows) in titles.iter().zip(measures).zip(&tables) {
        print(title, measure, rows, &[]);
    }
}

/// As alone, but the server is some way off, where most are.
fn tcp_far(server: &Server, round_trip: Duration, effort: Effort) {
    pin(server, "0,1");
    // The way has threads of its own.
    let way = two_threads();
    let near = way.block_on(TcpListener::bind("127.0.0.1:0")).expect("there is a free port");
    let url = format!("redis://{}", near.local_addr().expect("it listens"));
    let address = server.url.trim_start_matches("redis://").parse();
    let address = address.expect("a server's URL is its address");
    way.spawn(carry(near, address, round_trip / 2, Delay::new));

    let runtime = one_thread();
    let pings = runtime.block_on(Pings::to(&url));
    let store = Tcp::new(&url).expect("the URL is one");
    let lock = |guarantee, release| Uncontended::new(store.clone(), "far", guarantee, release);
    let textbook = runtime.block_on(Textbook::at(&url, "far:textbook"));
    let rslock = Rslock::at(&url, "far:rslock");
    let run = |cycle, cycles| runtime.block_on(solo(cycle, cycles));
    let sides: [Side<'_>; 7] = [
        ("two PINGs", &|cycles| runtime.block_on(solo(pings.clone(), cycles))),
        (FULL, &|cycles| run(lock(Guarantee::Full, Release::Confirmed), cycles)),
        (FULL_SENT, &|cycles| run(lock(Guarantee::Full, Release::Detached), cycles)),
        (LEAN, &|cycles| run(lock(Guarantee::Lean, Release::Confirmed), cycles)),
        (LEAN_SENT, &|cycles| run(lock(Guarantee::Lean, Release::Detached), cycles)),
        (TEXTBOOK, &|cycles| runtime.block_on(solo(textbook.clone(), cycles))),
        (RSLOCK, &|cycles| runtime.block_on(solo(rslock.clone(), cycles))),
    ];
    let rows = compare(Measure::P50, effort, &sides);
    print(&format!("TCP, one task, {round_trip:?} away"), Measure::P50, &rows, &[]);
}

fn memory_alone(effort: Effort) {
    let runtime = one_thread();
    let store = Arc::new(MemoryStore::new());
    let lock = |guarantee| Uncontended::new(store.clone(), "bench", guarantee, Release::Confirmed);
    let sides: [Side<'_>; 2] = [
        (FULL, &|cycles| runtime.block_on(solo(lock(Guarantee::Full), cycles))),
        (LEAN, &|cycles| runtime.block_on(solo(lock(Guarantee::Lean), cycles))),
    ];
    let rows = compare(Measure::P50, effort, &sides);
    print("memory, one task", Measure::P50, &rows, &[]);
}

fn rest_alone(server: &Server, effort: Effort) {
    pin(server, "0");
    let runtime = one_thread();
    let posts = Posts::to(&server.url, TOKEN);
    let store = Upstash::new(&server.url, TOKEN).expect("a server's own URL is one");
    let lock = |guarantee| Uncontended::new(store.clone(), "bench", guarantee, Release::Confirmed);
    let by_hand = || Scripts::over(posts.clone(), "scripts");
    let sides: [Side<'_>; 4] = [
        ("two round trips of reqwest", &|cycles| runtime.block_on(solo(posts.clone(), cycles))),
        (FULL, &|cycles| runtime.block_on(solo(lock(Guarantee::Full), cycles))),
        (LEAN, &|cycles| runtime.block_on(solo(lock(Guarantee::Lean), cycles))),
        (BY_HAND, &|cycles| runtime.block_on(solo(by_hand(), cycles))),
    ];
    let rows = compare(Measure::P50, effort, &sides);
    let aims = ["", "aim: at most 1.15"];
    print("REST, one task; client and server on one core", Measure::P50, &rows, &aims);
}

fn rest_crowd(server: &Server, effort: Effort) {
    pin(server, "0,1");
    let runtime = two_threads();
    let upstash = || Upstash::builder(&server.url, TOKEN);
    let each_alone = upstash().commands_per_request(1).requests_in_flight(TASKS);
    let each_alone = each_alone.idle_connections(TASKS).build().expect("the limits are usable");
    let together = upstash().build().expect("the defaults are usable");
    let peer = Peer::install(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("peer"));
    let locks = |store, guarantee| Uncontended::many(store, TASKS, guarantee, Release::Confirmed);
    let sides: [Side<'_>; 4] = [
        ("acquire, release, a request each", &|cycles| {
            all(&runtime, locks(&each_alone, Guarantee::Full), cycles)
        }),
        ("acquire, release, coalesced", &|cycles| {
            all(&runtime, locks(&together, Guarantee::Full), cycles)
        }),
        ("the same, lean", &|cycles| all(&runtime, locks(&together, Guarantee::Lean), cycles)),
        ("@upstash/redis, pipelined by itself", &|cycles| {
            peer.as_ref()
                .map_or_else(|_| Sample::default(), |it| it.crowd(&server.url, TASKS, cycles))
        }),
    ];
    let sides = match &peer {
        Ok(_) => &sides[..],
        Err(why) => {
            println!("skipped, the peer: {why}");
            &sides[..3]
        }
    };
    let rows = compare(Measure::Rate, effort, sides);
    let aims = ["", "aim: at least 4, and ahead of the peer", ""];
    print("REST, 64 tasks, a key each; two cores", Measure::Rate, &rows, &aims);
}

fn all<C: Cycle>(runtime: &Runtime, tasks: Vec<C>, cycles: u64) -> Sample {
    runtime.block_on(crowd(tasks, cycles))
}

fn pin(server: &Server, cores: &str) {
    if !server.share_cores(cores) {
        println!("not kept to cores {cores}, so the scheduler decides the result: no taskset?");
    }
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("the system has a driver to give")
}

fn two_threads() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("the system has threads to give")
}
