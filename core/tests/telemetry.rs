//! What operators are told: each event and counter of the list in the README, once it happens.

#![allow(clippy::unwrap_used, reason = "for tests only")]

mod network;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold_core::lock::{AcquireOptions, HoldError, LossReason};
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        with_default(told.clone(), || {
            with_local_recorder(&told, || runtime.block_on(async { story().await }));
        });
        told
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

#[test]
fn an_ambiguous_reply_a_failed_call_and_a_retry_are_told() {
    let told = Told::of(|| async {
        let network = Network::new();
        network.faults([Fault::LoseReply, Fault::None, Fault::NotSent]);
        drop(network.lock("secret-owner").acquire().await.unwrap());
    });
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

#[test]
fn a_busy_lock_is_told() {
    let told = Told::of(|| async {
        let network = Network::new();
        let _held = network.lock("a").acquire().await.unwrap();
        let once = AcquireOptions { attempts: Some(1), ..AcquireOptions::default() };
        assert!(network.lock("b").acquire_with(once).await.is_err());
    });
    assert_eq!(told.count("leasehold_acquires_total outcome=busy"), 1);
    assert_eq!(told.count("leasehold_retries_total"), 0);
}

#[test]
fn a_renewal_is_late_once_less_than_a_third_is_left() {
    let renewed_after = |faults: usize| {
        Told::of(|| async {
            let network = Network::new();
            let mut lock = network.lock("me");
            let work = async |_| {
                network.faults(vec![Fault::NotSent; faults]);
                tokio::time::sleep(Duration::from_millis(2_900)).await;
            };
            lock.hold(work).await.unwrap();
        })
    };
    assert_eq!(renewed_after(1).count("leasehold_late_renewals_total"), 0, "a ninth later");
    let late = renewed_after(4);
    assert_eq!(late.count("leasehold_late_renewals_total"), 1);
    assert!(late.has(&["WARN", "late renewal", "id=\"job\"", "left_ms="]));
}

#[test]
fn a_lost_lease_is_told_with_its_reason() {
    let told = Told::of(|| async {
        let network = Network::new();
        let mut lock = network.lock("me");
        let work = async |_| {
            network.faults([Fault::NotSent; 100]);
            tokio::time::sleep(Duration::from_secs(60)).await;
        };
        assert_eq!(lock.hold(work).await, Err(HoldError::Lost(LossReason::Expired)));
    });
    assert!(told.has(&["WARN", "lease lost", "reason=\"expired\""]));
    assert_eq!(told.count("leasehold_leases_lost_total reason=expired"), 1);
}
