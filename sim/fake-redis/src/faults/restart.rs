//! A server that forgets.

use serde::{Deserialize, Serialize};

use super::Span;
use super::{
    ServerEvent, ServerEventKind,
    fault::{Fault, Opportunity},
};

/// Right after the request was answered the server restarts without its data, its scripts and its
/// connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Restart {
    /// For how long nobody answers, by the server's clock.
    pub down: Span,
}

impl Fault for Restart {
    const NAME: &'static str = "restart";
    const EFFECT: Option<&'static str> = None;

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        let kind = ServerEventKind::Restart;
        opportunity.effects.trigger(ServerEvent {
            kind,
            down: self.down.0,
            injection: opportunity.id,
        })
    }
}
