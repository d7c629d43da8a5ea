//! What the processes of a run share: a thread-local table. Handles hold plain numbers into it, so
//! that the futures that hold handles stay `Send`.
//!
//! No user's code runs while the table is borrowed.

use std::{
    any::Any,
    cell::RefCell,
    collections::BTreeMap,
    hash::{Hash, Hasher},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::Waker,
};

use bytes::Bytes;
use leasehold_core::{Command, Instant, Reply, StoreError};
use leasehold_fake_redis::Resp;
use rustc_hash::FxHasher;

use super::{
    Process, RemoteError,
    blocking::Switches,
    kept::KeptKeys,
    users::{RedisError, Sent},
};
use crate::{
    executor::{Mailbox, Ready},
    history::Client,
    story::record::Seen,
    world::{ClientClock, Server},
};

/// A task of a process.
pub(super) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What a process runs, made anew after each crash.
pub(super) type Factory = Rc<dyn Fn(Process) -> Task>;

/// What a remote call does where it arrives.
pub(super) type Deed = Box<dyn FnMut() -> Box<dyn Any + Send> + Send>;

/// How often a process may look at the simulation before time has to go on.
const FUEL: u32 = 100_000;

/// What a process has asked for during a poll.
pub(super) enum Order {
    Call { wait: u64, node: u8, command: Command },
    Subscribe { wait: u64, node: u8, channel: String, number: u32 },
    Unsubscribe { node: u8, number: u32 },
    Redis { wait: u64, node: u8, sent: Box<Sent> },
    Remote { wait: u64, remote_call: Deed },
    Choose { wait: u64, options: u32 },
}

/// What it gets.
pub(super) enum Answer {
    Store(Result<Reply, StoreError>),
    /// Whether the subscription is in place.
    Subscribed(bool),
    Redis(Result<Vec<Resp>, RedisError>),
    Remote(Result<Box<dyn Any + Send>, RemoteError>),
    Choice(u32),
}

/// What a request is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Store,
    Subscription,
    Redis { connection: u32 },
    Remote,
}

/// One process.
pub(super) struct Place {
    pub(super) factory: Factory,
    /// Whether it may wait for ever.
    pub(super) service: bool,
    pub(super) life: u32,
    /// Whether it was started in this life.
    pub(super) started: bool,
    pub(super) clock: ClientClock,
    /// The first is the one that the factory made; when it ends, the process does.
    pub(super) tasks: Vec<Option<Task>>,
    pub(super) ready: Arc<Ready>,
    pub(super) mailbox: Mailbox<Order, Answer>,
    /// Which wait is for the answer to which request, and what that is.
    pub(super) sent: BTreeMap<u32, (u64, Asked)>,
    pub(super) choices: u32,
    pub(super) handles: u32,
    /// How often each of its connections has broken.
    pub(super) broken: Vec<u32>,
    /// Its subscriptions by number: whether it was told, and who waits for that.
    listening: BTreeMap<u32, (bool, Option<Waker>)>,
    /// How many there were, in all of its lives.
    subscriptions: u32,
}

/// All of a run that is not in its world.
pub(super) struct Runtime {
    pub(super) now: u64,
    pub(super) places: Vec<Place>,
    /// What remote calls do, by process and request; kept, since a copy may arrive late.
    remote_calls: BTreeMap<(Client, u32), Deed>,
    /// What they returned.
    returned: BTreeMap<(Client, u32), Box<dyn Any + Send>>,
    pub(super) trace: FxHasher,
    pub(super) story: Option<Vec<(u64, String)>>,
    /// What the world does not see, if the story is told: what processes say of themselves, and what
    /// servers have for them.
    pub(super) marks: Vec<(u64, Seen)>,
    kept: KeptKeys,
    pub(super) switches: Option<Switches>,
    fuel: u32,
}

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// Gives `look` the run under way on this thread.
///
/// # Panics
///
/// If there is none.
pub(super) fn with<T>(look: impl FnOnce(&mut Runtime) -> T) -> T {
    try_with(look).unwrap_or_else(|| {
        panic!(
            "a simulated store, clock or process is used outside of its simulation: in another \
             thread, in a runtime such as tokio's, or after the run; use it in the futures of \
             the process only"
        )
    })
}

