//! A server that says nothing.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Opportunity},
};

/// There is no reply, and the connection stays open until the client gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hang {
    /// Whether the request is executed before.
    #[serde(default)]
    pub executed: bool,
}

impl Fault for Hang {
    const NAME: &'static str = "hang";
    const EFFECT: Option<&'static str> = Some("no reply");

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        opportunity.effects.end(Ending::Hang, self.executed)
    }
}
