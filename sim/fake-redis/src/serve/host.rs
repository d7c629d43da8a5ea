//! One fake Redis that many tasks share: the server, its clock, and a mailbox for each client.

pub(super) mod desk;
mod fault_state;
mod record;
mod restore;
mod turn;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, watch};

pub use crate::faults::Lost;
pub use fault_state::{Observations, Observed, ObservedCommand, Violation};
pub use record::{Seen, SeenCommand};

use super::{
    Clock, compiled_here,
    faults::{Ending, Faults},
    mailbox::Mailbox,
};
use crate::{Delivery, Executed, Protocol, Resp, Server, SessionId, Settings};
use desk::{Desk, Supervised};
use fault_state::FaultState;

/// How often keys that have expired are removed while nobody asks for anything.
const EXPIRE_EVERY: Duration = Duration::from_millis(100);

/// How long to wait for clients that do not read their last replies.
const GRACE: Duration = Duration::from_secs(1);

/// How a host is set up.
#[derive(Debug)]
pub struct HostOptions {
    settings: Settings,
    clock: Clock,
    max_clients: usize,
    mailbox_limit: usize,
    script_patience: Duration,
    faults: Faults,
}

impl HostOptions {
    /// The server's own settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Where it takes the time from.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How many clients may be connected at once.
    #[must_use]
    pub fn max_clients(mut self, clients: usize) -> Self {
        self.max_clients = clients;
        self
    }

    /// How many bytes may wait for a client that does not read what it has subscribed to. Beyond
    /// it, the client is disconnected.
    #[must_use]
    pub fn mailbox_limit(mut self, bytes: usize) -> Self {
        self.mailbox_limit = bytes;
        self
    }

    /// For how long a script may go on that is late (`lua-time-limit`), if nobody ends it.
    #[must_use]
    pub fn script_patience(mut self, patience: Duration) -> Self {
        self.script_patience = patience;
        self
    }

    /// The faults to begin with.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            clock: Clock::default(),
            max_clients: 10_000,
            mailbox_limit: 32 << 20,
            script_patience: Duration::from_secs(60),
            faults: Faults::new(1),
        }
    }
}

/// A running fake Redis, without any socket: listeners share it. See the [module](super) for an
/// example.
#[derive(Debug)]
pub struct Host {
    state: Mutex<State>,
    clock: Clock,
    max_clients: usize,
    mailbox_limit: usize,
    /// Told when the server has to be woken earlier than before.
    sooner: Notify,
    /// Told when a client has gone.
    left: Notify,
    stopping: watch::Sender<bool>,
    /// Whether there is nothing to do for a command but to execute it.
    calm: AtomicBool,
    /// How many have connected.
    connections: AtomicU64,
    /// How often it was reset.
    resets: AtomicU64,
    desk: Arc<Desk>,
}

#[derive(Debug)]
struct State {
    server: Server,
    mailboxes: FxHashMap<SessionId, Arc<Mailbox>>,
    next_wake_us: Option<u64>,
    fault_state: FaultState,
}

