//! What a script's commands are refused for, and that they are counted.

use bytes::Bytes;

use super::{Service, statistics::CommandName};
use crate::{
    OUT_OF_MEMORY,
    acl::{Context, Denial, Denied},
    command::{Answer, Refusal, Spec},
};

/// The refusal of a write that too few replicas would have.
pub(crate) const TOO_FEW_REPLICAS: &str = "NOREPLICAS Not enough good replicas to write.";

impl Service {
    /// Refuses what the user is not allowed for whom the script runs.
    pub(crate) fn admit_script_call(
        &mut self,
        spec: &Spec,
        arguments: &[Bytes],
    ) -> Result<(), Refusal> {
        let Some(user) = &self.user else { return Ok(()) };
        let Err(denial) = user.check(spec, arguments) else { return Ok(()) };
        let text = match &denial {
            Denial::Command => {
                "ERR The user executing the script can't run this command or subcommand"
            }
            Denial::Key(_) => {
                "ERR The user executing the script can't access at least one of the keys mentioned \
                 in the command arguments"
            }
            Denial::Channel(_) => {
                "ERR The user executing the script can't publish to the channel mentioned in the \
                 command"
            }
        };
        self.denied.push(Denied::new(denial, Context::Lua, spec));
        Err(Refusal(text.into()))
    }

    /// Refuses what may take more memory, if there is none.
    pub(crate) fn check_memory(&self) -> Result<(), Refusal> {
        if self.out_of_memory { Err(Refusal(OUT_OF_MEMORY.into())) } else { Ok(()) }
    }

    /// Refuses a write, if too few replicas would have it.
    pub(crate) fn check_replicas(&self) -> Result<(), Refusal> {
        if self.too_few_replicas { Err(Refusal(TOO_FEW_REPLICAS.into())) } else { Ok(()) }
    }

    /// Counts a command of a script; `None` if it was refused.
    pub(crate) fn note_script_call(&mut self, name: Option<CommandName>, answer: &Answer) {
        if let Some(name) = name {
            self.statistics.note_call(name, answer.is_err());
        }
        if let Err(refusal) = answer {
            self.statistics.note_error(&refusal.0);
        }
    }
}
