//! Debounced calls through their handle, over `MemoryStore` on tokio's paused clock.

#![cfg(all(feature = "memory", feature = "tokio"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold_core::{
    Clock, ConfigError, Instant, MemoryStore, Tokens, TokioClock,
    debounce::{
        CallError, Called, Debounce, DebounceConfig, DebounceOptions, NextRun, Run, Swept,
        Unsettled,
    },
};

type Store = Arc<MemoryStore<Box<dyn Fn() -> Instant + Send + Sync>>>;
type Ran = Arc<Mutex<Vec<Vec<u8>>>>;

const SECOND: Duration = Duration::from_secs(1);

/// A store on the paused clock.
fn store() -> Store {
    store_with_step(Arc::default())
}

/// A store whose clock is ahead of the paused one by so many microseconds.
fn store_with_step(step: Arc<AtomicU64>) -> Store {
    let clock = TokioClock::new();
    let start = Instant::from_micros(1_000_000);
    let time = move || {
        let elapsed = clock.now().since(Instant::ORIGIN);
        (start + elapsed).plus_micros(step.load(Ordering::Relaxed))
    };
    Arc::new(MemoryStore::with_time(Box::new(time)))
}

fn debounce(store: &Store) -> Debounce {
    Debounce::new(store.clone(), "job").unwrap()
}

