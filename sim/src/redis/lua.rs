//! Lua 5.1 for scripts: one virtual machine per thread, compiled functions kept by SHA-1.
//!
//! The machine holds nothing between two scripts that a script could see, so it is no part of the
//! server's value. While a script runs, the server itself is moved to a place of the thread where
//! `redis.call` finds it, and moved back at the end, also on a panic.

mod convert;
mod failure;
mod library;
mod random;
mod sandbox;

use std::{cell::RefCell, mem};

use bytes::Bytes;
use leasehold_core::redis::SCRIPTS;
use mlua::{Function, Lua, LuaString, Table, Value as LuaValue, chunk::ChunkMode};
use rustc_hash::FxHashMap;

use super::{
    Redis, Resp,
    command::{Call, Refusal},
    script::Sha1,
};

/// What a machine may allocate, so that a runaway script cannot take the whole host. Our own
/// scripts run without: under a limit, every allocation is a protected call, at half the speed.
const MEMORY_LIMIT: usize = 256 << 20;
/// Compiled scripts kept per thread. Beyond it they are all dropped: a client makes scripts up.
const KEPT_SCRIPTS: usize = 1_000;
/// The name under which every script is compiled, seen in its errors.
const CHUNK: &str = "@user_script";

thread_local! {
    static MACHINE: Machine = Machine::new().expect("the sandbox is our own and always loads");
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

struct Machine {
    lua: Lua,
    /// What a script sees as globals, behind the guard.
    globals: Table,
    /// Runs a script and turns its error into text.
    protected: Function,
    compiled: RefCell<FxHashMap<Sha1, Compiled>>,
}

#[derive(Clone)]
struct Compiled {
    function: Function,
    /// Whether it is one of our own scripts.
    trusted: bool,
}

/// The server on whose behalf a script runs.
struct Running {
    redis: Redis,
    now_us: u64,
    sha1: Sha1,
    random: random::Random,
}

/// Checks that a script compiles.
pub(super) fn compile(sha1: &Sha1, text: &Bytes) -> Result<(), Refusal> {
    MACHINE.with(|machine| machine.compiled(sha1, text).map(drop))
}

/// Runs a script, atomically, at the frozen time of `call`.
pub(super) fn run(
    call: &mut Call<'_>,
    sha1: &Sha1,
    text: &Bytes,
    keys: &[Bytes],
    args: &[Bytes],
) -> Resp {
    MACHINE.with(|machine| {
        let script = match machine.compiled(sha1, text) {
            Ok(script) => script,
            Err(refusal) => return Resp::Error(refusal.0),
        };
        let _lent = Lent::new(call, sha1);
        machine.run(script, keys, args).unwrap_or_else(|error| failure::fatal(&error))
    })
}

impl Machine {
    fn new() -> mlua::Result<Self> {
        let (lua, globals, protected) = sandbox::build()?;
        Ok(Self { lua, globals, protected, compiled: RefCell::default() })
    }

    fn compiled(&self, sha1: &Sha1, text: &Bytes) -> Result<Compiled, Refusal> {
        if let Some(script) = self.compiled.borrow().get(sha1) {
            return Ok(script.clone());
        }
        let chunk = self.lua.load(&**text).set_name(CHUNK).set_mode(ChunkMode::Text);
        let function = chunk.into_function().map_err(|error| failure::not_compiled(&error))?;
        let trusted = SCRIPTS.iter().any(|script| script.sha1.as_bytes() == sha1.as_bytes());
        let script = Compiled { function, trusted };
        let mut compiled = self.compiled.borrow_mut();
        if compiled.len() >= KEPT_SCRIPTS {
            compiled.clear();
        }
        compiled.insert(*sha1, script.clone());
        Ok(script)
    }

    fn run(&self, script: Compiled, keys: &[Bytes], args: &[Bytes]) -> mlua::Result<Resp> {
        self.lua.set_memory_limit(if script.trusted { 0 } else { MEMORY_LIMIT })?;
        self.globals.raw_set("KEYS", self.list(keys)?)?;
        self.globals.raw_set("ARGV", self.list(args)?)?;
        let (done, result): (bool, LuaValue) = self.protected.call(script.function)?;
        if done { convert::to_resp(&result) } else { Ok(failure::reply(&result)) }
    }

    fn list(&self, items: &[Bytes]) -> mlua::Result<Table> {
        self.lua.create_sequence_from(items.iter().map(LuaString::wrap))
    }
}

/// A server lent to [`RUNNING`], given back on drop.
struct Lent<'a>(&'a mut Redis);

impl<'a> Lent<'a> {
    fn new(call: &'a mut Call<'_>, sha1: &Sha1) -> Self {
        let redis = mem::take(&mut *call.redis);
        let running =
            Running { redis, now_us: call.now_us, sha1: *sha1, random: random::Random::default() };
        RUNNING.set(Some(running));
        Self(call.redis)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(running) = RUNNING.take() {
            *self.0 = running.redis;
        }
    }
}

/// Gives `f` the server on whose behalf the current script runs.
fn with_running<R>(f: impl FnOnce(&mut Running) -> R) -> R {
    RUNNING.with_borrow_mut(|running| {
        f(running.as_mut().expect("Lua code of ours runs only inside a script"))
    })
}
