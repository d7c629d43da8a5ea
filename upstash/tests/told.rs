//! What operators are told is what the README lists. One test alone, since whether anybody listens
//! is remembered for the whole process.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "others use the rest")]
#[path = "served/fake.rs"]
mod fake;

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold_core::{
    Command, StoreError, Token,
    lock::{LockCommand, LockKeys},
};
use leasehold_fake_redis::serve::faults::ServerEventKind;
use leasehold_upstash::{RetryPolicy, Tcp, Upstash};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::set_default,
};

use fake::{Adapter, Fake, TOKEN, until};

/// Events as lines.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "leasehold_upstash"
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
    fn enter(&self, _span: &span::Id) {}
    fn exit(&self, _span: &span::Id) {}
}

/// The cells of each event's row in the README.
fn listed() -> Vec<Vec<&'static str>> {
    let readme = include_str!("../README.md");
    let (_, table) = readme.split_once("| event | level | fields | when |").expect("it is there");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn acquire() -> Command {
    let (keys, token) = (LockKeys::of("job").into(), Token::new("a.1#1").unwrap());
    let (lease_ms, fence_life_ms, tombstone_ms) = (60_000, 60_000, 60_000);
    Command::Lock(LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms })
}

/// Lets a store of either way have all sorts of trouble.
async fn trouble<S: Adapter>() {
    let fake = Fake::start().await;
    let retry = RetryPolicy::new().first_wait(Duration::from_millis(1));
    let (patient, hasty) = (S::of(&fake, retry), S::of(&fake, RetryPolicy::new().retries(0)));
    // The script is not there yet, and then the server is loading.
    patient.execute(acquire()).await.unwrap();
    fake.fault("error text=LOADING command=EVALSHA next=1");
    patient.execute(acquire()).await.unwrap();
    fake.fault("reply-loss command=EVALSHA next=1");
    let doubtful = hasty.execute(acquire()).await;
    assert!(matches!(doubtful, Err(StoreError::Unknown(_))), "{doubtful:?}");
    // A subscription breaks, and another is not allowed.
    let _subscription = patient.subscribe(&LockKeys::of("job")).await.unwrap();
    fake.fault("error text=\"NOPERM no channels\" command=SUBSCRIBE transport=resp");
    fake.fault("status code=403 command=SUBSCRIBE");
    let broken = ServerEventKind::Failover { lose: Duration::ZERO };
    fake.host.trigger(broken, Duration::ZERO).await;
    until(|| fake.effective() == 3).await;
}

#[tokio::test]
async fn what_is_told_is_what_the_readme_lists() {
    let told = Told::default();
    let _listening = set_default(told.clone());
    trouble::<Upstash>().await;
    trouble::<Tcp>().await;
    let lines = told.0.lock().unwrap().clone();
    let start = |row: &Vec<&str>| {
        let name = row[0].trim_matches('*');
        format!("{} message={name}", row[1].to_uppercase())
    };
    for row in listed() {
        let fields: Vec<_> =
            row[2].split('`').skip(1).step_by(2).map(|field| format!(" {field}=")).collect();
        let is_it = |line: &&String| {
            line.starts_with(&start(&row)) && fields.iter().all(|field| line.contains(field))
        };
        assert!(lines.iter().any(|line| is_it(&line)), "{row:?}: {lines:#?}");
    }
    for line in &lines {
        assert!(listed().iter().any(|row| line.starts_with(&start(row))), "{line}");
        assert!(!line.contains(TOKEN), "{line}");
    }
}
