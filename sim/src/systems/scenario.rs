//! What the clients of the built-in algorithms do, what they send, and what a server does with it.

use leasehold_core::{
    Command, Reply, StoreError, Token,
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockReply},
};
use leasehold_fake_redis::{Engine, Resp};

use super::{
    Plan, Program, Response,
    key::KeyView,
    upstream::{UpstreamCommand, UpstreamLock},
};
use crate::{
    catalog::{Subject, Workload},
    decide::DecisionSource,
    faults,
    history::{Act, CallId, Client, DebounceEvent, Event, TokenId},
    mutants::{self, Mutant},
    words,
    world::{self, Disturbed, Message, Observer, Step, System, Topology, Wait},
};

/// What the clients do. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// Which algorithm the clients run.
    pub subject: Subject,
    /// What the clients do with it.
    pub workload: Workload,
    /// How many of the replicas that acknowledge writes must have a lease.
    pub acknowledgements: u32,
    /// How many of several servers vote, if that is not decided in the run.
    pub voters: Option<u8>,
    /// Whether the server runs the Lua scripts themselves or their native twins.
    pub engine: Engine,
    /// How long a lease is.
    pub lease: u64,
    /// How often an acquire tries.
    pub attempts: u32,
    /// How long an acquire waits for hints of releases instead, 0 if it does not.
    pub waits: u64,
    /// How long it waits between two tries.
    pub delay: u64,
    /// Whether that is spread.
    pub delay_jitter: bool,
    /// How long a client waits for a reply.
    pub call_timeout: u64,
    /// How long it waits for one of several servers, before that counts as silent.
    pub node_timeout: u64,
    /// How long a client works with the lock.
    pub hold: u64,
    /// How long a run of a debounced function may take.
    pub run_lease: u64,
    /// How long a client idles at least.
    pub idle: u64,
    /// The spread: up to `idle_choices - 1` times `idle_step` more.
    pub idle_step: u64,
    /// How many ordinary idle times there are.
    pub idle_choices: u32,
    /// Whether the callers of a debounced function but the first go away once a newer call supersedes
    /// their own.
    pub leaves: bool,
    /// Whether the sweeper of a debounced function cancels what waits, every other time.
    pub cancels: bool,
    /// How many things a client may do with the lock: see [`crate::systems`].
    pub behaviours: u32,
    /// How many times a client calls, [`u32::MAX`] for as long as there is time.
    pub calls: u32,
    /// Whether holders write to a protected resource.
    pub acts: bool,
    /// A planted bug.
    pub mutant: Option<Mutant>,
}

/// What a client asks, and what that means for the lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What it does to the lock's key.
    pub(crate) act: Act,
    /// Under which token,
    pub(crate) token: Option<TokenId>,
    /// and on behalf of which grant.
    pub(crate) behalf: Option<TokenId>,
    pub(crate) asked: Asked,
}

/// The words in which a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Ours(Command),
    /// Those of `@upstash/lock`.
    Upstream(UpstreamCommand),
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To one of our commands.
    Ours(Result<Reply, StoreError>),
    /// To one of `@upstash/lock`.
    Upstream(Resp),
}

/// What a client writes to the protected resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Under a lock.
    Lock {
        /// By which token.
        token: TokenId,
        /// With which fence.
        fence: u64,
    },
    /// In a run of a debounced function.
    Debounce {
        /// With whose arguments.
        call: CallId,
        /// With which fence.
        fence: u64,
    },
}

/// What is shared by several clients, and what an observer was told last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shared {
    /// The lock's key.
    pub(super) key: KeyView,
    /// The fences of the last claim and of the last success that were told: a copy is no news.
    claimed: u64,
    settled: u64,
    /// When the server was last asked about a lean lock, and how often at that instant.
    asked: (u64, u64),
    /// How many of several servers vote, once that is decided.
    pub(super) voters: Option<u8>,
    /// Cancellations and flushes that were told.
    told: Vec<Token>,
    /// Whether the first call of a burst runs at once, once that is decided.
    pub(super) leads: Option<bool>,
    /// The lock objects of upstream's processes, each shared by two clients.
    pub(crate) upstream_locks: Vec<UpstreamLock>,
}

impl System for Scenario {
    type Program = Program;
    type Request = Request;
    type Response = Answer;
    type Write = Write;
    type Shared = Shared;
    type Faults = faults::All;

    fn program(plan: &Plan, client: Client) -> Program {
        Program::new(plan, client)
    }

