//! A Redis server as a value: keys, scripts and the server's clock given with each command.
//!
//! Nothing here looks at the time, the network or randomness, so equal servers given equal
//! commands stay equal. Lua scripts run in a real Lua 5.1; its virtual machine belongs to the
//! thread, not to the value.
//!
//! # Differences from a real server
//!
//! Replies and error texts are those of Redis 7.0.15, except where that would bring in chance or
//! the host:
//! * Expired keys are removed by the next command, earliest first, not by a random sample; so
//!   `DBSIZE` is exact, unless hundreds expire at once.
//! * A hash lists its fields in the order in which they were added, also a large one; a set its
//!   members, unless it is a small one of integers, which is sorted. `KEYS` is sorted.
//! * A `SCAN` lists a key that stays exactly once, never twice; cursors stay below 2^53. What Redis
//!   keeps in one piece comes in one reply, as there; `HSCAN`, `SSCAN` and `ZSCAN` of anything
//!   larger sort it for each page.
//! * Members are drawn by a generator in the value, so the same again in an equal server.
//! * `OBJECT ENCODING` tells the form of a value that is made at once, not the way it came to be,
//!   such as `raw` for a short string that was appended to, `skiplist` after `SORT`, or `hashtable`
//!   for a hash that once held a long value. It follows the settings as they are now.
//! * `COMMAND DOCS` and `HELP` are in other words and without arguments; `COMMAND INFO` gives no
//!   tips. Hexadecimal floating-point numbers are refused.
//! * `SORT … ALPHA` goes by bytes, as in the locale C. What it cannot tell apart keeps its order. A
//!   number too large in an earlier command does not make `SORT` fail, as it does in 7.0.
//! * A score of -0 is 0. Redis has it so while it keeps a sorted set in one piece, which it does no
//!   more after `SORT`.
//! * Not there, and refused with a sentence that says so: `DUMP`, `RESTORE` and `MIGRATE`, `BITOP`
//!   and `BITFIELD`; `GEO…` and `PF…`, whose replies are rounded and estimated by code that no lock,
//!   queue or limit needs; `FUNCTION` and `FCALL`, since scripts do the same and are what such
//!   libraries send; `MODULE LOAD`, which is code of the host, and the commands of modules, such as
//!   `JSON.GET`; `FAILOVER`, `SYNC`, `PSYNC` and `REPLCONF`, since replicas are configured;
//!   `CLIENT CACHING` and `TRACKINGINFO`; `LATENCY DOCTOR`, `GRAPH` and `HISTOGRAM`; `MEMORY DOCTOR`,
//!   `MALLOC-STATS` and `STATS`.
//! * A script may not call `INFO`, `LASTSAVE` and `LOLWUT`.
//! * `TIME` stands still during a script, as in Redis 7.2 (7.0 lets it run on).
//! * The settings of `cjson` start anew in each script; `collectgarbage` answers 0.
//! * `tostring` numbers tables and functions instead of telling where they are in memory.
//! * `next` of the globals or a library is nil, though `pairs` lists them.
//! * What is no UTF-8 in a script that does not compile becomes U+FFFD in the error that quotes it.
//! * `error({})` is an error reply; Redis 7.0.15 crashes.
//! * A script that runs for too long is stopped, see [`ScriptRules::instructions`], and on sockets
//!   a minute after `lua-time-limit`, also if it has written; until then others get `BUSY` and may
//!   `SCRIPT KILL`, as in Redis. In a runtime of tokio with a single thread, where nobody could
//!   ask, it is stopped at `lua-time-limit`. A pattern of more than 200 quantifiers and
//!   captures one behind the other is refused, since Lua's own would exhaust the stack.
//! * `cjson` nests at most 1000 deep, whatever a script sets.
//! * `SCRIPT DEBUG` is not there; `redis.log` writes nothing.
//! * A script may hand 7,980 values to a function; in Redis nearly 8,000.
//! * By default a script may say `allow-key-locking`, as on Upstash; see [`ScriptRules`].
//!
//! Of a server's life beside its data:
//! * Nothing is saved: `SAVE` and its like answer and do nothing. `REPLICAOF` with a host and
//!   `CLIENT TRACKING ON` are refused.
//! * `ACL LIST` tells the rules of commands as they were given, where Redis finds others that mean the
//!   same. An error does not repeat a password. The words `BY` and `GET` of `SORT` are no matter of
//!   rights. There is no `ACL` file.
//! * `CONFIG SET` of a setting that would have an effect in Redis and has none here is refused, unless
//!   it is set to what it is: those about the disk, sockets, encryption, and limits of clients. What
//!   no client could see, such as `hz`, is taken and told.
//! * Memory is an estimate that is the same everywhere: 1 MiB, and for each key 56 bytes, its name and
//!   its value; a collection counts the mean of its first five elements for each of them, and 16 to
//!   64 bytes more. `maxmemory`, `INFO`, `MEMORY USAGE` and `DEBUG OBJECT` go by it. The key that
//!   gives way is the first by the policy, of all keys up to 1,000, beyond that of 64 drawn ones.
//! * By the server's clock a command takes no time, so `SLOWLOG` has something to tell only if it
//!   logs from 0 on, or after `DEBUG SLEEP`; `LATENCY` never. `INFO` has nothing of processor and disk.
//! * `DEBUG` has `SLEEP`, `ERROR`, `OBJECT`, `SET-ACTIVE-EXPIRE` and `CHANGE-REPL-ID`, and needs no
//!   setting. `SLEEP` is a pause for everybody, which ends when the server's clock says so; in a
//!   transaction it takes no time.
//! * `HELP` of a command with subcommands lists them in our own words.
//! * A session of RESP3 that listens to what its own command does to keys is told before the reply;
//!   a real server tells it behind the reply or in its middle, as each command has it.
//! * A key that `SET … EXAT` sets until a time that is past goes with the next command of anybody; a
//!   real server has it until somebody asks for it.
//! * `MONITOR` leaves out every word of `AUTH`, and of `HELLO` behind the version; a real server
//!   shows those that it did not take for a password.
//! * A monitor of a script that runs more than 16 MB of commands is disconnected, as one that does not
//!   read.
//! * `UNSUBSCRIBE` without names goes through the channels in the order of their names.
//! * `HELLO` in a transaction changes the protocol of the whole reply to `EXEC`.
//! * In a transaction, the replies to `SUBSCRIBE` and its like with several names are all in the
//!   list that `EXEC` answers; a real server announces a shorter list than it sends.
//! * After `SWAPDB` and `FLUSHALL`, those who wait for several keys are served in the order of the
//!   keys' names.
//! * `MEMORY USAGE` of a key that has expired is nil; a real server may still have it.
//! * A command has at most 1,048,576 arguments, as before Redis 7.
//!
//! ```
//! use bytes::Bytes;
//! use leasehold_fake_redis::{Redis, Resp};
//!
//! fn words(text: &str) -> Vec<Bytes> {
//!     text.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
//! }
//!
//! let mut redis = Redis::default();
//! assert_eq!(redis.execute(0, &words("SET job token NX PX 10")), Resp::OK);
//! assert_eq!(redis.execute(4_000, &words("PTTL job")), Resp::Integer(6));
//! assert_eq!(redis.execute(11_000, &words("GET job")), Resp::Nil);
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod acl;
mod command;
mod commands;
mod databases;
mod expiry;
mod fake;
#[cfg(feature = "faults")]
pub mod faults;
mod glob;
mod keyspace;
mod lua;
mod number;
mod pubsub;
mod random;
#[cfg(feature = "redis")]
pub mod redis_rs;
mod replication;
mod resp;
mod script;
#[cfg(feature = "serve")]
pub mod serve;
mod server;
mod service;
mod session;
mod table;
mod twins;
mod value;
#[cfg(feature = "faults")]
mod writes;

