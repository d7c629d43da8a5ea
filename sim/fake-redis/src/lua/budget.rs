//! How long a script may run: counted in instructions, so that the same script stops at the same
//! place on every machine.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use mlua::{Lua, VmState, debug::HookTriggers};

use super::{failure::Failure, with_running};

/// How often the machine is asked how long it has run, in instructions.
const EVERY: u32 = 1_000;

thread_local! {
    /// How long a script may really run, where somebody waits who has a clock.
    static TIME_LIMIT: Cell<Option<Duration>> = const { Cell::new(None) };
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// From now on a script of this thread is also stopped once it has really run for so long: of a
/// server on sockets, which nobody reaches meanwhile. `None`, as in every value: only instructions
/// count.
#[cfg(feature = "serve")]
pub(crate) fn limit_time(limit: Option<Duration>) {
    TIME_LIMIT.set(limit);
}

/// What one script has left. Of a `whole` of 0, the time was over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: u64,
    whole: u64,
}

impl Budget {
    pub(super) fn new(instructions: u64) -> Self {
        Self { left: instructions, whole: instructions }
    }

    /// Takes `instructions` off, or says that there are not so many.
    pub(super) fn spend(&mut self, instructions: u64) -> Result<(), Failure> {
        self.left = self.left.saturating_sub(instructions);
        if self.left == 0 { Err(Failure::Stopped(self.whole)) } else { Ok(()) }
    }
}

/// Counts the instructions of the script that runs next, from none.
pub(super) fn watch(lua: &Lua, watched: bool) -> mlua::Result<()> {
    if !watched {
        lua.remove_global_hook();
        return Ok(());
    }
    UNTIL.set(TIME_LIMIT.get().and_then(|limit| Instant::now().checked_add(limit)));
    let every = HookTriggers::new().every_nth_instruction(EVERY);
    lua.set_global_hook(every, |_, _| {
        let late = UNTIL.get().is_some_and(|until| Instant::now() > until);
        with_running(|running| {
            if late {
                running.budget = Budget { left: 0, whole: 0 };
            }
            running.budget.spend(u64::from(EVERY))
        })?;
        Ok(VmState::Continue)
    })
}

/// Charges the running script for work that is not done in Lua.
pub(super) fn spend(instructions: u64) -> mlua::Result<()> {
    with_running(|running| running.budget.spend(instructions)).map_err(mlua::Error::from)
}

/// What the running script has left, in instructions.
pub(super) fn left() -> u64 {
    with_running(|running| running.budget.left)
}

/// Charges for `bytes` of text that are read or written.
pub(super) fn spend_bytes(bytes: usize) -> mlua::Result<()> {
    spend(bytes as u64 / 16)
}

/// Raises again what a script has caught although it must not.
pub(super) fn check(_: &Lua, (): ()) -> mlua::Result<()> {
    spend(0)
}
