//! How long a script may run: counted in instructions, so that the same script stops at the same
//! place on every machine.

use mlua::{Lua, VmState, debug::HookTriggers};

use super::{failure::Failure, with_running};

/// How often the machine is asked how long it has run, in instructions.
const EVERY: u32 = 1_000;

/// What one script has left.
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
    let every = HookTriggers::new().every_nth_instruction(EVERY);
    lua.set_global_hook(every, |_, _| {
        spend(u64::from(EVERY))?;
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
