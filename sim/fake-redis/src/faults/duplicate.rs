//! A request that arrives twice.

use serde::{Deserialize, Serialize};

use super::Span;
use super::{
    Duplicate,
    fault::{Fault, Opportunity},
};

/// The request is executed once more, later; nobody sees the second reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DuplicateRequest {
    /// How much later, by the server's clock; at once if nothing is said.
    pub after: Span,
}

impl Fault for DuplicateRequest {
    const NAME: &'static str = "duplicate";
    const EFFECT: Option<&'static str> = None;

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        let after = opportunity.effects.delay.saturating_add(self.after.0);
        opportunity.effects.duplicates.push(Duplicate { after, injection: opportunity.id });
        true
    }
}
