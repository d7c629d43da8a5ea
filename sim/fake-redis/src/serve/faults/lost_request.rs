//! A request that never arrives.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Strike},
};

/// It is not executed, and the connection is closed without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostRequest {}

impl Fault for LostRequest {
    const NAME: &'static str = "lost-request";
    const EFFECT: Option<&'static str> = Some("not executed, no reply");

    fn strike(&self, order: &mut Strike<'_>) -> bool {
        order.orders.end(Ending::Close, false)
    }
}
