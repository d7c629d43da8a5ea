//! A request that is kept back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Span;
use super::{
    InjectionId,
    fault::{Fault, Opportunity},
};

/// The request waits, before it is executed, until it is released: so that a test puts the requests
/// of several clients into an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hold {
    /// What releases it, beside an explicit release.
    pub until: Until,
    /// For how long at most, by the server's clock.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Span>,
}

/// What releases a request that is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// Only somebody who says so.
    #[default]
    Release,
    /// Another request that is executed meanwhile.
    Next,
}

/// A request that has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What releases it.
    pub until: Until,
    /// For how long it waits at most, by the server's clock.
    pub at_most: Option<Duration>,
    /// To be told of the end.
    pub injection: InjectionId,
}

impl Fault for Hold {
    const NAME: &'static str = "hold";
    const EFFECT: Option<&'static str> = None;

    fn inject(&self, opportunity: &mut Opportunity<'_>) -> bool {
        let first = opportunity.effects.hold.is_none();
        if first {
            opportunity.effects.hold = Some(Held {
                until: self.until,
                at_most: self.at_most.map(|span| span.0),
                injection: opportunity.id,
            });
        }
        first
    }
}
