//! A replica that takes over.

use serde::{Deserialize, Serialize};

use super::Span;
use super::{
    ServerEvent, ServerEventKind,
    fault::{Fault, Opportunity},
};

/// Right after the request was answered the server dies, and a replica takes over that lacks the
/// last writes. Connections are closed. It takes effect if a write was lost, or somebody had to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Failover {
    /// The writes of how long are lost, by the server's clock.
    pub lose: Span,
    /// For how long nobody answers, by the server's clock.
    pub down: Span,
}

impl Fault for Failover {
    const NAME: &'static str = "failover";
    const EFFECT: Option<&'static str> = None;

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        let kind = ServerEventKind::Failover { lose: self.lose.0 };
        opportunity.effects.trigger(ServerEvent {
            kind,
            down: self.down.0,
            injection: opportunity.id,
        })
    }
}