impl State {
    fn forget(&mut self, id: SessionId) {
        self.server.disconnect(id);
        self.mailboxes.remove(&id);
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Performed {
    /// The replies, in order, to be written in the form of this protocol.
    Answered {
        /// One, but for `SUBSCRIBE` and its like.
        replies: Vec<Resp>,
        /// What the session speaks now.
        protocol: Protocol,
        /// Whether the session has said the password, if there is one.
        authenticated: bool,
    },
    /// The reply comes as a delivery that [unblocks](Delivery::unblocks). Until then the client's
    /// next command must wait.
    Blocked,
    /// The reply is lost: by a fault, since the server is down, or since it has disconnected the
    /// client while the command was delayed.
    Lost(Ending),
}

/// One client of a host. Dropping it disconnects it.
#[derive(Debug)]
pub struct Client {
    host: Arc<Host>,
    id: SessionId,
    mailbox: Arc<Mailbox>,
    /// Its number, from 1 in the order of connecting; 0 if it has not connected by itself.
    connection: u64,
    /// Where it comes from.
    peer: String,
}

impl Host {
    /// An empty server.
    #[must_use]
    pub fn new(options: HostOptions) -> Arc<Self> {
        let started_at_us = options.clock.now_us();
        let state = State {
            server: Server::new(Settings { started_at_us, ..options.settings }),
            mailboxes: FxHashMap::default(),
            next_wake_us: None,
            fault_state: FaultState::new(options.faults),
        };
        let host = Arc::new(Self {
            state: Mutex::new(state),
            clock: options.clock,
            max_clients: options.max_clients,
            mailbox_limit: options.mailbox_limit,
            sooner: Notify::new(),
            left: Notify::new(),
            stopping: watch::Sender::new(false),
            calm: AtomicBool::new(true),
            connections: AtomicU64::new(0),
            resets: AtomicU64::new(0),
            desk: Arc::new(Desk::new(options.script_patience)),
        });
        host.clock.begin();
        host.with_fault_state(|_, _| {});
        host
    }

    /// A client that comes from `peer` to `local` and has to say the password if there is one;
    /// `None` if too many are connected.
    pub fn connect(self: &Arc<Self>, peer: String, local: String) -> Option<Client> {
        self.connect_as(self.number_connection(), peer, local)
    }

    /// The number of a connection that has just been made.
    pub(super) fn number_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The same on the connection of this number.
    pub(super) fn connect_as(
        self: &Arc<Self>,
        connection: u64,
        peer: String,
        local: String,
    ) -> Option<Client> {
        let now_us = self.clock.now_us();
        let mut client =
            self.admit(peer.clone(), |server| server.connect_from(now_us, peer, local))?;
        client.connection = connection;
        Some(client)
    }

    /// A client that has shown elsewhere that it may do everything; `None` if too many are
    /// connected.
    pub fn connect_trusted(self: &Arc<Self>) -> Option<Client> {
        self.admit(String::new(), Server::connect)
    }

    /// The same for a request over REST, which is answered as by Upstash.
    pub(super) fn connect_over_rest(self: &Arc<Self>) -> Option<Client> {
        self.admit(String::new(), Server::connect_as_to_upstash)
    }

    /// Looks at the server or changes it, between two commands.
    pub fn with_server<R>(&self, act: impl FnOnce(&mut Server) -> R) -> R {
        let mut state = self.state();
        let result = act(&mut state.server);
        self.settle(&mut state);
        result
    }

    /// Where clients are answered while a script is late.
    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The server's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Completes once the host is shutting down.
    pub async fn stopping(&self) {
        // The sender lives as long as `self`, so the only way to end is the value.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Begins to shut down: whoever awaits [`Host::stopping`] is told, no client is admitted, and a
    /// script that is late ends.
    pub fn stop(&self) {
        self.desk.stop();
        self.stopping.send_replace(true);
    }

    /// Stops, and waits until every client has its last replies, but for commands that a fault
    /// delays; for a second at most, if one does not read them.
    pub async fn shut_down(&self) {
        self.stop();
        for mailbox in self.state().mailboxes.values() {
            mailbox.close();
        }
        self.see_off().await;
    }

    /// Waits until the clients that have been disconnected are gone, for [`GRACE`] at most.
    async fn see_off(&self) {
        let mut leaving = self.leaving();
        let all_left = async {
            while let Some(id) = leaving.last() {
                let left = self.left.notified();
                if self.state().mailboxes.contains_key(id) {
                    left.await;
                } else {
                    leaving.pop();
                }
            }
        };
        // Whoever does not read its last replies is not waited for.
        let _ = tokio::time::timeout(GRACE, all_left).await;
    }

    /// Who has been disconnected, but is not gone yet.
    fn leaving(&self) -> Vec<SessionId> {
        let state = self.state();
        let closed = state.mailboxes.iter().filter(|(_, mailbox)| mailbox.is_closed());
        closed.map(|(id, _)| *id).collect()
    }

    fn admit(
        self: &Arc<Self>,
        peer: String,
        connect: impl FnOnce(&mut Server) -> SessionId,
    ) -> Option<Client> {
        let mut state = self.state();
        if state.mailboxes.len() >= self.max_clients || *self.stopping.borrow() {
            return None;
        }
        let id = connect(&mut state.server);
        let mailbox = Arc::<Mailbox>::default();
        state.mailboxes.insert(id, Arc::clone(&mailbox));
        Some(Client { host: Arc::clone(self), id, mailbox, connection: 0, peer })
    }

    /// Runs one command now: the one place that every command of every listener comes through.
    fn execute(&self, id: SessionId, connection: u64, arguments: &[Bytes]) -> Performed {
        let mut state = self.state();
        let supervised = Supervised::new(&self.desk, &state.server, arguments);
        let now_us = self.clock.now_us();
        let executed = state.server.execute(now_us, id, arguments);
        drop(supervised);
        if !self.calm.load(Ordering::Relaxed) {
            let State { server, fault_state, .. } = &mut *state;
            let queued = matches!(&executed, Executed::Replies(replies) if is_queued(replies));
            let times = (now_us, self.clock.elapsed_us());
            fault_state.observe_command(server, (id, connection), arguments, times, queued);
        }
        self.settle(&mut state);
        match executed {
            Executed::Replies(replies) => Performed::Answered {
                replies,
                protocol: state.server.protocol(id),
                authenticated: state.server.is_authenticated(id),
            },
            Executed::Blocked => Performed::Blocked,
        }
    }

    /// Passes on what a command meant for others than its sender.
    fn settle(&self, state: &mut State) {
        if desk::was_late() {
            for id in self.desk.take_gone() {
                state.forget(id);
                self.left.notify_waiters();
            }
        }
        if !self.calm.load(Ordering::Relaxed) {
            state.fault_state.note_writes(&mut state.server, || self.clock.elapsed_us());
        }
        for delivery in state.server.take_deliveries() {
            if let Some(mailbox) = state.mailboxes.get(&delivery.session) {
                mailbox.put(delivery, self.mailbox_limit);
            }
        }
        for id in state.server.take_closed() {
            if let Some(mailbox) = state.mailboxes.get(&id) {
                mailbox.close();
            }
        }
        let next_wake_us = state.server.next_wake();
        if next_wake_us != state.next_wake_us {
            state.next_wake_us = next_wake_us;
            self.sooner.notify_one();
        }
        if state.server.is_shut_down() {
            self.stop();
        }
    }

    /// Wakes the server, and says when it wants to be woken again.
    fn wake(&self) -> Duration {
        let mut state = self.state();
        state.server.wake(self.clock.now_us());
        self.settle(&mut state);
        let next = state.next_wake_us.and_then(|at_us| self.clock.until(at_us));
        next.unwrap_or(EXPIRE_EVERY).min(EXPIRE_EVERY)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_queued(replies: &[Resp]) -> bool {
    matches!(replies, [Resp::Simple(status)] if status == "QUEUED")
}

/// Ends waits whose time is over and removes expired keys, until the host shuts down.
pub fn keep_time(host: Arc<Host>) -> impl Future<Output = ()> + Send {
    compiled_here(async move {
        loop {
            host.until_free().await;
            let pause = host.wake();
            // A pause that is over at once would let nobody else in while very many keys expire.
            tokio::task::yield_now().await;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = host.sooner.notified() => {}
                () = host.clock.changed() => {}
                () = host.stopping() => return,
            }
        }
    })
}

impl Client {
    /// Its name on the server.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The host that it is a client of.
    #[must_use]
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Runs one command. A dropped future may or may not have run it.
    pub async fn perform(&self, arguments: &[Bytes]) -> Performed {
        if self.host.calm.load(Ordering::Relaxed) {
            return self.execute(arguments);
        }
        self.perform_with_faults(arguments).await
    }

    /// Runs one command now, whatever the faults are. A method, so that a task that calls it owns
    /// the whole client: a copy of the identifier alone would let it disconnect early.
    fn execute(&self, arguments: &[Bytes]) -> Performed {
        self.host.execute(self.id, self.connection, arguments)
    }

    /// Runs one command whose replies nobody needs.
    pub(super) fn say(&self, arguments: &[Bytes]) {
        self.execute(arguments);
    }

    /// The oldest delivery that has not been taken, if there is one.
    #[must_use]
    pub fn delivery(&self) -> Option<Delivery> {
        self.mailbox.take()
    }

    /// Waits for a delivery; `None` once the client has been disconnected by the server.
    pub async fn next_delivery(&self) -> Option<Delivery> {
        loop {
            self.mailbox.ready().await;
            match self.mailbox.take() {
                Some(delivery) => return Some(delivery),
                None if self.mailbox.is_closed() => return None,
                None => {}
            }
        }
    }

    /// Completes once there is a delivery, or the server has disconnected the client.
    pub async fn ready(&self) {
        self.mailbox.ready().await;
    }

    /// Whether the server has disconnected the client.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// Completes once the server has disconnected the client.
    pub async fn closed(&self) {
        self.mailbox.closed().await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.host.desk.note_gone(self.id) {
            return;
        }
        let mut state = self.host.state();
        state.forget(self.id);
        self.host.settle(&mut state);
        drop(state);
        self.host.left.notify_waiters();
    }
}
