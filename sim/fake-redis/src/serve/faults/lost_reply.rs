//! A reply that never arrives.

use serde::{Deserialize, Serialize};

use super::{
    Ending,
    fault::{Fault, Strike},
};

/// The request is executed, and the connection is closed without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostReply {}

impl Fault for LostReply {
    const NAME: &'static str = "lost-reply";
    const EFFECT: Option<&'static str> = Some("executed, no reply");

    fn strike(&self, order: &mut Strike<'_>) -> bool {
        order.orders.end(Ending::Close, true)
    }
}
