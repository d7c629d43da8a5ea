//! Both stores, and a quorum of three, pass the suite that every store must pass.

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Command, Reply, Store, StoreError, Subscription, TokioClock,
    conformance::{Fixture, Foreign},
    lock::{LockCommand, LockKeys},
    quorum::{Quorum, QuorumOptions},
};
use leasehold_fake_redis::Resp;
use leasehold_upstash::{RetryPolicy, Tcp, Upstash};

use crate::fake::{Adapter, Fake, LIMIT};

/// A store on servers of its own.
struct Served<S> {
    store: S,
    servers: Arc<[Fake]>,
    is_quorum: bool,
}

/// A store on whose servers time passes while they wait for replicas, of which they have none.
struct Waited<S> {
    store: S,
    servers: Arc<[Fake]>,
}

impl<S: Store + Sync> Store for Waited<S> {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let waits = matches!(command, Command::Lock(LockCommand::Confirm { .. }));
        let time_passes = async {
            loop {
                tokio::task::yield_now().await;
                self.servers.iter().for_each(|server| server.advance(Duration::from_millis(1)));
            }
        };
        tokio::select! {
            reply = self.store.execute(command) => reply,
            () = time_passes, if waits => unreachable!("it has no end"),
        }
    }

    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        self.store.subscribe(keys).await
    }
}

impl<S: Store + Clone + Send + Sync + 'static> Fixture for Served<S> {
    type Store = Waited<S>;

    fn store(&self) -> Waited<S> {
        Waited { store: self.store.clone(), servers: self.servers.clone() }
    }

    async fn pass(&self, time: Duration) {
        self.servers.iter().for_each(|server| server.advance(time));
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn takes_lean_locks(&self) -> bool {
        !self.is_quorum
    }

    fn keeps_debounced_calls(&self) -> bool {
        !self.is_quorum
    }

    async fn forget_scripts(&self) -> bool {
        let forget = |server: &Fake| server.run(&["SCRIPT", "FLUSH"]) == Resp::OK;
        self.servers.iter().all(forget)
    }

    async fn write_foreign(&self, key: &str, value: Foreign) -> bool {
        let write = |server: &Fake| match value {
            Foreign::Text => server.run(&["SET", key, "theirs"]) == Resp::OK,
            Foreign::OtherType => server.run(&["HSET", key, "field", "theirs"]) == Resp::Integer(1),
        };
        self.servers.iter().all(write)
    }
}

async fn on_one<S: Adapter>() -> Option<Served<S>> {
    let server = Fake::start().await;
    let store = S::of(&server, RetryPolicy::default());
    Some(Served { store, servers: [server].into(), is_quorum: false })
}

async fn on_three<S: Adapter>() -> Option<Served<Quorum<S, TokioClock>>> {
    let servers = vec![Fake::start().await, Fake::start().await, Fake::start().await];
    let nodes = servers.iter().map(|server| S::of(server, RetryPolicy::default()));
    let options = QuorumOptions::new().node_timeout(LIMIT);
    let store = Quorum::new(nodes, TokioClock::new(), &options).unwrap();
    Some(Served { store, servers: servers.into(), is_quorum: true })
}

fn run(case: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(case);
}

mod over_rest {
    use super::*;

    leasehold_core::store_conformance! { run: run, fixture: on_one::<Upstash>() }
}

mod over_tcp {
    use super::*;

    leasehold_core::store_conformance! { run: run, fixture: on_one::<Tcp>() }
}

mod on_a_quorum_over_tcp {
    use super::*;

    leasehold_core::store_conformance! { run: run, fixture: on_three::<Tcp>() }
}
