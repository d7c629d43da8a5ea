//! What the running script may do.

use std::borrow::Cow;

use bytes::Bytes;

use super::super::{
    OUT_OF_MEMORY, Redis,
    command::{self, Flags, NotFound, Refusal, Spec},
};

/// The refusal of a command that is not for scripts.
pub(crate) const NOT_ALLOWED: &str = "ERR This Redis command is not allowed from script";

/// What one run of a script may do, and what it needs to be undone.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) read_only: bool,
    /// The keys it is held to, if it is held to any.
    pub(crate) declared: Option<Vec<Bytes>>,
    /// Whether its writes are taken back if it fails.
    pub(crate) undo: bool,
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
        let spec = command::find(arguments).map_err(|reason| refused(&reason))?;
        if spec.flags.contains(Flags::NOSCRIPT) {
            return Err(Refusal(Cow::Borrowed(NOT_ALLOWED)));
        }
        if spec.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE) {
            if self.read_only {
                let text = "ERR Write commands are not allowed from read-only scripts.";
                return Err(Refusal(text.into()));
            }
            if self.undo && self.before.is_none() {
                self.before = Some((Box::new(redis.clone()), redis.place_in_past()));
            }
            if !self.wrote && !redis.has_memory_for(spec) {
                return Err(Refusal(Cow::Borrowed(OUT_OF_MEMORY)));
            }
            self.wrote |= spec.flags.contains(Flags::WRITE);
        }
        match &self.declared {
            Some(declared) => only(declared, &spec.keys.of(arguments)).map(|()| spec),
            None => Ok(spec),
        }
    }
}

fn only(declared: &[Bytes], used: &[&Bytes]) -> Result<(), Refusal> {
    match used.iter().find(|key| !declared.contains(key)) {
        None => Ok(()),
        Some(key) => {
            let key = String::from_utf8_lossy(key);
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

fn refused(reason: &NotFound) -> Refusal {
    Refusal(Cow::Borrowed(match reason {
        NotFound::Arity(_) => "ERR Wrong number of args calling Redis command from script",
        NotFound::Subcommand | NotFound::Unknown => "ERR Unknown Redis command called from script",
    }))
}
