//! A read that a replica answers.

use serde::{Deserialize, Serialize};

use super::Span;
use super::{
    Slot,
    fault::{Fault, Opportunity, Scope},
};

/// A command that only reads is answered from the data as it was a while ago. It takes effect if the reply
/// is another one for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaleRead {
    /// How long ago, by the server's clock.
    pub lag: Span,
}

impl Fault for StaleRead {
    const NAME: &'static str = "stale-read";
    const SCOPE: Scope = Scope::Command;
    const READS_ONLY: bool = true;
    const EFFECT: Option<&'static str> = None;

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        opportunity
            .effects
            .slot(opportunity.command, Slot::Stale { lag: self.lag.0, injection: opportunity.id })
    }
}
