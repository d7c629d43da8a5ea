//! A command that is refused.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    Slot,
    fault::{Fault, Opportunity, Scope},
};

/// The command is answered with an error and not executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorReply {
    /// The text, beginning with its code. A known code alone stands for the sentence of Redis.
    pub text: String,
}

/// What Redis says, by code.
const SENTENCES: &[&str] = &[
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "CLUSTERDOWN The cluster is down",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to \
     disk. Commands that may modify the data set are disabled, because this instance is \
     configured to report errors during writes if RDB snapshotting fails \
     (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB \
     error.",
    "NOREPLICAS Not enough good replicas to write.",
    "NOSCRIPT No matching script. Please use EVAL.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
];

impl Fault for ErrorReply {
    const NAME: &'static str = "error";
    const SCOPE: Scope = Scope::Command;
    const EFFECT: Option<&'static str> = Some("answered with an error");

    fn check(&self) -> Result<(), String> {
        if self.text.trim().is_empty() || self.text.contains(['\r', '\n']) {
            return Err("`text` must be one line, such as OOM or \"ERR something\"".into());
        }
        Ok(())
    }

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        opportunity.effects.slot(opportunity.command, Slot::Error(self.sentence()))
    }
}

impl ErrorReply {
    fn sentence(&self) -> Cow<'static, str> {
        let known = |sentence: &&&str| sentence.split(' ').next() == Some(&*self.text);
        SENTENCES
            .iter()
            .find(known)
            .map_or_else(|| self.text.clone().into(), |sentence| Cow::Borrowed(*sentence))
    }
}
