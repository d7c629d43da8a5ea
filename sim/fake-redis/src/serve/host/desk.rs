//! What others are told while a script runs that is late.
//!
//! The script has the server for itself: nothing else may touch the state of the [`Host`]. Its
//! thread hands over its other tasks, and they ask here.

use std::{
    cell::Cell,
    mem,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{oneshot, watch},
};

use super::Host;
use crate::{
    Facts, Protocol, Resp, Server, SessionId,
    lua::{self, Stop, Supervisor},
};

/// How often the script's thread looks whether it has to hand over its other tasks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long it waits then.
const LOOK_FOR: Duration = Duration::from_millis(1);

thread_local! {
    /// Whether a script of this thread has just been late: the thread has handed over its tasks. Of
    /// the thread, not of the host: a client on another thread would yield in its place.
    static WAS_LATE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the last command of this thread was late.
pub(super) fn was_late() -> bool {
    WAS_LATE.get()
}

pub(in crate::serve) const BUSY: &str =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const UNKILLABLE: &str = "UNKILLABLE Sorry the script already executed write commands against the \
                          dataset. You can either wait the script termination or kill the server \
                          in a hard way using the SHUTDOWN NOSAVE command.";
const NOT_BUSY: &str = "NOTBUSY No scripts in execution right now.";

#[derive(Debug)]
pub(in crate::serve) struct Desk {
    /// The same as in `late`, to be looked at before each command.
    is_busy: AtomicBool,
    /// Whether a script is late.
    late: watch::Sender<bool>,
    /// Whether the host shuts down.
    stopping: AtomicBool,
    papers: Mutex<Papers>,
    /// For how long a script that is late may go on.
    patience: Duration,
}

#[derive(Debug, Default)]
struct Papers {
    /// Who has gone meanwhile.
    gone: Vec<SessionId>,
    /// Who wants the script to be killed.
    kills: Vec<oneshot::Sender<bool>>,
    /// A server without data, which knows the passwords.
    door: Option<Box<Server>>,
}

/// A client that speaks to the desk.
#[derive(Debug)]
pub(in crate::serve) struct Visitor {
    authenticated: bool,
    pub(in crate::serve) protocol: Protocol,
    /// What it has said about itself, to be said again to the server.
    pub(in crate::serve) said: Vec<Vec<Bytes>>,
    /// Whether a command was refused.
    pub(in crate::serve) refused: bool,
    /// What the door knows it by.
    session: Option<SessionId>,
}

/// What a visitor gets.
#[derive(Debug)]
pub(in crate::serve) enum Told {
    Reply(Resp),
    /// The command is to be run once the script is over.
    Later,
    /// The server ends.
    Nothing,
}

impl Desk {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            is_busy: AtomicBool::new(false),
            late: watch::Sender::new(false),
            stopping: AtomicBool::new(false),
            papers: Mutex::default(),
            patience,
        }
    }

    /// Whether nothing may touch the state of the host.
    pub(in crate::serve) fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Acquire)
    }

    /// Completes once no script is late.
    pub(in crate::serve) async fn over(&self) {
        // The sender lives as long as `self`, so the only way to end is the value.
        let _ = self.late.subscribe().wait_for(|late| !late).await;
    }

    /// What is said to a command that cannot be run.
    fn busy() -> Resp {
        Resp::Error(BUSY.into())
    }

    /// Has the script killed, if it has not written.
    pub(in crate::serve) async fn kill(&self) -> Resp {
        let (sender, killed) = oneshot::channel();
        self.note_kill(sender);
        match killed.await {
            Ok(true) => Resp::OK,
            Ok(false) => Resp::Error(UNKILLABLE.into()),
            Err(_) => Resp::Error(NOT_BUSY.into()),
        }
    }

    /// Drops what nobody would answer.
    fn note_kill(&self, killed: oneshot::Sender<bool>) {
        let mut papers = self.papers();
        if self.is_busy() {
            papers.kills.push(killed);
        }
    }

    /// Notes that a client has gone, if nothing may touch the state.
    pub(super) fn note_gone(&self, id: SessionId) -> bool {
        let mut papers = self.papers();
        let busy = self.is_busy();
        if busy {
            papers.gone.push(id);
        }
        busy
    }

    /// Who has gone while a script was late.
    pub(super) fn take_gone(&self) -> Vec<SessionId> {
        mem::take(&mut self.papers().gone)
    }

    /// Ends a script that is late.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn begin(&self, door: Server) {
        self.papers().door = Some(Box::new(door));
        self.is_busy.store(true, Ordering::Release);
        self.late.send_replace(true);
    }

    fn end(&self) {
        let mut papers = self.papers();
        papers.door = None;
        papers.kills.clear();
        self.is_busy.store(false, Ordering::Release);
        drop(papers);
        WAS_LATE.set(true);
        self.late.send_replace(false);
    }

    /// Whether somebody who asked for that has the script killed.
    fn is_killed(&self, wrote: bool) -> bool {
        let kills = mem::take(&mut self.papers().kills);
        let asked = !kills.is_empty();
        for kill in kills {
            // Whoever asked may have gone.
            let _ = kill.send(!wrote);
        }
        asked && !wrote
    }

    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// Answers what a client says while a script is late.
    pub(in crate::serve) async fn tell(&self, visitor: &mut Visitor, words: &[Bytes]) -> Told {
        let Some(facts) = Facts::of(words) else {
            visitor.refused = true;
            return Told::Reply(visitor.ask_door(&self.desk, words));
        };
        if !visitor.is_known(&self.desk) && !facts.allowed_to_strangers {
            return Told::Reply(visitor.ask_door(&self.desk, words));
        }
        match &*words[0].to_ascii_lowercase() {
            _ if kills(words) => Told::Reply(self.desk.kill().await),
            b"shutdown" if words[1..].iter().any(|it| it.eq_ignore_ascii_case(b"nosave")) => {
                self.stop();
                Told::Nothing
            }
            b"auth" | b"hello" => {
                visitor.said.push(words.to_vec());
                Told::Reply(visitor.ask_door(&self.desk, words))
            }
            b"shutdown" => Told::Reply(Desk::busy()),
            b"exec" => Told::Later,
            _ if facts.allowed_while_busy => Told::Later,
            _ => {
                visitor.refused = true;
                Told::Reply(Desk::busy())
            }
        }
    }

    /// Moves on to a thread that has tasks, if this one has handed them over. Whether it has.
    pub(in crate::serve) async fn give_way(&self) -> bool {
        let was_late = WAS_LATE.take();
        if was_late {
            tokio::task::yield_now().await;
        }
        was_late
    }

    /// Completes once the state of the host may be touched: it is held up while a script is late.
    pub(in crate::serve) async fn until_free(&self) {
        self.give_way().await;
        while self.desk.is_busy() {
            self.desk.over().await;
        }
    }
}