    fn shared(plan: &Plan) -> Shared {
        let lock = UpstreamLock { token: None, lease_ms: plan.scenario.lease / 1_000 };
        let upstream_locks = vec![lock; usize::from(plan.settings.clients).div_ceil(2)];
        Shared { upstream_locks, voters: plan.scenario.voters, ..Shared::default() }
    }

    fn sent(client: Client, call: u32, request: &Request) -> Event {
        let Request { act, token, .. } = *request;
        Event::Sent { client, call, act, token }
    }

    fn apply<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, Self, C, W>,
        message: &Message<Self>,
        request: &Request,
    ) -> Answer {
        // What expired since the last look is not this request's doing.
        if step.key_has_expired() {
            step.look(false);
        }
        let Message { client, call, node, .. } = *message;
        let copy = message.number();
        let Request { act, behalf, .. } = *request;
        let lease = asked_lease(&request.asked);
        step.emit(Event::Applied { client, call, copy, act, behalf, lease });
        let had_key = act == Act::Release && step.has_key(node, behalf);
        let (answer, fence) = match &request.asked {
            Asked::Ours(command) => {
                let reply = step.apply_ours(node, command);
                if let (Command::Debounce(command), Ok(Reply::Debounce(reply))) = (command, &reply)
                {
                    step.tell_debounced(client, command, reply);
                }
                let fence = granted_fence(&reply);
                (Answer::Ours(reply), fence)
            }
            Asked::Upstream(command) => {
                let now = step.now();
                let server = step.server(node);
                let wall = server.wall(now);
                let value = command.apply(&mut server.redis, wall);
                if let Some(event) = command.debounced(client, now, &value) {
                    step.emit(Event::Debounce(event));
                }
                let fence = (act == Act::Acquire && value == Resp::OK).then_some(0);
                (Answer::Upstream(value), fence)
            }
        };
        if had_key {
            step.had_key(node, behalf);
        }
        if act != Act::Other {
            step.look(true);
        }
        if let (Some(fence), Some(token)) = (fence, behalf)
            && step.settings().topology != Topology::Independent
        {
            step.emit(Event::Granted { token, fence });
        }
        answer
    }

    fn written<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, Self, C, W>,
        client: Client,
        write: Write,
    ) {
        let event = match write {
            Write::Lock { token, fence } => {
                let accepted = step.accepts(fence);
                Event::Wrote { client, token, fence, accepted }
            }
            Write::Debounce { call, fence } => {
                let accepted = step.accepts(fence);
                Event::Debounce(DebounceEvent::Wrote { client, call, fence, accepted })
            }
        };
        step.emit(event);
    }

    fn request_words(request: &Request) -> String {
        match &request.asked {
            Asked::Ours(command) => words::store::verb(command).into(),
            Asked::Upstream(command) => command.verb().into(),
        }
    }

    fn response_words(response: &Response) -> String {
        match response {
            world::Response::Answer(Answer::Ours(answer)) => words::store::answer(answer),
            world::Response::Answer(Answer::Upstream(reply)) => told(reply),
            world::Response::Broken => "the connection is broken".into(),
            world::Response::Refused => "not ready yet".into(),
        }
    }

    fn write_words(write: &Write) -> String {
        let (Write::Lock { fence, .. } | Write::Debounce { fence, .. }) = *write;
        format!("write, {}", words::fence(fence))
    }

    fn wait(request: &Request) -> Option<Wait<Self>> {
        let Asked::Ours(Command::Lock(command)) = &request.asked else { return None };
        let LockCommand::Confirm { replicas, timeout_ms, .. } = *command else { return None };
        let answer = |replicas| Answer::Ours(Ok(Reply::Lock(LockReply::Confirmed { replicas })));
        Some(Wait { replicas, timeout_ms, answer })
    }

    fn is_error(answer: &Answer) -> bool {
        matches!(answer, Answer::Ours(Err(_)))
    }

    fn disturbed<C: DecisionSource, W: Observer>(step: &mut Step<'_, Self, C, W>, what: Disturbed) {
        match what {
            Disturbed::Data => step.look(false),
            Disturbed::Clock => step.look_again(),
            Disturbed::Connections { .. } => {}
        }
    }

    /// Tells how many keys would stay for ever.
    fn finish<C: DecisionSource, W: Observer>(step: &mut Step<'_, Self, C, W>) {
        if step.scenario().workload == Workload::Debounce {
            let keys = step.server(0).redis.keyspace.iter();
            let keys = keys.filter(|(_, entry)| entry.expires_at_ms.is_none()).count() as u32;
            step.emit(Event::Debounce(DebounceEvent::Immortal { keys }));
        }
    }
}

