//! A connection that breaks.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Opportunity},
};

/// The connection is reset (TCP `RST`) instead of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Whether the request is executed before.
    #[serde(default)]
    pub executed: bool,
}

impl Fault for Reset {
    const NAME: &'static str = "reset";
    const EFFECT: Option<&'static str> = Some("connection reset");

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        opportunity.effects.end(Ending::Reset, self.executed)
    }
}