async fn note(ran: &Ran, run: Run) -> Result<(), Infallible> {
    ran.lock().unwrap().push(run.args().to_vec());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_burst_runs_once_with_the_latest_arguments_and_everyone_learns_it() {
    let (store, ran) = (store(), Ran::default());
    let mut tasks = Vec::new();
    for number in 0..5u8 {
        let (debounce, ran) = (debounce(&store), ran.clone());
        tasks.push(tokio::spawn(async move {
            debounce.call(&[number], async |run| note(&ran, run).await).await.unwrap()
        }));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    assert_eq!(*ran.lock().unwrap(), [[4]]);
    assert_eq!(outcomes[4], Called::Fired(()));
    assert!(outcomes[..4].iter().all(|outcome| matches!(outcome, Called::Superseded { .. })));
}

#[tokio::test(start_paused = true)]
async fn when_the_last_caller_is_dropped_an_earlier_one_runs_its_arguments() {
    let (store, ran) = (store(), Ran::default());
    let (first, last) = (debounce(&store), debounce(&store));
    let early = first.call(b"first", async |run| note(&ran, run).await);
    let dropped = async {
        tokio::time::sleep(SECOND / 2).await;
        let call = last.call(b"last", async |run| note(&ran, run).await);
        assert!(tokio::time::timeout(SECOND / 10, call).await.is_err());
    };
    let (called, ()) = tokio::join!(early, dropped);
    assert_eq!(called, Ok(Called::Fired(())));
    assert_eq!(*ran.lock().unwrap(), [b"last"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_callback_is_told_and_its_arguments_wait_for_a_sweeper() {
    let (store, ran) = (store(), Ran::default());
    let (caller, sweeper) = (debounce(&store), debounce(&store));
    let called = caller.call(b"args", async |_| Err::<(), _>("no")).await;
    let next = NextRun::Rearmed { due_in: SECOND };
    assert_eq!(called, Err(CallError::Failed { error: "no", next }));
    let swept = sweeper.sweep(async |run| note(&ran, run).await).await;
    assert_eq!(swept, Ok(Swept::Idle { due_in: Some(SECOND) }));
    tokio::time::sleep(SECOND).await;
    let swept = sweeper.sweep(async |run| note(&ran, run).await).await;
    assert_eq!(swept, Ok(Swept::Fired(())));
    assert_eq!(*ran.lock().unwrap(), [b"args"]);
    let swept = sweeper.sweep(async |run| note(&ran, run).await).await;
    assert_eq!(swept, Ok(Swept::Idle { due_in: None }));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_run_compares_with_a_clock_that_was_made_later() {
    let called = debounce(&store())
        .call("page 7", async |run| {
            let left = run.deadline().since(TokioClock::new().now());
            Ok::<_, Infallible>((left, run.remaining()))
        })
        .await;
    let Ok(Called::Fired((left, remaining))) = called else { panic!("{called:?}") };
    assert!(left > Duration::ZERO);
    assert_eq!(left, remaining);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_overruns_its_lease_is_dropped_before_another_may_start() {
    let store = store();
    let (caller, sweeper) = (debounce(&store), debounce(&store));
    let called = caller.call(b"args", async |_| pending::<Result<(), ()>>().await);
    let called = called.await;
    assert!(matches!(called, Err(CallError::Overran { next: NextRun::Rearmed { .. } })));
    tokio::time::sleep(SECOND).await;
    let swept = sweeper.sweep(async |run| Ok::<_, ()>(run.args().to_vec())).await;
    assert_eq!(swept, Ok(Swept::Fired(b"args".to_vec())));
}

#[tokio::test(start_paused = true)]
async fn a_run_dropped_with_its_future_is_given_back_by_the_next_call() {
    let store = store();
    let (caller, sweeper) = (debounce(&store), debounce(&store));
    let call = caller.call(b"args", async |_| pending::<Result<(), ()>>().await);
    assert!(tokio::time::timeout(2 * SECOND, call).await.is_err());
    assert!(caller.in_flight().is_some());
    caller.status().await.unwrap();
    assert_eq!(caller.in_flight(), None);
    let swept = sweeper.sweep(async |run| Ok::<_, ()>(run.args().to_vec())).await;
    assert_eq!(swept, Ok(Swept::Fired(b"args".to_vec())));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_run_is_given_back_though_nothing_else_is_asked_of_the_handle() {
    let store = store();
    let (caller, sweeper) = (debounce(&store), debounce(&store));
    let call = caller.call(b"args", async |_| pending::<Result<(), ()>>().await);
    assert!(tokio::time::timeout(2 * SECOND, call).await.is_err());
    // Let what is in the background run, and no time pass.
    tokio::task::yield_now().await;
    assert_eq!(caller.in_flight(), None);
    let swept = sweeper.sweep(async |run| Ok::<_, ()>(run.args().to_vec())).await;
    assert_eq!(swept, Ok(Swept::Fired(b"args".to_vec())));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_taken_over_says_so() {
    let step = Arc::new(AtomicU64::new(0));
    let store = store_with_step(step.clone());
    let (caller, sweeper) = (debounce(&store), debounce(&store));
    let called = caller.call(b"args", async |_| {
        // The server's clock jumps, and so ends the lease early.
        step.store(60_000_000, Ordering::Relaxed);
        let swept = sweeper.sweep(async |_| Ok::<_, ()>(())).await;
        assert_eq!(swept, Ok(Swept::Fired(())));
        Ok::<_, ()>("done")
    });
    let unsettled = Called::Unsettled { result: "done", reason: Unsettled::TakenOver };
    assert_eq!(called.await, Ok(unsettled));
}

#[tokio::test(start_paused = true)]
async fn a_flush_runs_at_once_and_the_caller_learns_it() {
    let store = store();
    let (caller, other) = (debounce(&store), debounce(&store));
    let call = caller.call(b"args", async |_| Ok::<_, ()>("here"));
    let flush = async {
        tokio::time::sleep(SECOND / 10).await;
        other.flush(async |_| Ok::<_, ()>("there")).await
    };
    let (called, flushed) = tokio::join!(call, flush);
    assert_eq!(flushed, Ok(Swept::Fired("there")));
    assert_eq!(called, Ok(Called::FiredElsewhere));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_is_told_and_nothing_runs() {
    let store = store();
    let (caller, other) = (debounce(&store), debounce(&store));
    let call = caller.call(b"args", async |_| Ok::<_, ()>(()));
    let cancel = async {
        tokio::time::sleep(SECOND / 10).await;
        other.cancel().await
    };
    let (called, cancelled) = tokio::join!(call, cancel);
    assert_eq!((called, cancelled), (Ok(Called::Cancelled), Ok(true)));
    assert_eq!(other.cancel().await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_wait_for_one_another() {
    let debounce = debounce(&store());
    assert_eq!(debounce.for_key("").unwrap_err(), ConfigError::EmptyId);
    let (one, two) = (debounce.for_key("1").unwrap(), debounce.for_key("2").unwrap());
    assert_eq!((one.id(), two.id()), ("job:1", "job:2"));
    let calls =
        (one.call(b"1", async |_| Ok::<_, ()>(())), two.call(b"2", async |_| Ok::<_, ()>(())));
    let (first, second) = tokio::join!(calls.0, calls.1);
    assert_eq!((first, second), (Ok(Called::Fired(())), Ok(Called::Fired(()))));
}

#[tokio::test(start_paused = true)]
async fn clones_take_part_in_one_burst() {
    let first = debounce(&store());
    let second = first.clone();
    let (one, two) = tokio::join!(
        first.call(b"1", async |_| Ok::<_, ()>(())),
        second.call(b"2", async |_| Ok::<_, ()>(())),
    );
    assert!(matches!(one, Ok(Called::Superseded { .. })), "{one:?}");
    assert_eq!(two, Ok(Called::Fired(())));
}

#[tokio::test(start_paused = true)]
async fn every_key_expires() {
    let store = store();
    let caller = debounce(&store);
    let called = caller.call(b"args", async |_| Ok::<_, ()>(())).await;
    assert_eq!(called, Ok(Called::Fired(())));
    assert!(store.live_keys() > 0);
    // The longest stay of 71 s, by a clock that drifts 1 %, and twice the request life.
    tokio::time::sleep(Duration::from_millis(71_710 + 120_000)).await;
    assert_eq!(store.live_keys(), 0);
}

#[test]
fn a_handle_in_debug_names_what_it_debounces() {
    let debounce = without_time();
    let text = format!("{debounce:?}");
    assert!(text.starts_with("Debounce {") && text.contains("job"), "{text}");
}

#[test]
fn the_futures_of_a_handle_are_send() {
    fn send<T: Send>(_: T) {}
    let debounce = without_time();
    send(debounce.call(b"", async |_| Ok::<_, Infallible>(())));
    send(debounce.sweep(async |_| Ok::<_, Infallible>(())));
    send(debounce.cancel());
}

fn without_time() -> Debounce {
    let config = DebounceConfig::new("job", &DebounceOptions::new()).unwrap();
    Debounce::from_config(MemoryStore::new(), NoClock, config, Tokens::of_owner("me"))
}

struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    async fn sleep_until(&self, _: Instant) {
        pending().await
    }
}
