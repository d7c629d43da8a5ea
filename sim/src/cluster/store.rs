//! The store of a simulated process.

use std::task::{Context, Poll};

use leasehold_core::{
    Command, ReleaseSource, Reply, Store, StoreError, Subscription, Tokens, lock::LockKeys,
};

use super::{
    ask::ask,
    runtime::{Answer, Order, try_with, with},
};
use crate::{history::Client, words::client};

/// A Redis of the cluster, as a simulated process reaches it, from
/// [`Process::store`](super::Process::store): over a network that can delay, lose and repeat.
///
/// It waits for a reply for ever, as a connection without a time-out does; the handles of
/// [`leasehold_core`] have their own.
///
/// # Notifications
///
/// Whoever waits [`within`](leasehold_core::lock::Acquire::within) a time is told of releases. Each
/// notification is a message: it comes late, or is lost on a link that is cut, with its connection,
/// or in a server that hangs, and nobody says so. A server that starts over has forgotten who
/// subscribed. A process that waits for nothing but a notification is reported as stuck if the run
/// ends so: look by yourself now and then, as the handles do.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::Clock;
/// use leasehold_sim::cluster::{Cluster, Process};
///
/// async fn work(me: Process) {
///     let lock = me.lock("job").expect("the id is not empty");
///     let waiting = lock.acquire().lease(Duration::from_secs(60)).within(Duration::from_secs(5));
///     let mut lease = waiting.await.expect("nothing goes wrong");
///     me.sleep(Duration::from_millis(100)).await;
///     lease.release().await.expect("nothing goes wrong");
///     // The second was told: it did not look again, nor wait until a lease of a minute was over.
///     assert!(me.clock().now().as_micros() < 300_000);
/// }
///
/// let test = Cluster::new(|cluster| {
///     cluster.process(work);
///     cluster.process(work);
/// });
/// test.check(100);
/// ```
///
/// # Panics
///
/// Whatever uses it outside of its simulation.
#[derive(Clone, Debug)]
pub struct SimStore {
    pub(super) client: Client,
    /// The number of its server.
    pub(super) node: u8,
}

impl Store for SimStore {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let node = self.node;
        match ask(self.client, |wait| Order::Call { wait, node, command }).await {
            Answer::Store(result) => result,
            _ => unreachable!("a store answers commands"),
        }
    }

    /// Is a message to the server, with an answer: `None` if the connection breaks before that.
    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        let (node, channel) = (self.node, keys.channel());
        let listening = Listening::of(self.client, node);
        let number = listening.number;
        let order = |wait| Order::Subscribe { wait, node, channel, number };
        let Answer::Subscribed(in_place) = ask(self.client, order).await else {
            unreachable!("a subscription is answered as such")
        };
        in_place.then(|| Subscription::new(listening))
    }
}

/// Notifications, until it is dropped.
struct Listening {
    client: Client,
    node: u8,
    number: u32,
}

impl Listening {
    fn of(client: Client, node: u8) -> Self {
        let number = with(|runtime| runtime.place(client).listen());
        Self { client, node, number }
    }
}

impl ReleaseSource for Listening {
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        with(|runtime| {
            runtime.burn(self.client);
            let told = runtime.place(self.client).is_told(self.number, context.waker());
            if told { Poll::Ready(true) } else { Poll::Pending }
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let Self { client, node, number } = *self;
        let waker = try_with(|runtime| runtime.place(client).listen_no_more(node, number));
        // Outside: dropping it may run a user's code.
        drop(waker);
    }
}

impl SimStore {
    /// The tokens of a new handle, of an owner that no other handle has. They depend on nothing but
    /// the run, so that it can be repeated.
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        with(|runtime| {
            let place = runtime.place(self.client);
            place.handles += 1;
            let (life, handle) = (place.life, place.handles);
            Tokens::of_owner(format!("{}-{life}-{handle}", client(self.client)))
        })
    }
}
