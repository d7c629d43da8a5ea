//! What operators are told: each event and counter of the list in the guide, once it happens.

#![allow(clippy::unwrap_used, reason = "for tests only")]

#[path = "handles/network.rs"]
mod network;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold_core::{
    Clock, MemoryStore, Token, TokioClock,
    debounce::{CallError, Debounce},
    lock::{Durability, ExtendError, HoldError, LockOptions, LossReason, NotAcquired, Released},
};
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};
use network::{Fault, Network};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::with_default,
};

/// Events and spans as lines, counters by name and label.
#[derive(Clone, Default)]
struct Told {
    lines: Arc<Mutex<Vec<String>>>,
    counters: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
}

impl Told {
    /// Runs `story` in virtual time.
    fn of<F: Future<Output = ()>>(story: impl FnOnce() -> F) -> Self {
        let told = Self::default();
        told.hear(story);
        told
    }

    /// Runs one more story.
    fn hear<F: Future<Output = ()>>(&self, story: impl FnOnce() -> F) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        with_default(self.clone(), || {
            with_local_recorder(self, || runtime.block_on(async { story().await }));
        });
    }

    fn count(&self, counter: &str) -> u64 {
        let counters = self.counters.lock().unwrap();
        counters.get(counter).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    fn has(&self, words: &[&str]) -> bool {
        let lines = self.lines.lock().unwrap();
        lines.iter().any(|line| words.iter().all(|word| line.contains(word)))
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "leasehold"
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut line = Line(format!("span {}", span.metadata().name()));
        span.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
        span::Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
    fn enter(&self, _span: &span::Id) {}
    fn exit(&self, _span: &span::Id) {}
}

impl Recorder for Told {
    fn register_counter(&self, key: &Key, _metadata: &Metadata<'_>) -> Counter {
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let name = key.name().to_owned() + &labels.collect::<String>();
        Counter::from_arc(self.counters.lock().unwrap().entry(name).or_default().clone())
    }

    fn register_gauge(&self, _key: &Key, _metadata: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _key: &Key, _metadata: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }

    fn describe_counter(&self, _key: KeyName, _unit: Option<Unit>, _text: SharedString) {}
    fn describe_gauge(&self, _key: KeyName, _unit: Option<Unit>, _text: SharedString) {}
    fn describe_histogram(&self, _key: KeyName, _unit: Option<Unit>, _text: SharedString) {}
}

async fn doubts() {
    let network = Network::new();
    network.faults([Fault::LoseReply, Fault::None, Fault::NotSent]);
    drop(network.lock("secret-owner").acquire().await.unwrap());
}

#[test]
fn an_ambiguous_reply_a_failed_call_and_a_retry_are_told() {
    let told = Told::of(doubts);
    assert!(told.has(&["WARN", "ambiguous reply", "command=\"acquire\"", "error="]));
    assert!(told.has(&["WARN", "store not reached", "command=\"acquire\""]));
    assert!(told.has(&["DEBUG", "retry", "attempt=3"]));
    assert!(told.has(&["DEBUG", "acquire", "id=\"job\"", "outcome=\"acquired\""]));
    assert!(told.has(&["span lock", "operation=\"acquire\"", "id=\"job\""]));
    assert!(!told.has(&["secret-owner"]), "a token is a capability");
    assert_eq!(told.count("leasehold_ambiguous_replies_total command=acquire"), 1);
    assert_eq!(told.count("leasehold_unreachable_total command=acquire"), 1);
    assert_eq!(told.count("leasehold_retries_total"), 2);
    assert_eq!(told.count("leasehold_acquires_total outcome=acquired"), 1);
}

async fn busy() {
    let network = Network::new();
    let _held = network.lock("a").acquire().await.unwrap();
    assert!(network.lock("b").acquire().attempts(1).await.is_err());
}

#[test]
fn a_busy_lock_is_told() {
    let told = Told::of(busy);
    assert_eq!(told.count("leasehold_acquires_total outcome=busy"), 1);
    assert_eq!(told.count("leasehold_retries_total"), 0);
}

/// Renews the lease after so many calls that failed.
async fn renewals_after(failures: usize) {
    let network = Network::new();
    let lock = network.lock("me");
    let work = async |_| {
        network.faults(vec![Fault::NotSent; failures]);
        tokio::time::sleep(Duration::from_millis(2_900)).await;
        done()
    };
    lock.acquire().hold(work).await.unwrap();
}

#[test]
fn a_renewal_is_late_once_less_than_a_third_is_left() {
    let in_time = Told::of(|| renewals_after(1));
    assert_eq!(in_time.count("leasehold_late_renewals_total"), 0, "a ninth later");
    let late = Told::of(|| renewals_after(4));
    assert_eq!(late.count("leasehold_late_renewals_total"), 1);
    assert!(late.has(&["WARN", "late renewal", "id=\"job\"", "left_ms="]));
}

async fn expiry() {
    let network = Network::new();
    let lock = network.lock("me");
    let work = async |_| {
        network.faults([Fault::NotSent; 100]);
        tokio::time::sleep(Duration::from_secs(60)).await;
        done()
    };
    assert_eq!(lock.acquire().hold(work).await, Err(HoldError::Lost(LossReason::Expired)));
}

/// Another, who knows the token, releases it.
async fn deletion() {
    let network = Network::new();
    let mut lease = network.lock("me").acquire().await.unwrap();
    let (token, fence) = (lease.token().clone(), lease.fence());
    let mut other = network.lock("other").adopt(token, fence, lease.remaining()).unwrap();
    other.release().await.unwrap();
    let extended = lease.extend(Duration::from_secs(9)).await;
    assert_eq!(extended, Err(ExtendError::Lost(LossReason::Taken)));
}

async fn last_renewal() {
    let lock = Network::new().lock_with("me", |options| options.max_renewals(1));
    let work = async |_| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        done()
    };
    assert_eq!(lock.acquire().hold(work).await, Err(HoldError::Lost(LossReason::RenewalLimit)));
}

