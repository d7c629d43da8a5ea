//! A clock that is set.

use serde::{Deserialize, Serialize};

use super::Span;
use super::fault::{Fault, Opportunity};

/// Right before the request is executed, the server's Unix time is set forward or back: keys expire
/// early, or late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerClock {
    /// How far forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<Span>,
    /// How far back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back: Option<Span>,
}

impl Fault for ServerClock {
    const NAME: &'static str = "server-clock";
    const EFFECT: Option<&'static str> = Some("the server's clock was set");

    fn check(&self) -> Result<(), String> {
        match (self.forward, self.back) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err("give `forward` or `back`: by how much the clock is set".into()),
        }
    }

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        let micros = |span: Option<Span>| span.map_or(0, |span| signed(span.micros()));
        let jump_us = &mut opportunity.effects.jump_us;
        *jump_us = jump_us.saturating_add(micros(self.forward)).saturating_sub(micros(self.back));
        true
    }
}

fn signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}
