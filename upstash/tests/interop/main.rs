//! Our locks and the published `@upstash/lock` exclude one another on one id, on one server.
//!
//! Needs npm and node; without them it says so and passes, unless `LEASEHOLD_REQUIRE_REAL=1`. What
//! is installed is kept under `target`.
#![allow(clippy::unwrap_used)]

mod history;
mod node;
#[path = "../serving/mod.rs"]
mod serving;

use std::{collections::BTreeMap, time::Duration};

use leasehold_core::{
    Store,
    lock::{Guarantee, Lease, Lock, LockOptions},
};
use leasehold_upstash::{
    Tcp, Upstash,
    redis::{AsyncCommands, AsyncConnectionConfig, Client, aio::MultiplexedConnection},
};
use node::{Contender, Node};
use serving::{Served, TOKEN};
use tokio::task::JoinSet;

const LOCK: &str = "job";
const HISTORY: &str = "history";
const FIRST_TRIES: &str = "first-tries";
const ROUNDS: usize = 20;

/// One server, with what every contender does there.
struct Arena {
    served: Served,
    connection: MultiplexedConnection,
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_and_javascript_exclude_one_another() {
    let Some(node) = Node::with_the_client() else { return };
    let arena = Arena::open().await;
    let mut lease = hold(arena.tcp(), Guarantee::Lean).await;
    let strangers = ["node-1", "node-2"].map(|name| arena.start(&node, name, "polite"));
    // All are there, and each has found the lock held: from now on they contend.
    assert_eq!(arena.first_tries(strangers.len()).await, ["node-1 false", "node-2 false"]);

    let mut ours = JoinSet::new();
    for (tcp, rest, guarantee) in
        [("tcp-full", "rest-full", Guarantee::Full), ("tcp-lean", "rest-lean", Guarantee::Lean)]
    {
        ours.spawn(arena.contend(arena.tcp(), tcp, guarantee));
        ours.spawn(arena.contend(arena.rest(), rest, guarantee));
    }
    lease.release().await.unwrap();
    ours.join_all().await;
    finish(strangers).await;

    let history = arena.history().await;
    let names = ["node-1", "node-2", "rest-full", "rest-lean", "tcp-full", "tcp-lean"];
    let everyone: BTreeMap<&str, usize> = names.map(|name| (name, ROUNDS)).into();
    assert_eq!(history::turns(&history), Ok(everyone));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_ignores_the_lock_is_noticed() {
    let Some(node) = Node::with_the_client() else { return };
    let arena = Arena::open().await;
    let mut lease = hold(arena.tcp(), Guarantee::Full).await;
    arena.say("acquire", "polite").await;
    finish([arena.start(&node, "rude", "rude")]).await;
    arena.say("release", "polite").await;
    lease.release().await.unwrap();

    let noticed = history::turns(&arena.history().await).unwrap_err();
    assert!(noticed.contains("acquire rude") && noticed.contains("\"polite\""), "{noticed}");
}

impl Arena {
    async fn open() -> Self {
        let served = Served::start();
        let connection = connect(&served).await;
        Self { served, connection }
    }

    fn tcp(&self) -> Tcp {
        Tcp::new(&self.served.resp()).unwrap()
    }

    fn rest(&self) -> Upstash {
        Upstash::new(&self.served.rest(), TOKEN).unwrap()
    }

    /// Starts a contender in JavaScript.
    fn start(&self, node: &Node, name: &str, manners: &str) -> Contender {
        node.start(&[
            ("LEASEHOLD_REST_URL", &self.served.rest()),
            ("LEASEHOLD_TOKEN", TOKEN),
            ("LEASEHOLD_LOCK", LOCK),
            ("LEASEHOLD_HISTORY", HISTORY),
            ("LEASEHOLD_FIRST_TRIES", FIRST_TRIES),
            ("LEASEHOLD_ROUNDS", &ROUNDS.to_string()),
            ("LEASEHOLD_NAME", name),
            ("LEASEHOLD_MANNERS", manners),
        ])
    }

    /// One that takes its turns in Rust.
    fn contend<S>(
        &self,
        store: S,
        name: &'static str,
        guarantee: Guarantee,
    ) -> impl Future<Output = ()> + Send + 'static
    where
        S: Store + Clone + Send + Sync + 'static,
    {
        let arena = Self { served: self.served, connection: self.connection.clone() };
        async move {
            for _ in 0..ROUNDS {
                let mut lease = hold(store.clone(), guarantee).await;
                arena.say("acquire", name).await;
                arena.say("release", name).await;
                lease.release().await.unwrap();
            }
        }
    }

    async fn say(&self, what: &str, name: &str) {
        let line = format!("{what} {name}");
        self.connection.clone().rpush::<_, _, ()>(HISTORY, line).await.unwrap();
    }

    async fn history(&self) -> Vec<String> {
        self.connection.clone().lrange(HISTORY, 0, -1).await.unwrap()
    }

    /// What the first tries of `count` contenders found, once they have tried.
    async fn first_tries(&self, count: usize) -> Vec<String> {
        // It waits on the server, so it needs a connection of its own.
        let mut connection = connect(&self.served).await;
        let mut found = Vec::new();
        for _ in 0..count {
            let (_, line): (String, String) = connection.blpop(FIRST_TRIES, 60.0).await.unwrap();
            found.push(line);
        }
        found.sort();
        found
    }
}

/// A connection that is as patient as a busy machine needs it.
async fn connect(served: &Served) -> MultiplexedConnection {
    let limit = Some(Duration::from_secs(60));
    let settings =
        AsyncConnectionConfig::new().set_connection_timeout(limit).set_response_timeout(limit);
    let client = Client::open(served.resp()).unwrap();
    client.get_multiplexed_async_connection_with_config(&settings).await.unwrap()
}

/// Takes the lock, however long it takes; the lease never runs out during the test.
async fn hold<S: Store + Clone + Send + Sync + 'static>(store: S, guarantee: Guarantee) -> Lease {
    let options = LockOptions::new().lease(Duration::from_secs(600)).guarantee(guarantee);
    let options = options.delay(Duration::from_millis(1));
    let lock = Lock::with_options(store, LOCK, &options).unwrap();
    lock.acquire().within(Duration::from_secs(300)).await.unwrap()
}

async fn finish<const N: usize>(contenders: [Contender; N]) {
    let wait = move || contenders.into_iter().for_each(Contender::finish);
    tokio::task::spawn_blocking(wait).await.unwrap();
}
