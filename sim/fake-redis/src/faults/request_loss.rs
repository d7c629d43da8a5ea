//! A request that never arrives.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Opportunity},
};

/// It is not executed, and the connection is closed without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLoss {}

impl Fault for RequestLoss {
    const NAME: &'static str = "request-loss";
    const EFFECT: Option<&'static str> = Some("not executed, no reply");

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        opportunity.effects.end(Ending::Close, false)
    }
}