#[test]
fn a_lost_lease_is_told_with_its_reason() {
    let told = Told::default();
    told.hear(expiry);
    told.hear(deletion);
    told.hear(last_renewal);
    for reason in ["expired", "taken", "renewal_limit"] {
        assert!(told.has(&["WARN", "lease lost", &format!("reason=\"{reason}\"")]));
        assert_eq!(told.count(&format!("leasehold_leases_lost_total reason={reason}")), 1);
    }
}

async fn refusals() {
    let network = Network::new();
    network.faults([Fault::Refused]);
    let refused = network.lock("me").acquire().await.map(drop);
    assert!(matches!(refused, Err(NotAcquired::Rejected(_))), "{refused:?}");

    network.faults([Fault::NotSent; 3]);
    let unavailable = network.lock("me").acquire().await.map(drop);
    assert!(matches!(unavailable, Err(NotAcquired::Unavailable(_))), "{unavailable:?}");

    network.faults([Fault::LoseReply; 100]);
    let unknown = network.lock("me").acquire().await.map(drop);
    assert!(matches!(unknown, Err(NotAcquired::Unknown(_))), "{unknown:?}");

    let network = Network::new();
    let one_replica = |options: LockOptions| options.durability(Durability::Replicas(1));
    let not_durable = network.lock_with("me", one_replica).acquire().await.map(drop);
    assert!(matches!(not_durable, Err(NotAcquired::NotDurable { .. })), "{not_durable:?}");

    let mine = network.lock("me").acquire().token(Token::new("mine").unwrap());
    mine.clone().await.unwrap().release().await.unwrap();
    assert_eq!(mine.await.map(drop), Err(NotAcquired::Revoked));
}

async fn a_line() {
    let network = Network::new();
    let _held = network.lock("other").acquire().await.unwrap();
    let locks = network.locks();
    let waiter = || locks.lock("job").unwrap();
    let (first, second) = (waiter(), waiter());
    let short = Duration::from_millis(500);
    let (first, second) =
        tokio::join!(first.acquire().within(short), second.acquire().within(short));
    assert!(matches!(first, Err(NotAcquired::Busy { .. })), "{first:?}");
    assert!(matches!(second, Err(NotAcquired::Queued)), "{second:?}");
}