/// As [`with`], or nothing.
pub(super) fn try_with<T>(look: impl FnOnce(&mut Runtime) -> T) -> Option<T> {
    RUNTIME.with(|runtime| runtime.borrow_mut().as_mut().map(look))
}

/// Removes the run from this thread when it is dropped.
pub(super) struct Installed(());

impl Installed {
    /// Puts `runtime` in place.
    ///
    /// # Panics
    ///
    /// If a run is under way on this thread.
    pub(super) fn new(runtime: Runtime) -> Self {
        let before = RUNTIME.with(|place| place.replace(Some(runtime)));
        assert!(before.is_none(), "a simulation runs inside a process of another one");
        Self(())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // Futures may look at their clock as they are dropped, so the run is still there.
        let places = try_with(|runtime| runtime.places.len()).unwrap_or(0);
        for place in 0..places {
            drop(with(|runtime| std::mem::take(&mut runtime.places[place].tasks)));
        }
        let gone = RUNTIME.with(RefCell::take);
        drop(gone);
    }
}

impl Runtime {
    pub(super) fn new(processes: Vec<(Factory, bool)>, told: bool, watched: bool) -> Self {
        Self {
            now: 0,
            places: processes
                .into_iter()
                .map(|(factory, service)| Place::new(factory, service))
                .collect(),
            remote_calls: BTreeMap::new(),
            returned: BTreeMap::new(),
            trace: FxHasher::default(),
            story: told.then(Vec::new),
            marks: Vec::new(),
            kept: KeptKeys::default(),
            switches: watched.then(Switches::default),
            fuel: FUEL,
        }
    }

    /// True time goes on.
    pub(super) fn advance(&mut self, now: u64) {
        if now > self.now {
            (self.now, self.fuel) = (now, FUEL);
        }
    }

    pub(super) fn place(&mut self, client: Client) -> &mut Place {
        &mut self.places[usize::from(client)]
    }

    /// What the clock of `client` shows.
    pub(super) fn local(&self, client: Client) -> Instant {
        self.places[usize::from(client)].clock.local(self.now)
    }

    /// Counts a look at the simulation.
    ///
    /// # Panics
    ///
    /// If there were too many at one instant.
    pub(super) fn burn(&mut self, client: Client) {
        assert!(
            self.fuel > 0,
            "process {} does {FUEL} things at one instant: it spins, awaiting only what is ready; \
             let it sleep in between",
            crate::words::client(client)
        );
        self.fuel -= 1;
    }

    pub(super) fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push((self.now, text()));
        }
    }

    /// Notes what the world does not see.
    pub(super) fn mark(&mut self, seen: impl FnOnce() -> Seen) {
        if self.story.is_some() {
            self.marks.push((self.now, seen()));
        }
    }

    /// A server has executed these commands.
    pub(super) fn hear(&mut self, commands: &[Vec<Bytes>]) {
        if self.story.is_some() {
            self.kept.hear(commands);
        }
    }

    /// Looks at what a server has at `now`, after the request of `by` or what befell it.
    pub(super) fn look_at(&mut self, server: (u8, &Server), now: u64, by: Option<Client>) {
        if self.story.is_some() {
            let changes = self.kept.changes(server, now, by);
            self.marks.extend(changes.into_iter().map(|seen| (now, seen)));
        }
    }

    /// Files an order, and says under which number its answer will come.
    pub(super) fn order(
        &mut self,
        client: Client,
        waker: &Waker,
        order: impl FnOnce(u64) -> Order,
    ) -> u64 {
        self.burn(client);
        self.place(client).mailbox.order(waker, order)
    }

    /// The answer, if it has come; else `waker` is woken when it does.
    pub(super) fn answer_to(&mut self, client: Client, wait: u64, waker: &Waker) -> Option<Answer> {
        self.place(client).mailbox.answer_to(wait, waker)
    }

    /// Nobody waits any more.
    pub(super) fn forget(&mut self, client: Client, wait: u64) {
        self.place(client).mailbox.forget(wait);
    }

    pub(super) fn keep_remote_call(&mut self, client: Client, call: u32, remote_call: Deed) {
        self.remote_calls.insert((client, call), remote_call);
    }

    pub(super) fn take_returned(
        &mut self,
        client: Client,
        call: u32,
    ) -> Option<Box<dyn Any + Send>> {
        self.returned.remove(&(client, call))
    }

    /// The hash of all that the processes did.
    pub(super) fn trace_hash(&self) -> u64 {
        self.trace.finish()
    }

    pub(super) fn trace(&mut self, what: impl Hash) {
        what.hash(&mut self.trace);
    }
}

