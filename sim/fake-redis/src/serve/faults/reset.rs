//! A connection that breaks.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Strike},
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

    fn strike(&self, order: &mut Strike<'_>) -> bool {
        order.orders.end(Ending::Reset, self.executed)
    }
}