use std::borrow::Cow;

use bytes::Bytes;
use leasehold_core::{Command, Reply, StoreError, redis as wire};

pub use fake::{FakeConnection, FakeRedis, LostReply};
pub use keyspace::{Change, Entry, Keyspace, Reached};
pub use replication::Replica;
pub use resp::Resp;
pub use script::ScriptRules;
pub use server::{Delivery, Executed, Password, Server, Settings, Snapshot};
pub use session::{Protocol, SessionId};
pub use value::{
    ConsumerGroup, EntryFields, EntryId, Fields, Items, Map, Members, Pending, Score, SortedSet,
    Stream, Value,
};

#[cfg(feature = "faults")]
pub(crate) use glob::matches as glob_matches;
#[cfg(feature = "faults")]
pub(crate) use table::Facts;

use command::{Body, Call, Flags, Origin, Refusal};
use script::Access;
use table::TABLE;

/// The version of Redis that a server says it is.
const VERSION: &str = "7.0.15";

/// The refusal of a command that may need more memory than there is.
const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// How many expired keys one command removes at most, so that none pauses for long.
const PURGED_PER_COMMAND: usize = 250;

/// One server: what it would lose if its memory were wiped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Redis {
    /// The data of the selected database: see [`Redis::select`].
    pub keyspace: Keyspace,
    databases: databases::Databases,
    /// What scripts are allowed.
    pub script_rules: ScriptRules,
    /// Whether there is room for more data.
    pub memory: Memory,
    scripts: script::Scripts,
    pubsub: pubsub::PubSub,
    random: random::Random,
    pieces: value::PieceLimits,
    /// Where `math.random` has come to.
    lua_random: lua::Random,
    /// What a script has run, if somebody monitors it.
    overheard: Option<service::Overheard>,
    /// What a server has lent while it runs a command.
    service: Option<Box<service::Service>>,
}