/// A remote call arrives: does what it does.
pub(super) fn arrive(client: Client, call: u32, now: u64) {
    let remote_call = with(|runtime| {
        runtime.advance(now);
        runtime.remote_calls.remove(&(client, call))
    });
    let Some(mut remote_call) = remote_call else { return };
    let returned = remote_call();
    with(|runtime| {
        let who = crate::words::client(client);
        runtime.note(|| format!("  remote call {call} of {who} arrives and is carried out"));
        runtime.remote_calls.insert((client, call), remote_call);
        // The first one's result is on its way; that of a copy is of no interest.
        runtime.returned.entry((client, call)).or_insert(returned);
    });
}

impl Place {
    fn new(factory: Factory, service: bool) -> Self {
        Self {
            factory,
            service,
            life: 0,
            started: false,
            clock: ClientClock::default(),
            tasks: Vec::new(),
            ready: Arc::default(),
            mailbox: Mailbox::default(),
            sent: BTreeMap::new(),
            choices: 0,
            handles: 0,
            broken: Vec::new(),
            listening: BTreeMap::new(),
            subscriptions: 0,
        }
    }

    /// The number of a new subscription.
    pub(super) fn listen(&mut self) -> u32 {
        self.subscriptions += 1;
        self.listening.insert(self.subscriptions, (false, None));
        self.subscriptions
    }

    /// Whether there is still a subscription `number`.
    pub(super) fn listens(&self, number: u32) -> bool {
        self.listening.contains_key(&number)
    }

    /// A notification has come for subscription `number`. Whether there is such a one.
    pub(super) fn notify(&mut self, number: u32) -> bool {
        let Some((told, waker)) = self.listening.get_mut(&number) else { return false };
        *told = true;
        if let Some(waker) = waker.take() {
            waker.wake();
        }
        true
    }

    /// Whether one has come since this was asked last; else `waker` is woken when it does.
    pub(super) fn is_told(&mut self, number: u32, waker: &Waker) -> bool {
        let Some((told, listener)) = self.listening.get_mut(&number) else { return false };
        if !*told {
            *listener = Some(waker.clone());
        }
        std::mem::take(told)
    }

    /// Ends a subscription. Who would have been woken.
    pub(super) fn listen_no_more(&mut self, node: u8, number: u32) -> Option<Waker> {
        self.mailbox.tell(Order::Unsubscribe { node, number });
        self.listening.remove(&number).and_then(|(_, waker)| waker)
    }

    pub(super) fn answer(&mut self, wait: u64, answer: Answer) {
        self.mailbox.answer(wait, answer);
    }

    /// A connection has broken: the next command opens another one.
    pub(super) fn breaks(&mut self, connection: u32) {
        if let Some(broken) = self.broken.get_mut(connection as usize) {
            *broken += 1;
        }
    }

    /// Whether its main task is under way.
    pub(super) fn is_running(&self) -> bool {
        self.started && !self.tasks.is_empty()
    }

    /// Whether nothing in the simulation will ever wake it, but maybe another process.
    pub(super) fn waits_in_vain(&self) -> bool {
        self.is_running() && self.mailbox.is_idle()
    }

    /// Forgets all that a process forgets when it ends, and returns its tasks.
    #[must_use]
    pub(super) fn end(&mut self) -> Vec<Option<Task>> {
        self.ready = Arc::default();
        self.mailbox.clear();
        self.sent.clear();
        self.listening.clear();
        std::mem::take(&mut self.tasks)
    }
}