impl Visitor {
    /// A client that has said so much already.
    pub(in crate::serve) fn new(authenticated: bool, protocol: Protocol) -> Self {
        Self { authenticated, protocol, said: Vec::new(), refused: false, session: None }
    }

    /// What a server without data answers, which has the same passwords.
    fn ask_door(&mut self, desk: &Desk, words: &[Bytes]) -> Resp {
        let mut replies = Vec::new();
        self.at_door(desk, |door, id| _ = door.execute_into(0, id, words, &mut replies));
        replies.pop().unwrap_or_else(Desk::busy)
    }

    /// Whether it need say no password any more.
    fn is_known(&mut self, desk: &Desk) -> bool {
        if !self.authenticated {
            self.at_door(desk, |_, _| {});
        }
        self.authenticated
    }

    fn at_door(&mut self, desk: &Desk, act: impl FnOnce(&mut Server, SessionId)) {
        let mut papers = desk.papers();
        let Some(door) = &mut papers.door else { return };
        let known = self.authenticated;
        let id = *self.session.get_or_insert_with(|| {
            if known { door.connect() } else { door.connect_from(0, String::new(), String::new()) }
        });
        act(door, id);
        self.authenticated = door.is_authenticated(id);
        if self.said.iter().any(|words| words[0].eq_ignore_ascii_case(b"hello")) {
            self.protocol = door.protocol(id);
        }
    }

