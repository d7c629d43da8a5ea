//! Locks over a real connection, beside bare round trips in the same run.
//!
//! Prints ratios, and what to aim at. Needs `redis-server` for TCP and `taskset` to keep client and
//! server to cores, without which the scheduler decides the result; npm for the peer. What is
//! missing is said.

use std::{path::Path, time::Duration};

use futures_timer::Delay;
use leasehold_benches::{
    servers::{Protocol, Server, TOKEN, serve_if_asked},
    stores::{
        contended::{Ours, Polled, Waiter, contest},
        cycles::{Cycle, Release, Sample, Uncontended, crowd, solo},
        floors::{Pings, Posts},
        others::{Rslock, Textbook},
        peer::Peer,
        ratios::{Effort, Measure, Side, compare, compare_by, print},
        scripts::Scripts,
    },
};
use leasehold_upstash::{Tcp, Upstash};
use tokio::runtime::{Builder, Runtime};

const TASKS: usize = 64;

const BY_HAND: &str = "the same scripts, by hand";
const TEXTBOOK: &str = "SET NX PX, compare and delete";
const RSLOCK: &str = "rslock";

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
            }
            Err(error) => println!("skipped, TCP: redis-server: {error}"),
        }
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
    let lock = |release| Uncontended::new(store.clone(), "bench", release);
    let textbook = runtime.block_on(Textbook::at(&server.url, "textbook"));
    let rslock = Rslock::at(&server.url, "rslock");
    let by_hand = || Scripts::over(pings.clone(), "scripts");
    let sides: [Side<'_>; 6] = [
        ("two PINGs", &|cycles| runtime.block_on(solo(pings.clone(), cycles))),
        ("acquire, release", &|cycles| runtime.block_on(solo(lock(Release::Confirmed), cycles))),
        ("acquire, release sent", &|cycles| {
            runtime.block_on(solo(lock(Release::Detached), cycles))
        }),
        (BY_HAND, &|cycles| runtime.block_on(solo(by_hand(), cycles))),
        (TEXTBOOK, &|cycles| runtime.block_on(solo(textbook.clone(), cycles))),
        (RSLOCK, &|cycles| runtime.block_on(solo(rslock.clone(), cycles))),
    ];
    let rows = compare(Measure::P50, effort, &sides);
    let aims = ["", "aim: at most 1.15", "aim: at most 0.70"];
    print("TCP, one task; client and server on one core", Measure::P50, &rows, &aims);
}

fn tcp_crowd(server: &Server, effort: Effort) {
    pin(server, "0,1");
    let runtime = two_threads();
    let pings = runtime.block_on(Pings::to(&server.url));
    let store = Tcp::new(&server.url).expect("a server's own URL is one");
    let textbook = runtime.block_on(Textbook::at(&server.url, "textbook"));
    let rslock = Rslock::at(&server.url, "rslock");
    let sides: [Side<'_>; 6] = [
        ("two PINGs", &|cycles| all(&runtime, vec![pings.clone(); TASKS], cycles)),
        ("acquire, release", &|cycles| {
            all(&runtime, Uncontended::many(&store, TASKS, Release::Confirmed), cycles)
        }),
        ("acquire, release sent", &|cycles| {
            all(&runtime, Uncontended::many(&store, TASKS, Release::Detached), cycles)
        }),
        (BY_HAND, &|cycles| all(&runtime, Scripts::many(&pings, TASKS), cycles)),
        (TEXTBOOK, &|cycles| all(&runtime, textbook.many(TASKS), cycles)),
        (RSLOCK, &|cycles| all(&runtime, rslock.many(TASKS), cycles)),
    ];
    let rows = compare(Measure::Rate, effort, &sides);
    let aims = ["", "aim: at least 0.60"];
    print("TCP, 64 tasks, a key each; two cores", Measure::Rate, &rows, &aims);
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
    let contest = Contest { runtime: &runtime, pings };
    let polled = |rslock| Polled::many(rslock, WAITERS);
    let ours = |count: usize| Ours::in_processes(&stores[..count], "hot", WAITERS / count);
    let sides: [Side<'_>; 5] = [
        ("rslock, again after up to 200 ms", &|count| contest.run(polled(&patient), count)),
        ("rslock, again after up to 1 ms", &|count| contest.run(polled(&eager), count)),
        ("leasehold, 16 processes", &|count| contest.run(ours(16), count)),
        ("leasehold, 4 processes", &|count| contest.run(ours(4), count)),
        ("leasehold, 1 process", &|count| contest.run(ours(1), count)),
    ];
    let measures = [Measure::Rate, Measure::P99, Measure::ServerTime];
    let tables = compare_by(measures, effort, &sides);
    let titles = [
        "TCP, 16 tasks want one key, held for 1 ms: acquisitions",
        "the same: how long 99 of 100 waited at most",
        "the same: the server's processor time for an acquisition",
    ];
    for ((title, measure), rows) in titles.iter().zip(measures).zip(&tables) {
        print(title, measure, rows, &[]);
    }
}

struct Contest<'a> {
    runtime: &'a Runtime,
    pings: Pings,
}

impl Contest<'_> {
    fn run<W: Waiter>(&self, waiters: Vec<W>, acquisitions: u64) -> Sample {
        let mut pings = self.pings.clone();
        self.runtime.block_on(async {
            let before = pings.server_time().await;
            // Tokio's timers tick in milliseconds, which is too coarse here.
            let mut sample = contest(waiters, acquisitions, Delay::new).await;
            sample.server_time = pings.server_time().await - before;
            sample
        })
    }
}

fn rest_alone(server: &Server, effort: Effort) {
    pin(server, "0");
    let runtime = one_thread();
    let posts = Posts::to(&server.url, TOKEN);
    let store = Upstash::new(&server.url, TOKEN).expect("a server's own URL is one");
    let lock = || Uncontended::new(store.clone(), "bench", Release::Confirmed);
    let by_hand = || Scripts::over(posts.clone(), "scripts");
    let sides: [Side<'_>; 3] = [
        ("two round trips of reqwest", &|cycles| runtime.block_on(solo(posts.clone(), cycles))),
        ("acquire, release", &|cycles| runtime.block_on(solo(lock(), cycles))),
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
    let locks = |store| Uncontended::many(store, TASKS, Release::Confirmed);
    let sides: [Side<'_>; 3] = [
        ("acquire, release, a request each", &|cycles| all(&runtime, locks(&each_alone), cycles)),
        ("acquire, release, coalesced", &|cycles| all(&runtime, locks(&together), cycles)),
        ("@upstash/redis, pipelined by itself", &|cycles| {
            peer.as_ref()
                .map_or_else(|_| Sample::default(), |it| it.crowd(&server.url, TASKS, cycles))
        }),
    ];
    let sides = match &peer {
        Ok(_) => &sides[..],
        Err(why) => {
            println!("skipped, the peer: {why}");
            &sides[..2]
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
