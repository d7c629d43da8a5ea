//! What the running script may do.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Scripts, Sha1, Shebang};
use crate::{
    OUT_OF_MEMORY, Redis,
    command::{Flags, NotFound, Refusal, Spec, Table, absence},
    resp::text_of,
};

/// The refusal of a command that is not for scripts.
pub(crate) const NOT_ALLOWED: &str = "ERR This Redis command is not allowed from script";

/// What one run of a script may do, and what it needs to be undone.
#[derive(Debug)]
pub(crate) struct Access {
    /// The commands that it may call, as far as they are for scripts.
    pub(crate) table: &'static Table,
    pub(crate) read_only: bool,
    /// The keys it is held to, if it is held to any.
    pub(crate) declared: Option<Vec<Bytes>>,
    /// Whether its writes are taken back if it fails.
    pub(crate) undo: bool,
    /// Whether it may write beyond the limit of memory.
    pub(crate) allow_oom: bool,
    /// Whether it has called a command that writes: from then on it cannot be stopped half-way.
    pub(crate) wrote: bool,
    /// The server as it was before the first write, and the place of that in its past.
    pub(crate) before: Option<(Box<Redis>, u64)>,
}

impl Access {
    /// The command that a script calls, if it may.
    pub(crate) fn check(
        &mut self,
        redis: &mut Redis,
        arguments: &[Bytes],
    ) -> Result<&'static Spec, Refusal> {
        let spec = self.table.find(arguments).map_err(|reason| refused(&reason, arguments))?;
        if spec.flags.contains(Flags::NOSCRIPT) {
            return Err(Refusal(Cow::Borrowed(NOT_ALLOWED)));
        }
        let writes = spec.flags.contains(Flags::WRITE);
        let grows = spec.flags.contains(Flags::DENYOOM);
        if let Some(service) = &mut redis.service {
            service.admit_script_call(spec, arguments)?;
            if writes && !self.read_only {
                service.check_replicas()?;
            }
        }
        if spec.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE) {
            if self.read_only {
                let text = "ERR Write commands are not allowed from read-only scripts.";
                return Err(Refusal(text.into()));
            }
            if self.undo && self.before.is_none() {
                self.before = Some((Box::new(redis.clone()), redis.place_in_past()));
            }
            if !self.wrote && !self.allow_oom {
                if !redis.has_memory_for(spec) {
                    return Err(Refusal(Cow::Borrowed(OUT_OF_MEMORY)));
                }
                if let Some(service) = redis.service.as_ref().filter(|_| grows) {
                    service.check_memory()?;
                }
            }
            self.wrote |= writes;
        }
        match &self.declared {
            Some(declared) => only(declared, &spec.keys.of(arguments)).map(|()| spec),
            None => Ok(spec),
        }
    }
}

/// Whether the script that a command runs says that it writes; `None` if it says nothing.
pub(crate) fn script_says_it_writes(
    scripts: &Scripts,
    spec: &Spec,
    arguments: &[Bytes],
) -> Option<bool> {
    let text = match spec.name {
        "eval" | "eval_ro" => &arguments[1],
        "evalsha" | "evalsha_ro" => scripts.get(&Sha1::parse(&arguments[1])?)?,
        _ => return None,
    };
    let shebang = Shebang::of(text).ok()?;
    shebang.present.then_some(!shebang.no_writes)
}

fn only(declared: &[Bytes], used: &[&Bytes]) -> Result<(), Refusal> {
    match used.iter().find(|key| !declared.contains(key)) {
        None => Ok(()),
        Some(key) => {
            let key = text_of(key);
            Err(Refusal(
                format!(
                    "ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' \
                     flag is set. Key was: {key}"
                )
                .into(),
            ))
        }
    }
}

fn refused(reason: &NotFound, arguments: &[Bytes]) -> Refusal {
    match (reason, absence(arguments)) {
        (NotFound::Arity(_), _) => {
            Refusal("ERR Wrong number of args calling Redis command from script".into())
        }
        (_, Some(text)) => Refusal(text.into()),
        _ => Refusal("ERR Unknown Redis command called from script".into()),
    }
}