impl<C: DecisionSource, W: Observer> Step<'_, Scenario, C, W> {
    /// Applies one of our commands as the server does, or as a faulty one would.
    fn apply_ours(&mut self, node: u8, command: &Command) -> Result<Reply, StoreError> {
        let Scenario { mutant, engine, .. } = *self.scenario();
        let now = self.now();
        let late = self.late();
        let server = self.server(node);
        let wall = server.wall(now) + late;
        let (redis, replica) = (&mut server.redis, server.replica.as_ref());
        let faulty =
            mutant.and_then(|mutant| mutants::serve(mutant, redis, replica, wall, command));
        faulty.unwrap_or_else(|| redis.apply(wall, command, engine))
    }

    /// How many microseconds after this instant a command is applied, since others came before it: of a
    /// lean lock, the server's time is the fence.
    fn late(&mut self) -> u64 {
        if self.scenario().subject != Subject::LockLean {
            return 0;
        }
        let now = self.now();
        let asked = &mut self.core.shared.asked;
        let before = if asked.0 == now { asked.1 } else { 0 };
        *asked = (now, before + 1);
        before
    }

    /// Tells what a command did to the debounced function.
    fn tell_debounced(&mut self, client: Client, command: &DebounceCommand, reply: &DebounceReply) {
        let now = self.now();
        let shared = &mut self.core.shared;
        let event = match (command, reply) {
            (DebounceCommand::Call { args, .. }, DebounceReply::Armed { .. }) => {
                CallId::from_args(args).map(|call| DebounceEvent::Armed { call })
            }
            (_, DebounceReply::Claimed { fence, .. }) if fence.0 == shared.claimed => None,
            (_, DebounceReply::Claimed { args, fence, remaining_ms, .. }) => {
                shared.claimed = fence.0;
                let until = now + remaining_ms * 1_000;
                let claimed = |call| DebounceEvent::Claimed { client, call, fence: fence.0, until };
                CallId::from_args(args).map(claimed)
            }
            (DebounceCommand::Finish { fence, .. }, DebounceReply::Finished)
                if fence.0 > shared.settled =>
            {
                shared.settled = fence.0;
                Some(DebounceEvent::Settled { client, fence: fence.0 })
            }
            (_, DebounceReply::Rearmed { .. }) => Some(DebounceEvent::Rearmed { client }),
            (_, DebounceReply::Dropped) => Some(DebounceEvent::NotRearmed { client }),
            // Also if nothing waits: a run under way is then not repeated.
            (DebounceCommand::Cancel { request, .. }, DebounceReply::Cancelled { .. }) => {
                shared.is_news(request).then_some(DebounceEvent::Cancelled)
            }
            (DebounceCommand::Flush { request, .. }, DebounceReply::Flushed { pending: true }) => {
                shared.is_news(request).then_some(DebounceEvent::Flushed)
            }
            _ => None,
        };
        if let Some(event) = event {
            self.emit(Event::Debounce(event));
        }
    }
}

impl Shared {
    /// Whether `request` was not told of before.
    fn is_news(&mut self, request: &Token) -> bool {
        let is_news = !self.told.contains(request);
        if is_news {
            self.told.push(request.clone());
        }
        is_news
    }
}

/// A reply to upstream, in words.
fn told(reply: &Resp) -> String {
    match reply {
        Resp::Integer(number) => number.to_string(),
        Resp::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        Resp::Error(text) => format!("refused: {text}"),
        reply if *reply == Resp::OK => "OK".into(),
        _ => "nothing".into(),
    }
}

fn asked_lease(asked: &Asked) -> u64 {
    match asked {
        Asked::Ours(Command::Lock(
            LockCommand::Acquire { lease_ms, .. }
            | LockCommand::AcquireLean { lease_ms, .. }
            | LockCommand::Extend { lease_ms, .. },
        )) => lease_ms * 1_000,
        Asked::Ours(_) => 0,
        Asked::Upstream(command) => command.asked_lease(),
    }
}

fn granted_fence(reply: &Result<Reply, StoreError>) -> Option<u64> {
    match reply {
        Ok(Reply::Lock(LockReply::Acquired { fence, fresh: true })) => Some(fence.0),
        Ok(_) | Err(_) => None,
    }
}