    /// Whether it has said the password, if there is one.
    pub(in crate::serve) fn is_authenticated(&self) -> bool {
        self.authenticated
    }
}

/// Whether this is `SCRIPT KILL`.
pub(in crate::serve) fn kills(words: &[Bytes]) -> bool {
    matches!(words, [name, kill] if name.eq_ignore_ascii_case(b"script")
        && kill.eq_ignore_ascii_case(b"kill"))
}

/// As long as this lives, the scripts of this thread are supervised.
#[derive(Debug)]
pub(super) struct Supervised(Option<Rc<Clerk>>);

impl Supervised {
    /// Supervises `words`, if they may be a script or contain one.
    pub(super) fn new(desk: &Arc<Desk>, server: &Server, words: &[Bytes]) -> Self {
        let may_be_long = words.first().is_some_and(|name| name.first().is_some_and(is_e));
        if !may_be_long {
            return Self(None);
        }
        let clerk = Rc::new(Clerk {
            desk: Arc::clone(desk),
            limit: limit(server),
            door: Mutex::new(Some(server.door())),
            progress: Mutex::default(),
        });
        lua::supervise(Some(Rc::clone(&clerk) as Rc<dyn Supervisor>));
        Self(Some(clerk))
    }
}

impl Supervised {
    /// Whether the command may be long.
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

/// Of all commands only `EVAL`, its like, and `EXEC` run scripts.
fn is_e(letter: &u8) -> bool {
    letter.eq_ignore_ascii_case(&b'e')
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if let Some(clerk) = self.0.take() {
            lua::supervise(None);
            if clerk.desk.is_busy() {
                clerk.desk.end();
            }
        }
    }
}

/// The setting `lua-time-limit`, in milliseconds; 0: no limit.
fn limit(server: &Server) -> Option<Duration> {
    let text = server.config("lua-time-limit").or_else(|| server.config("busy-reply-threshold"));
    let millis = text.map_or(Some(5_000), |text| str::from_utf8(text).ok()?.parse().ok());
    millis.filter(|millis| *millis > 0).map(Duration::from_millis)
}

/// Tells the desk of the scripts of one command.
#[derive(Debug)]
struct Clerk {
    desk: Arc<Desk>,
    limit: Option<Duration>,
    /// What the desk needs.
    door: Mutex<Option<Server>>,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// When the command was first late.
    late_since: Option<Instant>,
    looked: Option<Instant>,
}

impl Supervisor for Clerk {
    fn limit(&self) -> Option<Duration> {
        self.limit
    }

    fn late(&self, wrote: bool) -> Result<(), Stop> {
        // Without a second thread nobody could ask.
        let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        if !flavor.is_ok_and(|flavor| flavor == RuntimeFlavor::MultiThread) {
            return Err(Stop::Time);
        }
        if let Some(door) = self.door.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.desk.begin(door);
        }
        if self.desk.stopping.load(Ordering::Relaxed) {
            return Err(Stop::ShuttingDown);
        }
        if self.desk.is_killed(wrote) {
            return Err(Stop::Killed);
        }
        let now = Instant::now();
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if now - *progress.late_since.get_or_insert(now) > self.desk.patience {
            return Err(Stop::Time);
        }
        if progress.looked.is_none_or(|looked| now - looked > LOOK_EVERY) {
            // Hands over the other tasks of this thread, if it still has any.
            tokio::task::block_in_place(|| std::thread::sleep(LOOK_FOR));
            progress.looked = Some(Instant::now());
        }
        Ok(())
    }
}
