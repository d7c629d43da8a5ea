//! Lua 5.1 for scripts: one virtual machine per thread, compiled functions kept by SHA-1.
//!
//! The machine holds nothing between two scripts that a script could see, so it is no part of the
//! server's value. While a script runs, the server itself is moved to a place of the thread where
//! `redis.call` finds it, and moved back at the end, also on a panic.

mod arguments;
mod basics;
mod bits;
mod budget;
mod convert;
mod explain;
mod failure;
mod json;
mod library;
mod msgpack;
mod packing;
mod pattern;
mod random;
mod sandbox;
mod text;

use std::{cell::RefCell, mem, rc::Rc};

use bytes::Bytes;
use leasehold_core::redis::SCRIPTS;
use mlua::{
    Either, Function, Lua, LuaString, RegistryKey, Table, Value as LuaValue, chunk::ChunkMode,
};
use rustc_hash::FxHashMap;

use super::{
    Memory, OUT_OF_MEMORY, Redis,
    command::{Answer, Call, Refusal},
    script::{self, Access, ScriptRules, Sha1, Shebang},
};
use budget::Budget;
#[cfg(feature = "serve")]
pub(super) use budget::{Supervisor, supervise};
#[cfg(feature = "serve")]
pub(super) use failure::Stop;

pub(super) use random::Random;

/// What a machine may have allocated while it runs or compiles a script, so that a runaway script
/// cannot take the whole host. Our own scripts run without.
const MEMORY_LIMIT: usize = 256 << 20;
/// What a script may leave behind before its garbage is collected at once. Lua 5.1 does not collect
/// when it runs out of memory, so the next script would pay for it.
const GARBAGE_LIMIT: usize = 16 << 20;
/// Compiled scripts kept per thread. Beyond it they are all dropped: a client makes scripts up.
const KEPT_SCRIPTS: usize = 1_000;
/// The same for the memory of the machine, most of which they are then.
const KEPT_BYTES: usize = 64 << 20;
/// The name under which every script is compiled, seen in its errors.
const CHUNK: &str = "@user_script";
/// The name of our own Lua code, not to be taken for the script's.
const SANDBOX: &str = "=sandbox";

thread_local! {
    static MACHINE: Machine = Machine::new().expect("the sandbox is our own and always loads");
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

struct Machine {
    lua: Lua,
    /// What a script sees as globals, behind the guard.
    globals: Table,
    /// Runs a script with its keys and its arguments, and turns its error into text.
    protected: Function,
    compiled: RefCell<FxHashMap<Sha1, Rc<Compiled>>>,
}

struct Compiled {
    /// The function, in the registry: what is held elsewhere takes room from the arguments of calls.
    function: RegistryKey,
    shebang: Shebang,
    /// Whether it is one of our own scripts.
    trusted: bool,
}

/// What is to be run.
#[derive(Debug)]
pub(super) struct Script<'a> {
    pub(super) sha1: &'a Sha1,
    pub(super) text: &'a Bytes,
    /// Whether the caller wants it refused if it writes.
    pub(super) read_only: bool,
}

/// The server on whose behalf a script runs, and what the script has set.
struct Running {
    redis: Redis,
    now_us: u64,
    sha1: Sha1,
    access: Access,
    budget: Budget,
    json: json::Config,
    /// The numbers that stand for addresses, once one was asked for.
    numbers: Option<Table>,
    /// Whether it speaks the newer protocol with the server, after `redis.setresp(3)`.
    resp3: bool,
}

/// Checks that a script compiles.
pub(super) fn compile(sha1: &Sha1, text: &Bytes, rules: ScriptRules) -> Result<(), Refusal> {
    MACHINE.with(|machine| machine.compiled(sha1, text)?.check(rules))
}

/// Runs a script, atomically, at the frozen time of `call`.
pub(super) fn run(
    call: &mut Call<'_>,
    script: &Script<'_>,
    keys: &[Bytes],
    args: &[Bytes],
) -> Answer {
    let selected = call.redis.selected();
    let answer = MACHINE.with(|machine| {
        let compiled = machine.compiled(script.sha1, script.text)?;
        let access = compiled.access(script, keys, call)?;
        let _lent = Lent::new(call, script.sha1, access);
        let reply =
            machine.run(&compiled, keys, args).unwrap_or_else(|error| Err(failure::fatal(&error)));
        if reply.is_err() {
            undo();
        }
        reply
    });
    // What the script has selected was for itself.
    call.redis.select(selected);
    answer
}

impl Machine {
    fn new() -> mlua::Result<Self> {
        let (lua, globals, protected) = sandbox::build()?;
        Ok(Self { lua, globals, protected, compiled: RefCell::default() })
    }