/// A release in every way that it can end.
async fn releases() {
    let network = Network::new();
    let lock = network.lock("me");
    let faults = [vec![], vec![Fault::NotSent; 3], vec![Fault::LoseReply; 3], vec![Fault::Refused]];
    for faults in faults {
        let mut lease = lock.acquire().await.unwrap();
        network.faults(faults);
        let _told = lease.release().await;
        network.heal();
        lease.release().await.unwrap();
    }
    let mut lease = lock.acquire().await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(lease.release().await, Ok(Released::NotHeld));
}

/// A run in every way that it can end.
async fn runs() {
    let clock = TokioClock::new();
    let store = MemoryStore::with_time(move || clock.now());
    let debounce = Debounce::new(store, "index").unwrap();
    let _fired = debounce.call("1", async |_| done()).await.unwrap();
    let failed = debounce.call("2", async |_| Err::<(), _>("no")).await;
    assert!(matches!(failed, Err(CallError::Failed { .. })), "{failed:?}");
    let overran = debounce.call("3", async |_| pending::<Result<(), Infallible>>().await).await;
    assert!(matches!(overran, Err(CallError::Overran { .. })), "{overran:?}");
}

#[test]
fn releases_renewals_and_debounced_runs_are_told_with_their_ids() {
    let told = everything();
    for outcome in ["released", "not_held", "unavailable", "unknown", "rejected"] {
        assert!(told.has(&["DEBUG", "message=release", "id=\"job\"", outcome]), "{outcome}");
    }
    for outcome in ["returned", "failed", "overran"] {
        assert!(told.has(&["debounced run", "id=\"index\"", outcome, "fence="]), "{outcome}");
    }
    assert!(told.has(&["DEBUG", "message=renewal", "id=\"job\""]));
    assert!(told.has(&["store not reached", "id=\"job\""]));
    assert!(told.has(&["message=acquire", "outcome=\"acquired\"", "fence=", "waited_ms="]));
}

/// The cells of each row of the table with this heading.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let guide = include_str!("../src/guide/operate.md");
    let (_, table) = guide.split_once(heading).expect("the table is there");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What a cell says in code.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// All that happens to locks.
fn everything() -> Told {
    let told = Told::default();
    told.hear(doubts);
    told.hear(busy);
    told.hear(|| renewals_after(4));
    told.hear(expiry);
    told.hear(deletion);
    told.hear(last_renewal);
    told.hear(refusals);
    told.hear(a_line);
    told.hear(releases);
    told.hear(runs);
    told
}

#[test]
fn what_is_counted_is_what_the_guide_lists() {
    let mut listed = BTreeSet::new();
    for row in rows("| counter | labels |") {
        let [counters, labels] = &row[..] else { panic!("{row:?}") };
        for counter in code(counters) {
            match &code(labels)[..] {
                [] => drop(listed.insert(counter.to_owned())),
                // Of a command, any may be struck.
                [label] => drop(listed.insert(format!("{counter} {label}"))),
                [label, values @ ..] => {
                    listed.extend(values.iter().map(|value| format!("{counter} {label}={value}")));
                }
            }
        }
    }
    let told = everything();
    let counters = told.counters.lock().unwrap();
    let counted = counters.keys().map(|counter| match counter.split_once(" command=") {
        Some((counter, _)) => format!("{counter} command"),
        None => counter.clone(),
    });
    assert_eq!(counted.collect::<BTreeSet<_>>(), listed);
}

#[test]
fn what_is_told_is_what_the_guide_lists() {
    let (told, rows) = (everything(), rows("| event | level | fields | when |"));
    let name = |row: &Vec<&str>| format!("{} message={}", row[1].to_uppercase(), code(row[0])[0]);
    let names: Vec<_> = rows.iter().map(name).collect();
    for (row, name) in rows.iter().zip(&names) {
        let fields = code(row[2]).into_iter().map(|field| format!(" {field}="));
        let all: Vec<_> = fields.chain([name.clone()]).collect();
        assert!(told.has(&all.iter().map(String::as_str).collect::<Vec<_>>()), "{row:?}");
    }
    for line in told.lines.lock().unwrap().iter().filter(|line| !line.starts_with("span lock")) {
        assert!(names.iter().any(|name| line.starts_with(name)), "{line}");
    }
}

fn done() -> Result<(), Infallible> {
    Ok(())
}