/// Whether a server has room for more data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Memory {
    /// It has.
    #[default]
    Free,
    /// It is at `maxmemory`, and evicts nothing: a command that may need more is refused, in a
    /// script only before the first one that writes.
    Full,
    /// The same, and it has refused one since.
    Refused,
}

/// How a server runs the scripts of Leasehold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The Lua text itself, as every real server does.
    #[default]
    Lua,
    /// A native twin where there is one for exactly this text, else the Lua. Same replies and same
    /// keys, ten times faster; only the server's cache of scripts is not touched.
    Native,
}

impl Redis {
    /// Runs one command. `now_us` is the server's **wall** clock in microseconds since the Unix
    /// epoch: it drives `TIME` and every time to live, and may go back. A wrong command gets
    /// [`Resp::Error`] with the text of Redis 7 and changes nothing.
    pub fn execute(&mut self, now_us: u64, arguments: &[Bytes]) -> Resp {
        self.purge(now_us);
        self.run(now_us, arguments)
    }

    /// Applies a command of Leasehold as production does: as a script or a pipeline, and what it
    /// answers.
    ///
    /// # Errors
    ///
    /// What the server's refusal means: [`StoreError::Rejected`] if a key holds something else.
    pub fn apply(
        &mut self,
        now_us: u64,
        command: &Command,
        engine: Engine,
    ) -> Result<Reply, StoreError> {
        self.purge(now_us);
        // A twin publishes nothing, so that it stands in only where nobody listens.
        if engine == Engine::Native
            && self.pubsub.is_silent()
            && self.memory == Memory::Free
            && let Some(reply) = twins::run(&mut self.keyspace, now_us, command)
        {
            return Ok(reply);
        }
        let reply = match wire::encode(command) {
            wire::Request::Script(invocation) => self.run_script(now_us, invocation),
            // The only one is WAIT, and the data alone has no replica.
            wire::Request::Plain(_) => Resp::Integer(0),
            wire::Request::Pipeline(wire::Pipeline { commands, .. }) => {
                let run = |words: Vec<Vec<u8>>| {
                    let words: Vec<Bytes> = words.into_iter().map(Bytes::from).collect();
                    self.run(now_us, &words)
                };
                Resp::Array(commands.into_iter().map(run).collect())
            }
        };
        wire::decode(command, reply.into())
    }