    fn compiled(&self, sha1: &Sha1, text: &Bytes) -> Result<Rc<Compiled>, Refusal> {
        if let Some(script) = self.compiled.borrow().get(sha1) {
            return Ok(Rc::clone(script));
        }
        let shebang = Shebang::of(text)?;
        let chunk = self.lua.load(shebang.body(text)).set_name(CHUNK).set_mode(ChunkMode::Text);
        let function = self.limited(MEMORY_LIMIT, || chunk.into_function());
        let function = function.map_err(|error| failure::not_compiled(&error))?;
        let trusted = SCRIPTS.iter().any(|script| script.sha1.as_bytes() == sha1.as_bytes());
        let function = self.lua.create_registry_value(function);
        let function = function.map_err(|error| failure::fatal(&error))?;
        let script = Rc::new(Compiled { function, shebang, trusted });
        let mut compiled = self.compiled.borrow_mut();
        if compiled.len() >= KEPT_SCRIPTS || self.lua.used_memory() > KEPT_BYTES {
            compiled.clear();
            self.lua.expire_registry_values();
            self.lua.gc_collect().map_err(|error| failure::fatal(&error))?;
        }
        compiled.insert(*sha1, Rc::clone(&script));
        Ok(script)
    }

    /// The script's result; an error is that of the script.
    fn run(&self, script: &Compiled, keys: &[Bytes], args: &[Bytes]) -> mlua::Result<Answer> {
        budget::watch(&self.lua, !script.trusted)?;
        let function: Function = self.lua.registry_value(&script.function)?;
        let given = (function, self.list(keys)?, self.list(args)?);
        let limit = if script.trusted { 0 } else { MEMORY_LIMIT };
        let (done, result): (bool, LuaValue) =
            self.limited(limit, || self.protected.call(given))?;
        let answer =
            if done { Ok(convert::to_resp(&result)?) } else { Err(failure::refusal(&result)) };
        if !script.trusted {
            drop(result);
            self.tidy()?;
        }
        Ok(answer)
    }

    /// Runs `f` under a limit of memory, where each allocation of ours is a protected call.
    fn limited<R>(&self, limit: usize, f: impl FnOnce() -> mlua::Result<R>) -> mlua::Result<R> {
        self.lua.set_memory_limit(limit)?;
        let result = f();
        self.lua.set_memory_limit(0)?;
        result
    }

    fn tidy(&self) -> mlua::Result<()> {
        if self.lua.used_memory() > GARBAGE_LIMIT {
            self.globals.raw_set("KEYS", LuaValue::Nil)?;
            self.globals.raw_set("ARGV", LuaValue::Nil)?;
            self.lua.gc_collect()?;
        }
        Ok(())
    }

    fn list(&self, items: &[Bytes]) -> mlua::Result<Table> {
        // Text goes straight onto the stack, other bytes by a reference.
        let item = |item| match str::from_utf8(item) {
            Ok(text) => Either::Left(text),
            Err(_) => Either::Right(LuaString::wrap(item)),
        };
        self.lua.create_sequence_from(items.iter().map(|bytes| item(&bytes[..])))
    }
}

impl Compiled {
    /// Refuses a flag that is not understood under these rules.
    fn check(&self, rules: ScriptRules) -> Result<(), Refusal> {
        if self.shebang.allow_key_locking && !rules.key_locking {
            return Err(script::unexpected(b"allow-key-locking"));
        }
        Ok(())
    }

    fn access(
        &self,
        script: &Script<'_>,
        keys: &[Bytes],
        call: &Call<'_>,
    ) -> Result<Access, Refusal> {
        let redis = &*call.redis;
        let rules = redis.script_rules;
        self.check(rules)?;
        let Shebang { present, no_writes, allow_oom, allow_key_locking, .. } = self.shebang;
        if script.read_only && present && !no_writes {
            let text = "ERR Can not execute a script with write flag using *_ro command.";
            return Err(Refusal(text.into()));
        }
        let needs_memory = present && !allow_oom && !no_writes;
        if needs_memory && redis.memory != Memory::Free {
            return Err(Refusal(OUT_OF_MEMORY.into()));
        }
        if let Some(service) = redis.service.as_ref().filter(|_| present) {
            if needs_memory {
                service.check_memory()?;
            }
            if !no_writes {
                service.check_replicas()?;
            }
        }
        Ok(Access {
            table: call.table,
            read_only: script.read_only || no_writes,
            declared: allow_key_locking.then(|| keys.to_vec()),
            undo: rules.undo_failed,
            allow_oom,
            wrote: false,
            before: None,
        })
    }
}

/// Takes back what the failed script wrote, if the server's rules say so.
fn undo() {
    with_running(|running| {
        if let Some((mut before, place)) = running.access.before.take() {
            // What was drawn and shown to monitors was so.
            before.lua_random = running.redis.lua_random;
            before.overheard = running.redis.overheard.take();
            let past = running.redis.keyspace.past.0.take();
            running.redis = *before;
            running.redis.go_on(past, place);
        }
    });
}

/// A server lent to [`RUNNING`], given back on drop.
struct Lent<'a>(&'a mut Redis);

impl<'a> Lent<'a> {
    fn new(call: &'a mut Call<'_>, sha1: &Sha1, access: Access) -> Self {
        let budget = Budget::new(call.redis.script_rules.instructions);
        RUNNING.set(Some(Running {
            redis: mem::take(&mut *call.redis),
            now_us: call.now_us,
            sha1: *sha1,
            access,
            budget,
            json: json::Config::default(),
            numbers: None,
            resp3: false,
        }));
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
