//! A reply that never arrives.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Opportunity},
};

/// The request is executed, and the connection is closed without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyLoss {}

impl Fault for ReplyLoss {
    const NAME: &'static str = "reply-loss";
    const EFFECT: Option<&'static str> = Some("executed, no reply");

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        opportunity.effects.end(Ending::Close, true)
    }
}
