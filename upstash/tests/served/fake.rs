//! A fake Redis in this process, on a clock that stands still, and the stores that reach it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use leasehold_core::Store;
use leasehold_fake_redis::{
    Executed, Resp,
    serve::{Host, HostOptions, clock, keep_time, resp, rest},
};
use leasehold_upstash::{RetryPolicy, Tcp, TcpBuilder, Upstash};
use tokio::{net::TcpListener, task::yield_now, time::timeout};

/// Slow machines are not what these tests are about.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) const TOKEN: &str = "a-secret-token";

/// A store over one of the two ways.
pub(crate) trait Adapter: Store + Clone + Send + Sync + 'static {
    /// One that is patient, and sends again as the policy says.
    fn of(fake: &Fake, retry: RetryPolicy) -> Self;
}

/// A server, until the runtime ends.
pub(crate) struct Fake {
    pub(crate) host: Arc<Host>,
    pub(crate) rest: String,
    pub(crate) resp: String,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let host = Host::new(HostOptions::default());
        let frozen =
            clock::ClockChange { mode: Some(clock::Mode::Frozen), ..clock::ClockChange::default() };
        host.clock().set(&frozen).unwrap();
        tokio::spawn(keep_time(host.clone()));
        let (rest, resp) = (bind().await, bind().await);
        let fake = Self { host: host.clone(), rest: at("http", &rest), resp: at("redis", &resp) };
        let tokens = rest::Tokens::new(Some(TOKEN.into()), None);
        tokio::spawn(rest::listen(host.clone(), tokens, rest));
        tokio::spawn(resp::listen(host, resp));
        fake
    }

    /// Lets so much time pass at the server.
    pub(crate) fn advance(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        let order =
            clock::ClockChange { advance_ms: Some(millis), ..clock::ClockChange::default() };
        self.host.clock().set(&order).unwrap();
    }

    /// Awaits `call` while time passes at the server.
    pub(crate) async fn while_time_passes<T>(&self, call: impl IntoFuture<Output = T>) -> T {
        let time_passes = async {
            loop {
                yield_now().await;
                self.advance(Duration::from_millis(1));
            }
        };
        tokio::select! {
            output = call.into_future() => output,
            () = time_passes => unreachable!("it has no end"),
        }
    }

    pub(crate) fn fault(&self, rule: &str) {
        self.host.add_fault(&rule.parse().unwrap()).unwrap();
    }

    /// How often a fault has changed what would have happened.
    pub(crate) fn effective(&self) -> u64 {
        self.host.with_faults(|faults| faults.report().map(|rule| rule.effective).sum())
    }

    /// Takes all faults away.
    pub(crate) fn heal(&self) {
        self.host.with_faults(|faults| faults.clear());
    }

    /// Runs a command into which no fault is injected.
    pub(crate) fn run(&self, words: &[&str]) -> Resp {
        let words: Vec<_> =
            words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        let now_us = self.host.clock().now_us();
        self.host.with_server(|server| {
            let session = server.connect();
            let executed = server.execute(now_us, session, &words);
            server.disconnect(session);
            match executed {
                Executed::Replies(mut replies) => replies.remove(0),
                Executed::Blocked => panic!("it blocks"),
            }
        })
    }

    pub(crate) fn exists(&self, key: &str) -> bool {
        self.run(&["EXISTS", key]) == Resp::Integer(1)
    }

    /// Asserts that nothing is left once all that may be has had its time.
    pub(crate) fn assert_empty_after(&self, time: Duration) {
        self.advance(time);
        assert_eq!(self.run(&["KEYS", "*"]), Resp::Array(Vec::new()));
    }
}

impl Adapter for Upstash {
    fn of(fake: &Fake, retry: RetryPolicy) -> Self {
        let builder = Self::builder(&fake.rest, TOKEN).retry(retry);
        builder.timeout(LIMIT).connect_timeout(LIMIT).build().unwrap()
    }
}

impl Adapter for Tcp {
    fn of(fake: &Fake, retry: RetryPolicy) -> Self {
        let builder = TcpBuilder::new(&fake.resp).unwrap().retry(retry);
        builder.timeout(LIMIT).connect_timeout(LIMIT).build().unwrap()
    }
}

/// Waits until something that is bound to happen has.
pub(crate) async fn until(happened: impl Fn() -> bool + Send + Sync) {
    let waiting = async {
        while !happened() {
            yield_now().await;
        }
    };
    timeout(LIMIT, waiting).await.expect("it happens");
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn at(scheme: &str, listener: &TcpListener) -> String {
    format!("{scheme}://{}", listener.local_addr().unwrap())
}
