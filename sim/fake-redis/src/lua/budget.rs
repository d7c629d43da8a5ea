//! How long a script may run: counted in instructions, so that the same script stops at the same
//! place on every machine.

use std::{
    cell::{Cell, RefCell},
    fmt::Debug,
    rc::Rc,
    time::{Duration, Instant},
};

use mlua::{Lua, VmState, debug::HookTriggers};

use super::{
    failure::{Failure, Stop},
    with_running,
};

/// How often the machine is asked how long it has run, in instructions.
const EVERY: u32 = 1_000;

/// The same where somebody waits.
const EVERY_SUPERVISED: u32 = 100;

/// If so many instructions took longer than this, the machine is asked at each: they work on very
/// long texts or tables.
const SLOW: Duration = Duration::from_millis(20);

thread_local! {
    static SUPERVISOR: RefCell<Option<Rc<dyn Supervisor>>> = const { RefCell::new(None) };
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
    /// When the machine was last asked.
    static ASKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Somebody who has a clock, and others who wait: a server on sockets.
pub(crate) trait Supervisor: Debug {
    /// After how long a script is late; `None`: never.
    fn limit(&self) -> Option<Duration>;
    /// Told again and again of a script that is late, and whether it has written. Whether it may go
    /// on.
    fn late(&self, wrote: bool) -> Result<(), Stop>;
}

/// From now on a script of this thread also has this supervisor. `None`, as in every value: only
/// instructions count.
#[cfg(feature = "serve")]
pub(crate) fn supervise(supervisor: Option<Rc<dyn Supervisor>>) {
    SUPERVISOR.set(supervisor);
}

/// What one script has left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: u64,
    /// Why it ends once nothing is left.
    end: Stop,
}

impl Budget {
    pub(super) fn new(instructions: u64) -> Self {
        Self { left: instructions, end: Stop::Instructions(instructions) }
    }

    /// Takes `instructions` off, or says that there are not so many.
    pub(super) fn spend(&mut self, instructions: u64) -> Result<(), Failure> {
        self.left = self.left.saturating_sub(instructions);
        if self.left == 0 { Err(Failure::Stopped(self.end)) } else { Ok(()) }
    }
}

/// Counts the instructions of the script that runs next, from none.
pub(super) fn watch(lua: &Lua, watched: bool) -> mlua::Result<()> {
    if !watched {
        lua.remove_global_hook();
        return Ok(());
    }
    let limit = SUPERVISOR.with_borrow(|it| it.as_ref().and_then(|it| it.limit()));
    let now = limit.map(|_| Instant::now());
    UNTIL.set(now.zip(limit).and_then(|(now, limit)| now.checked_add(limit)));
    ASKED.set(now);
    count(lua, if limit.is_some() { EVERY_SUPERVISED } else { EVERY })
}

/// To be called now and then by work that is not done in Lua and takes long: a script that is late
/// may be ended meanwhile, and has nothing left then.
pub(super) fn look() {
    if UNTIL.get().is_some_and(|until| Instant::now() > until) {
        tell_late();
    }
}

/// Counts instructions, so many at once.
fn count(lua: &Lua, every: u32) -> mlua::Result<()> {
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(every), move |lua, _| {
        if let Some(until) = UNTIL.get() {
            let now = Instant::now();
            let took = ASKED.replace(Some(now)).map(|before| now - before);
            if every > 1 && took > Some(SLOW) {
                count(lua, 1)?;
            }
            if now > until {
                tell_late();
            }
        }
        spend(u64::from(every))?;
        Ok(VmState::Continue)
    })
}

/// Has the supervisor say whether a script that is late may go on.
fn tell_late() {
    let Some(supervisor) = SUPERVISOR.with_borrow(Option::clone) else { return };
    if let Err(end) = supervisor.late(with_running(|running| running.access.wrote)) {
        with_running(|running| running.budget = Budget { left: 0, end });
    }
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