    /// A server that has these keys, and the scripts of this one: a replica.
    #[cfg(feature = "faults")]
    pub(crate) fn replica(&self, keyspace: Keyspace, upstash: bool) -> Self {
        let (scripts, script_rules, pieces) =
            (self.scripts.clone(), self.script_rules, self.pieces);
        let service = upstash.then(|| Box::new(service::Service::for_upstash()));
        Self { keyspace, scripts, script_rules, pieces, service, ..Self::default() }
    }

    /// `EVALSHA`, and `EVAL` if the server has not seen the script.
    fn run_script(&mut self, now_us: u64, invocation: wire::Invocation) -> Resp {
        let mut arguments = Vec::with_capacity(3 + invocation.keys.len() + invocation.args.len());
        arguments.push(Bytes::from_static(b"EVALSHA"));
        arguments.push(Bytes::from_static(invocation.script.sha1.as_bytes()));
        arguments.push(Bytes::from(invocation.keys.len().to_string()));
        arguments.extend(invocation.keys.into_iter().chain(invocation.args).map(Bytes::from));
        let reply = self.run(now_us, &arguments);
        match reply {
            Resp::Error(ref message) if wire::is_no_script(message) => {
                arguments[0] = Bytes::from_static(b"EVAL");
                arguments[1] = Bytes::from_static(invocation.script.text.as_bytes());
                self.run(now_us, &arguments)
            }
            reply => reply,
        }
    }

    /// Forgets what a restart forgets beside the data: the scripts.
    fn forget_scripts(&mut self) {
        self.scripts.clear();
    }

    /// Whether there is room for what `spec` may write.
    fn has_memory_for(&mut self, spec: &command::Spec) -> bool {
        let full = self.memory != Memory::Free && spec.flags.contains(Flags::DENYOOM);
        if full {
            self.memory = Memory::Refused;
        }
        !full
    }

    fn run(&mut self, now_us: u64, arguments: &[Bytes]) -> Resp {
        let answer = match TABLE.find(arguments) {
            Ok(spec) => match spec.body {
                Body::Function(_) if !self.has_memory_for(spec) => {
                    Err(Refusal(OUT_OF_MEMORY.into()))
                }
                Body::Function(function) => {
                    let (origin, table) = (Origin::Client, &*TABLE);
                    function(&mut Call { redis: self, now_us, origin, table }, arguments)
                }
                _ => Err(Refusal("ERR This command needs a connection".into())),
            },
            Err(reason) => Err(reason.refusal(arguments)),
        };
        answer.unwrap_or_else(|refusal| Resp::Error(refusal.0))
    }

    /// Runs a command on behalf of a script, which is told of its mistakes in other words.
    fn run_for_script(&mut self, now_us: u64, arguments: &[Bytes], access: &mut Access) -> Resp {
        let spec = access.check(self, arguments);
        let hidden = Flags::ADMIN | Flags::SKIP_MONITOR;
        let shown = spec.as_ref().is_ok_and(|spec| !spec.flags.intersects(hidden));
        let counted = self.service.is_some();
        let name = spec.as_ref().ok().filter(|_| counted).map(|spec| spec.place());
        let answer = spec.and_then(|spec| match spec.body {
            Body::Function(function) => {
                let (origin, table) = (Origin::Script, access.table);
                let mut call = Call { redis: self, now_us, origin, table };
                service::perform(&mut call, (spec, function), arguments)
            }
            // For the rest of the script.
            _ if spec.name == "select" => self.select_named(&arguments[1]).map(|_| Resp::OK),
            _ => Err(Refusal(Cow::Borrowed(script::NOT_ALLOWED))),
        });
        if shown && let Some(overheard) = &mut self.overheard {
            overheard.add(self.databases.selected(), arguments);
        }
        if let Some(service) = &mut self.service {
            service.note_script_call(name, &answer);
        }
        answer.unwrap_or_else(|refusal| Resp::Error(refusal.0))
    }
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
