//! `CLIENT PAUSE`: commands are held back for a while.

use bytes::Bytes;

use super::{Connection, Server, session::Silence, waiting::Reason};
use crate::{
    command::{Flags, Spec, Table},
    script::script_says_it_writes,
};

/// A pause that somebody has ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pause {
    pub(crate) until_us: u64,
    /// Whether only commands that may change data are held back.
    pub(crate) writes_only: bool,
}

impl Server {
    /// Begins a pause, or makes the present one longer or stricter.
    pub(crate) fn pause(&mut self, now_us: u64, new: Pause) {
        let present = self.pause.filter(|pause| pause.until_us > now_us);
        self.pause = Some(present.map_or(new, |present| Pause {
            until_us: present.until_us.max(new.until_us),
            writes_only: present.writes_only && new.writes_only,
        }));
    }

    /// Ends a pause, and runs what it has held back.
    pub(crate) fn unpause(&mut self, table: &'static Table, now_us: u64) {
        self.pause = None;
        for id in self.held_back() {
            self.resume(table, now_us, id);
        }
    }
}

impl Connection<'_> {
    /// Holds a command back if there is a pause; whether it is held back. A session that wants no
    /// replies is not held back, since it could not be told to go on.
    pub(super) fn hold_back(&mut self, spec: &Spec, arguments: &[Bytes]) -> bool {
        let Some(pause) = self.server.pause else { return false };
        if pause.until_us <= self.now_us {
            self.server.pause = None;
            return false;
        }
        // What ends the pause is heard, unlike in Redis 7.0, where it waits for the end, too.
        let ends = spec.name == "unpause";
        let held = !ends && (!pause.writes_only || self.may_write(spec, arguments));
        if !held || self.session().silence != Silence::None {
            return false;
        }
        self.wait(Some(pause.until_us), Reason::Pause { arguments: arguments.to_vec() });
        true
    }

    /// Whether a command may change data. That of a script which says what it does is known.
    fn may_write(&self, spec: &Spec, arguments: &[Bytes]) -> bool {
        let writes = |spec: &Spec, arguments: &[Bytes]| {
            script_says_it_writes(&self.server.redis.scripts, spec, arguments)
                .unwrap_or(spec.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE))
        };
        let queued = self.session().transaction.as_ref().map(|transaction| &transaction.queue);
        let of_queue = || {
            let mut queue = queued.into_iter().flatten();
            queue.any(|arguments| {
                self.table.find(arguments).is_ok_and(|spec| writes(spec, arguments))
            })
        };
        writes(spec, arguments) || spec.name == "exec" && of_queue()
    }
}
